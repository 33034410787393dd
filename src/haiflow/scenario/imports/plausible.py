"""Numbers that no artery has: a deck in other units, or a slip, is refused before anything is reckoned with it."""

from __future__ import annotations

from math import inf, pi

from haiflow.arteries.tube_law import stiffness_from_wall, wave_speed
from haiflow.errors import InputError
from haiflow.scenario.imports.draft import Draft, DraftVessel
from haiflow.scenario.imports.findings import Findings
from haiflow.scenario.imports.means import mean_pressures, outlet_resistance

REMEDY = "check it and its unit (openBF: SI; svOneDSolver and svZeroDSolver: CGS)"
ARTERIES = (2.0, 25.0)  # m/s: softer and stiffer than arteries are, of a child or calcified [assumed]
BOUNDS = {  # SI, from far below to far above what lives
    "coordinate (m)": (-100.0, 100.0),  # of a scanner's axes, whose origin may lie elsewhere
    "length (m)": (1e-6, 10.0),
    "diameter (m)": (1e-6, 0.2),
    "density (kg/m3)": (100.0, 1e4),
    "viscosity (Pa s)": (1e-6, 10.0),
    "velocity profile": (2.0, 100.0),
    "mean inflow (m3/s)": (1e-15, 1e-2),
    "mean inlet pressure (Pa)": (1e-3, 1e6),
    "resistance (Pa s/m3)": (0.0, 1e18),
    "quadratic loss (Pa s2/m6)": (0.0, 1e26),
    "compliance (m3/Pa)": (0.0, 1e-4),
    "outlet pressure (Pa)": (-1e5, 1e10),
    "wave speed (m/s)": (1e-2, 1e5),
    "modulus (Pa)": (1.0, 1e14),
    "thickness (m)": (1e-9, 0.1),
    "reference pressure (Pa)": (-1e5, 1e10),
}


def within(what: str, value: float | None, place: str) -> None:
    """Raise :class:`InputError` where a value is far from any artery's."""
    low, high = BOUNDS[what]
    if value is not None and not low <= value <= high:
        raise InputError(place, f"{value:.4g}", f"no artery has such a {what}: {low:g} to {high:g}", REMEDY)


def plausible(draft: Draft, deck: str) -> None:
    """Everything in the draft that a simulation reckons with."""
    within("density (kg/m3)", draft.density, deck)
    within("viscosity (Pa s)", draft.viscosity, deck)
    within("velocity profile", draft.velocity_profile, deck)
    within("mean inflow (m3/s)" if draft.driven == "flow" else "mean inlet pressure (Pa)", draft.cycle.mean, deck)
    for vessel in draft.vessels:
        place = f"{deck}: {vessel.name}"
        within("length (m)", vessel.length, place)
        for diameter in vessel.diameter:
            within("diameter (m)", diameter, place)
        within("resistance (Pa s/m3)", vessel.linear_loss, place)
        within("quadratic loss (Pa s2/m6)", vessel.quadratic_loss, place)
        within("wave speed (m/s)", vessel.wave_speed, place)
        within("modulus (Pa)", vessel.modulus, place)
        within("reference pressure (Pa)", vessel.reference_pressure, place)
        for thickness in vessel.thickness or ():
            within("thickness (m)", thickness, place)
    for node, position in draft.positions.items():
        for coordinate in position:
            within("coordinate (m)", coordinate, f"{deck}: {node}")
    for node, outlet in draft.outlets.items():
        place = f"{deck}: {node}"
        for resistance in (outlet.proximal, outlet.distal):
            within("resistance (Pa s/m3)", resistance, place)
        within("compliance (m3/Pa)", outlet.compliance, place)
        within("outlet pressure (Pa)", outlet.venous_pressure, place)
    known = all(outlet_resistance(outlet) < inf for outlet in draft.outlets.values())
    if draft.vessels and draft.driven == "flow" and known:
        _pressure_of_the_flow(draft, deck)


def _pressure_of_the_flow(draft: Draft, deck: str) -> None:
    """What pressure the mean inflow needs: each number may be possible, and all of them together not."""
    highest, pressure = BOUNDS["mean inlet pressure (Pa)"][1], mean_pressures(draft)[draft.inlet]
    if pressure > highest:
        rule = f"no artery bears the mean pressure (Pa) that inflow and resistances make: {highest:g} at most"
        raise InputError(f"{deck}: {draft.inlet}", f"{pressure:.4g}", rule, REMEDY)


def wave_speeds(draft: Draft, deck: str, findings: Findings) -> None:
    """Tell of walls that are softer or stiffer than arteries, at the state in which they are given; refuse what is no
    wall. Tubes that stand for lumped elements have none of their own."""
    low, high = ARTERIES
    consequence = f"no artery's: waves run at {low:g} to {high:g} m/s; check the wall and its units"
    for vessel in draft.vessels:
        for speed in () if vessel.lumped else _speeds(vessel, draft.density):
            within("wave speed (m/s)", speed, f"{deck}: {vessel.name}")
            if not low <= speed <= high:
                findings.add("wave speed", f"{speed:.3g} m/s", consequence, vessel.name)


def _speeds(vessel: DraftVessel, density: float) -> tuple[float, ...]:
    """m/s at start and end."""
    if vessel.wave_speed is not None:
        return (vessel.wave_speed,)
    if vessel.modulus is None or vessel.thickness is None:
        return ()
    areas = [0.25 * pi * diameter**2 for diameter in vessel.diameter]
    betas = [stiffness_from_wall(vessel.modulus, thickness) for thickness in vessel.thickness]
    return tuple(float(wave_speed(a, a, beta, density)) for a, beta in zip(areas, betas, strict=True))
