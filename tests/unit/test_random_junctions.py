"""Nodes where random vessel ends meet: every one is solved, to the last digits."""

import numpy as np
import pytest

from haiflow.arteries.grid import make_grid
from haiflow.arteries.local_steps import same_step
from haiflow.arteries.plan import make_plan
from haiflow.arteries.simple import DENSITY, network
from haiflow.arteries.tree import Inlet, Outlet, Tree
from haiflow.kernels import kernel

STILL = Inlet("n1", "flow_rate", 1.0, np.zeros(1))


def star(rng: np.random.Generator, branches: int) -> Tree:
    """Vessels round node n0, their areas within 1 : 100, walls soft to stiff, a stenosis in every fifth."""
    radius = 6e-3 * 10.0 ** -rng.uniform(0.0, 1.0, branches)
    severity = np.where(rng.random(branches) < 0.2, rng.uniform(0.1, 0.95, branches), 0.0)
    links = [(0, k + 1) if rng.random() < 0.5 else (k + 1, 0) for k in range(branches)]
    outlets = {f"n{k}": Outlet(1e9) for k in range(2, branches + 1)}
    speed = rng.uniform(3.0, 15.0, branches)
    return network(links, np.full(branches, 0.05), radius, speed, STILL, outlets, severity=severity)


def arriving(rng: np.random.Generator, tree: Tree, fastest: float = 1.5) -> np.ndarray:
    """(ends, 2): pressure of -2 to 25 kPa, velocity either way, of half the wave speed of the softest at most."""
    ends = 2 * len(tree.vessels)
    return np.stack([rng.uniform(-2e3, 25e3, ends), rng.uniform(-fastest, fastest, ends)], axis=1)


def solved(tree: Tree, given: np.ndarray):
    grid = make_grid(tree)
    plan = make_plan(grid, same_step(grid, 400))
    state, head = np.zeros((len(given), 3)), np.zeros(len(tree.nodes))
    lost = kernel("blood1d").meet_at_nodes(
        state, head, given, plan.end_table, plan.node_table, plan.nodes.first, plan.nodes.ends, plan.nodes.kind,
        np.zeros(len(tree.nodes)), plan.alpha, DENSITY,
    )
    return plan, state, head, lost


def waves(plan, given: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each end at n0: dv/dq along the wave that leaves its vessel, and dh/dq over its part from pressure, without a
    loss: one at rest, zero in the critical state, negative beyond."""
    ends = plan.nodes.ends[plan.nodes.first[0] : plan.nodes.first[1]]
    table, (q, v, _) = plan.end_table[ends], state[ends].T
    c, u = table[:, 4] * np.sqrt(table[:, 2] + given[ends, 0] / table[:, 1]), given[ends, 1]
    slope = -4.0 * table[:, 4] * (np.sqrt(c * c + plan.alpha * (plan.alpha - 1.0) * u * u) - (plan.alpha - 1.0) * u) / c
    return slope, 1.0 + DENSITY * v * slope / (2.0 * table[:, 1] * q)


def residual(plan, given: np.ndarray, state: np.ndarray, head: float) -> tuple[float, int]:
    """Of the laws at n0, each against its largest part: sum of flow rates, one head, the wave that leaves.

    A vessel that can give no more (choked: its head cannot fall further, dh/dq = 0) stays above the node's head; the
    second value counts these.
    """
    ends = plan.nodes.ends[plan.nodes.first[0] : plan.nodes.first[1]]
    table, (q, v, flow) = plan.end_table[ends], state[ends].T
    loss = (table[:, 5] + table[:, 6] * np.abs(flow)) * flow
    heads = table[:, 1] * (q * q - table[:, 2]) + 0.5 * DENSITY * v * v - loss
    parts = np.stack([table[:, 1] * q * q, 0.5 * DENSITY * v * v, np.abs(loss)])
    s_in = np.sqrt(table[:, 2] + given[ends, 0] / table[:, 1])
    slope, rises = waves(plan, given, state)
    wave = v - slope * q - (given[ends, 1] - slope * s_in)
    critical = np.abs(rises) <= 1e-9
    off = np.where(critical, np.maximum(head - heads, 0.0), np.abs(heads - head)) / parts.max()
    laws = (abs(flow.sum()) / np.abs(flow).max(), off.max(), np.abs(wave / (slope * s_in)).max())
    return float(max(*laws, np.abs(flow - v * q**4).max() / np.abs(flow).max())), int(critical.sum())


@pytest.mark.parametrize("branches", [2, 3, 4, 5, 6])
def test_every_junction_is_solved_to_the_last_digits(branches):
    rng = np.random.default_rng(branches)
    worst, reversing, choked = 0.0, 0, 0
    for _ in range(400):
        tree = star(rng, branches)
        given = arriving(rng, tree)
        plan, state, head, lost = solved(tree, given)
        found, critical = residual(plan, given, state, head[0])
        # The kernel tells of every node that it could not satisfy, and there is none but the choked ones.
        assert critical > 0 or lost == 0
        worst, choked = max(worst, found), choked + (critical > 0)
        ends = plan.nodes.ends[plan.nodes.first[0] : plan.nodes.first[1]]
        reversing += bool(np.any(state[ends, 2] * given[ends, 1] < 0.0))
    assert worst <= 1e-10
    assert reversing > 40
    assert choked < 60  # of 400: velocities go up to half the wave speed of the softest


@pytest.mark.parametrize("branches", [2, 3, 4, 6])
def test_no_vessel_gives_more_than_in_its_critical_state(branches):
    """Beyond it the same laws have a second root, in which the vessel empties faster than its waves can run: Newton's
    method finds it now and then where blood comes fast, and it is no state that a vessel can come to from inside."""
    rng = np.random.default_rng(branches)
    choked = 0
    for _ in range(400):
        tree = star(rng, branches)
        given = arriving(rng, tree, fastest=4.0)
        plan, state, head, lost = solved(tree, given)
        assert waves(plan, given, state)[1].min() >= -1e-9
        found, critical = residual(plan, given, state, head[0])
        assert found <= 1e-10
        assert critical > 0 or lost == 0
        choked += critical > 0
    assert 20 < choked < 200
