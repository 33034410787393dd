"""One defect in a copy of the tree: applied, built, and looked for by the tests of the folders that it concerns."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from mutants.defects import Defect

ROOT = Path(__file__).parent.parent
COPIED = ("benchmarks", "docs", "examples", "ext", "fuzz", "meshes", "mutants", "src", "tests")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.so", ".pytest_cache")
# Folders by what a defect touches, the quick ones first; those that run whole scenarios see all of it.
FOLDERS = {
    "ext": ("kernels", "unit", "conservation", "verification", "faults", "regression"),
    "src": ("unit", "faults", "verification", "conservation", "kernels", "regression"),
}
# What is nearest to a kernel or a part is tried before that: a defect seen there costs seconds.
CASES = "verification/test_cases.py -k"
NEAREST = {
    "blood1d": ("kernels/test_blood1d.py", "verification/test_outlets.py", f"{CASES} arteries"),
    "scalar": (
        "kernels/test_scalar_lumen.py",
        "kernels/test_scalar_network.py",
        "kernels/test_volumes_and_sweep.py",
        "conservation/test_lumen_transport.py",
        "verification/test_advection_order.py",
        f"{CASES} catheter",
    ),
    "flow3d": ("kernels/test_flow3d.py", f"{CASES} junction"),
    "volumes": ("kernels/test_volumes_and_sweep.py", "kernels/test_flow3d.py"),
    "tracers": (
        "kernels/test_tracers.py",
        "unit/test_interpolation.py",
        "unit/tip/test_split_of_a_region.py",
        "unit/tip/test_tip_in_runs.py",
        f"{CASES} junction",
    ),
    "junction": ("kernels/test_flow3d.py", "unit/test_junction_ends.py", f"{CASES} junction"),
    "pump": ("unit/test_pump_drives.py", "unit/test_pump_accuracy.py", "unit/test_pump_reservoir.py"),
    "catheter": ("verification/test_catheter_hydraulics.py", "unit/test_catheter_line.py", f"{CASES} catheter"),
    "arteries": ("unit/test_arterial_laws.py", "verification/test_steady_network.py", f"{CASES} arteries"),
    "liver": ("unit/test_liver_kinetics.py", "unit/test_buffer_response.py", "verification/test_uptake_in_runs.py"),
    "numerics": ("unit/test_field_system.py",),
    "body": ("verification/test_two_compartment.py", f"{CASES} body"),
    "faults": ("faults/test_occlusions.py", "faults/test_leaks.py"),
    "simulation": ("unit/test_way.py", "unit/test_timeline.py"),
}
PATIENCE = 3600.0  # s for the tests of one folder
BUILD = (
    "import platform, runpy, sys; platform.machine = lambda: 'any'; "
    "sys.argv = ['setup.py', '-q', 'build_ext', '--inplace']; runpy.run_path('setup.py', run_name='__main__')"
)


@dataclass(frozen=True)
class Found:
    """``by``: the first test that failed; None for a defect that survived them all."""

    name: str
    by: str | None
    seconds: float


class Tree:
    """A copy of the tree on which defects are tried, with the portable kernels alone: one build a defect."""

    def __init__(self, folder: Path, processes: int) -> None:
        self.folder, self.processes = folder, processes
        for name in COPIED:
            shutil.copytree(ROOT / name, folder / name, ignore=LEFT_OUT)
        for path in ROOT.iterdir():
            if path.is_file():
                shutil.copy2(path, folder)
        for path in (ROOT / "src/haiflow/kernels/portable").glob("*.so"):
            shutil.copy2(path, folder / "src/haiflow/kernels/portable")

    def look_for(self, defect: Defect, near: bool = False) -> Found:
        """Sow a defect, look for it (with the nearest tests alone where ``near``), and take it out again."""
        begun, path = time.monotonic(), self.folder / defect.file
        sound = path.read_text(encoding="utf-8")
        if sound.count(defect.old) != 1:
            raise SystemExit(f"{defect.name}: '{defect.old}' stands {sound.count(defect.old)} times in {defect.file}")
        path.write_text(sound.replace(defect.old, defect.new), encoding="utf-8")
        try:
            if defect.kernel is not None:
                self._build(defect.kernel)
            everywhere = () if near else FOLDERS[defect.file.partition("/")[0]]
            by = self.first_failure((*NEAREST.get(defect.room, ()), *everywhere))
        finally:
            path.write_text(sound, encoding="utf-8")
            if defect.kernel is not None:
                self._put_back(defect.kernel)
        return Found(defect.name, by, time.monotonic() - begun)

    def first_failure(self, folders: tuple[str, ...]) -> str | None:
        """The first test that fails in these folders of tests, or the folder whose tests do not end."""
        for folder in folders:
            command = [sys.executable, "-m", "pytest", "-x", "-n", str(self.processes), *f"tests/{folder}".split()]
            try:
                done = self._run(command, timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                return f"tests/{folder}: no end within {PATIENCE:.0f} s"
            if done.returncode > 2:
                raise SystemExit(f"tests/{folder} do not run (exit code {done.returncode}):\n{done.stdout[-2000:]}")
            if done.returncode != 0:
                said = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
                return said[0].split(" - ")[0] if said else f"tests/{folder}: exit code {done.returncode}"
        return None

    def _build(self, kernel: str) -> None:
        """The one kernel alone: the sources of the others are out of the way for the time."""
        sources, away = self.folder / "ext/haiflow/kernels", self.folder / "away"
        away.mkdir(exist_ok=True)
        others = [path for path in sources.glob("*.pyx") if path.stem != kernel]
        for path in others:
            path.rename(away / path.name)
        try:
            done = self._run([sys.executable, "-c", BUILD])
        finally:
            for path in others:
                (away / path.name).rename(path)
        if done.returncode != 0:
            raise SystemExit(f"{kernel} does not build:\n{done.stderr[-2000:]}")

    def _put_back(self, kernel: str) -> None:
        for path in (ROOT / "src/haiflow/kernels/portable").glob(f"{kernel}.*"):
            shutil.copy2(path, self.folder / "src/haiflow/kernels/portable")

    def _run(self, command: list[str], timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "src"), "HAIFLOW_KERNELS": "portable"}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )
