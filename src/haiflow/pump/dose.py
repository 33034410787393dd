"""From a dose per body mass and day to what the pharmacy puts into the reservoir.

The dose is delivered at the pump's flow rate, so ``concentration = dose mass / flow_rate`` and
``amount = concentration volume`` (the law of hepatic artery floxuridine: mg = mg/kg/day kg mL / (mL/day)).
70 kg at 0.12 mg/kg/day from 30 mL at 1.3 mL/day: 6.46 mg/mL, 193.85 mg, 14.58 ng/mL mixed into 400 mL/min of blood.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fill:
    """What goes into the reservoir: ``concentration`` (kg/m3), ``amount`` (kg); ``mass_rate`` (kg/s) it delivers."""

    concentration: float
    amount: float
    mass_rate: float

    def arterial_concentration(self, blood_flow_rate: float) -> float:
        """Concentration (kg/m3) that it adds to a mixed ``blood_flow_rate`` (m3/s)."""
        return self.mass_rate / blood_flow_rate


def fill_for_dose(dose_rate: float, body_mass: float, flow_rate: float, volume: float) -> Fill:
    """The fill of ``volume`` (m3) that delivers ``dose_rate`` (kg of drug per kg of body and s) at ``flow_rate``
    (m3/s) to a ``body_mass`` (kg). Raises ValueError unless the flow rate is positive."""
    if not flow_rate > 0.0:
        raise ValueError("a dose needs a positive flow rate")
    mass_rate = dose_rate * body_mass
    return Fill(mass_rate / flow_rate, mass_rate / flow_rate * volume, mass_rate)


def delivered_dose_rate(concentration: float, flow_rate: float, body_mass: float) -> float:
    """The dose (kg per kg and s) that a reservoir of ``concentration`` (kg/m3) gives at ``flow_rate`` (m3/s)."""
    return concentration * flow_rate / body_mass
