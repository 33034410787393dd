"""The pulse clock: seconds to minutes, resolved in the cardiac cycle."""

from __future__ import annotations

from haiflow.simulation.clock import Clock
from haiflow.simulation.parts import Parts
from haiflow.simulation.stream import EXCHANGES, Stream
from haiflow.simulation.timeline import Epoch

SECONDS_WITHOUT_ARTERIES = 5e-3  # s: exchanges of a line alone


class PulseClock(Clock):
    """A run in exchanges of a hundredth of a cardiac cycle, on the pulsatile flow's own steps within them."""

    blood: Stream | None

    def bloodstream(self, parts: Parts) -> Stream | None:
        return Stream(parts, self.flow) if self.flow is not None and parts.tree is not None else None

    def through(self, epoch: Epoch) -> None:
        """One epoch, exchange by exchange."""
        while self.time < epoch.end:
            target = self.target(epoch)
            if self.blood is None:
                end = min(self.time + SECONDS_WITHOUT_ARTERIES, target)
                self.infuse(epoch.parts, end - self.time, epoch.parts.artery_pressure)
                self.arrive(end)
                continue
            end = min(self.time + self.blood.cycle.period / EXCHANGES, target)
            self._exchange(epoch, self.blood, end)

    def _exchange(self, epoch: Epoch, stream: Stream, end: float) -> None:
        """From now to ``end`` (s): the blood moves, the line answers, the arteries carry."""
        assert stream.metronome is not None
        for block in stream.metronome.until(end):
            dt = block.dt * len(block.face_flux)
            into_artery, absorbed = self.infuse(epoch.parts, dt, stream.tip_pressure(block))
            stream.carry(block, into_artery, absorbed)
            self.time += dt
        self.arrive(end)
