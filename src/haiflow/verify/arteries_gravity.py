"""Blood that has weight: rest in a hanging network, steady flow downhill and over a hump, order of the whole scheme.

The pressure brought to the inlet's height, ``P = p + column``, is the one that is uniform at rest; areas follow ``p``
and so differ from place to place (:mod:`haiflow.arteries.gravity`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from haiflow.arteries.grid import make_grid
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import DENSITY, network, single_vessel, still
from haiflow.arteries.state import State, at_rest
from haiflow.arteries.tree import CLOSED, Inlet, Outlet, Tree
from haiflow.ports import Floats
from haiflow.verify.arteries_exact import BED, ENDS, FLOW, LOOP, bifurcation, pulse_inlet, refinements, with_friction
from haiflow.verify.model import Figure
from haiflow.verify.tubes import fixed_grid, march, order_and_error, relative_l1, study

EARTH = 9.80665  # m/s2
DOWN = np.array([0.0, 0.0, -EARTH])
LENGTH = 0.5  # m


def hanging(tree: Tree, length: float, path: Floats | None = None) -> Tree:
    """A single vessel that hangs straight down from its inlet, or follows ``path`` (k, 3) m."""
    places = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, -length]])
    if path is None:
        return replace(tree, position=places, gravity=DOWN)
    return replace(tree, position=path[[0, -1]], gravity=DOWN, paths={"v0": path})


def arc(length: float, points: int = 20001) -> Floats:
    """(points, 3) m: a circle's arc of 240 degrees that rises, turns, and ends below where it began."""
    radius = length / (4.0 / 3.0 * np.pi)
    angle = np.linspace(0.0, 4.0 / 3.0 * np.pi, points)
    return np.asarray(radius * np.stack([1.0 - np.cos(angle), 0.0 * angle, np.sin(angle)], axis=1))


def still_networks() -> dict[str, tuple[Tree, float]]:
    """Networks without flow and the pressure (Pa) at their inlets."""
    taper = single_vessel(LENGTH, 3e-3, 5.0, outlet=CLOSED, radius_end=np.array([1.2e-3]),
                          wave_speed_end=np.array([12.0]))  # fmt: skip
    size = np.array([3.0, 2.0, 1.5, 1.0, 2.0, 1.2, 2.5]) * 1e-3
    places = np.array([[0, 0, 0], [0, 0, -5], [2, 0, -9], [-3, 1, 4], [0, 2, -20], [1, 0, 11]]) * 1e-2
    loop = network(LOOP, np.linspace(0.1, 0.2, 7), size, np.linspace(5.0, 9.0, 7), still(), {"n5": CLOSED},
                   radius_end=0.8 * size, severity=np.array([0, 0.5, 0, 0, 1.0, 0, 0]))  # fmt: skip
    loop = replace(loop, position=places, gravity=np.array([3.0, -2.0, -EARTH]))
    bed = replace(taper, outlets={"n1": Outlet(3e8, 1.5e9, 2e-10, 12e3)}, wall_viscosity=np.array([0.3]))
    wave = replace(taper, outlets={"n1": Outlet(venous_pressure=12e3, reflection=0.4)})
    return {
        "a taper that hangs": (hanging(taper, LENGTH), 12e3),
        "the same under suction": (hanging(taper, LENGTH), -1e3),
        "a taper over a hump": (hanging(taper, LENGTH, arc(LENGTH, 101)), 12e3),
        "a viscous wall and a Windkessel": (hanging(bed, LENGTH), 12e3),
        "a reflecting outlet": (hanging(wave, LENGTH), 12e3),
        "a loop of seven vessels": (loop, 12e3),
    }


def rest() -> list[Figure]:
    """No flow arises from none, however A0, beta and the height vary; the static pressure is the blood's column."""
    found = []
    for what, (tree, pressure) in still_networks().items():
        grid = make_grid(tree)
        flow = PulsatileFlow(tree, grid, at_rest(grid, pressure))
        flow.advance(3000)
        velocity, off = flow.flow_rate / flow.area, flow.pressure + grid.column - pressure
        found += [
            Figure(f"largest velocity after 3000 steps, {what} (m/s)", float(np.abs(velocity).max()), 0.0, 1e-13, 0.0),
            Figure(f"largest change of pressure, {what} (Pa)", float(np.abs(off).max()), 0.0, 2e-9, 0.0),
        ]
    tree, pressure = still_networks()["a taper that hangs"]
    grid = make_grid(tree)
    bottom = PulsatileFlow(tree, grid, at_rest(grid, pressure)).sample_cycle(200).node_pressure[-1, 1]
    exact = pressure + DENSITY * EARTH * LENGTH
    return [*found, Figure("pressure at the lower end (Pa), against p + rho g h", float(bottom - exact), -1e-9, 1e-9,
                           0.0)]  # fmt: skip


def tapered(length: float) -> Tree:
    """4 mm to 2.5 mm, wave speed 5 to 6 m/s, with friction: that of the case without weight."""
    return single_vessel(length, 4e-3, 5.0, Inlet("n0", "flow_rate", 1.0, np.array([FLOW])), Outlet(BED),
                         radius_end=np.array([2.5e-3]), wave_speed_end=np.array([6.0]))  # fmt: skip


def steady_error(tree: Tree, column: Callable[[Floats], Floats], cells: int) -> tuple[float, float]:
    """Errors of area and flow rate after a second's march from the exact steady state."""
    length = float(tree.length[0])
    grid = fixed_grid(tree, cells, length)
    edges = (np.arange(cells)[:, None] + (np.arange(8) + 0.5) / 8) * length / cells
    exact = with_friction(tree, edges.ravel(), column).reshape(cells, 8).mean(axis=1)
    flow = march(tree, grid, State(exact, np.full(cells, FLOW), np.zeros(2)), 1.0)
    return relative_l1(flow.area, exact), relative_l1(flow.flow_rate, np.full(cells, FLOW))


def steady_figures(what: str, tree: Tree, column: Callable[[Floats], Floats]) -> list[Figure]:
    each = study(partial(steady_error, tree, column), (25, 50, 100, 200))
    area, flow = replace(each, errors=each.errors[:, :1]), float(each.errors[-1, 1])
    return [
        *order_and_error(area, f"area {what}", 200, 1.9, 4e-6),
        Figure(f"flow rate {what}, relative error at 200 cells", flow, 0.0, 2e-5, 0.0),
    ]


def hanging_taper() -> list[Figure]:
    """Steady flow with friction straight down a tapered, stiffening tube, and the whole scheme on a hanging fork."""
    tree = hanging(tapered(LENGTH), LENGTH)
    fork = bifurcation(pulse_inlet("flow_rate", 3e-5), ENDS["Windkessel and resistance"])
    places = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, -0.3], [0.1, 0.0, -0.45], [-0.2, 0.0, -0.1]])
    order = refinements(replace(fork, position=places, gravity=DOWN)).order
    return [
        *steady_figures("straight down", tree, lambda x: -DENSITY * EARTH * x),
        Figure("order in L1, pulse in a fork whose branches fall and rise", order, 1.9, np.inf, 2.0),
    ]


def siphon() -> list[Figure]:
    """Steady flow with friction over a hump, along an arc of a circle that ends lower than it began."""
    length = 1.0
    radius = length / (4.0 / 3.0 * np.pi)
    tree = hanging(tapered(length), length, arc(length))
    return steady_figures("over a hump", tree, lambda x: DENSITY * EARTH * radius * np.sin(x / radius))
