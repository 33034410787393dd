"""The library of pumps, catheters, drugs, infusates, propellants, waveforms and anatomies: data with sources.

An entry is a file ``library/<kind>/<name>.yaml``. Its ``values`` map each key to ``{value, source, mark}``; the marks
say how sure a value is (found, wk: textbook, wk?: less sure, derived, assumed). An anatomy is a network with one
source for the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from haiflow.errors import InputError, nearest
from haiflow.scenario.read import read_file

FOLDER = Path(__file__).resolve().parents[1] / "library"
KINDS = ("pumps", "catheters", "drugs", "infusates", "propellants", "waveforms", "anatomies")


@dataclass(frozen=True)
class Row:
    """One value of an entry, as written, and where it comes from."""

    key: str
    value: Any
    source: str
    mark: str


@dataclass(frozen=True)
class Entry:
    """One thing of the library: ``values`` as a scenario would write them, ``rows`` with their sources."""

    kind: str
    name: str
    title: str
    values: dict[str, Any]
    rows: tuple[Row, ...]


@cache
def names(kind: str) -> tuple[str, ...]:
    """The names of all entries of ``kind``, sorted."""
    return tuple(sorted(path.stem for path in (FOLDER / kind).glob("*.yaml")))


@cache
def entry(kind: str, name: str) -> Entry:
    """The entry; raises :class:`InputError` for an unknown kind or name."""
    if kind not in KINDS:
        raise InputError("library", f"'{kind}'", "no such kind", nearest(kind, KINDS))
    if name not in names(kind):
        raise InputError(
            f"library {kind}", f"'{name}'", f"not one of the {kind} in the library", nearest(name, names(kind))
        )
    root = read_file(FOLDER / kind / f"{name}.yaml", f"library/{kind}/{name}.yaml").root
    if kind == "anatomies":
        return Entry(kind, name, str(root.get("title", name)), root, tuple(_anatomy_rows(root)))
    rows = tuple(Row(key, row["value"], str(row["source"]), str(row["mark"])) for key, row in root["values"].items())
    return Entry(kind, name, str(root["title"]), {row.key: row.value for row in rows}, rows)


def _anatomy_rows(network: dict[str, Any]) -> Iterator[Row]:
    """A line for each vessel and outlet; an anatomy has one source for all of them."""
    source, mark = str(network.get("source", "")), str(network.get("mark", ""))
    for vessel, values in network.get("vessels", {}).items():
        shown = {key: value for key, value in values.items() if key != "path"}
        yield Row(f"vessels.{vessel}", shown, source, mark)
    for node, values in network.get("outlets", {}).items():
        yield Row(f"outlets.{node}", values, source, mark)
    yield Row("inlet", network.get("inlet", {}), source, mark)
