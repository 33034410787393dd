"""What a case finds: figures with the interval that they must lie in, and where that comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One number: ``result`` must lie in [``low``, ``high``]; ``reference`` is the exact or published value."""

    quantity: str
    result: float
    low: float
    high: float
    reference: float | None = None
    note: str = ""

    @property
    def passed(self) -> bool:
        """False for NaN, too."""
        return bool(self.low <= self.result <= self.high)


def within(quantity: str, result: float, reference: float, tolerance: float, note: str = "") -> Figure:
    """A figure that may differ from its reference by a relative ``tolerance``."""
    room = abs(reference) * tolerance
    return Figure(quantity, result, reference - room, reference + room, reference, note)


@dataclass(frozen=True)
class Case:
    """A case: what it shows, where its answer comes from, and the function that solves it.

    ``slow`` ones take minutes and run only when they are named, or with ``--slow``.
    """

    name: str
    shows: str
    source: str
    run: Callable[[], list[Figure]]
    slow: bool = False
