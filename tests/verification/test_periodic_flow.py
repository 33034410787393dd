"""The periodic cycle: reached soon, and as near its limit as it says."""

from dataclasses import replace

import numpy as np
import pytest

from haiflow.arteries.balance import divergence_free
from haiflow.arteries.grid import make_grid
from haiflow.arteries.harmonics import from_harmonics
from haiflow.arteries.periodic import LOOK_AHEAD, SAMPLES, Cycle, _Search, periodic
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import binary_tree, network, pulsating, single_vessel
from haiflow.arteries.slow_modes import slow_modes
from haiflow.arteries.state import at_rest, from_steady
from haiflow.arteries.tree import Inlet, Outlet
from haiflow.errors import SolverStopped
from haiflow.verify.boileau import common_carotid, iliac_bifurcation

MEAN = 400e-6 / 60


def hepatic_tree(**more):
    """25 vessels, 1 m in all, 13 beds that share 12.7 kPa at 400 mL/min, with 1.5 s of compliance."""
    bed = 12.7e3 / MEAN * 13
    return binary_tree(25, np.linspace(0.06, 0.02, 25), pulsating(MEAN, 70 / 60),
                       Outlet(0.15 * bed, 0.85 * bed, 1.5 / bed), **more)


def distance(cycle: Cycle, limit: np.ndarray) -> float:
    """Largest difference from the limit over stations and time, in the measure of the residual: cycle.nc's curves."""
    off = (np.abs(curve - limit[..., k]).max() / np.abs(limit[..., k]).max()
           for k, curve in enumerate((cycle.pressure, cycle.flow_rate)))  # fmt: skip
    return float(max(off))


def worst_vessel(cycle: Cycle, limit: np.ndarray) -> float:
    """The same with each vessel's flow rate against its own largest, by which the march ends."""
    flow = np.abs(limit[..., 1]).max(axis=(0, 2))
    flow = np.maximum(flow, 0.02 * flow.max())
    pressure = np.abs(cycle.pressure - limit[..., 0]).max() / np.abs(limit[..., 0]).max()
    return max(pressure, float((np.abs(cycle.flow_rate - limit[..., 1]).max(axis=(0, 2)) / flow).max()))


def marched(tree, cycles: int, start=from_steady) -> np.ndarray:
    """Stations after many plain cycles: the limit, without any acceleration, with the time step that the start gives.

    Another time step has another limit, 1e-4 away at worst.
    """
    grid = make_grid(tree)
    flow = PulsatileFlow(tree, grid, start(grid))
    for _ in range(cycles):
        samples = flow.sample_cycle(SAMPLES)
    return samples.stations


@pytest.fixture(scope="module")
def hepatic():
    tree = hepatic_tree()
    return tree, {start: marched(tree, 40, start) for start in STARTS}


STARTS = (from_harmonics, from_steady)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-5])
@pytest.mark.parametrize("start", STARTS)
def test_residual_is_the_distance_to_the_limit(hepatic, tolerance, start):
    tree, limit = hepatic
    grid = make_grid(tree)
    cycle = periodic(tree, tolerance=tolerance, grid=grid, state=start(grid))
    assert cycle.residual <= tolerance
    assert cycle.residual == pytest.approx(distance(cycle, limit[start]), rel=0.1, abs=1e-8)
    assert worst_vessel(cycle, limit[start]) <= 1.5 * tolerance
    assert cycle.cycles <= 4


def other_trees():
    bed = 12.7e3 / MEAN
    tree = hepatic_tree()
    uneven = {name: replace(outlet, compliance=(0.3 + 0.3 * i) * outlet.compliance)
              for i, (name, outlet) in enumerate(tree.outlets.items())}
    yield "beds of unlike time constants", replace(tree, outlets=uneven)
    slow = Outlet(0.1 * bed, 0.9 * bed, 2.5 / bed)
    yield "one bed of 2.3 s", single_vessel(0.1, 3e-3, 8.0, pulsating(MEAN, 1.0), slow)
    soft = Outlet(0.2 * bed, 1.8 * bed, 0.5 / bed)
    yield "a soft fork", binary_tree(3, 0.2, pulsating(MEAN, 1.2), soft, wave_speed=4.5)
    yield "a carotid: one vessel, waves that run to and fro", common_carotid()
    yield "an aorta that parts", iliac_bifurcation()
    stumps = np.where(np.arange(25) % 7 == 3, 1.0, 0.0)
    yield "stumps in which waves stand", replace(tree, severity=stumps)


