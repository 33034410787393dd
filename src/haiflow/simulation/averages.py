"""Means over a run whose parts change from epoch to epoch."""

from __future__ import annotations

import numpy as np

from haiflow.arteries.periodic import Cycle
from haiflow.ports import Floats
from haiflow.simulation.blood import BloodFlow
from haiflow.simulation.clock import Trajectory
from haiflow.simulation.parts import Parts


def _weights(run: Trajectory) -> list[tuple[Parts, float]]:
    """Each epoch's parts with its share of the run's time."""
    spans = [(epoch.parts, min(epoch.end, run.end) - epoch.start) for epoch in run.epochs]
    total = sum(span for _, span in spans)
    return [(parts, span / total) for parts, span in spans if total > 0.0 and span > 0.0]


def cycles(run: Trajectory, flow: BloodFlow) -> list[tuple[Cycle, float]]:
    """Each epoch's cycle with its share of the run's time."""
    found = [(flow.cycle(parts.tree), share) for parts, share in _weights(run) if parts.tree is not None]
    return found or [(flow.cycle(flow.base), 1.0)]


def mean_flow_and_pressure(run: Trajectory, flow: BloodFlow) -> tuple[Floats, Floats]:
    """Flow rate (n_vessels,) m3/s and pressure (n_vessels, 3 stations) gauge Pa, mean over cycle and run."""
    weights = cycles(run, flow)
    rate = np.sum([share * cycle.mean_flow_rate for cycle, share in weights], axis=0)
    return rate, np.sum([share * cycle.pressure.mean(axis=0) for cycle, share in weights], axis=0)


def mean_outlet_flow(run: Trajectory, flow: BloodFlow) -> dict[str, float]:
    """m3/s by terminal node, mean over the run."""
    total: dict[str, float] = {}
    for parts, share in _weights(run) or [(run.timeline.base, 1.0)]:
        assert parts.tree is not None
        for node, rate in flow.cycle(parts.tree).outlet_flow.items():
            total[node] = total.get(node, 0.0) + share * rate
    return total


def left_pump(run: Trajectory) -> float:
    """Drug (kg) of the therapy that entered the line, by pump or side port."""
    return float(run.infusion.left_pump[1]) if run.infusion is not None and run.infusion.n > 1 else 0.0
