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
FINER = 11, 17  # of ours, that errs no more than the peer's best on the other
OURS, FEWER = 450, 60  # steps a cycle: the default, and as many as add nothing to the error
PEER_STEP = 1e-3  # s, of a Courant number of two to four: at twice that the peer diverges
PICTURES = 10  # of the first cycle, from the exact flow on; the second one's errors are the same to 1e-5 of the mean
TIMES = 240  # a cycle, at which the peer is given its inflow
PEERS = (
    ("Euler", openfoam.PLAIN),
    *(("backward", faces) for faces in (openfoam.PLAIN, openfoam.UPWIND, openfoam.SKEWED)),
)


@dataclass(frozen=True)
class Found:
    """Error of the velocity, root mean square over the pipe's middle and a cycle, of its mean; seconds a cycle.

    Seconds are the processor's, of one thread.
    """

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
    off, begun = [], time.process_time()
    for number in range(steps):
        state = flow.advance(state)
        if (number + 1) % (steps // PICTURES) == 0:
            off.append(error(mesh.points, state.velocity, mesh.dual.volume, state.time))
    return Found(float(np.sqrt(np.mean(np.square(off)))), time.process_time() - begun)


def theirs(mesh: Region, step: float, scheme: str, faces: str) -> Found:
    """icoFoam's, with what ours lets in by each face."""
    inlet, corner = profile(mesh), np.searchsorted(mesh.on("inlet"), mesh.triangles("inlet"))
    velocities = {n * PERIOD / TIMES: inlet(n * PERIOD / TIMES)[corner].mean(axis=1) for n in range(TIMES + 1)}
    centre = mesh.points[mesh.tetra].mean(axis=1)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "case"
        start = exact(centre, 0.0)[:, None] * [0.0, 0.0, 1.0]
        openfoam.prepare(folder, mesh, VISCOSITY, ("wall",), openfoam.mapped(folder, mesh, velocities), start)
        seconds = openfoam.march(folder, step, PERIOD, scheme, faces, PICTURES)
        off = [error(centre, each, mesh.dual.cell_volume, when) for when, each in openfoam.pictures(folder, "U")]
    return Found(float(np.sqrt(np.mean(np.square(off)))), seconds)


def rows() -> Iterator[Row]:
    mesh = pipe(ACROSS, LAYERS, LENGTH, RADIUS)
    mine = ours(mesh, OURS)
    name = f"pulsating pipe, {len(mesh.tetra)} tetrahedra"
    yield _plain(f"{name}: error in {OURS} steps a cycle, of the mean velocity", mine)
    if not openfoam.installed():
        yield openfoam.left_out(name)
        return
    for scheme, faces in PEERS:
        peer = theirs(mesh, PEER_STEP, scheme, faces)
        how = f"{scheme}, {faces}"
        yield _plain(f"{name}: the same, icoFoam's ({how}, {PEER_STEP:g} s a step)", peer)
        ratio = mine.error / peer.error
        if faces == openfoam.SKEWED:  # a smaller one than ours, on five times the unknowns: see level()
            yield Row(f"{name}: error over icoFoam's ({how})", "-", f"{ratio:.3g}", None, ratio)
        else:
            yield at_most(f"{name}: error over icoFoam's ({how})", ratio, 1.0)
        yield at_least(f"{name}: icoFoam's cycle over ours ({how})", peer.seconds / mine.seconds, 1.0)
    yield from level(peer, name)


def level(peer: Found, name: str) -> Iterator[Row]:
    """Ours on a mesh that is fine enough to err no more than the ``peer`` at its best does on the other."""
    mesh = pipe(*FINER, LENGTH, RADIUS)
    for steps in (OURS, FEWER):
        mine = ours(mesh, steps)
        how = f"ours on {len(mesh.tetra)} in {steps} steps"
        yield at_most(f"{name}: error over icoFoam's best, {how}", mine.error / peer.error, 1.0)
        yield at_least(f"{name}: icoFoam's cycle over ours, {how}", peer.seconds / mine.seconds, 1.0)


def _plain(what: str, found: Found) -> Row:
    return Row(what, "-", f"{100 * found.error:.2f} %, {found.seconds:.3g} s a cycle", None, found.error)
