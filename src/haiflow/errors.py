"""Errors that say where, what, which rule, and what to do.

An :class:`InputError` is the user's to mend (exit code 2) and has four parts: place, value, rule, remedy. A
:class:`SolverStopped` is a run that ended early (exit code 3): what was computed until then is kept and marked.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST, LONGEST_WORD = 300, 60  # letters


def one_line(given: object, most: int | None = None) -> str:
    """Text from a file as a message may show it: on one line, of at most some letters, and nothing that moves a
    terminal's cursor or turns its letters round."""
    text = str(given) if str(given).strip() else f"'{given!s}'"
    shown = text if most is None else text[: most + 1]
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in shown)
    return shown if most is None or len(shown) <= most else f"{shown[: most - 22]}... ({len(text)} letters)"


class HaiflowError(Exception):
    """Base of all errors that haiflow raises on purpose."""


class InputError(HaiflowError):
    """One thing wrong in what the user gave.

    Parameters are the four parts: ``place`` (``scenario.yaml:12:19: catheter.length``), ``value`` as given, the
    ``rule`` that it breaks, and the ``remedy``. Of a value :data:`LONGEST` letters are kept, of one that is a single
    word, no path, :data:`LONGEST_WORD`.
    """

    def __init__(self, place: str, value: object, rule: str, remedy: str) -> None:
        self.place, self.rule, self.remedy = place, rule, remedy
        self.value = one_line(value, LONGEST if set(str(value)) & set(" /\\") else LONGEST_WORD)
        super().__init__(f"{one_line(place, LONGEST)}: {self.value}: {one_line(rule)}; {one_line(remedy)}")


class InputErrors(InputError):
    """Several input errors at once, in the order of their places."""

    def __init__(self, errors: Iterable[InputError]) -> None:
        self.errors = tuple(errors)
        first = self.errors[0]
        super().__init__(first.place, first.value, first.rule, first.remedy)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class SolverStopped(HaiflowError):
    """A solver cannot go on: at ``time_s`` (s), in ``where`` (vessel, cell, part), because of ``reason``."""

    def __init__(self, time_s: float, where: str, reason: str) -> None:
        self.time_s, self.where, self.reason = time_s, where, reason
        super().__init__(f"stopped at t = {time_s:.6g} s in {where}: {reason}")


class BatchStopped(HaiflowError):
    """A batch that cannot go on (a full disk, a lost cluster); all that is complete is kept."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A remedy for a misspelt name: the nearest known one, or all of them."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else f"use one of: {', '.join(names)}"
