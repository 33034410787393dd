"""Outlets that several peers have and haiflow has not by that name: two elements, and a second inlet."""

from __future__ import annotations

from math import pi

from haiflow.arteries.tube_law import stiffness_from_wall, wave_speed
from haiflow.scenario.imports.draft import DraftOutlet, DraftVessel
from haiflow.scenario.imports.keys import Keys

STIFF_SOURCE = 1e9  # Pa behind the resistance of a second inlet: far above any blood pressure


def impedance(vessel: DraftVessel, density: float) -> float:
    """``rho c / A`` (Pa s/m3) at the vessel's end, at its reference state."""
    area = 0.25 * pi * vessel.diameter[1] ** 2
    if vessel.wave_speed is not None:
        return density * vessel.wave_speed / area
    assert vessel.modulus is not None
    assert vessel.thickness is not None
    beta = stiffness_from_wall(vessel.modulus, vessel.thickness[1])
    return density * float(wave_speed(area, area, beta, density)) / area


def two_elements(
    keys: Keys, total: float, compliance: float, back: float, own_impedance: float, key: str
) -> DraftOutlet:
    """A Windkessel of a given total resistance (Pa s/m3), its first part the vessel's own impedance."""
    if own_impedance >= total:
        consequence = f"the vessel's impedance of {own_impedance:.4g} Pa s/m3 is above all of it: a resistance instead"
        keys.findings.add(key, total, consequence, keys.where)
        return DraftOutlet("resistance", distal=total, venous_pressure=back)
    consequence = "the first resistance is the vessel's impedance at its reference state, the rest of the total follows"
    keys.findings.add(key, keys.take(key), consequence, keys.where)
    return DraftOutlet("windkessel", own_impedance, total - own_impedance, compliance, venous_pressure=back)


def second_inlet(driven: str, mean: float) -> DraftOutlet:
    """An outlet that lets blood in: ``mean`` in m3/s from a high pressure behind a high resistance, or in Pa, held."""
    if driven == "pressure":
        return DraftOutlet("pressure", venous_pressure=mean)
    return DraftOutlet("resistance", distal=STIFF_SOURCE / mean, venous_pressure=STIFF_SOURCE)
