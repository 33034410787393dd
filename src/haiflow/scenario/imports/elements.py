"""Lumped elements as vessels: with their geometry where they have one, else as tubes in which blood hardly moves.

Resistance, inertance and compliance of a tube of length l and area A are ``8 pi mu l / A^2``, ``rho l / A`` and
``A l / (rho c^2)``. In a tube wide enough the velocity head and the tube's own resistance are negligible, its length
carries the inertance, its wave speed the compliance, and the resistance is a lumped loss: half at either end, or all of
it on the side of the capacitor on which it stands in the element.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

from haiflow.scenario.imports.draft import Draft, DraftVessel
from haiflow.scenario.imports.findings import Findings
from haiflow.scenario.imports.means import mean_pressures, outlet_resistance, poiseuille

HEAD = 1e-4  # of the network's pressure: the velocity head in a wide tube, at twice the mean flow
WIDEST = 1e-2  # m2
SHORT = 0.01  # m, of a tube without inertance
LENGTHS = (1e-3, 5.0)  # m
STIFF = (100.0, 500.0)  # m/s, wave speeds of a wall without compliance
GIVES = 2e-3  # of the blood that pulses through: what such a wall takes up, at most
APART = 0.1  # (pulse's angular frequency)^2 L C above which it matters how the two are spread
CELLS = 8  # of the longest tube that stands for an element
ROUND_OFF = 1e-9
CARRIES = 5.0  # a wall's pressure of no return over its mean pressure, at least


@dataclass
class Element:
    """R, L and C in series (SI), a coefficient of ``Q |Q|``, and the length where it is known."""

    name: str
    resistance: float  # Pa s/m3
    inertance: float  # Pa s2/m3
    compliance: float  # m3/Pa
    quadratic: float  # Pa s2/m6
    length: float | None = None  # m
    capacitor_first: bool = False  # where C stands: before R, not behind it
    start: str = ""
    end: str = ""


def as_vessels(draft: Draft, elements: list[Element], findings: Findings) -> list[DraftVessel]:
    """Each element as a vessel of ``draft``, whose inlet and outlets are known."""
    wide = 2.0 * sqrt(WIDEST / pi)
    draft.vessels = [
        DraftVessel(e.name, e.start, e.end, SHORT, (wide, wide), linear_loss=e.resistance) for e in elements
    ]
    pressures = mean_pressures(draft)
    area = _quiet_area(draft, pressures)
    tubes = [_geometric(draft, element, _mean(pressures, element), findings) for element in elements]
    vessels = [
        tube or _lumped(draft, element, _mean(pressures, element), area, findings)
        for element, tube in zip(elements, tubes, strict=True)
    ]
    if not any(tubes):
        draft.cell_length = max(max(vessel.length for vessel in vessels) / CELLS, SHORT / 4.0)
    return vessels


def _mean(pressures: dict[str, float], element: Element) -> float:
    return 0.5 * (pressures[element.start] + pressures[element.end])


def _quiet_area(draft: Draft, pressures: dict[str, float]) -> float:
    """Area (m2) in which the velocity head is negligible against the network's pressure."""
    flow = draft.cycle.mean
    lowest = min(outlet.venous_pressure for outlet in draft.outlets.values()) if draft.outlets else 0.0
    if draft.driven == "pressure":
        flow = sum(abs(pressures[node] - out.venous_pressure) / outlet_resistance(out)
                   for node, out in draft.outlets.items() if out.kind != "pressure")  # fmt: skip
    drop = max(abs(pressures[draft.inlet] - lowest), abs(pressures[draft.inlet]), 1.0)
    return min(max(2.0 * flow * sqrt(draft.density / (2.0 * HEAD * drop)), 1e-5), WIDEST)


def _speed(draft: Draft, element: Element, volume: float) -> float:
    """Wave speed (m/s) that gives a tube its compliance; without one, of a wall that takes up next to nothing."""
    if element.compliance > 0.0:
        return sqrt(volume / (draft.density * element.compliance))
    if len(draft.cycle.values) == 1:  # nothing pulses
        return STIFF[0]
    beds = sum(1.0 / outlet_resistance(outlet) for outlet in draft.outlets.values())  # side by side
    behind = element.resistance + (1.0 / beds if beds > 0.0 else 0.0)
    wanted = sqrt(volume * 2.0 * pi / draft.cycle.period * behind / (draft.density * GIVES))
    return min(max(wanted, STIFF[0]), STIFF[1])


