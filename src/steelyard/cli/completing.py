"""What a shell completes after the Tab key: presets, bundled histories and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

__all__ = ["histories", "presets"]


def presets(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of presets that begin with the text, and files."""
    from steelyard.rules.presets import preset_names, preset_title

    return _offered({name: preset_title(name) for name in preset_names()}, incomplete)


def histories(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The bundled histories whose names begin with the text, and files."""
    from steelyard.market import SAMPLE_NAMES

    return _offered(dict.fromkeys(SAMPLE_NAMES, "bundled days of 2020 to 2022"), incomplete)


def _offered(names: dict[str, str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    begun = {name: words for name, words in names.items() if name.startswith(incomplete)}
    files = CompletionItem(incomplete, type="file")
    return [*(CompletionItem(name, help=words) for name, words in begun.items()), files]
