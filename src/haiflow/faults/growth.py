"""How a fault grows from its onset to its final severity.

With u = (t - onset) / over:

- ``step``: all at the onset (also what ``over`` = 0 means).
- ``linear``: final u.
- ``logistic``: the S of a clot that feeds on itself, final (s(u) - s(0)) / (s(1) - s(0)) with
  s(u) = 1 / (1 + exp(-STEEPNESS (u - 1/2))), so that it starts at zero and ends at the final severity exactly.

YAML: ``{kind: occlusion, ..., severity: 1.0, onset: 10 d, over: 3 d, law: logistic}``
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp

STEEPNESS = 10.0


def _step(u: float) -> float:
    return 1.0


def _linear(u: float) -> float:
    return u


def _logistic(u: float) -> float:
    low = 1.0 / (1.0 + exp(0.5 * STEEPNESS))
    return (1.0 / (1.0 + exp(-STEEPNESS * (u - 0.5))) - low) / (1.0 - 2.0 * low)


LAWS: dict[str, Callable[[float], float]] = {"step": _step, "linear": _linear, "logistic": _logistic}


def severity(time: float, *, onset: float, over: float = 0.0, law: str = "linear", final: float = 1.0) -> float:
    """Severity at ``time`` (s) of a fault that starts at ``onset`` (s) and takes ``over`` (s); 0 before the onset.

    From ``onset + over`` on it is ``final`` exactly. Raises KeyError for an unknown law.
    """
    growth = LAWS[law]
    if time < onset:
        return 0.0
    if time >= onset + over:
        return final
    return final * growth((time - onset) / over)
