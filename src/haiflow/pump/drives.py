"""The drives: each turns the state of the pump into a characteristic, flow rate against outlet pressure.

**Gas drive.** ``Q = (p_vap(T) - p_amb - k_b x - p_out) / R``: vapour pressure (absolute), ambient pressure (absolute),
bellows spring against the stroke x (0 full, 1 empty), outlet pressure (gauge), restrictor ``R = R_ref mu / mu_ref``, a
Hagen-Poiseuille capillary (128 mu L / (pi d^4)). A restrictor would let fluid back, nanolitres during a bolus; it is
taken as closed to reverse flow.
YAML: ``pump: {drive: {kind: gas, propellant: R-11, nominal_flow_rate: 1.3 mL/day, bellows_fall: 5 %}}``.

**Peristaltic drive.** A programme of rates repeated each day, delivered with a constant relative error inside the
accuracy band, independent of the outlet pressure until the rotor slips: from ``(1 - slip) p_stall`` the flow falls
linearly to zero at ``p_stall``. The tube behind the rotor yields by ``tube_compliance`` (m3/Pa), to be lumped on the
line's inlet. YAML: ``pump: {drive: {kind: peristaltic, programme: [...], stall_pressure: 200 kPa, rate_error: 3 %}}``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import floor, inf, pi
from typing import Protocol

from haiflow.ports import Characteristic, Surroundings
from haiflow.pump.infusate import REFERENCE_VISCOSITY
from haiflow.pump.propellant import PROPELLANTS, Propellant

REFERENCE = Surroundings()
REFERENCE_ARTERIAL_PRESSURE = 12.7e3  # gauge Pa
DAY = 86_400.0
CLOSED = Characteristic(0.0, 1.0, 0.0, 0.0)  # no flow at any pressure


class Drive(Protocol):
    """What a pump asks of its drive."""

    def characteristic(
        self, volume: float, surroundings: Surroundings, viscosity: float, time: float
    ) -> Characteristic: ...

    def next_change(self, time: float) -> float: ...


@dataclass(frozen=True, slots=True)
class GasDrive:
    """A propellant on a bellows, and a restrictor.

    ``restrictor_resistance`` (Pa s/m3) at ``reference_viscosity`` (Pa s); ``bellows_fall`` is the fraction of the
    driving pressure at reference conditions that the bellows takes from full to empty; ``capacity`` (m3) is the
    volume at which it is relaxed.
    """

    propellant: Propellant
    restrictor_resistance: float
    capacity: float
    bellows_fall: float = 0.05
    reference_viscosity: float = REFERENCE_VISCOSITY

    def characteristic(
        self, volume: float, surroundings: Surroundings, viscosity: float, time: float = 0.0
    ) -> Characteristic:
        """At reservoir ``volume`` (m3), with the infusate's ``viscosity`` (Pa s) at the temperature of the
        ``surroundings`` (see :func:`haiflow.pump.infusate.viscosity_at`)."""
        resistance = self.restrictor_resistance * viscosity / self.reference_viscosity
        return Characteristic(self.driving_pressure(volume, surroundings), resistance, min_flow_rate=0.0)

    def driving_pressure(self, volume: float, surroundings: Surroundings) -> float:
        """Pressure before the restrictor (gauge Pa): vapour less ambient less the bellows' spring."""
        vapour = self.propellant.vapour_pressure(surroundings.temperature)
        return vapour - surroundings.ambient_pressure - self._spring * (1.0 - volume / self.capacity)

    @property
    def _spring(self) -> float:
        return self.bellows_fall * reference_drive(self.propellant)

    def next_change(self, time: float) -> float:
        """Nothing is programmed: never."""
        return inf


def reference_drive(propellant: Propellant) -> float:
    """Pressure across the restrictor (Pa) of a full pump at 37 degC, 101.325 kPa and 12.7 kPa in the artery."""
    vapour = propellant.vapour_pressure(REFERENCE.temperature)
    return vapour - REFERENCE.ambient_pressure - REFERENCE_ARTERIAL_PRESSURE


