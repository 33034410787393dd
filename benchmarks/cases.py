"""The cases of ``haiflow verify`` and of the tests, so that the table and they measure one and the same thing."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

from benchmarks.table import Row

ROOT = Path(__file__).resolve().parents[1]


@cache
def case(path: str) -> ModuleType:
    """The test module ``tests/<path>.py``, loaded by its file: the tests are no package."""
    file = ROOT / "tests" / f"{path}.py"
    spec = importlib.util.spec_from_file_location(f"benchmarked_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def of_case(name: str) -> Iterator[Row]:
    """A row for each figure of the case ``group/name``; one that breaks is a row that fails."""
    from haiflow.verify.cases import chosen, one
    from haiflow.verify.table import interval

    outcome = one(*chosen([name], True)[0])
    if outcome.failure:
        yield Row(name, "an answer", outcome.failure, False)
    for figure in outcome.figures:
        wanted = interval(figure.low, figure.high)
        yield Row(f"{name}: {figure.quantity}", wanted, f"{figure.result:.5g}", figure.passed, figure.result)
