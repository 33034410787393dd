"""What several folders of tests share: the examples, each run once a session."""

from functools import cache
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="session")
def run_example():
    """``run_example("baseline")``: the example's results in memory, without pictures."""
    from haiflow.scenario.load import load
    from haiflow.simulation.run import run_scenario

    return cache(lambda name: run_scenario(load(EXAMPLES / f"{name}.yaml"), pictures=False))
