"""The law of one hole: a capillary through the wall, creeping entrance and exit, and a discharge loss.

    dp = resistance q + loss q |q|
    resistance = viscosity (128 (L + l (f**-2 - 1)) / (pi D^4) + 24 / d^3),   loss = density / (2 (C A)^2)

with hole diameter D, channel length L, free area fraction f, free diameter d = D sqrt(f), free area A = pi d^2 / 4,
plug length l and discharge coefficient C. Terms: Hagen-Poiseuille; Sampson's creeping orifice added to it (Dagan,
Weinbaum & Pfeffer, J. Fluid Mech. 115, 1982, 505-523: within 1 % for any L/d); the discharge loss of a sharp-edged
hole (Idelchik, *Handbook of Hydraulic Resistance*). An open end has only one side in the open: half of Sampson's term.
A pocket outside is one more resistance in series (see :func:`pocket_terms`).
"""

from __future__ import annotations

from math import inf, isinf, pi, sqrt

from haiflow.catheter.line import CLOSED_FRACTION, Hole, Pocket


def hole_terms(hole: Hole, viscosity: float, density: float) -> tuple[float, float]:
    """``resistance`` (Pa s/m3) and quadratic ``loss`` (Pa s2/m6) of a hole; (inf, 0) when it is closed."""
    free = hole.open_fraction
    if free <= CLOSED_FRACTION:
        return inf, 0.0
    diameter = hole.diameter * sqrt(free)
    channel = 128.0 * (hole.length + hole.plug_length * (free**-2 - 1.0)) / (pi * hole.diameter**4)
    creeping = (12.0 if hole.kind == "tip" else 24.0) / diameter**3
    area = 0.25 * pi * diameter**2
    return viscosity * (channel + creeping), density / (2.0 * (hole.discharge_coefficient * area) ** 2)


def pocket_terms(pocket: Pocket, volume: float, dt: float) -> tuple[float, float]:
    """The pocket after a backward-Euler step as seen from its hole: ``p = source + resistance q``.

    From ``(V - V0) / dt = q - absorption V / compliance`` and ``p = rest_pressure + V / compliance``.
    """
    if isinf(pocket.compliance):
        return pocket.rest_pressure, 0.0
    yielding = pocket.compliance / dt + pocket.absorption
    if yielding == 0.0:
        return pocket.rest_pressure, inf
    return pocket.rest_pressure + volume / dt / yielding, 1.0 / yielding


def hole_flow(drop: float, resistance: float, loss: float) -> float:
    """Flow rate (m3/s) through a hole under a pressure ``drop`` (Pa), outwards positive: the law solved for q."""
    if isinf(resistance):
        return 0.0
    return 2.0 * drop / (resistance + sqrt(resistance**2 + 4.0 * loss * abs(drop)))
