"""Outlets of svOneDSolver: what a SEGMENT card's boundary type and data table become."""

from __future__ import annotations

from haiflow.errors import nearest
from haiflow.scenario.imports.cards import Card
from haiflow.scenario.imports.draft import DraftOutlet
from haiflow.scenario.imports.findings import Findings
from haiflow.scenario.imports.units import CGS
from haiflow.scenario.imports.waveforms import mean_of

KNOWN = ("RESISTANCE", "RESISTANCE_TIME", "RCR", "CORONARY", "PRESSURE", "PRESSURE_WAVE", "FLOW")


def table(card: Card, name: str, tables: dict[str, Card]) -> tuple[list[float], list[float]]:
    """Times and values of a data table that a card names."""
    found = tables.get(name.upper())
    if found is None:
        raise card.error(name, "no such DATATABLE", nearest(name.upper(), tables) if tables else "add it")
    return list(found.rows[0::2]), list(found.rows[1::2])


def outlet(card: Card, vessel: str, tables: dict[str, Card], findings: Findings) -> DraftOutlet:
    """The outlet behind a segment. Raises :class:`InputError` for a type that haiflow cannot say."""
    kind = card.words[14].upper()
    if kind == "NOBOUND":
        raise card.error(card.words[0], "the segment ends without a joint or an outlet", "give it a boundary, e.g. RCR")
    if kind not in KNOWN:
        raise card.error(card.words[14], "an outlet that haiflow does not have", f"use one of: {', '.join(KNOWN)}")
    times, values = table(card, card.words[15], tables)
    where = f"{vessel}, {card.words[15]}"
    if kind in ("RCR", "CORONARY"):
        return _windkessel(card, kind, values, where, findings)
    if kind == "RESISTANCE":
        if len(values) > 2:
            findings.add("RESISTANCE", len(values), "only the first two values, R and Pd, are read", where)
        resistance, back = _sound(card, values[0], "resistance"), values[1] if len(values) > 1 else 0.0
        return DraftOutlet("resistance", distal=CGS.resistance * resistance, venous_pressure=CGS.pressure * back)
    mean = mean_of(times, values) if kind != "PRESSURE" else values[0]
    if kind != "PRESSURE" and max(values) != min(values):
        findings.add(kind, mean, "the mean over the table: its change over time is left out", where)
    if kind == "FLOW":
        consequence = "a resistance that draws this mean flow: its course over time is left out"
        findings.add(kind, mean, consequence, where)
        return DraftOutlet("resistance", flow=CGS.flow_rate * _sound(card, mean, "flow"))
    if kind == "RESISTANCE_TIME":
        return DraftOutlet("resistance", distal=CGS.resistance * _sound(card, mean, "resistance"))
    return DraftOutlet("pressure", venous_pressure=CGS.pressure * mean)


def _windkessel(card: Card, kind: str, values: list[float], where: str, findings: Findings) -> DraftOutlet:
    fewest = 3 if kind == "RCR" else 6
    if len(values) < fewest:
        wanted = "Rp, C, Rd and perhaps Pd" if kind == "RCR" else "Ra1, Ra2, Ca, Cc, Rv1 and Pv"
        raise card.error(card.words[15], f"the table of {kind} holds {wanted}", "complete it")
    if kind == "RCR":
        proximal, compliance, distal = values[:3]
        back = values[3] if len(values) > 3 else 0.0
        if len(values) > 4:
            findings.add("RCR", len(values), "only the first four values, Rp, C, Rd and Pd, are read", where)
    else:
        proximal, second, compliance, inner, vein, back = values[:6]
        if min(second, vein, inner) < 0.0:
            rule = "resistances and compliances of a coronary bed are positive"
            raise card.error(card.words[15], rule, "give Ra1, Ra2, Ca, Cc, Rv1, Pv, then the heart muscle's pressures")
        distal = second + vein
        consequence = "Ra1, then Ca, then Ra2 + Rv1 to Pv: the heart muscle's pressure and its compliance are left out"
        findings.add("CORONARY", f"Cc {inner:g}, {len(values) - 6} pressures", consequence, where)
    if proximal < 0.0 or distal < 0.0 or proximal + distal <= 0.0 or compliance < 0.0:
        raise card.error(card.words[15], "resistances and compliance are positive", "change the table")
    ohms, back = CGS.resistance, CGS.pressure * back
    if compliance == 0.0 or distal == 0.0:
        findings.add(kind, f"C {compliance:g}, Rd {distal:g}", "a resistance, Rp + Rd", where)
        return DraftOutlet("resistance", distal=ohms * (proximal + distal), venous_pressure=back)
    return DraftOutlet("windkessel", ohms * proximal, ohms * distal, CGS.compliance * compliance, venous_pressure=back)


def _sound(card: Card, value: float, what: str) -> float:
    if not value > 0.0:
        raise card.error(card.words[15], f"the {what} must be positive, here {value:g}", "change the table")
    return value
