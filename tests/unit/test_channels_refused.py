"""Networks, injections and fluxes that make no sense are refused before the kernel sees them."""

import numpy as np
import pytest

from haiflow.numerics.channels import Channels, ChannelTransport, Injections

TWO = {"first_cell": [0, 3, 6], "start_node": [0, 1], "end_node": [1, 2], "external": [0, -1, 1]}


@pytest.mark.parametrize(("change", "rule"), [
    ({"first_cell": [0, 3]}, "one entry more"), ({"end_node": [1]}, "one entry more"),
    ({"first_cell": [0, 1, 6]}, "two cells or more"), ({"first_cell": [1, 3, 6]}, "two cells or more"),
    ({"external": [0, -1, 1, 2]}, "every node needs a channel"), ({"end_node": [1, 3]}, "needs a channel"),
    ({"end_node": [1, 2], "external": [0, -1]}, "node that does not exist"),
])  # fmt: skip
def test_networks_that_cannot_be(change, rule):
    with pytest.raises(ValueError, match=rule):
        Channels(**{name: np.array(value) for name, value in {**TWO, **change}.items()})


def network():
    return Channels(**{name: np.array(value) for name, value in TWO.items()})


@pytest.mark.parametrize(("node", "cell", "split", "rule"), [
    ([1], [0, 1], np.zeros((1, 4)), "a node and a cell each"), ([3], [0], np.zeros((1, 4)), "outside the network"),
    ([1], [6], np.zeros((1, 4)), "outside the network"), ([1], [-1], np.zeros((1, 4)), "outside the network"),
    ([1], [0], np.array([[0.0, -0.1, 0.0, 0.0]]), "not negative"),
    ([1], [0], np.array([[0.0, 0.6, 0.5, 0.0]]), "sum to one at most"), ([1], [0], np.zeros((1, 3)), "split: shape"),
])  # fmt: skip
def test_injections_that_cannot_be(node, cell, split, rule):
    with pytest.raises(ValueError, match=rule):
        ChannelTransport(network(), Injections(np.array(node), np.array(cell), split))


def step(flux=1e-6, **change):
    given = {"c": np.zeros((1, 6)), "volume": np.full(6, 1e-6), "face_flux": np.full((1, 8), flux), "dt": 0.1}
    return ChannelTransport(network()).advance(**{**given, "external_concentration": np.ones((1, 2)), **change})


def test_steps_that_cannot_be():
    assert step()[0, 0] == pytest.approx(-1e-7, rel=1e-12, abs=0.0)  # what is sound goes through
    uneven = np.full((1, 8), 1e-6)
    uneven[0, 4:] = 2e-6
    with pytest.raises(ValueError, match="do not sum to zero: 1e-06"):
        step(face_flux=uneven)
    with pytest.raises(ValueError, match="do not sum to zero: nan"):
        step(flux=np.nan)
    unfed = np.full((1, 8), 1e-6)
    unfed[0, 0] = 0.0
    with pytest.raises(ValueError, match="step 0: the fluxes empty a cell"):
        step(face_flux=unfed, dt=2.0)
    with pytest.raises(ValueError, match="c: need a C-contiguous float64"):
        step(c=np.zeros((1, 6), dtype=np.float32))
    with pytest.raises(ValueError, match="external_concentration: shape"):
        step(external_concentration=np.ones((1, 3)))
