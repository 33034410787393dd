"""Arterial trees of any size: cost of a whole network step, of the periodic state, of more vessels and of more threads.

Peers' figures are those that were measured on the same class of machine for the same size of network (77 vessels, about
9,000 cells): ns per cell and step, seconds to the periodic state. Work is counted in the steps that cells really take.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.cases import ROOT, case
from benchmarks.table import Row, at_least, at_most
from haiflow.arteries.branch_order import by_branches
from haiflow.arteries.grid import Grid, make_grid
from haiflow.arteries.periodic import SAMPLES, periodic
from haiflow.arteries.plan import steps_per_cycle
from haiflow.arteries.pulsatile import COURANT, MULTIPLE, PulsatileFlow
from haiflow.arteries.simple import murray_tree, pulsating
from haiflow.arteries.state import from_steady
from haiflow.arteries.tree import Tree
from haiflow.numerics.team import allowed

MEAN = 80e-6  # m3/s into the systemic tree
PEERS = {"jaxFlowSim": (180.0, 235.0), "first_blood": (2000.0, None), "svOneDSolver": (24000.0, None)}
SIZES = (10, 100, 1000, 10000)
CELLS = (1000, 4000, 9000, 36000)
LEAST_STEPS = 32  # in a call of the solver: a cycle has hundreds


def systemic() -> tuple[Tree, Grid]:
    """77 vessels, 9 m in all, 9,039 cells."""
    tree = murray_tree(77, pulsating(MEAN, 1.0), total_length=9.0)
    return tree, make_grid(tree, 1e-3)


def rows() -> Iterator[Row]:
    yield network_step()
    yield local_steps()
    yield from periodic_state()
    yield residual()
    yield from decks()
    yield junctions()
    yield from growing()
    yield from threads()


def work(flow: PulsatileFlow) -> float:
    """Steps of cells in one whole step."""
    return float(np.sum(flow.grid.cells * 2.0 ** (flow.steps.top - flow.steps.level)))


def cost(flow: PulsatileFlow, seconds: float = 2e-3, repeats: int = 60, least: int = 1) -> float:
    """Nanoseconds per cell and step of one thread, its own time: the best of many runs of ``least`` steps or more.

    What a call itself costs (tables checked, arrays for what it returns) is a thing of the call, not of the step.
    """
    steps = max(least, int(seconds / (work(flow) * 1.5e-8)))
    best = np.inf
    for _ in range(repeats):
        began = time.thread_time()
        flow._march(steps, record=False, n_samples=0)
        best = min(best, time.thread_time() - began)
    return 1e9 * best / (steps * work(flow))


def network_step() -> Row:
    found = cost(PulsatileFlow(*systemic(), threads=1))
    ratios = ", ".join(f"{name} {peer / found:.3g}" for name, (peer, _) in PEERS.items())
    what = "whole network step, 77 vessels, 9,039 cells, one core, per cell and step"
    return at_most(what, found, 20.0, " ns", f" (peers take so many times longer: {ratios})")


def local_steps() -> Row:
    """Steps of cells that local time steps save, on a tree with one short stiff vessel."""
    tree = murray_tree(77, pulsating(MEAN, 1.0), total_length=9.0)
    tree = replace(tree, length=np.where(np.arange(77) == 40, 1e-3, tree.length))
    grid = make_grid(tree, 1e-3)
    state = from_steady(grid)
    own, same = (
        PulsatileFlow(tree, grid, state, threads=1, steps=steps_per_cycle(
            grid, state.area, state.flow_rate, COURANT, MULTIPLE, local=local)) for local in (True, False)
    )
    ratio = same.steps.whole * work(same) / (own.steps.whole * work(own))
    what = "local time steps, one vessel of 1 mm among 77: steps of cells"
    return Row(what, "", f"{ratio:.3g} times fewer", None, ratio)


def periodic_state() -> Iterator[Row]:
    """The whole process, with the number of threads that a user gets."""
    best, found = np.inf, {}
    for _ in range(3):
        began = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks.trees", "periodic"]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        best, found = min(best, time.perf_counter() - began), json.loads(done.stdout)
    peer = f"jaxFlowSim takes {PEERS['jaxFlowSim'][1] / best:.3g} times longer"
    note = f" ({allowed()} threads at most, load {os.getloadavg()[0]:.1f}; {peer})"
    yield at_most("77 vessels, 9,039 cells to the periodic state, whole process", best, 6.0, " s", note)
    yield at_most("the same: cycles", found["cycles"], 4)


def residual() -> Row:
    """The stated residual over the true distance from the limit, on the hepatic tree of the tests."""
    tests = case("verification/test_periodic_flow")
    tree = tests.hepatic_tree()
    grid = make_grid(tree)
    ratios = [
        cycle.residual / tests.distance(cycle, limit)
        for start in tests.STARTS
        for limit in [tests.marched(tree, 40, start)]
        for tolerance in (1e-2, 1e-3, 1e-4)
        for cycle in [periodic(tree, tolerance=tolerance, grid=grid, state=start(grid))]
    ]
    off = max(max(ratios), 1.0 / min(ratios))
    return at_most("stated residual against the true distance, off by a factor", off, 2.0)


def decks() -> Iterator[Row]:
    """Time by the clock to the periodic state of each reference deck, where they lie on this machine."""
    tests = case("regression/test_openbf_curves")
    if not tests.DECKS.is_dir():
        return
    for name in ("cca", "ibif", "uta"):
        tree, _ = tests.deck(name)
        best = min((periodic(tree, grid=make_grid(tree, 1e-3)) for _ in range(3)), key=lambda cycle: cycle.wall_s)
        reached = f"{best.wall_s:.3g} s, {best.cycles} cycles, {best.cells} cells"
        yield Row(f"deck {name}, 1 mm cells, to 0.1 % of its limit", "", reached, None, best.wall_s)


def junctions(count: int = 10_000) -> Row:
    """The worst balanced residual over random junctions of 2 to 6 branches."""
    tests = case("unit/test_random_junctions")
    rng, worst, choked = np.random.default_rng(0), 0.0, 0
    for k in range(count):
        tree = tests.star(rng, 2 + k % 5)
        given = tests.arriving(rng, tree)
        plan, state, head, lost = tests.solved(tree, given)
        found, critical = tests.residual(plan, given, state, head[0])
        worst = max(worst, found if critical or not lost else np.nan)
        choked += critical > 0
    note = f" ({choked} with a vessel that can give no more)"
    return at_most(f"{count} random junctions, areas over 1 : 100: worst balanced residual", worst, 1e-10, "", note)


def growing() -> Iterator[Row]:
    """Each size in a process of its own: cost per cell, set-up and peak memory."""
    found = {}
    for size in SIZES:
        command = [sys.executable, "-m", "benchmarks.trees", str(size)]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        found[size] = json.loads(done.stdout)
        one = found[size]
        reached = f"{one['ns']:.3g} ns per cell and step, set-up {one['setup_s']:.2g} s, {one['bytes']:.0f} B a cell"
        yield Row(f"tree of {size} vessels, {one['cells']} cells", "", reached, None, one)
    yield at_most("cost per cell, 10,000 vessels over 10", found[10000]["ns"] / found[10]["ns"], 1.3)
    yield at_most("memory per cell, 10,000 vessels over 1,000", found[10000]["bytes"] / found[1000]["bytes"], 1.1)


def one_size(vessels: int) -> dict[str, float]:
    tree = murray_tree(vessels | 1, pulsating(MEAN, 1.0), total_length=0.06 * vessels)
    began = time.thread_time()
    flow = PulsatileFlow(tree, make_grid(tree), threads=1)
    setup = time.thread_time() - began
    ns = cost(flow, repeats=30, least=LEAST_STEPS)
    tracemalloc.start()
    PulsatileFlow(tree, make_grid(tree), threads=1)
    peak = tracemalloc.get_traced_memory()[1]
    return {"cells": flow.grid.n_cells, "ns": ns, "setup_s": setup, "bytes": peak / flow.grid.n_cells}


def threads(seconds: float = 3.0) -> Iterator[Row]:
    """Two threads against one, on a tree numbered by branches, as a scenario's large network is; and by generations."""
    tree = murray_tree(77, pulsating(MEAN, 1.0), total_length=9.0)
    for cells in CELLS:
        found, n_cells = two_against_one(by_branches(tree), cells, seconds)
        note = f" (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)"
        yield at_least(f"two threads against one, {n_cells} cells", found, 1.7, note)
    found, n_cells = two_against_one(tree, CELLS[0], seconds)
    yield Row(f"the same, numbered by generations, {n_cells} cells", "", f"{found:.3g}", None, found)


def two_against_one(tree: Tree, cells: int, seconds: float) -> tuple[float, int]:
    """How much faster two threads are, and the cells; in turns, each the best of many runs of some milliseconds."""
    grid = make_grid(tree, 9.0 / cells)
    flows = [PulsatileFlow(tree, grid, threads=count) for count in (1, 2)]
    flows[1]._pace.choices = (2,)
    steps, best = max(1, int(5e-3 / (work(flows[0]) * 1e-8))), [np.inf, np.inf]
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        for k, flow in enumerate(flows):
            began = time.perf_counter()
            flow._march(steps, record=False, n_samples=0)
            best[k] = min(best[k], time.perf_counter() - began)
    return best[0] / best[1], grid.n_cells


def main(what: str) -> dict[str, float]:
    if what != "periodic":
        return one_size(int(what))
    tree, grid = systemic()
    cycle = periodic(tree, grid=grid)
    assert len(cycle.time) == SAMPLES
    return {"cycles": cycle.cycles, "residual": cycle.residual}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
