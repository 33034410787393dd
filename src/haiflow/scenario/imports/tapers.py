"""A course of radius as linear tapers: cut where a straight line is more than a few per cent off."""

from __future__ import annotations

from typing import Any

import numpy as np

from haiflow.numerics.cone import mean_inverse_fourth

TOLERANCE = 0.05  # of the radius
SHORTEST = 1.0  # radii, of a piece


def pieces(abscissa: Any, radius: Any) -> tuple[list[int], float]:
    """Indices at which to cut (first and last included), and how far the resistance of the pieces is from all points'.

    Douglas & Peucker (1973, Cartographica 10:112) on the radius along the line: the point that is farthest off, in
    relation to its radius, becomes an end of two pieces; no piece gets shorter than a radius.
    """
    cuts, waiting = {0, len(radius) - 1}, [(0, len(radius) - 1)]
    while waiting:
        first, last = waiting.pop()
        worst = _worst(abscissa, radius, first, last)
        if worst is not None:
            cuts.add(worst)
            waiting += [(first, worst), (worst, last)]
    found = sorted(cuts)
    exact = _resistance(abscissa, radius)
    return found, abs(_resistance(abscissa[found], radius[found]) / exact - 1.0)


def _worst(abscissa: Any, radius: Any, first: int, last: int) -> int | None:
    """The point farthest off a straight line, where it is off enough and far enough from both ends."""
    inner = np.arange(first + 1, last)
    line = np.interp(abscissa[inner], abscissa[[first, last]], radius[[first, last]])
    room = np.minimum(abscissa[inner] - abscissa[first], abscissa[last] - abscissa[inner])
    off = np.where(room >= SHORTEST * radius[inner], np.abs(radius[inner] / line - 1.0), 0.0)
    if inner.size == 0 or off.max() <= TOLERANCE:
        return None
    return int(inner[int(np.argmax(off))])


def _resistance(abscissa: Any, radius: Any) -> float:
    """Integral of ``1 / r^4`` over linear tapers."""
    return float(np.sum(np.diff(abscissa) * mean_inverse_fourth(radius[:-1], radius[1:])))
