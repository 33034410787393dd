"""The pump as a frozen value: a drive, a reservoir's limits, a side port, and whether it has stalled.

**Side port.** A needle between the septa reaches the catheter directly: a second hydraulic path, of the port's own
resistance, that bypasses the restrictor. The syringe's pressure is ``p_inlet + resistance q`` and must stay below the
limit of port and catheter. YAML: ``schedule: [{at: 7 d, bolus: {drug: saline, volume: 10 mL, over: 2 min}}]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from haiflow.ports import Characteristic, Surroundings
from haiflow.pump.drives import CLOSED, Drive


@dataclass(frozen=True, slots=True)
class SidePort:
    """``resistance`` (Pa s/m3) from the needle to the catheter, ``pressure_limit`` (gauge Pa) at the syringe."""

    resistance: float = 1.0e10
    pressure_limit: float = 200.0e3

    def pressure(self, flow_rate: float, inlet_pressure: float) -> float:
        """Syringe pressure (gauge Pa) for ``flow_rate`` (m3/s) into a catheter whose inlet is at ``inlet_pressure``."""
        return inlet_pressure + self.resistance * flow_rate

    def exceeds(self, flow_rate: float, inlet_pressure: float) -> bool:
        """Whether that breaks the limit."""
        return self.pressure(flow_rate, inlet_pressure) > self.pressure_limit

    def highest_flow_rate(self, outlet_pressure: float, line_resistance: float) -> float:
        """The bolus rate (m3/s) that just meets the limit through a line of ``line_resistance`` (Pa s/m3)."""
        return (self.pressure_limit - outlet_pressure) / (self.resistance + line_resistance)

    def characteristic(self, flow_rate: float) -> Characteristic:
        """A syringe that pushes ``flow_rate`` (m3/s) while its pressure stays within the limit, and less beyond."""
        return Characteristic(self.pressure_limit, self.resistance, 0.0, flow_rate)


@dataclass(frozen=True, slots=True)
class Pump:
    """``capacity`` (m3) full; at ``residual_volume`` (m3) it is empty and stops; a ``stalled`` pump gives nothing."""

    drive: Drive
    capacity: float
    residual_volume: float = 1.5e-6
    side_port: SidePort = SidePort()
    stalled: bool = False

    def characteristic(
        self, volume: float, surroundings: Surroundings, viscosity: float, time: float = 0.0
    ) -> Characteristic:
        """Flow rate against outlet pressure with ``volume`` (m3) in the reservoir at ``time`` (s); see the drive."""
        if self.stalled or volume <= self.residual_volume:
            return CLOSED
        return self.drive.characteristic(volume, surroundings, viscosity, time)

    def next_change(self, time: float) -> float:
        """The next time (s) at which the drive changes of its own; inf if it does not."""
        return self.drive.next_change(time)

    def deliverable(self, volume: float) -> float:
        """m3 that can still be drawn of ``volume`` (m3)."""
        return max(volume - self.residual_volume, 0.0)

    def time_to_empty(self, volume: float, flow_rate: float) -> float:
        """Time (s) in which ``flow_rate`` (m3/s) draws ``volume`` (m3) down to the residual; inf without flow."""
        return self.deliverable(volume) / flow_rate if flow_rate > 0.0 else inf
