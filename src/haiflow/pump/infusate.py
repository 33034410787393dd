"""What body temperature does to the infusate, and altitude to the pressure round the pump.

A dilute aqueous infusate thins with temperature as water does: Vogel's law
``viscosity = 2.414e-5 Pa s 10^(247.8 K / (T - 140 K))`` (2.5 % over 0 to 370 degC; Al-Shemmeri, *Engineering Fluid
Mechanics*, 2012, ch. 1), taken as a ratio to the value at 37 degC: the flow of a capillary rises by 2 %/K there.
"""

from __future__ import annotations

REFERENCE_TEMPERATURE = 310.15  # K
REFERENCE_VISCOSITY = 0.70e-3  # Pa s, saline at 37 degC


def viscosity_at(temperature: float, viscosity: float = REFERENCE_VISCOSITY) -> float:
    """Viscosity (Pa s) at ``temperature`` (K) of an infusate that has ``viscosity`` at 37 degC."""
    return viscosity * _vogel(temperature) / _vogel(REFERENCE_TEMPERATURE)


def ambient_pressure(altitude: float) -> float:
    """Pressure (Pa) of the International Standard Atmosphere at ``altitude`` (m), up to 11 km (ISO 2533:1975)."""
    return 101_325.0 * (1.0 - 0.0065 * altitude / 288.15) ** 5.25588


def _vogel(temperature: float) -> float:
    return float(10.0 ** (247.8 / (temperature - 140.0)))
