"""The pump: the worked dose and the propellant table."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cases import case
from benchmarks.table import Row, within
from haiflow.ports import Surroundings
from haiflow.pump.dose import fill_for_dose
from haiflow.pump.drives import calibrated_gas_drive
from haiflow.pump.infusate import ambient_pressure, viscosity_at
from haiflow.pump.propellant import PROPELLANTS

HEADS = ("+1 K, vapour", "+1 K, viscosity", "+10 mmHg", "cabin at 75 kPa", "+1000 m")


def rows() -> Iterator[Row]:
    tests = case("unit/test_pump_dose")
    fill = fill_for_dose(tests.DOSE, 70.0, tests.RATE, 30e-6)
    yield within("70 kg, 0.12 mg/kg/day, 30 mL, 1.3 mL/day: fill", 1e6 * fill.amount, 193.85, 1e-3, " mg")
    mixed = 1e6 * fill.arterial_concentration(400e-6 / 60.0)
    yield within("mixed into 400 mL/min of arterial blood", mixed, 14.58, 1e-3, " ng/mL")
    for name, wanted in case("verification/test_propellants").TABLE.items():
        for head, asked, found in zip(HEADS, wanted[2:], changes(name), strict=True):
            yield within(f"{name}-like drive, {head}", found, asked, 0.05, " %")


def changes(name: str) -> list[float]:
    """Change of the flow rate in % for each of ``HEADS``."""
    tests = case("verification/test_propellants")
    drive = calibrated_gas_drive(tests.RATE, 30e-6, propellant=PROPELLANTS[name], bellows_fall=0.0)

    def change(surroundings=tests.BODY, artery=tests.ARTERY, viscosity=0.70e-3) -> float:
        flow = drive.characteristic(30e-6, surroundings, viscosity).flow_rate(artery)
        return 100.0 * (flow / tests.RATE - 1.0)

    return [
        change(tests.FEVER),
        change(viscosity=viscosity_at(311.15)),
        change(artery=tests.ARTERY + 10 * tests.MMHG),
        change(Surroundings(ambient_pressure=75e3)),
        change(Surroundings(ambient_pressure=ambient_pressure(1000.0))),
    ]
