"""Sums that do not drift: what rounding leaves out of one addition goes into the next (Kahan 1965, CACM 8:40).

A plain running total of N terms is off by up to N/2 units of its last place, in one direction where the terms are
alike, and a steady run of 1e7 steps has 1e7 terms alike. Here a total is off by one such unit however long the run. The
remainder of each addition is found without branches (Knuth, The Art of Computer Programming 2, 4.2.2, theorem B), and
so whichever of total and term is the larger.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from haiflow.numerics.field import FieldSystem
from haiflow.numerics.joint import JointSystem, Step
from haiflow.ports import Floats

ROUNDING = 64.0 * float(np.finfo(np.float64).eps)  # of what is held and moved: what a step of a solver may round off


class Totals:
    """Running totals as attributes: numbers or arrays of fixed shape, named in the class that has them."""

    def open(self, **starts: Any) -> None:
        """Begin each named total with a value."""
        kept = self.__dict__.setdefault("_left", {})
        for name, start in starts.items():
            setattr(self, name, start)
            kept[name] = 0.0

    def book(self, name: str, amount: Any) -> None:
        """Add to a total. The array that it was is left as it is: whoever read it keeps what they read."""
        total = getattr(self, name)
        term = amount + self._left[name]
        new = total + term
        added = new - total
        self._left[name] = (total - (new - added)) + (term - added)
        setattr(self, name, new)

    _left: dict[str, Any]


class Holding(Totals):
    """What some places should hold, (n_substances,), from what went in and out of them: ``due``.

    A solver's step rounds what it holds by some units of the last place, always the same way where steps are alike.
    Handing that remainder back to what is held, step by step, is Kahan's sum carried through a solver.
    """

    due: Floats

    def __init__(self, held: Floats) -> None:
        self.open(due=held)

    def remainder(self, entered: Floats, held: Floats, moved: Floats) -> Floats:
        """What to add to ``held`` (n_substances,) after a step into which ``entered`` went, net.

        ``moved``: all that changed its place within the step. A remainder that rounding cannot explain is a part that
        disagrees with another: nothing is added for it, and the imbalance of the ledger shows it.
        """
        self.book("due", entered)
        rest = self.due - held
        explained = np.abs(rest) <= ROUNDING * (np.abs(held) + moved)
        if not explained.all():
            self.open(due=np.where(explained, self.due, held))
        return np.where(explained, rest, 0.0)

    def settled(
        self, systems: Sequence[JointSystem | FieldSystem], steps: Sequence[Step], entered: Floats
    ) -> list[Floats]:
        """Concentrations of each substance after its step, its largest amount with the remainder handed back."""
        both = list(zip(systems, steps, strict=True))
        amounts = [system.volume * step.c_new for system, step in both]
        held = np.array([amount.sum() for amount in amounts])
        moved = np.array([system.moved(step.exposure) for system, step in both])
        for (system, step), amount, rest in zip(both, amounts, self.remainder(entered, held, moved), strict=True):
            largest = int(np.argmax(amount))
            step.c_new[largest] += rest / system.volume[largest]
        return [step.c_new for step in steps]
