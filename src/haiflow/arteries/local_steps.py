"""Local time steps: how long a step each vessel takes, and which thread computes what.

A vessel of level ``l`` takes ``2^l`` fine steps at a time, as many as its own waves and friction allow; a node steps
with its fastest vessel. One short or stiff vessel then does not set the step of all. Work is cut into blocks of cells,
in order of levels, and shared out so that threads have equal parts of each level.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from haiflow.arteries.grid import Grid
from haiflow.arteries.junctions import end_nodes

TOP = 4  # levels above the finest
GAIN = 0.9  # a further level must bring the work below this share
NODE_WORK = 8.0  # cells that one end of a vessel at its node is worth
BLOCK = 128  # cells, at most: what a pass leaves stays in the first-level cache
SHARES = 8  # blocks for each thread, at least, where vessels are long
SMALLEST_BLOCK = 32


@dataclass(frozen=True)
class Steps:
    """``whole`` steps in a cycle, each of ``2 ** top`` fine ones; ``level`` (n_vessels,) of each vessel."""

    whole: int
    level: NDArray[np.int32]

    @property
    def top(self) -> int:
        return int(self.level.max(initial=0))

    @property
    def fine(self) -> int:
        return self.whole << self.top


@dataclass(frozen=True)
class Shares:
    """Blocks and nodes by level, and the part of each thread in them."""

    block: NDArray[np.int32]  # (n_blocks, 4): first and last slot, first and last vessel
    block_range: NDArray[np.int32]  # (levels, threads + 1) into block
    node_order: NDArray[np.int32]  # (n_nodes,)
    node_range: NDArray[np.int32]  # (levels, threads + 1) into node_order


def same_step(grid: Grid, whole: int) -> Steps:
    """All vessels take the same step."""
    return Steps(whole, np.zeros(len(grid.cells), dtype=np.int32))


def choose_steps(grid: Grid, least: np.ndarray, multiple: int, top: int = TOP) -> Steps:
    """The cheapest steps that give each vessel at least ``least`` (n_vessels,) of its own in a cycle."""
    best, best_work = None, np.inf
    for levels in range(top + 1):
        whole = max(int(np.ceil(least.max() / 2**levels / multiple)) * multiple, multiple)
        spare = np.floor(np.log2((whole << levels) / least) + 1e-12)
        steps = Steps(whole, np.clip(spare, 0, levels).astype(np.int32))
        if steps.top == levels and (work := _work(grid, steps)) < GAIN * best_work:
            best, best_work = steps, work
    assert best is not None
    return best


def _work(grid: Grid, steps: Steps) -> float:
    ends = NODE_WORK * steps.fine / 2.0 ** node_levels(grid, steps.level)[end_nodes(grid.tree)]
    return float(np.sum(grid.cells * steps.fine / 2.0**steps.level) + ends.sum())


def node_levels(grid: Grid, level: NDArray[np.int32]) -> NDArray[np.int32]:
    """(n_nodes,) the least level of the vessels that meet at each node."""
    lowest = np.full(len(grid.tree.nodes), np.iinfo(np.int32).max, dtype=np.int32)
    np.minimum.at(lowest, end_nodes(grid.tree), np.repeat(level, 2))
    return lowest


def share_out(grid: Grid, steps: Steps, threads: int, *, whole_vessels: bool) -> Shares:
    """Cut the vessels into blocks (``whole_vessels``: one each) and give each thread its part."""
    block = _blocks(grid, steps.level, _block_size(grid, threads), whole_vessels)
    level = steps.level[block[:, 2]]
    order = np.argsort(level, kind="stable")
    lowest = node_levels(grid, steps.level)
    node_order = np.argsort(lowest, kind="stable").astype(np.int32)
    ends = np.bincount(end_nodes(grid.tree), minlength=len(grid.tree.nodes))
    return Shares(
        block[order], _ranges(level[order], (block[:, 1] - block[:, 0] + 1)[order], steps.top + 1, threads),
        node_order, _ranges(lowest[node_order], ends[node_order], steps.top + 1, threads),
    )  # fmt: skip


def _block_size(grid: Grid, threads: int) -> int:
    return BLOCK if threads == 1 else int(np.clip(np.ceil(grid.n_cells / (SHARES * threads)), SMALLEST_BLOCK, BLOCK))


def _blocks(grid: Grid, level: NDArray[np.int32], size: int, whole_vessels: bool) -> NDArray[np.int32]:
    """Long vessels in equal parts of two cells or more, short ones of one level that lie side by side together."""
    blocks: list[tuple[int, int, int, int]] = []
    start, cells = grid.face_offset.tolist(), grid.cells.tolist()
    for v, n in enumerate(cells):
        parts = 1 if whole_vessels else max(1, min(-(-n // size), n // 2))
        last = start[v] + n - 1
        if parts > 1:
            cuts = [start[v] + part * n // parts for part in range(parts + 1)]
            blocks += [(a, b - 1, v, v) for a, b in pairwise(cuts)]
        elif blocks and last - blocks[-1][0] < size and _whole(blocks[-1], start, cells) and level[v] == level[v - 1]:
            blocks[-1] = (blocks[-1][0], last, blocks[-1][2], v)
        else:
            blocks.append((start[v], last, v, v))
    return np.array(blocks, dtype=np.int32)


def _whole(block: tuple[int, int, int, int], start: list[int], cells: list[int]) -> bool:
    """Whether a block holds whole vessels."""
    first, last, v, w = block
    return first == start[v] and last == start[w] + cells[w] - 1


def _ranges(level: np.ndarray, work: np.ndarray, levels: int, threads: int) -> NDArray[np.int32]:
    """Where each thread's part of each level begins and ends, the work cut as evenly as its pieces allow."""
    ranges = np.zeros((levels, threads + 1), dtype=np.int32)
    for k in range(levels):
        begin, end = np.searchsorted(level, [k, k + 1])
        done = np.concatenate([[0.0], np.cumsum(work[begin:end], dtype=float)])
        wanted = done[-1] * np.arange(threads + 1) / threads
        ranges[k] = begin + np.searchsorted(done - 1e-9, wanted - 0.5 * np.max(work[begin:end], initial=0.0))
        ranges[k, 0], ranges[k, -1] = begin, end
    return np.maximum.accumulate(ranges, axis=1)
