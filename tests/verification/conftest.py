"""A small whole chain for tests that look at one part of it: the one that the cases of ``haiflow verify`` use."""

import pytest

from haiflow.verify import small_chain


@pytest.fixture(scope="session")
def chain():
    """``chain(run__duration="1 d", liver=None)``: the chain's scenario with some keys set, or left out (None)."""
    return small_chain.chain


@pytest.fixture(scope="session")
def run():
    """Runs a scenario given as a dict; whatever else a test is about, the run is complete and its books close."""
    return small_chain.solved
