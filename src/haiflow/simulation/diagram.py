"""A network whose nodes have no places, drawn as a diagram: a fan in which every path keeps its length.

The root is the centre; a node lies as far from it as blood has to go, and every open end has an equal share of the
fan's angle, so that branches keep out of each other's way. Loops are cut where the shortest way by
number of vessels ends.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order

from haiflow.arteries.tree import Tree
from haiflow.ports import Floats

WIDEST = 1.8 * np.pi  # of the fan: a full circle would put its first branch beside its last
A_BRANCH = np.pi / 12.0  # of the fan for each end, where there are few


def fan(tree: Tree) -> Floats:
    """(n_nodes, 3) m: places in the plane that the pictures look at (x, z), the root at zero."""
    order, above, length = _ways(tree)
    reach, ends = np.zeros(len(tree.nodes)), np.zeros(len(tree.nodes))
    for node in order[1:]:
        reach[node] = reach[above[node]] + length[node]
    for node in order[::-1]:
        ends[node] = max(ends[node], 1.0)
        if above[node] >= 0:
            ends[above[node]] += ends[node]
    angle, free = np.zeros(len(tree.nodes)), np.zeros(len(tree.nodes))  # middle of a node's sector; what is left of it
    width = min(WIDEST, A_BRANCH * ends[order[0]])
    for node in order[1:]:
        own = width * ends[node] / ends[order[0]]
        angle[node] = free[above[node]] + 0.5 * own
        free[above[node]] += own
        free[node] = angle[node] - 0.5 * own
    angle[order[1:]] -= 0.5 * width
    return np.stack([reach * np.sin(angle), np.zeros_like(reach), -reach * np.cos(angle)], axis=1)


def _ways(tree: Tree) -> tuple[list[int], list[int], Floats]:
    """Nodes from the root outwards, the node before each (-1: none) and the length (m) of the vessel between them."""
    count = len(tree.nodes)
    links = coo_array((np.ones(len(tree.start)), (tree.start, tree.end)), shape=(count, count)).tocsr()
    order, before = breadth_first_order(links, tree.node(tree.inlet.node), directed=False)
    vessel: dict[tuple[int, int], int] = {}
    for index, ends in enumerate(zip(tree.start.tolist(), tree.end.tolist(), strict=True)):
        for pair in (ends, ends[::-1]):
            vessel.setdefault(pair, index)
    above = [int(each) if each >= 0 else -1 for each in before]
    length = np.zeros(count)
    for node in order[1:]:
        length[node] = tree.length[vessel[above[node], int(node)]]
    return order.tolist(), above, length