@pytest.mark.parametrize("tree", [tree for _, tree in other_trees()], ids=[name for name, _ in other_trees()])
def test_residual_is_the_distance_on_other_trees(tree):
    grid = make_grid(tree)
    for start in STARTS:
        limit = marched(tree, 40, start)
        cycle = periodic(tree, tolerance=1e-3, grid=grid, state=start(grid))
        assert cycle.residual == pytest.approx(distance(cycle, limit), rel=0.2)
        assert worst_vessel(cycle, limit) <= 1.5e-3
        # From rest, waves in closed stumps die slowly, and no mode of the network knows them.
        assert cycle.cycles <= (5 if tree.severity is not None and start is from_steady else 4)


def test_slow_network_does_not_pass_for_periodic(hepatic):
    # The change between cycles is a fraction of the distance: with a slow decay the residual must say more than it.
    bed = 12.7e3 / MEAN
    tree = single_vessel(0.1, 3e-3, 8.0, pulsating(MEAN, 1.0), Outlet(0.1 * bed, 0.9 * bed, 6.0 / bed))
    grid = make_grid(tree)
    assert 0.8 < slow_modes(grid, from_steady(grid)).slowest < 0.95
    limit = marched(tree, 150)
    low = replace(from_steady(grid), charge=0.8 * from_steady(grid).charge)
    cycle = periodic(tree, tolerance=1e-3, state=low, grid=grid)
    assert distance(cycle, limit) <= 2.0 * cycle.residual
    assert cycle.cycles <= 6


def test_the_first_cycle_far_from_the_limit_says_how_far(hepatic):
    """Where only a slow mode is left, a cycle changes a tenth of what is missing: the residual is all of it."""
    bed = 12.7e3 / MEAN
    tree = single_vessel(0.1, 3e-3, 8.0, pulsating(MEAN, 1.0), Outlet(0.1 * bed, 0.9 * bed, 10.0 / bed))
    grid = make_grid(tree)
    limit = marched(tree, 150)
    flow = PulsatileFlow(tree, grid, replace(from_steady(grid), charge=0.9 * from_steady(grid).charge))
    for _ in range(2):  # the waves of the start leave
        before, previous = flow.state(), flow.sample_cycle(SAMPLES)
    search = _Search(grid, slow_modes(grid, before))
    start, samples = flow.state(), flow.sample_cycle(SAMPLES)
    said = search.distance(start, flow.state(), samples)
    stated = search.residual(samples, flow.sample_cycle(SAMPLES, LOOK_AHEAD))
    pressure, largest = samples.stations[..., 0], np.abs(limit[..., 0]).max()
    off = np.abs(pressure - limit[..., 0]).max() / largest
    changed = np.abs(pressure - previous.stations[..., 0]).max() / largest
    assert off > 7.0 * changed > 0.01
    assert said == pytest.approx(off, rel=0.2)
    assert stated[0] == pytest.approx(off, rel=0.2)


def small_pulses():
    angle = 2.0 * np.pi * np.arange(64) / 64
    shape = 1.0 + 1e-2 * np.sin(angle) + 5e-3 * np.cos(2.0 * angle)
    quiet, lively = (Inlet("n0", "flow_rate", 0.8, mean * shape) for mean in (1e-3 * MEAN, MEAN))
    for reflection in (-0.5, 0.0, 0.4):
        yield f"reflecting {reflection}", single_vessel(0.4, 3e-3, 6.0, quiet, Outlet(reflection=reflection))
    yield "through a Windkessel", single_vessel(0.1, 3e-3, 8.0, lively, Outlet(5e8, 1e9, 2e-10))
    narrow = network([(0, 1), (1, 2)], np.full(2, 0.1), np.full(2, 4e-3), np.full(2, 8.0), lively,
                     {"n2": Outlet(1e9)}, severity=np.array([0.0, 0.96]))  # fmt: skip
    yield "through a stenosis", narrow


