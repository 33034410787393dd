"""A table of time and value over one cardiac cycle, as a scenario's waveform: mean, shape and heart rate.

The peers join their points by straight lines, haiflow by a smooth curve: points are added on the lines, so that the two
differ by little. The mean is that of the lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from haiflow.errors import InputError
from haiflow.scenario.imports.findings import Findings

ENOUGH = 256  # points that a smooth curve needs to follow straight lines
MOST = 10_000
SHORTEST, LONGEST = 0.1, 6.0  # s, of a cardiac cycle in a scenario
STEADY = 1e-12  # of the largest value
STEADY_PERIOD = 1.0  # s
JUMP = 1e-2  # of the range, where the last value should be the first


@dataclass(frozen=True)
class Cycle:
    """``values`` at ``times`` (s, from 0 to below ``period``), and their mean; one value where it is steady."""

    times: tuple[float, ...]
    values: tuple[float, ...]
    period: float
    mean: float

    @property
    def shape(self) -> tuple[float, ...]:
        """Values over their mean."""
        return tuple(value / self.mean for value in self.values)


def cycle(
    times: list[float], values: list[float], place: str, findings: Findings, key: str, period: float | None = None
) -> Cycle:
    """The cycle that a table gives, from its first time to its last (or over ``period``)."""
    if len(times) != len(values) or not times:
        rule = f"{len(times)} times and {len(values)} values"
        raise InputError(place, key, rule, "give each time a value")
    if any(not a < b for a, b in pairwise(times)):
        first = next(a for a, b in pairwise(times) if not a < b)
        raise InputError(place, f"{first:g}", "times must rise", "sort them, and give each once")
    if max(values) - min(values) <= STEADY * max(abs(value) for value in values):
        return Cycle((0.0,), (values[0],), period or STEADY_PERIOD, values[0])
    if period is None and len(times) < 3:
        rule = "two points are no cycle"
        raise InputError(place, f"{len(times)} points", rule, "give the values over one cycle, start to end")
    ends = times[-1] - times[0] if period is None else period
    return _whole_cycle([t - times[0] for t in times], values, ends, place, findings, key)


def _whole_cycle(
    times: list[float], values: list[float], period: float, place: str, findings: Findings, key: str
) -> Cycle:
    if not SHORTEST <= period <= LONGEST:
        rule = f"a cardiac cycle lasts from {SHORTEST:g} to {LONGEST:g} s"
        raise InputError(place, f"{period:g} s", rule, "give the table over one cycle, in seconds")
    if times[-1] > period * (1.0 + 1e-9):
        findings.add(key, f"{times[-1]:g} s", f"the table is longer than the cycle of {period:g} s: its end is cut")
        kept = [(t, v) for t, v in zip(times, values, strict=True) if t <= period * (1.0 + 1e-9)]
        times, values = [t for t, _ in kept], [v for _, v in kept]
    if times[-1] >= period * (1.0 - 1e-9):
        if abs(values[-1] - values[0]) > JUMP * (max(values) - min(values)):
            consequence = f"is not the first value ({values[0]:.6g}), which takes its place: a cycle ends as it starts"
            findings.add(key, values[-1], consequence)
        times, values = times[:-1], values[:-1]
    return _filled(times, values, period)


def _filled(times: list[float], values: list[float], period: float) -> Cycle:
    """With points on the straight lines between those given, where they are few."""
    around = [*times, period], [*values, values[0]]
    spans = list(zip(pairwise(around[0]), pairwise(around[1]), strict=True))
    mean = sum((b - a) * 0.5 * (u + v) for (a, b), (u, v) in spans) / period
    parts = min(-(-ENOUGH // len(times)), max(MOST // len(times), 1))
    filled = [
        (a + (b - a) * part / parts, u + (v - u) * part / parts) for (a, b), (u, v) in spans for part in range(parts)
    ]
    return Cycle(tuple(t for t, _ in filled), tuple(v for _, v in filled), period, mean)


def mean_of(times: list[float], values: list[float]) -> float:
    """Mean over time of straight lines through a table; of one value, itself."""
    if len(values) < 2 or times[-1] <= times[0]:
        return values[0]
    spans = zip(pairwise(times), pairwise(values), strict=True)
    return sum((b - a) * 0.5 * (u + v) for (a, b), (u, v) in spans) / (times[-1] - times[0])
