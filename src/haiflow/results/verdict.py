"""The verdict: what an engineer must know first, judged from the summary against stated limits.

The limits are editorial: they decide what is said loudly, never what is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from haiflow.criteria import Criterion, parse_criterion
from haiflow.results.quantities import closure, number, say
from haiflow.results.record import Finding

BALANCE = 1e-10  # relative imbalance of a ledger
FLOW_BAND = 0.15  # action level of the FDA recall letter of 2022
OFF_TARGET_WARN, OFF_TARGET_ALARM = 0.05, 0.15  # of what left the pump
LEAK_WARN, LEAK_ALARM = 1e-3, 0.05  # of what left the pump
LOST_WARN, LOST_ALARM = 0.10, 0.25  # of the dose that the run without its faults delivers
PERIODIC = 1e-3
SPLIT_DOUBT = 0.05  # of a hole's drug: so unsure its split may be
MISSED = 0.10  # of its fair share by volume: less is a segment that the therapy misses


def judge(summary: dict[str, Any], require: Sequence[str] = ()) -> list[Finding]:
    """Findings on one run, the gravest first; a part that the run lacks is not judged. ``require``: what the scenario
    states that it must meet."""
    checks: tuple[Callable[[dict[str, Any]], list[Finding]], ...] = (
        _status, _nothing, _pump, _line, _leak, _against_twin, _starved, _off_target, _split, _detection, _periodic,
        _balance,
    )  # fmt: skip
    findings = [finding for check in checks for finding in check(summary)]
    findings += [_required(parse_criterion(text), summary) for text in require]
    rank = {"alarm": 0, "warn": 1, "ok": 2}
    return sorted(findings, key=lambda finding: rank[finding.severity])


def _required(criterion: Criterion, summary: dict[str, Any]) -> Finding:
    value = criterion.value(summary)
    if value is None:
        return Finding("alarm", f"Required: {criterion.text}. The run has no such figure.")
    met = criterion.met(value)
    return Finding("ok" if met else "alarm", f"Required: {criterion.text}. {'Met' if met else 'Not met'}.")


def _grade(value: float, warn: float, alarm: float) -> str:
    return "alarm" if value >= alarm else "warn" if value >= warn else "ok"


def _infused(summary: dict[str, Any]) -> float:
    """Drug (kg) that left the pump: filled, less what the reservoir still holds and what a refill took out."""
    drug = summary.get("ledger", {}).get("drug", {})
    return max(sum(sign * (drug.get(key) or 0.0) for key, sign in LEFT_PUMP.items()), 0.0)


LEFT_PUMP = {"filled_kg": 1.0, "reservoir_kg": -1.0, "withdrawn_kg": -1.0}


def _starved(summary: dict[str, Any]) -> list[Finding]:
    """How much of a liver in 3D has lost half of its arterial blood, and where."""
    starved = summary.get("liver", {}).get("under_perfused_volume_m3")
    if starved is None:
        return []
    whole = sum(row["volume_m3"] for row in summary["segments"].values())
    share = starved / whole
    if share < 0.01:
        return [Finding("ok", "No part of the liver has lost half of its arterial blood at the end.")]
    hit = [
        name for name, row in summary["segments"].items() if row["under_perfused_volume_m3"] > 0.25 * row["volume_m3"]
    ]
    text = f"{say(starved, 'm3')} of the liver ({say(share, '%')}) end with less than half of their arterial blood"
    return [Finding(_grade(share, 0.01, 0.10), f"{text}: segments {', '.join(hit)}." if hit else f"{text}.")]


def _status(summary: dict[str, Any]) -> list[Finding]:
    if summary.get("status") != "stopped":
        return []
    where = summary.get("stopped", {})
    reason = f": {where['reason']}" if isinstance(where, dict) and where.get("reason") else ""
    return [
        Finding(
            "alarm",
            f"The run stopped after {say(summary.get('duration_s'), 's')}{reason}. Figures cover that time only.",
        )
    ]


def _nothing(summary: dict[str, Any]) -> list[Finding]:
    """A filled pump that gives nothing, and segments that the drug passes by."""
    pump = summary.get("pump", {})
    if pump.get("infused_volume_m3") == 0.0 and not pump.get("bolus_volume_m3"):
        return [Finding("alarm", "The pump delivers nothing at all.")]
    segments, total = summary.get("segments", {}), sum(delivered(summary).values())
    volume = sum(row.get("volume_m3") or 0.0 for row in segments.values())
    if total <= 0.0 or volume <= 0.0:
        return []
    fair = {name: total * (row.get("volume_m3") or 0.0) / volume for name, row in segments.items()}
    missed = [name for name, dose in delivered(summary).items() if dose < MISSED * fair.get(name, 0.0)]
    if not missed:
        return []
    return [Finding("alarm", f"Next to no drug reaches segment{'s' if len(missed) > 1 else ''} {', '.join(missed)}.")]


def _pump(summary: dict[str, Any]) -> list[Finding]:
    pump = summary.get("pump", {})
    findings = []
    if pump.get("stalled_at_s") is not None:
        findings.append(Finding("alarm", f"The pump stops delivering {say(pump['stalled_at_s'], 's')} into the run."))
    flow, plan = (
        pump.get("mean_flow_rate_m3_per_s"),
        summary.get("twin", {}).get("pump", {}).get("mean_flow_rate_m3_per_s"),
    )
    if flow is not None and plan:
        change = flow / plan - 1.0
        text = f"The pump delivers {say(flow, 'mL/day')} on average ({_signed(change)} against the run without faults)."
        findings.append(Finding("warn" if abs(change) > FLOW_BAND else "ok", text))
    return findings


def _signed(change: float) -> str:
    return "unchanged" if abs(change) < 5e-4 else f"{change:+.1%}".replace("-", "−").replace("%", " %")


def _line(summary: dict[str, Any]) -> list[Finding]:
    flow = summary.get("catheter", {}).get("tip_flow_rate_m3_per_s")
    if flow is None or flow >= 0.0:
        return []
    return [Finding("alarm", f"Blood enters the catheter: the mean flow at the tip is {say(flow, 'mL/day')}.")]


def leaked(summary: dict[str, Any]) -> float:
    """Drug (kg) that left the line by leaks, whether it still lies there or the body has taken it up."""
    all_of_it = summary.get("catheter", {}).get("leaked_drug_kg")
    return float(all_of_it or summary.get("ledger", {}).get("drug", {}).get("leaked_kg") or 0.0)


def _leak(summary: dict[str, Any]) -> list[Finding]:
    lost, infused = leaked(summary), _infused(summary)
    if not lost or not infused:
        return []
    text = f"{say(lost, 'kg')} of the drug leaks out of the line ({say(lost / infused, '%')} of what left the pump)."
    return [Finding(_grade(lost / infused, LEAK_WARN, LEAK_ALARM), text)]


def delivered(summary: dict[str, Any]) -> dict[str, float]:
    """Drug (kg) delivered to each segment by its artery."""
    rows = {name: row.get("drug_delivered_kg") for name, row in summary.get("segments", {}).items()}
    return {name: value for name, value in rows.items() if value is not None}


def _against_twin(summary: dict[str, Any]) -> list[Finding]:
    """The dose to the whole liver, and the segment that loses most, against the run without its faults."""
    now, twin = delivered(summary), delivered(summary.get("twin", {}))
    if not now:
        return []
    total, planned = sum(now.values()), sum(twin.values())
    if planned <= 0.0:
        return [Finding("ok", f"{say(total, 'kg')} of the drug reaches the liver by its arteries.")]
    lost = 1.0 - total / planned
    text = f"{say(total, 'kg')} of the drug reaches the liver, against {say(planned, 'kg')} without faults"
    findings = [Finding(_grade(lost, LOST_WARN, LOST_ALARM), f"{text} ({_signed(-lost)}).")]
    losses = {name: 1.0 - now[name] / twin[name] for name in now if twin.get(name)}
    worst = max(losses, key=losses.__getitem__, default=None)
    if worst is not None and losses[worst] >= LOST_WARN:
        grade = _grade(losses[worst], LOST_WARN, LOST_ALARM)
        findings.append(Finding(grade, f"Segment {worst} loses most: {_signed(-losses[worst])} of its dose."))
    return findings


def _off_target(summary: dict[str, Any]) -> list[Finding]:
    given = {name: row.get("dose_fraction") for name, row in summary.get("off_target", {}).items()}
    rows = {name: share for name, share in given.items() if share is not None}
    total = sum(rows.values())
    if not rows:
        return []
    grade = _grade(total, OFF_TARGET_WARN, OFF_TARGET_ALARM)
    if total < 1e-6:
        return [Finding(grade, "No drug runs off to organs beside the liver before it has passed the liver.")]
    most = max(rows, key=rows.__getitem__)
    text = f"{say(total, '%')} of the dose runs off to other organs, most by the {most.replace('_', ' ')} artery"
    return [Finding(grade, f"{text} ({say(rows[most], '%')}).")]


def _detection(summary: dict[str, Any]) -> list[Finding]:
    rows = summary.get("detection") or []
    rows = [{"fault": name, **row} for name, row in rows.items()] if isinstance(rows, dict) else rows
    findings = []
    for row in rows:
        name, when = row.get("fault", "The fault"), row.get("time_s")
        if when is None or row.get("observable") is None:
            findings.append(
                Finding(
                    "warn", f"{_capital(name)} would not be noticed: nothing that is observed shows it within the run."
                )
            )
        else:
            findings.append(
                Finding(
                    "ok", f"{_capital(name)} would be noticed {say(when, 's')} into the run, by {row['observable']}."
                )
            )
    return findings


def _capital(text: object) -> str:
    words = str(text).replace("_", " ")
    return words[:1].upper() + words[1:]


def _split(summary: dict[str, Any]) -> list[Finding]:
    """How sure it is where the drug goes at a tip in 3D."""
    doubt = summary.get("junction", {}).get("split_doubt")
    if doubt is None or doubt <= SPLIT_DOUBT:
        return []
    text = f"Where the drug goes at the tip is uncertain by {say(doubt, '%')} of it (its thread parts within a cell of"
    return [Finding("warn", f"{text} where the blood does), and so are the segments' doses.")]


def _periodic(summary: dict[str, Any]) -> list[Finding]:
    residual = summary.get("arteries_periodic", {}).get("residual")
    if residual is None or residual <= PERIODIC:
        return []
    text = f"The arterial cycle is periodic to {number(residual, 2)} only (wanted: {PERIODIC:g})."
    return [Finding("warn", text)]


def _balance(summary: dict[str, Any]) -> list[Finding]:
    books = {name: summary.get("ledger", {}).get(name, {}).get("relative_imbalance") for name in ("drug", "carrier")}
    findings = []
    for name, imbalance in books.items():
        if imbalance is not None and abs(imbalance) > BALANCE:
            findings.append(
                Finding("alarm", f"The ledger of the {name} does not close: {number(imbalance, 2)} relative.")
            )
    nothing = summary.get("ledger", {}).get("carrier", {}).get("filled_m3", 1.0) == 0.0
    if findings or nothing or all(value is None for value in books.values()):
        return findings
    worst = max(abs(value) for value in books.values() if value is not None)
    return [Finding("ok", f"Every milligram is accounted for: the ledgers close to {closure(worst)} relative.")]
