"""Factors from a peer's units to SI."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Units:
    """Factors to SI of what a network deck holds."""

    length: float
    pressure: float
    flow_rate: float
    density: float
    viscosity: float

    @property
    def area(self) -> float:
        return self.length**2

    @property
    def resistance(self) -> float:
        return self.pressure / self.flow_rate

    @property
    def quadratic(self) -> float:
        return self.pressure / self.flow_rate**2

    @property
    def compliance(self) -> float:
        """Of volume by pressure, the flow rate being a volume per second."""
        return self.flow_rate / self.pressure


CGS = Units(length=1e-2, pressure=0.1, flow_rate=1e-6, density=1e3, viscosity=0.1)
