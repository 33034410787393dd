"""Cost of the one-dimensional blood-flow kernel: nanoseconds per cell and whole time step (both stages), one core.

``measure()`` times the whole loop (nodes included) on 64 vessels of 64 cells (4096 cells), and the same 64 vessels with
fewer cells; the slope in the number of cells is the cost of the cells, the rest that of the nodes.
"""

from __future__ import annotations

import json
import time

import numpy as np

from haiflow.arteries.grid import make_grid
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.tree import Inlet, Outlet, Tree
from haiflow.arteries.tube_law import stiffness_from_wave_speed
from haiflow.kernels import LEVEL

VESSELS = 63  # a binary tree of six generations and a stem
CELL = 2e-3


def binary_tree(n_vessels: int, cells: int) -> Tree:
    """A binary tree: vessel v starts where vessel (v - 1) // 2 ends."""
    index = np.arange(n_vessels)
    start = np.where(index == 0, 0, (index - 1) // 2 + 1).astype(np.int32)
    end = (index + 1).astype(np.int32)
    radius = 4e-3 * 0.8 ** np.floor(np.log2(index + 1))
    beta = np.asarray(stiffness_from_wave_speed(8.0, np.pi * radius**2, 1060.0))
    leaves = sorted(set(end.tolist()) - set(start.tolist()))
    nodes = tuple(f"n{i}" for i in range(n_vessels + 1))
    outlets = {nodes[i]: Outlet(3e9, 4.5e10, 2e-11) for i in leaves}
    wave = 6e-6 * (1.0 + 0.5 * np.sin(2.0 * np.pi * np.arange(32) / 32))
    return Tree(
        tuple(f"v{i}" for i in index), nodes, start, end, np.full(n_vessels, cells * CELL), radius, radius, beta, beta,
        np.zeros((n_vessels + 1, 3)), Inlet("n0", "flow_rate", 0.857, wave), outlets,
    )


def seconds_per_step(cells: int, steps: int = 400, repeats: int = 7) -> float:
    tree = binary_tree(VESSELS, cells)
    flow = PulsatileFlow(tree, make_grid(tree, CELL))
    best = np.inf
    for _ in range(repeats):
        before = time.perf_counter()
        flow._march(steps, record=False, n_samples=0)
        best = min(best, time.perf_counter() - before)
    return best / steps


def measure() -> dict[str, float | str | int]:
    """Nanoseconds per cell and step of the cells alone and of the whole loop; per vessel and step of the nodes."""
    large, small = 65, 17
    whole, part = seconds_per_step(large), seconds_per_step(small)
    cell = (whole - part) / (VESSELS * (large - small))
    return {
        "build": LEVEL,
        "cells": VESSELS * large,
        "ns_per_cell_step": 1e9 * cell,
        "ns_per_cell_step_with_nodes": 1e9 * whole / (VESSELS * large),
        "ns_per_vessel_step_nodes": 1e9 * (part - cell * VESSELS * small) / VESSELS,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
