"""The inflow over one cardiac cycle: a shape given at a few instants, made periodic, smooth and of the wanted mean.

The shapes themselves are data (``library/waveforms``) or the user's own.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

from haiflow.arteries.tree import Inlet
from haiflow.errors import InputError
from haiflow.ports import Floats

SAMPLES = 512  # of the inflow over a cycle


def periodic_samples(times: Floats, values: Floats, samples: int = SAMPLES) -> Floats:
    """(samples,) values at equal steps over one cycle of a shape given at ``times``, shares of the cycle in [0, 1).

    A periodic cubic spline through the points; straight lines where there are fewer than four.
    """
    at = np.arange(samples) / samples
    if times.size < 4:
        return np.interp(at, times, values, period=1.0)
    spline = CubicSpline(np.append(times, times[0] + 1.0), np.append(values, values[0]), bc_type="periodic")
    return np.asarray(spline(times[0] + (at - times[0]) % 1.0))


def shaped_inlet(node: str, kind: str, mean: float, heart_rate: float, times: Floats, values: Floats) -> Inlet:
    """An inlet of ``mean`` flow rate (m3/s) or pressure (Pa) at ``heart_rate`` (1/s), with the shape of ``values`` at
    ``times``, shares of the cycle.

    Raises :class:`InputError` for a shape that is not finite or whose mean is not positive.
    """
    shape = periodic_samples(np.asarray(times, dtype=float), np.asarray(values, dtype=float))
    average = float(shape.mean())
    if not (np.all(np.isfinite(shape)) and average > 1e-12 * float(np.abs(shape).max())):
        raise InputError(
            "arteries.inflow.waveform", list(np.asarray(values)), "a waveform is finite and its mean is positive",
            "give the flow over one cycle",
        )  # fmt: skip
    return Inlet(node, kind, 1.0 / heart_rate, mean * shape / average)
