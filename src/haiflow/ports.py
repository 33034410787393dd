"""The plain values that one part hands the next: numbers and arrays in SI, and nothing that computes.

Parts (pump, catheter, arteries, junction, liver, body) never import each other; what they say to one another is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fluid:
    """Density (kg/m3) and dynamic viscosity (Pa s) of a liquid at body temperature."""

    density: float
    viscosity: float


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the implant feels: body temperature (K) and absolute ambient pressure (Pa)."""

    temperature: float = 310.15
    ambient_pressure: float = 101_325.0


@dataclass(frozen=True, slots=True)
class Characteristic:
    """Flow rate of a pump against the pressure at its outlet (gauge Pa), monotone and piecewise linear.

    ``Q(p) = clip((pressure - p) / resistance, min_flow_rate, max_flow_rate)`` in m3/s. A gas-driven pump has no upper
    limit; a peristaltic one has its programmed rate as the limit and its stall pressure as ``pressure``.
    """

    pressure: float
    resistance: float
    min_flow_rate: float = -np.inf
    max_flow_rate: float = np.inf

    def flow_rate(self, outlet_pressure: float) -> float:
        free = (self.pressure - outlet_pressure) / self.resistance
        return float(min(max(free, self.min_flow_rate), self.max_flow_rate))


@dataclass(frozen=True, slots=True)
class LinearTransport:
    """A part's balance of one dissolved substance on its n control volumes, ready to be joined with the others'.

    ``d(volume * c)/dt = rate @ c + gain @ m_in`` with c in kg/m3 and ``m_in`` the mass flow (kg/s) through each named
    inlet; ``outlet @ c`` is the mass flow (kg/s) through each named outlet and ``loss * c`` what is eliminated (kg/s).
    Conservation: every column of ``rate`` sums to minus (column sum of ``outlet`` + ``loss``), every column of
    ``gain`` to one.
    """

    names: tuple[str, ...]
    volume: Floats  # (n,) m3, a distribution volume: amount = volume * concentration
    rate: csr_array  # (n, n) m3/s
    inlets: tuple[str, ...]
    gain: csr_array  # (n, n_in) 1
    outlets: tuple[str, ...]
    outlet: csr_array  # (n_out, n) m3/s
    loss: Floats  # (n,) m3/s
