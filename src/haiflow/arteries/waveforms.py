"""Shapes of the flow over one cardiac cycle, normalised to a mean of 1.

A shape is a Fourier series ``w(t) = 1 + sum a_k cos(2 pi k t / T) + b_k sin(2 pi k t / T)``. The coefficients of
"hepatic-artery" and "aorta" were fitted to curves drawn by hand and come from no patient: the first to a forward-only
flow with its peak at 0.14 T and a resistive index (peak - least) / peak of 0.62, inside the 0.55 to 0.70 usual for
hepatic arteries; the second to ejection over a third of the cycle with a short backflow at valve closure. [assumed]
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from haiflow.arteries.tree import Inlet
from haiflow.errors import InputError, nearest
from haiflow.ports import Floats

HEPATIC_COS = (-0.0434, -0.1170, -0.1047, -0.0648, -0.0309, -0.0050, 0.0019, 0.0046)
HEPATIC_SIN = (0.3504, 0.1478, 0.0321, -0.0136, -0.0305, -0.0218, -0.0111, -0.0035)
AORTA_COS = (0.9190, -0.6552, -0.7620, -0.2129, -0.2126, -0.1170, 0.0258, -0.0043, 0.0229, 0.0237, -0.0032, 0.0013)
AORTA_SIN = (1.5730, 1.1956, 0.0550, -0.1208, -0.0287, -0.1730, -0.0866, -0.0351, -0.0391, 0.0066, 0.0056, -0.0022)
EJECTION = 0.35  # share of the cycle, of the half sine


def fourier(cosines: tuple[float, ...], sines: tuple[float, ...]) -> Callable[[Floats], Floats]:
    """The series with mean 1 as a function of time in cycles."""
    order = np.arange(1, len(cosines) + 1)

    def shape(cycles: Floats) -> Floats:
        angle = 2.0 * np.pi * np.multiply.outer(np.asarray(cycles, dtype=float), order)
        return 1.0 + np.cos(angle) @ np.array(cosines) + np.sin(angle) @ np.array(sines)

    return shape


def _half_sine(cycles: Floats) -> Floats:
    phase = np.mod(np.asarray(cycles, dtype=float), 1.0)
    return np.where(phase < EJECTION, 0.5 * np.pi / EJECTION * np.sin(np.pi * phase / EJECTION), 0.0)


def _constant(cycles: Floats) -> Floats:
    return np.ones_like(np.asarray(cycles, dtype=float))


WAVEFORMS: dict[str, Callable[[Floats], Floats]] = {
    "constant": _constant,
    "half-sine": _half_sine,
    "hepatic-artery": fourier(HEPATIC_COS, HEPATIC_SIN),
    "aorta": fourier(AORTA_COS, AORTA_SIN),
}


def waveform(shape: str | Floats, samples: int = 100) -> Floats:
    """(samples,) values at equal steps over one cycle, mean exactly 1.

    ``shape`` is a name of :data:`WAVEFORMS` or the user's own samples, which are kept in number and only divided by
    their mean. Raises :class:`InputError` for an unknown name, a sample that is not finite, or a mean of zero.
    """
    if isinstance(shape, str):
        if shape not in WAVEFORMS:
            raise InputError("arteries.inflow.waveform", shape, "unknown waveform", nearest(shape, WAVEFORMS))
        values = WAVEFORMS[shape](np.arange(samples) / samples)
    else:
        values = np.asarray(shape, dtype=float)
    mean = float(np.mean(values)) if values.ndim == 1 and len(values) else np.nan
    if not np.isfinite(mean) or abs(mean) <= 1e-12 * float(np.abs(values).max()):
        raise InputError("arteries.inflow.waveform", shape, "samples are finite and their mean is not zero",
                         "give the flow over one cycle, at least one sample")
    return values / mean


def resistive_index(values: Floats) -> float:
    """(peak systolic - end diastolic) / peak systolic."""
    return float((np.max(values) - np.min(values)) / np.max(values))


def flow_inlet(node: str, mean: float, heart_rate: float, shape: str | Floats = "hepatic-artery") -> Inlet:
    """An inlet of ``mean`` flow rate (m3/s) at ``heart_rate`` (1/s, beats per second)."""
    return Inlet(node, "flow_rate", 1.0 / heart_rate, mean * waveform(shape))
