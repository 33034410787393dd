"""An axis of a sweep: so many rows, each with the settings of a variant and the cells of its row in the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from haiflow.scenario.read import KeyPath
from haiflow.units import common_unit, number_in

Cell = float | str | bool | None


@dataclass(frozen=True)
class Setting:
    """One key of a variant: its dotted path, its value, and where in the file that stands."""

    key: str
    value: Any
    place: KeyPath


@dataclass(frozen=True)
class Column:
    """A column of the table of variants: the swept key, and the unit of its numbers ("" without one)."""

    key: str
    unit: str = ""

    @property
    def header(self) -> str:
        """``catheter.inner_diameter [mm]``"""
        return f"{self.key} [{self.unit}]" if self.unit else self.key

    def cell(self, value: Any) -> Cell:
        """A value as it stands in the table: a number in the column's unit, or text."""
        if value is None or isinstance(value, bool | int | float):
            return value
        return number_in(str(value), self.unit) if self.unit and isinstance(value, str) else str(value)


class Axis(Protocol):
    """``count`` rows; ``drawn`` says that they are random, so that shares of them are probabilities."""

    @property
    def columns(self) -> tuple[Column, ...]: ...

    @property
    def count(self) -> int: ...

    @property
    def drawn(self) -> bool: ...

    def settings(self, row: int) -> list[Setting]: ...

    def cells(self, row: int) -> dict[str, Cell]: ...

    def name(self, row: int) -> str | None: ...


@dataclass(frozen=True)
class Listed:
    """Values that stand in the file: ``rows`` of key -> value, the ``places`` of each, ``names`` if they have any."""

    columns: tuple[Column, ...]
    rows: Sequence[Mapping[str, Any]]
    places: Sequence[Mapping[str, KeyPath]]
    names: Sequence[str] = ()
    labels: Sequence[Mapping[str, Any]] = field(default=())
    drawn: bool = False

    @property
    def count(self) -> int:
        return len(self.rows)

    def settings(self, row: int) -> list[Setting]:
        return [Setting(key, value, self.places[row][key]) for key, value in self.rows[row].items()]

    def cells(self, row: int) -> dict[str, Cell]:
        shown = self.labels[row] if self.labels else self.rows[row]
        return {column.header: column.cell(shown.get(column.key)) for column in self.columns}

    def name(self, row: int) -> str | None:
        return self.names[row] if self.names else None


def column(key: str, values: Sequence[Any]) -> Column:
    """The column of ``values``: in the unit of the first, where all are quantities of one kind."""
    given = [value for value in values if value is not None]
    return Column(key, common_unit([str(value) for value in given]) if _are_texts(given) else "")


def _are_texts(values: Sequence[Any]) -> bool:
    return bool(values) and all(isinstance(value, str) for value in values)


def product(key: str, values: Sequence[Any]) -> Listed:
    """``catheter.inner_diameter: [0.4 mm, 0.6 mm]``"""
    places = [{key: ("sweep", key, index)} for index in range(len(values))]
    return Listed((column(key, values),), [{key: value} for value in values], places)


def zipped(lists: Mapping[str, Sequence[Any]]) -> Listed:
    """Lists of one length, key by key."""
    count = len(next(iter(lists.values())))
    rows = [{key: values[index] for key, values in lists.items()} for index in range(count)]
    places = [{key: ("sweep", "zip", key, index) for key in lists} for index in range(count)]
    return Listed(tuple(column(key, values) for key, values in lists.items()), rows, places)


def named(variants: Mapping[str, Mapping[str, Any]]) -> Listed:
    """``variants: {name: {key: value}}``; a key that a variant does not name keeps the scenario's value."""
    keys = dict.fromkeys(key for given in variants.values() for key in given)
    columns = (Column("variant"), *(column(key, [given.get(key) for given in variants.values()]) for key in keys))
    places = [{key: ("sweep", "variants", name, key) for key in given} for name, given in variants.items()]
    labels = [{"variant": name, **given} for name, given in variants.items()]
    return Listed(columns, list(variants.values()), places, list(variants), labels)
