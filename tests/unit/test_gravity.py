"""Blood that has weight: where the column comes in, and where it must not."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from haiflow.arteries.gravity import column, column_at_nodes
from haiflow.arteries.grid import make_grid
from haiflow.arteries.growth import grow
from haiflow.arteries.periodic import LOOK_AHEAD, SAMPLES, _Search, periodic
from haiflow.arteries.pulsatile import PulsatileFlow, Samples
from haiflow.arteries.simple import fork, murray_tree, pulsating, single_vessel
from haiflow.arteries.slow_modes import slow_modes
from haiflow.arteries.state import from_steady
from haiflow.arteries.steady import steady
from haiflow.arteries.subtree import with_demand
from haiflow.arteries.tree import Inlet, Outlet
from haiflow.errors import InputError
from haiflow.scenario.load import loads
from haiflow.simulation.arterial_tree import build_tree
from haiflow.simulation.blood import BloodFlow, tip_pressure
from haiflow.simulation.perfused import _fitted

DOWN = np.array([0.0, 0.0, -9.81])
PLACES = np.array([[0.1, 0.0, 0.2], [0.1, 0.0, 0.0], [0.1, 0.1, -0.3], [0.1, 0.0, 0.4]])
BED = Outlet(6e8, 3e9, 4e-10, 700.0)
WEIGHT = 1060.0 * 9.81  # Pa/m


def hung(inlet=None, gravity=DOWN, **more):
    tree = fork([0.3, 0.4, 0.5], [3e-3, 2.2e-3, 2.2e-3], [6.0, 7.0, 7.0], inlet or pulsating(5e-6), BED, **more)
    return replace(tree, position=PLACES, gravity=gravity)


def test_column_is_the_height_above_the_inlet():
    tree = hung()
    np.testing.assert_allclose(column_at_nodes(tree), WEIGHT * np.array([0.0, -0.2, -0.5, 0.2]), rtol=1e-12)
    vessel = np.array([0, 1, 2], dtype=np.int32)
    half = column(tree, vessel, 0.5 * tree.length)
    np.testing.assert_allclose(half, WEIGHT * np.array([-0.1, -0.35, 0.0]), rtol=1e-12, atol=1e-9)
    assert not column_at_nodes(hung(gravity=None)).any()


def test_column_follows_a_path_where_there_is_one():
    over = np.array([[0.1, 0.0, 0.2], [0.1, 0.0, 0.5], [0.1, 0.0, 0.0]])  # up 0.3 m, down 0.5 m
    tree = replace(hung(), paths={"v0": over})
    x = np.array([0.0, 0.375, 0.5, 1.0]) * tree.length[0]
    found = column(tree, np.zeros(4, dtype=np.int32), x)
    np.testing.assert_allclose(found, WEIGHT * np.array([0.0, 0.3, 0.2, -0.2]), rtol=1e-12, atol=1e-9)


def winding(vessels):
    """A tree with paths of 2 to 9 points, some of which stand twice; every fifth vessel is straight."""
    tree, rng = murray_tree(vessels, pulsating(80e-6), total_length=0.1 * vessels), np.random.default_rng(0)
    place, paths = rng.uniform(size=(vessels + 1, 3)), {}
    for v, name in enumerate(tree.vessels):
        if v % 5:
            inner = np.repeat(rng.uniform(size=(v % 8, 3)), 1 + (v % 7 == 0), axis=0)
            paths[name] = np.concatenate([place[[tree.start[v]]], inner, place[[tree.end[v]]]])
    return replace(tree, position=place, paths=paths, gravity=np.array([0.0, 1.0, -9.81]))


def test_columns_of_many_paths_are_those_of_each():
    tree = winding(101)
    grid = make_grid(tree)
    found = column(tree, grid.vessel_of_face, grid.face_x)
    at_node = column_at_nodes(tree)
    for v, name in enumerate(tree.vessels):
        here = slice(grid.face_offset[v], grid.last_face[v] + 1)
        path = tree.paths.get(name, tree.position[[tree.start[v], tree.end[v]]])
        done = np.cumsum(np.concatenate([[0.0], np.linalg.norm(np.diff(path, axis=0), axis=1)]))
        there = -1060.0 * (path - tree.position[0]) @ tree.gravity
        expected = np.interp(grid.face_x[here] / tree.length[v], done / done[-1], there)
        np.testing.assert_allclose(found[here], expected, rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(found[here][[0, -1]], at_node[[tree.start[v], tree.end[v]]], rtol=1e-9, atol=1e-6)


def test_columns_of_many_paths_are_found_in_one_pass():
    """However many paths, the vessels of the places are gone through a few times: not once a path."""
    gone_through = []

    class Counted(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, **options):
            gone_through.append(max(np.size(each) for each in inputs))
            return getattr(ufunc, method)(*[np.asarray(each) for each in inputs], **options)

    tree = winding(401)
    grid = make_grid(tree)
    column(tree, grid.vessel_of_cell.view(Counted), grid.x)
    assert sum(gone_through) <= 10 * grid.n_cells


def test_heights_decide_the_flow_only_under_gravity():
    tree, light = hung(), hung(gravity=None)
    lifted = PLACES + np.array([[0.0], [0.0], [0.1], [0.0]])
    assert replace(light, position=lifted).digest() == light.digest() != tree.digest()
    assert replace(tree, position=lifted).digest() != tree.digest()
    assert replace(tree, paths={"v1": PLACES[[1, 3, 2]]}).digest() != tree.digest()


def test_blood_that_runs_level_has_no_weight():
    tree = hung(gravity=np.array([0.0, 0.0, 0.0]))
    a, b = (periodic(each, tolerance=1e-6) for each in (tree, hung(gravity=None)))
    np.testing.assert_array_equal(a.pressure, b.pressure)
    np.testing.assert_array_equal(a.flow_rate, b.flow_rate)


def test_stiff_walls_leave_the_flow_alone_and_show_the_column():
    """What gravity does to the flow it does through the walls: with stiff ones only pressures differ, by the column."""
    cycles = []
    for gravity in (None, DOWN):
        tree = hung(gravity=gravity)
        stiff = replace(tree, beta_start=400.0 * tree.beta_start, beta_end=400.0 * tree.beta_end)
        cycles.append(periodic(stiff, tolerance=1e-6, grid=make_grid(stiff, 0.02)))
    light, heavy = cycles
    np.testing.assert_allclose(heavy.mean_flow_rate, light.mean_flow_rate, rtol=1e-4)
    fallen = light.node_pressure - heavy.node_pressure
    np.testing.assert_allclose(fallen, np.broadcast_to(column_at_nodes(hung()), fallen.shape), atol=15.0)
    middle = WEIGHT * np.array([-0.1, -0.35, 0.0])
    np.testing.assert_allclose((light.pressure - heavy.pressure)[:, :, 1].mean(axis=0), middle, atol=15.0)


def test_a_deep_column_does_not_loosen_the_tolerance():
    """What pressures are off is measured against those that drive the blood, not against the blood's weight."""
    tree = hung(gravity=4.0 * DOWN)  # a column of 21 kPa beside pressures of 14
    flow = PulsatileFlow(tree)
    before = flow.state()
    last = flow.sample_cycle(SAMPLES)
    search = _Search(flow.grid, slow_modes(flow.grid, before))
    search.distance(before, before, last)
    off = Samples(last.stations[:LOOK_AHEAD].copy(), last.node_pressure[:LOOK_AHEAD], last.node_head[:LOOK_AHEAD])
    off.stations[7, 1, 2, 0] += 50.0
    half = np.stack([column(tree, np.arange(3, dtype=np.int32), k * 0.5 * tree.length) for k in range(3)], axis=1)
    driving = (last.stations[..., 0] + half).max()
    assert last.stations[..., 0].max() > 1.3 * driving
    assert search.residual(last, off) == pytest.approx((50.0 / driving, 50.0 / driving), rel=1e-9)
    assert search.scale[0] == pytest.approx(driving, rel=1e-12)


