"""Local time steps: how long a step each vessel takes, and which thread computes what.

A vessel of level ``l`` takes ``2^l`` fine steps at a time, as many as its own waves and friction allow; a node steps
with its fastest vessel. One short or stiff vessel then does not set the step of all.

Threads share out each level, cut where each has the same work, within a vessel where need be. Vessels and nodes are
taken in depth-first order, so that a thread has whole branches and few nodes lie between two threads; or as they are
numbered, where that order would have the threads write side by side too often. What a thread has of a level is cut
into blocks of cells that stay in its cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from haiflow.arteries.branch_order import branch_order
from haiflow.arteries.grid import Grid
from haiflow.arteries.junctions import end_nodes

TOP = 4  # levels above the finest
GAIN = 0.9  # a further level must bring the work below this share
NODE_WORK = 8.0  # cells that one end of a vessel at its node is worth
BLOCK = 128  # cells, at most: what a pass leaves stays in the first-level cache
VESSEL_WORK = 2  # cells that a vessel in a block is worth
BORDER = 2.0  # ends at another thread's node that it is worth where arrays pass from thread to thread [measured]
LEAST = 4  # cells in a part of a vessel: of a neighbour's, two are looked at, and none that its node changes


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
    """Blocks and nodes by level, and the part of each thread in them.

    In a row of ``block_range`` and ``node_range``, for each thread: where its part begins, with what it shares with
    others, and where that begins which concerns itself alone; at last where all end.
    """

    block: NDArray[np.int32]  # (n_blocks, 4): first and last slot, first and last vessel
    block_range: NDArray[np.int32]  # (levels, 2 threads + 1) into block
    node_order: NDArray[np.int32]  # (n_nodes,)
    node_range: NDArray[np.int32]  # (levels, 2 threads + 1) into node_order


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


Part = tuple[int, int, int]  # vessel, its cells from here to before there
Block = tuple[int, int, int, int]  # first and last slot, first and last vessel
Order = tuple[NDArray[np.intp], NDArray[np.intp]]  # places of vessels and of nodes


def share_out(grid: Grid, steps: Steps, threads: int, *, whole_vessels: bool) -> Shares:
    """Cut the vessels into blocks (``whole_vessels``: one each) and give each thread its part.

    Branches together or vessels as they are numbered: the way in which threads have less in common.
    """
    orders = [branch_order(grid.tree), _given_order(grid)] if threads > 1 else [_given_order(grid)]
    return min((_cut(grid, steps, threads, order, whole_vessels) for order in orders), key=lambda cut: cut[0])[1]


def _cut(
    grid: Grid, steps: Steps, threads: int, order: Order, whole_vessels: bool
) -> tuple[float, Shares]:
    """The shares with vessels and nodes cut in this ``order``, and what they cost beside the work."""
    levels, lowest = steps.top + 1, node_levels(grid, steps.level)
    parts: dict[tuple[int, int], list[Part]] = {}
    for level in range(levels):
        vessels = np.flatnonzero(steps.level == level)
        own = vessels[np.argsort(order[0][vessels])].tolist()
        for thread, mine in enumerate(_parts(grid, own, threads, whole_vessels)):
            parts[level, thread] = sorted(mine)
    of_end = _threads_of_ends(grid, parts)
    of_node = _threads_of_nodes(grid, lowest, order[1], threads)
    at = end_nodes(grid.tree)
    foreign = of_end != of_node[at]
    block, block_range = _all_blocks(grid, parts, foreign, levels, threads, whole_vessels)
    alone = np.bincount(at, foreign, len(of_node)) == 0
    group = (lowest * threads + of_node) * 2 + alone
    node_range = np.searchsorted(np.sort(group), np.arange(2 * threads * levels + 1))
    borders = np.count_nonzero(np.diff(of_end)) + np.count_nonzero(np.diff(of_node))
    shares = Shares(block, block_range, np.argsort(group, kind="stable").astype(np.int32), _rows(node_range, levels))
    return BORDER * borders + np.count_nonzero(foreign), shares


def _rows(flat: np.ndarray, levels: int) -> NDArray[np.int32]:
    """Ranges of one level a row, each with where the next level's begin."""
    width = (len(flat) - 1) // levels
    return np.array([flat[k * width : (k + 1) * width + 1] for k in range(levels)], dtype=np.int32)


def _given_order(grid: Grid) -> Order:
    """Places of vessels and of nodes as they are numbered."""
    return np.arange(len(grid.cells)), np.arange(len(grid.tree.nodes))


