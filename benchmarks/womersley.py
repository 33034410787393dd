"""A pulsating flow in a pipe, on the same tetrahedra, beside icoFoam: what each errs by and what a cycle takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.special import jv

from benchmarks import openfoam
from benchmarks.table import Row, at_least, at_most
from haiflow.junction.ends import Inflow, Outlet, Wall, lay
from haiflow.junction.march import Flow
from haiflow.junction.profiles import Profile, womersley
from haiflow.mesh.region import Region
from haiflow.ports import Floats
from haiflow.verify.shapes import pipe

RADIUS, LENGTH, VISCOSITY, PERIOD, MEAN, SWING = 2e-3, 6e-3, 3.6e-6, 0.9, 3e-6, 1e-6
SAMPLES = MEAN + SWING * np.cos(2.0 * np.pi * np.arange(32) / 32)
ACROSS, LAYERS = 8, 12
OURS, PEER_STEP = 450, 2e-4  # steps a cycle; s, of a Courant number of about one
PART = 0.3  # of a cycle, from the exact flow on, after which velocities are compared
TIMES = 240  # a cycle, at which the peer is given its inflow


@dataclass(frozen=True)
class Found:
    """Error of the velocity, root mean square over the pipe's middle, of its mean; seconds a cycle."""

    error: float
    seconds: float


def exact(points: Floats, when: float) -> Floats:
    """Velocity along the pipe (k,) m/s: Poiseuille's and Womersley's (1955, J Physiol 127:553)."""
    k, area = 1j**1.5 * RADIUS * np.sqrt(2.0 * np.pi / PERIOD / VISCOSITY), np.pi * RADIUS**2
    r = np.minimum(np.hypot(points[:, 0], points[:, 1]) / RADIUS, 1.0)
    shape = (1.0 - jv(0, k * r) / jv(0, k)) / (1.0 - 2.0 * jv(1, k) / (k * jv(0, k)))
    return (2.0 * MEAN * (1.0 - r**2) + np.real(SWING * shape * np.exp(2j * np.pi * when / PERIOD))) / area


def slope(when: float) -> float:
    """What drives it along the pipe, m/s2."""
    area, omega = np.pi * RADIUS**2, 2.0 * np.pi / PERIOD
    k = 1j**1.5 * RADIUS * np.sqrt(omega / VISCOSITY)
    swing = 1j * omega * SWING / area / (1.0 - 2.0 * jv(1, k) / (k * jv(0, k)))
    return float(8.0 * VISCOSITY * MEAN / (area * RADIUS**2) + np.real(swing * np.exp(1j * omega * when)))


def error(points: Floats, velocity: Floats, weight: Floats, when: float) -> float:
    """Of ``velocity`` (k, 3) in the pipe's middle."""
    middle = np.abs(points[:, 2] - 0.5 * LENGTH) < 0.25 * LENGTH
    off = (velocity - exact(points, when)[:, None] * [0.0, 0.0, 1.0])[middle]
    mean = MEAN / (np.pi * RADIUS**2)
    return float(np.sqrt(weight[middle] @ (off**2).sum(axis=1) / weight[middle].sum())) / mean


def profile(mesh: Region) -> Profile:
    return womersley(mesh, "inlet", SAMPLES, PERIOD, VISCOSITY)


def ours(mesh: Region, steps: int) -> Found:
    """From the exact flow on, as the peer's."""
    ends = lay(mesh, {"inlet": Inflow(profile(mesh)), "wall": Wall(), "outlet": Outlet(pressure=lambda _: 0.0)})
    flow = Flow(mesh, ends, VISCOSITY, PERIOD / steps)
    state = flow.start(exact(mesh.points, 0.0)[:, None] * [0.0, 0.0, 1.0], slope(0.0) * (LENGTH - mesh.points[:, 2]))
    count = round(PART * steps)
    begun = time.perf_counter()
    for _ in range(count):
        state = flow.advance(state)
    seconds = (time.perf_counter() - begun) * steps / count
    return Found(error(mesh.points, state.velocity, mesh.dual.volume, state.time), seconds)


def theirs(mesh: Region, step: float, scheme: str) -> Found:
    """icoFoam's, with what ours lets in by each face."""
    inlet, corner = profile(mesh), np.searchsorted(mesh.on("inlet"), mesh.triangles("inlet"))
    velocities = {n * PERIOD / TIMES: inlet(n * PERIOD / TIMES)[corner].mean(axis=1) for n in range(TIMES + 1)}
    centre, end = mesh.points[mesh.tetra].mean(axis=1), PART * PERIOD
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "case"
        start = exact(centre, 0.0)[:, None] * [0.0, 0.0, 1.0]
        openfoam.prepare(folder, mesh, VISCOSITY, ("wall",), openfoam.mapped(folder, mesh, velocities), start)
        seconds = openfoam.march(folder, step, end, scheme) / PART
        return Found(error(centre, openfoam.cell_values(folder, "U"), mesh.dual.cell_volume, end), seconds)


def rows() -> Iterator[Row]:
    mesh = pipe(ACROSS, LAYERS, LENGTH, RADIUS)
    mine = ours(mesh, OURS)
    name = f"pulsating pipe, {len(mesh.tetra)} tetrahedra"
    yield Row(f"{name}: error in {OURS} steps a cycle, of the mean velocity", "-", f"{100 * mine.error:.2f} %", None,
              mine.error)  # fmt: skip
    if not openfoam.installed():
        return
    for scheme in ("Euler", "backward"):
        peer = theirs(mesh, PEER_STEP, scheme)
        yield at_most(f"{name}: error over icoFoam's ({scheme}, {100 * peer.error:.2f} %)", mine.error / peer.error,
                      1.0)  # fmt: skip
        yield at_least(f"{name}: icoFoam's cycle over ours ({scheme}, {peer.seconds:.0f} s at {PEER_STEP:g} s a step)",
                       peer.seconds / mine.seconds, 1.0)  # fmt: skip
