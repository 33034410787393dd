"""From a batch's table to what its report draws."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from haiflow.batch.layout import Layout
from haiflow.batch.plan import Batch
from haiflow.batch.sensitivity import Effect, effects, varying
from haiflow.batch.table import COMPLETE, FAILED, STOPPED, Table
from haiflow.report.sweep import Bars, Chance, Map, MapCell, Sweep

LATE, NEVER = "detection.max_time_s", "detection.undetected"


def record_of(batch: Batch, table: Table, account: dict[str, Any], found: Sequence[Effect]) -> Sweep:
    """The record of a whole batch."""
    return Sweep(
        title=batch.swept.name,
        account=account,
        names=table.names,
        status=table.status,
        inputs=table.inputs,
        values=table.values,
        met=table.met,
        rank=table.rank if table.criteria else None,
        messages=table.messages,
        shown=shown_figures(table),
        chances=[_chance(table, text, batch.swept.design.drawn) for text in table.met],
        bars=_bars(found),
        failure_map=_failure_map(table),
    )


def shown_figures(table: Table) -> list[str]:
    """Figures that the page draws first: those that are looked at, then the rest that vary."""
    first = varying(table, fewest=2)
    return first or [name for name, values in table.values.items() if np.isfinite(values).any()][:4]


def _chance(table: Table, text: str, drawn: bool) -> Chance:
    """How many of those that ran meet a criterion; as a probability with its interval where they are drawn."""
    met = table.met[text]
    ran = int(np.isfinite(met).sum())
    passed = int(np.nansum(met))
    low, high = wilson(passed, ran) if drawn and ran else (math.nan, math.nan)
    return Chance(text, passed, ran, low, high)


def wilson(passed: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a probability (Wilson 1927)."""
    share, spread = passed / n, z * z / n
    middle = (share + 0.5 * spread) / (1.0 + spread)
    half = z * math.sqrt(share * (1.0 - share) / n + 0.25 * spread / n) / (1.0 + spread)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _bars(found: Sequence[Effect]) -> list[Bars]:
    """The effects by figure and measure, the strongest first."""
    groups: dict[tuple[str, str], list[Effect]] = {}
    for effect in found:
        groups.setdefault((effect.figure, effect.measure), []).append(effect)
    return [
        Bars(figure, measure, [(e.key, e.value, e.low, e.high) for e in sorted(rows, key=lambda e: -abs(e.value))])
        for (figure, measure), rows in groups.items()
    ]


def _failure_map(table: Table) -> Map | None:
    """Fault by place: when it would be noticed, and how many segments lose half of their arterial blood."""
    faults, places = table.inputs.get("fault"), table.inputs.get("fault.place")
    if not isinstance(faults, list) or not isinstance(places, list):
        return None
    others = [key for key in table.inputs if key.startswith("fault.") and key != "fault.place" and _differs(table, key)]
    cells: dict[tuple[str, str], MapCell] = {}
    for index, (fault, place) in enumerate(zip(faults, places, strict=True)):
        row = ", ".join([fault, *_told(table, others, index)])
        if (row, place) not in cells:
            cells[row, place] = _cell(table, index)
    rows = list(dict.fromkeys(row for row, _ in cells))
    columns = list(dict.fromkeys(place for _, place in cells))
    return Map(rows, columns, cells)


def _differs(table: Table, key: str) -> bool:
    """Whether faults that have a key differ in it."""
    values = table.inputs[key]
    known = {value for value in values if value} if isinstance(values, list) else set(values[np.isfinite(values)])
    return len(known) > 1


def _told(table: Table, keys: Sequence[str], index: int) -> list[str]:
    """The fault's other keys in words: ``severity 0.9``."""
    words = []
    for key in keys:
        value = table.inputs[key][index]
        if value == "" or (not isinstance(value, str) and math.isnan(value)):
            continue
        name, _, unit = key.removeprefix("fault.").partition(" [")
        shown = value if isinstance(value, str) else f"{value:g}"
        words.append(f"{name.replace('_', ' ')} {shown}{' ' + unit.rstrip(']') if unit else ''}")
    return words


def _cell(table: Table, index: int) -> MapCell:
    def value(name: str) -> float | None:
        found = float(table.values[name][index]) if name in table.values else math.nan
        return None if math.isnan(found) else found

    missed = value(NEVER)
    status = table.status[index]
    return MapCell(
        table.names[index],
        status in (COMPLETE, STOPPED),
        (value(LATE) or None) if not missed else None,
        bool(missed),
        value("segments.under_perfused"),
        table.messages.get(index, "") if status == FAILED else "",
    )


def write_effects(found: Sequence[Effect], layout: Layout) -> None:
    """``sensitivity.csv``: a row an effect."""
    if not found:
        return
    partial = layout.aside("sensitivity.csv")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["figure", "key", "measure", "value", "low_95", "high_95"])
        for e in found:
            numbers = ["" if math.isnan(x) else repr(x) for x in (e.value, e.low, e.high)]
            writer.writerow([e.figure, e.key, e.measure, *numbers])
    os.replace(partial, layout.folder / "sensitivity.csv")


__all__ = ["effects", "record_of", "wilson", "write_effects"]
