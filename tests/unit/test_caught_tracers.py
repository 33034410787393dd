"""Tracers at walls: the blood's speed towards them, who is caught and put back, and who is left alone."""

import numpy as np
import pytest

from haiflow.junction import tracers as room
from haiflow.junction.near_wall import NearWall
from haiflow.junction.tracers import Tracers
from haiflow.mesh.extrude import extruded, region
from haiflow.verify.shapes import duct, grid


def still(mesh, place, cell):
    n = len(place)
    return Tracers(mesh, place.copy(), cell.astype(np.int32), np.zeros(n, np.int32), np.ones(n),
                   np.full(n, -1, np.int32), np.zeros(n), np.zeros((n, 0, 3)), np.zeros(n, np.int32))  # fmt: skip


def moving(mesh):
    """(n,) points off the walls."""
    walls = [mesh.on(name) for name in ("vessel", "hole:tip")]
    free = np.ones(len(mesh.points), bool)
    free[np.concatenate(walls)] = False
    return free


def coordinates(mesh, place, cell):
    away = np.einsum("kad,kd->ka", mesh.dual.shape[cell], place - mesh.points[mesh.tetra[cell, 0]])
    away[:, 0] += 1.0
    return away


def box(n=8, layers=4):
    """Of 1 m a side, its floor a wall."""
    side = np.linspace(0.0, 1.0, n + 1)
    points, tetra = extruded(*grid(side, side), np.linspace(0.0, 1.0, layers + 1))
    return region(points, tetra, [("floor", lambda c: c[:, 2] < 1e-9), ("out", lambda c: c[:, 2] > 1.0 - 1e-9),
                                  ("side", lambda c: np.ones(len(c), bool))])  # fmt: skip


def at_walls(mesh, flows, each=20):
    """Places as near to the walls as cells let them, and their cells: with no, one, and four moving corners."""
    number = flows[mesh.tetra].sum(axis=1)
    cell = np.concatenate([np.flatnonzero(number == k)[:each] for k in (0, 1, 4)])
    weight = np.where(flows[mesh.tetra[cell]], 1e-6, 1.0)
    weight /= weight.sum(axis=1, keepdims=True)
    return np.einsum("ka,kad->kd", weight, mesh.points[mesh.tetra[cell]]), cell, number[cell]


def test_those_that_do_not_move_on_at_a_wall_come_into_the_blood_and_others_stay():
    mesh = duct(("a", "b"))
    flows = moving(mesh)
    place, cell, number = at_walls(mesh, flows)
    found, wall = still(mesh, place, cell), NearWall(mesh, flows)
    assert (number == 0).sum() > 0  # cells with all corners on walls are among them
    assert found.free(wall) == (number == 0).sum()  # at the first look there is no telling who is caught
    assert found.free(wall) == (number == 1).sum()
    inside = coordinates(mesh, found.place, found.cell)
    assert inside.min() > -1e-9
    assert np.all((inside * flows[mesh.tetra[found.cell]]).sum(axis=1) > room.CAUGHT)
    assert np.array_equal(found.place[number == 4], place[number == 4])
    assert 0.0 < np.linalg.norm(found.place - place, axis=1).max() < 1e-3  # no farther than a cell or two
    assert found.free(wall) == 0


def test_one_that_slides_along_a_wall_is_not_pushed_off_it():
    mesh = box()
    flows = mesh.points[:, 2] > 1e-9
    at = np.column_stack([np.linspace(0.1, 0.5, 9), np.full(9, 0.3), np.full(9, 1e-3)])
    cell = np.array([np.argmax(coordinates(mesh, np.tile(x, (len(mesh.tetra), 1)), np.arange(len(mesh.tetra))).min(1))
                     for x in at])  # fmt: skip
    found = still(mesh, at, cell)
    velocity = np.where(flows[:, None], [1.0, 0.0, 0.0], 0.0)
    for turn in range(4):
        found.carry(5.0 * turn, 5.0 * (turn + 1), velocity, velocity, ())
    assert found.place[:, 2] == pytest.approx(1e-3, rel=1e-6)
    assert found.place[:, 0] - at[:, 0] == pytest.approx(20.0 * 1e-3 / 0.25, rel=1e-6)


def test_the_speed_towards_a_wall_falls_with_the_square_of_the_distance():
    """Blood that sinks to a floor at 1 m/s a cell's height h above it: dz/dt = -(z / h)^2, z = h / (h / z0 + t / h).

    With a speed linear in z it would be z0 exp(-t / h)."""
    mesh = box()
    flows = mesh.points[:, 2] > 1e-9
    wall = NearWall(mesh, flows)
    low = np.isclose(mesh.points[:, 2], 0.25)
    assert np.allclose(wall.normal[low], [0.0, 0.0, 1.0])
    assert not wall.normal[~low].any()
    velocity = np.where(flows[:, None], [0.0, 0.0, -1.0], 0.0)
    place, time = np.array([[0.52, 0.55, 0.125], [0.31, 0.72, 0.2]]), 20.0
    cell = np.array([np.argmax(coordinates(mesh, np.tile(x, (len(mesh.tetra), 1)), np.arange(len(mesh.tetra))).min(1))
                     for x in place])  # fmt: skip
    found = still(mesh, place, cell)
    found.carry(0.0, time, velocity, velocity, ())
    wanted = 0.25 / (0.25 / place[:, 2] + time / 0.25)
    assert found.place[:, 2] == pytest.approx(wanted, rel=0.06)  # by steps of a quarter of it at most
    assert found.place[:, :2] == pytest.approx(place[:, :2], abs=1e-9)


