"""Second order where vessels of one network take steps of different length, with pulses that cross the nodes."""

from itertools import pairwise

import numpy as np
import pytest

from haiflow.arteries.grid import make_grid
from haiflow.arteries.local_steps import Steps
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import fork
from haiflow.arteries.state import at_rest
from haiflow.arteries.tree import Inlet, Outlet

PHASE = np.arange(400) / 400
PULSE = Inlet("n0", "flow_rate", 0.8, 3e-5 * np.exp(-(((PHASE - 0.25) / 0.06) ** 2)))


def marched(n: int, level: list[int]) -> PulsatileFlow:
    """A fork with ``n`` cells in each vessel, as fast as its level allows, 0.24 s after the start."""
    tree = fork([0.3, 0.3, 0.3], [3e-3, 2e-3, 2.2e-3], 13.0 / 2.0 ** np.array(level), PULSE, Outlet(3e8, 1e9, 1e-10),
                radius_end=np.array([2.8e-3, 1.8e-3, 2.0e-3]), velocity_profile=9.0)
    grid = make_grid(tree, 0.3 / n)
    steps = Steps(80 * n >> max(level), np.array(level, dtype=np.int32))
    flow = PulsatileFlow(tree, grid, at_rest(grid), steps=steps, threads=1)
    flow.advance(3 * steps.whole // 10)
    assert flow.steps.whole == steps.whole  # no step was halved on the way
    return flow


def apart(coarse: PulsatileFlow, fine: PulsatileFlow) -> np.ndarray:
    """L1 differences of area and flow rate between a grid and its refinement."""
    return np.array([
        np.mean(np.abs(getattr(fine, name).reshape(-1, 2).mean(axis=1) - getattr(coarse, name)))
        for name in ("area", "flow_rate")
    ])


@pytest.mark.parametrize("level", [[0, 0, 0], [2, 0, 1], [0, 1, 2], [1, 1, 0]])
def test_second_order_is_kept(level):
    errors = np.array([apart(*pair) for pair in pairwise(marched(n, level) for n in (40, 80, 160, 320))])
    order = np.log2(errors[:-1] / errors[1:])
    assert np.all(order[-1] >= 1.9), order
