"""What a run computes is the same on every processor (docs/decisions/0009).

State, trades, costs and nav to the last bit, statistics to 1e-11. Three kinds of test hold that:
the source has no operation whose rounding a processor chooses; the sums of NumPy, which it does
use, are added up in one written order; and runs as another processor would make them are compared.
"""

from __future__ import annotations

import ast
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steelyard.simulation.growth import grown_by, log_of_growth
from support.other_processor import kernel, numpy_features

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "src" / "steelyard"
STATE = ("rules", "fund", "market", "simulation", "ledger")
"""The packages that make state; one that is not there yet is held to it once it is."""
ADVICE = "rules/optimal_band.py"
"""Closed forms for whoever chooses a band: nothing of a fund's state is made of them."""

PRODUCTS = (
    "convolve", "corrcoef", "correlate", "cov", "dot", "einsum", "einsum_path", "inner", "kron",
    "linalg", "matmul", "matvec", "outer", "polyfit", "polyval", "tensordot", "vdot", "vecdot",
    "vecmat",
)  # fmt: skip
"""Of NumPy: sums of products, whose order is the kernel's."""
TRANSCENDENTAL = (
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "cos", "cosh", "dist", "erf", "erfc", "exp",
    "exp2", "expm1", "float_power", "fma", "gamma", "geomspace", "hypot", "lgamma", "log", "log10",
    "log1p", "log2", "logaddexp", "logaddexp2", "logspace", "pow", "power", "sin", "sinc", "sinh",
    "sumprod", "tan", "tanh",
)  # fmt: skip
"""Of NumPy and of the C library: the last bits are those of the version that a processor gets."""
MODULES = ("np", "numpy", "math")


def breaches(source: str) -> Iterator[str]:
    """The operations whose last bits depend on the processor, each with its line."""
    for node in ast.walk(ast.parse(source)):
        found = _breach(node)
        if found:
            yield f"{getattr(node, 'lineno', 0)}: {found}"


def _breach(node: ast.AST) -> str:
    match node:
        case ast.BinOp(op=ast.MatMult()) | ast.AugAssign(op=ast.MatMult()):
            return "@"
        # a literal number to a power is a constant, or a power of two: both exact
        case ast.BinOp(op=ast.Pow(), left=left) if not isinstance(left, ast.Constant):
            return "**"
        case ast.AugAssign(op=ast.Pow()):
            return "**="
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in MODULES:
            return f"{module}.{name}" if name in (*PRODUCTS, *TRANSCENDENTAL) else ""
        case ast.Call(func=ast.Attribute(attr="dot")):
            return ".dot"
        case ast.Call(func=ast.Name(id="pow")):
            return "pow"
        case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] in MODULES:
            taken = [each.name for each in names if each.name in (*PRODUCTS, *TRANSCENDENTAL)]
            return ", ".join(taken)
    return ""


def test_what_makes_state_has_no_operation_that_a_processor_rounds_its_own_way() -> None:
    """No matrix product, no power and no transcendental function where state is made."""
    files = [path for name in STATE for path in sorted((SOURCE / name).rglob("*.py"))]
    assert len(files) > 60
    found = [
        f"{path.relative_to(SOURCE)}:{breach}"
        for path in files
        for breach in breaches(path.read_text(encoding="utf-8"))
        if path != SOURCE / ADVICE
    ]
    assert found == []


def test_state_is_not_made_of_advice() -> None:
    """The one file that is let off is imported by reports and by the command line only."""
    name = ADVICE.removesuffix(".py").rpartition("/")[2]
    users = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if f"steelyard.rules.{name} import" in path.read_text(encoding="utf-8")
    }
    assert users <= {
        "cli/series_text.py",
        "report/cost_error_chart.py",
        "simulation/compare.py",
        "simulation/compare_document.py",
    }


@pytest.mark.parametrize(
    "line",
    [
        "a @ b", "a @= b", "np.dot(a, b)", "a.dot(b)", "np.linalg.lstsq(a, b)", "np.einsum(i, a)",
        "np.exp(a)", "np.log1p(a)", "np.power(a, 3)", "a ** 2", "a **= 0.5", "a ** b", "pow(a, 2)",
        "math.exp(a)", "math.pow(a, 2)", "from math import exp", "from numpy.linalg import dot",
        "import numpy as np; f = np.expm1",
    ],
)  # fmt: skip
def test_an_operation_of_that_kind_is_noticed(line: str) -> None:
    """Each way to write one is found."""
    assert list(breaches(line)) != []


@pytest.mark.parametrize(
    "line",
    ["a * b", "np.sum(a * b)", "np.sqrt(a)", "math.sqrt(a)", "10 ** 40", "2.0 ** n", "f(**a)"],
)
def test_what_is_rounded_alike_everywhere_is_let_be(line: str) -> None:
    """IEEE 754 says how sums, products, quotients and square roots are rounded."""
    assert list(breaches(line)) == []


