"""Drug in the arteries: fronts that stay sharp, second order where the concentration is smooth."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np

from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.pulse_transport import PulseTransport
from haiflow.arteries.simple import single_vessel
from haiflow.arteries.state import from_steady
from haiflow.arteries.tree import Inlet, Outlet
from haiflow.numerics.channels import Channels, ChannelTransport
from haiflow.ports import Floats
from haiflow.verify.arteries_exact import bifurcation
from haiflow.verify.model import Figure
from haiflow.verify.tubes import Study, fixed_grid, halved, order_and_error, relative_l1, study

PHASE = np.arange(200) / 200
PULSE = Inlet("n0", "flow_rate", 0.8, 4e-6 * (1.0 + 6.0 * np.exp(-(((PHASE - 0.2) / 0.08) ** 2))
                                              - 2.5 * np.exp(-(((PHASE - 0.45) / 0.05) ** 2))))  # fmt: skip


def front_after_half(cells: int) -> tuple[float, float, float]:
    """Cells off its place, cells wide, excess over its bounds: a front once half a vessel's volume has come in."""
    tree = single_vessel(0.3, 3e-3, 6.0, PULSE, Outlet(5e8, 4e9, 2e-10))
    grid = fixed_grid(tree, cells, 0.3)
    blood, entered, beyond = PulsatileFlow(tree, grid), 0.0, 0.0
    transport = PulseTransport(grid, 1)
    while entered < 0.5 * blood.volume:
        block = blood.advance(20)
        transport.advance(block, np.ones(1))
        entered += block.dt * block.face_flux[:, 0].sum()
        beyond = max(beyond, float(-transport.c.min()), float(transport.c.max()) - 1.0)
    assert transport.volume is not None
    c, held = transport.c[0], np.cumsum(transport.volume)
    centre = held - 0.5 * transport.volume
    off = (np.interp(0.5, c[::-1], centre[::-1]) - entered) / transport.volume.mean()
    return abs(float(off)), float(np.count_nonzero((c > 0.02) & (c < 0.98))), beyond


def front() -> list[Figure]:
    """A bolus's front runs with the blood and stays sharp."""
    coarse, fine = front_after_half(75), front_after_half(300)
    return [
        Figure("front, cells from where the blood is, 300 cells", fine[0], 0.0, 0.5, 0.0),
        Figure("cells between 2 and 98 %, 75 cells", coarse[1], 1.0, 12.0),
        Figure("cells between 2 and 98 %, 300 cells", fine[1], 1.0, 18.0),
        Figure("largest excess over its bounds", max(coarse[2], fine[2], 0.0), 0.0, 1e-13, 0.0),
    ]  # fmt: skip


def chains(first: list[int], start: list[int], end: list[int], external: list[int]) -> Channels:
    """Channels from plain lists."""
    return Channels(*(np.array(each, dtype=np.int32) for each in (first, start, end, external)))


def bulge(x: Floats) -> Floats:
    """Integral of the area 1 + 0.3 sin(2 pi x): the volume up to x, which is what is advected."""
    return np.asarray(x - 0.3 / (2.0 * np.pi) * np.cos(2.0 * np.pi * x))


def ring_error(limiter: str, reverse: bool, n: int) -> list[float]:
    """L1 error of a ring of two channels after one turn, in the volume's coordinate an exact translation."""
    y = bulge(np.linspace(0.0, 1.0, n + 1))
    exact = np.diff(y - 0.25 / np.pi * np.cos(2.0 * np.pi * y)) / np.diff(y)
    volume, c = np.diff(y), exact[None].copy()
    steps = int(np.ceil(1.0 / (0.6 * volume.min())))
    flux = np.full((steps, n + 2), -1.0 if reverse else 1.0)
    ring = ChannelTransport(chains([0, n // 2, n], [0, 1], [1, 0], [-1, -1]), limiter=limiter)
    ring.advance(c, volume.copy(), flux, 1.0 / steps, external_concentration=np.zeros((1, 0)))
    return [float(np.sum(np.abs(c[0] - exact) * volume))]


def breathing_error(n: int) -> list[float]:
    """Volumes that swell and shrink while the flow reverses: c is constant along dX/dt = Q / A, known exactly.

    A(x, t) = 1 + 0.2 sin(t) uniform, Q(x, t) = U(t) - x A'(t): xi = x A(t) - integral of U is a material coordinate.
    """
    x, t = np.linspace(0.0, 1.0, n + 1), np.linspace(0.0, 2.0, 4 * n + 1)
    area, pushed = 1.0 + 0.2 * np.sin(t), 0.3 * np.sin(2.0 * t)
    flux = (np.diff(pushed)[:, None] - x * np.diff(area)[:, None]) / t[1]

    def mean(step: int) -> Floats:
        material = 0.5 * (x[:-1] + x[1:]) * area[step] - pushed[step]
        return np.asarray(np.exp(-200.0 * (material - 0.5) ** 2))

    c = mean(0)[None].copy()
    channel = ChannelTransport(chains([0, n], [0], [1], [0, 1]))
    channel.advance(c, np.full(n, 1.0 / n), flux, float(t[1]), external_concentration=np.zeros((1, 2)))
    return [float(np.abs(c[0] - mean(-1)).mean())]


def through_a_fork(cells: tuple[int, ...] = (60, 120, 240, 480)) -> Study:
    """L1 differences between meshes of a smooth cloud that beating blood carries through a bifurcation."""
    phase = np.arange(64) / 64
    inlet = Inlet("n0", "flow_rate", 0.8, 1.2e-5 * (1.0 + 0.5 * np.sin(2.0 * np.pi * phase)))
    tree = bifurcation(inlet, (Outlet(3e8, 1e9, 1e-10), Outlet(1.2e9)))
    found = []
    for n in cells:
        grid = fixed_grid(tree, n, 0.3)
        blood, transport = PulsatileFlow(tree, grid, from_steady(grid), steps=20 * n), PulseTransport(grid, 1)
        transport.c[0] = np.where(grid.vessel_of_cell == 0, np.exp(-(((grid.x - 0.17) / 0.05) ** 2)), 0.0)
        for _ in range(8):
            transport.advance(blood.advance(n), np.zeros(1))
        found.append(transport.c[0].copy())
    return Study(np.array([[relative_l1(halved(fine), coarse)] for coarse, fine in pairwise(found)]))


def smooth() -> list[Figure]:
    """Order where the concentration is smooth: through nodes, in swelling vessels, with blood's own fluxes."""
    found: list[Figure] = []
    for reverse in (False, True):
        way = "backwards" if reverse else "forwards"
        turn = study(partial(ring_error, "van_leer", reverse), (100, 200, 400))
        found += order_and_error(turn, f"once round a ring of two channels, {way}", 400, 1.9, 1e-4)
    breath = study(breathing_error, (100, 200, 400))
    fork = through_a_fork()
    return [
        *found,
        *order_and_error(breath, "volumes that change, flow that reverses", 400, 1.9, 1e-3),
        Figure("order in L1, a cloud through a bifurcation of beating vessels", fork.order, 1.8, np.inf, 2.0),
        Figure("L1 difference of its last two meshes, of the largest", fork.last, 0.0, 1.5e-4),
    ]
