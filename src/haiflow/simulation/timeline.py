"""When what happens: the run cut into epochs at refills, boluses, faults and changes of the patient.

Within an epoch every part is constant, and a simulation lands exactly on its ends. Growing faults come in levels, each
a :class:`~haiflow.simulation.parts.Change` of its own that replaces the level before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from haiflow.simulation.parts import Change, Parts, Refill


@dataclass(frozen=True)
class Epoch:
    """From ``start`` to ``end`` (s) the ``parts`` do not change; ``refill`` is done at its start."""

    start: float
    end: float
    parts: Parts
    refill: Refill | None


@dataclass(frozen=True)
class Timeline:
    """The parts as they are at time zero, and all that happens to them until ``duration`` (s)."""

    base: Parts
    duration: float
    changes: tuple[Change, ...] = ()
    refills: dict[float, Refill] = field(default_factory=dict)

    def parts_at(self, time: float) -> Parts:
        """All changes up to and including ``time``, the latest of each key, applied in the order in which they began.

        The order of the scenario's lines says nothing, except between changes that begin at the same time.
        """
        latest: dict[str, Change] = {}
        for change in sorted(self.changes, key=lambda change: change.time):
            if change.time <= time:
                latest[change.key] = change  # keeps the key's place, which is that of its first change
        parts = self.base
        for change in latest.values():
            parts = change.function(parts)
        return parts

    def events(self) -> list[float]:
        """Times (s), sorted and distinct, at which something happens inside the run."""
        times = {change.time for change in self.changes} | set(self.refills)
        return sorted(time for time in times if 0.0 < time < self.duration)

    def epochs(self) -> Iterator[Epoch]:
        """The run in order, epoch by epoch."""
        times = [0.0, *self.events(), self.duration]
        for start, end in pairwise(times):
            yield Epoch(start, end, self.parts_at(start), self.refills.get(start))

    def without(self, keys: set[str]) -> Timeline:
        """The same run in which the changes of these keys never happen: the twin to compare with."""
        kept = tuple(change for change in self.changes if change.key not in keys)
        return Timeline(self.base, self.duration, kept, self.refills)
