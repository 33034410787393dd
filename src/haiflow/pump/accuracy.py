"""How well a flow kept to its plan: start-up curve and trumpet curve.

IEC 60601-2-24:2012 defines both for external pumps; its windows of minutes become hours to weeks for an
implant of 1 mL/day. The relative error of the volume over a window of length P at time t is

    E(t, P) = (V(t + P) - V(t)) / (r P) - 1,

and the trumpet is its largest and smallest value over all t. The flow is constant between the instants of the history,
so V is piecewise linear, E(., P) too, and the extremes lie where a window starts or ends on such an instant: they are
found exactly, where the standard takes them at its sampling steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haiflow.ports import Floats

HOUR, DAY = 3600.0, 86_400.0
WINDOWS = (HOUR, 6 * HOUR, DAY, 7 * DAY, 14 * DAY)  # s


@dataclass(frozen=True, eq=False)
class Trumpet:
    """Largest and smallest relative error for each window (s); nan where the window is longer than the history."""

    windows: Floats
    highest: Floats
    lowest: Floats
    overall: float  # relative error over the whole history


def start_up_curve(times: Floats, flow_rate: Floats, interval: float) -> tuple[Floats, Floats]:
    """Mean flow rate (m3/s) in successive intervals (s), with the time (s) at the end of each.

    ``times`` (n + 1,) s are the instants between which ``flow_rate`` (n,) m3/s is constant. A last interval that the
    history does not fill is left out.
    """
    volume = _delivered(times, flow_rate)
    count = int(np.floor((times[-1] - times[0]) / interval * (1.0 + 1e-12)))
    ends = times[0] + interval * np.arange(count + 1)
    return ends[1:], np.diff(np.interp(ends, times, volume)) / interval


def trumpet_curve(times: Floats, flow_rate: Floats, planned_rate: float, windows: Sequence[float] = WINDOWS) -> Trumpet:
    """The trumpet of a history (see :func:`start_up_curve`) against ``planned_rate`` (m3/s)."""
    volume = _delivered(times, flow_rate)
    span = times[-1] - times[0]
    extremes = [_extremes(times, volume, planned_rate, window) for window in windows]
    lowest, highest = np.array(extremes).T
    overall = float((volume[-1] - volume[0]) / (planned_rate * span) - 1.0)
    return Trumpet(np.asarray(windows, dtype=np.float64), highest, lowest, overall)


def _delivered(times: Floats, flow_rate: Floats) -> Floats:
    """(n + 1,) m3 delivered since the first instant; raises ValueError for a history that is none."""
    if times.size != flow_rate.size + 1 or times.size < 2 or np.any(np.diff(times) <= 0.0):
        raise ValueError("a history needs ascending instants, one more than flow rates")
    return np.concatenate([[0.0], np.cumsum(flow_rate * np.diff(times))])


def _extremes(times: Floats, volume: Floats, planned_rate: float, window: float) -> tuple[float, float]:
    last = times[-1] - window
    if last < times[0] - 1e-12 * window:
        return float("nan"), float("nan")
    starts = np.concatenate([times, times - window, [last]])
    starts = np.clip(starts, times[0], max(last, times[0]))
    error = (np.interp(starts + window, times, volume) - np.interp(starts, times, volume)) / (planned_rate * window)
    return float(error.min() - 1.0), float(error.max() - 1.0)
