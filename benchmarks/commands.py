"""What a user waits for: the main job, ``--help``, ``check``; time by the clock, memory of the whole process tree."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases import ROOT
from benchmarks.table import Row, at_most

BASELINE = ROOT / "examples" / "baseline.yaml"
PROC = Path("/proc")


@dataclass(frozen=True, order=True)
class Memory:
    """Bytes of a process and all its descendants at one time."""

    resident: int = 0
    shared_once: int = 0
    processes: int = 0


@dataclass(frozen=True)
class Run:
    """Seconds by the clock and of all processors; the peak of memory where it was sampled."""

    wall: float
    processor: float
    memory: Memory


def rows(repeats: int = 5) -> Iterator[Row]:
    haiflow = str(Path(sys.executable).with_name("haiflow"))
    yield timed("haiflow --help", [haiflow, "--help"], 0.3, 2 * repeats)
    yield timed("haiflow check, baseline", [haiflow, "check", str(BASELINE)], 1.0, 2 * repeats)
    with tempfile.TemporaryDirectory() as folder:
        job = [haiflow, "run", str(BASELINE), "-o", f"{folder}/baseline", "--force", "--quiet"]
        yield timed("haiflow run, baseline: 28 days, pictures and report", job, 5.0, repeats)
        if PROC.joinpath("self", "smaps_rollup").exists():
            yield memory(job)


def memory(job: list[str]) -> Row:
    """Peak of all processes together: resident, and with the pages that they share counted once."""
    found = run(job, sample=True).memory
    note = f" ({found.shared_once / 1e6:.0f} with shared pages counted once, {found.processes} processes)"
    return at_most("the same: peak memory, all processes together", found.resident / 1e6, 700.0, " MB", note)


def test_rows() -> Iterator[Row]:
    """The default tests, as ``make test`` runs them."""
    done = run([sys.executable, "-m", "pytest", "-n", "2", "--dist", "worksteal"])
    yield at_most("default tests, two processes", done.wall / 60.0, 5.0, " min", f" ({os.getloadavg()[0]:.1f} load)")


def timed(what: str, command: list[str], limit: float, repeats: int) -> Row:
    """Median time of the command; the best and the processors' time tell how much of it was waiting for others."""
    run(command)  # once for the file system's cache
    runs = [run(command) for _ in range(repeats)]
    wall = statistics.median(each.wall for each in runs)
    best = min(each.wall for each in runs)
    processor = statistics.median(each.processor for each in runs)
    note = f" (best {best:.2f}, processor {processor:.2f}; {repeats} runs, load {os.getloadavg()[0]:.1f})"
    return at_most(f"{what}, median", wall, limit, " s", note)


def run(command: list[str], sample: bool = False) -> Run:
    """Run it to its end. Raises ``CalledProcessError`` where it fails: a time of a failure means nothing."""
    used, begun, peak = _processor_time(), time.perf_counter(), Memory()
    with tempfile.TemporaryFile() as said, subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said) as process:
        while sample and process.poll() is None:
            peak = max(peak, tree_memory(process.pid))
            time.sleep(0.02)
        code = process.wait()
        wall = time.perf_counter() - begun
        if code:
            said.seek(0)
            raise subprocess.CalledProcessError(code, command, stderr=said.read().decode(errors="replace")[-2000:])
    return Run(wall, _processor_time() - used, peak)


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def tree_memory(root: int) -> Memory:
    """Memory of a process and all its descendants, from the kernel's own books."""
    parents = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):  # it may have ended in the meantime
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    family = {root}
    while grown := {child for child, parent in parents.items() if parent in family and child not in family}:
        family |= grown
    books = [book for member in family if (book := _book(member))]
    return Memory(sum(book["Rss"] for book in books), sum(book["Pss"] for book in books), len(books))


def _book(process: int) -> dict[str, int]:
    """Bytes by the names of ``smaps_rollup``; empty for a process that has ended."""
    try:
        lines = (PROC / str(process) / "smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    return {line.split(":")[0]: 1024 * int(line.split()[1]) for line in lines}
