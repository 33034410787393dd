"""The loop that carries tracers against motions and spreads that are known, in a box of distorted tetrahedra."""

from dataclasses import replace

import numpy as np
import pytest

from haiflow.kernels import kernel
from haiflow.mesh.extrude import extruded, region
from haiflow.verify.shapes import grid, jittered

tracers = kernel("tracers")


@pytest.fixture(scope="module")
def mesh():
    side = np.linspace(0.0, 1.0, 5)
    plane, triangles = grid(side, side)
    points, tetra = extruded(jittered(plane, 0.25), triangles, np.linspace(0.0, 1.0, 4) ** 1.3)
    return region(points, tetra, [("all", lambda c: np.ones(len(c), bool))])


def cell_of(mesh, x):
    corners = mesh.points[mesh.tetra]
    weights = 1.0 + np.einsum("kad,kad->ka", mesh.dual.shape, x - corners)
    return int(np.argmax(weights.min(axis=1)))


def carried(mesh, start, first, second=None, *, start_time=0.0, end=1.0, outlets=(0,), more=None, diffusivity=0.0,
            straying=0.0, share=0.2, marks=0, apart=0.05, most=100_000, members=1):  # fmt: skip
    """Places, patches and clocks of tracers that are carried from ``start`` (N, 3)."""
    d, n = mesh.dual, len(start)
    place, cell = np.array(start, float), np.array([cell_of(mesh, x) for x in start], np.int32)
    left, clock, state = np.full(n, -1, np.int32), np.full(n, start_time), np.arange(1, n + 1, dtype=np.uint64)
    trail, count = np.zeros((n, marks, 3)), np.zeros(n, np.int32)
    more = np.zeros((len(mesh.tetra), 4)) if more is None else more
    for member in range(members):
        tracers.carry(
            place, cell, left, clock, state, trail, count, end, start_time, first, first if second is None else second,
            more, more, mesh.points, mesh.tetra, d.shape, np.cbrt(6.0 * d.cell_volume), mesh.beyond,
            np.array(outlets, np.int32), diffusivity, straying, share, apart, most, member, members,
        )  # fmt: skip
    return place, left, clock, trail, count


def test_they_feel_the_velocity_between_two_times(mesh):
    still = np.zeros((len(mesh.points), 3))
    end = np.tile([0.4, 0.0, 0.0], (len(mesh.points), 1))
    place, *_ = carried(mesh, [[0.3, 0.5, 0.5]], still, end, start_time=2.0, end=3.0)
    assert place[0, 0] == pytest.approx(0.5, abs=1e-9)  # half of 0.4 m/s over a second; of fourth order, so exact


def test_they_go_straight_in_a_uniform_flow_and_leave_by_the_patch_ahead(mesh):
    patch = np.zeros(len(mesh.wall), np.int32)
    patch[mesh.points[mesh.wall].mean(axis=1)[:, 0] > 1 - 1e-9] = 1
    named = replace(mesh, patch=patch, names=("rest", "right"))
    velocity = np.tile([1.0, 0.0, 0.0], (len(mesh.points), 1))
    start = np.array([[0.1, 0.4, 0.6], [0.2, 0.8, 0.3]])
    place, left, clock, trail, count = carried(named, start, velocity, end=5.0, outlets=(0, 1), marks=50)
    assert left.tolist() == [1, 1]
    assert np.allclose(place[:, 1:], start[:, 1:], atol=1e-12)
    assert np.allclose(clock, [0.9, 0.8], atol=0.06)
    steps = np.diff(trail[0, : count[0], 0])
    assert np.all(steps > 0.05)


def turning(mesh):
    """Round the axis x = y = 0.5 once in 2 pi s: linear, so interpolated exactly."""
    x, y, _ = mesh.points.T - 0.5
    return np.column_stack([-y, x, np.zeros_like(x)])


def test_the_error_of_a_turn_falls_with_the_fourth_power_of_the_step(mesh):
    errors = []
    for share in (0.4, 0.2, 0.1):
        place, left, *_ = carried(mesh, [[0.7, 0.5, 0.4]], turning(mesh), end=2.0 * np.pi, share=share)
        assert left[0] == -1
        errors.append(np.linalg.norm(place[0] - [0.7, 0.5, 0.4]))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert np.all(orders > 3.6), orders
    assert errors[1] < 1e-4


