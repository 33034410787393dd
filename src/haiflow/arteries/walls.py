"""From what is measured of an artery to the two numbers of its tube law, ``p = beta / A0 (sqrt(A) - sqrt(A0))``.

The law follows from a thin, linearly elastic, incompressible wall (Formaggia, Lamponi & Quarteroni 2003, J Eng Math
47:251): ``beta = 4/3 sqrt(pi) E h``, and its pulse wave speed is ``c^2 = beta sqrt(A) / (2 rho A0)``.
"""

from __future__ import annotations

from math import pi, sqrt

from haiflow.errors import InputError


def beta_from_modulus(young_modulus: float, wall_thickness: float) -> float:
    """Stiffness beta (Pa m) of a wall with modulus (Pa) and thickness (m), Poisson's ratio one half."""
    return 4.0 / 3.0 * sqrt(pi) * young_modulus * wall_thickness


def unloaded(radius: float, wave_speed: float, pressure: float, density: float) -> tuple[float, float]:
    """Radius (m) at pressure zero and beta (Pa m) of an artery seen with ``radius`` and ``wave_speed`` at ``pressure``.

    With s = sqrt(A): the wave speed gives ``beta / A0 = 2 rho c^2 / s``, and the law then
    ``sqrt(A0) = s (1 - p / (2 rho c^2))``. Raises :class:`InputError` for a wall too soft to have carried the pressure.
    """
    stiff = 2.0 * density * wave_speed**2
    if pressure >= stiff:
        raise InputError(
            "arteries.wave_speed", f"{wave_speed:g} m/s", f"a wall this soft cannot carry {pressure:g} Pa",
            f"use more than {sqrt(pressure / (2.0 * density)):.2g} m/s",
        )  # fmt: skip
    root = sqrt(pi) * radius
    root0 = root * (1.0 - pressure / stiff)
    return root0 / sqrt(pi), stiff * root0**2 / root
