"""The vessels between the tip and the node where a split hands its drug over: which they are, and what they carry."""

import numpy as np
import pytest

from haiflow.arteries.simple import network, pulsating
from haiflow.arteries.tree import Outlet
from haiflow.catheter.line import Tip
from haiflow.simulation.way import way_between

# v0 to v1 to v2, which parts into v3 and v4; v5 leaves where v1 begins.
LINKS = [(0, 1), (1, 2), (2, 3), (3, 4), (3, 5), (1, 6)]


@pytest.fixture
def tree():
    return network(LINKS, np.array([0.03, 0.02, 0.04, 0.02, 0.02, 0.05]), np.full(6, 2e-3), np.full(6, 7.0),
                   pulsating(5e-6), {f"n{k}": Outlet(1e9) for k in (4, 5, 6)})  # fmt: skip


def test_from_a_place_in_a_vessel_to_the_node_that_it_leads_to(tree):
    way = way_between(tree, Tip("v0", 0.012), "v3")
    assert way.vessels == {0: 0.012, 1: 0.0, 2: 0.0}
    assert way.branches == (3, 4)
    assert way_between(tree, Tip("v2", 0.03), "v4").vessels == {2: 0.03}


def test_from_an_ostium(tree):
    assert way_between(tree, Tip("v1", "ostium"), "v3").vessels == {1: 0.0, 2: 0.0}
    # The ostium of a branch is the node itself, and that of a vessel elsewhere is on no way to it.
    assert way_between(tree, Tip("v3", "ostium"), "v3").vessels == {}
    assert way_between(tree, Tip("v5", 0.01), "v3").vessels == {}
    assert way_between(tree, Tip("v4", 0.01), "v3").vessels == {}
    assert way_between(tree, Tip(None), "v3").vessels == {}


def test_what_the_branches_carry_has_come_by_the_way(tree):
    way = way_between(tree, Tip("v1", 0.005), "v3")
    carried = np.array([0.0, 0.0, 0.0, 3e-6, 2e-6, 0.5e-6])
    np.testing.assert_allclose(way.fill(carried), [0.0, 5e-6, 5e-6, 3e-6, 2e-6, 0.5e-6], rtol=1e-14)
    assert carried[1] == 0.0  # what is given stays as it was


def test_its_concentration_is_the_drug_over_the_blood_from_the_tip_on(tree):
    way = way_between(tree, Tip("v1", 0.005), "v3")
    carried = way.fill(np.array([0.0, 0.0, 0.0, 3e-6, 2e-6, 0.0]))
    at = np.array([0.0, 0.004, 0.005, 0.02])
    np.testing.assert_allclose(way.concentration(carried, 1, at, 1e-3), [0.0, 0.0, 5e-3, 5e-3], rtol=1e-14)
    np.testing.assert_allclose(way.concentration(carried, 2, at, 1e-3), 5e-3, rtol=1e-14)
    assert not way.concentration(carried, 3, at, 1e-3).any()
    assert not way.concentration(carried, 1, at, 0.0).any()
