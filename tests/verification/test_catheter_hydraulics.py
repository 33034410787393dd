"""The line's solver against closed forms: losses, charging of a blocked line, leaks, side holes, the pulse."""

from itertools import pairwise
from math import exp, inf, log, pi, sqrt

import numpy as np
import pytest
from scipy.optimize import brentq

from haiflow.catheter.hydraulics import LineState, advance, inlet_pressure, rest_state
from haiflow.catheter.ingress import hole_waves, tip_ingress
from haiflow.catheter.line import Hole, Kink, Pocket, Segment, SideHole, Tip, build_line
from haiflow.errors import SolverStopped
from haiflow.faults.leak import leak
from haiflow.faults.occlusion import occlude_hole, occlude_line
from haiflow.ports import Characteristic

RATE = 1.3e-6 / 86_400.0
ARTERY = 12.7e3
DRIVE = 45e3
RESTRICTOR = DRIVE / RATE
GAS = Characteristic(ARTERY + DRIVE, RESTRICTOR, 0.0)
STALLED = Characteristic(0.0, 1.0, 0.0, 0.0)
SALINE, DENSITY = 0.70e-3, 1004.0
IN_ARTERY = Tip("gastroduodenal")


def catheter(**changes):
    return build_line(0.5, 0.6e-3, 2.3e-3, tip=IN_ARTERY, **changes)


def step(line, state, dt, source=GAS, viscosity=SALINE, density=DENSITY, artery=ARTERY, side=0.0):
    return advance(
        line,
        state,
        dt,
        characteristic=source,
        side_port_flow=side,
        artery_pressure=artery,
        viscosity=np.full(line.n_cells, viscosity),
        density=density,
    )


def steady(line, **options):
    return step(line, rest_state(line, ARTERY), inf, **options)[1]


def romberg(march, end, first=32, levels=5):
    """A quantity at ``end`` marched in 32, 64, ... steps and extrapolated, with the observed order of the raw ones."""
    rows = [march(end / (first << k), first << k) for k in range(levels)]
    order = log(abs((rows[-3] - rows[-2]) / (rows[-2] - rows[-1]))) / log(2.0)
    for k in range(1, levels):
        rows = [b + (b - a) / (2**k - 1) for a, b in pairwise(rows)]
    return rows[-1], order


def test_basal_loss_and_transit():
    line = catheter()
    flow = steady(line)
    assert flow.hole_flow[0] == pytest.approx(RATE, rel=1e-4, abs=0.0)
    assert flow.inlet_pressure - ARTERY == pytest.approx(1.656, rel=1e-3, abs=0.0)
    assert line.dead_volume / flow.hole_flow[0] / 3600.0 == pytest.approx(2.61, rel=1e-3, abs=0.0)
    # by hand: Hagen-Poiseuille, half of Sampson's term at the open end, and the jet
    poiseuille = SALINE * (128 * 0.5 / (pi * 0.6e-3**4) + 12 / 0.6e-3**3)
    jet = DENSITY / 2 / (pi / 4 * 0.6e-3**2) ** 2
    resistance = poiseuille + RESTRICTOR
    by_hand = 2 * DRIVE / (resistance + sqrt(resistance**2 + 4 * jet * DRIVE))
    assert flow.hole_flow[0] == pytest.approx(by_hand, rel=1e-9, abs=0.0)


@pytest.mark.parametrize("n_cells", [3, 64, 400])
def test_the_steady_line_does_not_depend_on_its_cells(n_cells):
    parts = [Segment(0.4, 0.6e-3, 2.3e-3), Segment(0.1, 0.6e-3, 2.3e-3, 0.3e-3, 1.2e-3)]
    line = build_line(0.5, 0.6e-3, 2.3e-3, segments=parts, kinks=[Kink(0.2, 0.9, 0.01)], tip=IN_ARTERY, n_cells=n_cells)
    cone = 128 * 0.1 / (3 * pi * 0.3e-3) * (0.3e-3**-3 - 0.6e-3**-3)
    tube = 128 * (0.4 + 0.01 * 99) / (pi * 0.6e-3**4)
    end = line.holes[0].diameter
    loss = RATE * SALINE * (cone + tube + 12 / end**3) + DENSITY / 2 * (RATE / (pi / 4 * end**2)) ** 2
    source = Characteristic(1e9, 1e9 / RATE)
    found = steady(line, source=source).inlet_pressure - ARTERY
    assert found == pytest.approx(loss, rel=2e-5, abs=0.0)  # the source gives RATE to 1e-5


