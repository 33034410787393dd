"""The report of a sweep: one page that needs nothing else. Which design, which key matters, what fails and where.

Tables are tables; scripts sort them, draw all variants on two canvases and lead from every point to its variant's own
report. Numbers of all variants stand in the page once, to five digits.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from haiflow.ports import Floats
from haiflow.report.page import asset, policy, template
from haiflow.report.sweep_svg import bars_svg, map_svg
from haiflow.results.quantities import LADDERS, SHOWN, number, shown_unit

STATIC_ROWS = 60  # in the table without scripts
DIGITS = 5
FAILURES_TOLD = 200
ARTERIAL = 1e-9  # m3/s: more is no pump's, and said by the minute
AXES = 9  # of the parallel coordinates at first
NOISE = 1e-6  # range of a figure over its largest value: no difference at all
# Ending of a figure's name -> unit as stored, unit as shown where it has no ladder of units.
ENDINGS = (
    ("_m3_per_s", "m3/s", "mL/day"), ("_m3_per_cycle", "m3", ""), ("_kg_s_per_m3", "kg.s/m3", ""),
    ("_kg_per_m3", "kg/m3", ""), ("_ml_per_min_per_100ml", "", "mL/min/100 mL"), ("_m3", "m3", ""),
    ("_kg", "kg", ""), ("_pa", "Pa", "kPa"), ("_s", "s", ""), ("_fraction", "1", "%"),
)  # fmt: skip


@dataclass(frozen=True)
class Chance:
    """``passed`` of ``ran`` variants meet the criterion ``text``; ``low`` to ``high`` the 95 % interval of the
    probability, NaN where the variants are not drawn at random."""

    text: str
    passed: int
    ran: int
    low: float
    high: float


@dataclass(frozen=True)
class Bars:
    """How the keys move a figure by one measure: rows of key, value, low, high (NaN: no interval)."""

    figure: str
    measure: str
    rows: Sequence[tuple[str, float, float, float]]


@dataclass(frozen=True)
class MapCell:
    """A fault at a place: its variant, whether it ran, when it would be noticed (s), whether never, how many segments
    are under-perfused, what failed."""

    variant: str
    ran: bool
    noticed_s: float | None
    missed: bool
    under_perfused: float | None
    message: str


@dataclass(frozen=True)
class Map:
    """Faults by places."""

    rows: Sequence[str]
    columns: Sequence[str]
    cells: Mapping[tuple[str, str], MapCell]


@dataclass(frozen=True)
class Sweep:
    """All that the page tells; arrays have an entry a variant."""

    title: str
    account: Mapping[str, Any]
    names: Sequence[str]
    status: Sequence[str]
    inputs: Mapping[str, Floats | list[str]]
    values: Mapping[str, Floats]
    met: Mapping[str, Floats]
    rank: Floats | None
    messages: Mapping[int, str]
    shown: Sequence[str]
    chances: Sequence[Chance] = ()
    bars: Sequence[Bars] = ()
    failure_map: Map | None = None
    notes: Sequence[str] = field(default=())


def write(sweep: Sweep, path: Path) -> Path:
    """Writes the page; returns its path."""
    path.write_text(render(sweep), encoding="utf-8")
    return path


def render(sweep: Sweep) -> str:
    """The page as text."""
    style = asset("style.css") + asset("sweep.css")
    scripts = [asset("sweep.js")]
    columns = _columns(sweep)
    order = _order(sweep)
    content = {
        "title": sweep.title,
        "version": sweep.account.get("haiflow", ""),
        "policy": policy(style, scripts),
        "style": style,
        "scripts": scripts,
        "data": _embedded(_data(sweep, columns)),
        "verdict": verdict(sweep),
        "table": _static(sweep, columns, order),
        "total": len(sweep.names),
        "chances": [_told_chance(each) for each in sweep.chances],
        "bars": [(label(each.figure), each.measure, bars_svg(each.rows)) for each in sweep.bars],
        "map": map_svg(sweep.failure_map) if sweep.failure_map is not None else "",
        "failures": [(sweep.names[i], text) for i, text in list(sweep.messages.items())[:FAILURES_TOLD]],
        "more_failures": max(0, len(sweep.messages) - FAILURES_TOLD),
        "account": [(key.replace("_", " "), _plain(value)) for key, value in sweep.account.items()],
        "axes": AXES,
    }
    return str(template("sweep.html.j2").render(**content))


def _embedded(data: Any) -> str:
    """JSON that may stand in a script element."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def label(name: str) -> str:
    """A figure's or a key's name in words: ``segments: min dose fraction``."""
    for ending, _, _ in ENDINGS[:-1]:
        if name.endswith(ending):
            name = name.removesuffix(ending)
            break
    group, _, rest = name.partition(".")
    return f"{group.replace('_', ' ')}: {rest.replace('_', ' ').replace('.', ' ')}" if rest else name.replace("_", " ")


def shown(name: str, values: Floats) -> tuple[str, Floats]:
    """Unit and values of a figure as they are shown."""
    known = values[np.isfinite(values)]
    for ending, stored, unit in ENDINGS:
        if name.endswith(ending):
            largest = float(np.abs(known).max(initial=0.0))
            if stored in LADDERS and known.size:
                unit = shown_unit(largest, stored)
            elif stored == "m3/s" and largest > ARTERIAL:
                unit = "mL/min"
            return unit, values * (SHOWN[unit][1] if unit in SHOWN else 1.0)
    return "", values


