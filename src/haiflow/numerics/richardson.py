"""The error of one figure from three levels of cells or steps: Richardson's extrapolation and grid convergence index.

With values f_1 (coarse), f_2, f_3 (fine), each level finer by r, and R = (f_3 - f_2) / (f_2 - f_1):

    0 < R < 1 monotone:  p = -ln R / ln r,  f = f_3 + (f_3 - f_2) / (r^p - 1),  uncertainty of level k = F |f_k - f|

F = 1.25 where p lies within a half of the scheme's own order, which is as near as three levels come to showing the
asymptotic range; elsewhere F = 3, and p is not taken beyond the scheme's order nor below a half (Roache 1998; Oberkampf
& Roy 2010, ch. 8). Where R < 0 the values oscillate, where R >= 1 they do not converge: nothing is extrapolated, and
three times their range is taken (after Eca & Hoekstra 2014, J Comput Phys 262:104, who take the range times three).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, log

SURE, UNSURE = 1.25, 3.0  # safety factors
NEAR, LEAST = 0.5, 0.5  # from the scheme's order; smallest order that is extrapolated with
ROUND_OFF = 1e-9  # of the value
STATES = (
    "does not change", "below the iteration's error", "asymptotic", "monotone, not asymptotic", "oscillating",
    "not converging", "not a number",
)  # fmt: skip


@dataclass(frozen=True)
class Convergence:
    """``state`` is one of :data:`STATES`; ``order`` and ``extrapolated`` are None where nothing can be said of them.
    ``uncertainty``: of the value at the level that was asked for, in its unit."""

    state: str
    order: float | None
    extrapolated: float | None
    uncertainty: float


def convergence(
    values: Sequence[float], *, level: int = 1, ratio: float = 2.0, formal: float = 2.0, noise: float = 0.0
) -> Convergence:
    """What three ``values`` from coarse to fine say of the one at ``level`` (0, 1 or 2).

    ``formal``: the scheme's order; ``noise``: the change by which each value may be off anyhow."""
    if not all(map(isfinite, values)):
        return Convergence(STATES[6], None, None, inf)
    first, last = values[1] - values[0], values[2] - values[1]
    spread = max(values) - min(values)
    if spread <= ROUND_OFF * max(map(abs, values)):
        return Convergence(STATES[0], None, None, spread)
    if spread <= noise:
        return Convergence(STATES[1], None, None, UNSURE * spread)
    if first == 0.0 or abs(last) >= abs(first):
        return Convergence(STATES[5], None, None, UNSURE * spread)
    if last == 0.0 or last / first < 0.0:
        return Convergence(STATES[4], None, None, UNSURE * spread)
    return _monotone(values, first, last, level, ratio, formal)


def _monotone(
    values: Sequence[float], first: float, last: float, level: int, ratio: float, formal: float
) -> Convergence:
    order = -log(last / first) / log(ratio)
    sure = abs(order - formal) <= NEAR
    used = order if sure else min(max(order, LEAST), formal)
    exact = values[2] + last / (ratio**used - 1.0)
    factor = SURE if sure else UNSURE
    return Convergence(STATES[2] if sure else STATES[3], order, exact, factor * abs(values[level] - exact))
