"""Drives: the gas drive's law and its calibration, the programme's steps, the roller's limits."""

from math import inf

import pytest

from haiflow.ports import Surroundings
from haiflow.pump.drives import (
    DAY,
    PeristalticDrive,
    Programme,
    calibrated_gas_drive,
    reference_drive,
)
from haiflow.pump.model import Pump, SidePort
from haiflow.pump.propellant import PROPELLANTS

ML_PER_DAY = 1e-6 / DAY
RATE = 1.3 * ML_PER_DAY
BODY = Surroundings()


def test_calibration_gives_the_label_at_its_stated_fill():
    drive = calibrated_gas_drive(RATE, 30e-6, fill=0.4)
    assert drive.characteristic(0.4 * 30e-6, BODY, 0.70e-3).flow_rate(12.7e3) == pytest.approx(RATE, rel=1e-12, abs=0.0)


def test_bellows_take_their_share_from_full_to_empty():
    drive = calibrated_gas_drive(RATE, 30e-6, bellows_fall=0.05, fill=1.0)
    full = drive.characteristic(30e-6, BODY, 0.70e-3).flow_rate(12.7e3)
    empty = drive.characteristic(0.0, BODY, 0.70e-3).flow_rate(12.7e3)
    assert full == pytest.approx(RATE, rel=1e-12, abs=0.0)
    assert empty == pytest.approx(0.95 * RATE, rel=1e-12, abs=0.0)


def test_the_flow_is_inverse_to_the_infusate_viscosity():
    drive = calibrated_gas_drive(RATE, 30e-6)
    thick = drive.characteristic(15e-6, BODY, 1.6e-3).flow_rate(12.7e3)
    assert thick == pytest.approx(RATE * 0.70 / 1.6, rel=1e-12, abs=0.0)


def test_a_gas_drive_does_not_run_backwards():
    drive = calibrated_gas_drive(RATE, 30e-6)
    assert drive.characteristic(15e-6, BODY, 0.70e-3).flow_rate(80e3) == 0.0
    assert drive.next_change(5.0) == inf


def test_a_propellant_that_boils_too_hot_cannot_drive():
    hot = PROPELLANTS["R-11"].__class__("hot", 320.0, 25_000.0)
    assert reference_drive(hot) < 0.0
    with pytest.raises(ValueError, match="positive pressure drop"):
        calibrated_gas_drive(RATE, 30e-6, propellant=hot)


def test_vapour_pressure_is_one_atmosphere_at_the_boiling_point():
    for propellant in PROPELLANTS.values():
        assert propellant.vapour_pressure(propellant.boiling_point) == pytest.approx(101_325.0, rel=1e-14, abs=0.0)


def test_programme_holds_each_step_from_its_start_and_wraps():
    programme = Programme((6 * 3600.0, 20 * 3600.0), (2.0, 1.0))
    assert programme.rate(0.0) == 1.0  # the last rate of the day before
    assert programme.rate(6 * 3600.0) == 2.0
    assert programme.rate(20 * 3600.0 - 1e-6) == 2.0
    assert programme.rate(20 * 3600.0 + 3 * DAY) == 1.0
    assert programme.mean_rate == pytest.approx((14 * 2.0 + 10 * 1.0) / 24, rel=1e-12, abs=0.0)


def test_programme_changes_are_met_exactly_for_a_year():
    programme = Programme((0.1, 7 * 3600.0 + 0.3, 20 * 3600.0), (2.0, 1.0, 3.0))
    time, count = 0.0, 0
    while time < 365 * DAY:
        following = programme.next_change(time)
        assert following > time
        assert programme.rate(following) != programme.rate(time)
        assert programme.rate((time + following) / 2) == programme.rate(time)
        time, count = following, count + 1
    assert count == 3 * 365 + 1


def test_programme_of_one_rate_never_changes_and_equal_neighbours_are_no_change():
    assert Programme((0.0, 3600.0), (1.0, 1.0)).next_change(0.0) == inf
    assert Programme((0.0, 3600.0, 7200.0), (1.0, 1.0, 2.0)).next_change(0.0) == 7200.0


@pytest.mark.parametrize(
    ("starts", "rates"), [((), ()), ((0.0, 0.0), (1.0, 2.0)), ((0.0, DAY), (1.0, 2.0)), ((0.0,), (-1.0,))]
)
def test_programmes_that_are_none(starts, rates):
    with pytest.raises(ValueError, match="programme"):
        Programme(starts, rates)


def test_roller_keeps_its_rate_until_it_slips_and_stalls():
    drive = PeristalticDrive(Programme((0.0,), (RATE,)), stall_pressure=200e3, rate_error=0.1, slip=0.05)
    characteristic = drive.characteristic(20e-6, BODY, 0.70e-3, 0.0)
    assert (
        characteristic.flow_rate(12.7e3)
        == characteristic.flow_rate(189e3)
        == pytest.approx(1.1 * RATE, rel=1e-14, abs=0.0)
    )
    assert characteristic.flow_rate(195e3) == pytest.approx(0.55 * RATE, rel=1e-12, abs=0.0)
    assert characteristic.flow_rate(200e3) == 0.0 == characteristic.flow_rate(300e3)
    with pytest.raises(ValueError, match="accuracy band"):
        PeristalticDrive(Programme((0.0,), (RATE,)), 200e3, rate_error=0.2)


def test_roller_at_rest_in_its_programme_lets_nothing_through():
    drive = PeristalticDrive(Programme((0.0, 3600.0), (0.0, RATE)), stall_pressure=200e3)
    assert drive.characteristic(20e-6, BODY, 0.70e-3, 0.0).flow_rate(-1e3) == 0.0


def test_an_empty_or_stalled_pump_gives_nothing():
    pump = Pump(calibrated_gas_drive(RATE, 30e-6), 30e-6, residual_volume=1.5e-6)
    assert pump.characteristic(1.5e-6, BODY, 0.70e-3).flow_rate(0.0) == 0.0
    assert pump.characteristic(1.6e-6, BODY, 0.70e-3).flow_rate(12.7e3) > 0.0
    assert pump.deliverable(11.5e-6) == pytest.approx(10e-6, rel=1e-12, abs=0.0)
    assert pump.time_to_empty(11.5e-6, RATE) == pytest.approx(10 / 1.3 * DAY, rel=1e-12, abs=0.0)
    assert pump.time_to_empty(11.5e-6, 0.0) == inf


def test_side_port_limit():
    port = SidePort(resistance=1e10, pressure_limit=150e3)
    rate = port.highest_flow_rate(12.7e3, 1.1e11)
    inlet = 12.7e3 + 1.1e11 * rate
    assert port.pressure(rate, inlet) == pytest.approx(150e3, rel=1e-12, abs=0.0)
    assert not port.exceeds(0.999 * rate, 12.7e3 + 1.1e11 * 0.999 * rate)
    assert port.exceeds(1.001 * rate, 12.7e3 + 1.1e11 * 1.001 * rate)
    syringe = port.characteristic(rate)
    assert syringe.flow_rate(inlet) == pytest.approx(rate, rel=1e-12, abs=0.0)
    assert syringe.flow_rate(150e3) == 0.0
