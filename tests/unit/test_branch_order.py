"""Trees numbered by branches: the same tree, and threads that have little in common."""

from dataclasses import replace

import numpy as np
import pytest

from haiflow.arteries.branch_order import OF_VESSELS, branch_order, by_branches
from haiflow.arteries.grid import make_grid
from haiflow.arteries.local_steps import same_step, share_out
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import binary_tree, murray_tree, network, pulsating
from haiflow.arteries.tree import CLOSED, Outlet

BED = Outlet(3e8, 2e9, 1e-10)


def generations(vessels=77):
    """Numbered by generations, every array of vessels different from vessel to vessel."""
    tree = murray_tree(vessels, pulsating(80e-6, 1.0), total_length=0.1 * vessels)
    own = {name: np.linspace(0.0, 0.5, vessels) + 0.01 * k for k, name in enumerate(OF_VESSELS[5:])}
    own["loss_linear"], own["loss_quadratic"] = 1e6 * own["loss_linear"], 1e10 * own["loss_quadratic"]
    own["wall_viscosity"] = None
    return replace(tree, position=np.random.default_rng(0).uniform(size=(vessels + 1, 3)), **own)


def test_every_vessel_and_node_keeps_what_it_has():
    tree = generations()
    found = by_branches(tree)
    assert found.vessels != tree.vessels
    assert sorted(found.vessels) == sorted(tree.vessels)
    for v, name in enumerate(tree.vessels):
        w = found.vessel(name)
        assert tree.nodes[tree.start[v]] == found.nodes[found.start[w]]
        assert tree.nodes[tree.end[v]] == found.nodes[found.end[w]]
        for key in OF_VESSELS:
            values = getattr(tree, key)
            assert values is None or values[v] == getattr(found, key)[w]
    for n, name in enumerate(tree.nodes):
        assert np.array_equal(tree.position[n], found.position[found.node(name)])
    assert by_branches(found).vessels == found.vessels


def test_a_branch_lies_together():
    """All that lies behind a vessel follows it at once."""
    tree = by_branches(generations(31))
    behind = np.ones(31, dtype=int)
    for v in range(30, -1, -1):
        for w in np.flatnonzero(tree.start == tree.end[v]):
            behind[v] += behind[w]
    for v in range(31):
        inside = {int(tree.end[v])}
        for w in range(v + 1, v + behind[v]):
            assert int(tree.start[w]) in inside
            inside.add(int(tree.end[w]))


def test_loops_and_vessels_that_lead_backwards_have_an_order_too():
    ones = np.ones(5)
    ring = [(0, 1), (2, 1), (1, 3), (2, 4), (3, 4)]
    tree = network(ring, 0.02 * ones, 1e-3 * ones, 8.0 * ones, pulsating(1e-6), {"n4": CLOSED})
    vessels, nodes = branch_order(tree)
    assert sorted(vessels) == list(range(5))
    assert sorted(nodes) == list(range(5))


def test_the_blood_does_not_know_the_numbers():
    tree = generations()
    flows = [PulsatileFlow(each, make_grid(each, 0.03), threads=1) for each in (tree, by_branches(tree))]
    for flow in flows:
        flow._march(200, record=False, n_samples=0)
    one, two = flows
    order = [one.tree.vessel(name) for name in two.tree.vessels]
    volume = [
        [flow.area[flow.grid.offset[v] : flow.grid.offset[v + 1]].sum() for v in range(77)] for flow in flows
    ]
    np.testing.assert_allclose(np.array(volume[0])[order], volume[1], rtol=1e-10)


@pytest.mark.parametrize("threads", [2, 4])
def test_threads_pass_memory_to_each_other_in_few_places(threads):
    """Where cells change hands, and nodes at which threads meet: few by branches, many by generations."""
    tree, places = binary_tree(255, 0.02, pulsating(6e-6), BED), []
    for each in (tree, by_branches(tree)):
        grid = make_grid(each, 2e-3)
        shares = share_out(grid, same_step(grid, 200), threads, whole_vessels=False)
        owner, edges = np.full(grid.n_faces, -1), shares.block_range[0, ::2]
        for thread in range(threads):
            for first, last, _, _ in shares.block[edges[thread] : edges[thread + 1]]:
                owner[first : last + 1] = thread
        met = shares.node_range[0, 1::2] - shares.node_range[0, :-1:2]
        places.append(np.count_nonzero(np.diff(owner[owner >= 0])) + int(met.sum()))
    assert places[1] <= 5 * threads
    assert 2 * places[1] <= places[0]
