"""The streaming split: from each hole of the catheter, the share of the drug that leaves by each branch.

By tracers from the holes' faces, in a velocity that conserves volume, spread by the drug's own diffusion and by what
the mesh leaves unsure of their way: the tree takes these. A thread of drug is some ten micrometres thick, so where it
meets the surface that divides the branches' blood, its side hangs on less than a mesh can tell; straying makes a share
of it. Straight ones, without it, and the scalar, whose numerical diffusion pulls towards mixing, say how far that
matters. How far the split is from the blood's own (perfect mixing) is half the sum of the differences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import SolverStopped
from haiflow.junction.beat import Beat, Frame
from haiflow.junction.case import INLET, Case, conditions, letting, ways_out
from haiflow.junction.drug import DrugField
from haiflow.junction.interpolation import Balance
from haiflow.junction.march import Flow, State
from haiflow.junction.outline import build
from haiflow.junction.releases import release
from haiflow.junction.steady import of_mean_flow
from haiflow.junction.thread import look_ahead
from haiflow.junction.tracers import Tracers
from haiflow.junction.wall import WallShear, at_points, wall_shear
from haiflow.mesh.region import Region
from haiflow.ports import Floats

Progress = Callable[[float], None]
RELEASES = 8  # of tracers over a cycle
FARTHEST = 0.4  # diameters in a step
STRAYING = 0.1  # cells on a cell's length: makes of a way 8 mm long what meshes differ by, some 0.2 mm
FOLLOWED = 30  # beats, for which they are followed at most
TURNS = 400  # of the blood in the region, for which tracers are followed at most in a steady flow
DONE = 1e-3  # share of tracers still inside, below which the rest counts for nothing
MARKS = 240  # places kept of a tracer's way
SETTLED = 2e-3  # change of a share from one cycle to the next
STILL = 0.4  # Pa: mean wall shear below which clots are prone to form (Malek 1999, JAMA 282:2035)


@dataclass(frozen=True)
class Streaming:
    """What the region answers. ``split`` by the scalar, ``by_tracers``, ``by_straight`` (holes, branches): shares that
    sum to one; the latter two to zero where no tracer of a hole has left. Straight ones do not stray.

    ``branches`` holds the inlet, too, where blood is driven back by it. ``flow_split`` (branches,): of the blood.
    ``residence`` (holes,) s: mean stay of the drug near the tip. ``shear``, ``oscillatory`` (n,): on the walls.
    ``trails`` (N, k, 3) m, NaN where a tracer's has ended.
    """

    region: Region
    holes: tuple[str, ...]
    branches: tuple[str, ...]
    split: Floats
    by_tracers: Floats
    by_straight: Floats
    held: Floats  # (holes,) share of tracers that never left
    flow_split: Floats
    residence: Floats
    shear: Floats
    oscillatory: Floats
    frames: tuple[Frame, ...]
    trails: Floats
    trail_branch: NDArray[np.int32]  # (N,) into ``branches``; -1: still inside
    figures: dict[str, Any] = field(default_factory=dict)


def solve(case: Case, progress: Progress | None = None) -> Streaming:
    """Mesh, flow, drug and tracers; raises InputError, HaiflowError (mesh) or SolverStopped."""
    tell = progress or (lambda _: None)
    case = case.passive()
    region = case.region if case.region is not None else build(case.shape, look_ahead(case))  # type: ignore[arg-type]
    tell(0.05)
    work = Work(case, region)
    start = work.settle()
    tell(0.15)
    return work.pulse(start, tell) if case.pulsatile else work.steady_answer(start)


class Work:
    """One region, its flow solver and its drug."""

    def __init__(self, case: Case, region: Region) -> None:
        self.case, self.region, self.ends = case, region, conditions(case, region)
        law = case.thinning or case.kinematic
        self.n_steps = max(case.steps, self._needed()) if case.pulsatile else 1
        step = case.period / self.n_steps if case.pulsatile else 1.0
        self.flow = Flow(region, self.ends, law, step)
        self.holes, self.branches = letting(case, region), ways_out(case, region)
        # What the heart's next beat sends on again turns round at the inlet.
        self.onwards = tuple(name for name in self.branches if name != INLET)
        if not self.holes:
            raise SolverStopped(0.0, "junction", "no hole lets anything out into the blood")
        where = {name: points for name, points, _ in self.ends.outlets}
        self.outlets = {name: where[name] if name in where else region.on(name) for name in self.branches}
        self.near = self._surroundings()
        self.steps, self.stray = 0, 0.0

    def _needed(self) -> int:
        """Steps of a cycle in which the blood at its fastest moves ``FARTHEST`` diameters of a vessel each at most.

        Convection is by the flow that the last two steps point to; over longer steps that can feed on itself.
        """
        case, most = self.case, 1.0
        for name, samples in {INLET: case.supply, **case.outflow}.items():
            mine = self.region.patch == self.region.names.index(name)
            area = float(np.linalg.norm(self.region.wall_area[mine].sum(axis=0)))
            fastest = float(np.max(np.abs(samples))) / area
            most = max(most, case.period * fastest / (FARTHEST * np.sqrt(4.0 * area / np.pi)))
        return int(np.ceil(most))

    def _surroundings(self) -> NDArray[np.bool_]:
        """(n,) the points that belong to the tip's surroundings: the holes' own at least, where the drug comes in."""
        points = self.region.points
        at = np.unique(np.concatenate([self.region.on(name) for name in self.holes]))
        if self.case.near is None:
            middle, radius = points[at].mean(axis=0), 2.0 * float(np.ptp(points[at], axis=0).max())
        else:
            middle, radius = np.asarray(self.case.near[0]), self.case.near[1]
        near = np.linalg.norm(points - middle, axis=1) < radius
        near[at] = True
        return np.asarray(near)

    def settle(self) -> State:
        """The steady state of the mean flow."""
        flow, found = of_mean_flow(self.case, self.region)
        self.steps += found.steps
        self.flow.cell_viscosity[:] = flow.cell_viscosity
        self.flow.worst_divergence = flow.worst_divergence
        entering = np.column_stack([-self.ends.through(name, found.state.velocity) for name in self.holes])
        self.drug = DrugField(self.region, entering, self.outlets)
        self.entering = entering.sum(axis=0)
        return found.state

    def steady_answer(self, state: State) -> Streaming:
        """Drug, tracers and shear on the frozen flow."""
        c, leaving = self.drug.steady(state.flux, state.boundary_flux)
        self.stray = max(float(-c.min()), float(c.max() - 1.0), 0.0)
        sets = self._sets(state.velocity, self.case.tracers, 0.0)
        through = float(self.region.dual.volume.sum() / self.case.mean_flow)
        more = Balance(self.region, self.onwards).of(state.velocity)
        for tracers in sets:
            for turn in range(TURNS):
                if tracers.inside <= DONE:
                    break
                now = turn * through
                tracers.carry(now, now + through, state.velocity, state.velocity, self.onwards, (more, more))
        shear = WallShear(self.region)
        shear.add(wall_shear(self.region, state.velocity, self.case.density * self.flow.cell_viscosity))
        blood = np.array([state.boundary_flux[at].sum() for at in self.outlets.values()])
        stay = (self.region.dual.volume * self.near) @ c
        frames = [Frame.of(0.0, state, c, self.case.density)]
        return self._answer(leaving, blood, sets, shear, stay, frames)

    def pulse(self, state: State, tell: Progress) -> Streaming:
        """Beats until the split repeats itself; the last one is recorded."""
        case, near = self.case, self.region.dual.volume * self.near
        c, _ = self.drug.steady(state.flux, state.boundary_flux)
        before = np.full((len(self.branches), len(self.holes)), np.inf)
        for cycle in range(case.cycles):
            beat = Beat(self.drug, near, case.density, self.n_steps)
            state = beat.run(self.flow, state, c, _from(tell, 0.15 + 0.8 * cycle / case.cycles, 0.8 / case.cycles))
            self.stray, self.steps = max(self.stray, beat.stray), self.steps + self.n_steps
            change = np.abs((beat.leaving - before) / self.entering).max()
            before = beat.leaving
            if cycle and change < SETTLED:
                break
        sets = self._follow(beat.frames)
        return self._answer(beat.leaving, beat.blood, sets, beat.shear, beat.stay, beat.frames, cycle + 1, change)

    def _sets(self, velocity: Floats, count: int, time: float, number: int = 0) -> tuple[Tracers, Tracers]:
        """``count`` tracers from every hole that stray, and as many that do not."""
        straying = release(self.region, self.holes, velocity, count, time=time, marks=MARKS, number=number)
        straying.straying = STRAYING
        return straying, release(self.region, self.holes, velocity, count, time=time, number=number)

    def _follow(self, frames: list[Frame]) -> tuple[Tracers, Tracers]:
        """Tracers released over the cycle, carried through the recorded one again and again."""
        each, n = max(self.case.tracers // RELEASES, 1), len(frames)
        firsts = [number * n // RELEASES for number in range(RELEASES)]
        released = [
            self._sets(frames[first].velocity.astype(float), each, frames[first].time, number)
            for number, first in enumerate(firsts)
        ]
        sets = tuple(Tracers.joined(parts) for parts in zip(*released, strict=True))
        balance = Balance(self.region, self.onwards)
        potential = [balance.potential(frame.velocity.astype(float)).astype(np.float32) for frame in frames]
        now, a = frames[0].time, self._moving(frames[0], balance, potential[0])
        for step in range(FOLLOWED * n):
            if max(tracers.inside for tracers in sets) <= DONE:
                break
            number = (step + 1) % n
            b = self._moving(frames[number], balance, potential[number])
            end = now + ((frames[number].time - frames[step % n].time) % self.case.period or self.case.period)
            for tracers in sets:
                tracers.carry(now, end, a[0], b[0], self.onwards, (a[1], b[1]))
            now, a = end, b
        return sets  # type: ignore[return-value]

    @staticmethod
    def _moving(frame: Frame, balance: Balance, potential: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """A frame's velocity (n, 3) and its correction (m, 4)."""
        return frame.velocity.astype(float), balance.correction(potential)

    def _answer(
        self, leaving: Floats, blood: Floats, sets: tuple[Tracers, Tracers], shear: WallShear, stay: Floats,
        frames: list[Frame], cycles: int = 0, change: float = 0.0,
    ) -> Streaming:  # fmt: skip
        """``leaving`` (branches, holes), ``blood`` (branches,) m3/s; ``stay`` (holes,) m3 of infusate near the tip."""
        region = self.region
        split, blood = (leaving / leaving.sum(axis=0)).T, np.maximum(blood, 0.0)
        straying, straight = (tracers.shares(len(self.holes), self.branches) for tracers in sets)
        at_wall = at_points(region, shear.mean)
        return Streaming(
            region, self.holes, self.branches, split, _of_those_that_left(straying), _of_those_that_left(straight),
            np.maximum(straying[:, -1], straight[:, -1]), blood / blood.sum(), stay / self.entering, at_wall,
            at_points(region, shear.oscillatory_index), tuple(frames), _trail(sets[0]), self._branch_of(sets[0]),
            {
                "cells": len(region.tetra), "unknowns": 4 * len(region.points), "steps": self.steps, "cycles": cycles,
                "change_of_split": float(change), "divergence": self.flow.worst_divergence,
                "drug_out_of_bounds": self.stray,
                "drug_balance": float(np.abs(leaving.sum(axis=0) / self.entering - 1.0).max()),
                "reynolds": self._reynolds(), "mixed_share": float(self.entering.sum() / self.case.mean_flow),
                **self._stagnant(shear),
            },
        )  # fmt: skip

    def _branch_of(self, tracers: Tracers) -> NDArray[np.int32]:
        """(N,) the branch that each tracer left by, as a number in ``branches``; -1 where it did not."""
        number = np.full(len(self.region.names) + 1, -1, np.int32)
        for at, name in enumerate(self.branches):
            number[self.region.names.index(name)] = at
        return number[tracers.left_by]

    def _reynolds(self) -> float:
        """Of the mean flow at the inlet, on the diameter of a circle of its area."""
        area = float(
            np.linalg.norm(self.region.wall_area[self.region.patch == self.region.names.index(INLET)].sum(axis=0))
        )
        return float(self.case.mean_flow / area * np.sqrt(4.0 * area / np.pi) / self.case.kinematic)

    def _stagnant(self, shear: WallShear) -> dict[str, float]:
        """How much of the catheter's surface near its holes is hardly washed: where clots start."""
        region = self.region
        if "catheter" not in region.names:
            return {}
        mine = (region.patch == region.names.index("catheter")) & self.near[region.wall].all(axis=1)
        area = np.linalg.norm(region.wall_area[mine], axis=1)
        if not area.sum() > 0.0:
            return {}
        said = {"tip_mean_shear_pa": shear.mean[mine], "tip_low_shear_fraction": shear.mean[mine] < STILL}
        if self.case.pulsatile:
            said["tip_oscillatory_index"] = shear.oscillatory_index[mine]
        return {name: float(area @ values / area.sum()) for name, values in said.items()}


def _from(tell: Progress, start: float, part: float) -> Progress:
    """Progress of a part of the whole."""
    return lambda share: tell(start + part * share)


def _of_those_that_left(shares: Floats) -> Floats:
    """(holes, branches) that sum to one, of ``shares`` (holes, branches + 1) whose last are still inside."""
    left = shares[:, :-1]
    return left / np.maximum(left.sum(axis=1, keepdims=True), 1e-12)


def _trail(tracers: Tracers) -> Floats:
    """(N, k, 3) with NaN beyond the last mark."""
    out = tracers.trail.copy()
    out[np.arange(out.shape[1]) >= tracers.marks[:, None]] = np.nan
    return out
