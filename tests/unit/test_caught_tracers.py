"""Tracers that run against a wall are put back into the blood: none stays before the crotch of two branches."""

import numpy as np
import pytest

from haiflow.junction import tracers as room
from haiflow.junction.tracers import Tracers
from haiflow.verify.shapes import duct


def still(region, place, cell):
    n = len(place)
    return Tracers(region, place.copy(), cell.astype(np.int32), np.zeros(n, np.int32), np.ones(n),
                   np.full(n, -1, np.int32), np.zeros(n), np.zeros((n, 0, 3)), np.zeros(n, np.int32))  # fmt: skip


def moving(region):
    """(n,) points off the walls."""
    walls = [region.on(name) for name in ("vessel", "hole:tip")]
    free = np.ones(len(region.points), bool)
    free[np.concatenate(walls)] = False
    return free


def coordinates(region, place, cell):
    away = np.einsum("kad,kd->ka", region.dual.shape[cell], place - region.points[region.tetra[cell, 0]])
    away[:, 0] += 1.0
    return away


def test_those_at_a_wall_come_into_the_blood_and_others_stay():
    region = duct(("a", "b"))
    flows = moving(region)
    number = flows[region.tetra].sum(axis=1)
    cell = np.concatenate([np.flatnonzero(number == k)[:20] for k in (0, 1, 4)])
    weight = np.where(flows[region.tetra[cell]], 1e-6, 1.0)  # as near to the wall as the cell lets them
    weight /= weight.sum(axis=1, keepdims=True)
    place = np.einsum("ka,kad->kd", weight, region.points[region.tetra[cell]])
    found = still(region, place, cell)
    assert (number[cell] == 0).sum() > 0  # cells with all corners on walls are among them
    assert found.free(flows) == (number[cell] < 4).sum()
    inside = coordinates(region, found.place, found.cell)
    assert inside.min() > -1e-9
    out = (inside * flows[region.tetra[found.cell]]).sum(axis=1) > room.CAUGHT
    assert np.all(out[number[cell] > 0])
    assert np.mean(out) > 0.8  # a cell locked in by its like takes one more step
    found.free(flows)
    assert found.free(flows) == 0
    free = number[cell] == 4
    assert np.array_equal(found.place[free], place[free])
    assert 0.0 < np.linalg.norm(found.place - place, axis=1).max() < 1e-3  # no farther than a cell


def test_a_thread_that_is_blown_against_the_wall_goes_on_with_the_blood():
    """Blood along a duct with a little of it towards the wall, where the flow itself would have none: all leave by the
    duct's end, of which a third would stay on the wall."""
    region = duct(("a", "b"))
    flows = moving(region)
    velocity = np.where(flows[:, None], [0.1, 0.0, 0.01], 0.0)
    velocity[region.on("b"), 0] = 0.1
    x, y, _ = region.points[region.tetra].mean(axis=1).T
    cell = np.flatnonzero((np.abs(x) < 0.5e-3) & (np.abs(y - 1.5e-3) < 0.5e-3))
    found = still(region, region.points[region.tetra[cell]].mean(axis=1), cell)
    for turn in range(40):
        found.carry(0.1 * turn, 0.1 * (turn + 1), velocity, velocity, ("a", "b"))
    assert found.shares(1, ("a", "b"))[0] == pytest.approx([0.0, 1.0, 0.0], abs=0.02)
