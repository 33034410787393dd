"""The tube law ``p = beta / A0 (sqrt(A) - sqrt(A0))`` and what follows from it.

Formaggia, Nobile, Quarteroni & Veneziani 1999, Comput Vis Sci 2:75. Functions take and return arrays or numbers in SI:
area (m2), reference area ``A0`` (m2), ``beta`` (Pa m), pressure (gauge Pa). ``stiffness_*`` give ``beta`` from what is
measured.
"""

from __future__ import annotations

import numpy as np

from haiflow.errors import InputError
from haiflow.ports import Floats

Values = Floats | float


def pressure(area: Values, A0: Values, beta: Values) -> Values:
    """Pressure (Pa) at an area."""
    return beta / A0 * (np.sqrt(area) - np.sqrt(A0))


def area(pressure: Values, A0: Values, beta: Values) -> Values:
    """Area (m2) at a pressure; the vessel is taken as nearly shut (1/400 of ``A0``) below its collapse pressure."""
    root = np.sqrt(A0)
    return np.maximum(root + A0 / beta * pressure, 0.05 * root) ** 2


def wave_speed(area: Values, A0: Values, beta: Values, density: float) -> Values:
    """Speed of a small pulse (m/s), ``c^2 = A / rho dp/dA = beta sqrt(A) / (2 rho A0)``."""
    return np.sqrt(beta * np.sqrt(area) / (2.0 * density * A0))


def compliance(area: Values, A0: Values, beta: Values) -> Values:
    """Area per pressure ``dA/dp`` (m2/Pa)."""
    return 2.0 * A0 * np.sqrt(area) / beta


def stiffness_from_wall(modulus: Values, thickness: Values) -> Values:
    """``beta = 4/3 sqrt(pi) E h``: thin incompressible wall of modulus ``E`` (Pa) and thickness ``h`` (m)."""
    return 4.0 / 3.0 * np.sqrt(np.pi) * modulus * thickness


def stiffness_from_wave_speed(speed: Values, A0: Values, density: float) -> Values:
    """``beta = 2 rho c0^2 sqrt(A0)`` for the wave speed ``c0`` (m/s) at pressure zero."""
    return 2.0 * density * np.asarray(speed) ** 2 * np.sqrt(A0)


def wall_viscosity(viscosity: Values, thickness: Values) -> Values:
    """Kelvin-Voigt coefficient (Pa s m) ``2/3 sqrt(pi) phi h`` of a wall of viscosity ``phi`` (Pa s).

    Alastruey et al. 2011, J Biomech 44:2250.
    """
    return 2.0 / 3.0 * np.sqrt(np.pi) * viscosity * thickness


def unloaded_wall(radius: float, beta: float, pressure: float) -> tuple[float, float]:
    """Radius (m) at pressure zero and beta (Pa m) of a wall that has ``radius`` and ``beta`` at ``pressure``.

    With A1 the area at that pressure, ``p = pressure + beta / A1 (sqrt A - sqrt A1)`` is the law of the same slope
    ``beta / A1`` about ``sqrt A0 = sqrt A1 (1 - pressure sqrt(A1) / beta)``: an external pressure does the same. Raises
    :class:`InputError` for a wall too soft to have carried the pressure.
    """
    root = np.sqrt(np.pi) * radius
    shrunk = 1.0 - pressure * root / beta
    if shrunk <= 0.0:
        raise InputError(
            "arteries.reference_pressure", f"{pressure:g} Pa", "a wall this soft cannot carry the pressure",
            f"use less than {beta / root:.3g} Pa, or a stiffer wall",
        )  # fmt: skip
    return radius * shrunk, beta * shrunk**2


def unloaded(radius: float, wave_speed: float, pressure: float, density: float) -> tuple[float, float]:
    """Radius (m) at pressure zero and beta (Pa m) of an artery seen with ``radius`` and ``wave_speed`` at ``pressure``.

    With s = sqrt(A): the wave speed gives ``beta / A0 = 2 rho c^2 / s``, and the law then
    ``sqrt(A0) = s (1 - p / (2 rho c^2))``. Raises :class:`InputError` for a wall too soft to have carried the pressure.
    """
    stiff = 2.0 * density * wave_speed**2
    if pressure >= stiff:
        raise InputError(
            "arteries.wave_speed", f"{wave_speed:g} m/s", f"a wall this soft cannot carry {pressure:g} Pa",
            f"use more than {np.sqrt(pressure / (2.0 * density)):.2g} m/s",
        )  # fmt: skip
    root = np.sqrt(np.pi) * radius
    root0 = root * (1.0 - pressure / stiff)
    return root0 / np.sqrt(np.pi), stiff * root0**2 / root