def test_out_of_a_dead_corner_there_is_one_way_and_no_turning_back():
    """Blood that moves above z = 0.75 only: cells three deep have all their corners still, and so have their
    neighbours. All go to where it moves at once, by the fewest faces."""
    mesh = box(layers=8)
    wall = NearWall(mesh, mesh.points[:, 2] > 0.74)
    cell = np.flatnonzero(mesh.points[mesh.tetra].mean(axis=1)[:, 2] < 0.3)
    found = still(mesh, mesh.points[mesh.tetra[cell]].mean(axis=1), cell)
    assert np.array_equal(wall.nearest[wall.nearest], wall.nearest)
    assert found.free(wall) == len(cell)
    assert np.all(wall.moving[mesh.tetra[found.cell]].any(axis=1))
    assert coordinates(mesh, found.place, found.cell).min() > 0.2
    assert found.free(wall) == 0
    nowhere = NearWall(mesh, np.zeros(len(mesh.points), bool))
    assert np.all(nowhere.nearest == -1)
    lost = still(mesh, found.place, cell)
    assert lost.free(nowhere) == lost.free(nowhere) == 0


def test_one_that_is_caught_again_is_put_farther_off_the_wall():
    mesh = box(layers=8)
    wall = NearWall(mesh, mesh.points[:, 2] > 1e-9)
    assert wall.depth == pytest.approx(8.0 * mesh.points[:, 2])
    cell = np.flatnonzero(wall.flows[mesh.tetra].sum(axis=1) == 1)[:5]
    place = mesh.points[mesh.tetra[cell]].mean(axis=1) - [0.0, 0.0, 0.03]
    found, height = still(mesh, place, cell), []
    assert found.free(wall) == 0
    for _ in range(4):
        found.place[:], found.cell[:] = place, cell  # the blood takes it there again
        found.seen = place.copy()
        assert found.free(wall) == len(cell)
        assert coordinates(mesh, found.place, found.cell).min() > 0.0
        height.append(found.place[:, 2].copy())
    assert np.all(np.diff(height, axis=0) > 0.0)
    assert height[-1].max() < 0.5


def test_one_that_is_late_goes_on_with_the_first_velocity():
    """It used up its steps in an earlier call, three intervals ago: no velocity is told from before the interval."""
    mesh = box()
    first, second = (np.tile([0.0, 0.0, speed], (len(mesh.points), 1)) for speed in (0.01, 0.11))
    cell = np.flatnonzero(mesh.points[mesh.tetra].mean(axis=1)[:, 2] < 0.2)[:1]
    place = mesh.points[mesh.tetra[cell]].mean(axis=1)
    found = still(mesh, place, cell)
    found.carry(3.0, 4.0, first, second, ())
    assert found.place[0, 2] - place[0, 2] == pytest.approx(3.0 * 0.01 + 0.06, rel=0.02)
    assert found.clock[0] == pytest.approx(4.0)


def test_no_velocity_is_told_from_outside_a_cell():
    """One whose cell lies too far off to be walked from: it is in a cell all the same, and no faster than the blood."""
    side = np.array([0.0, 1.0])
    points, tetra = extruded(*grid(side, side), np.linspace(0.0, 400.0, 401))
    mesh = region(points, tetra, [("side", lambda c: np.ones(len(c), bool))])
    velocity = np.tile([0.0, 0.0, 1.0], (len(points), 1)) * points[:, 2:] / 400.0  # one at most
    far = np.argmax(mesh.points[mesh.tetra].mean(axis=1)[:, 2])
    near = np.argmin(mesh.points[mesh.tetra].mean(axis=1)[:, 2])
    found = still(mesh, mesh.points[mesh.tetra[[far]]].mean(axis=1), np.array([near]))
    found.carry(0.0, 1.0, velocity, velocity, ())
    assert coordinates(mesh, found.place, found.cell).min() > -1e-9
    assert found.clock[0] == 1.0


def test_a_thread_that_is_blown_against_the_wall_goes_on_with_the_blood():
    """Blood along a duct with a little of it towards the wall, where the flow itself would have none: all leave by the
    duct's end, of which a third would stay on the wall."""
    mesh = duct(("a", "b"))
    flows = moving(mesh)
    velocity = np.where(flows[:, None], [0.1, 0.0, 0.01], 0.0)
    velocity[mesh.on("b"), 0] = 0.1
    x, y, _ = mesh.points[mesh.tetra].mean(axis=1).T
    cell = np.flatnonzero((np.abs(x) < 0.5e-3) & (np.abs(y - 1.5e-3) < 0.5e-3))
    found = still(mesh, mesh.points[mesh.tetra[cell]].mean(axis=1), cell)
    for turn in range(40):
        found.carry(0.1 * turn, 0.1 * (turn + 1), velocity, velocity, ("a", "b"))
    assert found.shares(1, ("a", "b"))[0] == pytest.approx([0.0, 1.0, 0.0], abs=0.02)
