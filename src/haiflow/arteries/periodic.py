"""The periodic cardiac cycle of a network: march, accelerate, and say how far from the limit the result is.

One cycle of the solver is a map ``x -> F(x)`` of its state; the periodic state is its fixed point. The march starts
from the linearised network's periodic state (:mod:`haiflow.arteries.harmonics`). After each cycle the slow modes of the
network (:mod:`haiflow.arteries.slow_modes`) say what the cycles to come would yet add: that is one step of Newton's
method with the network as its Jacobian, and Anderson's method (1965, J ACM 12:547) mixes the last of these. The march
ends where the state at the cycle's start is within the tolerance of the limit, as extrapolated (what the cycle changed
and what is still to come), and the cycle's curves are, too: pressures against the largest pressure of the cycle (where
blood has weight, brought to the inlet's height), flow rates against the largest in their vessel.

The stated residual is that of the curves which are handed out: the largest distance of pressure or flow rate from the
limit at any time and station, of the largest pressure or flow rate in the network. A state does not tell it (a wave
that is not the limit's parts into two of half its height, and dies on the way to the next station), so the march goes
on for a quarter of a cycle. What it changes there, and what the slow modes say is still to come, is the distance of the
cycle before; it is largest early in a cycle, before waves have died.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from haiflow.arteries import tube_law
from haiflow.arteries.balance import divergence_free
from haiflow.arteries.gravity import column_at_stations
from haiflow.arteries.grid import Grid, make_grid
from haiflow.arteries.harmonics import from_harmonics
from haiflow.arteries.pulsatile import COURANT, PulsatileFlow, Samples
from haiflow.arteries.slow_modes import SlowModes, slow_modes
from haiflow.arteries.state import State
from haiflow.arteries.stenosis import lumped_drop
from haiflow.arteries.tree import Tree
from haiflow.errors import SolverStopped
from haiflow.ports import Floats

SAMPLES = 200
SMALLEST_FLOW = 1e-15  # m3/s
DEPTH = 4  # cycles that Anderson's method mixes
LEAST_CYCLES = 2  # the first one still carries the waves of a start that is not the network's own
LOOK_AHEAD = SAMPLES // 4  # samples of the next cycle that tell how far the last one was from the limit
SMALL_FLOW = 0.02  # of the inlet's flow: below it a vessel's flow is measured against this


@dataclass(frozen=True)
class Cycle:
    """One periodic cardiac cycle; ``time`` runs over [0, period) in equal steps, stations are inlet, middle, outlet."""

    period: float  # s
    time: Floats  # (nt,) s
    pressure: Floats  # (nt, n_vessels, 3) Pa
    flow_rate: Floats  # (nt, n_vessels, 3) m3/s
    velocity: Floats  # (nt, n_vessels, 3) m/s
    area: Floats  # (nt, n_vessels, 3) m2
    node_pressure: Floats  # (nt, n_nodes) Pa
    mean_flow_rate: Floats  # (n_vessels,) m3/s, in and out of every node equal to round-off
    outlet_flow: dict[str, float]  # by terminal node, mean over the cycle, m3/s
    inlet_flow: float  # mean over the cycle, m3/s
    inlet_pressure: Floats  # (nt,) Pa, total: values of an inlet of kind "pressure" that gives the same flow
    cycles: int  # computed, the last included
    residual: float  # estimated distance of the curves from the periodic limit, of the largest in the network
    steps: int  # in one cycle
    cells: int
    kernel_s: float
    wall_s: float
    state: State  # at the end, to start another run from


def periodic(
    tree: Tree, *, tolerance: float = 1e-3, max_cycles: int = 40, state: State | None = None, grid: Grid | None = None,
    courant: float = COURANT, told: Callable[[int, float], None] | None = None,
) -> Cycle:
    """March the blood flow to its periodic state; ``told`` hears the number of each cycle and the share done.

    ``tolerance``: the distance from the limit to reach, every vessel by its own flow (see the module). ``state``: where
    to start, such as that of a similar tree's cycle on the same grid. ``courant``: cells that the fastest wave crosses
    in a step. Raises :class:`SolverStopped` where an area is lost or ``max_cycles`` do not suffice.
    """
    began = time.perf_counter()
    grid = make_grid(tree) if grid is None else grid
    start = replace(state, phase=0.0) if state is not None else from_harmonics(grid)
    flow = PulsatileFlow(tree, grid, start, courant=courant)
    search = _Search(grid, slow_modes(grid, start))
    for count in range(1, max_cycles + 1):
        if told is not None:
            told(count, 0.0)
            flow.told = partial(told, count)
        volume = flow.end_volume.copy()
        samples = flow.sample_cycle(SAMPLES)
        flow.told = None
        moved, end = flow.end_volume - volume, flow.state()
        distance = search.distance(start, end, samples)
        if distance <= tolerance and count >= LEAST_CYCLES:
            cycle = _cycle(flow, samples, moved, count)
            residual, of_its_own = search.residual(samples, flow.sample_cycle(SAMPLES, LOOK_AHEAD))
            if of_its_own <= tolerance:
                return replace(cycle, residual=residual, kernel_s=flow.kernel_s, wall_s=time.perf_counter() - began)
        start = search.next_start()
        flow.restore(start)
    raise SolverStopped(
        max_cycles * tree.inlet.period, search.worst,
        f"not periodic after {max_cycles} cycles: {distance:.2g} from the limit, more than {tolerance:.2g}",
    )


class _Search:
    """The cycles so far as scaled vectors: pressure and flow rate of cells, charge of nodes."""

    def __init__(self, grid: Grid, modes: SlowModes) -> None:
        self.grid, self.modes = grid, modes
        self.starts: list[Floats] = []
        self.ends: list[Floats] = []
        self.scale = self.change = np.zeros(0)
        self.worst = grid.tree.vessels[0]

    def distance(self, start: State, end: State, samples: Samples) -> float:
        """Take note of a cycle and estimate how far its start is from the limit."""
        self.scale = self._scale(samples) if self.scale.size == 0 else self.scale
        self.starts.append(self._vector(start))
        change = self._vector(end) - self.starts[-1]
        self.change = change * self.scale
        distance = change + self._still_to_come(change)
        self.ends.append(self.starts[-1] + distance)
        cells, distance = self.grid.n_cells, np.abs(distance)
        worst = int(np.argmax(np.maximum(distance[:cells], distance[cells : 2 * cells])))
        self.worst = self.grid.tree.vessels[self.grid.vessel_of_cell[worst]]
        return float(distance.max())

    def residual(self, last: Samples, further: Samples) -> tuple[float, float]:
        """How far the curves of the ``last`` cycle are from the limit, from how the ones that follow differ: of the
        largest in the network, and with every flow rate against the largest in its own vessel."""
        tree, n = self.grid.tree, len(further.stations)
        pressure, _, charge = self._parts(self.change)
        left = self.modes.ahead(pressure, charge, np.arange(n) / SAMPLES)
        start, end = left[:, tree.start], left[:, tree.end]
        left = np.stack([start, 0.5 * (start + end), end], axis=2)
        after, before = (_outside_pressure(tree, each.stations) for each in (further, last))
        pressed = float(np.abs(after - before[:n] + left).max()) / _largest_pressure(tree, before)
        carried = np.abs(further.stations[..., 1] - last.stations[:n, :, :, 1]).max(axis=(0, 2))
        largest = _largest_flows(last)
        return (max(pressed, float(carried.max() / largest.max())), max(pressed, float((carried / largest).max())))

    def _parts(self, vector: Floats) -> list[Floats]:
        """Pressure and flow rate of cells, charge of nodes."""
        cells = self.grid.n_cells
        return np.split(vector, [cells, 2 * cells])

    def _still_to_come(self, change: Floats) -> Floats:
        pressure, flow, charge = self._parts(change * self.scale)
        more, charged = self.modes.still_to_come(pressure, charge)
        return np.concatenate([more, np.zeros_like(flow), charged]) / self.scale

    def next_start(self) -> State:
        """Anderson's mix of the last cycles, or the last one's limit where the mix is no possible state."""
        plain = self.ends[-1]
        starts, ends = np.array(self.starts[-DEPTH:]), np.array(self.ends[-DEPTH:])
        mixed = plain
        if len(starts) > 1:
            change = ends - starts
            weight, *_ = np.linalg.lstsq(np.diff(change, axis=0).T, change[-1], rcond=1e-6)
            mixed = plain - weight @ np.diff(ends, axis=0)
        return self._state(plain if np.abs(mixed - plain).max() > 0.5 else mixed)

    def _scale(self, samples: Samples) -> Floats:
        pressure = _largest_pressure(self.grid.tree, samples.stations[..., 0])
        flow = _largest_flows(samples)
        cells, nodes = self.grid.n_cells, len(self.grid.tree.nodes)
        return np.concatenate(
            [np.full(cells, pressure), flow[self.grid.vessel_of_cell], np.full(nodes, pressure)])

    def _vector(self, state: State) -> Floats:
        pressure = tube_law.pressure(state.area, self.grid.A0, self.grid.beta)
        return np.concatenate([pressure, state.flow_rate, state.charge]) / self.scale

    def _state(self, vector: Floats) -> State:
        pressure, flow, charge = self._parts(vector * self.scale)
        return State(np.asarray(tube_law.area(pressure, self.grid.A0, self.grid.beta)), flow, charge, 0.0)


def _largest_pressure(tree: Tree, pressure: Floats) -> float:
    """Pa, what pressures (nt, n_vessels, 3) are measured against: at the inlet's height, for the weight of a column of
    blood is there whatever flows, and a deep one would loosen every tolerance."""
    return max(float(np.abs(pressure + column_at_stations(tree)).max()), 1.0)


def _largest_flows(samples: Samples) -> Floats:
    """(n_vessels,) m3/s, what a vessel's flow is measured against."""
    flow = np.abs(samples.stations[..., 1]).max(axis=(0, 2))
    return np.maximum(flow, max(SMALL_FLOW * float(flow.max()), SMALLEST_FLOW))


