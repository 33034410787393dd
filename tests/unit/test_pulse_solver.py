"""The solver object: steps, restarts, step control, what it refuses, when it stops."""

from dataclasses import replace

import numpy as np
import pytest

from haiflow.arteries.grid import make_grid
from haiflow.arteries.junctions import join
from haiflow.arteries.local_steps import Steps
from haiflow.arteries.plan import sample_inlet
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import fork, single_vessel
from haiflow.arteries.state import at_rest, from_steady
from haiflow.arteries.tree import CLOSED, Inlet, Outlet
from haiflow.errors import InputError, SolverStopped

WAVE = 1.0 + 0.5 * np.sin(2 * np.pi * np.arange(32) / 32)
BED = Outlet(3e8, 2e9, 1e-10)


def forked(**more):
    return fork([0.04, 0.05, 0.03], [2.5e-3, 2e-3, 1.6e-3], [6.0, 7.0, 8.0], Inlet("n0", "flow_rate", 0.8, 6e-6 * WAVE),
                BED, **more)


def test_two_runs_make_one():
    tree = forked(wall_viscosity=np.full(3, 0.3))
    one, two = PulsatileFlow(tree), PulsatileFlow(tree)
    whole = one.advance(50)
    parts = [two.advance(20), two.advance(30)]
    assert np.array_equal(whole.face_flux, np.concatenate([part.face_flux for part in parts]))
    assert np.array_equal(one.area, two.area)
    assert one.time == two.time == pytest.approx(50 * one.dt)


def test_restart_from_a_state_goes_on_in_the_same_phase():
    tree = forked()
    flow = PulsatileFlow(tree)
    flow.advance(130)
    again = PulsatileFlow(tree, flow.grid, flow.state(), steps=flow.steps_in_cycle)
    np.testing.assert_allclose(again.advance(40).face_flux, flow.advance(40).face_flux, rtol=1e-9, atol=1e-17)


def test_a_wave_too_fast_for_the_step_halves_it():
    # A pressure rise that distends a soft vessel: waves grow faster than the step of the start state allows.
    pressure = Inlet("n0", "pressure", 0.8, 20_000.0 * (1.0 - np.cos(2 * np.pi * np.arange(64) / 64)))
    tree = single_vessel(0.3, 3e-3, 4.0, pressure, Outlet(1e9))
    grid = make_grid(tree)
    flow = PulsatileFlow(tree, grid, at_rest(grid), courant=0.9)
    dt, steps = flow.dt, flow.steps_in_cycle
    block = flow.advance(steps)
    assert flow.steps_in_cycle % (2 * steps) == 0
    assert len(block.face_flux) * block.dt == pytest.approx(steps * dt, rel=1e-12, abs=0.0)
    assert flow.time == pytest.approx(0.8, rel=1e-12, abs=0.0)
    gained = np.diff(block.face_flux, axis=1).sum(axis=0)
    np.testing.assert_allclose(flow.area, block.area_start - block.dt / grid.cell_dx * gained, rtol=1e-11)


def test_friction_in_a_thin_vessel_keeps_the_step_short():
    """Where friction is quicker than the waves (``2 K / A`` above ``c / dx``) it sets the step; the flow is
    Poiseuille's then, and does not blow up."""
    rate, radius = 2e-10, 50e-6
    tree = single_vessel(0.01, radius, 20.0, Inlet("n0", "flow_rate", 0.8, rate * WAVE), Outlet(1e12),
                         velocity_profile=2.0)
    grid = make_grid(tree)
    flow = PulsatileFlow(tree, grid, from_steady(grid))
    friction = 8.0 * np.pi * tree.blood.viscosity / tree.blood.density  # m2/s, of the parabola
    assert 2.0 * friction / (np.pi * radius**2) > 20.0 / (0.7 * grid.dx[0])
    assert flow.dt <= 0.5 * flow.area.min() / friction * (1.0 + 1e-12)
    flow.advance(flow.steps_in_cycle)
    cycle = flow.sample_cycle(200).stations[:, 0]
    middle, area = cycle[:, 1, 1].mean(), cycle[:, :, 2].mean()
    drop = (cycle[:, 0, 0] - cycle[:, 2, 0]).mean()
    assert middle == pytest.approx(rate, rel=1e-3, abs=0.0)
    assert drop == pytest.approx(8.0 * np.pi * tree.blood.viscosity * 0.01 * rate / area**2, rel=0.01)


