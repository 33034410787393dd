"""The therapy clock: days to months in macro steps that land on every event.

Read it as the drug goes: the pump pushes, the line carries, the tree spreads, the liver takes up, the ledger closes.
"""

from __future__ import annotations

from math import inf

from haiflow.simulation.blood import BloodFlow, mean_tip_pressure
from haiflow.simulation.circulation import Circulation
from haiflow.simulation.clock import Clock, Progress
from haiflow.simulation.parts import Parts
from haiflow.simulation.timeline import Epoch, Timeline

FIRST_STEP = 10.0  # s: circulation and liver blood settle in about that time after a change
EPOCH_STEPS = 8  # at least so many steps in an epoch, however short (a bolus lasts seconds)
LAST_DROPS = 1e-6  # of a macro step: an emptying nearer than this is left to the step that passes it


class TherapyClock(Clock):
    """A run on macro steps of at most ``macro_step`` (s), short after every change and doubled from there."""

    blood: Circulation | None

    def __init__(
        self,
        timeline: Timeline,
        flow: BloodFlow | None,
        *,
        output_every: float,
        macro_step: float,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(timeline, flow, output_every, progress)
        self.macro_step = macro_step

    def bloodstream(self, parts: Parts) -> Circulation | None:
        return Circulation(parts, self.flow) if self.flow is not None and parts.tree is not None else None

    def through(self, epoch: Epoch) -> None:
        """One epoch in macro steps."""
        shortest = (epoch.end - epoch.start) / EPOCH_STEPS
        size, largest = min(FIRST_STEP, shortest), min(self.macro_step, shortest)
        pressure = mean_tip_pressure(epoch.parts, self.flow)
        while self.time < epoch.end:
            target, jump = self.target(epoch), self._next_jump(epoch)
            dt = min(size, target - self.time, jump - self.time)
            end = next((time for time in (target, jump) if dt == time - self.time), self.time + dt)
            dt = end - self.time  # as rounded, so that the steps of an epoch sum to its length
            into_artery, absorbed = self.infuse(epoch.parts, dt, pressure)
            if self.blood is not None:
                self.blood.advance(dt, into_artery, absorbed)
            self.arrive(end)
            size = min(FIRST_STEP, shortest) if end == jump else min(2.0 * size, largest)

    def _next_jump(self, epoch: Epoch) -> float:
        """When (s) the pump's flow rate changes at once, within the epoch: by its programme, or because it is empty."""
        change = epoch.parts.pump.next_change(self.time) if epoch.parts.pump is not None else inf
        return min(change, self.time + self._time_to_empty())

    def _time_to_empty(self) -> float:
        """Time (s) until the reservoir is down to its residual volume."""
        left = inf if self.infusion is None else self.infusion.time_to_empty()
        return left if left > LAST_DROPS * self.macro_step else inf
