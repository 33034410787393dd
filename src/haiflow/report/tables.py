"""The tables of the page: numbers in the units of the clinic, formatted, as plain text cells."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from haiflow.report import palette
from haiflow.results import Results
from haiflow.results.quantities import SHOWN, closure, number, say, shown_unit
from haiflow.results.rows import Rows
from haiflow.results.rows import columns as columns_of


@dataclass(frozen=True)
class Row:
    """Cells, the first of which names the row; ``kind`` is a style ("sum", "inner" or none)."""

    cells: list[str]
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """``columns``: name, unit, whether it holds words."""

    caption: str
    columns: list[tuple[str, str, bool]]
    rows: list[Row]


TRACE = 1e-12  # of what was filled: a smaller amount is called a trace
Column = tuple[str, str, str]  # key in SI, heading, unit as shown ("kg" and the like: the unit that fits)
SEGMENT_COLUMNS: tuple[Column, ...] = (
    ("volume_m3", "volume", "mL"),
    ("arterial_flow_m3_per_s", "arterial flow", "mL/min"),
    ("portal_flow_m3_per_s", "portal flow", "mL/min"),
    ("arterial_perfusion_ml_per_min_per_100ml", "arterial perfusion", "mL/min/100 mL"),
    ("perfusion_ml_per_min_per_100ml", "total perfusion", "mL/min/100 mL"),
    ("drug_delivered_kg", "drug delivered", "kg"),
    ("dose_fraction", "fraction of dose", "%"),
    ("mean_tissue_concentration_kg_per_m3", "mean in tissue", "kg/m3"),
    ("peak_tissue_concentration_kg_per_m3", "peak in tissue", "kg/m3"),
    ("exposure_kg_s_per_m3", "exposure", "kg.s/m3"),
    ("exposure_coefficient_of_variation", "exposure, variation", "%"),
    ("exposure_d95_kg_s_per_m3", "exposure, D95", "kg.s/m3"),
    ("under_perfused_volume_m3", "under-perfused", "mL"),
)
VESSEL_COLUMNS: tuple[Column, ...] = (
    ("mean_flow_rate_m3_per_s", "mean flow", "mL/min"),
    ("min_flow_rate_m3_per_s", "least flow", "mL/min"),
    ("max_flow_rate_m3_per_s", "highest flow", "mL/min"),
    ("mean_pressure_pa", "mean pressure", "mmHg"),
    ("min_pressure_pa", "least pressure", "mmHg"),
    ("max_pressure_pa", "highest pressure", "mmHg"),
    ("drug_carried_kg", "drug carried", "kg"),
)
OFF_TARGET_COLUMNS: tuple[Column, ...] = (
    ("flow_rate_m3_per_s", "flow", "mL/min"),
    ("drug_delivered_kg", "drug", "kg"),
    ("dose_fraction", "fraction of dose", "%"),
)
TIP_ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("junction", "cells", "Tetrahedra", ""),
    ("junction", "reynolds", "Reynolds number of the blood that comes in", ""),
    ("junction", "split_doubt", "Doubt of the split, of a hole's drug", "%"),
    ("junction", "split_disagreement", "Largest difference between scalar and tracers", "%"),
    ("junction", "drug_balance", "Drug neither in nor out, of what enters", "%"),
    ("junction", "drug_out_of_bounds", "Drug's share beyond zero and one", ""),
    ("junction", "divergence", "Divergence left in a control volume, of the flow", ""),
    ("junction", "tip_mean_shear_pa", "Mean wall shear on the tip", "Pa"),
    ("junction", "tip_low_shear_fraction", "Tip surface with a mean shear below 0.4 Pa", "%"),
    ("junction", "tip_oscillatory_index", "Oscillatory shear index on the tip", ""),
)
LINE_ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("pump", "mean_flow_rate_m3_per_s", "Mean flow out of the pump", "mL/day"),
    ("pump", "infused_volume_m3", "Infused", "m3"),
    ("pump", "residual_volume_m3", "Left in the reservoir", "m3"),
    ("pump", "max_pressure_pa", "Highest pressure at the pump's outlet", "kPa"),
    ("pump", "stalled_at_s", "Stalled at", "s"),
    ("catheter", "tip_flow_rate_m3_per_s", "Mean flow out of the tip", "mL/day"),
    ("catheter", "leaked_volume_m3", "Leaked", "m3"),
    ("catheter", "max_pressure_pa", "Highest pressure in the line", "kPa"),
    ("catheter", "tip_ingress_m3_per_cycle", "Blood drawn into the tip in each heart beat", "m3"),
)
BODY_ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("body", "peak_concentration_kg_per_m3", "Peak concentration in plasma", "kg/m3"),
    ("body", "exposure_kg_s_per_m3", "Exposure", "kg.s/m3"),
    ("body", "hepatic_advantage", "Hepatic advantage (exposure of the liver against the body)", ""),
)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def by_columns(caption: str, heading: str, rows: Rows, columns: tuple[Column, ...], name: str) -> Table | None:
    """A table of those columns that any of the rows has."""
    columns = tuple(column for column in columns if any(row.get(column[0]) is not None for row in rows))
    if not rows or not columns:
        return None
    units = [
        shown_unit([_number(row.get(key)) for row in rows], unit) if unit in ("kg", "kg/m3", "kg.s/m3") else unit
        for key, _, unit in columns
    ]
    body = []
    for row in rows:
        cells = [
            number(_number(row.get(key)) * (1.0 if "/100 mL" in unit else SHOWN[unit][1]))
            for (key, _, _), unit in zip(columns, units, strict=True)
        ]
        inner = row.get("kind") == "tumour"
        body.append(Row([palette.in_words(str(row[name])), *cells], "inner" if inner else ""))
    heads = [(text, unit, False) for (_, text, _), unit in zip(columns, units, strict=True)]
    return Table(caption, [(heading, "", True), *heads], body)


def segments(results: Results) -> Table | None:
    """A row per segment, with its tumours' own rows after the segments; a total of what adds up."""
    caption = "Couinaud segments; a segment includes its tumours, which have rows of their own below"
    if not any(row.get("kind") == "tumour" for row in results.segment_rows):
        caption = "Couinaud segments"
    name = next(iter(results.segment_rows[0])) if results.segment_rows else "name"
    return by_columns(caption, "segment", results.segment_rows, SEGMENT_COLUMNS, name)


