"""Trees grown into tissue: Murray's law, filling, determinism; their hydraulics against trees solved by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from haiflow.arteries.growth import grow
from haiflow.arteries.subtree import SubTree, end_pressures, nearest_terminal, widened, with_demand

VISCOSITY = 3.8e-3


def ball(n=4000, seed=0):
    points = np.random.default_rng(seed).uniform(-1.0, 1.0, (3 * n, 3))
    return 0.03 * points[np.linalg.norm(points, axis=1) < 1.0][:n]


@pytest.fixture(scope="module")
def grown():
    cloud = ball()
    return cloud, grow(np.array([0.0, 0.0, -0.04]), cloud, np.ones(len(cloud)), 120, root_radius=1e-3, seed=7)


def test_a_tree_is_connected_and_every_branch_starts_where_its_parent_ends(grown):
    _, tree = grown
    inner = tree.parent >= 0
    np.testing.assert_array_equal(tree.start[inner], tree.end[tree.parent[inner]])
    assert np.count_nonzero(~inner) == 1
    assert tree.start[~inner] == 0
    assert sorted(tree.order) == list(range(len(tree.parent)))
    children = np.bincount(tree.parent[inner], minlength=len(tree.parent))
    assert set(children[tree.terminals]) == {0}
    assert set(np.delete(children, tree.terminals)) == {2}
    assert len(tree.terminals) == 120


def test_murrays_law_and_the_flows_hold_at_every_fork(grown):
    _, tree = grown
    inner = tree.parent >= 0
    forks = np.unique(tree.parent[inner])
    for values in (tree.radius**3, tree.flow_share):
        below = np.bincount(tree.parent[inner], weights=values[inner], minlength=len(values))
        np.testing.assert_allclose(below[forks], values[forks], rtol=1e-12)
    assert tree.flow_share[tree.parent < 0].sum() == pytest.approx(1.0, abs=1e-14)
    assert tree.radius.max() == pytest.approx(1e-3)


def test_ends_fill_the_territory_and_branches_stay_in_it(grown):
    cloud, tree = grown
    reach, mine = cKDTree(tree.end_points).query(cloud)
    ideal = (3.0 * 4.0 / 3.0 * np.pi * 0.03**3 / 120 / (4.0 * np.pi)) ** (1.0 / 3.0)
    random = cKDTree(cloud[np.random.default_rng(1).choice(len(cloud), 120, replace=False)]).query(cloud)[0]
    assert reach.max() <= 2.5 * ideal
    assert reach.max() < 0.8 * random.max()
    held = np.bincount(mine, minlength=120)
    assert held.std() < 0.35 * held.mean()
    middle = 0.5 * (tree.points[tree.start] + tree.points[tree.end])
    trunk = tree.parent < 0
    assert np.linalg.norm(middle[~trunk], axis=1).max() <= 0.033


def test_a_grown_tree_has_far_less_volume_than_a_star(grown):
    _, tree = grown
    volume = np.sum(tree.radius**2 * tree.length)
    share = tree.flow_share[tree.terminals]
    star = np.sum((1e-3 * share ** (1.0 / 3.0)) ** 2 * np.linalg.norm(tree.end_points - tree.points[0], axis=1))
    assert volume < 0.6 * star


def test_the_seed_decides(grown):
    cloud, tree = grown
    again = grow(np.array([0.0, 0.0, -0.04]), cloud, np.ones(len(cloud)), 120, root_radius=1e-3, seed=7)
    other = grow(np.array([0.0, 0.0, -0.04]), cloud, np.ones(len(cloud)), 120, root_radius=1e-3, seed=8)
    np.testing.assert_array_equal(tree.points, again.points)
    assert not np.array_equal(tree.points, other.points)


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 40), m=st.integers(1, 60), seed=st.integers(0, 1000),
    shape=st.sampled_from(["cloud", "plane", "line", "one place"]),
)  # fmt: skip
def test_any_cloud_gives_a_tree_without_branches_of_no_length(n, m, seed, shape):
    random = np.random.default_rng(seed)
    cloud = 0.05 * random.random((m, 3))
    if shape != "cloud":
        cloud[:, {"plane": 2, "line": 1, "one place": 0}[shape] :] = 0.01
    tree = grow(cloud[0], cloud, random.random(m) + 0.01, n, root_radius=1e-3, seed=seed)
    assert 1 <= len(tree.terminals) <= n
    assert np.isfinite(tree.points).all()
    assert tree.radius.min() > 0.0
    assert np.all(end_pressures(tree, VISCOSITY, root_flow=1e-9, root_pressure=12e3) < 12e3)


def fork(lengths, radii, trunk=1e-12):
    """A trunk of next to no length and two branches."""
    points = np.array([[0, 0, 0], [0, 0, trunk], [lengths[0], 0, trunk], [-lengths[1], 0, trunk]], dtype=float)
    index = np.int32
    return SubTree(
        points, np.array([-1, 0, 0], index), np.array([0, 1, 1], index), np.array([1, 2, 3], index),
        np.array([1e-3, *radii]), np.array([1.0, 0.5, 0.5]), np.array([1, 2], index),
    )  # fmt: skip


def test_pressures_at_the_ends_by_hand():
    tree = fork((0.02, 0.05), (3e-4, 2e-4), trunk=0.01)
    flow = 1e-8
    trunk, a, b = 8.0 * VISCOSITY * np.array([0.01, 0.02, 0.05]) / (np.pi * np.array([1e-3, 3e-4, 2e-4]) ** 4)
    found = end_pressures(tree, VISCOSITY, root_flow=flow, root_pressure=12e3)
    np.testing.assert_allclose(found, 12e3 - flow * (trunk + 0.5 * np.array([a, b])), rtol=1e-12)


def test_a_tree_that_resists_too_much_is_widened_until_half_of_the_pressure_is_left():
    tree = fork((0.05, 0.05), (5e-5, 5e-5))
    levels = {"root_flow": 1e-8, "root_pressure": 12e3}
    wide = widened(tree, VISCOSITY, **levels, tissue_pressure=800.0)
    assert end_pressures(wide, VISCOSITY, **levels).min() == pytest.approx(12e3 - 0.5 * 11.2e3, rel=1e-9)
    np.testing.assert_allclose(wide.radius / tree.radius, (wide.radius / tree.radius)[0])
    roomy = fork((0.05, 0.05), (1e-3, 1e-3))
    assert widened(roomy, VISCOSITY, **levels, tissue_pressure=800.0) is roomy


def test_demand_moves_radii_and_territories_go_to_the_nearest_end(grown):
    _, tree = grown
    demand = np.ones(120)
    demand[0] = 50.0
    more = with_demand(tree, demand, 1e-3)
    assert more.radius[tree.terminals[0]] > 2.0 * tree.radius[tree.terminals[0]]
    with pytest.raises(ValueError, match="demands"):
        with_demand(tree, np.zeros(120), 1e-3)
    owner, end = nearest_terminal([tree, tree], tree.end_points[[3, 5]] + 1e-6)
    assert set(owner) <= {0, 1}
    np.testing.assert_array_equal(end, [3, 5])


def test_bad_clouds_are_refused():
    for points, weight in (
        (np.zeros((0, 3)), np.zeros(0)),
        (np.ones((2, 3)), np.zeros(2)),
        (np.full((1, 3), np.nan), np.ones(1)),
    ):
        with pytest.raises(ValueError, match="territory"):
            grow(np.zeros(3), points, weight, 3, root_radius=1e-3)
