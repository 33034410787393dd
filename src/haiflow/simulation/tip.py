"""The tip in 3D within a run: what flows at the region's ends is the tree's, and its split goes back to the tree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from math import inf

import numpy as np

from haiflow.arteries.periodic import Cycle
from haiflow.arteries.tree import Tree
from haiflow.catheter.hydraulics import advance, rest_state
from haiflow.catheter.line import Line, Tip
from haiflow.errors import InputError
from haiflow.junction.case import HOLE, INLET, Case
from haiflow.junction.march import CarreauYasuda
from haiflow.junction.store import keep, recall
from haiflow.junction.streaming import Progress, Streaming, solve
from haiflow.mesh.region import Region
from haiflow.ports import Characteristic, Floats, Fluid
from haiflow.scenario.load import Scenario
from haiflow.scenario.tip_mesh import tip_mesh
from haiflow.scenario.tip_region import UPSTREAM, TipRegion, tip_region
from haiflow.simulation.parts import Parts, Streamed

SAMPLES = 64  # of the waveforms over a cycle
AROUND, FAR = 2.5, 0.5  # catheter's diameters round the tip that are its surroundings; of the way to the branches
THIN = 0.01  # of the blood's flow: what is infused less than that is a thread, some tenths of a mm thick at most
TRUSTED = 0.1  # share of tracers that may still be inside where theirs is the split
PUSH = Characteristic(0.0, 1.0, 0.0, 0.0)  # a pump that gives nothing beside what the side port is given


@dataclass(frozen=True)
class ResolvedTip:
    """The region, what it answered, and how much of the infusate each of its holes lets out."""

    region: TipRegion
    answer: Streaming
    weight: Floats  # (holes,) sums to one
    by: str  # "tracers" | "scalar"

    @property
    def branches(self) -> tuple[str, ...]:
        """Those of the tree."""
        return tuple(name for name in self.answer.branches if name != INLET)

    @property
    def split(self) -> Floats:
        """(holes, branches) that the tree takes."""
        return self._onwards(self.answer.by_tracers if self.by == "tracers" else self.answer.split)

    @property
    def upstream(self) -> float:
        """Share of the drug that goes back by the inlet in part of a beat."""
        if INLET not in self.answer.branches:
            return 0.0
        return float(self.weight @ self.answer.split[:, self.answer.branches.index(INLET)])

    @property
    def shares(self) -> dict[str, float]:
        """Branch -> share of all the drug."""
        return dict(zip(self.branches, (self.weight @ self.split).tolist(), strict=True))

    @property
    def doubt(self) -> float:
        """Largest error of a share that what is known here points to.

        Twice what straying makes of it, as both kinds of tracers may err to one side; the whole of the smaller part of
        a ``THIN`` thread that straying parts, as it may go one way; what is still inside; and the scalar's difference
        from tracers, where the tree takes its split.
        """
        tracers = self._onwards(self.answer.by_tracers)
        known = 2.0 * float(np.abs(self._onwards(self.answer.by_straight) - tracers).max())
        if self.answer.figures.get("mixed_share", 0.0) < THIN:
            known = max(known, float(np.minimum(tracers, 1.0 - tracers).max()))
        known = max(min(known, 1.0), float(self.answer.held.max()))
        return known if self.by == "tracers" else max(known, self.disagreement)

    @property
    def disagreement(self) -> float:
        """Largest difference of a share by the scalar from that by tracers."""
        return float(np.abs(self._onwards(self.answer.split) - self._onwards(self.answer.by_tracers)).max())

    def _onwards(self, found: Floats) -> Floats:
        """(holes, branches): what goes back upstream in part of a beat comes again."""
        onwards = found[:, : len(self.branches)]
        return np.asarray(onwards / np.maximum(onwards.sum(axis=1, keepdims=True), 1e-300))


def refuse_unmeshed(scenario: Scenario) -> None:
    """Raises InputError at once where a region will have to be meshed and gmsh is missing."""
    catheter = scenario.model.catheter
    if catheter is None or catheter.tip.resolve != "3d" or catheter.tip.mesh is not None:
        return
    if find_spec("gmsh") is not None:
        return
    raise InputError("catheter.tip.resolve", "3d", "meshing the region round the tip needs gmsh",
                     "pip install 'haiflow[mesh]', or give a mesh of your own: catheter.tip.mesh")  # fmt: skip


def resolve_tip(scenario: Scenario, parts: Parts, cycle: Cycle, progress: Progress) -> ResolvedTip:
    """Solve the region round the tip of a scenario that asks for it (or find it solved before)."""
    model = scenario.model
    if model.arteries is None or model.catheter is None or parts.tree is None or parts.line is None:
        raise ValueError("the tip in 3D needs a catheter in arteries")
    region = tip_region(model.arteries, model.catheter)
    rates = hole_rates(parts.line, parts.planned_rate, parts.artery_pressure, parts.infusate.viscosity,
                       parts.infusate.density)  # fmt: skip
    own = own_mesh(scenario, region)
    thinning = carreau_yasuda(parts.tree.blood) if model.catheter.tip.blood == "carreau-yasuda" else None
    pulsatile, steps = model.catheter.tip.flow == "pulsatile", model.catheter.tip.steps
    case = replace(build_case(region, parts.tree, cycle, rates, pulsatile, steps, own), thinning=thinning)
    _refuse_reflux(case)
    digest = case.digest()
    answer = recall(digest)
    if answer is None:
        answer = solve(case, progress)
        keep(digest, answer)
    weight = np.array([case.infusion[name] for name in answer.holes])
    return ResolvedTip(region, answer, weight / weight.sum(), taken(answer))


def taken(answer: Streaming) -> str:
    """Whose split the tree takes: "tracers", or "scalar" where more than ``TRUSTED`` of a hole's are still inside.

    What is still inside bounds the tracers' error; the scalar's numerical diffusion, which no such bound holds, pulls
    it towards mixing.
    """
    return "tracers" if np.all(answer.held <= TRUSTED) else "scalar"


def _refuse_reflux(case: Case) -> None:
    """Raises InputError where the infusion turns the artery's flow: the tree carries blood downstream only."""
    infused = sum(case.infusion.values())
    if infused >= case.mean_flow:
        per_minute = f"{6e7 * infused:.3g} mL/min", f"{6e7 * case.mean_flow:.3g} mL/min"
        rule = f"the infusion is as strong as the artery's own flow ({per_minute[1]}): drug would go back upstream"
        raise InputError("catheter.tip.resolve", f"3d, at {per_minute[0]}", rule, "infuse slower, or 'resolve: mixed'")


