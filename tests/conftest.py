"""What every test may use: Hypothesis profiles, and the files that stand beside the project."""

from __future__ import annotations

import os
import uuid
from decimal import Context, localcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).resolve().parents[1]

# No deadline: the first example may compile a kernel. In CI the examples are the same each time,
# so that a red run is about the change it ran on; on a desk they are new each time, and find more.
settings.register_profile(
    "ci", deadline=None, max_examples=100, derandomize="CI" in os.environ, print_blob=True
)
# By hand: pytest --hypothesis-profile thorough
settings.register_profile("thorough", deadline=None, max_examples=10_000, print_blob=True)
settings.load_profile("ci")


def _folder_beside(name: str, variable: str) -> Callable[[str], Path]:
    folder = Path(os.environ.get(variable) or REPOSITORY.parent / "shared" / name)

    def find(file: str) -> Path:
        # Only the folder may be missing: a name that is not in it is a mistake in the test.
        if not folder.is_dir():
            pytest.skip(f"needs the folder {folder}, which is not here; {variable} names another")
        path = folder / file
        if not path.exists():
            pytest.fail(f"{folder} has no file {file}")
        return path

    return find


@pytest.fixture(autouse=True)
def _digits_of_decimals(request: pytest.FixtureRequest) -> Iterator[None]:
    """28 digits, as a program starts with: Vyper's compiler asks for 78 of the whole process."""
    if (REPOSITORY / "tests" / "contracts") in request.path.parents:
        yield
        return
    with localcontext(Context(prec=28)):
        yield


@pytest.fixture(scope="session")
def history() -> Callable[[str], Path]:
    """The path of a file of real market history: ``history("prices/BTC-USDT-spot-1h.parquet")``.

    The history is not the project's to give away: it stands beside it, in ``../shared/data`` or
    where ``STEELYARD_DATA`` says, and a test that asks for it is skipped where it is missing.
    """
    return _folder_beside("data", "STEELYARD_DATA")


@pytest.fixture(scope="session")
def acceptance() -> Callable[[str], Path]:
    """The path of a file of figures that must hold: ``acceptance("formulas.json")``.

    They stand in ``../shared/acceptance`` or where ``STEELYARD_ACCEPTANCE`` says.
    """
    return _folder_beside("acceptance", "STEELYARD_ACCEPTANCE")


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a real PostgreSQL: one for all tests, ended after them."""
    from support.postgres import served

    worker = getattr(request.config, "workerinput", None)
    with served(worker["testrunuid"] if worker else uuid.uuid4().hex) as url:
        yield url


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, which is dropped after the test."""
    from support.postgres import database

    with database(postgres_server) as url:
        yield url
