"""The catheter: scales at basal rate, dispersion, leaks and occlusions, by the cases of ``haiflow verify``."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cases import of_case
from benchmarks.table import Row

CASES = ("basal", "residence", "front", "leak", "leak-all", "charging-by-steps", "tip-closed")


def rows() -> Iterator[Row]:
    for name in CASES:
        yield from of_case(f"catheter/{name}")
