"""The order of branches: depth first from the inlet, so that a branch's vessels, nodes and cells lie together.

Threads that have a branch each then write into memory of their own. A tree numbered by generations, as generated ones
are, has the cells of both threads side by side in every generation, and they wait for each other's lines of memory.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import depth_first_order

from haiflow.arteries.tree import Tree

OF_VESSELS = (
    "length", "radius_start", "radius_end", "beta_start", "beta_end", "wall_viscosity", "severity", "stenosis_length",
    "loss_linear", "loss_quadratic", "loss_at_start",
)  # fmt: skip


def branch_order(tree: Tree) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places (n_vessels,) of the vessels and (n_nodes,) of the nodes in this order."""
    count = len(tree.nodes)
    links = coo_array((np.ones(len(tree.start)), (tree.start, tree.end)), shape=(count, count)).tocsr()
    found = depth_first_order(links, tree.node(tree.inlet.node), directed=False, return_predecessors=False)
    place = np.full(count, count)
    place[found] = np.arange(len(found))
    node = np.argsort(np.argsort(place, kind="stable"))
    return np.argsort(np.argsort(np.maximum(node[tree.start], node[tree.end]), kind="stable")), node


def by_branches(tree: Tree) -> Tree:
    """The same tree with its vessels and nodes numbered in this order."""
    vessel_place, node_place = branch_order(tree)
    vessels, nodes = np.argsort(vessel_place), np.argsort(node_place)
    given = {name: getattr(tree, name) for name in OF_VESSELS}
    return replace(
        tree,
        vessels=tuple(tree.vessels[v] for v in vessels),
        nodes=tuple(tree.nodes[n] for n in nodes),
        start=node_place[tree.start[vessels]].astype(np.int32),
        end=node_place[tree.end[vessels]].astype(np.int32),
        position=tree.position[nodes],
        **{name: values[vessels] for name, values in given.items() if values is not None},
    )
