"""What a run of the cases comes to, in counts: by kind of evidence, of figures, and of what is stated and not met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from haiflow.verify.cases import NOT_RUN, Outcome
from haiflow.verify.model import CODE, VALIDATION, WEAK

KINDS = (CODE, VALIDATION, WEAK)


def summary(every: Sequence[Outcome]) -> dict[str, Any]:
    """Counts over the outcomes of all cases, those that were not run among them.

    ``all_met`` is true where every case was run, every figure that decides lies in its interval and every stated one
    does too: what is false about it stands in ``failed``, ``not_run`` and ``not_met``. ``weak`` names, for each
    comparison with measurements that a wrong model would pass, that model.
    """
    figures = [figure for each in every for figure in each.figures]
    deciding = [figure for figure in figures if not figure.stated]
    failed, left = ([each.name for each in every if each.state == state] for state in ("failed", NOT_RUN))
    unmet = not_met(every)
    return {
        "all_met": not failed and not left and not unmet,
        "cases": {kind: _cases([each for each in every if each.case.evidence == kind]) for kind in KINDS},
        "figures": {"deciding": len(deciding), "in_their_interval": sum(figure.passed for figure in deciding),
                    "orders": sum(figure.is_order for figure in figures)},
        "stated": {"figures": len(figures) - len(deciding), "met": len(figures) - len(deciding) - len(unmet),
                   "by_case": {each.name: _met(each) for each in every if each.stated}},
        "failed": failed, "not_run": left, "not_met": unmet,
        "weak": {each.name: each.passing_rivals for each in every if each.passing_rivals},
    }  # fmt: skip


def not_met(every: Sequence[Outcome]) -> list[str]:
    """The stated figures outside of their interval."""
    return [f"{each.name}: {figure.quantity}" for each in every for figure in each.stated if not figure.passed]


def _met(outcome: Outcome) -> dict[str, int]:
    return {"figures": len(outcome.stated), "met": sum(figure.passed for figure in outcome.stated)}


def _cases(mine: Sequence[Outcome]) -> dict[str, int]:
    states = [each.state for each in mine]
    return {"cases": len(mine), "passed": states.count("passed"), "failed": states.count("failed"),
            "not_run": states.count(NOT_RUN)}  # fmt: skip


def told(every: Sequence[Outcome]) -> list[str]:
    """The counts as lines: of each kind of evidence of which something was run, then of what is stated."""
    found = summary(every)
    lines = [f"{kind}: {counts['passed']} of {counts['cases'] - counts['not_run']} cases passed"
             for kind, counts in found["cases"].items() if counts["cases"] > counts["not_run"]]  # fmt: skip
    if found["stated"]["figures"]:
        lines.append(f"stated, deciding nothing: {found['stated']['met']} of {found['stated']['figures']} met"
                     + (f"; not met: {', '.join(found['not_met'])}" if found["not_met"] else ""))  # fmt: skip
    return lines