def test_bolus_pressure():
    line = catheter()
    viscosity = np.full(64, SALINE)
    pressure = inlet_pressure(line, 1e-6, artery_pressure=0.0, viscosity=viscosity, density=DENSITY)
    jet = DENSITY / 2 * (1e-6 / (pi / 4 * 0.6e-3**2)) ** 2
    assert pressure - jet == pytest.approx(110e3, rel=0.01, abs=0.0)  # rule of thumb: 110 kPa for 1 mL/s
    blocked = occlude_hole(line, "tip", 1.0)
    with pytest.raises(SolverStopped, match="closed line"):
        inlet_pressure(blocked, 1e-6, artery_pressure=0.0, viscosity=viscosity, density=DENSITY)


def test_a_syringe_with_a_pressure_limit_gives_what_the_line_takes():
    line = catheter()
    syringe = Characteristic(60e3, 1e10, 0.0, 1e-6)
    flow = steady(line, source=STALLED, side=syringe)
    assert flow.side_port_flow == pytest.approx((60e3 - flow.inlet_pressure) / 1e10, rel=1e-9, abs=0.0)
    assert 0.0 < flow.side_port_flow < 1e-6
    assert flow.hole_flow[0] == pytest.approx(flow.side_port_flow, rel=1e-12, abs=0.0)
    free = steady(line, source=STALLED, side=Characteristic(60e3, 1e10, 0.0, 1e-7))
    assert free.side_port_flow == 1e-7


def _charging(line, end):
    """Mean pressure of the blocked line at ``end``."""

    def march(dt, steps):
        state = rest_state(line, ARTERY)
        for _ in range(steps):
            state, _ = step(line, state, dt)
        return float(state.pressure.mean())

    return march


def test_blocked_tip_charges_the_line_exponentially():
    line = occlude_hole(catheter(), "tip", 1.0)
    compliance, lumen = line.compliance.sum(), SALINE * line.resistance_per_viscosity.sum()
    # Slowest mode of a distributed line charged through a resistance: beta tan(beta) = R_line / R_restrictor.
    beta = brentq(lambda b: b * np.tan(b) - lumen / RESTRICTOR, 1e-8, 0.1, xtol=1e-16)
    time_constant = lumen * compliance / beta**2
    assert time_constant == pytest.approx(RESTRICTOR * compliance, rel=2e-5, abs=0.0)
    assert time_constant / 3600.0 == pytest.approx(0.13, rel=0.04, abs=0.0)  # rule of thumb: C 45 kPa / Q
    found, order = romberg(_charging(line, time_constant), time_constant)
    assert order == pytest.approx(1.0, abs=0.02)
    assert found - ARTERY == pytest.approx(DRIVE * (1.0 - exp(-1.0)), rel=1e-6, abs=0.0)


def test_a_blocked_line_charges_by_backward_euler_exactly_and_stops():
    line = occlude_hole(catheter(wall_modulus=3e6), "tip", 1.0)
    state, thin = rest_state(line, ARTERY), 1e-6  # a fluid so thin that the lumen has one pressure
    time_constant = RESTRICTOR * line.compliance.sum()
    for k in range(1, 41):
        state, flow = step(line, state, 30.0, viscosity=thin)
        left = DRIVE / (1.0 + 30.0 / time_constant) ** k
        assert ARTERY + DRIVE - state.pressure.mean() == pytest.approx(left, rel=1e-6, abs=0.0)
        assert flow.pump_flow == pytest.approx(left / RESTRICTOR, rel=1e-6, abs=0.0)
        assert flow.hole_flow[0] == 0.0 == flow.face_flow[-1]
    end = steady(line)
    assert end.pump_flow == pytest.approx(0.0, abs=1e-8 * RATE)
    assert end.inlet_pressure == pytest.approx(ARTERY + DRIVE, rel=1e-8, abs=0.0)
    assert np.all(end.face_flow == 0.0)


