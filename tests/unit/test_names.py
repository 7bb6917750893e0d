"""One word a thing: no file and no public class of the package has the name of another."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "steelyard"

SAME_IDEA = {
    # Files
    "journal": "the command of the journal",
    "reserve": "the rules of a reserve, and a fund's use of them",
    "series": "the command of series files",
    "streams": "the streams of an exchange: as it serves them, and as a venue hears them",
    "venue": "the venue of its package, as the protocol of venues has it",
    # Commands, each in a file of its name in cli, and what they show
    "compare": "the command",
    "decay": "the command",
    "forecast": "the command",
    # Public classes
    "Flows": "creations and redemptions: of a history, and of one instant",
    "Journal": "a journal of events, and the same one read as a run is read",
    "Tier": "a margin tier",
    "Trade": "a fill",
    "Venue": "where a position lives: in a series file, and for a keeper",
}


def places(*, of_classes: bool) -> dict[str, list[str]]:
    """Where each file name, or each name of a public class, stands."""
    found = defaultdict(list)
    for file in sorted(SOURCE.rglob("*.py")):
        names = [file.stem]
        if of_classes:
            tree = ast.parse(file.read_text(encoding="utf-8"))
            names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
        for name in names:
            if not name.startswith("_"):
                found[name].append(str(file.relative_to(SOURCE)))
    return found


def test_no_name_stands_for_two_things() -> None:
    """What stands twice is one idea in two places, and the list above says which."""
    every = [places(of_classes=False), places(of_classes=True)]
    twice = {name: where for each in every for name, where in each.items() if len(where) > 1}
    assert len(every[0]) > 300
    assert len(every[1]) > 300
    assert {name: twice[name] for name in twice if name not in SAME_IDEA} == {}
    assert SAME_IDEA.keys() <= twice.keys(), "the list names what stands once"