def regions(results: Results) -> list[dict[str, Any]]:
    """Each segment and tumour with the cells of its row in :func:`segments`: what the scene tells of it.

    ``number``: of the segment (1 to 8) or the tumour (from 1) in the liver's cell arrays.
    """
    table = segments(results)
    found, seen = [], {"segment": 0, "tumour": 0}
    for row, cells in zip(results.segment_rows, table.rows if table else [], strict=False):
        kind = "tumour" if row.get("kind") == "tumour" else "segment"
        seen[kind] += 1
        facts = [
            [name, f"{cell} {unit}".strip()]
            for (name, unit, _), cell in zip(table.columns[1:] if table else [], cells.cells[1:], strict=True)
            if cell != "–"
        ]
        name = cells.cells[0]
        number = palette.NUMERALS.index(name) if kind == "segment" and name in palette.NUMERALS else seen[kind]
        found.append({"kind": kind, "number": number, "name": name, "facts": facts})
    return found


def vessels(results: Results) -> Table | None:
    return by_columns("Arteries over the cardiac cycle", "vessel", results.vessel_rows, VESSEL_COLUMNS, "vessel")


def off_target(results: Results) -> Table | None:
    rows = [{"vessel": name, **row} for name, row in results.summary.get("off_target", {}).items()]
    return by_columns(
        "What runs off to other organs, before it has passed the liver", "artery", rows, OFF_TARGET_COLUMNS, "vessel"
    )


def split(results: Results) -> Table | None:
    """How the drug from each hole divides between the branches at the tip."""
    holes = results.summary.get("split") or []
    holes = [{"hole": name, **row} for name, row in holes.items()] if isinstance(holes, dict) else holes
    rows = []
    resolved = any(hole.get("source") == "3d" for hole in holes)
    for hole in holes:
        branches = hole.get("fractions") or {key: value for key, value in hole.items() if key not in ("hole", "source")}
        cells = [str(hole.get("hole", "tip")).replace("_", " "), _divided(branches), str(hole.get("source", ""))]
        if resolved:
            mixing, stay = _number(hole.get("distance_from_mixing")), _number(hole.get("residence_near_tip_s"))
            ways = [_divided(hole.get(way, {})) for way in ("by_scalar", "by_tracers", "by_straight_tracers", "blood")]
            cells += [*ways, say(mixing, "%"), say(stay, "s")]
        rows.append(Row(cells))
    columns = [("hole", "", True), ("divides into", "", True), ("source", "", True)]
    if resolved:
        names = ("by the scalar", "by tracers", "by straight ones", "the blood itself")
        columns += [(name, "", True) for name in names]
        columns += [("from mixing", "", False), ("stay near the tip", "", False)]
    return Table("Where the drug goes at the tip's junction", columns, rows) if rows else None


def _divided(branches: dict[str, Any]) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {say(_number(value), '%')}" for key, value in branches.items())


def listed(results: Results, caption: str, entries: tuple[tuple[str, str, str, str], ...]) -> Table | None:
    """A table of single figures: those of ``entries`` (part, key, words, unit) that the summary has."""
    rows = [
        Row([words, say(results.summary[part][key], unit)])
        for part, key, words, unit in entries
        if results.summary.get(part, {}).get(key) is not None
    ]
    return Table(caption, [("figure", "", True), ("value", "", False)], rows) if rows else None


