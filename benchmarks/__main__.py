"""``python -m benchmarks``: one table ``what | asked | reached | ok`` of every figure, and the same as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks.cases import ROOT
from benchmarks.history import append
from benchmarks.table import Row, as_text

GROUPS = ("books", "blood", "line", "pump", "kernel_blood1d", "trees", "liver", "junction", "batches", "commands")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; all when left out")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "benchmarks" / "results" / "latest.json")
    parser.add_argument("-t", "--tests", action="store_true", help="time the default tests too (minutes)")
    parser.add_argument("--history", action="store_true", help="add the figures, as ratios, to benchmarks/history.csv")
    given = parser.parse_args()
    if wrong := set(given.groups) - set(GROUPS):
        parser.error(f"no group {', '.join(sorted(wrong))}; there are {', '.join(GROUPS)}")
    return given


def measured(groups: list[str], tests: bool) -> Iterator[Row]:
    """All rows, group by group; says on standard error where it is."""
    for group in groups:
        begun = time.perf_counter()
        yield from rows_of(group)
        print(f"{group}: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    if tests:
        yield from import_module("benchmarks.commands").test_rows()


def rows_of(group: str) -> Iterator[Row]:
    """A group's rows; one that breaks down is a row that fails, and the other groups go on."""
    try:
        yield from import_module(f"benchmarks.{group}").rows()
    except Exception as error:
        traceback.print_exc()
        yield Row(f"{group}: the rest of this group", "", f"{type(error).__name__}: {error}"[:120], False)


def machine() -> dict[str, object]:
    """What the times were taken on, and how busy it was."""
    import haiflow
    from haiflow.kernels import LEVEL

    return {
        "haiflow": haiflow.__version__,
        "python": platform.python_version(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "kernels": LEVEL,
        "load": list(os.getloadavg()),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def main() -> int:
    given = arguments()
    before = machine()
    rows = list(measured(given.groups or list(GROUPS), given.tests))
    print(as_text(rows))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": before | {"load_at_end": list(os.getloadavg())}, "rows": [asdict(row) for row in rows]}
    given.output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if given.history:
        append(rows, before, max(before["load"][0], os.getloadavg()[0]))
    missed = [row for row in rows if row.ok is False]
    print(f"\n{len(rows)} figures, {len(missed)} missed; {before['processor']}, {before['cores']} cores, "
          f"load {before['load'][0]:.1f} to {os.getloadavg()[0]:.1f}")  # fmt: skip
    if os.getloadavg()[0] > (os.cpu_count() or 1):
        print("The machine was busy with other things: times by the clock say too much.")
    print(given.output)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
