"""What the evidence was made with: code, libraries, machine."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import haiflow
from haiflow.kernels import LEVEL

PACKAGES = ("numpy", "scipy", "pyamg", "meshio", "netCDF4", "pydantic", "gmsh", "matplotlib")


def described() -> dict[str, str]:
    """Name and value of every fact; never raises."""
    return {
        "haiflow": haiflow.__version__,
        "commit": commit(Path(haiflow.__file__).parent),
        "kernels": LEVEL,
        "Python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
        "processor": _processor(),
        "processors": str(os.cpu_count()),
        "threads of a case": "1",
    }


def commit(folder: Path) -> str:
    """The commit of the source in ``folder``, and whether it was altered; of an installed package, that it is one."""
    try:
        asked = [("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no", "--", ".")]
        found, altered = (
            subprocess.run(
                ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=10, check=True
            ).stdout
            for words in asked
        )
    except (OSError, subprocess.SubprocessError):
        return "none: an installed package"
    return found.strip() + (" with changes that are not committed" if altered.strip() else "")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
