"""For each fault: what a clinic would notice first, and when.

A constant-flow pump has no alarm; what tells is (a) the volume found in the reservoir at a refill against plan, (b) the
pressure needed to inject through the side port, (c) where a scan agent given through the side port lodges, (d) the drug
in the systemic blood. Each fault is looked at alone, against the same run without any fault, so that a sign is not
credited to another fault that happens at the time.

Thresholds: the volume band is the action level of the FDA recall letter of 2022 (15 %); the others are assumed, and
stated with every result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np

from haiflow.arteries.transport import cycle_mean_transport
from haiflow.catheter.hydraulics import advance, rest_state
from haiflow.numerics.joint import JointSystem
from haiflow.ports import Floats
from haiflow.pump.model import SidePort
from haiflow.simulation.blood import BloodFlow, mean_tip_pressure
from haiflow.simulation.circulation import TIP, injection_of, split_of
from haiflow.simulation.clock import Trajectory
from haiflow.simulation.infusion import CLOSED_PUMP
from haiflow.simulation.parts import Parts
from haiflow.simulation.routes import targets

TEST_RATE = 0.05e-6  # m3/s: a slow hand injection of 3 mL/min
TEST_TIME = 5.0  # s
SCANNED = 0.01  # of the test rate: what a line must take to be scanned at all
THRESHOLDS = {
    "delivered volume at refill": 0.15,
    "side-port pressure": 0.5,
    "scan-agent distribution": 0.10,
    "systemic drug level": 0.5,
}
RULES = {
    "delivered volume at refill": "relative difference from the planned infused volume",
    "side-port pressure": "relative difference of the pressure needed for 3 mL/min",
    "scan-agent distribution": "share of the agent that lodges elsewhere than planned",
    "systemic drug level": "relative difference from the level without the fault",
}

# Pressure above the artery's (Pa); shares of the agent by where it lodges, None where none could be injected.
Test = tuple[float, Floats | None]
Compare = Callable[[Test, Test], float]


@dataclass
class Observer:
    """Signs of one fault: runs ``alone`` (this fault only) and ``twin`` (none), both on the same outputs."""

    blood: BloodFlow | None
    tests: dict[int, tuple[Parts, float, Floats | None]] = field(default_factory=dict)

    def row(self, name: str, onset: float, alone: Trajectory, twin: Trajectory) -> dict[str, Any]:
        """One row of the detection table; ``time_s`` is None where nothing crosses its threshold within the run."""
        signs = {
            "delivered volume at refill": self._volume(alone, twin),
            "side-port pressure": self._tests(alone, twin, _pressure_change),
            "scan-agent distribution": self._tests(alone, twin, _displaced_share),
            "systemic drug level": self._systemic(alone, twin),
        }
        crossed = {key: _first(times, values, THRESHOLDS[key], onset) for key, (times, values) in signs.items()}
        first, when = min(crossed.items(), key=lambda item: inf if item[1] is None else item[1])
        return {
            "fault": name,
            "onset_s": onset,
            "observable": None if when is None else first,
            "time_s": when,
            "resolution_s": None if when is None else _resolution(signs[first][0], when),
            "threshold": None if when is None else THRESHOLDS[first],
            "rule": None if when is None else RULES[first],
            **{f"{key.replace(' ', '_').replace('-', '_')}_at_s": value for key, value in crossed.items()},
        }

    def _volume(self, alone: Trajectory, twin: Trajectory) -> tuple[Floats, Floats]:
        """At each refill and at the end: how far what was pumped since the last fill is from plan."""
        if alone.infusion is None:
            return np.zeros(0), np.zeros(0)
        visits = [visit for visit in sorted(alone.timeline.refills) if 0.0 < visit < alone.end]
        left, planned = (np.array([_found(run, visit) for visit in visits]) for run in (alone, twin))
        plan = np.array([_filled_volume(alone, visit) for visit in visits]) - planned
        difference = np.abs(planned - left)
        return np.array(visits), np.divide(difference, plan, out=np.zeros(len(visits)), where=plan > 0.0)

    def _systemic(self, alone: Trajectory, twin: Trajectory) -> tuple[Floats, Floats]:
        if "body_concentration" not in alone.recorder.rows or not alone.recorder.series("body_concentration").size:
            return np.zeros(0), np.zeros(0)
        time, now = (alone.recorder.series(name) for name in ("time", "body_concentration"))
        then = np.interp(time, twin.recorder.series("time"), twin.recorder.series("body_concentration")[:, 0])
        # A level is compared where the drug is there to be measured: above a hundredth of its planned peak.
        seen = then > 0.01 * then.max(initial=0.0)
        return time, np.divide(np.abs(now[:, 0] - then), then, out=np.zeros(len(time)), where=seen)

    def _tests(self, alone: Trajectory, twin: Trajectory, compare: Compare) -> tuple[Floats, Floats]:
        """The side-port tests in every epoch of the faulty run, against those at the same time of the twin."""
        if alone.infusion is None:
            return np.zeros(0), np.zeros(0)
        times = np.array([epoch.start for epoch in alone.epochs])
        values = []
        for epoch in alone.epochs:
            plain = next(e for e in reversed(twin.epochs) if e.start <= epoch.start)
            values.append(compare(self._injected(epoch.parts), self._injected(plain.parts)))
        return times, np.array(values)

    def _injected(self, parts: Parts) -> Test:
        """Pressure (Pa above the artery's) of the test injection, and the shares of an agent by where it lodges."""
        key = id(parts)  # unique as long as the parts live, so they are kept with their result
        if key not in self.tests:
            self.tests[key] = (parts, *self._inject(parts))
        return self.tests[key][1:]

    def _inject(self, parts: Parts) -> Test:
        line = parts.line
        assert line is not None
        pressure = mean_tip_pressure(parts, self.blood)
        port = SidePort() if parts.pump is None else parts.pump.side_port
        # A syringe with a limit, not an imposed flow: a line that is closed takes nothing, at the highest pressure.
        _, flow = advance(
            line, rest_state(line, pressure), TEST_TIME, characteristic=CLOSED_PUMP,
            side_port_flow=port.characteristic(TEST_RATE), artery_pressure=pressure,
            viscosity=np.full(line.n_cells, parts.infusate.viscosity), density=parts.infusate.density,
        )  # fmt: skip
        outward = np.clip(flow.hole_flow, 0.0, None)
        in_artery = np.array([hole.outside == "artery" for hole in line.holes])
        into = float(outward[in_artery].sum())
        lost = float(outward[~in_artery].sum())
        total = into + lost
        # Of a line that takes next to nothing there is no scan: the pressure tells.
        scanned = total > SCANNED * TEST_RATE
        shares = np.concatenate([into * self._lodged(parts), [lost]]) / total if scanned else None
        return port.pressure(flow.side_port_flow, flow.inlet_pressure) - pressure, shares

    def _lodged(self, parts: Parts) -> Floats:
        """Share of an agent from the tip by territory and bed, in a fixed order; nothing where no blood takes it."""
        if self.blood is None or parts.tree is None:
            return np.ones(1)
        cycle = self.blood.cycle(parts.tree)
        injection = injection_of(parts, cycle)
        routes = targets(parts)
        places = sorted(
            {target for shares in routes.values() for target in shares} | {node for node in routes if not routes[node]}
        )
        lodged: dict[str, float] = dict.fromkeys(places, 0.0)
        if injection is not None:
            arteries = cycle_mean_transport(
                parts.tree, cycle.mean_flow_rate, (injection,), split=split_of(parts, injection)
            )
            system = JointSystem({"first": arteries})
            through = np.asarray(system.outlet @ system.steady({f"first.{TIP}": 1.0}))
            for node, share in zip(parts.tree.terminals, (float(share) for share in through), strict=True):
                for target, part in (routes[node] or {node: 1.0}).items():
                    lodged[target] += part * share
        return np.array(list(lodged.values()))


def _pressure_change(now: Test, plan: Test) -> float:
    return abs(now[0] - plan[0]) / abs(plan[0])


def _displaced_share(now: Test, plan: Test) -> float:
    return 0.0 if now[1] is None or plan[1] is None else 0.5 * float(np.abs(now[1] - plan[1]).sum())


def _filled_volume(run: Trajectory, visit: float) -> float:
    """Volume (m3) in the reservoir after the last fill before ``visit`` (s)."""
    last = max(time for time in run.timeline.refills if time < visit)
    residual = 0.0 if last == 0.0 or run.timeline.base.pump is None else run.timeline.base.pump.residual_volume
    return run.timeline.refills[last].volume + residual


def _found(run: Trajectory, visit: float) -> float:
    """Volume (m3) that a visit finds in the reservoir: what is written down at a refill's time is what it finds."""
    time, volume = run.recorder.series("time"), run.recorder.series("pump_reservoir_volume")
    return float(volume[np.flatnonzero(time <= visit)[-1]])


def _resolution(times: Floats, when: float) -> float:
    """Time (s) since the look before: the sign appeared within it."""
    before = times[times < when]
    return float(when - before[-1]) if before.size else 0.0


def _first(times: Floats, values: Floats, threshold: float, onset: float) -> float | None:
    crossed = np.flatnonzero((values > threshold) & (times >= onset))
    return float(times[crossed[0]]) if crossed.size else None
