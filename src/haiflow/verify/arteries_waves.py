"""Small waves against linear theory: junctions, outlets, friction, viscous walls.

Small enough (5 mPa) that what is left of the nonlinear terms is 1e-7 of the wave. Exact: ``p_tt = c^2 p_xx`` in each
vessel, ``u = p / (rho c)`` in a wave that runs one way, admittance ``Y = A / (rho c)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
from scipy.special import jv

from haiflow.arteries import tube_law
from haiflow.arteries.grid import make_grid
from haiflow.arteries.outlets import impedance
from haiflow.arteries.periodic import periodic
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import DENSITY, fork, network, pulsating, single_vessel, still
from haiflow.arteries.state import at_rest
from haiflow.arteries.tree import CLOSED, Inlet, Outlet, Tree
from haiflow.ports import Floats, Fluid
from haiflow.verify.model import Figure, within
from haiflow.verify.tubes import (
    IDEAL,
    SMALL,
    Study,
    fixed_grid,
    march,
    order_and_error,
    profile_constants,
    pulse,
    study,
)

CENTRE, WIDTH, TIME = 0.7, 0.12, 0.15  # m, m, s
PARENT, SPEED = 1.2, 6.0  # m, m/s
MESHES = (300, 600, 1200)  # cells in the parent
DAUGHTERS = ((2.0e-3,), (2.4e-3, 1.8e-3), (1.5e-3, 2.5e-3, 1.0e-3))
SPEEDS = (SPEED, 7.5, 8.0, 6.5)
WINDKESSELS = {
    "Windkessel": Outlet(3e8, 1.5e9, 2e-10), "stiff Windkessel": Outlet(2e8, 1e9, 1e-14), "resistance": Outlet(8e8),
}  # fmt: skip


def gaussian(x: Floats) -> Floats:
    """The incident pulse (Pa) at a distance ``x`` (m) from its centre."""
    return SMALL * np.exp(-((x / WIDTH) ** 2))


def both_ways(x: Floats, reflection: float) -> Floats:
    """The pulse and what its far end sent back (Pa), at TIME."""
    return gaussian(x - CENTRE - SPEED * TIME) + reflection * gaussian(2.0 * PARENT - x - SPEED * TIME - CENTRE)


def worst_l1(tree: Tree, cells: int, exact: Callable[[int, Floats], Floats]) -> list[float]:
    """Of each vessel, the mean error of pressure over the incident pulse's height, at TIME."""
    grid = fixed_grid(tree, cells, PARENT)
    flow = march(tree, grid, pulse(grid, 0, CENTRE, WIDTH), TIME)
    found = []
    for vessel in range(len(tree.vessels)):
        here = grid.vessel_of_cell == vessel
        found.append(float(np.abs(flow.pressure[here] - exact(vessel, grid.x[here])).mean()) / SMALL)
    return found


def branching(radii: Sequence[float], cells: int) -> list[float]:
    """Errors of the reflected pulse and of those let through where ``1 + len(radii)`` vessels meet."""
    radius = np.array([3e-3, *radii])
    speed = np.array(SPEEDS[: len(radius)])
    admittance = radius**2 / speed
    reflection = (admittance[0] - admittance[1:].sum()) / admittance.sum()
    tree = fork([PARENT] + [1.5] * len(radii), list(radius), list(speed), blood=IDEAL)

    def exact(vessel: int, x: Floats) -> Floats:
        if vessel == 0:
            return both_ways(x, reflection)
        return (1.0 + reflection) * gaussian(PARENT + x * SPEED / speed[vessel] - SPEED * TIME - CENTRE)

    return worst_l1(tree, cells, exact)


def junctions() -> list[Figure]:
    """A pulse meets two, three and four vessels of unequal size and stiffness."""
    found: list[Figure] = []
    for radii in DAUGHTERS:
        what = f"pulses after {len(radii) + 1} vessels have met"
        found += order_and_error(study(partial(branching, radii), MESHES), what, MESHES[-1], 1.9, 1e-4)
    return found


