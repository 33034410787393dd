"""One scenario, whole: parts, timeline, blood flow, the run and its twins, and the results."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from threadpoolctl import threadpool_limits

from haiflow.errors import InputError
from haiflow.liver.field import PerfusedLiver
from haiflow.liver.scan import planar
from haiflow.mesh.model import TetraMesh
from haiflow.report.presenter import Presenter
from haiflow.results.record import Event, Results, Scan
from haiflow.results.verdict import judge
from haiflow.scenario.load import Scenario
from haiflow.simulation.assemble import assemble
from haiflow.simulation.blood import BloodFlow
from haiflow.simulation.cells import lodged
from haiflow.simulation.clock import Clock, Trajectory
from haiflow.simulation.detection import Observer
from haiflow.simulation.drawing import liver_field, network
from haiflow.simulation.events import build_timeline, fault_key, fault_name
from haiflow.simulation.file_order import series_in_file_order, summary_in_file_order
from haiflow.simulation.liver_mesh import liver_mesh
from haiflow.simulation.perfused import resolve, shared_liver
from haiflow.simulation.provenance import inputs, provenance
from haiflow.simulation.pulse import PulseClock
from haiflow.simulation.series import cycle_series, history
from haiflow.simulation.shared import Shared
from haiflow.simulation.summary import summarise
from haiflow.simulation.therapy import TherapyClock
from haiflow.simulation.timeline import Timeline
from haiflow.simulation.tip import ResolvedTip, refuse_unmeshed, resolve_tip, with_split
from haiflow.simulation.tip_record import tip_field, tip_notes, tip_rows, tip_solver

COLLIMATOR = 8e-3  # m full width at half maximum: a low-energy collimator at the depth of the liver [textbook]
FRAMES = 30  # pictures of the liver in 3D over a run
COARSE = 6 * 3600.0  # s: macro step of the runs that are only compared with
Progress = Callable[[str, float], None]  # stage, share of it done


@dataclass
class _Job:
    """A scenario on its way through the stages, and the time that each took."""

    scenario: Scenario
    progress: Progress
    shared: Shared | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.model = self.scenario.model
        refuse_unmeshed(self.scenario)
        liver, folder = self.model.liver, self.scenario.folder
        self.mesh = None if liver is None else liver_mesh(liver, folder, self.scenario.mesh_place)
        self.base = assemble(self.model, self.scenario.folder, self.mesh, self.shared)
        numerics = self.model.run.numerics
        self.flow = (
            None
            if self.base.tree is None
            else BloodFlow(
                self.base.tree, tolerance=numerics.periodic_tolerance, max_cycles=numerics.max_cycles,
                cell_length=numerics.cell_length, min_cells=numerics.min_cells, courant=numerics.cfl,
                shared=self.shared,
            )
        )  # fmt: skip
        self.timeline = build_timeline(self.model, self.base)
        self.tip: ResolvedTip | None = None

    def resolve_liver(self) -> None:
        """The liver in 3D, where the scenario asks for it: its arteries are grown from the undisturbed tree."""
        wanted = self.model.liver
        if wanted is None or wanted.resolve != "3d" or self.flow is None or self.mesh is None:
            return
        self.progress("liver", 0.0)
        cycle, mesh = self.flow.cycle(self.flow.base), self.mesh
        if self.shared is None:
            self.base = resolve(self.base, cycle, mesh, wanted)
        else:
            self.base = shared_liver(self.base, cycle, mesh, wanted, self.shared)
        self.timeline = build_timeline(self.model, self.base)

    def resolve_tip(self) -> None:
        """The tip in 3D, where the scenario asks for it, in the undisturbed arteries."""
        catheter = self.model.catheter
        if catheter is None or catheter.tip.resolve != "3d" or self.flow is None:
            return
        cycle = self.flow.cycle(self.flow.base)
        self.tip = resolve_tip(self.scenario, self.base, cycle, lambda share: self.progress("tip", share))
        self.base = with_split(self.base, self.tip)
        self.timeline = build_timeline(self.model, self.base)

    def timed(self, stage: str, work: Callable[[], Any]) -> Any:
        begun = time.perf_counter()
        try:
            return work()
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - begun

    def solve_blood(self) -> None:
        """The periodic cycle of every distinct tree of the timeline."""
        if self.flow is None:
            return
        times = [0.0, *self.timeline.events()]
        for number, at in enumerate(times):
            tree = self.timeline.parts_at(at).tree
            if tree is not None:
                which = "" if len(times) == 1 else f" {number + 1} of {len(times)}"
                self.flow.told = partial(self._beat, which)
                self.flow.cycle(tree)
            self.progress("arteries", (number + 1) / len(times))

    def _beat(self, which: str, count: int, share: float) -> None:
        """``share`` of heart beat ``count`` on the way to a periodic cycle is done."""
        self.progress(f"arteries{which}, heart beat {count}", share)

    def clock(self, timeline: Timeline, stage: str, coarse: bool = False) -> Clock:
        """The clock that the scenario asks for."""
        run = self.model.run
        every = run.output_every
        step = run.numerics.macro_step
        assert every is not None

        def report(now: float) -> None:
            self.progress(stage, now / timeline.duration)

        if run.clock == "pulse":
            return PulseClock(timeline, self.flow, every, report)
        if not coarse:
            return TherapyClock(timeline, self.flow, output_every=every, macro_step=step or every, progress=report)
        # Long steps far from any change, but each written down: after a change they are short, and so is the look.
        longest = max(every, min(COARSE, timeline.duration / 32.0))
        clock = TherapyClock(timeline, self.flow, output_every=longest, macro_step=longest, progress=report)
        clock.every_step = True
        return clock

    def main(self) -> Trajectory:
        """The run that the scenario asks for, with pictures of the liver in 3D over time."""
        clock = self.clock(self.timeline, "run")
        clock.recorder.frame_every = self.timeline.duration / FRAMES
        return clock.run()

    def compare(self, main: Trajectory) -> tuple[Trajectory | None, list[dict[str, Any]]]:
        """The run without faults, and the detection table: each fault alone against it."""
        faults = self.model.faults
        if not faults:
            return None, []
        keys = [fault_key(number) for number in range(len(faults))]
        coarse = self.timeline if len(faults) > 1 else None
        twin = self.clock(self.timeline.without(set(keys)), "without faults", coarse is not None).run()
        observer = Observer(self.flow)
        rows = []
        for number, fault in enumerate(faults):
            alone = main
            if len(faults) > 1:
                others = set(keys) - {keys[number]}
                alone = self.clock(self.timeline.without(others), f"fault {number + 1} alone", True).run()
            rows.append(observer.row(fault_name(fault), fault.onset, alone, twin))
        return twin, rows


def run_scenario(
    scenario: Scenario,
    *,
    progress: Progress | None = None,
    pictures: bool = True,
    fields: bool = True,
    shared: Shared | None = None,
) -> Results:
    """Runs one scenario and returns its results in memory; ``progress(stage, share)`` hears how far it is.

    With ``pictures`` two drawing processes get ready while the solvers compute; ``results.save(DIR)`` uses them.
    Without ``fields`` figures and history are all that is kept: neither network nor liver in 3D nor cardiac cycle.
    ``shared`` is what this run has in common with others.
    """
    if scenario.model.sweep is not None:
        raise InputError(scenario.name, "sweep", "a sweep is many runs", "use: haiflow run FILE -o DIR")
    begun = time.perf_counter()
    presenter = Presenter(pictures=pictures)
    try:
        job = _Job(scenario, progress or (lambda stage, share: None), shared)
        job.seconds["assemble_s"] = time.perf_counter() - begun
        # The joint systems are small: threads inside one solve cost more than they give.
        # Who shares with other runs has set that once for all of them: it takes milliseconds.
        with threadpool_limits(limits=1) if shared is None else nullcontext():
            job.timed("arteries_s", job.solve_blood)
            job.timed("junction_s", job.resolve_tip)
            job.timed("liver_s", job.resolve_liver)
            main = job.timed("transport_s", job.main)
            twin, detection = job.timed("detection_s", lambda: job.compare(main))
        job.progress("results", 0.0)
        results = job.timed("results_s", lambda: _results(job, main, twin, detection, presenter, fields))
    except BaseException:
        presenter.abandon()
        raise
    job.seconds["total_s"] = time.perf_counter() - begun
    results.summary["timing"] = job.seconds
    results.provenance["timing"] = job.seconds
    return results


def _results(
    job: _Job, main: Trajectory, twin: Trajectory | None, detection: list[dict[str, Any]], presenter: Presenter,
    fields: bool,
) -> Results:
    scenario, flow, model = job.scenario, job.flow, job.model
    summary = _summary(job, main)
    summary["detection"] = detection
    summary["solver"] = {"steps": main.steps, "epochs": len(main.epochs), "arteries": _solver(flow)}
    if job.tip is not None:
        summary["split"] = tip_rows(job.tip)
        summary["junction"], summary["solver"]["junction"] = tip_solver(job.tip, job.seconds["junction_s"])
    if job.base.perfused is not None:
        summary["solver"]["liver"] = _bed(job.base.perfused)
    if twin is not None:
        plain = _summary(job, twin)
        kept = ("segments", "tumours", "liver", "pump", "catheter", "ledger", "off_target", "body")
        summary["twin"] = {key: plain[key] for key in kept if key in plain}
    account = provenance(scenario, main, job.base)
    if job.tip is not None:
        account.setdefault("warnings", []).extend(tip_notes(job.tip, [fault.kind for fault in model.faults]))
    series, coords = history(main)
    cycle, cycle_coords = ({}, {}) if flow is None or not fields else cycle_series(flow.cycle(flow.base), flow.base)
    if model.arteries is not None:
        series, coords = series_in_file_order(series, coords, model.arteries)
        cycle, cycle_coords = series_in_file_order(cycle, cycle_coords, model.arteries)
    mesh = job.mesh if fields else None
    return Results(
        summary=summary,
        history_series=series,
        history_coords=coords,
        cycle_series=cycle,
        cycle_coords=cycle_coords,
        network=network(main, flow, model) if fields else None,
        liver=liver_field(main, flow, mesh) if mesh is not None and flow is not None else None,
        scan=_scan(main, mesh),
        junction=None if job.tip is None else tip_field(job.tip),
        events=_events(job),
        verdict=judge(summary, model.require),
        detection=detection,
        scenario_yaml=scenario.resolved_yaml(),
        inputs=inputs(scenario),
        provenance=account,
        presenter=presenter,
    )


def _summary(job: _Job, run: Trajectory) -> dict[str, Any]:
    scenario, model = job.scenario, job.model
    found = summarise(run, job.flow, name=scenario.name, sha256=scenario.sha256, clock=model.run.clock)
    return found if model.arteries is None else summary_in_file_order(found, model.arteries)


def _scan(main: Trajectory, mesh: TetraMesh | None) -> Scan | None:
    """What a scan agent shows from the front; None where no substance lodges in the liver."""
    found = None if mesh is None else lodged(main, mesh)
    if found is None or mesh is None:
        return None
    agent, amount = found
    return Scan(agent, *planar(mesh.points, mesh.tetra, amount, blur=COLLIMATOR))


def _solver(flow: BloodFlow | None) -> dict[str, Any]:
    """What the arterial solver did, over all distinct trees."""
    if flow is None:
        return {}
    cycles = list(flow.cycles.values())
    return {
        "trees": len(cycles),
        "cells": cycles[0].cells,
        "steps": sum(cycle.steps * cycle.cycles for cycle in cycles),
        "kernel_s": sum(cycle.kernel_s for cycle in cycles),
        "network_s": sum(cycle.wall_s - cycle.kernel_s for cycle in cycles),
        "worst_residual": max(cycle.residual for cycle in cycles),
    }


def _bed(perfused: PerfusedLiver) -> dict[str, Any]:
    """What the solver of the sinusoids did."""
    flows = list(perfused.sinusoids.solved.values())
    return {
        "cells": perfused.pieces.cell_volume.size,
        "control_volumes": perfused.pieces.n_points,
        "unknowns": 2 * perfused.pieces.n,
        "arterial_ends": int(perfused.terminal_of.max()) + 1,
        "pressure_solves": len(flows),
        "worst_imbalance": max(flow.imbalance for flow in flows),
    }


def _events(job: _Job) -> list[Event]:
    found = [Event(fault.onset, fault_name(fault), fault.kind) for fault in job.model.faults]
    keys = {fault_key(number) for number in range(len(job.model.faults))}
    found += [
        Event(change.time, change.label) for change in job.timeline.changes if change.label and change.key not in keys
    ]
    return sorted((event for event in found if event.time_s <= job.model.run.duration), key=lambda event: event.time_s)
