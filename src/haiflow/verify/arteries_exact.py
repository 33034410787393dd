"""Blood flow in tapered vessels and forks: rest, steady flow, and the order of the whole scheme."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from haiflow.arteries import tube_law
from haiflow.arteries.grid import Grid, make_grid, reference_area, stiffness
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import DENSITY, network, single_vessel, still
from haiflow.arteries.state import State, at_rest
from haiflow.arteries.tree import BLOOD, CLOSED, Inlet, Outlet, Tree
from haiflow.ports import Floats
from haiflow.verify.model import Figure, within
from haiflow.verify.tubes import (
    FLAT,
    IDEAL,
    Study,
    fixed_grid,
    halved,
    march,
    order_and_error,
    profile_constants,
    relative_l1,
    study,
)

LOOP = [(0, 1), (1, 2), (1, 3), (2, 3), (3, 4), (2, 4), (4, 5)]


def rest() -> list[Figure]:
    """No flow arises from none, however reference area and stiffness vary, under pressure or without."""
    taper = single_vessel(0.5, 3e-3, 5.0, outlet=CLOSED, radius_end=np.array([1.2e-3]), wave_speed_end=np.array([12.0]))
    size = np.array([3.0, 2.0, 1.5, 1.0, 2.0, 1.2, 2.5]) * 1e-3
    loop = network(LOOP, np.linspace(0.02, 0.08, 7), size, np.linspace(5.0, 9.0, 7), still(), {"n5": CLOSED},
                   radius_end=0.8 * size, severity=np.array([0, 0.5, 0, 0, 1.0, 0, 0]))  # fmt: skip
    found = []
    states = (("taper, 0 Pa", taper, 0.0), ("taper, 12 kPa", taper, 12e3), ("taper, -2 kPa", taper, -2e3),
              ("loop of seven vessels, 12 kPa", loop, 12e3))  # fmt: skip
    for what, tree, pressure in states:
        grid = make_grid(tree)
        flow = PulsatileFlow(tree, grid, at_rest(grid, pressure))
        flow.advance(3000)
        found.append(Figure(f"largest velocity after 3000 steps, {what} (m/s)",
                            float(np.abs(flow.flow_rate / flow.area).max()), 0.0, 1e-13, 0.0))  # fmt: skip
        found.append(Figure(f"largest change of pressure, {what} (Pa)",
                            float(np.abs(flow.pressure - pressure).max()), 0.0, 2e-9, 0.0))  # fmt: skip
    return found


FLOW, LENGTH, BED = 2e-5, 0.2, 3.2e8  # m3/s, m, Pa s/m3 (near the vessel's own impedance, so that waves leave)


def taper(ideal: bool) -> Tree:
    """4 mm to 2.5 mm over 20 cm, wave speed 5 to 6 m/s, velocity 0.4 to 1 m/s."""
    more = {"blood": IDEAL, "velocity_profile": FLAT} if ideal else {"blood": BLOOD}
    return single_vessel(LENGTH, 4e-3, 5.0, Inlet("n0", "flow_rate", 1.0, np.array([FLOW])), Outlet(BED),
                         radius_end=np.array([2.5e-3]), wave_speed_end=np.array([6.0]), **more)  # fmt: skip


def walls(tree: Tree, x: Floats) -> tuple[Floats, Floats]:
    """A0 (m2) and beta (Pa m) at ``x`` of the only vessel."""
    vessel = np.zeros(np.shape(x), dtype=np.int32)
    return reference_area(tree, vessel, x), stiffness(tree, vessel, x)


def bernoulli(tree: Tree, x: Floats) -> Floats:
    """(n,) area of ideal flow: ``p + rho u^2 / 2`` is that of the outlet everywhere."""

    def area(A0: float, beta: float, total: float | None) -> float:
        def excess(a: float) -> float:
            return float(tube_law.pressure(a, A0, beta)) + 0.5 * DENSITY * (FLOW / a) ** 2 - (total or 0.0)

        return float(brentq(excess, 0.6 * A0, 6.0 * A0, xtol=1e-22, rtol=1e-15))

    A0, beta = walls(tree, np.array([LENGTH]))
    end = float(tube_law.area(BED * FLOW, A0[0], beta[0]))
    total = BED * FLOW + 0.5 * DENSITY * (FLOW / end) ** 2
    return np.array([area(*wall, total) for wall in zip(*walls(tree, x), strict=True)])


def weightless(x: Floats) -> Floats:
    return np.zeros(np.shape(x))


def with_friction(tree: Tree, x: Floats, column: Callable[[Floats], Floats] = weightless) -> Floats:
    """(n,) area of steady flow: ``(alpha Q^2 / A)' + A / rho P' = -K Q / A``, integrated from the outlet.

    ``P = p + column(x)`` where the blood has weight.
    """
    alpha, friction = profile_constants(tree)
    length = float(tree.length[0])
    h = 1e-6 * length

    def slope(at: float, p: Floats) -> Floats:
        points = np.array([at - h, at, at + h])
        A0, beta = walls(tree, points)
        b = beta / A0
        root0 = np.sqrt(A0) - column(points) / b
        s = root0[1] + p / b[1]
        bend = ((root0[2] - root0[0]) - p / b[1] ** 2 * (b[2] - b[0])) / (2.0 * h)  # ds/dx at constant pressure
        momentum = alpha * FLOW**2 / s**4 * 2.0 * s
        return np.asarray((-friction * FLOW / s**2 + momentum * bend) / (s**2 / DENSITY - momentum / b[1]))

    found = solve_ivp(slope, (length, 0.0), [BED * FLOW], "DOP853", t_eval=x[::-1], rtol=1e-11, atol=1e-8)
    return np.asarray(tube_law.area(found.y[0][::-1] - column(x), *walls(tree, x)))


def steady_error(ideal: bool, cells: int) -> tuple[float, float]:
    tree = taper(ideal)
    grid = fixed_grid(tree, cells, LENGTH)
    edges = (np.arange(cells)[:, None] + (np.arange(8) + 0.5) / 8) * LENGTH / cells
    exact = (bernoulli if ideal else with_friction)(tree, edges.ravel()).reshape(cells, 8).mean(axis=1)
    flow = march(tree, grid, State(exact, np.full(cells, FLOW), np.zeros(2)), 1.0)
    return relative_l1(flow.area, exact), relative_l1(flow.flow_rate, np.full(cells, FLOW))


def steady_taper() -> list[Figure]:
    """Steady flow in a tapered, stiffening tube: Bernoulli's without friction, an integrated profile with it."""
    ideal, real = (study(partial(steady_error, way), (25, 50, 100, 200)) for way in (True, False))
    found = []
    for what, each in (("without friction", ideal), ("with friction", real)):
        area = Study(each.errors[:, :1])
        found += order_and_error(area, f"area {what}", 200, 1.9, 2e-6)
        found.append(
            Figure(f"flow rate {what}, relative error at 200 cells", float(each.errors[-1, 1]), 0.0, 1e-5, 0.0)
        )
    return found