def calibrated_gas_drive(
    nominal_flow_rate: float,
    capacity: float,
    *,
    propellant: Propellant = PROPELLANTS["R-11"],
    bellows_fall: float = 0.05,
    fill: float = 0.5,
    viscosity: float = REFERENCE_VISCOSITY,
) -> GasDrive:
    """A gas drive that gives ``nominal_flow_rate`` (m3/s) at 37 degC, 101.325 kPa ambient, 12.7 kPa in the artery,
    with infusate of ``viscosity`` (Pa s) and the reservoir filled to the fraction ``fill`` of ``capacity`` (m3).

    A label states the mean over an emptying, so the default is half full. Raises ValueError if the propellant cannot
    drive at all.
    """
    drop = reference_drive(propellant) * (1.0 - bellows_fall * (1.0 - fill))
    return GasDrive(propellant, restrictor_resistance(drop, nominal_flow_rate), capacity, bellows_fall, viscosity)


def restrictor_resistance(pressure_drop: float, flow_rate: float) -> float:
    """Resistance (Pa s/m3) of a restrictor that passes ``flow_rate`` (m3/s) under ``pressure_drop`` (Pa)."""
    if not (pressure_drop > 0.0 and flow_rate > 0.0):
        raise ValueError("a restrictor needs a positive pressure drop and flow rate")
    return pressure_drop / flow_rate


def restrictor_bore(resistance: float, length: float, viscosity: float = REFERENCE_VISCOSITY) -> float:
    """Diameter (m) of the capillary of ``length`` (m) that has ``resistance`` (Pa s/m3): Hagen-Poiseuille."""
    return float((128.0 * viscosity * length / (pi * resistance)) ** 0.25)


@dataclass(frozen=True, slots=True)
class Programme:
    """Rates in steps: ``rates[i]`` (m3/s) from ``starts[i]`` (s, ascending, in [0, period)), repeated each ``period``
    (s); before the first start the last rate holds."""

    starts: tuple[float, ...]
    rates: tuple[float, ...]
    period: float = DAY

    def __post_init__(self) -> None:
        ascending = all(a < b for a, b in pairwise(self.starts))
        inside = bool(self.starts) and self.starts[0] >= 0.0 and self.starts[-1] < self.period
        if len(self.starts) != len(self.rates) or not (ascending and inside) or min(self.rates) < 0.0:
            raise ValueError("a programme needs ascending starts within its period and as many rates, none negative")

    def rate(self, time: float) -> float:
        """m3/s at ``time`` (s); a step holds from its very start."""
        return [rate for start, rate in self._steps(time) if start <= time][-1]

    def next_change(self, time: float) -> float:
        """The first start (s) after ``time`` at which the rate differs from the one before; inf if it never does."""
        if len(set(self.rates)) == 1:
            return inf
        now = self.rate(time)
        return next(start for start, rate in self._steps(time) if start > time and rate != now)

    @property
    def mean_rate(self) -> float:
        """m3/s over a period."""
        ends = (*self.starts[1:], self.starts[0] + self.period)
        volume = sum(r * (b - a) for r, a, b in zip(self.rates, self.starts, ends, strict=True))
        return volume / self.period

    def _steps(self, time: float) -> Iterator[tuple[float, float]]:
        """Steps of the periods round ``time``, in order; each start is the same float whenever it is asked for."""
        period = floor(time / self.period)
        for k in range(period - 2, period + 3):
            for start, rate in zip(self.starts, self.rates, strict=True):
                yield k * self.period + start, rate


@dataclass(frozen=True, slots=True)
class PeristalticDrive:
    """A roller pump: programme, ``rate_error`` (relative, within ``accuracy_band``), ``stall_pressure`` (gauge Pa),
    ``slip`` (fraction of the stall pressure over which the flow falls), ``tube_compliance`` (m3/Pa)."""

    programme: Programme
    stall_pressure: float
    rate_error: float = 0.0
    accuracy_band: float = 0.145
    slip: float = 0.05
    tube_compliance: float = 0.0

    def __post_init__(self) -> None:
        if abs(self.rate_error) > self.accuracy_band:
            raise ValueError(f"rate error {self.rate_error} is outside the accuracy band {self.accuracy_band}")

    def characteristic(
        self, volume: float, surroundings: Surroundings, viscosity: float, time: float = 0.0
    ) -> Characteristic:
        """The programmed rate at ``time`` (s), up to the stall pressure; the other arguments do not matter."""
        rate = self.programme.rate(time) * (1.0 + self.rate_error)
        if rate == 0.0:
            return CLOSED
        return Characteristic(self.stall_pressure, self.slip * self.stall_pressure / rate, 0.0, rate)

    def next_change(self, time: float) -> float:
        """Time (s) of the programme's next step."""
        return self.programme.next_change(time)
