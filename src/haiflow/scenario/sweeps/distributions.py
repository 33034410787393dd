"""Distributions with units: from a share in (0, 1) to a value as the scenario's key takes it.

Every design, plain random or low-discrepancy or that of a sensitivity study, is a table of shares; a distribution's
quantile function turns a column of it into values.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from haiflow.scenario.problems import Problems
from haiflow.scenario.read import KeyPath
from haiflow.scenario.schema.sweep import Choice, Lognormal, Normal, Triangular, Uniform
from haiflow.units import UnitError, difference_in, number_in, unit_of

GAUSS = NormalDist()
DIGITS = 12  # of a drawn number: more than any tolerance means, and the same text on every machine
TAIL = 1e-12
Given = Uniform | Triangular | Normal | Lognormal | Choice


@dataclass(frozen=True)
class Drawn:
    """A distribution ready to draw from; ``unit`` is that of its numbers ("" for numbers without)."""

    unit: str
    quantile: Callable[[float], Any]
    categories: tuple[Any, ...] = ()  # of a choice

    def value(self, share: float) -> Any:
        """The value at ``share`` of the probability, as a scenario would have it."""
        found = self.quantile(min(max(share, TAIL), 1.0 - TAIL))
        if self.categories:
            return found
        number = float(f"{found:.{DIGITS}g}")
        return f"{number!r} {self.unit}" if self.unit else number


def ready(problems: Problems, path: KeyPath, given: Given) -> Drawn | None:
    """``given`` with its values read; None where something is wrong with it, which ``problems`` are told."""
    try:
        return BY_KIND[given.kind](given)
    except _Wrong as wrong:
        problems.add((*path, wrong.key), wrong.value, wrong.rule, wrong.remedy)
    except UnitError as error:
        problems.add(path, error.value, error.rule, error.remedy)
    return None


class _Wrong(Exception):
    def __init__(self, key: str, value: object, rule: str, remedy: str) -> None:
        self.key, self.value, self.rule, self.remedy = key, value, rule, remedy
        super().__init__(rule)


def _uniform(given: Uniform) -> Drawn:
    unit = unit_of(given.from_)
    low, high = number_in(given.from_, unit), number_in(given.to, unit)
    if not low < high:
        raise _Wrong("to", given.to, "must be above 'from'", "swap the two")
    return Drawn(unit, lambda share: low + (high - low) * share)


def _triangular(given: Triangular) -> Drawn:
    unit = unit_of(given.from_)
    low, mode, high = (number_in(each, unit) for each in (given.from_, given.mode, given.to))
    if not (low <= mode <= high and low < high):
        raise _Wrong("mode", given.mode, "must lie between 'from' and 'to'", "put the three in order")
    turn = (mode - low) / (high - low)

    def quantile(share: float) -> float:
        if share < turn:
            return low + math.sqrt(share * (high - low) * (mode - low))
        return high - math.sqrt((1.0 - share) * (high - low) * (high - mode))

    return Drawn(unit, quantile)


def _normal(given: Normal) -> Drawn:
    unit = unit_of(given.mean)
    mean, sd = number_in(given.mean, unit), difference_in(given.sd, unit)
    if not sd > 0.0:
        raise _Wrong("sd", given.sd, "a standard deviation is above zero", "give e.g. a hundredth of the mean")
    return Drawn(unit, _truncated(given, unit, lambda score: mean + sd * score, lambda value: (value - mean) / sd))


def _lognormal(given: Lognormal) -> Drawn:
    unit = unit_of(given.median)
    median, spread = number_in(given.median, unit), math.sqrt(math.log1p(given.cv**2))
    if not median > 0.0:
        raise _Wrong("median", given.median, "must be above zero", "use kind: normal for what may be negative")
    return Drawn(
        unit,
        _truncated(
            given,
            unit,
            lambda score: median * math.exp(spread * score),
            lambda value: math.log(value / median) / spread if value > 0.0 else -math.inf,
        ),
    )


def _truncated(
    given: Normal | Lognormal, unit: str, value: Callable[[float], float], score: Callable[[float], float]
) -> Callable[[float], float]:
    """The quantile function between the bounds that are given."""
    least = -math.inf if given.at_least is None else number_in(given.at_least, unit)
    most = math.inf if given.at_most is None else number_in(given.at_most, unit)
    low = 0.0 if given.at_least is None else GAUSS.cdf(score(least))
    high = 1.0 if given.at_most is None else GAUSS.cdf(score(most))
    if not high - low > 1e-6:
        raise _Wrong("at_most", given.at_most, "next to nothing lies between the bounds", "widen them")
    return lambda share: min(max(value(GAUSS.inv_cdf(low + (high - low) * share)), least), most)


def _choice(given: Choice) -> Drawn:
    weights = given.of if isinstance(given.of, dict) else [1.0] * len(given.of)
    values = list(given.of)
    parts = list(weights.values()) if isinstance(weights, dict) else weights
    total = sum(parts)
    if not total > 0.0:
        raise _Wrong("of", given.of, "the weights sum to nothing", "give one of them a weight")

    def quantile(share: float) -> Any:
        reached = 0.0
        for value, weight in zip(values, parts, strict=True):
            reached += weight / total
            if share < reached and weight > 0.0:
                return value
        return next(value for value, weight in zip(reversed(values), reversed(parts), strict=True) if weight > 0.0)

    return Drawn("", quantile, tuple(values))


BY_KIND: dict[str, Callable[[Any], Drawn]] = {
    "uniform": _uniform,
    "triangular": _triangular,
    "normal": _normal,
    "lognormal": _lognormal,
    "choice": _choice,
}
