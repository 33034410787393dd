"""What an outlet is to the solvers: kinds, the implicit weight of a Windkessel, its impedance.

Three-element Windkessel: ``p = p_c + R1 Q``, ``C dp_c/dt = Q - (p_c - p_venous) / R2`` (Westerhof et al. 1971,
Med Biol Eng 9:1). Without compliance or distal resistance it is a resistance. A reflection coefficient R ties velocity
and wave speed by ``(1 + R) u = 4 (1 - R) (c - c(p_venous))``: R = 1 is a closed end, 0 lets waves out, -1 holds the
pressure.
"""

from __future__ import annotations

import numpy as np

from haiflow.arteries.tree import Outlet
from haiflow.ports import Floats


def is_closed(outlet: Outlet) -> bool:
    return outlet.reflection is not None and outlet.reflection >= 1.0


def is_windkessel(outlet: Outlet) -> bool:
    return outlet.reflection is None and outlet.compliance > 0.0 and outlet.distal > 0.0


def implicit_weight(outlet: Outlet, wave_impedance: float, dt: float) -> float:
    """Weight of the new time level in the capacitor's step: 1/2 for long time constants, 1 for ones below ``dt``.

    Exponential fitting ``1 / (1 - exp(-z)) - 1 / z`` with ``z = dt / (C R)``, R being R2 beside R1 and the vessel's
    characteristic impedance: second order in dt, and free of oscillation when the outlet is fast.
    """
    resistance = 1.0 / (1.0 / outlet.distal + 1.0 / (outlet.proximal + wave_impedance))
    z = dt / (outlet.compliance * resistance)
    return 0.5 + z / 12.0 if z < 1e-4 else float(-1.0 / np.expm1(-z) - 1.0 / z)


def impedance(outlet: Outlet, angular_frequency: Floats) -> np.ndarray:
    """Complex P/Q (Pa s/m3) of a Windkessel or resistance at angular frequencies (rad/s)."""
    omega = np.asarray(angular_frequency, dtype=float)
    if not is_windkessel(outlet):
        return np.full(omega.shape, outlet.proximal + outlet.distal, dtype=complex)
    return outlet.proximal + outlet.distal / (1.0 + 1j * omega * outlet.distal * outlet.compliance)