@pytest.mark.parametrize("tree", [tree for _, tree in small_pulses()], ids=[name for name, _ in small_pulses()])
def test_the_harmonics_are_the_limit_of_a_small_pulse(tree):
    """The network is linear in a small pulse: half the difference between it and its mirror image, at the start of a
    cycle, is what the harmonics add up to (the mean state, which is no matter of theirs, falls out)."""
    values = tree.inlet.values
    mirrored = replace(tree, inlet=replace(tree.inlet, values=2.0 * values.mean() - values))
    march, sums = [], []
    for each in (tree, mirrored):
        grid = make_grid(each)
        flow = PulsatileFlow(each, grid, from_steady(grid), steps=1600)
        for _ in range(30):
            flow.advance(flow.steps_in_cycle)
        march.append(flow.state())
        sums.append(from_harmonics(grid))
    for what in ("area", "flow_rate", "charge"):
        limit, found = (getattr(one, what) - getattr(other, what) for one, other in (march, sums))
        assert np.abs(found - limit).max() <= 0.02 * np.abs(limit).max(), what


def test_a_steady_capacitor_is_at_what_its_distal_resistance_takes():
    """``p_venous + R_d Q``: not at the artery's pressure, which has the proximal resistance above it."""
    bed = Outlet(8e8, 1.6e9, 1e-10, venous_pressure=700.0)
    tree = single_vessel(0.1, 3e-3, 8.0, Inlet("n0", "flow_rate", 0.8, np.full(1, MEAN)), bed)
    grid = make_grid(tree)
    assert from_steady(grid).charge[1] == pytest.approx(700.0 + 1.6e9 * MEAN, rel=1e-9)


def test_decay_of_a_windkessel_is_by_its_own_way_out():
    """Behind a given flow it empties through its distal resistance alone, behind a given pressure through both."""
    outlet = Outlet(1e9, 2e9, 3e-10)
    for kind, rate in (("flow_rate", 1.0 / 2e9), ("pressure", 1.0 / 2e9 + 1.0 / 1e9)):
        tree = single_vessel(1e-3, 3e-3, 50.0, Inlet("n0", kind, 0.5, np.full(1, 1e-6)), outlet)
        grid = make_grid(tree)
        assert slow_modes(grid, at_rest(grid)).slowest == pytest.approx(np.exp(-0.5 * rate / 3e-10), rel=2e-3)


def test_the_modes_see_all_the_volume_that_the_cells_hold():
    links = [(0, 1), (1, 2), (1, 3)]
    tree = network(links, np.full(3, 0.08), np.array([4e-3, 2e-3, 1e-3]), np.array([5.0, 8.0, 12.0]), pulsating(MEAN),
                   {"n2": Outlet(1e9), "n3": Outlet(1e9)})  # fmt: skip
    grid = make_grid(tree)
    assert np.all(grid.cells % 2 == 0)
    modes = slow_modes(grid, at_rest(grid))
    pressure = 1e3 * np.random.default_rng(1).uniform(0.0, 1.0, grid.n_cells)
    held = float(modes.capacity[:4] @ modes._at_nodes(pressure))
    assert held == pytest.approx(float(modes.vessel_capacity @ pressure), rel=1e-12, abs=0.0)


def test_decay_of_one_windkessel_is_its_time_constant():
    outlet = Outlet(1e6, 2e9, 3e-10)
    tree = single_vessel(1e-3, 1e-3, 50.0, pulsating(MEAN, 1.0), outlet)
    grid = make_grid(tree)
    assert slow_modes(grid, at_rest(grid)).slowest == pytest.approx(np.exp(-1.0 / 0.6), rel=1e-3)


def test_restart_from_a_similar_tree(hepatic):
    tree, _ = hepatic
    first = periodic(tree)
    narrowed = replace(tree, severity=np.where(np.arange(25) == 3, 0.9, 0.0))
    again = periodic(narrowed, state=first.state)
    fresh = periodic(narrowed)
    np.testing.assert_allclose(again.mean_flow_rate, fresh.mean_flow_rate, atol=2e-3 * MEAN)
    assert again.mean_flow_rate[3] < 0.97 * first.mean_flow_rate[3]