@dataclass(frozen=True)
class _Column:
    key: str
    label: str
    unit: str
    kind: str  # "input" | "figure"
    values: Floats | list[str]


def _columns(sweep: Sweep) -> list[_Column]:
    """Inputs that vary, then figures, those that are looked at first."""
    found = []
    for header, values in sweep.inputs.items():
        key, _, unit = header.partition(" [")
        if isinstance(values, list) or np.unique(values[np.isfinite(values)]).size > 1 or len(sweep.inputs) == 1:
            found.append(_Column(header, label(key), unit.rstrip("]"), "input", values))
    names = [*sweep.shown, *(name for name in sweep.values if name not in sweep.shown)]
    for name in names:
        unit, values = shown(name, sweep.values[name])
        found.append(_Column(name, label(name), unit, "figure", values))
    return found


def _data(sweep: Sweep, columns: Sequence[_Column]) -> dict[str, Any]:
    """All variants, column by column."""
    kinds = ["complete", "stopped", "failed", "missing"]
    passed = _passed(sweep)
    return {
        "names": list(sweep.names),
        "status": [kinds.index(each) if each in kinds else 2 for each in sweep.status],
        "kinds": kinds,
        "rank": None if sweep.rank is None else [int(each) for each in sweep.rank],
        "passed": None if passed is None else [None if math.isnan(each) else int(each) for each in passed],
        "columns": [_packed(column) for column in columns],
        "looked": len([column for column in columns if column.kind == "input"]) + len(sweep.shown),
    }


def _packed(column: _Column) -> dict[str, Any]:
    about = {"key": column.key, "label": column.label, "unit": column.unit, "kind": column.kind}
    if isinstance(column.values, list):
        names = list(dict.fromkeys(column.values))
        place = {name: index for index, name in enumerate(names)}
        return {**about, "names": names, "values": [place[value] for value in column.values]}
    known = column.values[np.isfinite(column.values)]
    digits = _digits(known)
    return {
        **about,
        "digits": digits - DIGITS + 4,
        "values": [_rounded(float(value), digits) for value in column.values],
    }


def _digits(known: Floats) -> int:
    """Significant digits that tell values apart which differ by a hundred-thousandth of their range."""
    largest, spread = float(np.abs(known).max(initial=0.0)), float(np.ptp(known)) if known.size else 0.0
    return DIGITS + max(0, math.ceil(math.log10(largest / spread)) if spread > NOISE * largest > 0.0 else 0)


def _rounded(value: float, digits: int) -> float | None:
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None


def _passed(sweep: Sweep) -> Floats | None:
    """1 where all criteria are met, 0 where not, NaN where the variant failed; None without criteria."""
    if not sweep.met:
        return None
    return np.asarray(np.min(np.stack(list(sweep.met.values())), axis=0))


def _order(sweep: Sweep) -> list[int]:
    if sweep.rank is None:
        return list(range(len(sweep.names)))
    return [int(each) for each in np.argsort(sweep.rank, kind="stable")]


def verdict(sweep: Sweep) -> list[tuple[str, str, str]]:
    """Severity, sign and sentence, the most important first."""
    total, passed = len(sweep.names), _passed(sweep)
    lost = sum(status != "complete" for status in sweep.status)
    found = []
    if lost:
        found.append(
            ("warn", "▲ Warning", f"{lost} of {total} variants failed or stopped early; they are listed below.")
        )
    else:
        found.append(("ok", "✔ In order", f"All {total} variants are complete."))
    if passed is not None and sweep.rank is not None:
        count, ran = int(np.nansum(passed)), int(np.isfinite(passed).sum())
        best = sweep.names[int(np.argmin(sweep.rank))]
        if count == ran:
            found.append(
                ("ok", "✔ In order", f"Every variant that ran meets every criterion; the widest margin has {best}.")
            )
        elif count:
            found.append(
                ("ok", "✔ Designs", f"{count} of {ran} variants meet every criterion; the widest margin has {best}.")
            )
        else:
            found.append(("alarm", "✖ Alarm", f"No variant meets every criterion; {best} comes nearest."))
    worst = _worst_imbalance(sweep)
    if worst > 1e-10:
        found.append(("alarm", "✖ Alarm", f"A ledger does not close: imbalance {worst:.1e}."))
    return found


def _worst_imbalance(sweep: Sweep) -> float:
    found = [values for name, values in sweep.values.items() if name.endswith("relative_imbalance")]
    return max((float(np.nanmax(np.abs(values))) for values in found), default=0.0)


def _told_chance(chance: Chance) -> tuple[str, str, str, str]:
    """Criterion, met by how many, share, interval."""
    share = f"{100 * chance.passed / chance.ran:.1f} %" if chance.ran else "–"
    interval = "" if math.isnan(chance.low) else f"{100 * chance.low:.1f} to {100 * chance.high:.1f} %"
    return chance.text, f"{chance.passed} of {chance.ran}", share, interval


def _static(sweep: Sweep, columns: Sequence[_Column], order: Sequence[int]) -> dict[str, Any]:
    """The first rows as a table that needs no script."""
    told = [column for column in columns if column.kind == "input"]
    told += [column for column in columns if column.kind == "figure" and column.key in sweep.shown]
    rows = []
    for index in order[:STATIC_ROWS]:
        cells = [_cell(column.values[index]) for column in told]
        rows.append((sweep.names[index], sweep.status[index], sweep.status[index] in ("complete", "stopped"), cells))
    return {"columns": [(column.label, column.unit) for column in told], "rows": rows}


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value
    return number(float(value), 4) if math.isfinite(float(value)) else "–"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
