"""The steady network against resistances worked out by hand."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from haiflow.arteries import steady as steady_network
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import fork, network, single_vessel
from haiflow.arteries.steady import loaded_resistance, steady
from haiflow.arteries.tree import CLOSED, Inlet, Outlet
from haiflow.errors import InputError, SolverStopped

MU = 3.8e-3
FLOW = Inlet("n0", "flow_rate", 1.0, np.array([6e-6]))


def test_poiseuille_by_hand():
    tree = single_vessel(0.1, 2e-3, 8.0, FLOW, Outlet(1e9, 0.0, 0.0, 500.0), velocity_profile=2.0)
    flow = steady(tree)
    assert flow.pressure[1] == pytest.approx(6500.0, rel=1e-12)
    # 8 pi mu L Q / A^2 = 8 mu L Q / (pi r^4) = 1.824e-8 / 5.02654825e-11 = 362.87327 Pa
    assert flow.pressure[0] - flow.pressure[1] == pytest.approx(362.87327025, rel=1e-6)


@pytest.mark.parametrize("profile", [2.0, 9.0])
def test_tapered_vessel_against_quadrature(profile):
    tree = single_vessel(0.1, 2.5e-3, 8.0, FLOW, Outlet(1e9), radius_end=np.array([1.1e-3]), velocity_profile=profile)
    flow = steady(tree)
    area = lambda x: np.pi * (2.5e-3 + (1.1e-3 - 2.5e-3) * x / 0.1) ** 2  # noqa: E731
    drop = quad(lambda x: 2 * (profile + 2) * np.pi * MU * 6e-6 / area(x) ** 2, 0.0, 0.1, epsrel=1e-12)[0]
    assert flow.pressure[0] - flow.pressure[1] == pytest.approx(drop, rel=1e-9)


def test_fork_splits_by_conductance():
    tree = fork([0.1, 0.06, 0.09], [2e-3, 1.5e-3, 1.2e-3], [8.0] * 3, FLOW, Outlet(2e9, 1e9), velocity_profile=2.0)
    flow = steady(tree)
    resistance = [8 * MU * length / (np.pi * r**4) + 3e9 for length, r in [(0.06, 1.5e-3), (0.09, 1.2e-3)]]
    share = resistance[1] / sum(resistance)
    np.testing.assert_allclose(flow.flow_rate, 6e-6 * np.array([1.0, share, 1.0 - share]), rtol=1e-9)
    assert flow.pressure[1] == pytest.approx(6e-6 * share * resistance[0], rel=1e-9)


def test_loop_is_a_wheatstone_bridge():
    # Equal arms, so nothing flows through the bridge; unbalanced, the bridge carries the textbook current.
    r = lambda resistance: (8 * MU * 0.05 / (np.pi * resistance)) ** 0.25  # noqa: E731
    arms = np.array([1.0, 2.0, 3.0, 4.0, 5.0]) * 1e8
    links = [(0, 1), (0, 2), (1, 3), (2, 3), (1, 2)]
    radius = np.array([r(arm) for arm in arms])
    tree = network(links, np.full(5, 0.05), radius, np.full(5, 8.0), FLOW, {"n3": Outlet(0.0)}, velocity_profile=2.0)
    flow = steady(tree)
    g = 1.0 / arms
    matrix = np.array([
        [g[0] + g[1], -g[0], -g[1]], [-g[0], g[0] + g[2] + g[4], -g[4]], [-g[1], -g[4], g[1] + g[3] + g[4]]])
    np.testing.assert_allclose(flow.pressure[:3], np.linalg.solve(matrix, [6e-6, 0.0, 0.0]), rtol=1e-9)
    assert flow.pressure[3] == 0.0


@pytest.mark.parametrize("severity", [0.3, 0.7, 0.95, 0.999])
def test_stenosis_by_hand(severity):
    tree = single_vessel(0.1, 2e-3, 8.0, FLOW, Outlet(1e9), velocity_profile=2.0, severity=np.array([severity]),
                         stenosis_length=np.array([5e-3]))
    flow = steady(tree)
    diameter, area = 4e-3, np.pi * 4e-6
    speed, narrowing = 6e-6 / area, 1.0 / (1.0 - severity)
    viscous = 32 * (0.83 * 5e-3 + 1.64 * diameter / np.sqrt(narrowing)) / diameter * narrowing**2
    viscous -= 32 * (0.83 * 5e-3 + 1.64 * diameter) / diameter
    loss = viscous * MU / diameter * speed + 1.52 * 530.0 * (narrowing - 1.0) ** 2 * speed**2
    drop = 8 * MU * 0.1 * 6e-6 / (np.pi * 2e-3**4) + loss
    assert flow.pressure[0] - flow.pressure[1] == pytest.approx(drop, rel=1e-6)


def test_stenosis_in_one_daughter_shifts_the_flow_to_the_other():
    flows = [
        steady(fork([0.1] * 3, [2e-3, 1.5e-3, 1.5e-3], [8.0] * 3, FLOW, Outlet(2e8), severity=np.array([0.0, s, 0.0])))
        for s in (0.0, 0.5, 0.9, 0.99, 1.0)
    ]
    carried = np.array([flow.flow_rate[1] for flow in flows])
    assert np.all(np.diff(carried) < 0.0)
    assert carried[-1] == 0.0
    assert flows[-1].flow_rate[2] == pytest.approx(6e-6, rel=1e-12, abs=0.0)


def test_pressure_inlet_and_a_part_behind_an_occlusion():
    tree = fork([0.1] * 3, [2e-3, 1.5e-3, 1.5e-3], [8.0] * 3, Inlet("n0", "pressure", 1.0, np.array([12_000.0])),
                Outlet(2e9, 0.0, 0.0, 700.0), severity=np.array([0.0, 1.0, 0.0]))
    flow = steady(tree)
    assert flow.pressure[0] == 12_000.0
    assert flow.pressure[2] == pytest.approx(700.0, rel=1e-12, abs=0.0)
    assert flow.inlet_flow == pytest.approx(flow.flow_rate[2], rel=1e-12, abs=0.0)


def test_no_way_out_is_refused():
    with pytest.raises(InputError, match="reaches no open outlet"):
        steady(single_vessel(inlet=FLOW, outlet=CLOSED))
    with pytest.raises(InputError, match="totally occluded"):
        steady(single_vessel(inlet=FLOW, outlet=Outlet(1e9), severity=np.array([1.0])))


def test_reflecting_outlet_takes_the_flow_that_its_wave_relation_gives():
    tree = single_vessel(0.1, 2e-3, 8.0, FLOW, Outlet(reflection=0.5, venous_pressure=9000.0))
    pressure = steady(tree).pressure[1]
    A0 = np.pi * 4e-6
    root = np.sqrt(A0) * (1 + np.array([pressure, 9000.0]) / (2 * 1060.0 * 64.0))
    speed = np.sqrt(64.0 * root / np.sqrt(A0))
    assert root[0] ** 2 * 4 * (speed[0] - speed[1]) / 3.0 == pytest.approx(6e-6, rel=1e-9, abs=0.0)


def marched_to_rest(tree, cycles):
    flow = PulsatileFlow(tree)
    for _ in range(cycles):
        flow.advance(flow.steps_in_cycle)
    return flow, flow.sample_cycle(200)


@pytest.mark.parametrize("reflection", [-0.6, 0.0, 0.5])
@pytest.mark.parametrize("speed", [5.0, 9.0])
def test_reflecting_outlet_of_an_elastic_taper_is_where_the_march_ends(reflection, speed):
    """Its wave relation is that of the wall: reference area and beta, whatever radius the pressure has given it."""
    base = 12e3
    tree = single_vessel(0.1, 2.5e-3, speed, FLOW, Outlet(reflection=reflection, venous_pressure=base),
                         radius_end=np.array([2e-3]), wave_speed_end=np.array([1.1 * speed]))
    _, samples = marched_to_rest(tree, 20)
    found = steady(tree, elastic=True).pressure[1]
    assert found > base + 10.0
    assert found == pytest.approx(samples.node_pressure[-1, 1], rel=1e-6)


def test_stenosis_of_an_elastic_vessel_costs_what_it_costs_the_march():
    """Young and Tsai's law has the reference diameter; the loaded one is 8 % wider here, and the loss 30 % less."""
    inlet = Inlet("n0", "flow_rate", 0.9, np.array([2e-6]))
    tree = network([(0, 1), (1, 2)], np.array([0.05, 0.05]), np.array([2e-3, 2e-3]), np.array([6.0, 6.0]), inlet,
                   {"n2": Outlet(6e9)}, severity=np.array([0.0, 0.85]))
    flow, samples = marched_to_rest(tree, 30)
    velocity = samples.stations[-1, :, :, 1] / samples.stations[-1, :, :, 2]
    total = samples.stations[-1, :, :, 0] + 530.0 * velocity**2
    friction = loaded_resistance(tree, steady(tree, elastic=True).pressure)[1] * 2e-6
    pressure = steady(tree, elastic=True).pressure
    assert flow.area[0] > 1.15 * np.pi * 4e-6
    assert pressure[1] - pressure[2] - friction == pytest.approx(total[0, 2] - total[1, 0], rel=1e-4)


