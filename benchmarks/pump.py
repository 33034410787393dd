"""The pump: the worked dose and the propellant table, as the cases of ``haiflow verify pump`` find them."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cases import of_case
from benchmarks.table import Row


def rows() -> Iterator[Row]:
    yield from of_case("pump/dose")
    yield from of_case("pump/restrictor")
    yield from of_case("pump/propellants")
