"""Cycle-mean flow rates that balance at every node to round-off.

A cycle that is periodic to 1e-3 leaves a small part of its flow in the compliant vessels. The smallest correction,
weighted with the size of each flow, makes what enters a node leave it: ``q = q0 - W B' (B W B')^+ (B q0 - s)``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.linalg import splu

from haiflow.arteries.outlets import is_closed
from haiflow.arteries.stenosis import is_shut
from haiflow.arteries.tree import Tree
from haiflow.ports import Floats

SMALL = 1e-6  # least weight, of the largest flow
NOISE = 1e-20  # of the largest flow
SWEEPS = 3
DENSE = 400  # nodes


def divergence_free(tree: Tree, flow_rate: Floats) -> Floats:
    """``flow_rate`` (n_vessels,) corrected so that it balances at all nodes but open outlets and a pressure inlet.

    An imposed inflow is met exactly; a totally occluded vessel carries none. Loops are no obstacle.
    """
    open_vessels = ~is_shut(tree)
    flow = np.where(open_vessels, flow_rate, 0.0)
    largest = float(np.abs(flow).max())
    if largest == 0.0:
        return flow
    weight = np.where(open_vessels, np.maximum(np.abs(flow), SMALL * largest), 0.0)
    matrix, source = _balanced_nodes(tree)
    solve = _inverse(matrix, weight / largest)
    for _ in range(SWEEPS):
        flow = flow - weight * (matrix.T @ solve(matrix @ flow - source)) / largest
    # What is left in a dead end is noise; kept, it would carry 1e-130 kg of drug about.
    return np.where(np.abs(flow) < NOISE * largest, 0.0, flow)


def _inverse(matrix: csr_array, weight: Floats) -> Callable[[Floats], Floats]:
    """Solves ``B W B' x = b`` in the sense of least squares; large networks, which are sparse, to sweeps' accuracy."""
    weighted = matrix @ diags_array(weight) @ matrix.T
    if matrix.shape[0] <= DENSE:
        inverse = np.linalg.pinv(weighted.toarray(), rcond=1e-13, hermitian=True)
        return lambda right: inverse @ right
    # A part that is shut off makes the matrix singular: what is added there changes nothing that counts.
    return splu((weighted + diags_array(np.full(matrix.shape[0], SMALL**2))).tocsc()).solve


def _balanced_nodes(tree: Tree) -> tuple[csr_array, Floats]:
    """Incidence (+1 where a vessel ends) and required net arrival of the nodes that hold a balance."""
    n = len(tree.nodes)
    vessel, one = np.arange(len(tree.vessels)), np.ones(len(tree.vessels))
    place = np.concatenate([tree.end, tree.start]), np.concatenate([vessel, vessel])
    matrix = coo_array((np.concatenate([one, -one]), place), shape=(n, len(tree.vessels))).tocsr()
    source = np.zeros(n)
    free = [tree.node(name) for name, outlet in tree.outlets.items() if not is_closed(outlet)]
    inlet = tree.node(tree.inlet.node)
    if tree.inlet.kind == "pressure":
        free.append(inlet)
    else:
        source[inlet] = -tree.inlet.mean
    held = np.setdiff1d(np.arange(n), free)
    return matrix[held], source[held]
