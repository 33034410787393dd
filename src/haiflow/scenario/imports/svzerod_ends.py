"""Boundary conditions of svZeroDSolver: what a FLOW, PRESSURE, RESISTANCE, RCR or CORONARY becomes."""

from __future__ import annotations

from haiflow.errors import nearest
from haiflow.scenario.imports.draft import Draft, DraftOutlet, positive_mean
from haiflow.scenario.imports.keys import Keys
from haiflow.scenario.imports.outlets import second_inlet
from haiflow.scenario.imports.units import CGS
from haiflow.scenario.imports.waveforms import Cycle, cycle, mean_of

KNOWN = ("FLOW", "PRESSURE", "RESISTANCE", "RCR", "CORONARY")


def driven_by(draft: Draft, inlets: list[tuple[str, Keys]], period: float | None) -> None:
    """The inlet that pulses most drives the network; any other lets its mean in."""
    found = [(node, keys, *_inlet(keys, period)) for node, keys in inlets]
    first = max(range(len(found)), key=lambda number: len(found[number][3].values))
    for number, (node, keys, kind, table) in enumerate(found):
        driven = "flow" if kind == "FLOW" else "pressure"
        if number == first:
            positive_mean(table, keys.place(keys.path), f"inlet's {driven}")
            draft.inlet, draft.driven, draft.cycle = node, driven, table
            if driven == "pressure":
                consequence = "held as total pressure at the inlet"
                keys.findings.add("bc_type", kind, consequence, keys.where)
            if len(table.values) == 1:
                keys.findings.add("inlet", kind, "steady: the scenario's heart rate has no meaning", keys.where)
        else:
            positive_mean(table, keys.place(keys.path), f"second inlet's {driven}")
            draft.outlets[node] = second_inlet(driven, table.mean)
            consequence = f"a second inlet: its mean of {table.mean:.6g} (SI) enters, its pulse is left out"
            keys.findings.add("bc_type", kind, consequence, keys.where)


def _inlet(keys: Keys, period: float | None) -> tuple[str, Cycle]:
    kind = keys.text("bc_type")
    name, scale = ("Q", CGS.flow_rate) if kind == "FLOW" else ("P", CGS.pressure)
    values = keys.section("bc_values", where=keys.where)
    times, given = _table(values, name)
    values.rest(("t", name))
    place = keys.place((*keys.path, "bc_values"))
    return kind, cycle(times, [scale * value for value in given], place, keys.findings, keys.where, period)


def _table(values: Keys, name: str) -> tuple[list[float], list[float]]:
    """Times and values; a single value needs no time."""
    if "fn" in values:
        raise values.error("fn", values.take("fn"), "a formula is not read", f"give 't' and '{name}' as lists")
    given = values.take(name)
    given = given if isinstance(given, list) else [given]
    numbers = [values.checked(name, value) for value in given]
    times = values.take("t", None)
    if times is None or len(numbers) == 1:
        if len(numbers) > 1:
            raise values.error(name, len(numbers), "values over time need their times", "add 't'")
        return [0.0], numbers
    if not isinstance(times, list) or not numbers:
        raise values.error("t", times, "must be a list of times", f"give as many as of '{name}'")
    return [values.checked("t", value) for value in times], numbers


def _mean(values: Keys, name: str, *, positive: bool = False, default: float | None = None) -> float:
    """The mean of a number or of a table; that it changes is told."""
    if default is not None and name not in values:
        return default
    times, given = _table(values, name)
    mean = mean_of(times, given) if len(times) == len(given) else sum(given) / len(given)
    if max(given) != min(given):
        values.findings.add(name, mean, "the mean over time: its changes are left out", values.where)
    if positive and not mean >= 0.0:
        raise values.error(name, mean, "must be at least 0", "change it")
    return mean


def outlet_of(keys: Keys) -> DraftOutlet:
    """What lies behind a vessel's free end. Raises :class:`InputError`."""
    kind = keys.text("bc_type")
    if kind.upper().startswith("CLOSEDLOOP"):
        rule = "part of a closed circuit: haiflow has arteries that blood enters at one inlet, and no heart"
        raise keys.error("bc_type", kind, rule, "give the bed behind this vessel as RCR or RESISTANCE, with its Pd")
    if kind not in KNOWN:
        raise keys.error("bc_type", kind, "not a boundary condition that haiflow has", nearest(kind, KNOWN))
    values = keys.section("bc_values", where=keys.where)
    made = {"FLOW": _flow, "PRESSURE": _pressure, "RESISTANCE": _resistance, "RCR": _rcr, "CORONARY": _coronary}
    outlet = made[kind](values)
    values.take("t", None)
    values.rest(("R", "Pd", "Rp", "Rd", "C", "P", "Q", "t"))
    return outlet


def _flow(values: Keys) -> DraftOutlet:
    mean = _mean(values, "Q")
    if not mean > 0.0:
        raise values.error("Q", mean, "a flow out of the network must be positive", "use a FLOW at an inlet")
    consequence = "a resistance that draws this mean flow: its course over time is left out"
    values.findings.add("Q", mean, consequence, values.where)
    return DraftOutlet("resistance", flow=CGS.flow_rate * mean)


def _pressure(values: Keys) -> DraftOutlet:
    return DraftOutlet("pressure", venous_pressure=CGS.pressure * _mean(values, "P"))


def _resistance(values: Keys) -> DraftOutlet:
    total, back = _mean(values, "R", positive=True), CGS.pressure * _mean(values, "Pd", default=0.0)
    if total == 0.0:
        return DraftOutlet("pressure", venous_pressure=back)
    return DraftOutlet("resistance", distal=CGS.resistance * total, venous_pressure=back)


def _rcr(values: Keys) -> DraftOutlet:
    proximal, distal = values.number("Rp", at_least=0.0), values.number("Rd", at_least=0.0)
    return _windkessel(values, proximal, distal, values.number("C", at_least=0.0), _mean(values, "Pd", default=0.0))


def _coronary(values: Keys) -> DraftOutlet:
    first, second, vein = (values.number(key, at_least=0.0) for key in ("Ra1", "Ra2", "Rv1"))
    consequence = "Ra1, then Ca, then Ra2 + Rv1 to P_v: the heart muscle's pressure and its compliance are left out"
    values.findings.add("Cc", values.number("Cc", at_least=0.0), consequence, values.where)
    times, muscle = _table(values, "Pim")
    if len(times) != len(muscle):
        raise values.error("Pim", len(muscle), f"there are {len(times)} times 't'", "give a pressure at each time")
    values.findings.add("Pim", f"{len(muscle)} values", consequence, values.where)
    return _windkessel(values, first, second + vein, values.number("Ca", at_least=0.0), _mean(values, "P_v"))


def _windkessel(values: Keys, proximal: float, distal: float, compliance: float, back: float) -> DraftOutlet:
    behind = CGS.pressure * back
    if proximal + distal == 0.0:
        return DraftOutlet("pressure", venous_pressure=behind)
    if compliance == 0.0 or distal == 0.0:
        values.findings.add("C", compliance, "without it the outlet is a resistance, the sum of all", values.where)
        return DraftOutlet("resistance", distal=CGS.resistance * (proximal + distal), venous_pressure=behind)
    return DraftOutlet("windkessel", CGS.resistance * proximal, CGS.resistance * distal, CGS.compliance * compliance,
                       venous_pressure=behind)  # fmt: skip