def test_pressure_inlet_gives_back_the_flow(hepatic):
    tree, _ = hepatic
    cycle = periodic(tree, tolerance=1e-4)
    held = replace(tree, inlet=Inlet("n0", "pressure", tree.inlet.period, cycle.inlet_pressure))
    other = periodic(held, tolerance=1e-4)
    np.testing.assert_allclose(other.mean_flow_rate, cycle.mean_flow_rate, rtol=2e-3)
    np.testing.assert_allclose(other.flow_rate[:, 0, 1], cycle.flow_rate[:, 0, 1], atol=0.01 * cycle.flow_rate.max())


def test_occluding_a_branch_under_pressure_starves_what_it_fed(hepatic):
    tree, _ = hepatic
    cycle = periodic(tree)
    inlet = Inlet("n0", "pressure", tree.inlet.period, cycle.inlet_pressure)
    shut = periodic(replace(tree, inlet=inlet, severity=np.where(np.arange(25) == 1, 1.0, 0.0)))
    below = [1, 3, 4, 7, 8, 9, 10, 15, 16, 17, 18, 19, 20, 21, 22]
    assert shut.mean_flow_rate[1] == 0.0
    assert np.abs(shut.mean_flow_rate[below]).max() <= 1e-3 * MEAN
    assert shut.mean_flow_rate[2] == pytest.approx(cycle.mean_flow_rate[2], rel=0.05, abs=0.0)
    assert shut.inlet_flow < 0.6 * cycle.inlet_flow
    assert np.all(shut.flow_rate[:, 1, 0] == 0.0)


def test_cycle_means_agree_with_the_waveforms(hepatic):
    tree, _ = hepatic
    cycle = periodic(tree, tolerance=1e-5)
    np.testing.assert_allclose(cycle.flow_rate[:, :, 1].mean(axis=0), cycle.mean_flow_rate, rtol=1e-3)
    assert cycle.inlet_flow == pytest.approx(MEAN, rel=1e-13, abs=0.0)
    assert cycle.flow_rate.shape == (len(cycle.time), 25, 3)
    assert cycle.time[0] == 0.0
    assert cycle.time[-1] + cycle.time[1] == pytest.approx(cycle.period)
    assert set(cycle.outlet_flow) == set(tree.outlets)


def test_loop_through_an_anastomosis():
    # Two arms of unequal length close a loop; the shorter one carries more.
    inlet = pulsating(MEAN, 70 / 60)
    links = [(0, 1), (1, 2), (1, 3), (3, 2), (2, 4)]
    tree = network(links, np.array([0.05, 0.03, 0.05, 0.05, 0.05]), np.full(5, 2e-3), np.full(5, 8.0), inlet,
                   {"n4": Outlet(3e8, 1.6e9, 1e-9)})
    cycle = periodic(tree, tolerance=1e-5)
    assert cycle.mean_flow_rate[1] + cycle.mean_flow_rate[2] == pytest.approx(MEAN, rel=1e-13, abs=0.0)
    assert cycle.mean_flow_rate[1] / cycle.mean_flow_rate[2] == pytest.approx(0.1 / 0.03, rel=0.02)


def test_no_limit_within_the_cycles_allowed_is_an_error(hepatic):
    tree, _ = hepatic
    with pytest.raises(SolverStopped, match="not periodic after 2 cycles"):
        periodic(tree, tolerance=1e-9, max_cycles=2)


def test_large_networks_are_solved_as_small_ones_are(hepatic, monkeypatch):
    # The sparse ways, which only hundreds of nodes would take, give what the dense ones give.
    tree, _ = hepatic
    grid = make_grid(tree)
    state = from_steady(grid)
    dense, flow = slow_modes(grid, state), from_steady(grid).flow_rate[grid.offset[:-1]] * np.linspace(0.99, 1.01, 25)
    balanced = divergence_free(tree, flow)
    monkeypatch.setattr("haiflow.arteries.slow_modes.DENSE", 0)
    monkeypatch.setattr("haiflow.arteries.balance.DENSE", 0)
    sparse = slow_modes(grid, state)
    assert sparse.slowest == pytest.approx(dense.slowest, rel=1e-9, abs=0.0)
    change = np.sin(np.arange(grid.n_cells)), np.cos(np.arange(len(tree.nodes)))
    for found, exact in zip(sparse.still_to_come(*change), dense.still_to_come(*change), strict=True):
        np.testing.assert_allclose(found, exact, atol=1e-6 * np.abs(exact).max())
    np.testing.assert_allclose(divergence_free(tree, flow), balanced, rtol=1e-9)
