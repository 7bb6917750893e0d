"""Columns packed for a page come back as they were."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from steelyard.report.figure_encoding import Dates, Labels, Packer, SelectedRows, Zipped, plain
from steelyard.report.palette import LIGHT


def unpacked(packer: Packer, ref: Any) -> list[Any]:
    """What the page's script makes of a reference."""
    if isinstance(ref, list):
        return ref
    if "zip" in ref:
        columns = [unpacked(packer, column) for column in ref["zip"]]
        return [list(row) for row in zip(*columns, strict=True)]
    if "take" in ref:
        source = unpacked(packer, ref["of"])
        return [source[i] for i in unpacked(packer, ref["take"])]
    values = np.frombuffer(base64.b64decode(packer.blobs[ref["blob"]]), dtype="<" + ref["kind"])
    return values.tolist()


def test_every_kind_of_column_comes_back() -> None:
    """Numbers, instants, words, picked rows and rows side by side."""
    packer = Packer()
    numbers = np.array([1.5, -2.25, 8.0])
    words = Labels(["band", "launch", "band"])
    index = np.array([2, 0])
    packed = packer.pack(
        {
            "y": numbers,
            "x": Dates(np.array([10, 20, 5_000_000_000])),
            "words": words,
            "some": SelectedRows(words, index),
            "rows": Zipped([numbers, words]),
        }
    )
    assert unpacked(packer, packed["y"]) == [1.5, -2.25, 8.0]
    assert unpacked(packer, packed["x"]) == [10, 20, 5_000_000_000]
    assert packed["x"]["date"] is True
    assert unpacked(packer, packed["words"]) == ["band", "launch", "band"]
    assert unpacked(packer, packed["some"]) == ["band", "band"]
    assert unpacked(packer, packed["rows"]) == [[1.5, "band"], [-2.25, "launch"], [8.0, "band"]]


def test_a_column_is_stored_once() -> None:
    """However many charts draw it."""
    packer = Packer()
    column = np.arange(100.0)
    assert packer.pack([column, column.copy(), {"y": column}]) == [
        {"blob": 0, "kind": "f4"},
        {"blob": 0, "kind": "f4"},
        {"y": {"blob": 0, "kind": "f4"}},
    ]
    assert len(packer.blobs) == 1


@pytest.mark.parametrize(("value", "decimals", "kind"), [(123_456.78, 2, "f4"), (1e9, 0, "f8")])
def test_all_digits_shown_are_right(value: float, decimals: int, kind: str) -> None:
    """A column is stored as finely as the digits that its table shows ask for."""
    packer = Packer()
    ref = packer.numbers(np.array([value, np.nan]), decimals)
    assert ref["kind"] == kind
    assert round(unpacked(packer, ref)[0], decimals) == value


def test_what_json_cannot_say_becomes_null() -> None:
    """A NaN or an infinity outside a column does not break the page."""
    packed = Packer().pack({"range": [float("nan"), float("-inf"), 1.0]})
    assert json.dumps(packed, allow_nan=False) == '{"range": [null, null, 1.0]}'


def test_for_a_notebook_columns_are_arrays_and_colours_are_colours() -> None:
    """Only what stands under a colour's key is taken for a colour."""
    made = plain(
        {
            "name": "$nav",
            "line": {"color": "$nav"},
            "x": Dates(np.array([0])),
            "rows": Zipped([np.array([1.0, 2.0]), Labels(["a", "b"])]),
            "some": SelectedRows(np.array([1.0, 2.0, 3.0]), np.array([2])),
        },
        LIGHT,
    )
    assert made["name"] == "$nav"
    assert made["line"]["color"] == LIGHT["nav"]
    assert made["x"].tolist() == np.array([0], dtype="datetime64[ms]").tolist()
    assert made["rows"].tolist() == [[1.0, "a"], [2.0, "b"]]
    assert made["some"].tolist() == [3.0]