def pairwise(values: list[float]) -> float:
    """NumPy's sum as its documentation has it: eight running sums, halves beyond 128 numbers."""
    count = len(values)
    if count < 8:
        return _plainly(values)
    if count <= 128:
        whole = count - count % 8
        lanes = [_plainly(values[lane:whole:8]) for lane in range(8)]
        left, right = lanes[:4], lanes[4:]
        total = ((left[0] + left[1]) + (left[2] + left[3])) + (
            (right[0] + right[1]) + (right[2] + right[3])
        )
        for value in values[whole:]:
            total += value
        return total
    half = count // 2
    half -= half % 8
    return pairwise(values[:half]) + pairwise(values[half:])


def _plainly(values: list[float]) -> float:
    """One after the other: from Python 3.12 on ``sum`` itself compensates."""
    return list(accumulate(values))[-1]


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 31, 100, 128, 129, 1_440, 4_097, 65_541])
def test_numpy_adds_in_one_written_order(count: int) -> None:
    """``sum`` in pairs and ``cumsum`` one by one, whatever registers the processor has."""
    values = np.random.default_rng(count).standard_normal(count)
    assert float(np.sum(values)) == pairwise(values.tolist())
    assert float(np.add.reduce(values)) == pairwise(values.tolist())
    assert np.cumsum(values).tolist() == list(accumulate(values.tolist()))
    assert np.sqrt(np.abs(values)).tolist() == [math.sqrt(abs(each)) for each in values.tolist()]


@pytest.mark.parametrize(
    ("size", "bound"), [(1e-12, 3e-16), (1e-6, 3e-16), (2e-3, 3e-16), (0.05, 1e-15), (0.9, 2e-15)]
)
def test_growth_is_that_of_the_c_library(size: float, bound: float) -> None:
    """``log(1 + x)`` and ``exp(x) - 1`` by arithmetic alone are right to a few of the last bits."""
    values = size * np.random.default_rng(1).uniform(-1.0, 1.0, 5_000)
    for made, known in ((log_of_growth, math.log1p), (grown_by, math.expm1)):
        truth = np.array([known(each) for each in values.tolist()])
        np.testing.assert_allclose(made(values), truth, rtol=bound, atol=0.0)
    assert grown_by(log_of_growth(np.array([-1.0]))).tolist() == [-1.0]
    assert log_of_growth(np.array([])).tolist() == grown_by(np.array([])).tolist() == []
    assert grown_by(log_of_growth(np.array([0.0, 3.0, 1e3]))) == pytest.approx([0, 3, 1e3], 1e-13)


def test_the_settings_of_another_processor_are_ones_that_this_one_has() -> None:
    """Another kernel than the one that is set, and only features that NumPy can switch off."""
    assert kernel("x86_64", "") == kernel("AMD64", "haswell") == "Prescott"
    assert kernel("x86_64", "Prescott") == "Haswell"
    assert kernel("arm64", "") == "ARMV8"
    assert kernel("riscv64", "") is None
    told = "import numpy._core._multiarray_umath as core; print(core.__cpu_features__)"
    done = _python("-W", "error", "-c", told)
    features = ast.literal_eval(done.partition("\n")[2])
    assert not any(features[name] for name in numpy_features())


def test_another_processor_gives_the_same_state_and_statistics_to_1e_11() -> None:
    """Every preset over days and hours: bits of state and trades, and all that is told of them."""
    script = str(REPOSITORY / "tests" / "support" / "figures_of_runs.py")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as process:
        there = json.loads(_python(script).partition("\n")[2])
        here = json.loads(process.communicate()[0])
    assert there["state"] == here["state"]
    apart = list(_apart(here["statistics"], there["statistics"], ""))
    assert len(here["state"]) > 40
    assert apart == []


def _python(*arguments: str) -> str:
    """What Python prints with the settings of another processor, after a line that names them."""
    script = str(REPOSITORY / "tests" / "support" / "other_processor.py")
    return subprocess.check_output([sys.executable, script, *arguments], text=True)


def _apart(here: Any, there: Any, place: str) -> Iterator[str]:
    if isinstance(here, dict) and isinstance(there, dict) and here.keys() == there.keys():
        for key in here:
            yield from _apart(here[key], there[key], f"{place}/{key}")
    elif isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        for number, both in enumerate(zip(here, there, strict=True)):
            yield from _apart(*both, f"{place}/{number}")
    elif isinstance(here, float) and isinstance(there, float):
        if not math.isclose(here, there, rel_tol=1e-11, abs_tol=1e-11):
            yield f"{place}: {here} and {there}"
    elif here != there:
        yield f"{place}: {here} and {there}"