def streamed(resolved: ResolvedTip, tip: Tip) -> Streamed:
    """The split as the tree takes it, at the branches' common node."""
    return Streamed(tip, resolved.branches[0], tuple(resolved.shares.items()))


def build_case(
    region: TipRegion, tree: Tree, cycle: Cycle, rates: dict[str, float], pulsatile: bool, steps: int,
    own: Region | None,
) -> Case:  # fmt: skip
    """The question to the region: waveforms of the tree's cycle at its branches; what comes in is their sum."""
    samples = {name: _sampled(cycle, cycle.flow_rate[:, tree.vessel(name), 0]) for name in region.branches}
    if not pulsatile:
        samples = {name: np.array([values.mean()]) for name, values in samples.items()}
    shape = region.shape
    assert shape.tip is not None
    deepest = max((hole.from_tip or 0.0 for hole in shape.tip.holes), default=0.0)
    middle = np.asarray(shape.tip.place) - 0.5 * deepest * shape.tip.frame[2]
    way = max(shape.parent_length - UPSTREAM * shape.parent_diameter, 0.0)
    near = max(min(AROUND * shape.tip.outer_diameter, FAR * way), 0.75 * shape.tip.outer_diameter) + 0.5 * deepest
    return Case(
        inflow=np.sum(list(samples.values()), axis=0),
        outflow=samples,
        infusion=rates,
        period=cycle.period if pulsatile else 0.0,
        density=tree.blood.density,
        viscosity=tree.blood.viscosity,
        shape=None if own is not None else shape,
        region=own,
        near=None if own is not None else ((middle[0], middle[1], middle[2]), near),
        steps=steps,
    )


def carreau_yasuda(blood: Fluid) -> CarreauYasuda:
    """Blood that thins towards the arteries' own viscosity; the other constants are Cho & Kensey's (1991, Biorheology
    28:241): 56 mPa s at rest, 1.902 s, index 0.22, power 1.25."""
    return CarreauYasuda(56e-3 / blood.density, blood.viscosity / blood.density, 1.902, 1.25, 0.22)


def _sampled(cycle: Cycle, values: Floats) -> Floats:
    """(SAMPLES,) at equal steps over the cycle."""
    at = np.arange(SAMPLES) / SAMPLES * cycle.period
    return np.interp(at, np.append(cycle.time, cycle.period), np.append(values, values[0]))


def hole_rates(line: Line, rate: float, artery_pressure: float, viscosity: float, density: float) -> dict[str, float]:
    """Patch -> flow rate (m3/s) out of each of the line's holes into the artery while the pump gives ``rate``."""
    _, flow = advance(
        line, rest_state(line, artery_pressure), inf, characteristic=PUSH, side_port_flow=rate,
        artery_pressure=artery_pressure, viscosity=np.full(line.n_cells, viscosity), density=density,
    )  # fmt: skip
    rates = {f"{HOLE}{hole.name}": float(q) for hole, q in zip(line.holes, flow.hole_flow, strict=True)
             if hole.outside == "artery"}  # fmt: skip
    return {name: max(q, 0.0) for name, q in rates.items()}


def own_mesh(scenario: Scenario, region: TipRegion) -> Region | None:
    """The user's mesh, where there is one; raises InputError where it has become another since it was checked."""
    catheter = scenario.model.catheter
    if catheter is None or catheter.tip.mesh is None:
        return None
    return tip_mesh(scenario.folder / catheter.tip.mesh, catheter.tip.mesh, region)


def with_split(parts: Parts, resolved: ResolvedTip) -> Parts:
    """Parts whose tree takes the drug as the region says, as long as the tip stays where it was."""
    assert parts.line is not None
    return replace(parts, streamed=streamed(resolved, parts.line.tip))