def _parts(grid: Grid, vessels: list[int], threads: int, whole_vessels: bool) -> list[list[Part]]:
    """The parts of ``vessels`` (in branch order) that each thread has, of equal work."""
    cells = grid.cells[vessels].tolist()
    wanted = sum(n + VESSEL_WORK for n in cells) / threads
    parts: list[list[Part]] = [[] for _ in range(threads)]
    thread, free = 0, wanted
    for v, n in zip(vessels, cells, strict=True):
        begin = 0
        while thread < threads - 1 and free < n - begin + VESSEL_WORK:
            cut = begin + round(free) - VESSEL_WORK
            if whole_vessels or min(cut - begin, n - cut) < LEAST:
                if free >= 0.5 * (n - begin + VESSEL_WORK):
                    break
                cut = begin
            if cut > begin:
                parts[thread].append((v, begin, cut))
                free -= cut - begin + VESSEL_WORK
            begin, thread, free = cut, thread + 1, free + wanted
        parts[thread].append((v, begin, n))
        free -= n - begin + VESSEL_WORK
    return parts


def _threads_of_ends(grid: Grid, parts: dict[tuple[int, int], list[Part]]) -> NDArray[np.int32]:
    """(2 n_vessels,) the thread that has the end cell of each vessel's start and end."""
    found = np.zeros(2 * len(grid.cells), dtype=np.int32)
    for (_, thread), mine in parts.items():
        for v, begin, end in mine:
            if begin == 0:
                found[2 * v] = thread
            if end == grid.cells[v]:
                found[2 * v + 1] = thread
    return found


def _threads_of_nodes(
    grid: Grid, level: NDArray[np.int32], place: NDArray[np.intp], threads: int
) -> NDArray[np.int32]:
    """(n_nodes,) the nodes of each level cut in branch order where the work, one and one for each end, is equal."""
    work = 1.0 + np.bincount(end_nodes(grid.tree), minlength=len(level))
    found = np.zeros(len(level), dtype=np.int32)
    for k in range(int(level.max()) + 1):
        own = np.flatnonzero(level == k)
        own = own[np.argsort(place[own])]
        middle = np.cumsum(work[own]) - 0.5 * work[own]
        found[own] = np.minimum(middle * threads / max(float(work[own].sum()), 1.0), threads - 1).astype(np.int32)
    return found


def _all_blocks(
    grid: Grid, parts: dict[tuple[int, int], list[Part]], foreign: NDArray[np.bool_], levels: int, threads: int,
    whole_vessels: bool,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Blocks and their ranges; ``foreign`` (2 n_vessels,): whether another thread has the node of an end."""
    block: list[Block] = []
    edges = [0]
    for level in range(levels):
        for thread in range(threads):
            pieces = [piece for part in parts[level, thread] for piece in _pieces(grid, part, foreign, whole_vessels)]
            for wanted in (True, False):
                block += _merged(grid, [piece for piece, shared in pieces if shared == wanted])
                edges.append(len(block))
    return np.array(block, dtype=np.int32), _rows(np.array(edges), levels)


def _pieces(
    grid: Grid, part: Part, foreign: NDArray[np.bool_], whole_vessels: bool
) -> list[tuple[Part, bool]]:
    """A part cut equally into what a block holds, and whether another thread has what lies beyond either end."""
    v, begin, end = part
    count = 1 if whole_vessels else -(-(end - begin) // BLOCK)
    cuts = [begin + k * (end - begin) // count for k in range(count + 1)]
    shared = [False] * count
    shared[0] |= bool(begin > 0 or foreign[2 * v])
    shared[-1] |= bool(end < grid.cells[v] or foreign[2 * v + 1])
    return [((v, a, b), each) for (a, b), each in zip(pairwise(cuts), shared, strict=True)]


def _merged(grid: Grid, pieces: list[Part]) -> list[Block]:
    """Blocks, whole short vessels that lie side by side in one."""
    blocks: list[Block] = []
    start, whole = grid.face_offset, False  # whether the last block holds whole vessels
    for v, begin, end in pieces:
        first, last, was = int(start[v] + begin), int(start[v] + end - 1), whole
        whole = begin == 0 and end == grid.cells[v]
        if was and whole and blocks[-1][3] == v - 1 and last - blocks[-1][0] < BLOCK:
            blocks[-1] = (blocks[-1][0], last, blocks[-1][2], v)
        else:
            blocks.append((first, last, v, v))
    return blocks
