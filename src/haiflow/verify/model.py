"""What a case finds: figures with the interval that they must lie in, curves to look at, and where they come from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from haiflow.ports import Floats

CODE, VALIDATION, WEAK = "code verification", "validation", "weak validation"


@dataclass(frozen=True)
class Rival:
    """What a wrong model gives for a measured figure: a comparison that it passes cannot tell it from the right one."""

    says: str
    result: float


@dataclass(frozen=True)
class Figure:
    """One number: ``result`` must lie in [``low``, ``high``]; ``reference`` is the exact or published value.

    A quantity whose name starts with "order" is an observed order of convergence. A ``stated`` figure is shown and
    counted as met or not met, and does not decide its case. ``rivals`` are wrong models held against the same interval.
    """

    quantity: str
    result: float
    low: float
    high: float
    reference: float | None = None
    note: str = ""
    rivals: tuple[Rival, ...] = ()
    stated: bool = False

    @property
    def passed(self) -> bool:
        """False for NaN, too."""
        return bool(self.low <= self.result <= self.high)

    def lets_pass(self, rival: Rival) -> bool:
        return self.low <= rival.result <= self.high

    @property
    def is_order(self) -> bool:
        return self.quantity.startswith("order")

    @property
    def error(self) -> float | None:
        """Result less reference, of the reference where that is not zero; None without one, and for an order."""
        if self.reference is None or self.is_order:
            return None
        return (self.result - self.reference) / (abs(self.reference) or 1.0)


@dataclass(frozen=True)
class Curve:
    """``y`` (n,) over ``x`` (n,); ``known`` ones are the reference. A band lies between ``low`` and ``high`` (n,)."""

    name: str
    x: Floats
    y: Floats
    known: bool = False
    low: Floats | None = None
    high: Floats | None = None


@dataclass(frozen=True)
class Plot:
    """Curves that belong together; ``log`` names the logarithmic axes ("", "x", "y" or "xy")."""

    title: str
    x: str
    y: str
    curves: tuple[Curve, ...]
    log: str = ""


Found = Sequence[Figure | Plot]


@dataclass(frozen=True)
class Case:
    """A case: what it shows, where its answer comes from, and the function that solves it.

    ``slow`` ones take minutes and run only when they are named, or with ``--slow``. ``evidence`` says whether the
    equations are shown to be solved (exact solutions, converged benchmarks) or to describe what was measured, and this
    ``WEAK`` where a wrong model passes too; ``limits`` is what the case does not show. ``needs``: a module of an extra.
    """

    name: str
    shows: str
    source: str
    run: Callable[[], Found]
    slow: bool = False
    evidence: str = CODE
    limits: str = ""
    needs: str = ""

    @property
    def runnable(self) -> bool:
        """Whether what it needs is installed."""
        return not self.needs or find_spec(self.needs) is not None


def within(quantity: str, result: float, reference: float, tolerance: float, note: str = "") -> Figure:
    """A figure that may differ from its reference by a relative ``tolerance``."""
    room = abs(reference) * tolerance
    return Figure(quantity, float(result), reference - room, reference + room, float(reference), note)


def at_most(quantity: str, error: float, bound: float, note: str = "") -> Figure:
    """An error, taken without its sign, that may be as large as ``bound``."""
    return Figure(quantity, abs(float(error)), 0.0, bound, None, note)


def order(quantity: str, errors: Sequence[float], ratio: float, least: float, expected: float) -> Figure:
    """The observed order between the last two of ``errors``, on steps or cells finer by ``ratio`` each time."""
    observed = math.log(errors[-2] / errors[-1]) / math.log(ratio)
    return Figure(f"order of {quantity}", observed, least, math.inf, expected)
