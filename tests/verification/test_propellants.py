"""The gas drive against the propellant table of the field (Clausius-Clapeyron; drive into 12.7 kPa, no bellows).

Table: flow change in % for +1 degC by vapour, +1 degC by viscosity, +10 mmHg in the artery, a cabin at 75 kPa, and
+1000 m (International Standard Atmosphere: 89.87 kPa).
"""

import pytest

from haiflow.ports import Surroundings
from haiflow.pump.drives import calibrated_gas_drive, reference_drive
from haiflow.pump.infusate import ambient_pressure, viscosity_at
from haiflow.pump.propellant import PROPELLANTS

RATE = 1.3e-6 / 86_400.0
BODY, FEVER = Surroundings(), Surroundings(temperature=311.15)
ARTERY, MMHG = 12.7e3, 133.322
TABLE = {  # kPa, kPa, %, %, %, %, %
    "R-11": (155.0, 41.0, 11.7, 2.0, -3.2, 64.0, 28.0),
    "R-123": (138.0, 24.0, 18.8, 2.0, -5.6, 110.0, 48.0),
    "R-114": (299.0, 185.0, 4.7, 2.0, -0.7, 14.0, 6.0),
    "n-butane": (335.0, 221.0, 4.2, 2.0, -0.6, 12.0, 5.0),
}


@pytest.mark.parametrize("name", TABLE)
def test_propellant_table(name):
    drive = calibrated_gas_drive(RATE, 30e-6, propellant=PROPELLANTS[name], bellows_fall=0.0)

    def change(surroundings=BODY, artery=ARTERY, viscosity=0.70e-3):
        return 100.0 * (drive.characteristic(30e-6, surroundings, viscosity).flow_rate(artery) / RATE - 1.0)

    found = (
        PROPELLANTS[name].vapour_pressure(310.15) / 1e3,
        reference_drive(PROPELLANTS[name]) / 1e3,
        change(FEVER),
        change(viscosity=viscosity_at(311.15)),
        change(artery=ARTERY + 10 * MMHG),
        change(Surroundings(ambient_pressure=75e3)),
        change(Surroundings(ambient_pressure=ambient_pressure(1000.0))),
    )
    assert found == pytest.approx(TABLE[name], rel=0.05, abs=0.0)
