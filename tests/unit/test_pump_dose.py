"""The dose calculator against the worked example of the field (70 kg, 0.12 mg/kg/day, 30 mL, 1.3 mL/day)."""

import pytest

from haiflow.pump.dose import delivered_dose_rate, fill_for_dose

DAY = 86_400.0
DOSE = 0.12e-6 / DAY  # kg per kg and s
RATE = 1.3e-6 / DAY


def test_the_dose_comes_back_from_the_concentration():
    fill = fill_for_dose(DOSE, 70.0, RATE, 30e-6)
    assert delivered_dose_rate(fill.concentration, RATE, 70.0) == pytest.approx(DOSE, rel=1e-14, abs=0.0)
    # a pump 15 % fast overdoses by 15 %
    assert delivered_dose_rate(fill.concentration, 1.15 * RATE, 70.0) == pytest.approx(1.15 * DOSE, rel=1e-14, abs=0.0)


def test_no_flow_no_dose():
    with pytest.raises(ValueError, match="positive flow rate"):
        fill_for_dose(DOSE, 70.0, 0.0, 30e-6)