def test_the_inlet_gives_its_mean_at_any_number_of_steps():
    """The spline through few uneven samples has another mean at equal steps than they have; the table has theirs."""
    values = 5e-6 * np.array([0.2, 3.0, 0.1, 2.5, 1.0, 0.4, 0.3])
    for steps in (9, 10, 200, 1001):
        table = sample_inlet(Inlet("n0", "flow_rate", 0.8, values), steps)
        assert len(table) == steps
        assert table.mean() == pytest.approx(values.mean(), rel=1e-14, abs=0.0)
    table = sample_inlet(Inlet("n0", "flow_rate", 0.8, values), 700)
    np.testing.assert_allclose(table[::100], values, atol=1e-3 * values.max())


def test_what_enters_in_a_cycle_is_the_inlets_mean_where_steps_differ():
    """The inlet's vessel takes steps four times as long as its neighbour: its mean is that at its own steps."""
    inlet = Inlet("n0", "flow_rate", 0.8, 5e-6 * np.random.default_rng(2).uniform(0.5, 1.5, 499))
    tree = fork([0.24, 0.1, 0.003], [3e-3, 2e-3, 1.5e-3], [5.0, 5.0, 14.0], inlet, BED)
    flow = PulsatileFlow(tree, steps=Steps(2800, np.array([2, 2, 0], dtype=np.int32)))
    assert np.ptp(flow.plan.node_level) == 2 == flow.plan.node_level[0]
    flow.advance(2800)
    assert flow.end_volume[0] == pytest.approx(0.8 * inlet.mean, rel=1e-13, abs=0.0)


def test_a_step_too_long_is_noticed_before_anything_has_gone_wrong():
    # At rest nothing grows yet, whatever the step: only the check of the wave speed can tell.
    tree = single_vessel(0.3, 3e-3, 6.0)
    grid = make_grid(tree)
    steps = int(0.8 * 6.0 / grid.dx[0])  # 1.25 cells a step
    flow = PulsatileFlow(tree, grid, at_rest(grid), steps=steps)
    assert len(flow.advance(3).face_flux) == 6
    assert flow.steps_in_cycle == 2 * steps


@pytest.mark.parametrize("velocity", [2.5, -2.5])
def test_what_the_blood_itself_runs_counts_for_the_step(velocity):
    """Waves alone cross 0.8 cells in a step, with the blood 1.2: only the latter is too long."""
    tree = single_vessel(0.3, 3e-3, 6.0, outlet=Outlet(reflection=0.0))
    grid = make_grid(tree)
    steps = int(6.0 / (0.8 * grid.dx[0]))
    moving = replace(at_rest(grid), flow_rate=np.full(grid.n_cells, velocity * np.pi * 9e-6))
    for state, factor in ((at_rest(grid), 1), (moving, 2)):
        flow = PulsatileFlow(tree, grid, state, steps=steps)
        flow.advance(1)
        assert flow.steps_in_cycle == factor * steps


def test_stops_early_where_the_blood_is_sucked_out():
    suction = Inlet("n0", "flow_rate", 1.0, np.full(1, -2e-4))
    tree = single_vessel(0.2, 3e-3, 5.0, suction, CLOSED)
    grid = make_grid(tree)
    flow = PulsatileFlow(tree, grid, at_rest(grid))
    with pytest.raises(SolverStopped) as stopped:
        flow.advance(flow.steps_in_cycle)
    # 5.65 mL are gone after 28 ms at the latest.
    assert 0.0 < stopped.value.time_s <= 0.0283
    assert stopped.value.where == "v0"


def test_stops_at_once_where_a_value_is_not_finite():
    tree = forked()
    flow = PulsatileFlow(tree)
    flow._flow[flow.grid.slot[flow.grid.offset[2] + 3]] = np.nan
    with pytest.raises(SolverStopped) as stopped:
        flow.advance(400)
    assert stopped.value.where == "v2"
    assert stopped.value.time_s <= 2.0 * flow.dt * 2.0


@pytest.mark.parametrize("severity", [0.9, 0.99, 0.9999, 1.0 - 1e-9])
def test_nearly_shut_vessel_is_no_trouble(severity):
    through = []
    for occluded in (0.0, severity):
        flow = PulsatileFlow(forked(severity=np.array([0.0, occluded, 0.0])))
        block = flow.advance(flow.steps_in_cycle)
        through.append(np.abs(block.face_flux[:, flow.grid.face_offset[1]]).max())
        assert flow.fallbacks == 0
    assert through[1] < through[0]
    if severity > 0.999:
        assert through[1] < 1e-8