def test_friction_of_elastic_vessels_is_that_of_the_march():
    slow = Inlet("n0", "flow_rate", 0.9, np.array([1e-6]))
    tree = fork([0.3, 0.2, 0.2], [3e-3, 2e-3, 1.6e-3], [5.0, 6.0, 6.0], slow, Outlet(2e10),
                radius_end=np.array([2.4e-3, 1.7e-3, 1.6e-3]))
    _, samples = marched_to_rest(tree, 40)
    flow, last = steady(tree, elastic=True), samples.node_pressure[-1]
    drop = flow.pressure[0] - flow.pressure[2:]
    np.testing.assert_allclose(drop, last[0] - last[2:], rtol=5e-3)
    assert np.all(steady(tree).pressure[0] - steady(tree).pressure[2:] > 1.3 * drop)  # at the reference radius


def soft(speed, kind="flow_rate", mean=1e-6):
    return fork([1.0] * 3, [1e-3] * 3, [speed] * 3, Inlet("n0", kind, 1.0, np.array([mean])),
                Outlet(2e10, 0.0, 0.0, 700.0))  # fmt: skip


@pytest.mark.parametrize("tree", [soft(3.0), soft(2.0), soft(1.5), soft(2.0, "pressure", 12e3), soft(3.0, mean=2e-5)])
def test_friction_of_soft_long_vessels_is_that_of_the_radius_which_they_have(tree):
    """Pressure widens a vessel, and the wider vessel needs less of it: taken in turns the two swing about."""
    flow = steady(tree, elastic=True)
    drop = flow.pressure[tree.start] - flow.pressure[tree.end]
    np.testing.assert_allclose(drop, loaded_resistance(tree, flow.pressure) * flow.flow_rate, rtol=1e-9)
    assert np.all(loaded_resistance(tree, flow.pressure) < 0.7 * loaded_resistance(tree, 0.0 * flow.pressure))


def test_soft_vessel_against_bisection():
    tree = single_vessel(1.0, 1e-3, 3.0, Inlet("n0", "flow_rate", 1.0, np.array([1e-6])), Outlet(1e10))

    def missing(first):
        return first - 1e4 - 1e-6 * loaded_resistance(tree, np.array([first, 1e4]))[0]

    assert steady(tree, elastic=True).pressure[0] == pytest.approx(brentq(missing, 1e4, 1e6, xtol=1e-9), rel=1e-11)


def test_a_network_that_does_not_settle_is_told(monkeypatch):
    monkeypatch.setattr(steady_network, "SWEEPS", 0)
    monkeypatch.setattr(steady_network, "MAX_ITERATIONS", 2)  # enough where nothing yields
    steady(soft(3.0))
    with pytest.raises(SolverStopped, match="the steady network did not settle; last relative change 0"):
        steady(soft(3.0), elastic=True)