PARTIAL = ("eliminated_in_liver", "blood_drawn_in", "blood_lost")  # said beside the book, not part of its sum
CARRIER_WORDS = {
    "eliminated_in_liver": "of which in the liver",
    "blood_drawn_in": "blood drawn into the line",
    "blood_lost": "blood lost through the line",
}


def ledger(results: Results, substance: str, unit: str) -> Table | None:
    """The book of ``substance``: what was filled, where it is, and what is missing."""
    book = results.summary.get("ledger", {}).get(substance, {})
    suffix = "_kg" if unit == "kg" else "_m3"
    filled = _number(book.get(f"filled{suffix}"))
    if not filled > 0.0:
        return None
    shown = shown_unit(filled, unit)

    def row(words: str, value: float, kind: str = "") -> Row:
        if abs(value) < TRACE * filled:
            return Row([words, "trace", "–"], kind)
        return Row([words, number(value * SHOWN[shown][1], 4), number(100.0 * value / filled)], kind)

    rows = [row("filled", filled)]
    for key, value in book.items():
        name = key.removesuffix(suffix)
        if key.endswith(suffix) and name != "filled" and value:
            words = palette.ACCOUNTS.get(name, (CARRIER_WORDS.get(name, name.replace("_", " ")),))[0]
            rows.append(row(words, _number(value), "inner" if name in PARTIAL else ""))
    imbalance = _number(book.get("relative_imbalance"))
    rows.append(Row(["relative imbalance", closure(imbalance), ""], "sum"))
    columns = [("account", "", True), ("amount", shown, False), ("of filled", "%", False)]
    return Table(f"Ledger of the {'drug' if substance == 'drug' else 'carrier liquid'}", columns, rows)


def detection(results: Results) -> Table | None:
    """What shows each fault first, and when."""
    others = [key for key in columns_of(results.detection) if key.endswith("_at_s")]
    rows = []
    for row in results.detection:
        seen = row.get("observable") or "nothing that is observed, within the run"
        rule = f"{row['rule']} over {_told(row.get('threshold'))}" if row.get("rule") else ""
        times = [say(row.get(key), "s") for key in ("time_s", *others)]
        rows.append(
            Row([palette.in_words(str(row.get("fault", ""))), say(row.get("onset_s"), "s"), str(seen), rule, *times])
        )
    columns = [
        ("fault", "", True),
        ("onset", "", False),
        ("first shown by", "", True),
        ("that is", "", True),
        ("when", "", False),
    ]
    columns += [(key.removesuffix("_at_s").replace("_", " "), "", False) for key in others]
    return _trimmed(
        Table("The first observable to cross its threshold, and when each would (time into the run)", columns, rows)
    )


def _trimmed(table: Table) -> Table | None:
    """The table without columns that say nothing; None where it has no rows."""
    kept = [k for k in range(len(table.columns)) if any(row.cells[k] not in ("", "–") for row in table.rows)]
    rows = [Row([row.cells[k] for k in kept], row.kind) for row in table.rows]
    return Table(table.caption, [table.columns[k] for k in kept], rows) if rows else None


def _told(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_told, value))
    return number(value) if isinstance(value, float) else str(value)


def _as_given(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def inputs(results: Results) -> Table | None:
    """Every input as given with its unit, and in SI."""
    keys: tuple[tuple[str, Callable[[Any], str]], ...] = (
        ("name", str),
        ("value", _as_given),
        ("si", _told),
        ("source", str),
    )
    rows = [Row([words(row.get(key, "")) for key, words in keys]) for row in results.inputs]
    columns = [("input", "", True), ("value", "", True), ("in SI", "", False), ("source", "", True)]
    return _trimmed(Table("Inputs as resolved", columns, rows))


def provenance(results: Results) -> Table:
    """Flat list of where the numbers come from."""
    summary, elsewhere = results.summary, ("warnings", "drawing", "numerics")
    facts = {
        "scenario sha256": summary.get("scenario", {}).get("sha256"),
        "clock": summary.get("clock"),
        "simulated": say(summary["duration_s"], "s") if summary.get("duration_s") else None,
        "status": summary.get("status"),
        **_flat({key: value for key, value in results.provenance.items() if key not in elsewhere}),
        **_flat({"periodic state": summary.get("arteries_periodic", {}), "solver": summary.get("solver", {})}),
        **{f"time: {key}".replace("_s", ""): say(value, "s") for key, value in summary.get("timing", {}).items()},
    }
    rows = [
        Row([key.replace("_", " "), _told(value)]) for key, value in facts.items() if value not in (None, "", {}, [])
    ]
    return Table("Versions, machine, solver statistics and wall time", [("what", "", True), ("value", "", True)], rows)


def _flat(tree: dict[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{above} {key}".strip()
        flat.update(_flat(value, name) if isinstance(value, dict) else {name: value})
    return flat
