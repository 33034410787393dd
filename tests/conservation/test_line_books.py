"""The line's volumes close to round-off, whatever its holes, closings, pump and time step."""

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haiflow.catheter.hydraulics import LineState, advance
from haiflow.catheter.line import SideHole, Tip, build_line
from haiflow.faults.leak import leak
from haiflow.faults.occlusion import occlude_hole, occlude_line
from haiflow.ports import Characteristic

RATE = 1.3e-6 / 86_400.0
SEVERITY = st.one_of(st.just(0.0), st.just(1.0), st.floats(0.0, 1.0))
PUMPS = (
    Characteristic(57.7e3, 3e15, 0.0),
    Characteristic(200e3, 0.05 * 200e3 / RATE, 0.0, RATE),
    Characteristic(0.0, 1.0, 0.0, 0.0),
)


@st.composite
def lines(draw):
    """A line with two side holes, perhaps a closed end, a leak or a tear, and occlusions here and there."""
    holes = [SideHole("a", 0.01, 0.2e-3), SideHole("b", draw(st.floats(0.0, 0.3)), 0.1e-3)]
    tip = Tip("artery", closed_end=draw(st.booleans()))
    line = build_line(0.4, 0.6e-3, 2.3e-3, side_holes=holes, tip=tip, n_cells=draw(st.integers(2, 40)))
    for name in [hole.name for hole in line.holes]:
        line = occlude_hole(line, name, draw(SEVERITY))
    line = occlude_line(line, draw(st.floats(0.01, 0.4)), draw(SEVERITY))
    size, torn = draw(st.floats(2e-6, 1e-3)), draw(st.booleans())
    return leak(line, draw(st.floats(0.0, 0.4)), size, torn=torn, severity=draw(SEVERITY))


@settings(max_examples=150, deadline=None)
@given(
    line=lines(),
    pump=st.sampled_from(PUMPS),
    dt=st.sampled_from([1e-3, 0.7, 60.0, 3600.0, 86_400.0]),
    artery=st.floats(5e3, 20e3),
    filled=st.floats(0.0, 5e-5),
    seed=st.integers(0, 99),
)
def test_books_close(line, pump, dt, artery, filled, seed):
    start = np.random.default_rng(seed).uniform(0.0, 40e3, line.n_cells)
    state = LineState(start, np.array([*[0.0] * (len(line.holes) - 1), filled]))
    new, flow = advance(
        line, state, dt, characteristic=pump, artery_pressure=artery, viscosity=np.full(line.n_cells, 0.7e-3),
        density=1004.0,
    )  # fmt: skip
    through = np.zeros(line.n_cells)
    for i, hole in enumerate(line.holes):
        if hole.kind != "tip":
            through[hole.cell] += flow.hole_flow[i]
    gained = dt * (flow.face_flow[:-1] - flow.face_flow[1:] - through)
    scale = flow.volume_end + dt * (np.abs(flow.face_flow).max() + np.abs(flow.hole_flow).max())
    assert np.all(np.abs(flow.volume_end - flow.volume_start - gained) <= 1e-14 * scale)
    np.testing.assert_allclose(flow.volume_end, line.rest_volume + line.compliance * new.pressure, rtol=1e-13)
    assert flow.face_flow[0] == flow.pump_flow + flow.side_port_flow
    assert flow.face_flow[-1] == (flow.hole_flow[line.tip_hole] if line.tip_hole is not None else 0.0)
    closed = [i for i, hole in enumerate(line.holes) if hole.open_fraction <= 1e-6]
    assert np.all(flow.hole_flow[closed] == 0.0)
    shut = np.flatnonzero(np.isinf(line.resistance_factor))
    assert np.all(flow.face_flow[shut] == 0.0)
    assert np.all(flow.face_flow[shut + 1] == 0.0)


@pytest.mark.parametrize("bolus", [0.0, 1e-7])
def test_a_bolus_does_not_disturb_the_pump(bolus):
    """The pump's 1.5e-11 m3/s next to a bolus four orders larger keeps all its digits: Q = (p - p_inlet) / R."""
    line = build_line(0.5, 0.6e-3, 2.3e-3, tip=Tip("artery"))
    state = LineState(np.full(64, 12.7e3), np.zeros(1))
    _, flow = advance(
        line, state, inf, characteristic=PUMPS[0], side_port_flow=bolus, artery_pressure=12.7e3,
        viscosity=np.full(64, 0.7e-3), density=1004.0,
    )  # fmt: skip
    assert flow.pump_flow == pytest.approx((57.7e3 - flow.inlet_pressure) / 3e15, rel=1e-12, abs=0.0)
    assert flow.hole_flow[0] == pytest.approx(flow.pump_flow + bolus, rel=1e-14, abs=0.0)


def test_books_close_in_a_charged_line_over_a_very_long_step():
    """A syringe held at its limit on a closed line: its flow is round-off of pressure over resistance, times 1e6 s."""
    line = occlude_hole(build_line(0.5, 0.6e-3, 2.3e-3, tip=Tip("artery")), "tip", 1.0)
    for limit in np.random.default_rng(5).uniform(50e3, 300e3, 20):
        state = LineState(np.full(64, 12.7e3), np.zeros(1))
        new, flow = advance(
            line, state, 1e6, characteristic=PUMPS[2], side_port_flow=Characteristic(limit, 1e10, 0.0, 1e-6),
            artery_pressure=12.7e3, viscosity=np.full(64, 0.7e-3), density=1004.0,
        )  # fmt: skip
        gained = 1e6 * (flow.face_flow[:-1] - flow.face_flow[1:])
        assert np.all(np.abs(flow.volume_end - flow.volume_start - gained) <= 1e-14 * flow.volume_end)
        assert new.pressure.mean() == pytest.approx(limit, abs=1.0)
