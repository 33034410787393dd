"""The streaming split: from each hole of the catheter, the share of the drug that leaves by each branch.

Three times. By the scalar on the flow's own fluxes, whose numerical diffusion pulls it towards mixing. By tracers that
take over from it at the rim of the tip's surroundings, and have what it has mixed till there: the tree takes these as
long as nearly all of them leave. And by tracers from the holes' faces, which nothing mixes: right where the blood goes
straight on, but what turns round behind a blunt tip gets out of there by the mesh's coarseness alone. How far the three
are apart is how far the split is in doubt. How far it is from the blood's own (perfect mixing) is half the sum of the
differences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import SolverStopped
from haiflow.junction.beat import Beat, Frame
from haiflow.junction.case import INLET, Case, conditions, letting, ways_out
from haiflow.junction.drug import DrugField
from haiflow.junction.march import Flow, State
from haiflow.junction.outline import build
from haiflow.junction.releases import hand_over, release, rim
from haiflow.junction.steady import steady
from haiflow.junction.tracers import Tracers
from haiflow.junction.wall import WallShear, at_points, wall_shear
from haiflow.mesh.region import Region
from haiflow.ports import Floats

Progress = Callable[[float], None]
RELEASES = 8  # of tracers over a cycle
FARTHEST = 0.4  # diameters in a step
FOLLOWED = 3  # beats, for which they are followed
TURNS = 40  # of the blood in the region, for which tracers are followed in a steady flow
MARKS = 240  # places kept of a tracer's way
SETTLED = 2e-3  # change of a share from one cycle to the next
STILL = 0.4  # Pa: mean wall shear below which clots are prone to form (Malek 1999, JAMA 282:2035)


@dataclass(frozen=True)
class Streaming:
    """What the region answers. ``split``, ``by_tracers`` (holes, branches): shares that sum to one;
    the latter to zero where no tracer of a hole has left.

    ``branches`` holds the inlet, too, where blood is driven back by it. ``flow_split`` (branches,): of the blood.
    ``residence`` (holes,) s: mean stay of the drug near the tip. ``shear``, ``oscillatory`` (n,): on the walls.
    ``trails`` (N, k, 3) m, NaN where a tracer's has ended.
    """

    region: Region
    holes: tuple[str, ...]
    branches: tuple[str, ...]
    split: Floats
    by_tracers: Floats
    held: Floats  # (holes,) share of tracers that never left
    from_holes: Floats  # (holes, branches) by tracers from the holes' faces, as ``by_tracers``
    behind: Floats  # (holes,) share of these that never left: they turn round behind the tip
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
    region = case.region if case.region is not None else build(case.shape)  # type: ignore[arg-type]
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
        if not self.holes:
            raise SolverStopped(0.0, "junction", "no hole lets anything out into the blood")
        where = {name: points for name, points, _ in self.ends.outlets}
        self.outlets = {name: where[name] if name in where else region.on(name) for name in self.branches}
        self.near = self._surroundings()
        self.rim = rim(region, self.near)
        if not len(self.rim):
            raise SolverStopped(0.0, "junction", "the holes lie too far apart: their surroundings hold the whole mesh")
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
        calm = replace(self.case, inflow=np.array([self.case.mean_flow]), period=0.0)
        flow = Flow(self.region, conditions(calm, self.region), self.case.thinning or self.case.kinematic, 1.0)
        found = steady(flow, flow.resting())
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
        carried = self.drug.carried(c, state.flux)[self.rim]
        handed = hand_over(self.region, self.near, self.rim, carried, state.velocity, self.case.tracers, marks=MARKS)
        own = release(self.region, self.holes, state.velocity, self.case.tracers)
        through = float(self.region.dual.volume.sum() / self.case.mean_flow)
        for tracers in (own, handed):
            for turn in range(TURNS):
                if np.any(tracers.left_by < 0):
                    now = turn * through
                    tracers.carry(now, now + through, state.velocity, state.velocity, self.branches)
        shear = WallShear(self.region)
        shear.add(wall_shear(self.region, state.velocity, self.case.density * self.flow.cell_viscosity))
        blood = np.array([state.boundary_flux[at].sum() for at in self.outlets.values()])
        stay = (self.region.dual.volume * self.near) @ c
        frames = [Frame.of(0.0, state, c, self.case.density)]
        at_once = self.at_once(c, state.boundary_flux)
        return self._answer(leaving, blood, ([own], [handed]), at_once, shear, stay, frames)

    def at_once(self, c: Floats, boundary_flux: Floats) -> Floats:
        """(branches, holes) m3/s: what leaves by openings within the tip's surroundings, and is in no tracer."""
        return self.drug.leaving(c, np.where(self.near, boundary_flux, 0.0))

    def pulse(self, state: State, tell: Progress) -> Streaming:
        """Beats until the split repeats itself; the last one is recorded."""
        case, near = self.case, self.region.dual.volume * self.near
        c, _ = self.drug.steady(state.flux, state.boundary_flux)
        before = np.full((len(self.branches), len(self.holes)), np.inf)
        for cycle in range(case.cycles):
            beat = Beat(self.drug, near, self.rim, case.density, self.n_steps, self.at_once)
            state = beat.run(self.flow, state, c, _from(tell, 0.15 + 0.8 * cycle / case.cycles, 0.8 / case.cycles))
            self.stray, self.steps = max(self.stray, beat.stray), self.steps + self.n_steps
            change = np.abs((beat.leaving - before) / self.entering).max()
            before = beat.leaving
            if cycle and change < SETTLED:
                break
        tracers = self._follow(beat)
        return self._answer(
            beat.leaving, beat.blood, tracers, beat.at_once, beat.shear, beat.stay, beat.frames, cycle + 1, change
        )

    def _follow(self, beat: Beat) -> tuple[list[Tracers], list[Tracers]]:
        """Tracers released over the cycle, carried through the recorded one again and again: from the holes, and from
        the rim."""
        frames = beat.frames
        own: list[Tracers] = []
        handed: list[Tracers] = []
        times = [frame.time for frame in frames]
        each = max(self.case.tracers // RELEASES, 1)
        for number in range(RELEASES):
            first = number * len(frames) // RELEASES
            now, velocity = times[first], frames[first].velocity.astype(float)
            own.append(release(self.region, self.holes, velocity, each, time=now))
            own[-1].patience = self.case.period
            handed.append(
                hand_over(self.region, self.near, self.rim, beat.carried[first], velocity, each, time=now,
                          marks=MARKS, patience=self.case.period)
            )  # fmt: skip
            for step in range(first, first + FOLLOWED * len(frames)):
                a, b = frames[step % len(frames)], frames[(step + 1) % len(frames)]
                end = now + ((b.time - a.time) % self.case.period or self.case.period)
                for tracers in (one for one in (own[-1], handed[-1]) if np.any(one.left_by < 0)):
                    tracers.carry(now, end, a.velocity.astype(float), b.velocity.astype(float), self.branches)
                now = end
        return own, handed

    def _answer(
        self, leaving: Floats, blood: Floats, tracers: tuple[list[Tracers], list[Tracers]], at_once: Floats,
        shear: WallShear, stay: Floats, frames: list[Frame], cycles: int = 0, change: float = 0.0,
    ) -> Streaming:  # fmt: skip
        """``leaving`` and ``at_once`` (branches, holes), ``blood`` (branches,) m3/s; ``stay`` (holes,) m3 of infusate
        near the tip."""
        region = self.region
        split, blood = (leaving / leaving.sum(axis=0)).T, np.maximum(blood, 0.0)
        carried, at_once = mean_carried(tracers[1], len(self.holes), self.branches), (at_once / self.entering).T
        mean = shares(carried, at_once)
        unmixed = shares(mean_carried(tracers[0], len(self.holes), self.branches), np.zeros_like(at_once))
        by_tracers = carried.sum(axis=1) / self.entering + at_once.sum(axis=1)
        left = np.maximum(1.0 - mean[:, -1], 1e-12)
        at_wall = at_points(region, shear.mean)
        return Streaming(
            region, self.holes, self.branches, split, mean[:, :-1] / left[:, None], mean[:, -1],
            unmixed[:, :-1] / np.maximum(1.0 - unmixed[:, -1:], 1e-12), unmixed[:, -1], blood / blood.sum(),
            stay / self.entering, at_wall, at_points(region, shear.oscillatory_index), tuple(frames),
            np.concatenate([_trail(each) for each in tracers[1]]),
            np.concatenate([self._branch_of(each) for each in tracers[1]]),
            {
                "cells": len(region.tetra), "unknowns": 4 * len(region.points), "steps": self.steps, "cycles": cycles,
                "change_of_split": float(change), "divergence": self.flow.worst_divergence,
                "drug_out_of_bounds": self.stray,
                "drug_balance": float(np.abs(leaving.sum(axis=0) / self.entering - 1.0).max()),
                "tracer_balance": float(np.abs(by_tracers - 1.0).max()),
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
        return {
            "tip_mean_shear_pa": float(area @ shear.mean[mine] / area.sum()),
            "tip_low_shear_fraction": float(area @ (shear.mean[mine] < STILL) / area.sum()),
            "tip_oscillatory_index": float(area @ shear.oscillatory_index[mine] / area.sum()),
        }


def _from(tell: Progress, start: float, part: float) -> Progress:
    """Progress of a part of the whole."""
    return lambda share: tell(start + part * share)


def mean_carried(tracers: list[Tracers], holes: int, branches: tuple[str, ...]) -> Floats:
    """(holes, branches + 1) m3/s of drug by each branch, and still inside, as tracers have it; mean of all releases."""
    return np.asarray(np.mean([each.by_outlet(holes, branches) for each in tracers], axis=0))


def shares(carried: Floats, at_once: Floats) -> Floats:
    """(holes, branches + 1) by each branch, and still inside; every row sums to one.

    ``carried`` alike, by tracers: they share what does not leave ``at_once`` (holes, branches), out of one.
    """
    carried = carried.copy()
    carried[carried.sum(axis=1) == 0.0, -1] = 1.0  # a hole whose drug was on its way out at no release
    own = carried / carried.sum(axis=1, keepdims=True) * (1.0 - at_once.sum(axis=1, keepdims=True))
    own[:, :-1] += at_once
    return np.asarray(own)


def _trail(tracers: Tracers) -> Floats:
    """(N, k, 3) with NaN beyond the last mark."""
    out = tracers.trail.copy()
    out[np.arange(out.shape[1]) >= tracers.marks[:, None]] = np.nan
    return out
