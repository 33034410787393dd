"""The pressure that the line feels: where along its artery the tip lies, on both clocks."""

import numpy as np
import pytest

MMHG = 133.322387415
INFLOW = 400e-6 / 60.0
LENGTH, DIAMETER, VISCOSITY = 0.06, 6e-3, 0.4
DROP = 128.0 * VISCOSITY * INFLOW * LENGTH / (np.pi * DIAMETER**4)  # Pa, Hagen-Poiseuille: 5 kPa along the trunk
LINE = 128.0 * 0.70e-3 * 0.5 * 1.3e-6 / 86400.0 / (np.pi * 0.6e-3**4)  # Pa, of the infusion in the line: 1.7


@pytest.mark.parametrize("clock", ["therapy", "pulse"])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.8])
def test_the_pumps_outlet_is_at_the_arterys_pressure_at_the_tip(chain, run, clock, share):
    """Stiff wide arteries with a syrup in them under steady flow: 95 mmHg at the trunk's start less its share of the
    drop along it. Blood of that viscosity makes friction much and the velocity head (40 Pa) little."""
    tip = {"vessel": "trunk", "position": f"{LENGTH * share} m" if share else "ostium"}
    timing = {"clock": clock, "duration": "0.2 s", "output_every": "0.1 s"}
    scenario = chain(catheter__tip=tip, arteries__blood={"viscosity": f"{VISCOSITY} Pa s"}, run=timing)
    for vessel in scenario["arteries"]["network"]["vessels"].values():
        vessel |= {"diameter": f"{DIAMETER} m", "wave_speed": "20 m/s"}
    scenario["arteries"]["network"]["vessels"]["trunk"]["length"] = f"{LENGTH} m"
    found = run(scenario).history_series["pump_outlet_pressure"].values[-1] - LINE
    assert found == pytest.approx(95.0 * MMHG - share * DROP, abs=0.03 * DROP)
