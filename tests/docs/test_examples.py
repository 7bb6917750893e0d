"""README and docs tell the truth: every example is run and prints what the page says.

``python tests/docs/refresh.py`` writes what they print now into the pages.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.doc_numbers import signed_zeros
from support.doc_pages import (
    GENERATED,
    REPOSITORY,
    RUN,
    ExampleError,
    agrees,
    blocks,
    pages,
    run_page,
)

PAGES = pages()
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img[^>]*\bsrc(?:set)?=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
# What a public page never needs to know: where on some machine a file lies, or who answers there.
PRIVATE = re.compile(r"file:/|(?<![\w/.<)])/(?!dev/null)\w+/\w|localhost|127\.0\.0\.1")


def name_of(page: Path) -> str:
    """The page's path within the project, to name a test."""
    return str(page.relative_to(REPOSITORY))


def with_examples() -> list[Path]:
    """The pages that have something to run."""
    written = [page for page in PAGES if page != GENERATED]
    return [page for page in written if any(block.kind in RUN for block in blocks(page))]


@pytest.mark.parametrize("page", with_examples(), ids=name_of)
def test_examples_print_what_the_page_says(page: Path, tmp_path: Path) -> None:
    """Each Python block and each line of a session, in the order of the page."""
    wrong, ran = [], 0
    for outcome in run_page(page, tmp_path / "page"):
        ran += 1
        if not outcome.agrees:
            found, expected = "\n".join(outcome.found), "\n".join(outcome.expected)
            wrong.append(f"{outcome.place} says\n{expected}\nand prints\n{found}")
    assert not wrong, "\n\n".join(wrong)
    assert ran >= sum(block.kind in RUN for block in blocks(page))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file that is there, and a heading that it has."""
    text = page.read_text(encoding="utf-8")
    dead = []
    for match in LINK.finditer(text):
        target = match[1] or match[2]
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(target)
    assert not dead


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    outside, fenced = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        fenced ^= line.startswith("```")
        outside.append("" if fenced else line)
    headings = HEADING.findall("\n".join(outside))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_name_no_machine(page: Path) -> None:
    """No page holds a path or an address of the machine that it was written on."""
    assert PRIVATE.findall(page.read_text(encoding="utf-8")) == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    """Following links from README, a reader finds every page there is."""
    seen, ahead = set(), [REPOSITORY / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in seen:
            continue
        seen.add(page)
        for match in LINK.finditer(page.read_text(encoding="utf-8")):
            path = (match[1] or match[2]).partition("#")[0]
            file = (page.parent / path).resolve()
            if path.endswith(".md") and file.exists():
                ahead.append(file)
    assert sorted(set(PAGES) - seen) == []


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        (["a", "b"], ["a", "b"], True),
        (["a"], ["", "a  ", ""], True),
        (["a", "...", "z"], ["a", "b", "c", "z"], True),
        (["a ... z"], ["a b z"], True),
        (["a"], ["a", "b"], False),
        (["1.5"], ["125"], False),
        ([], ["a"], False),
        # a unit of the last printed place, and no more
        (["-1.25"], ["-1.24"], True),
        (["-1.25"], ["-1.23"], False),
        (["-1.25"], ["1.25"], False),
        (["+0.00"], ["-0.01"], True),
        (["-0.01"], ["+0.00"], True),
        (["(-0.01)"], ["(0.00)"], True),
        (["999.99"], ["1,000.00"], True),
        (["1.2e-05"], ["1.3e-05"], True),
        (["1.2e-05"], ["1.2e-04"], False),
        (["1.25"], ["1.250"], False),
        (["9.9 %"], ["10.0 %"], True),
        (["12 %", "+12 points"], ["13 %", "+11 points"], True),
        # a column on the right keeps its right side; all other blanks stay
        (["a    9.99"], ["a   10.00"], True),
        (["a    9.99"], ["a    10.00"], True),
        (["a    9.99"], ["a  10.00"], False),
        (["... 1.25 z"], ["1.20 z", " 1.24 z"], True),
        # what is no figure is strict
        (["1,130 trades"], ["1,131 trades"], False),
        (["2020-03-12 08:00"], ["2020-03-13 08:00"], False),
        (["08:00:01.5"], ["08:00:01.6"], False),
        (["version 0.4.3"], ["version 0.4.4"], False),
        (["3x"], ["4x"], False),
        (["-3x"], ["-4x"], False),
        # a zero has no minus
        (["-0.00"], ["-0.00"], False),
        (["a -0 b"], ["a -0 b"], False),
        (["-0.001"], ["-0.001"], True),
        (["2020-01"], ["2020-01"], True),
    ],
)
def test_what_counts_as_the_same_output(expected: list[str], found: list[str], same: bool) -> None:
    """Blank ends and trailing blanks do not count; three dots stand for anything."""
    assert agrees(expected, found) is same


def test_pages_are_refreshed_to_the_last_digit() -> None:
    """What a test lets pass is written anew all the same when pages are."""
    assert agrees(["1.25"], ["1.24"])
    assert not agrees(["1.25"], ["1.24"], exactly=True)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_shows_a_negative_zero(page: Path) -> None:
    """Neither in what an example prints nor in the words around it."""
    assert signed_zeros(page.read_text(encoding="utf-8")) == []


def run_text(tmp_path: Path, text: str) -> list[bool]:
    """Run a page with this text and tell which of its examples agree."""
    page = tmp_path / "made-up.md"
    page.write_text(text, encoding="utf-8")
    return [outcome.agrees for outcome in run_page(page, tmp_path / "page")]


@pytest.mark.parametrize(
    ("text", "agreed"),
    [
        ("```python\nprint(1)\n```\n\n```text\n1\n```\n", [True]),
        ("```python\nprint(1)\n```\n\n```text\n2\n```\n", [False]),
        ("```python\nprint(1)\n```\nNothing is shown.\n\n```text\n1\n```\n", [False]),
        ("```python\nx = 1\n```\n```python\nprint(x)\n```\n```text\n1\n```\n", [True, True]),
        ("```csv a.csv\n1,2\n```\n```console\n$ cat a.csv\n1,2\n```\n", [True]),
        ("```console\n$ echo a\n$ echo b\nc\n```\n", [True, False]),
        ("```console\n$ false\n$ echo $?\n1\n```\n", [True, True]),
        ("```console history\n$ false\n```\n```python network\n1 / 0\n```\n", []),
    ],
)
def test_how_examples_are_run(tmp_path: Path, text: str, agreed: list[bool]) -> None:
    """Blocks share names and files, and an output that is wrong or hidden is found."""
    assert run_text(tmp_path, text) == agreed


@pytest.mark.parametrize(
    "text",
    [
        "```py\nprint(1)\n```\n",
        "```\nsteelyard demo\n```\n",
        "```sh\nsteelyard demo\n```\n",
        "```console\n$ false\n```\n",
        "```console\n$ false\n$ echo a\na\n```\n",
        "```console\nsteelyard demo\n```\n",
        "```python\n1\n",
    ],
)
def test_no_example_goes_unrun(tmp_path: Path, text: str) -> None:
    """A block that looks like an example and cannot be run is an error, and so is a failure."""
    with pytest.raises(ExampleError):
        run_text(tmp_path, text)
