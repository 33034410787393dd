"""How far cells and steps move the figures of a run: the tables of its calculation verification."""

from __future__ import annotations

import math
from typing import Any

from haiflow.report.tables import Row, Table
from haiflow.results import Results
from haiflow.results.quantities import number

SHORT = 12  # rows that are shown at once
HEADS = {"does not change": "no change", "below the iteration's error": "below iteration", "not a number": "no number"}


def tables(results: Results) -> dict[str, Any] | None:
    """What was varied, the figures that move most, and all of them; None where it was not asked for."""
    block = results.summary.get("numerics")
    if not block or not block.get("figures"):
        return None
    rows = sorted(block["figures"], key=_size, reverse=True)
    names = [family["name"] for family in block["families"]]
    return {
        "varied": _varied(block),
        "worst": _figures("The figures that cells and steps move most", rows[:SHORT], names),
        "all": _figures("Every figure", rows, names),
        "not_varied": block["not_varied"],
        "stopped": block.get("stopped", 0),
        "unsettled": _unsettled(block["figures"], names),
    }


def _size(row: dict[str, Any]) -> float:
    """Relative uncertainty; that of a figure which is nothing comes last, that of one without a number first."""
    value = row["relative_uncertainty"]
    return -1.0 if row["nothing"] else math.inf if value is None else float(value)


def _varied(block: dict[str, Any]) -> Table:
    rows = [
        Row([family["name"], ", ".join(family["knobs"]), ", ".join(f"{f:g}" for f in family["factors"]),
             f"{family['formal_order']:g}"])
        for family in block["families"]
    ]  # fmt: skip
    rows.append(Row(["iteration", block["iteration"], "", ""]))
    columns = [("what", "", True), ("knobs turned together", "", True), ("sizes, of the run's own", "", True),
               ("order of the scheme", "", False)]  # fmt: skip
    return Table("What was varied", columns, rows)


def _figures(caption: str, rows: list[dict[str, Any]], names: list[str]) -> Table:
    from haiflow.report.sweep import label  # which itself needs the page

    body = []
    for row in rows:
        cells = [label(row["figure"]), _percent(row, row["uncertainty"])]
        for name in names:
            found = row[name]
            cells += [HEADS.get(found["state"], found["state"]), _order(found), _percent(row, found["uncertainty"])]
        body.append(Row([*cells, _percent(row, row["iteration"])]))
    columns = [("figure", "", True), ("uncertainty", "all, %", False)]
    for name in names:
        columns += [(name, "", True), ("order", "", False), ("GCI", "%", False)]
    return Table(caption, [*columns, ("iteration", "%", False)], body)


def _order(found: dict[str, Any]) -> str:
    return "–" if found["order"] is None else f"{found['order']:.2f}"


def _percent(row: dict[str, Any], size: float | None) -> str:
    """``size`` in percent of the figure; a figure that is nothing but round-off is zero."""
    if row["nothing"]:
        return "zero"
    if size is None or row["value"] == 0.0:
        return "–"
    share = 100.0 * size / abs(row["value"])
    return number(share, 2) if share == 0.0 or share >= 1e-4 else "< 0.0001"


def _unsettled(rows: list[dict[str, Any]], names: list[str]) -> list[str]:
    """How many figures are not in the asymptotic range, by what was varied."""
    found = []
    for name in names:
        states = [row[name]["state"] for row in rows]
        off = {state: states.count(state) for state in ("monotone, not asymptotic", "oscillating", "not converging")}
        told = ", ".join(f"{count} {state}" for state, count in off.items() if count)
        if told:
            found.append(f"{name}: of {len(states)} figures {told}")
    return found
