"""The line's solver at its limits; its closed forms are cases of ``haiflow verify catheter``."""

from math import inf, pi

import numpy as np
import pytest

from haiflow.catheter.hydraulics import LineState, advance, inlet_pressure, rest_state
from haiflow.catheter.ingress import hole_waves, tip_ingress
from haiflow.catheter.line import Hole, Pocket
from haiflow.errors import SolverStopped
from haiflow.faults.leak import leak
from haiflow.faults.occlusion import occlude_hole, occlude_line
from haiflow.ports import Characteristic
from haiflow.verify.line import ARTERY, DENSITY, DRIVE, GAS, RATE, SALINE, STALLED, catheter, steady, step


def test_a_closed_line_takes_no_bolus():
    blocked = occlude_hole(catheter(), "tip", 1.0)
    with pytest.raises(SolverStopped, match="closed line"):
        inlet_pressure(blocked, 1e-6, artery_pressure=0.0, viscosity=np.full(64, SALINE), density=DENSITY)


def test_a_syringe_with_a_pressure_limit_gives_what_the_line_takes():
    line = catheter()
    syringe = Characteristic(60e3, 1e10, 0.0, 1e-6)
    flow = steady(line, source=STALLED, side=syringe)
    assert flow.side_port_flow == pytest.approx((60e3 - flow.inlet_pressure) / 1e10, rel=1e-9, abs=0.0)
    assert 0.0 < flow.side_port_flow < 1e-6
    assert flow.hole_flow[0] == pytest.approx(flow.side_port_flow, rel=1e-12, abs=0.0)
    free = steady(line, source=STALLED, side=Characteristic(60e3, 1e10, 0.0, 1e-7))
    assert free.side_port_flow == 1e-7


def test_a_closed_tip_takes_no_blood_and_a_steady_artery_gives_none():
    pulse = ARTERY + 2e3 * np.sin(2 * pi * np.arange(50) / 50)
    viscosity = np.full(64, SALINE)
    assert tip_ingress(occlude_hole(catheter(), "tip", 1.0), GAS, pulse, 0.8, viscosity) == 0.0
    assert tip_ingress(catheter(), GAS, np.full(50, ARTERY), 0.8, viscosity) == 0.0


def test_a_slow_pulse_is_let_through_by_what_the_pocket_absorbs():
    """Over hours the line and its pocket are in step with the artery, and what the tissue takes up answers to it:
    ``q = absorption p``, whose resistance of 1e14 Pa s/m3 is a thousand times the line's and the hole's."""
    line = leak(catheter(), 0.0, 0.2e-3, pocket=Pocket(compliance=1e-15, absorption=1e-14))
    swing = 1e3 * np.sin(2 * pi * np.arange(64) / 64)
    waves = hole_waves(line, STALLED, ARTERY + swing, 1e5, np.full(64, SALINE), DENSITY, np.array([0.0, 0.0]))
    assert waves[1].max() == pytest.approx(1e-14 * 1e3, rel=0.01, abs=0.0)
    assert waves[0].min() == pytest.approx(-1e-14 * 1e3, rel=0.01, abs=0.0)
    crest = waves.shape[1] // 4  # what the artery's pressure drives in by the tip goes out into the pocket then
    assert waves[1, crest] == pytest.approx(1e-14 * 1e3, rel=0.01, abs=0.0)
    assert waves[0, crest] == pytest.approx(-1e-14 * 1e3, rel=0.01, abs=0.0)


def test_a_closed_lumen_carries_exactly_nothing():
    line = occlude_line(catheter(), 0.2, 1.0)
    closed = int(np.flatnonzero(np.isinf(line.resistance_factor))[0])
    state = rest_state(line, ARTERY)
    for k in range(20):
        state, flow = step(line, state, 10.0, artery=ARTERY + 500.0 * (k % 2))
        assert flow.face_flow[closed] == 0.0 == flow.face_flow[closed + 1]
    assert state.pressure[0] > ARTERY + 1e3  # upstream charges
    assert state.pressure[-1] == pytest.approx(ARTERY + 500.0, abs=1.0)  # downstream follows the artery
    ends = steady(line)
    assert np.all(ends.face_flow == 0.0)
    assert ends.inlet_pressure == pytest.approx(ARTERY + DRIVE, rel=1e-8, abs=0.0)


def test_a_closed_connector_isolates_the_pump():
    line = occlude_line(catheter(), 0.0, 1.0)
    for source in (GAS, STALLED, Characteristic(200e3, 1e14, 0.0, RATE)):
        for dt in (1e-3, 60.0, inf):
            _, flow = step(line, rest_state(line, ARTERY), dt, source=source)
            assert flow.pump_flow == 0.0 == flow.face_flow[0]
    rng = np.random.default_rng(3)
    for pressure, resistance in zip(rng.uniform(1e4, 1e5, 50), rng.uniform(1e9, 1e12, 50), strict=True):
        _, flow = step(line, rest_state(line, ARTERY), 1.0, source=Characteristic(pressure, resistance))
        assert flow.pump_flow == 0.0
    with pytest.raises(SolverStopped, match="closed line"):
        step(line, rest_state(line, ARTERY), 1.0, side=1e-8)


@pytest.mark.parametrize("dt", [1e-3, 1.0, 3600.0, 86_400.0, inf])
@pytest.mark.parametrize("diameter", [1e-6, 13e-6, 0.1e-3, 2e-3])
def test_the_solver_stands_extremes(dt, diameter):
    """1e17 to 1e7 Pa s/m3 in one line; a discharge that is all inertia; pressures of a wild artery."""
    line = leak(catheter(), 0.0, diameter, pocket=Pocket(1e-9, -500.0, 1e-14))
    state = LineState(np.linspace(2e5, -2e4, 64), np.array([0.0, 1e-9]))
    new, flow = step(line, state, dt, artery=20e3)
    drop = new.pressure[0] - flow.pocket_pressure[1]
    area = pi / 4 * diameter**2
    linear = SALINE * (128 * 0.85e-3 / (pi * diameter**4) + 24 / diameter**3)
    quadratic = DENSITY / 2 / (0.6 * area) ** 2
    q = flow.hole_flow[1]
    assert drop == pytest.approx(linear * q + quadratic * q * abs(q), rel=1e-8, abs=1e-6)


def test_arguments_that_make_no_step():
    line = catheter()
    with pytest.raises(ValueError, match="dt > 0"):
        step(line, rest_state(line, ARTERY), 0.0)
    with pytest.raises(ValueError, match="viscosity"):
        advance(
            line,
            rest_state(line, ARTERY),
            1.0,
            characteristic=GAS,
            artery_pressure=ARTERY,
            viscosity=np.full(3, SALINE),
            density=DENSITY,
        )


def test_a_hole_without_channel_keeps_sampson_resistance():
    line = catheter()
    thin = Hole("pore", "leak", 0, 1e-6, 0.0, 0.6, 1.0, "pocket", 0.0, Pocket(compliance=inf))
    line = type(line)(**{**{f: getattr(line, f) for f in line.__dataclass_fields__}, "holes": (*line.holes, thin)})
    flow = steady(line, density=1e-12)
    assert flow.hole_flow[1] == pytest.approx((ARTERY + 1.6) * 1e-18 / (24 * SALINE), rel=1e-4, abs=0.0)
