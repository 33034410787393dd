"""Outlets of openBF: Windkessels of two and three elements, resistances, reflections, by the keys of a vessel."""

from __future__ import annotations

from haiflow.scenario.imports.draft import DraftOutlet, DraftVessel
from haiflow.scenario.imports.keys import Keys
from haiflow.scenario.imports.outlets import impedance, two_elements


def outlet(keys: Keys, vessel: DraftVessel, density: float) -> DraftOutlet:
    """The outlet at the end of a terminal vessel, in blood of ``density`` (kg/m3). Raises :class:`InputError`."""
    kind = keys.text("outlet", None)
    if kind not in (None, "wk2", "wk3", "reflection"):
        raise keys.error("outlet", kind, "an outlet is wk2, wk3 or reflection", "use one of them")
    base = keys.number("Pext", 0.0)
    lost = next((key for key in ("R2", "Cc") if kind is None and key in keys and "R1" not in keys), None)
    if lost is not None:
        rule = "a Windkessel without its first resistance R1 (without R1 waves would leave freely here)"
        raise keys.error(lost, keys.take(lost), rule, "give R1, or name another 'outlet'")
    if kind == "reflection" or (kind is None and "R1" not in keys):
        coefficient = keys.number("Rt", None)
        if coefficient is None:
            keys.findings.add("Rt", None, "no outlet is given: waves leave freely (Rt = 0), as in openBF", keys.where)
        elif not -1.0 <= coefficient <= 1.0:
            raise keys.error("Rt", coefficient, "must lie in [-1, 1]", "1 is a closed end, -1 an open one")
        return DraftOutlet("reflection", coefficient=coefficient or 0.0, venous_pressure=base)
    back = keys.number("Pout", 0.0)
    first, second = keys.number("R1", above=0.0), keys.number("R2", 0.0, at_least=0.0)
    compliance = keys.number("Cc", 0.0, at_least=0.0)
    matched = keys.flag("inlet_impedance_matching", default=False)
    if kind == "wk2" and second:
        keys.findings.add("R2", second, "not taken over: a two-element Windkessel has R1 and Cc", keys.where)
        second = 0.0
    if not compliance:
        keys.findings.add("Cc", compliance, "without compliance the outlet is a resistance, R1 + R2", keys.where)
        return DraftOutlet("resistance", distal=first + second, venous_pressure=back)
    if not second or matched:
        return two_elements(keys, first + second, compliance, back, impedance(vessel, density),
                            "inlet_impedance_matching" if matched else "R1")  # fmt: skip
    return DraftOutlet("windkessel", first, second, compliance, venous_pressure=back)
