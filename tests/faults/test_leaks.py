"""What a leak does: the hole that takes everything, blood drawn backwards, the pocket that stops it, a torn line."""

from math import inf

import numpy as np
import pytest

from haiflow.catheter.hydraulics import carry_over, rest_state
from haiflow.catheter.line import Pocket
from haiflow.faults.leak import CONNECTOR, leak
from haiflow.verify.catheter_faults import tip_flow
from haiflow.verify.line import ARTERY, RATE, catheter, step

OPEN_TISSUE = Pocket(compliance=inf, rest_pressure=0.0)
LINE = catheter()


def test_smaller_holes_share_and_larger_ones_draw_blood_backwards():
    assert 0.0 < tip_flow(10e-6) < RATE
    assert tip_flow(15e-6) < -0.5 * RATE
    assert tip_flow(0.1e-3) < -1000 * RATE


def test_the_pump_does_not_notice():
    line = leak(LINE, CONNECTOR, 50e-6, pocket=OPEN_TISSUE)
    flow = step(line, rest_state(line, ARTERY), inf)[1]
    assert flow.pump_flow == pytest.approx(RATE, rel=0.01, abs=0.0)
    assert flow.hole_flow.sum() == pytest.approx(flow.pump_flow, rel=1e-9, abs=0.0)


def test_the_pocket_fills_to_arterial_pressure_and_stops_the_blood():
    pocket = Pocket(compliance=1e-10, absorption=0.0)
    line = leak(LINE, 0.12, 0.1e-3, pocket=pocket)
    state, total = rest_state(line, ARTERY), 0.0
    state, first = step(line, state, 1.0)
    for _ in range(200):
        state, flow = step(line, state, 60.0)
        total += 60.0 * flow.hole_flow[1]
    total += first.hole_flow[1]
    assert first.hole_flow[0] < -1e-8  # blood backwards at first
    assert flow.hole_flow[0] == pytest.approx(RATE, rel=1e-3, abs=0.0)  # and the infusate reaches the artery in the end
    assert flow.pocket_pressure[1] == pytest.approx(ARTERY, rel=1e-3, abs=0.0)
    assert state.pocket_volume[1] == pytest.approx(total, rel=1e-12, abs=0.0)
    assert state.pocket_volume[1] == pytest.approx(1e-10 * ARTERY, rel=1e-3, abs=0.0)


@pytest.mark.parametrize("rest", [0.0, 2e3, -1e3])
def test_absorption_keeps_the_leak_alive(rest):
    # In the steady state what the body absorbs at the pocket's pressure, above that at rest, is what leaks.
    pocket = Pocket(compliance=1e-10, rest_pressure=rest, absorption=1e-14)
    line = leak(LINE, 0.12, 0.1e-3, pocket=pocket)
    state, flow = step(line, rest_state(line, ARTERY), inf)
    assert flow.absorbed[1] == pytest.approx(flow.hole_flow[1], rel=1e-9, abs=0.0)
    assert flow.hole_flow[1] == pytest.approx(1e-14 * (ARTERY - rest), rel=1e-2, abs=0.0)
    swollen = 1e-10 * (flow.pocket_pressure[1] - rest)
    assert state.pocket_volume[1] == pytest.approx(swollen, rel=1e-12, abs=0.0)
    marched = rest_state(line, ARTERY)
    for _ in range(200):
        marched, last = step(line, marched, 3600.0)
    assert last.hole_flow[1] == pytest.approx(flow.hole_flow[1], rel=1e-6, abs=0.0)


def test_pocket_books_close():
    line = leak(LINE, 0.12, 0.1e-3)
    state = rest_state(line, ARTERY)
    for dt in (1e-3, 1.0, 60.0, 3600.0, 86_400.0):
        new, flow = step(line, state, dt)
        gained = dt * (flow.hole_flow[1] - flow.absorbed[1])
        assert new.pocket_volume[1] - state.pocket_volume[1] == pytest.approx(gained, rel=1e-12, abs=1e-20)
        assert new.pocket_volume[0] == 0.0
        assert np.isnan(flow.pocket_pressure[0])
        state = new


def test_a_torn_connector_gives_all_to_the_pocket_and_nothing_reaches_the_artery():
    line = leak(LINE, CONNECTOR, torn=True)
    assert (line.holes[1].diameter, line.holes[1].length) == (0.6e-3, 0.0)  # the bore itself, no channel
    assert line.holes[1].discharge_coefficient == 1.0  # and a jet of its own width
    flow = step(line, rest_state(line, ARTERY), 3600.0)[1]
    assert flow.hole_flow[1] == pytest.approx(flow.pump_flow, rel=1e-3, abs=0.0)
    assert np.all(flow.face_flow[1:3] == 0.0)
    assert flow.hole_flow[0] == pytest.approx(0.0, abs=1e-6 * RATE)
    # relieved of the arterial pressure the pump runs faster: 57.7 instead of 45 kPa
    assert flow.pump_flow == pytest.approx(RATE * 57.7 / 45.0, rel=1e-3, abs=0.0)


def test_a_tear_at_the_very_tip_closes_the_tip():
    line = leak(LINE, 0.5, torn=True, pocket=OPEN_TISSUE)
    flow = step(line, rest_state(line, ARTERY), inf)[1]
    assert flow.hole_flow[0] == 0.0
    assert flow.hole_flow[1] == pytest.approx(RATE * 57.7 / 45.0, rel=1e-3, abs=0.0)


def test_a_leak_that_has_not_opened_yet_changes_nothing():
    for torn in (False, True):
        line = leak(LINE, 0.12, 0.1e-3, torn=torn, severity=0.0)
        flow = step(line, rest_state(line, ARTERY), inf)[1]
        plain = step(LINE, rest_state(LINE, ARTERY), inf)[1]
        assert flow.hole_flow[1] == 0.0
        assert flow.hole_flow[0] == pytest.approx(plain.hole_flow[0], rel=1e-12, abs=0.0)


def test_severity_is_the_open_fraction_of_the_area():
    half = leak(LINE, 0.0, 20e-6, severity=0.25, pocket=OPEN_TISSUE)
    flow = step(half, rest_state(half, ARTERY), inf)[1].hole_flow[1]
    small = leak(LINE, 0.0, 10e-6, pocket=OPEN_TISSUE)
    assert flow == pytest.approx(step(small, rest_state(small, ARTERY), inf)[1].hole_flow[1], rel=1e-9, abs=0.0)


def test_the_line_given_is_not_changed_and_pockets_follow_their_hole():
    first = leak(LINE, 0.1, 0.1e-3, name="first")
    state, _ = step(first, rest_state(first, ARTERY), 600.0)
    both = leak(first, 0.3, 0.1e-3, name="second")
    assert len(LINE.holes) == 1
    assert len(first.holes) == 2
    moved = carry_over(state, first, both)
    assert moved.pocket_volume[1] == state.pocket_volume[1] > 0.0
    assert moved.pocket_volume[2] == 0.0


def test_leaks_that_cannot_be():
    with pytest.raises(ValueError, match="not on the line"):
        leak(LINE, 0.6, 0.1e-3)
    with pytest.raises(ValueError, match="orifice diameter"):
        leak(LINE, 0.1, 0.0)
    with pytest.raises(ValueError, match="already"):
        leak(leak(LINE, 0.1, 0.1e-3), 0.2, 0.1e-3)
    with pytest.raises(ValueError, match="severity"):
        leak(LINE, 0.1, 0.1e-3, severity=2.0)