def stenosis() -> list[Figure]:
    """Steady flow loses in a narrowing what Young & Tsai's law says, and total pressure is kept but for that."""
    inlet = Inlet("n0", "flow_rate", 0.9, np.full(1, 5e-6))
    tree = network([(0, 1), (1, 2)], np.array([0.05, 0.05]), np.array([2e-3, 2e-3]), np.array([8.0, 8.0]), inlet,
                   {"n2": Outlet(1e9)}, severity=np.array([0.0, 0.8]))  # fmt: skip
    flow = PulsatileFlow(tree)
    for _ in range(20):
        flow.advance(flow.steps_in_cycle)
    stations = flow.sample_cycle(200).stations[-1]
    total = stations[:, :, 0] + 0.5 * DENSITY * (stations[:, :, 1] / stations[:, :, 2]) ** 2
    narrowing, diameter = 5.0, 4e-3
    speed = 5e-6 / (np.pi * 4e-6)
    length = 32.0 * (0.83 * 2.0 * diameter + 1.64 * diameter * np.sqrt(0.2)) / diameter * narrowing**2
    viscous = (length - 32.0 * (0.83 * 2.0 + 1.64)) * tree.blood.viscosity * speed / diameter
    loss = viscous + 0.5 * 1.52 * DENSITY * (narrowing - 1.0) ** 2 * speed**2
    return [
        within("loss of total pressure, 80 % of the area occluded (Pa)", float(total[0, 2] - total[1, 0]), loss, 1e-9)
    ]


ENDS = {
    "Windkessel and resistance": (Outlet(3e8, 1e9, 1e-10), Outlet(1.2e9)),
    "open to waves and partly reflecting": (Outlet(reflection=0.0), Outlet(reflection=-0.4)),
    "Windkessel and closed": (Outlet(3e8, 1e9, 1e-10), CLOSED),
}


def pulse_inlet(kind: str, height: float) -> Inlet:
    phase = np.arange(400) / 400
    return Inlet("n0", kind, 0.8, height * np.exp(-(((phase - 0.25) / 0.06) ** 2)))


