"""Riemann problems of the blood-flow equations against their exact solution, and waves that stay smooth.

Flat profile, no friction. One vessel of 1 m, or two of 0.5 m where the wall changes at the jump: then the solver meets
the jump at a node. First order is what a shock or the corner of a rarefaction allows; a shock that ran at a wrong speed
would drift off its place in cells as the mesh is refined.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from haiflow.arteries import tube_law
from haiflow.arteries.grid import Grid, make_grid
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import DENSITY, network
from haiflow.arteries.state import State
from haiflow.arteries.tree import Inlet, Outlet, Tree
from haiflow.ports import Floats
from haiflow.verify.model import Figure, within
from haiflow.verify.riemann import Side, Solution, solve
from haiflow.verify.tubes import FLAT, IDEAL, Study, march, order_and_error, relative_l1, study

RADIUS, SPEED = 3e-3, 3.0  # m, m/s at pressure zero
MESHES = (200, 400, 800)
REACH = 0.4  # m, how far the fastest wave goes


def side(area: float, velocity: float, radius: float = RADIUS, speed: float = SPEED) -> Side:
    """``area`` in reference areas, ``velocity`` in wave speeds of that state."""
    A0 = np.pi * radius**2
    beta = float(tube_law.stiffness_from_wave_speed(speed, A0, DENSITY))
    return Side(area * A0, velocity * speed * area**0.25, A0, beta, DENSITY)


def tube(solution: Solution) -> Tree:
    """Two vessels, one where the wall is the same; both ends pass on what they are given."""
    left, right = solution.left, solution.right
    radii = np.sqrt(np.array([left.A0, right.A0]) / np.pi)
    speeds = np.array([tube_law.wave_speed(s.A0, s.A0, s.beta, DENSITY) for s in (left, right)])
    speed_behind = right.speed - 0.25 * right.velocity  # of a tube at rest that sends no wave back
    root = speed_behind**2 * 2.0 * DENSITY * right.A0 / right.beta
    behind = right.beta / right.A0 * (root - np.sqrt(right.A0))
    inlet = Inlet("n0", "flow_rate", 1.0, np.array([left.flow_rate]))
    count = 1 if left.same_wall == right.same_wall else 2
    links = [(0, 1), (1, 2)][:count]
    outlet = {f"n{count}": Outlet(reflection=0.0, venous_pressure=behind)}
    return network(links, np.full(count, 1.0 / count), radii[:count], speeds[:count], inlet, outlet, blood=IDEAL,
                   velocity_profile=FLAT)  # fmt: skip


def places(grid: Grid) -> Floats:
    """(n_cells,) m from the jump."""
    return grid.x + 0.5 * grid.vessel_of_cell - 0.5


def run(solution: Solution, cells: int, start: float = 0.0) -> tuple[PulsatileFlow, Floats, Floats]:
    """The marched flow, and the exact area and flow rate of its cells; from the exact state at ``start`` s."""
    tree = tube(solution)
    grid = make_grid(tree, 1.0 / cells)
    states = (solution.left, solution.right, solution.middle_left, solution.middle_right)
    fastest = max(abs(s.velocity) + s.speed for s in states)
    edges = np.linspace(-0.5, 0.5, cells + 1)
    area, flow_rate = solution.means(edges, max(start, 1e-12))
    time = REACH / max(abs(edge) for edge in solution.edges)
    flow = march(tree, grid, State(area, flow_rate, np.zeros(len(tree.nodes))), time - start, fastest)
    return flow, *solution.means(edges, time)


def errors(solution: Solution, cells: int) -> tuple[float, float]:
    flow, area, flow_rate = run(solution, cells)
    return relative_l1(flow.area, area), relative_l1(flow.flow_rate, flow_rate)


def shock_offset(solution: Solution, cells: int) -> float:
    """Where the right shock stands, in cells from its exact place: where the area passes the mean of both sides."""
    flow, _, _ = run(solution, cells)
    between = 0.5 * (solution.middle_right.area + solution.right.area)
    x, area = places(flow.grid), flow.area
    last = int(np.flatnonzero(area > between)[-1])
    place = x[last] + (area[last] - between) / (area[last] - area[last + 1]) / cells
    return float((place - solution.edges[3] * REACH / max(abs(edge) for edge in solution.edges)) * cells)


def middle_error(solution: Solution, cells: int) -> float:
    """Largest relative error of the area half way between the waves, on either side of the jump."""
    flow, area, _ = run(solution, cells)
    x, time = places(flow.grid), REACH / max(abs(edge) for edge in solution.edges)
    _, tail, head, _ = (edge * time for edge in solution.edges)
    divide = 0.0 if solution.left.same_wall != solution.right.same_wall else 0.5 * (tail + head)
    cell = [int(np.argmin(np.abs(x - 0.5 * (divide + edge)))) for edge in (tail, head)]
    return float(np.abs(flow.area[cell] / area[cell] - 1.0).max())


def figures(left: Side, right: Side, largest: float, middle: float) -> list[Figure]:
    """Order, error, what lies between the waves, and the shock's place where there is one."""
    solution = solve(left, right)
    found = study(partial(errors, solution), MESHES)
    table = order_and_error(found, "area and flow rate", MESHES[-1], 0.95, largest, 1.0)
    table.append(Figure(f"area between the waves, relative error, {MESHES[-1]} cells",
                        middle_error(solution, MESHES[-1]), 0.0, middle, 0.0))  # fmt: skip
    if solution.middle_right.area > solution.right.area:
        coarse, fine = shock_offset(solution, MESHES[0]), shock_offset(solution, 8 * MESHES[0])
        table += [
            Figure("shock, cells from its place, 1600 cells", abs(fine), 0.0, 0.5, 0.0),
            Figure("its drift in cells from 200 to 1600 cells", abs(fine - coarse), 0.0, 0.015, 0.0),
        ]
    return table