def test_the_correction_of_a_cell_is_a_constant_and_a_stretch_from_its_middle(mesh):
    still, middle = np.zeros((len(mesh.points), 3)), mesh.points[mesh.tetra].mean(axis=1)
    cell, more = cell_of(mesh, [0.5, 0.5, 0.5]), np.zeros((len(mesh.tetra), 4))
    more[cell] = [0.01, 0.0, -0.02, 0.0]
    start = middle[cell] + [0.002, 0.0, 0.0]
    place, *_ = carried(mesh, [start], still, more=more)
    assert place[0] - start == pytest.approx([0.01, 0.0, -0.02], abs=1e-12)
    more[cell] = [0.0, 0.0, 0.0, 1.0]
    place, *_ = carried(mesh, [start], still, more=more)
    assert place[0] - middle[cell] == pytest.approx([0.002 * np.e, 0.0, 0.0], abs=1e-6)


def test_walls_throw_them_back(mesh):
    velocity = np.tile([0.3, 0.2, -0.1], (len(mesh.points), 1))
    place, left, clock, *_ = carried(mesh, np.random.default_rng(1).uniform(0.05, 0.95, (50, 3)), velocity, end=20.0)
    assert np.all(left == -1)
    assert np.all(clock == 20.0)
    assert place.min() > -1e-9
    assert place.max() < 1.0 + 1e-9


def test_molecules_spread_by_the_square_root_of_time(mesh):
    still, count = np.zeros((len(mesh.points), 3)), 2000
    for diffusivity, time in ((1e-3, 1.0), (1e-3, 4.0), (4e-3, 1.0)):
        place, *_ = carried(mesh, np.full((count, 3), 0.5), still, diffusivity=diffusivity, end=time)
        assert place.mean(axis=0) == pytest.approx(0.5, abs=4.0 * np.sqrt(2.0 * diffusivity * time / count))
        assert place.var(axis=0) == pytest.approx(2.0 * diffusivity * time, rel=0.15)


def test_molecules_fill_a_closed_box_evenly(mesh):
    still = np.zeros((len(mesh.points), 3))
    place, left, *_ = carried(mesh, np.full((1500, 3), 0.5), still, diffusivity=0.1, end=3.0)
    assert np.all(left == -1)
    for axis in range(3):
        share = np.histogram(place[:, axis], 5, (0.0, 1.0))[0] / 1500
        assert share == pytest.approx(0.2, abs=0.045)


def test_straying_is_a_share_of_a_cell_on_a_cells_length():
    """Its variance is that share squared, times a cell, times the way: whatever the speed."""
    side = np.linspace(0.0, 1.0, 11)
    plane, triangles = grid(side, side)
    mesh = region(*extruded(plane, triangles, side), [("all", lambda c: np.ones(len(c), bool))])
    size = float(np.cbrt(6.0 * mesh.dual.cell_volume).mean())
    start = np.tile([0.1, 0.5, 0.5], (1500, 1))
    for speed in (0.6, 0.06):
        velocity = np.tile([speed, 0.0, 0.0], (len(mesh.points), 1))
        place, *_ = carried(mesh, start, velocity, straying=0.2, end=0.6 / speed)
        assert place[:, 0].mean() == pytest.approx(0.7, abs=0.01)
        assert place[:, 1:].var(axis=0) == pytest.approx(0.2**2 * size * 0.6, rel=0.15)


def test_a_team_carries_them_to_the_same_places(mesh):
    start = np.random.default_rng(2).uniform(0.2, 0.8, (9, 3))
    one, two = (carried(mesh, start, turning(mesh), straying=0.1, diffusivity=1e-4, members=k)[0] for k in (1, 3))
    assert np.array_equal(one, two)
    assert np.abs(one - start).max() > 0.01


def test_one_that_was_ahead_waits_and_one_that_was_late_goes_on(mesh):
    velocity = np.tile([0.1, 0.0, 0.0], (len(mesh.points), 1))
    place, _, clock, *_ = carried(mesh, [[0.3, 0.5, 0.5]], velocity, end=2.0, most=1)
    assert 0.0 < clock[0] < 2.0
    assert place[0, 0] == pytest.approx(0.3 + 0.1 * clock[0], abs=1e-12)
    place, _, clock, *_ = carried(mesh, [[0.3, 0.5, 0.5]], velocity, start_time=3.0, end=2.0)
    assert clock[0] == 3.0
    assert place[0, 0] == 0.3