def _geometric(draft: Draft, element: Element, pressure: float, findings: Findings) -> DraftVessel | None:
    """A vessel of its length and inertance; None where it has no such geometry, or too soft a wall for it."""
    if element.length is None or element.inertance <= 0.0:
        return None
    area = draft.density * element.length / element.inertance
    vessel = DraftVessel(element.name, element.start, element.end, element.length, (2.0 * sqrt(area / pi),) * 2)
    if poiseuille(vessel, draft.viscosity, draft.velocity_profile) > 1.05 * element.resistance:
        consequence = "below Poiseuille's for the area that L gives: not a tube, read as lumped elements"
        findings.add("R_poiseuille", f"{element.resistance:.6g} Pa s/m3", consequence, element.name)
        return None
    speed = _speed(draft, element, area * element.length)
    if 2.0 * draft.density * speed**2 < 1.2 * pressure:
        consequence = "too soft for a 1D wall at its mean pressure: read as lumped elements"
        findings.add("C", f"{element.compliance:.6g} m3/Pa", consequence, element.name)
        return None
    consequence = "a 1D vessel: area from L, wave speed from C; what R has above Poiseuille's is a lumped loss"
    findings.add("vessel_length", f"{element.length:.6g} m", consequence, element.name)
    return _finished(vessel, draft, element, pressure, speed, findings)


def _lumped(draft: Draft, element: Element, pressure: float, area: float, findings: Findings) -> DraftVessel:
    """A wide tube whose length gives the inertance and whose wall the compliance."""
    room = CARRIES * max(pressure, 0.0) * element.compliance
    if element.inertance > 0.0:
        area = min(max(area, sqrt(room * draft.density / element.inertance)), WIDEST)
        length = element.inertance * area / draft.density
    else:
        area = min(max(area, room / SHORT), WIDEST)
        length = max(SHORT, room / area)
    bounded = min(max(length, LENGTHS[0], room / area), LENGTHS[1])
    inertance = draft.density * bounded / area
    if element.inertance > 0.0 and abs(bounded - length) > 1e-9 * length:
        consequence = f"{inertance:.4g} Pa s2/m3 instead, of the tube that stands for it"
        findings.add("L", f"{element.inertance:.6g} Pa s2/m3", consequence, element.name)
    if element.length is not None:
        consequence = "not taken over: a length without a fitting L and C gives no geometry"
        findings.add("vessel_length", f"{element.length:.6g} m", consequence, element.name)
    speed = _speed(draft, element, area * bounded)
    if len(draft.cycle.values) > 1 and (2.0 * pi / draft.cycle.period) ** 2 * inertance * element.compliance > APART:
        consequence = (
            "L and C are spread along a tube, not one behind the other: the pulse differs where both are large"
        )
        findings.add(
            "L, C", f"{element.inertance:.4g} Pa s2/m3, {element.compliance:.4g} m3/Pa", consequence, element.name
        )
    vessel = DraftVessel(element.name, element.start, element.end, bounded, (2.0 * sqrt(area / pi),) * 2)
    findings.add("vessel geometry", "none", f"read as a lumped element: a tube {1e3 * vessel.diameter[0]:.3g} mm wide, "
                 "in which blood hardly moves, stands for it", element.name)  # fmt: skip
    vessel.lumped = True
    if element.compliance > 0.0:
        vessel.loss_at = "end" if element.capacitor_first else "start"
    return _finished(vessel, draft, element, pressure, speed, findings)


def _finished(
    vessel: DraftVessel, draft: Draft, element: Element, pressure: float, speed: float, findings: Findings
) -> DraftVessel:
    """Wall and losses; a wall that the deck takes as rigid is a stiff one here."""
    extra = element.resistance - poiseuille(vessel, draft.viscosity, draft.velocity_profile)
    vessel.linear_loss = extra if extra > ROUND_OFF * element.resistance else 0.0
    vessel.quadratic_loss = element.quadratic
    vessel.wave_speed, vessel.reference_pressure = speed, pressure
    vessel.lumped = vessel.lumped or element.compliance == 0.0
    if element.compliance == 0.0:
        consequence = "the wall is rigid in the deck; here it is stiff (see its wave speed)"
        findings.add("C", 0.0, consequence, element.name)
    return vessel