def test_low_vessels_are_wider_and_high_ones_narrower():
    light, heavy = (periodic(hung(gravity=gravity), tolerance=1e-5) for gravity in (None, DOWN))
    wider = heavy.area.mean(axis=0)[:, 2] / light.area.mean(axis=0)[:, 2]
    assert wider[1] > 1.05
    assert wider[2] < 0.98


def test_steady_network_is_where_the_march_ends():
    inlet = Inlet("n0", "flow_rate", 0.8, np.array([1e-6]))  # slow: the march has the blood's inertia, the network not
    tree = hung(inlet)
    cycle = periodic(tree, tolerance=1e-9)
    flow = steady(tree, elastic=True)
    there = flow.pressure - column_at_nodes(tree)
    np.testing.assert_allclose(cycle.node_pressure.mean(axis=0), there, atol=1.0)
    np.testing.assert_allclose(cycle.mean_flow_rate, flow.flow_rate, rtol=1e-4)
    grid = make_grid(tree)
    np.testing.assert_allclose(cycle.state.area, from_steady(grid).area, rtol=2e-4)


def test_gravity_drives_nothing_through_a_bed():
    tree = hung(Inlet("n0", "pressure", 0.8, np.array([700.0])))
    flow = steady(tree, elastic=True)
    assert np.abs(flow.flow_rate).max() < 1e-18
    marched = PulsatileFlow(tree)
    marched.advance(2 * marched.steps_in_cycle)
    assert np.abs(marched.flow_rate).max() < 1e-15


