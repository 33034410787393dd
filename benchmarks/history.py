"""Keeps every run's figures: a line a figure in ``history.csv``, as a ratio to what was asked in the same run.

Ratios outlive the machine that they were taken on; how busy it was stands beside them, since times by the clock say too
much under load. Only figures that something was asked of are kept.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.table import Row

FILE = Path(__file__).with_name("history.csv")
ROOT = FILE.parents[1]
COLUMNS = ("time", "haiflow", "commit", "processor", "cores", "kernels", "load", "what", "asked", "ratio", "ok")


def append(rows: Iterable[Row], machine: Mapping[str, object], load: float, file: Path = FILE) -> int:
    """Adds the rows that have a limit; returns how many. ``ratio`` is reached over asked."""
    kept = [row for row in rows if row.ratio is not None]
    head = not file.exists() or file.stat().st_size == 0
    about = [machine["time"], machine["haiflow"], commit(), machine["processor"], machine["cores"], machine["kernels"]]
    with file.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if head:
            writer.writerow(COLUMNS)
        for row in kept:
            writer.writerow([*about, f"{load:.1f}", row.what, row.asked, f"{row.ratio:.4g}", row.verdict])
    return len(kept)


def commit() -> str:
    """The commit that was measured, with a + where files have been changed since; empty where git cannot tell."""
    if shutil.which("git") is None:
        return ""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip()
