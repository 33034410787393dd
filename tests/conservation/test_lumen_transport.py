"""The lumen's books and bounds: random flows of either sign, holes, swelling, blocked lines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haiflow.catheter.lumen import LumenTransport


class Lines:
    """A random line with three holes (the first is the open end) and random consistent steps."""

    def __init__(self, seed, n):
        self.rng = np.random.default_rng(seed)
        self.n = n
        self.dx, self.area = self.rng.uniform(0.5e-2, 1e-2, n), self.rng.uniform(1e-7, 5e-7, n)
        self.volume = self.area * self.dx
        self.cells = np.array([n - 1, *self.rng.integers(0, n, 2)], np.int32)

    def step(self, dt):
        """face_flow, volume_start, volume_end, hole_flow of a random step; volumes move by a tenth at most."""
        holes = self.rng.uniform(-1e-11, 2e-11, 3) * (self.rng.random(3) < 0.8)
        start = self.volume
        end = self.area * self.dx * self.rng.uniform(0.95, 1.05, self.n)
        side = np.bincount(self.cells[1:], holes[1:], self.n)
        entered = self.rng.choice([-1e-10, 0.0, 3e-11, 1e-9])
        flow = np.concatenate([[entered], entered - np.cumsum((end - start) / dt + side)])
        holes[0] = flow[-1]
        self.volume = start - dt * np.diff(flow) - dt * side
        return flow, start, self.volume, holes


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.sampled_from([1e-3, 30.0, 3600.0]))
def test_constant_stays_and_mass_closes(seed, n, dt):
    lines = Lines(seed, n)
    c = lines.rng.uniform(0.0, 1.0, (2, n))
    c[0] = 0.7
    lumen = LumenTransport(lines.dx, lines.area, 2, np.array([7e-10, 1e-9]), concentration=c)
    before, throughput, net = lumen.mass(lines.volume), lumen.mass(lines.volume), np.zeros(2)
    for _ in range(12):
        flow, start, end, holes = lines.step(dt)
        outside = np.array([[0.7, 0.7, 0.7], [0.0, 0.5, 1.0]])
        did = lumen.advance(dt, flow, start, end, lines.cells, holes, np.array([0.7, 0.2]), outside, 0)
        net += did.inlet_mass - did.hole_mass.sum(axis=1)
        throughput += np.abs(did.inlet_mass) + np.abs(did.hole_mass).sum(axis=1)
    assert np.abs(lumen.c[0] / 0.7 - 1.0).max() <= 1e-12
    assert np.abs(lumen.mass(lines.volume) - before - net).max() <= 1e-12 * throughput.max()
    assert 0.0 <= lumen.c.min() <= lumen.c.max() <= 1.0 + 1e-13


def uniform(n=30):
    return LumenTransport(np.full(n, 0.5 / n), np.full(n, 2.8e-7), 1, np.array([7e-10])), np.full(n, 2.8e-7 * 0.5 / n)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_a_cell_that_a_hole_drains_stays_within_bounds(share):
    """All of the cell's volume goes in the step, the ``share`` by its hole: in one step its value would overshoot."""
    n, at, dt = 6, 3, 10.0
    lumen, volume = uniform(n)
    lumen.c[0] = [1.0, 1.0, 1.0, 0.9, 0.0, 0.0]
    through = volume[0] / dt
    flow = np.where(np.arange(n + 1) <= at, through, (1.0 - share) * through)
    cells, holes = np.array([n - 1, at], np.int32), np.array([flow[-1], share * through])
    did = lumen.advance(dt, flow, volume, volume, cells, holes, np.array([1.0]), np.zeros((1, 2)), 0)
    assert did.sub_steps == 2  # three quarters of a volume at most
    assert 0.0 <= lumen.c.min() <= lumen.c.max() <= 1.0 + 1e-14


def closed(lumen, volume, flow, holes, cells, dt=1000.0, tip=None, inflow=1.0):
    none = np.zeros((1, len(cells)))
    return lumen.advance(dt, flow, volume, volume, np.array(cells, np.int32), holes, np.array([inflow]), none, tip)


def test_a_blocked_line_only_diffuses():
    lumen, volume = uniform()
    lumen.c[0, :15] = 1.0
    for _ in range(50):
        closed(lumen, volume, np.zeros(31), np.zeros(1), [29], dt=1e4, tip=0)
    assert lumen.c @ volume == pytest.approx(15 * volume[0], rel=1e-13, abs=0.0)
    assert np.all(np.diff(lumen.c[0]) <= 1e-15)
    spread = 2.0 * 7e-10 * 50 * 1e4  # variance 2 D t of the step's smearing
    x = (np.arange(30) + 0.5) * 0.5 / 30
    density = -np.diff(lumen.c[0])
    middle = 0.5 * (x[1:] + x[:-1])
    assert np.sum(density * (middle - 0.25) ** 2) == pytest.approx(spread, rel=0.01, abs=0.0)


def test_blood_runs_backwards_to_a_leak():
    """A leak in cell 5 takes the infusate and draws blood in by the tip; both mix in the leak's cell only."""
    lumen, volume = uniform()
    lumen.c[:] = 1.0
    flow = np.where(np.arange(31) <= 5, 2e-11, -6e-11)
    leak = np.array([-6e-11, 8e-11])
    for _ in range(20):
        out = closed(lumen, volume, flow, leak, [29, 5], tip=0)
    assert np.abs(lumen.c[0, :5] - 1.0).max() < 0.02
    assert np.abs(lumen.c[0, 10:]).max() < 1e-8  # dispersion reaches upstream by a factor of 43 a cell
    assert out.hole_mass[0, 1] == pytest.approx(2e-11 * 1000.0, rel=1e-3, abs=0.0)
    assert out.hole_mass[0, 0] == 0.0


@pytest.mark.parametrize("mend", [
    {"flow": np.full(31, np.nan)}, {"holes": np.array([2e-11])}, {"flow": np.full(30, 1e-11)}, {"cells": [30]},
    {"dt": np.inf}, {"dt": -1.0}, {"inflow_shape": True},
])
def test_nonsense_is_refused_and_changes_nothing(mend):
    lumen, volume = uniform()
    lumen.c[:] = 0.3
    wrong = {"flow": np.full(31, 1e-11), "holes": np.array([1e-11]), "cells": [29], "dt": 10.0, "tip": 0} | mend
    if wrong.pop("inflow_shape", False):
        wrong["inflow"] = [1.0, 2.0]
    with pytest.raises(ValueError):
        closed(lumen, volume, wrong.pop("flow"), wrong.pop("holes"), wrong.pop("cells"), **wrong)
    assert np.all(lumen.c == 0.3)


def test_volumes_that_do_not_fit_the_flows_are_refused():
    lumen, volume = uniform()
    with pytest.raises(ValueError, match="do not fit"):
        lumen.advance(10.0, np.full(31, 1e-11), volume, volume * 1.01, np.array([29], np.int32), np.array([1e-11]),
                      np.ones(1), np.zeros((1, 1)), 0)