def test_a_nodes_pressure_is_that_before_the_losses_behind_it():
    tree = forked(severity=np.array([0.0, 0.8, 0.0]), loss_linear=np.array([0.0, 0.0, 4e8]))
    flow = PulsatileFlow(tree)
    flow.advance(flow.steps_in_cycle)
    samples = flow.sample_cycle(200)
    pressure = samples.stations[..., 0]
    assert (pressure[:, 0, 2] - pressure[:, 1, 0]).max() > 300.0
    assert (pressure[:, 0, 2] - pressure[:, 2, 0]).max() > 300.0
    np.testing.assert_allclose(samples.node_pressure[1:, 1], pressure[1:, 0, 2], rtol=1e-9)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_closed_ends_node_has_the_vessels_pressure_whatever_the_loss_there(share, turned):
    """Nothing flows there, so the loss takes nothing: a ligated stump does not read 0 Pa at its tip."""
    tree = forked(loss_linear=np.array([0.0, 0.0, 4e8]), loss_at_start=np.array([0.5, 0.5, share]))
    tree = replace(tree, outlets={"n2": BED, "n3": CLOSED})
    if turned:
        tree = replace(tree, start=np.array([0, 1, 3], dtype=np.int32), end=np.array([1, 2, 1], dtype=np.int32))
    flow = PulsatileFlow(tree)
    block, samples = flow.advance(flow.steps_in_cycle), flow.sample_cycle(200)
    at_tip = samples.stations[:, 2, 0 if turned else 2, 0]
    assert at_tip.min() > 5e3
    np.testing.assert_allclose(samples.node_pressure[1:, 3], at_tip[1:], rtol=1e-9)
    assert block.node_pressure[-1, 3] == pytest.approx(at_tip[0], rel=0.01)


def test_occluded_inlet_under_pressure_is_at_rest():
    tree = replace(forked(severity=np.array([1.0, 0.0, 0.0])), inlet=Inlet("n0", "pressure", 0.8, 12e3 * WAVE))
    flow = PulsatileFlow(tree)
    block = flow.advance(300)
    assert np.all(block.face_flux[:, 0] == 0.0)
    np.testing.assert_allclose(block.node_pressure[0, 0], 12e3 * WAVE[0], rtol=0.01)


def test_small_vessels_far_from_their_neighbours_in_size():
    tree = fork([0.1, 0.004, 0.02, 0.05], [6e-3, 0.3e-3, 0.5e-3, 4e-3], [5.0, 12.0, 10.0, 6.0],
                Inlet("n0", "flow_rate", 0.8, 6e-6 * WAVE), Outlet(1e9, 5e9, 2e-11))
    flow = PulsatileFlow(tree)
    flow.advance(2 * flow.steps_in_cycle)
    assert flow.fallbacks == 0
    assert np.all(flow.pressure > 0.0)


def test_states_and_sources_that_do_not_fit_are_refused():
    tree = forked()
    grid = make_grid(tree)
    state = from_steady(grid)
    with pytest.raises(InputError, match="state"):
        PulsatileFlow(tree, grid, replace(state, area=state.area[:-1]))
    with pytest.raises(InputError, match="positive"):
        PulsatileFlow(tree, grid, replace(state, area=-state.area))
    with pytest.raises(InputError, match="source"):
        PulsatileFlow(tree, grid, source=np.zeros(3))
    with pytest.raises(InputError, match="another tree"):
        PulsatileFlow(forked(), grid)


@pytest.mark.parametrize(("change", "words"), [
    ({"outlets": {"n2": BED}}, "without an outlet"),
    ({"outlets": {"n2": BED, "n3": BED, "n9": BED}}, "needs a node"),
    ({"outlets": {"n1": Outlet(reflection=0.0), "n2": BED, "n3": BED}}, "where one vessel ends"),
    ({"inlet": Inlet("n2", "flow_rate", 0.8, WAVE)}, "no outlet"),
    ({"inlet": Inlet("n0", "flowrate", 0.8, WAVE)}, "did you mean 'flow_rate'"),
    ({"severity": np.array([1.0, 0.0, 0.0])}, "totally occluded"),
    ({"nodes": ("n0", "n1", "n2", "n3", "n4")}, "no vessel meets"),
])
def test_networks_that_cannot_be_solved_are_refused(change, words):
    with pytest.raises(InputError, match=words):
        join(replace(forked(), **change))


def test_grid_counts_and_places():
    grid = make_grid(forked(), cell_length=0.011, min_cells=2)
    assert list(grid.cells) == [4, 5, 3]
    assert list(grid.offset) == [0, 4, 9, 12]
    assert list(grid.face_offset) == [0, 5, 11]
    assert list(grid.last_face) == [4, 10, 14]
    assert grid.n_faces == 15
    np.testing.assert_allclose(grid.x[4:9], 0.01 * (np.arange(5) + 0.5))
    np.testing.assert_allclose(grid.face_x[5:11], 0.01 * np.arange(6))
    assert list(grid.slot) == [0, 1, 2, 3, 5, 6, 7, 8, 9, 11, 12, 13]
    with pytest.raises(InputError):
        make_grid(forked(), cell_length=0.0)
