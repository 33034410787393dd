"""Outcomes as text, and as files that others read."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from haiflow import __version__
from haiflow.verify.cases import Outcome, left_out
from haiflow.verify.model import Figure, Plot
from haiflow.verify.summary import summary

MARK = "verification.json"  # a folder that has it is a report of ours


def lines(outcome: Outcome) -> list[str]:
    """A line for the case, and one for every figure."""
    case, sign = outcome.case, "passed" if outcome.passed else "FAILED"
    found = [f"{outcome.group}/{case.name}: {sign}, {outcome.seconds:.1f} s; {case.shows} ({case.source})"]
    found += [f"    {outcome.failure}"] if outcome.failure else []
    for figure in outcome.figures:
        known = "" if figure.reference is None else f", known {figure.reference:.6g}"
        wanted = interval(figure.low, figure.high) + (f" ({figure.note})" if figure.note else "")
        mark = " " if figure.passed else "!"
        asked = "stated beside" if figure.stated else "wanted"
        found.append(f"  {mark} {figure.quantity}: {figure.result:.6g}{known}, {asked} {wanted}")
    return found + [f"    a wrong model passes too: {rival}" for rival in outcome.passing_rivals]


def interval(low: float, high: float) -> str:
    """``0.99 to 1.01``, ``at least 1.9``, ``at most 0.01``."""
    if math.isinf(high):
        return f"at least {low:.8g}"
    return f"at most {high:.8g}" if low == 0.0 else f"{low:.8g} to {high:.8g}"


def wanted(low: float, high: float, reference: float | None) -> str:
    """``± 1 %`` where the interval lies about a reference, else as an interval."""
    if not reference or not math.isfinite(high - low) or high == low:
        return interval(low, high)
    room = (high - low) / 2.0 / abs(reference)
    if abs(high + low - 2.0 * reference) > 1e-6 * (high - low) and room > 1e-9:
        return interval(low, high)
    return f"± {100.0 * room:.2g} %" if room >= 1e-5 else f"± {room:.0e}, relative"


def records(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """A row a figure, as verification.csv has it."""
    rows = []
    for each in outcomes:
        case = {"group": each.group, "case": each.case.name, "shows": each.case.shows, "source": each.case.source,
                "evidence": each.case.evidence, "state": each.state, "seconds": round(each.seconds, 2),
                "failure": each.failure}  # fmt: skip
        rows += [case | vars(figure) | {"error": figure.error, "passed": figure.passed, "rivals": _rivals(figure)}
                 for figure in each.figures]  # fmt: skip
        if not each.figures:
            rows.append(case | {"quantity": "", "passed": False})
    return rows


def _rivals(figure: Figure) -> list[dict[str, Any]]:
    """The wrong models held against a figure, and which of them it cannot refute."""
    return [{"says": rival.says, "result": float(rival.result), "passes": bool(figure.lets_pass(rival))}
            for rival in figure.rivals]  # fmt: skip


def rivals(figure: Figure) -> str:
    """``perfect mixing (0, passes too)``, one after the other."""
    found = (f"{each['says']} ({each['result']:.4g}, {'passes too' if each['passes'] else 'refuted'})"
             for each in _rivals(figure))  # fmt: skip
    return "; ".join(found)


def write(outcomes: Sequence[Outcome], facts: dict[str, str], folder: Path) -> None:
    """verification.csv and verification.json in ``folder``, which is there; cases that were not run have a row too."""
    every = [*outcomes, *left_out(outcomes)]
    rows = records(every)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with (folder / "verification.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(row | {"rivals": json.dumps(row.get("rivals", []), ensure_ascii=False)} for row in rows)
    plain = [{key: _finite(value) for key, value in row.items()} for row in rows]
    curves = {each.name: [_plain(plot) for plot in each.plots] for each in outcomes if each.plots}
    found = {"haiflow": __version__, "summary": summary(every), "made_with": facts, "figures": plain, "plots": curves}
    text = json.dumps(found, indent=1)
    (folder / MARK).write_text(text + "\n", encoding="utf-8")


def _plain(plot: Plot) -> dict[str, Any]:
    """A plot's curves as lists."""
    curves = [{key: value.tolist() if hasattr(value, "tolist") else value for key, value in vars(curve).items()}
              for curve in plot.curves]  # fmt: skip
    return vars(plot) | {"curves": curves}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
