"""``haiflow doctor``: what this machine can do."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from haiflow.child import python, surroundings

PACKAGES = (
    "haiflow", "numpy", "scipy", "click", "PyYAML", "pydantic", "meshio", "netCDF4", "jinja2", "pyvista", "vtk",
    "matplotlib", "pandas", "xarray", "gmsh",
)  # fmt: skip
DRAW = (
    "from haiflow.report import scene; scene.off_screen(); plotter = scene.new_plotter();"
    "plotter.screenshot(return_img=True); print('drawn', flush=True); import os; os._exit(0)"
)
PATIENCE = 60.0  # s


def examine() -> dict[str, Any]:
    """Python, packages, kernels, drawing, threads, memory and disk. Nothing raises: what fails is told."""
    return {
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
        "python": f"{platform.python_version()} at {sys.executable}",
        "packages": {name: _version(name) for name in PACKAGES},
        "kernels": kernels(),
        "drawing": drawing(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", "not limited (OMP_NUM_THREADS)"),
        "memory": memory(),
        "disk": f"{shutil.disk_usage(Path.cwd()).free / 2**30:.1f} GiB free in {Path.cwd()}",
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def kernels() -> str:
    """The build of the compiled loops that is in use, or why there is none."""
    try:
        from haiflow import kernels as compiled

        folder = Path(compiled.__file__).parent / compiled.LEVEL
        names = sorted({path.name.split(".")[0] for path in folder.iterdir() if path.suffix in (".so", ".pyd")})
        for name in names:
            compiled.kernel(name)
    except Exception as error:
        return f"not usable: {type(error).__name__}: {error}"
    return f"{compiled.LEVEL}: {', '.join(names)}" if names else "not built: run 'make ext'"


def drawing() -> str:
    """Whether 3D pictures can be drawn; tried in another process, as a missing driver ends it."""
    try:
        tried = subprocess.run(
            python("-c", DRAW), capture_output=True, text=True, timeout=PATIENCE, check=False, env=surroundings()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no: {error}"
    if "drawn" in tried.stdout:
        return "3D pictures work off screen"
    reason = (tried.stderr.strip().splitlines() or [f"the process ended with {tried.returncode}"])[-1]
    remedy = "pip install 'haiflow[viz]', and on Debian or Ubuntu apt install libegl1 libgl1-mesa-dri"
    return f"no 3D pictures ({reason}): {remedy}"


def memory() -> str:
    """Physical memory."""
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"
    except (ValueError, OSError, AttributeError):
        return "unknown"


def as_text(found: dict[str, Any]) -> str:
    """A line a finding."""
    lines = []
    for key, value in found.items():
        told = ", ".join(f"{name} {each}" for name, each in value.items()) if isinstance(value, dict) else str(value)
        lines.append(f"{key + ':':<12} {told}")
    return "\n".join(lines)