def reflected(reflection: float, cells: int) -> list[float]:
    tree = single_vessel(PARENT, 3e-3, SPEED, outlet=Outlet(reflection=reflection), blood=IDEAL)
    return worst_l1(tree, cells, lambda _, x: both_ways(x, reflection))


def coefficients() -> list[Figure]:
    """Outlets that send back a given fraction of the wave; a closed one sends back all."""
    found: list[Figure] = []
    for reflection in (-0.7, 0.5, 1.0):
        cases = study(partial(reflected, reflection), MESHES)
        found += order_and_error(cases, f"reflection coefficient {reflection:g}", MESHES[-1], 1.9, 1e-4)
    none = reflected(0.0, MESHES[-1])[0]
    found.append(Figure("what an outlet that reflects nothing sends back, of the pulse", none, 0.0, 7e-8, 0.0))
    closed = single_vessel(PARENT, 3e-3, SPEED, pulsating(5e-6), CLOSED, blood=IDEAL)
    flow = PulsatileFlow(closed, None, at_rest(make_grid(closed)))
    return [*found, Figure("largest flow through a closed end (m3/s)",
                           float(np.abs(flow.advance(1000).face_flux[:, -1]).max()), 0.0, 0.0, 0.0)]  # fmt: skip


def shut(cells: int) -> list[float]:
    """Errors on both sides of an occlusion: the pulse comes back whole, and nothing passes."""
    tree = network([(0, 1), (1, 2)], np.array([PARENT, 1.0]), np.full(2, 3e-3), np.full(2, SPEED), still(),
                   {"n2": Outlet(1e9)}, severity=np.array([0.0, 1.0]), blood=IDEAL)  # fmt: skip
    return worst_l1(tree, cells, lambda vessel, x: both_ways(x, 1.0) if vessel == 0 else 0.0 * x)


def occlusion() -> list[Figure]:
    """A vessel shut for good: a pulse before it, and a beating fork with one daughter shut."""
    inlet = Inlet("n0", "flow_rate", 0.9, 6e-6 * (1.0 + 0.5 * np.sin(2.0 * np.pi * np.arange(32) / 32)))
    tree = fork([0.1, 0.1, 0.1], [3e-3, 2e-3, 2e-3], [SPEED, 7.0, 7.0], inlet, Outlet(3e8, 2e9, 1e-10),
                severity=np.array([0.0, 1.0, 0.0]))  # fmt: skip
    flow = PulsatileFlow(tree)
    flux = flow.advance(2 * flow.steps_in_cycle).face_flux
    grid = flow.grid
    left, shut_one, other = flux[:, grid.last_face[0]], flux[:, grid.face_offset[1]], flux[:, grid.face_offset[2]]
    pulses = study(shut, MESHES).errors
    before, behind = Study(pulses[:, :1]), float(pulses[:, 1].max())
    return [
        *order_and_error(before, "pulse that an occlusion sends back", MESHES[-1], 1.9, 1e-4),
        Figure("pressure behind the occlusion, of the pulse", behind, 0.0, 1e-7, 0.0, "round-off"),
        Figure("largest flow through a shut daughter (m3/s)", float(np.abs(shut_one).max()), 0.0, 0.0, 0.0),
        Figure("what the other daughter does not take of the parent's flow (m3/s)", float(np.abs(other - left).max()),
               0.0, 0.0, 0.0),
        Figure("largest flow of the parent (m3/s)", float(np.abs(left).max()), 1e-6, 1e-4),
    ]  # fmt: skip


