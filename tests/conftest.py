"""What several folders of tests share: the examples, each run once a session."""

import signal
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


@pytest.fixture(scope="session", autouse=True)
def interrupts_are_heard():
    """A shell's background job ignores SIGINT, and so would every process that the tests start and interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
