"""One-dimensional pulsatile blood flow on a network, marched in time by the compiled kernel ``blood1d``.

Mass and momentum in area and flow rate (Formaggia et al. 2003; Delestre & Lagree 2013), second order in space and time;
the scheme is explained in ``ext/haiflow/kernels/blood1d.pyx``. An inlet of kind "pressure" holds the total pressure
``p + rho u^2 / 2``: with the static one a fast inflow would gain energy from the boundary and run away. The step is a
whole fraction of the period; where a wave becomes too fast for it the steps are halved. Vessels take steps of their
own where that saves work (:mod:`haiflow.arteries.local_steps`); what this module calls a step is the whole one, at the
end of which all stand at the same time. Threads share the work of a larger network; results do not depend on how many.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from haiflow.arteries import tube_law
from haiflow.arteries.gravity import column_at_nodes, column_at_stations
from haiflow.arteries.grid import Grid, make_grid
from haiflow.arteries.local_steps import Shares, Steps, same_step, share_out
from haiflow.arteries.plan import MOST_STEPS, SPARE, Plan, make_plan, steps_per_cycle, wave_speeds
from haiflow.arteries.state import State, check_state, from_steady
from haiflow.arteries.tree import Tree
from haiflow.errors import InputError, SolverStopped
from haiflow.kernels import kernel
from haiflow.numerics.team import Pace, allowed, together
from haiflow.ports import Floats

COURANT = 0.65  # of the start state; waves grow faster in systole, and the published aorta errs by 0.101 % at 0.7
SPEED_LIMIT = 0.98  # cells a step: the scheme is stable to 1
MAX_HALVINGS = 6
MULTIPLE = 200  # steps in a cycle are a multiple of this, so that samples fall on equal steps
CELLS_PER_THREAD = 500  # below, threads wait for each other longer than they work
MOST_THREADS = 8
PIECE = 1_000_000  # cells times fine steps in one call of several threads: some 10 ms
TOLD_PIECE = 20_000_000  # the same of one thread that tells how far it is: some 0.3 s
WORK_ROWS, NODE_ROWS, BLOCK_ROWS, END_WORK = 6, 2, 8, 18
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

    def after(self, count: int) -> Samples:
        """All but the first ``count``; there is always one row, to be written only where a sample is due."""
        first = min(count, len(self.stations) - 1)
        return Samples(self.stations[first:], self.node_pressure[first:], self.node_head[first:])


class PulsatileFlow:
    """The flow in ``tree``, its state held in arrays and advanced in place.

    Parameters: ``grid`` (made from the tree where left out), ``state`` to start from (the steady network's),
    ``source`` (n_cells,) m2/s, a volume source per length, ``courant``, cells that the fastest wave of the start state
    crosses in a step. ``steps`` fixes the number of steps in a cycle instead, with the local ones where :class:`Steps`
    are given. ``threads``: as many as the user grants and the size is worth, where left out.
    """

    def __init__(
        self, tree: Tree, grid: Grid | None = None, state: State | None = None, *, source: Floats | None = None,
        courant: float = COURANT, steps: int | Steps | None = None, threads: int | None = None,
    ) -> None:
        self.tree = tree
        self.grid = grid if grid is not None else make_grid(tree)
        if self.grid.tree is not tree:
            raise InputError("arteries.grid", "grid", "the grid belongs to another tree", "make it from this tree")
        self.source = _checked_source(self.grid, source)
        state = from_steady(self.grid) if state is None else state
        check_state(self.grid, state)
        if steps is None:
            steps = steps_per_cycle(self.grid, state.area, state.flow_rate, courant, MULTIPLE)
        self.steps = steps if isinstance(steps, Steps) else same_step(self.grid, steps)
        self.fallbacks = 0
        self.kernel_s = 0.0
        self.end_volume = np.zeros(2 * len(tree.vessels))
        self._kernel = kernel("blood1d")
        self.threads = self._worthwhile(allowed()) if threads is None else threads
        self.told: Callable[[float], None] | None = None  # hears which share of a march is done, some times a second
        self._set_up()
        self.restore(state)

    def _worthwhile(self, granted: int) -> int:
        return max(1, min(granted, self.grid.n_cells // CELLS_PER_THREAD, MOST_THREADS))

    def _set_up(self) -> None:
        grid, self._plan = self.grid, make_plan(self.grid, self.steps, self.source)
        self.threads = self.threads if self._kernel.SHARES_WORK else 1
        self._pace = Pace(self.threads)
        self._shares = {
            threads: share_out(grid, self.steps, threads, whole_vessels=self._plan.viscous)
            for threads in self._pace.choices
        }
        self._work = np.ones((WORK_ROWS, grid.n_faces + SPARE))
        self._work[0] = 0.0  # no flux through the vessels' last faces, which no block computes
        self._node_work = np.zeros((NODE_ROWS, len(self.tree.nodes)))
        self._end_work = np.zeros((2 * len(self.tree.vessels), END_WORK))
        longest = max(int(np.max(shares.block[:, 1] - shares.block[:, 0])) for shares in self._shares.values()) + 16
        self._block_work = np.zeros((self.threads, BLOCK_ROWS, longest))

    @property
    def steps_in_cycle(self) -> int:
        """Whole steps."""
        return self.steps.whole

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
        """(n_cells,) Pa, elastic part, where the cells are."""
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
        return State(self.area, self.flow_rate, self.charge, phase)

    def restore(self, state: State) -> None:
        """Go on from ``state``, at its phase in the first cycle."""
        grid = self.grid
        self._area = np.ones(grid.n_faces + SPARE)
        self._flow = np.zeros(grid.n_faces + SPARE)
        self._area[grid.slot], self._flow[grid.slot] = state.area, state.flow_rate
        self._charge = np.ascontiguousarray(state.charge, dtype=float).copy()
        self._step = round(state.phase * self.steps_in_cycle)
        pressure = np.asarray(tube_law.pressure(state.area, grid.A0, grid.beta))
        plan, cell = self._plan, np.searchsorted(grid.slot, self._plan.cell)
        root = plan.end_table[:, 8] + pressure[cell] / plan.end_table[:, 1]
        self._end_q = np.sqrt(np.maximum(root, 0.05 * plan.end_table[:, 8]))
        self._head = np.zeros(len(self.tree.nodes))

    def advance(self, n_steps: int) -> FluxBlock:
        """Take ``n_steps`` steps and return the fluxes of each.

        Where a wave is too fast for the step, the same time is covered in twice the steps (``dt`` of the block and of
        the solver halves). Raises :class:`SolverStopped` at the first area that is not positive.
        """
        area_start = self.area
        flux, node_pressure, _ = self._run(n_steps, record=True, n_samples=0)
        return FluxBlock(self.dt, flux, area_start, node_pressure)

    def sample_cycle(self, n_samples: int, taken: int | None = None) -> Samples:
        """Go through a whole cycle, sampling at ``n_samples`` equal steps (a divisor of the steps in a cycle).

        With ``taken`` stop after so many of the samples.
        """
        steps = self.steps_in_cycle if taken is None else self.steps_in_cycle // n_samples * taken
        found = self._run(steps, record=False, n_samples=n_samples)[2]
        return Samples(found.stations[:taken], found.node_pressure[:taken], found.node_head[:taken])

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
        self.steps = replace(self.steps, whole=2 * self.steps.whole)
        self._set_up()
        self.restore(state)
        self._step = step * (self.steps_in_cycle // cycle)
        self.end_volume = end_volume.copy()

    def _march(self, n_steps: int, record: bool, n_samples: int) -> tuple[int, tuple[Floats, Floats, Samples]]:
        n_nodes, n_rows = len(self.tree.nodes), max(n_samples, 1)
        flux = np.zeros((n_steps if record else 0, self.grid.n_faces))
        node_pressure = np.zeros((n_steps if record else 1, n_nodes))
        stations = np.zeros((n_rows, len(self.tree.vessels), 3, 3))
        samples = Samples(stations, np.zeros((n_rows, n_nodes)), np.zeros((n_rows, n_nodes)))
        every = self.steps_in_cycle // n_samples if n_samples else 0
        began, done, status = time.perf_counter(), 0, DONE
        while done < n_steps and status == DONE:
            piece = min(self._piece(every), n_steps - done)
            taken = -(-done // every) if every else 0  # samples so far
            out = (flux[done:], node_pressure[done:] if record else node_pressure, samples.after(taken))
            status = self._run_piece(piece, every, *out)
            done += piece
            if self.told is not None:
                self.told(done / n_steps)
        self.kernel_s += time.perf_counter() - began
        self._lower(node_pressure, samples)
        return status, (flux, node_pressure, samples)

    def _lower(self, node_pressure: Floats, samples: Samples) -> None:
        """From the inlet's height, to which the kernel brings all pressures, to where they are."""
        tree = self.tree
        if tree.gravity is not None:
            samples.stations[..., 0] -= column_at_stations(tree)
            for pressure in (node_pressure, samples.node_pressure, samples.node_head):
                pressure -= column_at_nodes(tree)

    def _piece(self, every: int) -> int:
        """Steps in one call of the kernel: all, or some milliseconds' worth where the number of threads may change, or
        a part of a second's where someone hears how far it is."""
        alone = len(self._pace.choices) == 1
        if alone and self.told is None:
            return MOST_STEPS
        steps = int(np.ceil((TOLD_PIECE if alone else PIECE) / (self.grid.n_cells << self.steps.top)))
        return -(-steps // every) * every if every else steps

    def _run_piece(self, n_steps: int, every: int, flux: Floats, node_pressure: Floats, samples: Samples) -> int:
        threads = self._pace.choose()
        shares = self._shares[threads]
        report = np.zeros(2, dtype=np.int64)
        before, after = self._arguments(shares, flux, node_pressure, samples, report)
        bad, barrier = np.zeros((threads, 8), dtype=np.int64), np.zeros(16 * threads, dtype=np.int64)
        first, numbers, began = self._step % self.steps_in_cycle, self._numbers(), time.perf_counter()

        def part(thread: int) -> int:
            given = (*before, self._block_work[thread], *after)
            return int(self._kernel.advance(thread, barrier, bad, *given, first, n_steps, every, *numbers))

        self.fallbacks += sum(together(part, threads))
        self._pace.note(threads, (time.perf_counter() - began) / n_steps)
        self._step += int(report[0])
        return int(report[1])

    def _arguments(
        self, shares: Shares, flux: Floats, node_pressure: Floats, samples: Samples, report: Any
    ) -> tuple[Any, Any]:
        """The kernel's arrays, before and after a thread's own scratch."""
        plan, nodes, walls = self._plan, self._plan.nodes, self._plan.walls
        changed = (
            self._area, self._flow, self._end_q, self._head, self._charge, flux, node_pressure,
            self.end_volume, samples.stations, samples.node_pressure, samples.node_head, report, self._work,
            self._node_work, self._end_work,
        )
        read = (
            plan.cell_table, plan.face_table, plan.end_table, plan.node_table, plan.dtdx, nodes.first, nodes.ends,
            nodes.kind, plan.face, plan.cell, plan.level, plan.node_level, shares.block, shares.block_range,
            shares.node_order, shares.node_range, walls.cells, walls.ends, walls.node, walls.order, *walls.lower,
            *walls.upper, walls.taken, walls.work, plan.inlet,
        )
        return changed, read

    def _numbers(self) -> tuple[Any, ...]:
        plan, density = self._plan, self.tree.blood.density
        return plan.viscous, plan.sourced, plan.fine_dt, plan.alpha, plan.friction, density, SPEED_LIMIT

    def _stopped(self, reason: str) -> SolverStopped:
        """The error for the present state, with the vessel of the worst cell."""
        area, flow = self.area, self.flow_rate
        bad = ~(area > 0.0) | ~np.isfinite(area) | ~np.isfinite(flow)
        speed = np.where(bad, np.inf, wave_speeds(self.grid, np.where(bad, 1.0, area), np.where(bad, 0.0, flow)))
        cell = int(np.argmax(speed / self.grid.cell_dx))
        vessel = int(self.grid.vessel_of_cell[cell])
        return SolverStopped(self.time, self.tree.vessels[vessel], reason + self._strong_wall(vessel))

    def _strong_wall(self, vessel: int) -> str:
        """What to say where a step lets the wall's viscosity act beyond a cell: it may be the cause."""
        tree = self.tree
        wall = 0.0 if tree.wall_viscosity is None else float(tree.wall_viscosity[vessel])
        root = np.sqrt(np.pi) * min(tree.radius_start[vessel], tree.radius_end[vessel])
        if wall * self.dt <= tree.blood.density * root * self.grid.dx[vessel] ** 2:
            return ""
        return f"; its wall's viscosity, {wall:.3g} Pa s m, is strong for the step: see whether it is right"


def _checked_source(grid: Grid, source: Floats | None) -> Floats | None:
    if source is None:
        return None
    source = np.ascontiguousarray(source, dtype=float)
    if source.shape != (grid.n_cells,) or not np.all(np.isfinite(source)):
        rule = f"a source has one finite value for each of {grid.n_cells} cells"
        raise InputError("arteries.source", source.shape, rule, "give m2/s per cell")
    return source