def subcritical() -> list[Figure]:
    """A distended half lets go: rarefaction to the left, shock to the right."""
    return figures(side(1.5, 0.1), side(1.0, 0.0), 3e-3, 1.5e-5)


def rarefactions() -> list[Figure]:
    """Blood that parts: two rarefactions."""
    return figures(side(1.2, -0.4), side(1.2, 0.4), 3e-3, 4e-5)


def shocks() -> list[Figure]:
    """Blood that collides: two shocks, the area between them 1.6 times that before."""
    return figures(side(1.2, 0.5), side(1.2, -0.5), 4e-3, 2.5e-5)


def stiffness() -> list[Figure]:
    """The wall is four times as stiff on the right."""
    return figures(side(2.0, 0.0), side(1.0, 0.0, speed=2.0 * SPEED), 4e-3, 1.5e-5)


def narrowing() -> list[Figure]:
    """Reference area 0.64 of that on the left, wall half as stiff again."""
    return figures(side(1.4, 0.0), side(1.0, 0.0, 0.8 * RADIUS, 1.2 * SPEED), 4e-3, 5e-6)


def transcritical() -> list[Figure]:
    """A full half bursts into one at a tenth of its area: the rarefaction passes the speed of waves."""
    solution = solve(side(1.0, 0.0), side(0.1, 0.0))
    froude = solution.middle_left.velocity / solution.middle_left.speed
    found = figures(side(1.0, 0.0), side(0.1, 0.0), 3e-3, 5e-4)
    flow, _, _ = run(solution, MESHES[-1])
    x, time = places(flow.grid), REACH / max(abs(edge) for edge in solution.edges)
    inside = (x > (solution.edges[0] + 0.3) * time) & (x < (solution.edges[1] - 0.1) * time)
    step = float(np.abs(np.diff(flow.area[inside], n=2)).max() / solution.left.area)
    return [
        Figure("velocity over wave speed behind it", froude, 1.0, np.inf, note="supercritical"),
        *found,
        Figure("largest kink inside the rarefaction, of the area", step, 0.0, 3e-5, 0.0, "no glitch"),
    ]


def near_collapse() -> list[Figure]:
    """Blood parts in a tube that has a fifth of its area left: 7 % is left between the waves."""
    left, right = side(0.2, -0.95), side(0.2, 0.95)
    flow, _, _ = run(solve(left, right), MESHES[-1])
    least = solve(left, right).middle_left.area / left.A0
    return [
        *figures(left, right, 5e-3, 2e-4),
        within("least area, of the reference area", float(flow.area.min()) / left.A0, least, 0.02),
    ]


def inside_fan(cells: int) -> tuple[float, float]:
    """Errors in the middle third of two rarefactions that have opened already at the start."""
    solution = solve(side(1.2, -0.4), side(1.2, 0.4))
    time = REACH / max(abs(edge) for edge in solution.edges)
    flow, area, flow_rate = run(solution, cells, start=0.5 * time)
    head, tail = solution.edges[0] * time, solution.edges[1] * time
    third = (tail - head) / 3.0
    here = np.abs(places(flow.grid) - 0.5 * (head + tail)) < 0.5 * third
    return relative_l1(flow.area[here], area[here]), relative_l1(flow.flow_rate[here], flow_rate[here])


def simple_wave(cells: int) -> tuple[float, float]:
    """Errors of a wave that runs right and steepens: ``u - 4 c`` uniform, each area travels at its own ``u + c``."""
    at_rest = side(1.0, 0.0)
    solution = Solution(at_rest, at_rest, at_rest, at_rest)
    tree = tube(solution)
    grid = make_grid(tree, 1.0 / cells)
    x0, time = np.linspace(-0.5, 0.5, 400_001), 0.055
    area0 = at_rest.A0 * (1.0 + 0.25 * np.exp(-(((x0 + 0.2) / 0.08) ** 2)))
    speed0 = tube_law.wave_speed(area0, at_rest.A0, at_rest.beta, DENSITY)
    edges = np.linspace(-0.5, 0.5, cells + 1)
    inner = edges[:-1, None] + (np.arange(32) + 0.5) / 32 / cells

    def means(when: float) -> tuple[Floats, Floats]:
        area = np.interp(inner, x0 + when * (5.0 * speed0 - 4.0 * SPEED), area0, left=at_rest.A0)
        velocity = 4.0 * (tube_law.wave_speed(area, at_rest.A0, at_rest.beta, DENSITY) - SPEED)
        return area.mean(axis=1), (area * velocity).mean(axis=1)

    flow = march(tree, grid, State(*means(0.0), np.zeros(len(tree.nodes))), time, 1.5 * SPEED)
    area, flow_rate = means(time)
    return float(np.abs(flow.area - area).mean() / np.ptp(area)), relative_l1(flow.flow_rate, flow_rate)


def smooth() -> list[Figure]:
    """Where the exact solution is smooth the scheme is of second order."""
    fan: Study = study(inside_fan, (200, 400, 800))
    wave: Study = study(simple_wave, (200, 400, 800))
    return [
        *order_and_error(fan, "inside a rarefaction", 800, 1.9, 4e-5),
        *order_and_error(wave, "a wave that steepens", 800, 1.9, 2e-4),
    ]