def test_a_roller_drives_a_blocked_line_to_its_stall_pressure():
    line = occlude_hole(catheter(), "tip", 1.0)
    roller = Characteristic(200e3, 0.05 * 200e3 / RATE, 0.0, RATE)
    state, compliance = rest_state(line, ARTERY), line.compliance.sum()
    for k in range(1, 11):  # a constant rate: a straight line
        state, flow = step(line, state, 60.0, source=roller)
        assert state.pressure.mean() - ARTERY == pytest.approx(k * 60.0 * RATE / compliance, rel=1e-9, abs=0.0)
        assert flow.pump_flow == RATE
    for _ in range(20):
        state, flow = step(line, state, 3600.0, source=roller)
    assert state.pressure.mean() == pytest.approx(200e3, rel=1e-6, abs=0.0)
    assert steady(line, source=roller).inlet_pressure == pytest.approx(200e3, rel=1e-9, abs=0.0)


def test_orifice_leak_in_closed_form():
    """A stalled pump; blood from the artery up the line and out through a wide hole: R q + k q^2 = p."""
    line = leak(catheter(), 0.1, 0.3e-3, pocket=Pocket(compliance=inf))
    cell = line.holes[1].cell
    beyond = SALINE * (0.5 * line.resistance_per_viscosity[cell] + line.resistance_per_viscosity[cell + 1 :].sum())
    tip = SALINE * 12 / 0.6e-3**3
    hole = SALINE * (128 * 0.85e-3 / (pi * 0.3e-3**4) + 24 / 0.3e-3**3)
    loss = DENSITY / 2 * ((pi / 4 * 0.6e-3**2) ** -2 + (0.6 * pi / 4 * 0.3e-3**2) ** -2)
    resistance = beyond + tip + hole
    by_hand = (-resistance + sqrt(resistance**2 + 4 * loss * ARTERY)) / (2 * loss)
    assert loss * by_hand**2 > 0.03 * ARTERY  # the discharge loss matters here
    flow = steady(line, source=STALLED)
    assert flow.hole_flow[1] == pytest.approx(by_hand, rel=1e-9, abs=0.0)
    assert flow.hole_flow[0] == pytest.approx(-by_hand, rel=1e-9, abs=0.0)


def test_orifice_leak_into_a_filling_pocket_in_closed_form():
    """C d(R q + k q^2)/dt = -q, so t = C (R ln(q0 / q) + 2 k (q0 - q)) while the pocket fills to arterial pressure."""
    pocket = Pocket(compliance=5e-9, absorption=0.0)
    line = leak(catheter(wall_modulus=1e15), 0.1, 0.3e-3, pocket=pocket)  # a wall that takes no part
    q0 = steady(leak(catheter(), 0.1, 0.3e-3, pocket=Pocket(compliance=inf)), source=STALLED).hole_flow[1]
    loss = DENSITY / 2 * ((pi / 4 * 0.6e-3**2) ** -2 + (0.6 * pi / 4 * 0.3e-3**2) ** -2)
    resistance = ARTERY / q0 - loss * q0
    q = 0.4 * q0
    end = 5e-9 * (resistance * log(q0 / q) + 2 * loss * (q0 - q))

    def march(dt, steps):
        state = rest_state(line, ARTERY)
        for _ in range(steps):
            state, _ = step(line, state, dt, source=STALLED)
        return float(state.pocket_volume[1])

    found, order = romberg(march, end)
    assert order == pytest.approx(1.0, abs=0.03)
    assert found == pytest.approx(5e-9 * (ARTERY - resistance * q - loss * q * q), rel=1e-6, abs=0.0)


