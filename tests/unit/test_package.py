"""`import steelyard` is cheap, whole and the same in any order of imports."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import steelyard as sy


def python(code: str) -> str:
    """Run `code` in an interpreter that has imported nothing yet; give what it printed."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_importing_the_package_loads_nothing_heavy() -> None:
    """`import steelyard` loads none of the libraries that take a second."""
    heavy = "{'numpy', 'pandas', 'pyarrow', 'plotly', 'numba', 'rich', 'click', 'jinja2'}"
    assert python(f"import steelyard, sys; print({heavy} & set(sys.modules))") == "set()"


def test_every_public_name_is_there() -> None:
    """Each name in `__all__` can be had, is listed by `dir`, and the list is sorted."""
    assert list(sy.__all__) == sorted(sy.__all__)
    for name in sy.__all__:
        assert getattr(sy, name) is not None
        assert name in dir(sy)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as it does in any module."""
    with pytest.raises(AttributeError, match="has no attribute 'simulat'"):
        sy.simulat  # noqa: B018 (the access is the test)


@pytest.mark.parametrize(
    "first",
    [
        "import steelyard as sy; function = sy.simulate",
        "import steelyard.simulation; import steelyard as sy; function = sy.simulate",
        "import steelyard.simulation.run; import steelyard as sy; function = sy.simulate",
        "from steelyard import simulate as function",
    ],
)
def test_simulate_is_one_function_whatever_was_imported_first(first: str) -> None:
    """`sy.simulate` is the function of its module, in any order of imports."""
    after = "import steelyard.simulation.one_or_several as home; import steelyard as sy"
    test = "sy.simulate is function is home.simulate"
    assert python(f"{first}\n{after}\nprint({test})") == "True"


def test_no_public_name_is_also_a_module() -> None:
    """Python binds a submodule to its name in the package, where it would replace a function."""
    modules = {each.name for each in pkgutil.iter_modules(sy.__path__)}
    assert "simulation" in modules
    assert not modules & set(sy.__all__)
