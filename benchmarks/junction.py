"""The tip in 3D: what a cycle, a steady flow and a step of drug cost, beside OpenFOAM on the same mesh."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import openfoam, pulse, womersley
from benchmarks.cases import ROOT
from benchmarks.table import Row, at_least, at_most
from haiflow.junction.beat import FRAMES, Beat
from haiflow.junction.case import Case
from haiflow.junction.drug import DrugField
from haiflow.junction.ends import Inflow, Outlet, Wall, lay
from haiflow.junction.geometry import Branch, Hole, Shape, Tip
from haiflow.junction.march import Flow, State
from haiflow.junction.outline import build
from haiflow.junction.profiles import developed
from haiflow.junction.steady import steady
from haiflow.junction.streaming import solve
from haiflow.mesh.region import Region
from haiflow.verify.shapes import pipe

MM, VISCOSITY, FLOW, PERIOD, DENSITY = 1e-3, 3.6e-6, 5e-6, 1.0, 1056.0
HOLES = (Hole("hole:tip", 0.4 * MM),)
TIP = Tip(0.8 * MM, HOLES, (0.0, 0.0, -6 * MM))
TWO = (Branch("left", 2.95 * MM, np.radians(-35)), Branch("right", 2.95 * MM, np.radians(35)))
WAVE = 1.0 + 0.6 * np.sin(2 * np.pi * np.arange(64) / 64) + 0.2 * np.sin(4 * np.pi * np.arange(64) / 64 + 1.0)
PEER_STEP = 1e-4  # s: Courant number 3.3 on these meshes, as in published comparisons


def shape(cells: float) -> Shape:
    """A Y with a catheter of 0.8 mm."""
    return Shape(4.2 * MM, 16 * MM, 4.2 * MM, TWO, TIP, cells=cells)


def rows() -> Iterator[Row]:
    with threadpool_limits(limits=1):
        for cells, name, limits in ((9.4, "100k", (120.0, 5.0)), (17.5, "500k", (1200.0, 40.0))):
            mesh = build(shape(cells))
            yield from flow_rows(mesh, name, *limits)
        yield from whole_rows()
        yield from error_rows()
        for what, beside in (("pulsating pipe", womersley.rows), ("pulse from rest in a Y", pulse.rows)):
            try:
                yield from beside()
            except RuntimeError as failure:  # the peer's own failure must not end the table
                yield Row(f"OpenFOAM beside it, {what}", "-", str(failure).splitlines()[0][:60], None)


def _steady(mesh: Region) -> tuple[Flow, State, float]:
    begun = time.perf_counter()
    ends = lay(mesh, {
        "vessel": Wall(), "catheter": Wall(), "inlet": Inflow(developed(mesh, "inlet", FLOW)),
        "hole:tip": Inflow(developed(mesh, "hole:tip", 1e-4 * FLOW)),
        "left": Outlet(pressure=lambda _: 0.0), "right": Outlet(pressure=lambda _: 0.0),
    })  # fmt: skip
    flow = Flow(mesh, ends, VISCOSITY, PERIOD / 450)
    state = steady(flow, flow.resting()).state
    return flow, state, time.perf_counter() - begun


def flow_rows(mesh: Region, name: str, cycle_limit: float, steady_limit: float) -> Iterator[Row]:
    m = len(mesh.tetra)
    flow, state, seconds = _steady(mesh)
    yield at_most(f"steady flow, {name} ({m} tetrahedra)", seconds, steady_limit, " s")
    yield at_most("divergence of the worst control volume, of the flow", flow.worst_divergence, 1e-8)
    state = flow.advance(state)  # the first one sets up the system that all share
    begun, steps = time.perf_counter(), 20
    for _ in range(steps):
        state = flow.advance(state)
    step = (time.perf_counter() - begun) / steps
    yield at_most(
        f"a cycle of 1 s in 450 steps, {name}", 450 * step, cycle_limit, " s", f", {1e6 * step / m:.2f} us a cell"
    )
    entering = -flow.ends.through("hole:tip", state.velocity)[:, None]
    drug = DrugField(mesh, entering, {name: points for name, points, _ in flow.ends.outlets})
    c, _ = drug.steady(state.flux, state.boundary_flux)
    dt = 0.3 * float(np.min(mesh.dual.volume / np.bincount(mesh.dual.ends.ravel(), np.repeat(np.abs(state.flux), 2))))
    each = {}
    for passes in (1, 2):
        begun = time.perf_counter()
        for _ in range(steps):
            drug.step(c, state.flux, state.boundary_flux, dt, passes=passes)
        each[passes] = 1e6 * (time.perf_counter() - begun) / steps / m
    note = f" (corrected twice, as runs do, {each[2]:.3f})"
    yield at_most(f"a step of drug on the frozen flow, {name}", each[1], 0.05, " us a cell", note)
    yield two_threads(flow, state, drug, c, name)
    yield memory(mesh, name)
    if openfoam.installed():
        try:
            yield from peer_rows(mesh, name, 450 * step, seconds)
        except RuntimeError as failure:  # the peer's own failure must not end the table
            yield Row(f"OpenFOAM beside it, {name}", "-", str(failure).splitlines()[0][:60], None)


def two_threads(flow: Flow, state: State, drug: DrugField, c: np.ndarray, name: str, steps: int = 12) -> Row:
    """A piece of a beat, flow and drug, on two threads and on one in turns; each the best of three."""
    best = {1: np.inf, 2: np.inf}
    for threads in (1, 2) * 3:
        beat = Beat(drug, drug.region.dual.volume, DENSITY, steps)
        begun = time.perf_counter()
        state = beat.run(flow, state, c, lambda _: None, threads)
        best[threads] = min(best[threads], time.perf_counter() - begun)
    note = f" (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)"
    return at_least(f"two threads against one, flow and drug, {name}", best[1] / best[2], 1.6, note)


def memory(mesh: Region, name: str) -> Row:
    """The largest that a process grows beyond what it was with its libraries loaded."""
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "mesh.npz"
        np.savez(file, points=mesh.points, tetra=mesh.tetra, wall=mesh.wall, patch=mesh.patch, names=mesh.names)
        command = [sys.executable, "-m", "benchmarks.junction", str(file)]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    note = f" (with the drug and {FRAMES} frames of a beat {found['beat']:.2f}; icoFoam 1.0 to 1.5)"
    return at_most(f"memory of the flow, {name}, per tetrahedron", found["flow"], 0.8, " kB", note)


def _grown(file: str) -> dict[str, float]:
    """kB per tetrahedron at the most: the steady flow and some steps; then a beat with its drug."""
    import pyamg  # noqa: F401  a library: no part of what a mesh costs

    with np.load(file) as held:
        before = 4096 * int(Path("/proc/self/statm").read_text().split()[1])
        mesh = Region(held["points"], held["tetra"], held["wall"], held["patch"], tuple(map(str, held["names"])))
    out: dict[str, float] = {}

    def note(what: str) -> None:
        # Not ru_maxrss, in which a process begins with that of its parent.
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        most = 1024 * int(status["VmHWM"].split()[0])
        out[what] = (most - before) / 1000.0 / len(mesh.tetra)

    flow, state, _ = _steady(mesh)
    for _ in range(3):
        state = flow.advance(state)
    note("flow")
    entering = -flow.ends.through("hole:tip", state.velocity)[:, None]
    drug = DrugField(mesh, entering, {name: points for name, points, _ in flow.ends.outlets})
    beat = Beat(drug, mesh.dual.volume, DENSITY, FRAMES)
    beat.run(flow, state, np.zeros_like(entering), lambda _: None)
    note("beat")
    return out


def peer_rows(mesh: Region, name: str, cycle: float, seconds: float) -> Iterator[Row]:
    area = float(np.linalg.norm(mesh.wall_area[mesh.patch == mesh.names.index("inlet")].sum(axis=0)))
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "case"
        plug = openfoam.uniform(np.array([0.0, 0.0, FLOW / area]))
        openfoam.prepare(folder, mesh, VISCOSITY, ("vessel", "catheter", "hole:tip"), plug)
        theirs = openfoam.seconds_a_step(folder, "icoFoam", PEER_STEP, 10) * PERIOD / PEER_STEP
        yield at_least(
            f"icoFoam's cycle over ours, {name} ({theirs / 60:.0f} min at {PEER_STEP:g} s a step)", theirs / cycle, 1.0
        )
        theirs = openfoam.steady_seconds(folder)
        yield at_least(f"simpleFoam's steady flow over ours, {name} ({theirs:.0f} s)", theirs / seconds, 1.0)


def whole_rows() -> Iterator[Row]:
    """From the shape to the split, meshing and tracers included."""
    shares = {"left": np.array([0.5 * FLOW]), "right": np.array([0.5 * FLOW])}
    for what, inflow, period, limit in (
        ("steady", np.array([FLOW]), 0.0, 30.0),
        ("pulsatile", FLOW * WAVE, 6 / 7, 300.0),
    ):
        case = Case(inflow, shares, {"hole:tip": 1e-11}, period=period, shape=shape(8.0))
        begun = time.perf_counter()
        solve(case)
        yield at_most(f"from the shape to the split, {what}", time.perf_counter() - begun, limit, " s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    yield Row("largest memory of all this", "-", f"{peak / 2**20:.0f} MiB", None, peak)


def error_rows() -> Iterator[Row]:
    """Poiseuille's flow on the same tetrahedra: error of the velocity over its mean, ours and simpleFoam's."""
    radius, length, flow_rate = 2e-3, 12e-3, 3e-6
    mesh = pipe(6, 18, length, radius)
    exact = lambda x: 2.0 * flow_rate / (np.pi * radius**2) * (1.0 - (x[:, 0] ** 2 + x[:, 1] ** 2) / radius**2)  # noqa: E731
    ends = lay(mesh, {"inlet": Inflow(developed(mesh, "inlet", flow_rate)), "wall": Wall(),
                      "outlet": Outlet(pressure=lambda _: 0.0)})  # fmt: skip
    flow = Flow(mesh, ends, VISCOSITY, 1e-3)
    state = steady(flow, flow.resting()).state
    late = mesh.points[:, 2] > 0.6 * length
    scale = flow_rate / (np.pi * radius**2)
    ours = _rms(state.velocity[late, 2] - exact(mesh.points[late]), mesh.dual.volume[late]) / scale
    yield Row("error in a pipe of 12 cells across, of the mean velocity", "-", f"{100 * ours:.2f} %", None, float(ours))
    if not openfoam.installed():
        return
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "case"
        openfoam.prepare(folder, mesh, VISCOSITY, ("wall",), openfoam.uniform(np.array([0.0, 0.0, scale])))
        openfoam.steady_seconds(folder)
        theirs = openfoam.cell_values(folder, "U")[:, 2]
    centre = mesh.points[mesh.tetra].mean(axis=1)
    late = centre[:, 2] > 0.6 * length
    off = _rms(theirs[late] - exact(centre[late]), mesh.dual.cell_volume[late]) / scale
    yield at_most(f"ours over simpleFoam's ({100 * off:.2f} %; its flat inflow is still developing)", ours / off, 1.0)


def _rms(value: np.ndarray, weight: np.ndarray) -> float:
    return float(np.sqrt(weight @ value**2 / weight.sum()))


if __name__ == "__main__":
    with threadpool_limits(limits=1):
        print(json.dumps(_grown(sys.argv[1])))
