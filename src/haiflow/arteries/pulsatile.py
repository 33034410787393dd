"""One-dimensional pulsatile blood flow on a network, marched in time by the compiled kernel ``blood1d``.

Mass and momentum in area and flow rate (Formaggia et al. 2003; Delestre & Lagree 2013), second order in space and time;
the scheme is explained in ``ext/haiflow/kernels/blood1d.pyx``. An inlet of kind "pressure" holds the total pressure
``p + rho u^2 / 2``: with the static one a fast inflow would gain energy from the boundary and run away. The step is a
whole fraction of the period; where a wave becomes too fast for it the steps are halved.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from haiflow.arteries import tube_law
from haiflow.arteries.grid import Grid, make_grid
from haiflow.arteries.plan import Plan, make_plan, steps_per_cycle, wave_speeds
from haiflow.arteries.state import State, check_state, end_flows, from_steady
from haiflow.arteries.tree import Tree
from haiflow.errors import InputError, SolverStopped
from haiflow.kernels import kernel
from haiflow.ports import Floats

COURANT = 0.7  # of the start state; waves grow faster in systole
SPEED_LIMIT = 0.98  # cells a step: the scheme is stable to 1
MAX_HALVINGS = 6
MULTIPLE = 200  # steps in a cycle are a multiple of this, so that samples fall on equal steps
WORK_ROWS, FACE_FLOW_ROW, END_WORK = 11, 5, 9
DONE, BAD_AREA, TOO_FAST = 0, 1, 2
REASONS = {BAD_AREA: "an area is not positive and finite", TOO_FAST: "a wave outruns every time step tried"}


@dataclass(frozen=True)
class FluxBlock:
    """What a number of steps did: ``A_new = A_old - dt / dx (F_right - F_left)`` holds exactly, step by step."""

    dt: float  # s
    face_flux: Floats  # (n_steps, n_faces) m3/s, effective volume flux of each whole step, from start to end
    area_start: Floats  # (n_cells,) m2
    node_pressure: Floats  # (n_steps, n_nodes) Pa, mean over each step


@dataclass(frozen=True)
class Samples:
    """Stations inlet, middle, outlet of each vessel, at the starts of equally spaced steps."""

    stations: Floats  # (n_samples, n_vessels, 3 stations, 3): pressure, flow rate, area
    node_pressure: Floats  # (n_samples, n_nodes) Pa, static
    node_head: Floats  # (n_samples, n_nodes) Pa, total: p + rho u^2 / 2; static at an outlet


class PulsatileFlow:
    """The flow in ``tree``, its state held in arrays and advanced in place.

    Parameters: ``grid`` (made from the tree where left out), ``state`` to start from (the steady network's),
    ``source`` (n_cells,) m2/s, a volume source per length, ``courant``, cells that the fastest wave of the start state
    crosses in a step. ``steps`` fixes the number of steps in a cycle instead.
    """

    def __init__(
        self, tree: Tree, grid: Grid | None = None, state: State | None = None, *, source: Floats | None = None,
        courant: float = COURANT, steps: int | None = None,
    ) -> None:
        self.tree = tree
        self.grid = grid if grid is not None else make_grid(tree)
        if self.grid.tree is not tree:
            raise InputError("arteries.grid", "grid", "the grid belongs to another tree", "make it from this tree")
        self.source = _checked_source(self.grid, source)
        state = from_steady(self.grid) if state is None else state
        check_state(self.grid, state)
        self.steps_in_cycle = steps or steps_per_cycle(self.grid, state.area, state.flow_rate, courant, MULTIPLE)
        self.fallbacks = 0
        self.kernel_s = 0.0
        self.end_volume = np.zeros(2 * len(tree.vessels))
        self._kernel = kernel("blood1d")
        self._set_up()
        self.restore(state)

    def _set_up(self) -> None:
        grid, self._plan = self.grid, make_plan(self.grid, self.steps_in_cycle, self.source)
        self._work = np.zeros((WORK_ROWS, max(grid.n_faces, len(self.tree.nodes))))
        self._end_work = np.zeros(END_WORK * 2 * len(self.tree.vessels))

    @property
    def plan(self) -> Plan:
        return self._plan

    @property
    def dt(self) -> float:
        return self._plan.dt

    @property
    def time(self) -> float:
        """Seconds since the start of the first cycle."""
        return self._step * self.dt

    @property
    def area(self) -> Floats:
        """(n_cells,) m2, a copy."""
        return self._area[self.grid.slot]

    @property
    def flow_rate(self) -> Floats:
        """(n_cells,) m3/s, a copy."""
        return self._flow[self.grid.slot]

    @property
    def pressure(self) -> Floats:
        """(n_cells,) Pa, elastic part."""
        return np.asarray(tube_law.pressure(self.area, self.grid.A0, self.grid.beta))

    @property
    def charge(self) -> Floats:
        """(n_nodes,) Pa, pressure of the capacitors, a copy."""
        return self._charge.copy()

    @property
    def volume(self) -> float:
        """Blood in the network (m3)."""
        return float(np.sum(self.area * self.grid.cell_dx))

    def state(self) -> State:
        phase = (self._step % self.steps_in_cycle) / self.steps_in_cycle
        return State(self.area, self.flow_rate, self.charge, phase, self._work[FACE_FLOW_ROW, self._plan.face])

    def restore(self, state: State) -> None:
        """Go on from ``state``, at its phase in the first cycle."""
        grid = self.grid
        self._area = np.ones(grid.n_faces)
        self._flow = np.zeros(grid.n_faces)
        self._area[grid.slot], self._flow[grid.slot] = state.area, state.flow_rate
        self._charge = np.ascontiguousarray(state.charge, dtype=float).copy()
        self._step = round(state.phase * self.steps_in_cycle)
        pressure = np.asarray(tube_law.pressure(state.area, grid.A0, grid.beta))
        plan, cell = self._plan, np.searchsorted(grid.slot, self._plan.cell)
        root = plan.end_table[:, 2] + pressure[cell] / plan.end_table[:, 1]
        self._end_q = np.sqrt(np.maximum(root, 0.05 * plan.end_table[:, 2]))
        self._head = np.zeros(len(self.tree.nodes))
        self._work[FACE_FLOW_ROW, plan.face] = end_flows(grid, state)  # what a viscous wall's first half step sees

    def advance(self, n_steps: int) -> FluxBlock:
        """Take ``n_steps`` steps and return the fluxes of each.

        Where a wave is too fast for the step, the same time is covered in twice the steps (``dt`` of the block and of
        the solver halves). Raises :class:`SolverStopped` at the first area that is not positive.
        """
        area_start = self.area
        flux, node_pressure, _ = self._run(n_steps, record=True, n_samples=0)
        return FluxBlock(self.dt, flux, area_start, node_pressure)

    def sample_cycle(self, n_samples: int) -> Samples:
        """Go through one whole cycle, sampling at ``n_samples`` equal steps (a divisor of the steps in a cycle)."""
        return self._run(self.steps_in_cycle, record=False, n_samples=n_samples)[2]

    def _run(self, n_steps: int, record: bool, n_samples: int) -> tuple[Floats, Floats, Samples]:
        """March; where the step proves too long go back and halve it, a few times for waves, once for a collapse."""
        before = (self.state(), self._step, self.steps_in_cycle, self.end_volume.copy())
        collapses, stopped = 0, None
        for _ in range(MAX_HALVINGS + 1):
            status, out = self._march(n_steps * (self.steps_in_cycle // before[2]), record, n_samples)
            if status == DONE:
                return out
            collapses += status == BAD_AREA
            stopped = self._stopped(REASONS[status])
            if collapses > 1:
                break
            self._halve(before)
        assert stopped is not None
        raise stopped

    def _halve(self, before: tuple[State, int, int, Floats]) -> None:
        """Half the time step, back at the state before."""
        state, step, cycle, end_volume = before
        self.steps_in_cycle *= 2
        self._set_up()
        self.restore(state)
        self._step = step * (self.steps_in_cycle // cycle)
        self.end_volume = end_volume.copy()

    def _march(self, n_steps: int, record: bool, n_samples: int) -> tuple[int, tuple[Floats, Floats, Samples]]:
        plan, n_vessels, n_nodes = self._plan, len(self.tree.vessels), len(self.tree.nodes)
        rows, n_rows = (n_steps if record else 1), max(n_samples, 1)
        flux = np.zeros((max(rows, 1), self.grid.n_faces))
        node_pressure = np.zeros((max(rows, 1), n_nodes))
        samples = Samples(np.zeros((n_rows, n_vessels, 3, 3)), np.zeros((n_rows, n_nodes)), np.zeros((n_rows, n_nodes)))
        report = np.zeros(3, dtype=np.int64)
        every = self.steps_in_cycle // n_samples if n_samples else 0
        began = time.perf_counter()
        self._kernel.advance(
            self._area, self._flow, self._end_q, self._head, self._charge, flux, node_pressure, self.end_volume,
            samples.stations, samples.node_pressure, samples.node_head, report, self._work, self._end_work,
            plan.cell_table, plan.face_table, plan.end_table, plan.node_table, plan.nodes.first, plan.nodes.ends,
            plan.nodes.kind, plan.face, plan.cell, plan.inlet, self._step % self.steps_in_cycle, n_steps, every,
            plan.viscous, plan.dt, plan.alpha, plan.friction, self.tree.blood.density, SPEED_LIMIT,
        )
        self.kernel_s += time.perf_counter() - began
        self._step += int(report[0])
        self.fallbacks += int(report[2])
        return int(report[1]), (flux, node_pressure, samples)

    def _stopped(self, reason: str) -> SolverStopped:
        """The error for the present state, with the vessel of the worst cell."""
        area, flow = self.area, self.flow_rate
        bad = ~(area > 0.0) | ~np.isfinite(area) | ~np.isfinite(flow)
        speed = np.where(bad, np.inf, wave_speeds(self.grid, np.where(bad, 1.0, area), np.where(bad, 0.0, flow)))
        cell = int(np.argmax(speed / self.grid.cell_dx))
        return SolverStopped(self.time, self.tree.vessels[self.grid.vessel_of_cell[cell]], reason)


def _checked_source(grid: Grid, source: Floats | None) -> Floats | None:
    if source is None:
        return None
    source = np.ascontiguousarray(source, dtype=float)
    if source.shape != (grid.n_cells,) or not np.all(np.isfinite(source)):
        rule = f"a source has one finite value for each of {grid.n_cells} cells"
        raise InputError("arteries.source", source.shape, rule, "give m2/s per cell")
    return source