def echo(outlet: Outlet, cells: int) -> list[float]:
    """Errors of what an outlet of impedance Z sends back of the pulse, ``(Z - Zc) / (Z + Zc)`` at each frequency."""
    tree = single_vessel(PARENT, 3e-3, SPEED, outlet=outlet, blood=IDEAL)
    n, step = 2**16, 1e-4  # long enough for the slowest decay, 0.3 s
    time: Floats = step * np.arange(n, dtype=float)
    omega: Floats = 2.0 * np.pi * np.arange(n // 2 + 1, dtype=float) / (n * step)
    characteristic = DENSITY * SPEED / (np.pi * 3e-3**2)
    whole = impedance(outlet, omega)
    arriving = np.fft.rfft(gaussian(PARENT - CENTRE - SPEED * time))
    returned = np.fft.irfft(arriving * (whole - characteristic) / (whole + characteristic), n)

    def exact(_: int, x: Floats) -> Floats:
        back = np.interp(TIME - (PARENT - x) / SPEED, time, returned, left=0.0)
        return back + gaussian(x - CENTRE - SPEED * TIME)

    return worst_l1(tree, cells, exact)


def windkessel() -> list[Figure]:
    """What a Windkessel sends back of a pulse, and its impedance in a cycle (mean and five harmonics)."""
    found: list[Figure] = []
    for name, outlet in WINDKESSELS.items():
        found += order_and_error(study(partial(echo, outlet), MESHES), f"echo of a {name}", MESHES[-1], 1.9, 1e-4)
    found += [
        Figure(f"impedance of a {name}, five harmonics, relative error", impedance_error(outlet), 0.0, most, 0.0)
        for (name, outlet), most in zip(WINDKESSELS.items(), (3e-5, 5e-4, 1e-9), strict=True)
    ]
    return found


def impedance_error(outlet: Outlet, period: float = 0.9) -> float:
    phase = np.arange(200) / 200
    harmonics = [np.cos(2 * np.pi * k * (phase - 0.1 * k)) / k for k in range(1, 6)]
    wave: Floats = 6e-6 * (1.0 + 0.3 * np.sum(harmonics, axis=0))
    outlet = replace(outlet, venous_pressure=600.0)
    flow = PulsatileFlow(single_vessel(0.2, 3e-3, SPEED, Inlet("n0", "flow_rate", period, wave), outlet))
    for _ in range(15):
        flow.advance(flow.steps_in_cycle)
    block = flow.advance(flow.steps_in_cycle)
    leaving = np.fft.rfft(block.face_flux[:, flow.grid.last_face[0]])
    pressure = np.fft.rfft(block.node_pressure[:, 1] - outlet.venous_pressure)
    ratio = pressure[:6] / leaving[:6]
    exact = impedance(outlet, 2.0 * np.pi / period * np.arange(6.0))
    return float(np.abs(ratio / exact - 1.0).max())


PERIOD, VISCOSITY = 0.8, 3.8e-3  # s, Pa s


def propagation(womersley: float, cells: int, profile: float) -> tuple[complex, complex]:
    """Measured and exact ``gamma`` (1/m) of a harmonic wave, ``exp(-gamma x)``, in a tube of a Womersley number.

    In a uniform line ``p(0) + p(L) = 2 cosh(gamma L / 2) p(L / 2)``, whatever closes its ends. The model's own theory:
    ``gamma^2 = (i w / c)^2 (1 - i K / (w A0))`` with the friction ``dQ/dt = -K Q / A``.
    """
    omega = 2.0 * np.pi / PERIOD
    radius = womersley * np.sqrt(VISCOSITY / DENSITY / omega)
    inlet = Inlet("n0", "pressure", PERIOD, 5.0 * np.cos(2.0 * np.pi * np.arange(64) / 64))  # odd powers only reach it
    length = 0.3 if womersley < 2.0 else 1.0
    tree = single_vessel(length, radius, SPEED, inlet, Outlet(reflection=0.0), blood=Fluid(DENSITY, VISCOSITY),
                         velocity_profile=profile)  # fmt: skip
    grid = fixed_grid(tree, cells, length)
    cycle = periodic(tree, tolerance=1e-9, grid=grid, state=at_rest(grid), max_cycles=60)
    start, middle, end = np.fft.rfft(cycle.pressure[:, 0], axis=0)[1]
    found = 2.0 / length * np.arccosh((start + end) / (2.0 * middle))
    friction = profile_constants(tree)[1] / (omega * np.pi * radius**2)
    exact = 1j * omega / SPEED * np.sqrt(1.0 - 1j * friction)
    return complex(found if found.real > 0.0 else -found), complex(exact)


def propagation_error(womersley: float, cells: int) -> list[float]:
    found, exact = propagation(womersley, cells, 2.0)
    return [abs(found / exact - 1.0)]


def womersley_wave(womersley: float) -> complex:
    """Womersley's ``gamma`` (1/m) for the same tube, wall tethered: ``(i w / c) / sqrt(1 - F)``."""
    k = 1j**1.5 * womersley
    return complex(2j * np.pi / PERIOD / SPEED / np.sqrt(1.0 - 2.0 * jv(1, k) / (k * jv(0, k))))


def attenuation() -> list[Figure]:
    """Waves that friction damps: the scheme against the model's own linear theory, that against Womersley's."""
    found = []
    for womersley in (0.5, 3.0):
        waves = study(partial(propagation_error, womersley), (20, 40, 80))
        found += [
            Figure(f"order of the propagation constant, Womersley number {womersley:g}", waves.order, 1.9, np.inf, 2.0),
            Figure(f"its relative error, Womersley number {womersley:g}, 80 cells", waves.last, 0.0, 3e-4, 0.0),
        ]
    slow, fast = (propagation(w, 80, 2.0)[0] for w in (0.5, 3.0))
    return [
        *found,
        within("attenuation (1/m), Womersley number 0.5, his theory", slow.real, womersley_wave(0.5).real, 0.01),
        within("the same, Womersley number 3", fast.real, womersley_wave(3.0).real, 0.06, "the profile is fixed"),
    ]


def standing(cells: int, courant: float) -> tuple[Floats, Floats]:
    """A standing wave in a closed vessel, of its height: found, and exact.

    s^2 + s nu k^2 + c^2 k^2 = 0 with nu = wall / (rho sqrt(A0)).
    """
    length, radius = 0.4, 3e-3
    wall = float(tube_law.wall_viscosity(400.0, 5e-4))
    tree = single_vessel(length, radius, SPEED, outlet=CLOSED, blood=IDEAL, wall_viscosity=np.array([wall]))
    grid = fixed_grid(tree, cells, length)
    wave, time = np.pi / length, 0.18  # not at a crest in time, where errors of phase would hide
    area = np.asarray(tube_law.area(SMALL * np.cos(wave * grid.x), grid.A0, grid.beta))
    flow = march(tree, grid, replace(at_rest(grid), area=area), time, courant=courant)
    decay = 0.5 * wall / (DENSITY * np.sqrt(np.pi) * radius) * wave**2
    angular = np.sqrt((SPEED * wave) ** 2 - decay**2)
    shape = np.exp(-decay * time) * (np.cos(angular * time) + decay / angular * np.sin(angular * time))
    return flow.pressure / SMALL, shape * np.cos(wave * grid.x)


def standing_error(courant: float, cells: int) -> list[float]:
    found, exact = standing(cells, courant)
    return [float(np.abs(found - exact).mean())]


def viscous_wall() -> list[Figure]:
    """A viscous wall damps a standing wave (Kelvin and Voigt).

    Errors of mesh and step are of opposite sign and cancel where both are refined together: each has its own order.
    """
    in_space = study(partial(standing_error, 0.06), (50, 100, 200))
    found = [standing(100, 0.6 / 2**k)[0] for k in range(4)]
    in_time = Study(np.array([[float(np.abs(b - a).mean())] for a, b in pairwise(found)]))
    return [
        *order_and_error(in_space, "standing wave, steps of 0.06 cells", 200, 1.9, 1.5e-4),
        Figure("order of the step, standing wave, 100 cells", in_time.order, 1.9, np.inf, 2.0),
        Figure("L1 error of the largest, standing wave, 200 cells, both", standing_error(0.6, 200)[0], 0.0, 1e-5, 0.0),
    ]