def test_side_holes_share_by_their_conductances():
    """A closed tip with two holes a long way apart: the ladder by hand."""
    holes = [SideHole("near", 0.01, 0.2e-3), SideHole("far", 0.30, 0.2e-3)]
    line = build_line(0.5, 0.6e-3, 2.3e-3, side_holes=holes, tip=Tip("x", closed_end=True), n_cells=50)
    flow = steady(line, density=1e-9)  # creeping: no discharge loss
    between = SALINE * 128 * (line.hole_cells[0] - line.hole_cells[1]) * 0.01 / (pi * 0.6e-3**4)
    hole = SALINE * (128 * 0.85e-3 / (pi * 0.2e-3**4) + 24 / 0.2e-3**3)
    near, far = flow.hole_flow
    assert near / far == pytest.approx(hole / (hole + between), rel=1e-9, abs=0.0)
    assert near + far == pytest.approx(flow.pump_flow, rel=1e-14, abs=0.0)
    assert flow.face_flow[-1] == 0.0


def test_pulse_swings_the_compliance_in_and_out_of_the_tip():
    phase = 2 * pi * np.arange(100) / 100
    pulse = ARTERY + 0.5 * 5.3e3 * np.sin(phase)
    line = catheter()
    ingress = tip_ingress(line, GAS, pulse, 60 / 70, np.full(64, SALINE))
    assert ingress == pytest.approx(0.8e-9, rel=0.05, abs=0.0)  # rule of thumb: 0.8 uL per beat
    # The line follows the artery, so a rise by 5.3 kPa takes in compliance * 5.3 kPa less what the pump gives then.
    assert ingress == pytest.approx(line.compliance.sum() * 5.3e3, rel=0.02, abs=0.0)
    assert ingress / (RATE * 60 / 70) == pytest.approx(65.0, rel=0.1, abs=0.0)


def test_a_pump_that_yields_takes_its_part_of_the_pulse():
    """A drive of small resistance on a stiff line: the pulse runs through the line into the pump, in phase."""
    swing = 2e3 * np.sin(2 * pi * np.arange(256) / 256)
    line = catheter(wall_modulus=1e13)
    soft = Characteristic(ARTERY, 1e11)
    resistance = 1e11 + SALINE * (128 * 0.5 / (pi * 0.6e-3**4) + 12 / 0.6e-3**3)
    waves = hole_waves(line, soft, ARTERY + swing, 0.8, np.full(64, SALINE), 1e-9, np.zeros(1))
    np.testing.assert_allclose(waves[0, ::4], -swing / resistance, rtol=1e-4, atol=1e-5 * 2e3 / resistance)


def _marched_ingress(line, nt, period):
    phase = 2 * pi * np.arange(nt) / nt
    pulse = ARTERY + 2e3 * np.sin(phase) + 800.0 * np.cos(2 * phase)
    state, flows = rest_state(line, ARTERY), []
    for k in range(5 * nt):
        state, flow = step(line, state, period / nt, artery=pulse[(k + 1) % nt])
        flows.append(flow.hole_flow[0])
    return pulse, -np.minimum(flows[-nt:], 0.0).sum() * period / nt


def test_pulse_agrees_with_marching_through_the_cycles():
    line, period = occlude_hole(catheter(), "tip", 0.98), 60 / 70  # a constriction that shifts phase and amplitude
    _, coarse = _marched_ingress(line, 200, period)
    pulse, fine = _marched_ingress(line, 400, period)
    found = tip_ingress(line, GAS, pulse, period, np.full(64, SALINE))
    assert found < 0.8 * line.compliance.sum() * np.ptp(pulse)
    # the linearised discharge loss: 0.3 % here, 1.3 % if taken at the mean flow alone
    assert found == pytest.approx(2 * fine - coarse, rel=4e-3, abs=0.0)


def test_a_closed_tip_takes_no_blood_and_a_steady_artery_gives_none():
    pulse = ARTERY + 2e3 * np.sin(2 * pi * np.arange(50) / 50)
    viscosity = np.full(64, SALINE)
    assert tip_ingress(occlude_hole(catheter(), "tip", 1.0), GAS, pulse, 0.8, viscosity) == 0.0
    assert tip_ingress(catheter(), GAS, np.full(50, ARTERY), 0.8, viscosity) == 0.0


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