def _cycle(flow: PulsatileFlow, samples: Samples, volume: Floats, count: int) -> Cycle:
    """The cycle just computed; its residual is yet to be found."""
    tree, stations = flow.tree, samples.stations
    mean = divergence_free(tree, volume.reshape(-1, 2).mean(axis=1) / tree.inlet.period)
    inflow = np.bincount(tree.start, mean, len(tree.nodes)) - np.bincount(tree.end, mean, len(tree.nodes))
    node = tree.node(tree.inlet.node)
    return Cycle(
        period=tree.inlet.period, time=tree.inlet.period * np.arange(SAMPLES) / SAMPLES,
        pressure=_outside_pressure(tree, stations), flow_rate=stations[..., 1],
        velocity=stations[..., 1] / stations[..., 2],
        area=stations[..., 2], node_pressure=samples.node_pressure, mean_flow_rate=mean,
        outlet_flow={name: float(-inflow[tree.node(name)]) for name in tree.terminals}, inlet_flow=float(inflow[node]),
        inlet_pressure=samples.node_head[:, node], cycles=count, residual=np.inf, steps=flow.steps_in_cycle,
        cells=flow.grid.n_cells, kernel_s=flow.kernel_s, wall_s=0.0, state=flow.state(),
    )


def _outside_pressure(tree: Tree, stations: Floats) -> Floats:
    """(nt, n_vessels, 3) Pa: at inlet and outlet the pressure before and behind a vessel's own lumped loss."""
    return np.asarray(stations[..., 0] + lumped_drop(tree, stations[..., 1]))
