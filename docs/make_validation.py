"""Writes docs/verification.md: every case with its figures out of a report, and the map of claims to evidence.

haiflow verify --slow -o DIR && python docs/make_validation.py DIR
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from haiflow.results.quantities import number
from haiflow.verify.cases import every
from haiflow.verify.claims import CLAIMS, Claim
from haiflow.verify.table import wanted

PAGE = Path(__file__).parent / "verification.md"
INTRODUCTION = """# Verification: claims, cases, figures

Written by `docs/make_validation.py` from one run of `haiflow verify`; see [validation](validation.md) for how to
read and repeat it. What stands in the last column of the first table is not shown by any case: read it first.

## Claims and evidence
"""
MEASURED = ("haiflow", "kernels", "Python", "numpy", "scipy", "processor", "threads of a case")


def claims() -> str:
    """The map; it depends on no run."""
    head = "| claim | code verification | calculation verification | validation | uncertainty | not shown |\n"
    return head + "| --- | --- | --- | --- | --- | --- |\n" + "\n".join(map(_claim, CLAIMS)) + "\n"


def _claim(claim: Claim) -> str:
    def listed(names: tuple[str, ...], words: str = "") -> str:
        found = ", ".join(f"`{name}`" for name in names)
        return "; ".join(part for part in (found, words) if part) or "none"

    calculation = listed(claim.calculation, claim.calculation_words)
    cells = (claim.says, listed(claim.code), calculation, listed(claim.validation), claim.uncertainty, claim.not_shown)
    return f"| {' | '.join(cells)} |"


def figures(report: dict[str, Any]) -> Iterator[str]:
    """A table a group."""
    rows = report["figures"]
    for group in dict.fromkeys(name for name, _ in every()):
        yield f"## {group.capitalize()}\n"
        yield "| case | quantity | known | found | wanted | |\n| --- | --- | --- | --- | --- | --- |"
        yield from (_figure(row) for row in rows if row["group"] == group)
        yield ""


def _figure(row: dict[str, Any]) -> str:
    if not row["quantity"]:
        return f"| {row['case']} | – | | | | {row['state']} {row['failure'] if row['state'] == 'failed' else ''} |"
    low, high = (float("inf") * sign if row[key] is None else row[key] for key, sign in (("low", -1), ("high", 1)))
    known = "–" if row["reference"] is None else number(row["reference"], 4)
    sign = "" if row["passed"] else "stated: **not met**" if row["stated"] else "**failed**"
    found = "not a number" if row["result"] is None else number(row["result"], 4)
    return f"| {row['case']} | {row['quantity']} | {known} | {found} | {wanted(low, high, row['reference'])} | {sign} |"


def counted(summary: dict[str, Any]) -> str:
    """A table of the kinds of evidence, what is stated and not met, and the wrong models that pass."""
    rows = [f"| {kind} | {each['cases']} | {each['passed']} | {each['failed']} | {each['not_run']} |"
            for kind, each in summary["cases"].items()]  # fmt: skip
    table = "\n".join(["| evidence | cases | passed | failed | not run |\n| --- | --- | --- | --- | --- |", *rows])
    stated, unmet = summary["stated"], ", ".join(summary["not_met"]) or "none"
    weak = "\n".join(f"- `{name}`: {'; '.join(models)}" for name, models in summary["weak"].items())
    told = f"Stated, deciding nothing: {stated['met']} of {stated['figures']} met. Not met: {unmet}."
    return f"{table}\n\n{told}\n\nComparisons that a wrong model passes too; they are hardly evidence:\n\n{weak}"


def page(report: dict[str, Any]) -> str:
    rows = [row for row in report["figures"] if row["quantity"] and not row["stated"]]
    failed = sorted({f"{row['group']}/{row['case']}" for row in report["figures"] if row["state"] == "failed"})
    left = sorted({f"{row['group']}/{row['case']}" for row in report["figures"] if row["state"] == "not run"})
    told = f"{sum(row['passed'] for row in rows)} of {len(rows)} figures lie in their interval. "
    told += f"Failed: {', '.join(failed)}. " if failed else "No case failed. "
    told += f"Not run: {', '.join(left)}." if left else "Every case was run."
    told += f"\n\n{counted(report['summary'])}"
    made = "; ".join(f"{name} {report['made_with'][name]}" for name in MEASURED)
    return "\n".join([INTRODUCTION, claims(), f"{told}\n\nMade with: {made}.\n", *figures(report)])


if __name__ == "__main__":
    found = json.loads((Path(sys.argv[1]) / "verification.json").read_text(encoding="utf-8"))
    PAGE.write_text(page(found), encoding="utf-8")
    print(f"{PAGE}: written")
