"""Two-phase propellants: while liquid and vapour coexist, the pressure answers to temperature alone.

Clausius-Clapeyron with a constant enthalpy of vaporisation H, from the normal boiling point T_b (Atkins & de Paula,
*Physical Chemistry*, 4B): ``p = 101325 Pa exp(-H / R_gas (1 / T - 1 / T_b))``. Which propellant a given implant holds
is not public; R-11 reproduces the clinical rule of +13 % flow per degC and is the default.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

GAS_CONSTANT = 8.314462618  # J/(mol K)
STANDARD_PRESSURE = 101_325.0  # Pa


@dataclass(frozen=True, slots=True)
class Propellant:
    """Normal boiling point (K) and molar enthalpy of vaporisation (J/mol)."""

    name: str
    boiling_point: float
    enthalpy: float

    def vapour_pressure(self, temperature: float) -> float:
        """Absolute vapour pressure (Pa) at ``temperature`` (K)."""
        return STANDARD_PRESSURE * exp(-self.enthalpy / GAS_CONSTANT * (1.0 / temperature - 1.0 / self.boiling_point))


PROPELLANTS = {
    "R-11": Propellant("R-11", 296.95, 24_800.0),
    "R-123": Propellant("R-123", 300.95, 26_000.0),
    "R-114": Propellant("R-114", 276.95, 23_300.0),
    "n-butane": Propellant("n-butane", 272.65, 22_400.0),
}
