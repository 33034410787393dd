"""Small waves in a fork of viscous (Kelvin and Voigt) walls.

With ``p = p_elastic + wall / (A0 s0) A_t`` a wave ``exp(i w t)`` runs on a line of series impedance ``i w rho / A0``
and shunt admittance ``i w / (1 / C + i w wall / (A0 s0))`` a length, C being dA/dp. Where vessels meet, and at an
outlet, it is the whole pressure that counts. With the elastic part alone there the wave comes out wrong by some per
cent, and by as much on every mesh, so that refinement does not tell.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from haiflow.arteries import tube_law
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import DENSITY, network
from haiflow.arteries.state import at_rest
from haiflow.arteries.tree import Inlet, Outlet, Tree
from haiflow.ports import Floats
from haiflow.verify.model import Figure
from haiflow.verify.tubes import FLAT, IDEAL, fixed_grid, study

LENGTH, RADIUS, SPEED = np.array([0.3, 0.2, 0.3]), np.array([3e-3, 2.4e-3, 1.9e-3]), np.array([6.0, 6.5, 7.0])
BEDS = (6e8, 9e8)  # Pa s/m3
REFLECTIONS = (0.3, -0.4)  # a load of rho c / A0 (1 + R) / (1 - R) each
Where = tuple[bool, bool, bool]
EVERYWHERE: Where = (True, True, True)
PERIOD, BEATS = 0.2, 12  # s; cycles until what the start stirred has gone
SMALL_FLOW = 1e-11  # m3/s, 1e-7 of the waves' speed: at 1e-9 what is not linear is as large as the finest mesh's error


def fork(viscosity: float, reflecting: bool = False, where: Where = EVERYWHERE) -> tuple[Tree, Floats]:
    """The network and its walls' coefficients (Pa s m); a cosine comes in. Beds of resistance, or reflecting ones.

    Walls are viscous in the vessels ``where`` it says so, of parent and daughters.
    """
    wall = np.where(where, float(tube_law.wall_viscosity(viscosity, 5e-4)), 0.0)
    wave = SMALL_FLOW * (1.0 + np.cos(2.0 * np.pi * np.arange(256) / 256))
    outlets = {"n2": Outlet(BEDS[0]), "n3": Outlet(BEDS[1])}
    if reflecting:
        outlets = {node: Outlet(reflection=r) for node, r in zip(outlets, REFLECTIONS, strict=True)}
    tree = network([(0, 1), (1, 2), (1, 3)], LENGTH, RADIUS, SPEED, Inlet("n0", "flow_rate", PERIOD, wave), outlets,
                   blood=IDEAL, velocity_profile=FLAT, wall_viscosity=wall)  # fmt: skip
    return tree, wall


def loads(reflecting: bool) -> tuple[float, float]:
    """Of the whole pressure, elastic and viscous, behind each daughter (Pa s/m3)."""
    if not reflecting:
        return BEDS
    own = DENSITY * SPEED[1:] / (np.pi * RADIUS[1:] ** 2) * [(1.0 + r) / (1.0 - r) for r in REFLECTIONS]
    return float(own[0]), float(own[1])


def exact(
    wall: Floats, vessel: NDArray[np.int32], x: Floats, beds: tuple[float, float]
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """(n,) flow rate and pressure (Pa s/m3) over ``SMALL_FLOW``, ``x`` (m) along each ``vessel``; real at the crest."""
    omega, A0 = 2.0 * np.pi / PERIOD, np.pi * RADIUS**2
    compliance = A0 / (DENSITY * SPEED**2)
    series = 1j * omega * DENSITY / A0
    shunt = 1j * omega / (1.0 / compliance + 1j * omega * wall / (A0 * np.sqrt(A0)))
    gamma, impedance = np.sqrt(series * shunt), np.sqrt(series / shunt)
    tanh = np.tanh(gamma * LENGTH)

    def entry(v: int, load: complex) -> complex:
        return complex(impedance[v] * (load + impedance[v] * tanh[v]) / (impedance[v] + load * tanh[v]))

    inner = [entry(1, beds[0]), entry(2, beds[1])]
    load = np.array([1.0 / (1.0 / inner[0] + 1.0 / inner[1]), *beds])
    at_end = 1.0 / (np.cosh(gamma * LENGTH) + load / impedance * np.sinh(gamma * LENGTH))  # of what comes in
    start = np.array([1.0, at_end[0] * load[0] / inner[0], at_end[0] * load[0] / inner[1]])
    left = gamma[vessel] * (LENGTH[vessel] - x)
    far = start[vessel] * at_end[vessel]
    flow = far * (np.cosh(left) + (load / impedance)[vessel] * np.sinh(left))
    return flow, far * impedance[vessel] * (np.sinh(left) + (load / impedance)[vessel] * np.cosh(left))


def beating(tree: Tree, cells: int) -> PulsatileFlow:
    """The wave once what the start stirred has gone, ``cells`` in 0.3 m."""
    grid = fixed_grid(tree, cells, 0.3)
    flow = PulsatileFlow(tree, grid, at_rest(grid), steps=8 * cells)
    for _ in range(BEATS):
        flow.advance(flow.steps_in_cycle)
    return flow


def error(viscosity: float, reflecting: bool, cells: int, where: Where = EVERYWHERE) -> list[float]:
    """L1 error of the flow rate, of the wave that comes in."""
    tree, wall = fork(viscosity, reflecting, where)
    beds, flow = loads(reflecting), beating(tree, cells)
    grid = flow.grid
    mean = np.array([1.0, beds[1] / sum(beds), beds[0] / sum(beds)])[grid.vessel_of_cell]
    wave, _ = exact(wall, grid.vessel_of_cell, grid.x, beds)
    return [float(np.abs(flow.flow_rate / SMALL_FLOW - mean - wave.real).mean())]


def error_at_stations(viscosity: float, cells: int) -> list[float]:
    """Largest error of pressure and flow rate that are sampled at start, middle and end of each vessel, over the wave's
    own: amplitude and phase."""
    tree, wall = fork(viscosity)
    samples = beating(tree, cells).sample_cycle(120).stations
    found = np.fft.rfft(samples, axis=0)[1] * 2.0 / len(samples) / SMALL_FLOW
    vessel = np.repeat(np.arange(3, dtype=np.int32), 3)
    flow, pressure = exact(wall, vessel, LENGTH[vessel] * np.tile([0.0, 0.5, 1.0], 3), BEDS)
    return [float(np.abs(found[..., i].ravel() / of - 1.0).max()) for i, of in ((0, pressure), (1, flow))]


def viscous_fork() -> list[Figure]:
    """Beds of resistance behind walls of 100 and of 3000 Pa s."""
    return damped_waves(False)


def viscous_reflection() -> list[Figure]:
    """Reflecting outlets behind the same walls."""
    return damped_waves(True)


def damped_waves(reflecting: bool) -> list[Figure]:
    """Order and error for a weak and a strong wall."""
    found = []
    for viscosity in (100.0, 3000.0):
        each = study(partial(error, viscosity, reflecting), (30, 60, 120))
        found += [
            Figure(f"order in L1, walls of {viscosity:g} Pa s", each.order, 1.9, np.inf, 2.0),
            Figure(f"L1 error, of the wave, walls of {viscosity:g} Pa s, 120 cells", each.last, 0.0, 2e-5, 0.0),
        ]
    return found


def viscous_and_elastic() -> list[Figure]:
    """Viscous vessels that meet elastic ones: each waits for what the other brings to the node."""
    found = []
    for what, where in (("one daughter", (False, True, False)), ("both daughters", (False, True, True)),
                        ("all but a daughter", (True, False, True))):  # fmt: skip
        each = study(partial(error, 3000.0, False, where=where), (30, 60, 120))
        found += [
            Figure(f"order in L1, viscous: {what}", each.order, 1.9, np.inf, 2.0),
            Figure(f"L1 error, of the wave, viscous: {what}, 120 cells", each.last, 0.0, 3e-5, 0.0),
        ]
    return found


def viscous_stations() -> list[Figure]:
    """Pressure and flow rate as they are sampled."""
    found = []
    for viscosity in (100.0, 3000.0):
        each = study(partial(error_at_stations, viscosity), (30, 60, 120))
        found += [
            Figure(f"order of pressure and flow rate, walls of {viscosity:g} Pa s", each.order, 1.8, np.inf, 2.0),
            Figure(f"largest error, walls of {viscosity:g} Pa s, 120 cells", each.last, 0.0, 1e-4, 0.0),
        ]
    return found
