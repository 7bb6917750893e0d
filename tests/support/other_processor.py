"""Run a Python command as another processor would.

    python tests/support/other_processor.py -m pytest tests/docs

Three libraries choose by the processor how they compute, and each can be told to choose otherwise:

- OpenBLAS, which multiplies matrices: ``OPENBLAS_CORETYPE`` names another kernel;
- NumPy, whose exponentials, logarithms and powers are vectorised: ``NPY_DISABLE_CPU_FEATURES``
  takes from it all that this processor has beyond NumPy's own minimum, AVX-512 and AVX2 with it;
- the C library, whose ``exp``, ``log`` and ``pow`` multiply and add in one step where they can:
  ``GLIBC_TUNABLES`` forbids that to glibc, and means nothing to others.

What this processor, or this build of NumPy, does not know is not named: NumPy would warn.
"""

from __future__ import annotations

import os
import platform
import sys

__all__ = ["elsewhere", "kernel", "numpy_features"]

KERNELS = {"x86_64": ("Prescott", "Haswell"), "aarch64": ("ARMV8", "NEOVERSEN1")}
"""Two that every build for wheels has, by machine; the second where the first is set already."""


def numpy_features() -> list[str]:
    """What NumPy dispatches beyond its minimum and this processor has."""
    from numpy._core import _multiarray_umath as core

    there = core.__cpu_features__
    return [name for name in core.__cpu_dispatch__ if there.get(name)]


def kernel(machine: str, present: str) -> str | None:
    """Another kernel of OpenBLAS than the one that is set; None where none is known."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine.lower(), machine.lower())
    others = [name for name in KERNELS.get(machine, ()) if name.lower() != present.lower()]
    return others[0] if others else None


def elsewhere() -> dict[str, str]:
    """The variables that make a Python process compute as another processor would."""
    found = {"NPY_DISABLE_CPU_FEATURES": " ".join(numpy_features())}
    other = kernel(platform.machine(), os.environ.get("OPENBLAS_CORETYPE", ""))
    if other is not None:
        found["OPENBLAS_CORETYPE"] = other
    if platform.machine() == "x86_64" and platform.libc_ver()[0] == "glibc":
        found["GLIBC_TUNABLES"] = "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2"
    return found


if __name__ == "__main__":
    settings = elsewhere()
    told = " ".join(f"{name}={value!r}" for name, value in settings.items())
    sys.stdout.write(f"as another processor: {told}\n")
    sys.stdout.flush()
    os.execve(  # noqa: S606 (the project's own command, in this process)
        sys.executable, [sys.executable, *sys.argv[1:]], {**os.environ, **settings}
    )
