"""Stages with processes of their own run one after another."""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The exchange's stage is in the group of all tests that run a rehearsal exchange."""
    for item in items:
        if item.name.endswith("exchange]"):
            item.add_marker(pytest.mark.xdist_group("processes"))
