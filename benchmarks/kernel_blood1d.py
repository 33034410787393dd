"""Cost of the one-dimensional blood-flow kernel: nanoseconds per cell and whole time step (both stages), one core.

``measure()`` times the whole loop, nodes included, on 63 vessels of 65 cells (4095 cells) and of 17; the slope in the
number of cells is the cost of the cells, the rest that of the nodes. Beside it, in turns on the same core, runs a plain
C loop of the same scheme without nodes (``plain_blood1d.c``, 4095 cells, same flags), so that the ratio holds on a
machine that is busy with other things. Time is the thread's own, not the clock's. The build of the kernels is the one
in use (``HAIFLOW_KERNELS`` chooses).
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.cases import ROOT
from benchmarks.table import Row, at_most
from haiflow.arteries.grid import make_grid
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import binary_tree
from haiflow.arteries.tree import Inlet, Outlet
from haiflow.kernels import LEVEL

VESSELS = 63  # six generations
LARGE, SMALL = 65, 17  # cells in each
CELL, STEPS, REPEATS = 2e-3, 100, 60  # short runs: the best of many is one that nothing interrupted
FLAGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-shared", "-fPIC"]
MARCH = {"x86_64_v3": ["-march=x86-64-v3"], "portable": []}


def rows() -> Iterator[Row]:
    """The cost with each build, each in a process of its own."""
    for build, asked in (("x86_64_v3", 12.0), ("portable", 25.0)):
        try:
            found = in_process(build)
        except subprocess.CalledProcessError as error:
            yield Row(f"1D kernel, {build}", "", f"not to be had here: {error.stderr.strip()[-80:]}", None)
            continue
        yield from cost_rows(found, asked)


def cost_rows(found: dict[str, float], asked: float | None) -> Iterator[Row]:
    what = f"1D kernel, {found['build']}, one core, per cell and step"
    whole = found["ns_per_cell_step_with_nodes"]
    note = f" (with the nodes of {VESSELS} vessels {whole:.3g} ns)"
    if asked is None:
        yield Row(what, "", f"{found['ns_per_cell_step']:.3g} ns{note}", None, found["ns_per_cell_step"])
    else:
        yield at_most(what, found["ns_per_cell_step"], asked, " ns", note)
    if "plain_c_ns" in found:
        ratio = found["ns_per_cell_step"] / found["plain_c_ns"]
        reached = f"{ratio:.2f} times its {found['plain_c_ns']:.3g} ns"
        yield Row(f"1D kernel, {found['build']}, against a plain C loop", "", reached, None, ratio, 1.0)


def in_process(build: str) -> dict[str, float]:
    """:func:`measure` with one build of the kernels."""
    command = [sys.executable, "-m", "benchmarks.kernel_blood1d"]
    environment = os.environ | {"HAIFLOW_KERNELS": build}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def measure() -> dict[str, float | str | int]:
    """Nanoseconds per cell and step: the cells alone, the whole loop, the plain C loop; per vessel and step the nodes.

    Each is the least of several runs, taken in turns.
    """
    runs: dict[str, Callable[[], float]] = {"whole": _march(LARGE), "part": _march(SMALL)}
    plain = _plain(VESSELS * LARGE)
    if plain is not None:
        runs["plain"] = plain
    best = dict.fromkeys(runs, np.inf)
    for _ in range(REPEATS):
        best |= {name: min(best[name], run()) for name, run in runs.items()}
    cell = (best["whole"] - best["part"]) / (VESSELS * (LARGE - SMALL))
    found: dict[str, float | str | int] = {
        "build": LEVEL,
        "cells": VESSELS * LARGE,
        "ns_per_cell_step": 1e9 * cell,
        "ns_per_cell_step_with_nodes": 1e9 * best["whole"] / (VESSELS * LARGE),
        "ns_per_vessel_step_nodes": 1e9 * (best["part"] - cell * VESSELS * SMALL) / VESSELS,
    }
    return found | ({"plain_c_ns": 1e9 * best["plain"] / (VESSELS * LARGE)} if plain is not None else {})


def _march(cells: int) -> Callable[[], float]:
    """Seconds per step of the solver on a binary tree with so many cells in each vessel."""
    wave = 6e-6 * (1.0 + 0.5 * np.sin(2.0 * np.pi * np.arange(32) / 32))
    tree = binary_tree(VESSELS, cells * CELL, Inlet("n0", "flow_rate", 0.857, wave), Outlet(3e9, 4.5e10, 2e-11),
                       radius=4e-3)
    flow = PulsatileFlow(tree, make_grid(tree, CELL), threads=1)
    return lambda: _seconds(lambda: flow._march(STEPS, record=False, n_samples=0))


def _plain(n: int) -> Callable[[], float] | None:
    """The same of the plain C loop on ``n`` cells; None without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "plain.so"
        source = Path(__file__).with_name("plain_blood1d.c")
        subprocess.run([compiler, *FLAGS, *MARCH[LEVEL], "-o", library, source, "-lm"], check=True)
        march = ctypes.CDLL(str(library)).march
    x = np.linspace(0.0, 1.0, n + 2)
    area = np.pi * 4e-6 * (1.0 + 0.1 * np.exp(-(((x - 0.5) / 0.1) ** 2)))
    flow, work = np.zeros(n + 2), np.zeros(8 * (n + 2))
    k = 2.0 * 8.0**2 / (3.0 * np.sqrt(np.pi * 4e-6))  # a wave speed of 8 m/s
    dt = 0.4 * CELL / 8.0
    double, pointer = ctypes.c_double, lambda array: array.ctypes.data_as(ctypes.POINTER(ctypes.c_double))

    def run() -> float:
        numbers = (double(value) for value in (dt / CELL, dt, k, 1e-4))
        arguments = (pointer(area), pointer(flow), pointer(work), *numbers)
        seconds = _seconds(lambda: march(STEPS, n, *arguments))
        assert np.all(np.isfinite(area)), "the plain loop went astray: its time means nothing"
        return seconds

    return run


def _seconds(work: Callable[[], object]) -> float:
    before = time.thread_time()
    work()
    return (time.thread_time() - before) / STEPS


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
