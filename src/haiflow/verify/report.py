"""The credibility report: one page that opens offline, every case, run or not, and the map of claims to evidence."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from haiflow.report.page import asset, policy, template
from haiflow.results.quantities import number
from haiflow.verify.cases import GROUPS, NOT_RUN, Outcome, left_out
from haiflow.verify.claims import CLAIMS, Claim
from haiflow.verify.model import VALIDATION, WEAK, Case, Figure
from haiflow.verify.summary import not_met, summary
from haiflow.verify.table import rivals, wanted

SIGNS = {"passed": "✔ passed", "failed": "✖ failed", NOT_RUN: "○ not run", "no case": "○ no case", "met": "✔ met",
         "not met": "✖ not met"}  # fmt: skip
CLASSES = {"passed": "passed", "failed": "failed", NOT_RUN: "left", "no case": "left", "met": "passed",
           "not met": "failed"}  # fmt: skip

WARNING = (
    "Passing says that the equations are solved and that the named measurements are met within their scatter. "
    "It does not say that a patient follows them: see the last column below."
)


def write(outcomes: Sequence[Outcome], facts: dict[str, str], path: Path) -> list[str]:
    """The page; returns notes on what could not be drawn."""
    pictures, notes = _pictures(outcomes)
    every = sorted([*outcomes, *left_out(outcomes)], key=lambda each: list(GROUPS).index(each.group))
    style = asset("style.css") + asset("verification.css")
    content = {
        "style": style, "policy": policy(style, []), "facts": facts, "signs": SIGNS, "classes": CLASSES, "notes": notes,
        "verdict": verdict(every), "tiles": tiles(every), "claims": [claimed(claim, every) for claim in CLAIMS],
        "outside": outside(every), "groups": grouped(every, pictures),
    }  # fmt: skip
    path.write_text(str(template("verification.html.j2").render(**content)), encoding="utf-8")
    return notes


def _pictures(outcomes: Sequence[Outcome]) -> tuple[dict[str, list[dict[str, str]]], list[str]]:
    try:
        from haiflow.verify.drawing import drawn

        found = {each.name: [{"title": plot.title, "source": drawn(plot)} for plot in each.plots] for each in outcomes}
    except ImportError as error:
        return {}, [f"No plots: {error}; pip install 'haiflow[viz]'."]
    return found, []


def verdict(every: Sequence[Outcome]) -> list[tuple[str, str, str]]:
    """Severity, sign and words: what failed and what was not run comes before what passed."""
    failed = [each.name for each in every if each.state == "failed"]
    left = [each.name for each in every if each.state == NOT_RUN]
    passed = sum(each.passed for each in every)
    found = [("alarm", "✖ Failed", f"{len(failed)} cases: {', '.join(failed)}.")] if failed else []
    if left:
        found.append(("warn", "○ Not run", f"{len(left)} cases, so nothing is said of them: {', '.join(left)}."))
    severity = "ok" if passed and not failed else "warn"
    found.append((severity, "✔ Passed", f"{passed} of {len(every) - len(left)} cases that were run."))
    if unmet := not_met(every):
        words = f"{len(unmet)} stated comparisons, which decide no case: {', '.join(unmet)}."
        found.append(("warn", "✖ Not met", words))
    if weak := {each.name: each.passing_rivals for each in every if each.passing_rivals}:
        words = ". ".join(f"{name}: {', '.join(models)}" for name, models in weak.items())
        found.append(("warn", "▲ Hardly refutes", f"{len(weak)} comparisons that a wrong model passes too. {words}."))
    return [*found, ("warn", "▲ Read first", WARNING)]


def tiles(every: Sequence[Outcome]) -> list[tuple[str, str, str]]:
    ran = [each for each in every if each.state != NOT_RUN]
    found = summary(every)
    figures, stated = found["figures"], found["stated"]
    strong, weak = (found["cases"][kind] for kind in (VALIDATION, WEAK))
    where = "velocities in FDA's nozzle, five laboratories" if stated["figures"] else "FDA's nozzle was not run"
    return [
        ("Cases passed", f"{sum(each.passed for each in ran)} of {len(ran)}", f"{len(every) - len(ran)} not run"),
        ("Figures in their interval", f"{figures['in_their_interval']} of {figures['deciding']}", ""),
        ("Orders of convergence", str(figures["orders"]), "each wanted near its own theory"),
        ("Against measurements that refute wrong models", _of(strong), "cases passed"),
        ("Against measurements that a wrong model passes", _of(weak), "cases passed, hardly evidence: each says why"),
        ("Stated against measurements, met", f"{stated['met']} of {stated['figures']}", where),
        ("Time", f"{sum(each.seconds for each in ran):.0f} s", "on one thread"),
    ]


def _of(counts: dict[str, int]) -> str:
    return f"{counts['passed']} of {counts['cases'] - counts['not_run']}"


def matching(names: Sequence[str], every: Sequence[Outcome]) -> list[dict[str, str]]:
    """The outcomes of cases and whole groups; a name that nothing answers to is said to be no case."""
    found = []
    for name in names:
        mine = [each for each in every if name in (each.name, each.group)]
        found += [{"name": each.name, "state": each.state, "anchor": _anchor(each)} for each in mine]
        if not mine:
            found.append({"name": name, "state": "no case", "anchor": "claims"})
    return found


def claimed(claim: Claim, every: Sequence[Outcome]) -> dict[str, Any]:
    """A claim as the page shows it."""
    return vars(claim) | {key: matching(getattr(claim, key), every) for key in ("code", "calculation", "validation")}


def outside(every: Sequence[Outcome]) -> list[str]:
    """Cases that no claim rests on."""
    named = {name for claim in CLAIMS for name in claim.cases}
    return [each.name for each in every if not {each.name, each.group} & named]


def grouped(every: Sequence[Outcome], pictures: dict[str, list[dict[str, str]]]) -> list[dict[str, Any]]:
    groups = []
    for name in dict.fromkeys(each.group for each in every):
        mine = [each for each in every if each.group == name]
        left = sum(each.state == NOT_RUN for each in mine)
        groups.append({
            "name": name, "passed": sum(each.passed for each in mine), "run": len(mine) - left, "left": left,
            "cases": [_shown(each, pictures.get(each.name, [])) for each in mine],
        })  # fmt: skip
    return groups


def _anchor(outcome: Outcome) -> str:
    return outcome.name.replace("/", "-")


def _shown(outcome: Outcome, pictures: list[dict[str, str]]) -> dict[str, Any]:
    case, figures, ran = outcome.case, outcome.figures, outcome.state != NOT_RUN
    return {
        "name": outcome.name, "anchor": _anchor(outcome), "state": outcome.state, "shows": case.shows,
        "source": case.source, "evidence": case.evidence, "limits": case.limits,
        "docs": " ".join((inspect.getdoc(case.run) or "").split()),
        "counted": f"{sum(f.passed for f in figures)} of {len(figures)}" if ran else "–",  # stated ones among them
        "orders": ", ".join(f"{f.result:.2f}" for f in figures if f.is_order) or "–",
        "seconds": f"{outcome.seconds:.1f}" if ran else "–",
        "failure": outcome.failure if ran else _why_not(case),
        "rows": [_row(figure) for figure in figures], "pictures": pictures,
    }  # fmt: skip


def _why_not(case: Case) -> str:
    if not case.runnable:
        return f"Not run: it needs {case.needs}, which is not installed."
    return "Not run: it takes minutes; name it, or give --slow." if case.slow else "Not run: not asked for."


def _row(figure: Figure) -> dict[str, str]:
    held = rivals(figure)
    return {
        "quantity": figure.quantity, "result": number(figure.result, 5),
        "note": "; ".join(words for words in (figure.note, f"wrong models: {held}" if held else "") if words),
        "reference": "–" if figure.reference is None else number(figure.reference, 5), "error": _error(figure),
        "wanted": wanted(figure.low, figure.high, figure.reference), "state": _state(figure),
    }  # fmt: skip


def _state(figure: Figure) -> str:
    if figure.stated:
        return "met" if figure.passed else "not met"
    return "passed" if figure.passed else "failed"


def _error(figure: Figure) -> str:
    """In percent where it is relative; a share of a percent as a power of ten."""
    error = figure.error
    if error is None or not math.isfinite(error):
        return "–"
    if not figure.reference:
        return number(error, 2)
    if error == 0.0:
        return "0"
    return (f"{100.0 * error:+.2g} %" if abs(error) >= 1e-5 else f"{error:.0e}").replace("-", "−")
