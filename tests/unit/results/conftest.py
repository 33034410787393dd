"""The made-up run that the tests of results and report share."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from haiflow.results import Results


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("haiflow_sample_results", Path(__file__).with_name("sample.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    """The module that makes the run: ``sample.make()`` whole, ``sample.bare()`` with arteries only."""
    return _load()


@pytest.fixture
def results(sample: ModuleType) -> Results:
    return sample.make()