def bifurcation(inlet: Inlet, ends: tuple[Outlet, Outlet], wall: float = 0.0) -> Tree:
    """A tapered, stiffening parent and two unequal daughters, with friction; lengths in the ratio 3 : 2 : 3."""
    return network([(0, 1), (1, 2), (1, 3)], np.array([0.3, 0.2, 0.3]), np.array([3e-3, 2.4e-3, 1.9e-3]),
                   np.array([6.0, 6.5, 7.0]), inlet, {"n2": ends[0], "n3": ends[1]},
                   radius_end=np.array([2.7e-3, 2.2e-3, 1.9e-3]), wave_speed_end=np.array([6.4, 7.0, 7.0]),
                   wall_viscosity=np.full(3, wall) if wall else None)  # fmt: skip


def refinements(tree: Tree, cells: tuple[int, ...] = (60, 120, 240, 480), steps: int = 0) -> Study:
    """L1 differences of area and flow rate between meshes, half a period after the start from rest.

    ``steps`` a period on all meshes; 0: 40 times the cells, so that space and time are refined together.
    """
    fields = [half_a_beat(tree, n, steps or 40 * n) for n in cells]
    return differences([(coarse, tuple(halved(field) for field in fine)) for coarse, fine in pairwise(fields)])


def shorter_steps(tree: Tree, cells: int, steps: tuple[int, ...]) -> Study:
    """The same between steps on one mesh."""
    return differences(list(pairwise(half_a_beat(tree, cells, n) for n in steps)))


def half_a_beat(tree: Tree, cells: int, steps: int) -> tuple[Floats, ...]:
    """Area and flow rate half a period after the start from rest, ``cells`` in 0.3 m and ``steps`` a period."""
    grid: Grid = fixed_grid(tree, cells, 0.3)
    flow = PulsatileFlow(tree, grid, at_rest(grid), steps=steps)
    flow.advance(steps // 2)
    if flow.steps_in_cycle != steps:
        raise ValueError("the step was cut: the meshes are no longer in one ratio")
    return flow.area, flow.flow_rate


def differences(pairs: list[tuple[tuple[Floats, ...], tuple[Floats, ...]]]) -> Study:
    """Between the fields of each pair, of the largest of the first."""
    return Study(np.array([
        [float(np.abs(b - a).mean() / np.abs(a).max()) for a, b in zip(first, second, strict=True)]
        for first, second in pairs
    ]))  # fmt: skip


def whole_scheme() -> list[Figure]:
    """The order of everything together: inlet, taper, friction, bifurcation, outlets."""
    found = []
    for kind, height in (("flow_rate", 3e-5), ("pressure", 3e3)):
        for name, ends in ENDS.items():
            each = refinements(bifurcation(pulse_inlet(kind, height), ends))
            found.append(Figure(f"order in L1, {kind.replace('_', ' ')} given, {name}", each.order, 1.9, np.inf, 2.0))
    return [*found, Figure("L1 difference of the last two meshes, of the largest", each.last, 0.0, 2e-5)]


def viscous_wall() -> list[Figure]:
    """The orders with a viscous wall, of mesh and step each alone: in one vessel, and on the bifurcation."""
    inlet = pulse_inlet("flow_rate", 3e-5)
    walls = {phi: float(tube_law.wall_viscosity(phi, 5e-4)) for phi in (100.0, 400.0, 3000.0)}
    tube = single_vessel(0.3, 3e-3, 6.0, inlet, Outlet(3e8, 1e9, 1e-10), wall_viscosity=np.array([walls[100.0]]))
    trees = {"one vessel, walls of 100 Pa s": tube}
    for what, ends in (("bifurcation", "Windkessel and resistance"),
                       ("bifurcation, outlets that reflect", "open to waves and partly reflecting")):  # fmt: skip
        trees |= {f"{what}, walls of {phi:g} Pa s": bifurcation(inlet, ENDS[ends], w) for phi, w in walls.items()}
    found = []
    for what, tree in trees.items():
        in_space, in_time = refinements(tree, (120, 240, 480), 38400), shorter_steps(tree, 60, (4800, 9600, 19200))
        found += [
            Figure(f"order of the mesh in L1, {what}", in_space.order, 1.9, np.inf, 2.0),
            Figure(f"order of the step in L1, {what}", in_time.order, 1.9, np.inf, 2.0),
        ]
    both = max(refinements(tree, (240, 480)).last for tree in trees.values())
    narrow = [replace(tree, severity=np.array([0.0, occluded, 0.0]))
              for tree in list(trees.values())[1:] for occluded in (0.8, 0.95)]  # fmt: skip
    lost = max(refinements(tree, (240, 480)).last for tree in narrow)
    return [
        *found,
        Figure("L1 difference of 240 and 480 cells, of the largest, in any", both, 0.0, 3e-5),
        Figure("the same with 80 or 95 % of a daughter occluded", lost, 0.0, 1.5e-4, None, "no order is stated"),
    ]
