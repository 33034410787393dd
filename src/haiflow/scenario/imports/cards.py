"""The lines of a svOneDSolver deck: cards of words, data tables, included files; every card with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from haiflow.errors import InputError, nearest, one_line
from haiflow.scenario.imports.files import beside, deck_text
from haiflow.scenario.imports.keys import MOST_WHOLE, as_number

CARDS = {  # name -> fewest and most words after it
    "MODEL": (1, 1), "NODE": (4, 4), "JOINT": (4, 4), "JOINTINLET": (2, 10_000), "JOINTOUTLET": (2, 10_000),
    "SEGMENT": (16, 16), "SOLVEROPTIONS": (9, 9), "MATERIAL": (7, 11), "DATATABLE": (2, 2), "OUTPUT": (1, 2),
    "COUPLING": (3, 3), "INCLUDE": (2, 2),
}  # fmt: skip
MOST_INCLUDED = 100
LONGEST = 60  # letters of a word in a message


@dataclass(frozen=True)
class Card:
    """One line: its ``name`` in capitals, the ``words`` after it, its ``place``; of a table its ``rows`` of numbers."""

    name: str
    words: tuple[str, ...]
    place: str
    rows: tuple[float, ...] = ()

    def number(self, index: int, what: str, *, above: float | None = None) -> float:
        """A word as a finite number."""
        value = as_number(self.words[index])
        if value is None:
            raise self.error(self.words[index], f"the {what} is a number", "write e.g. 0.35")
        if above is not None and not value > above:
            raise self.error(self.words[index], f"the {what} must be above {above:g}", "change it")
        return value

    def whole(self, index: int, what: str) -> int:
        value = self.number(index, what)
        if not value.is_integer() or abs(value) >= MOST_WHOLE:
            raise self.error(self.words[index], f"the {what} is a whole number below {MOST_WHOLE:g}", "write e.g. 2")
        return int(value)

    def error(self, value: object, rule: str, remedy: str) -> InputError:
        return InputError(f"{self.place}: {self.name}", f"'{one_line(value, LONGEST)}'", rule, remedy)


def cards(deck: Path) -> list[Card]:
    """All cards of a deck and of the files it includes, in order. Raises :class:`InputError`."""
    found: list[Card] = []
    _read(deck, deck, found, [], set())
    return found


def _read(file: Path, deck: Path, found: list[Card], open_files: list[Path], read: set[Path]) -> None:
    """Adds the cards of one file; ``open_files`` are those that include it, ``read`` those that were included."""
    text = deck_text(file, str(file))  # before it is resolved: of links that lead round it says so
    if file.resolve() in open_files or len(open_files) > MOST_INCLUDED:
        raise InputError(str(file), "INCLUDE", "the file includes itself", "delete the INCLUDE")
    if text.lstrip().startswith("{"):
        rule = "the deck is JSON; the lines of a .in file are read"
        raise InputError(str(file), "{", rule, "give the .in file that it was made from")
    lines = _lines(text, str(file))
    for place, words in lines:
        card = _card(place, words, lines)
        if card.name == "INCLUDE":
            if card.words[1].upper() == "TRUE":
                inner = beside(deck, card.words[0], f"{place}: INCLUDE")
                if inner in read:  # its cards would stand twice, and thousands of them take minutes
                    raise card.error(card.words[0], "the file is included twice", "delete one of the two INCLUDE")
                _read(inner, deck, found, [*open_files, file.resolve()], read)
                read.add(inner)
        else:
            found.append(card)


def _lines(text: str, shown: str) -> Iterator[tuple[str, list[str]]]:
    """Place and words of each line: ``#`` starts a comment, a backslash at the end goes on in the next line."""
    waiting: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.split("#")[0].strip()
        goes_on = plain.endswith("\\")
        waiting += [word for word in re.split(r"[\s,]+", plain.removesuffix("\\")) if word]
        if waiting and not goes_on:
            yield f"{shown}:{number}", waiting
            waiting = []
    if waiting:
        yield f"{shown}:{len(text.splitlines())}", waiting


def _card(place: str, words: list[str], lines: Iterator[tuple[str, list[str]]]) -> Card:
    name = words[0].upper()
    if name not in CARDS:
        raise InputError(place, f"'{one_line(words[0], LONGEST)}'", "no card of svOneDSolver", nearest(name, CARDS))
    card = Card(name, tuple(words[1:]), place)
    fewest, most = CARDS[name]
    if not fewest <= len(card.words) <= most:
        count = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        raise card.error(" ".join(words), f"the card has {len(card.words)} words after its name, not {count}",
                         "see the manual of svOneDSolver")  # fmt: skip
    return _table(card, lines) if name == "DATATABLE" else card


def _table(card: Card, lines: Iterator[tuple[str, list[str]]]) -> Card:
    """A data table with all its numbers, up to ENDDATATABLE."""
    if card.words[1].upper() != "LIST":
        raise card.error(card.words[1], "a table is a LIST of times and values", "write 'DATATABLE NAME LIST'")
    numbers: list[float] = []
    for place, words in lines:
        if words[0].upper() == "ENDDATATABLE":
            if len(numbers) % 2 or not numbers:
                raise card.error(len(numbers), "a table has pairs of time and value", "complete the last line")
            return Card(card.name, card.words, card.place, tuple(numbers))
        for word in words:
            value = as_number(word)
            if value is None:
                raise InputError(f"{place}: DATATABLE {card.words[0]}", f"'{word[:60]}'",
                                 "a table holds numbers", "write time and value, or ENDDATATABLE")  # fmt: skip
            numbers.append(value)
    raise card.error(card.words[0], "the table has no end", "write ENDDATATABLE behind it")
