"""What both clocks share: the state of a run between two steps, what is written down, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

import numpy as np

from haiflow.errors import SolverStopped
from haiflow.ports import Floats
from haiflow.simulation.blood import BloodFlow, mean_tip_pressure
from haiflow.simulation.infusion import Infusion
from haiflow.simulation.ledger import Ledger
from haiflow.simulation.parts import Parts
from haiflow.simulation.recorder import Bloodstream, Recorder, balance_now
from haiflow.simulation.timeline import Epoch, Timeline

STOPPED_FRACTION = 0.01  # of the planned flow rate: less is a pump that has stopped
RECOVERED_FRACTION = 0.5  # more is one that came back; a refill alone charges a blocked line a little
Progress = Callable[[float], None]


@dataclass
class Trajectory:
    """A run as it went: the parts that moved, the rows written down, and how it ended."""

    timeline: Timeline
    recorder: Recorder
    infusion: Infusion | None
    blood: Bloodstream | None
    balance: Floats
    end: float
    steps: int = 0
    stopped: SolverStopped | None = None
    pump_stopped_at: float | None = None
    epochs: list[Epoch] = field(default_factory=list)


class Clock:
    """A run on its way; a subclass says how an epoch is gone through and what the blood is."""

    def __init__(
        self, timeline: Timeline, flow: BloodFlow | None, output_every: float, progress: Progress | None = None
    ) -> None:
        first = timeline.parts_at(0.0)
        self.timeline, self.flow, self.progress, self.output_every = timeline, flow, progress, output_every
        self.infusion = Infusion(first, mean_tip_pressure(first, flow)) if first.line is not None else None
        n = len(first.substances)
        self.n, self.ledger, self.recorder = n, Ledger(n), Recorder(n, first.liver)
        self.time, self.steps, self.outputs = 0.0, 0, 0
        self.every_step = False  # write down every step, not the outputs alone
        self.stopped: SolverStopped | None = None
        self.pump_stopped_at: float | None = None
        self.epochs: list[Epoch] = []
        self.blood = self.bloodstream(first)

    def bloodstream(self, parts: Parts) -> Bloodstream | None:
        """What the clock carries the drug with; None without arteries."""
        raise NotImplementedError

    def through(self, epoch: Epoch) -> None:
        """One epoch, from its refill to its end."""
        raise NotImplementedError

    def run(self) -> Trajectory:
        """All epochs; a solver that stops early ends the run there, and all until then is kept."""
        try:
            for epoch in self.timeline.epochs():
                self.epochs.append(epoch)
                self.enter(epoch)
                self.through(epoch)
                if self.time == self.timeline.duration or self.time in self.timeline.refills:
                    self.record(self.time)
        except SolverStopped as error:
            self.stopped = SolverStopped(self.time, error.where, error.reason)
        return Trajectory(
            timeline=self.timeline, recorder=self.recorder, infusion=self.infusion, blood=self.blood,
            balance=balance_now(self.n, self.infusion, self.blood, self.ledger), end=self.time, steps=self.steps,
            stopped=self.stopped, pump_stopped_at=self.pump_stopped_at, epochs=self.epochs,
        )  # fmt: skip

    def enter(self, epoch: Epoch) -> None:
        """Alter the parts and refill at the start of an epoch."""
        if self.infusion is not None:
            self.infusion.refit(epoch.parts)
            if epoch.refill is not None:
                self.infusion.refill(epoch.refill)
        if self.blood is not None:
            self.blood.refit(epoch.parts)
        if epoch.start == 0.0:
            self.record(0.0)

    def target(self, epoch: Epoch) -> float:
        """The next time on which a step must land: an output, a change of the pump's own programme, the epoch's end."""
        output = self.output_every * (self.outputs + 1)
        change = epoch.parts.pump.next_change(self.time) if epoch.parts.pump is not None else inf
        return min(output, change, epoch.end)

    def infuse(self, parts: Parts, dt: float, tip_pressure: float) -> tuple[Floats, Floats]:
        """Advance pump and line by ``dt`` (s): amounts (n_substances,) into the artery, and absorbed from pockets."""
        if self.infusion is None:
            return np.zeros(self.n), np.zeros(self.n)
        outside = np.zeros(self.n) if self.blood is None else self.blood.tip_concentration()
        delivery = self.infusion.advance(self.time, dt, tip_pressure, outside)
        self._watch_pump(parts, delivery.flow.pump_flow, self.time + dt)
        return delivery.into_artery, delivery.absorbed

    def arrive(self, time: float) -> None:
        """A step has ended at ``time`` (s)."""
        self.recorder.watch(self.blood)
        self.time, self.steps = time, self.steps + 1
        if time >= self.output_every * (self.outputs + 1):
            self.outputs += 1
            self.record(time)
        elif self.every_step:
            self.record(time)

    def record(self, time: float) -> None:
        """Write down the present state."""
        self.recorder.sample(time, self.infusion, self.blood, self.ledger)
        if self.progress is not None:
            self.progress(time)

    def _watch_pump(self, parts: Parts, flow_rate: float, time: float) -> None:
        """Note when a pump that should deliver stops for good; one that comes back (a bolus held it up) has not."""
        assert self.infusion is not None
        if parts.pump is None:
            return
        drive, volume = parts.pump.drive, self.infusion.reservoir.volume
        free = drive.characteristic(volume, parts.surroundings, parts.infusate.viscosity, self.time)
        # A programme's low rate, or none, is no stop: what counts is what the drive means to give now.
        wanted = min(self.timeline.base.planned_rate, free.max_flow_rate)
        least = STOPPED_FRACTION if self.pump_stopped_at is None else RECOVERED_FRACTION
        if not parts.pump.stalled and flow_rate >= least * wanted:
            self.pump_stopped_at = None
        elif self.pump_stopped_at is None:
            at_once = parts.pump.stalled or self.time == 0.0
            self.pump_stopped_at = self.time if at_once else time