def test_a_march_goes_on_from_its_state():
    tree = hung()
    one = PulsatileFlow(tree)
    one.advance(one.steps_in_cycle // 2)
    other = PulsatileFlow(tree, one.grid, one.state(), steps=one.steps)
    for flow in (one, other):
        flow.advance(100)
    np.testing.assert_allclose(one.area, other.area, rtol=1e-10)
    np.testing.assert_allclose(one.charge, other.charge, rtol=1e-10)


def test_the_liver_sees_the_terminals_pressure_brought_to_the_veins_height():
    """Arteries and veins have one column: a terminal half a metre down feeds its sub-tree as it would up there."""
    rng = np.random.default_rng(3)
    cloud = 0.03 * rng.random((200, 3))
    subtree = grow(np.zeros(3), cloud, np.ones(200), 12, root_radius=2e-4, seed=1)
    wanted = np.ones(len(subtree.terminals))
    flow = {"n2": 1e-7, "n3": 1e-7}
    heavy, light = hung(), hung(gravity=None)
    brought = np.array([11e3, 10.8e3, 9e3, 9e3])

    def fitted(tree, pressure, node):
        cycle = SimpleNamespace(node_pressure=np.tile(pressure, (4, 1)), outlet_flow=flow)
        return _fitted(subtree, wanted, node, tree, cycle).radius

    narrow = with_demand(subtree, wanted, root_radius=float(subtree.radius[0])).radius
    for node in ("n2", "n3"):
        expected = fitted(light, brought, node)
        assert expected.max() > 1.01 * narrow.max()  # the pressure counts: the branches had to be widened
        np.testing.assert_allclose(fitted(heavy, brought - column_at_nodes(heavy), node), expected, rtol=1e-12)


SCENARIO = """
haiflow: 1
arteries:
  network:
    nodes: {root: {position: 0 0 0 mm}, low: {position: 0 0 -300 mm}%s}
    vessels:
      down: {from: root, to: low, length: 300 mm, diameter: 6 mm, wave_speed: 8 m/s}
      aside: {from: low, to: end, length: 100 mm, diameter: 5 mm, wave_speed: 8 m/s}
    inlet: {node: root}
    outlets: {end: {share: 1}}
  inflow: {mean: 300 mL/min}
  gravity: %s
run: {duration: 1 h}
"""
LOST = ", end: {}"
PLACED = ", end: {position: 100 0 -300 mm}"


def test_scenario_gives_its_gravity_to_the_tree():
    model = loads(SCENARIO % (PLACED, "0 0 -9.81 m/s2")).model
    tree = build_tree(model.arteries, model.run.numerics)
    np.testing.assert_allclose(column_at_nodes(tree), WEIGHT * np.array([0.0, -0.3, -0.3]), rtol=1e-12)
    flow = steady(tree, elastic=True)
    assert flow.pressure[0] == pytest.approx(model.arteries.mean_pressure, rel=1e-9)  # calibrated to the inlet's
    blood = BloodFlow(tree)
    tip = SimpleNamespace(vessel="down", position=0.15)
    upright = tip_pressure(blood.cycle(tree), tree, tip).mean()
    level = replace(tree, gravity=None)
    lying = tip_pressure(BloodFlow(level).cycle(level), level, tip).mean()
    assert upright - lying == pytest.approx(0.15 * WEIGHT, rel=0.02)  # the wider vessel's friction is less, too


@pytest.mark.parametrize("gravity", ["0 0 0 m/s2", "[0 m/s2, 0 m/s2, 0 m/s2]"])
def test_no_gravity_needs_no_places(gravity):
    model = loads(SCENARIO % (LOST, gravity)).model
    assert build_tree(model.arteries, model.run.numerics).gravity is None


@pytest.mark.parametrize(
    ("places", "gravity", "words"),
    [
        (LOST, "0 0 -9.81 m/s2", "arteries.gravity.*heights of all nodes, and end has no position.*add 'nodes: {end"),
        (PLACED, "-9.81 m/s2", "three components.*0 0 -9.81 m/s2"),
        (PLACED, "0 0 -9.81", "three components.*0 0 -9.81 m/s2"),
        (PLACED, "[0, 0, -9.81]", "needs a unit.*9.81 m/s2"),
        (PLACED, "0 0 -9.81 m/s", "is a velocity"),
        (PLACED, "0 0 -981 m/s2", "must be at least -100 m/s2"),
    ],
)
def test_gravity_without_places_or_components_is_refused(places, gravity, words):
    with pytest.raises(InputError, match=words):
        loads(SCENARIO % (places, gravity))


def test_single_vessel_shows_the_weight_of_its_blood():
    tree = replace(single_vessel(0.4, 3e-3, 7.0, Inlet("n0", "pressure", 0.8, np.array([12e3])), Outlet(1e13)),
                   position=np.array([[0, 0, 0], [0, 0, -0.4]]), gravity=DOWN)
    flow = PulsatileFlow(tree)
    flow.advance(flow.steps_in_cycle)
    assert flow.sample_cycle(100).node_pressure[-1, 1] == pytest.approx(12e3 + 0.4 * WEIGHT, abs=5.0)
    assert flow.pressure[-1] == pytest.approx(12e3 + WEIGHT * flow.grid.x[-1], abs=5.0)


@pytest.mark.parametrize("down", [0.4, -0.4])
def test_reflecting_outlet_below_or_above_the_inlet(down):
    """Its wave relation is that of the wall where it is: the steady network and the march agree on the pressure."""
    inlet = Inlet("n0", "flow_rate", 0.8, np.array([3e-6]))
    tree = single_vessel(0.4, 3e-3, 5.0, inlet, Outlet(reflection=0.3, venous_pressure=12e3))
    tree = replace(tree, position=np.array([[0, 0, 0], [0, 0, -down]]), gravity=DOWN)
    flow = PulsatileFlow(tree)
    for _ in range(15):
        flow.advance(flow.steps_in_cycle)
    there = steady(tree, elastic=True).pressure - column_at_nodes(tree)
    assert there[1] == pytest.approx(flow.sample_cycle(100).node_pressure[-1, 1], rel=1e-6)
