"""The verification tests' own cases, so that the table and the tests measure one and the same thing."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

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
