"""``steelyard compare`` as a user meets it: one object, one page, or nothing at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.command import command

SHELF = ("steelyard-3l", "bybit-3l", "ftx-bull", "pionex-2l")


def test_a_comparison_on_the_bundled_history(tmp_path: Path) -> None:
    """The JSON alone on standard output, the best first; the page whole, and nothing beside it."""
    page = tmp_path / "rules.html"
    done = command(
        "compare", *SHELF, "--prices", "BTC", "--sort", "kappa", "--out", page, "--json",
        cwd=tmp_path, check=True,
    )  # fmt: skip
    figures = json.loads(done.stdout)
    assert figures["schema"] == 1
    assert (figures["bars"], figures["intrabar"]) == (1096, "path")
    assert (figures["sort"], figures["report"]) == ("kappa", str(page))
    found = {each["name"]: each for each in figures["series"]}
    assert next(iter(found)) == "STEELYARD-3L", "to the edge: the best rule of the presets"
    kappas = [each["kappa"] for each in found.values()]
    assert kappas == sorted(kappas)
    efficient = {name for name, each in found.items() if each["efficient"]}
    assert efficient == {"STEELYARD-3L", "BYBIT-3L", "PIONEX-2L"}
    assert found["FTX-BULL"]["proportional_cost"] == pytest.approx(0.0006, rel=1e-12)
    assert list(tmp_path.iterdir()) == [page]
    text = page.read_text(encoding="utf-8")
    assert text.endswith("</html>")
    assert all(f'data-key="{name}"' in text for name in found)
    assert 'data-panel="comparison"' in text


def test_an_earlier_page_is_left_alone_where_a_comparison_fails(tmp_path: Path) -> None:
    """A series file that is wrong: exit code 3, one sentence, the page as it was."""
    page = tmp_path / "rules.html"
    made = '<meta name="generator" content="Steelyard">'
    page.write_text(made)
    (tmp_path / "wrong.toml").write_text('symbol = "W"\nunderlying = "BTC"\n')
    done = command(
        "compare", "ftx-bull", "wrong.toml", "--prices", "BTC", "--out", page, cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("Error: wrong.toml: target_leverage: expected the key")
    assert len(done.stderr.splitlines()) == 1
    assert page.read_text() == made
    assert {path.name for path in tmp_path.iterdir()} == {"rules.html", "wrong.toml"}
