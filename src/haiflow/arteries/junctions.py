"""Nodes of the network: which vessel ends meet where, and what a sound network is.

Vessel ``v`` has ends ``2 v`` (its start) and ``2 v + 1``. At a node of any number of vessels flow rates sum to zero and
total pressure ``p + rho u^2 / 2`` is common, at the inlet too; at an outlet where one vessel ends alone it is the
static one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haiflow.arteries.outlets import is_closed, is_windkessel
from haiflow.arteries.stenosis import is_shut
from haiflow.arteries.tree import Tree
from haiflow.errors import InputError, nearest

JUNCTION, FLOW_INLET, PRESSURE_INLET, WINDKESSEL, RESISTANCE, REFLECTION = range(6)
INLET_KINDS = {"flow_rate": FLOW_INLET, "pressure": PRESSURE_INLET}


@dataclass(frozen=True)
class Nodes:
    """Vessel ends by node, closed ends first, and the kind of each node."""

    first: NDArray[np.int32]  # (n_nodes + 1,) into ends
    ends: NDArray[np.int32]
    kind: NDArray[np.int32]  # (n_nodes,)
    closed: NDArray[np.bool_]  # (n_ends,)


def end_nodes(tree: Tree) -> NDArray[np.int32]:
    """(n_ends,) node of each vessel end."""
    return np.stack([tree.start, tree.end], axis=1).ravel().astype(np.int32)


def join(tree: Tree) -> Nodes:
    """Sort the vessel ends by node; raises :class:`InputError` for a network that cannot be solved."""
    node_of = end_nodes(tree)
    kind = _kinds(tree)
    closed = np.zeros(len(node_of), dtype=bool)
    closed[0::2] = is_shut(tree)
    shut_nodes = [tree.node(name) for name, outlet in tree.outlets.items() if is_closed(outlet)]
    closed |= np.isin(node_of, shut_nodes)
    kind[shut_nodes] = JUNCTION
    ends = np.lexsort((np.arange(len(node_of)), ~closed, node_of)).astype(np.int32)
    first = np.concatenate([[0], np.cumsum(np.bincount(node_of, minlength=len(tree.nodes)))]).astype(np.int32)
    nodes = Nodes(first, ends, kind, closed)
    _check(tree, nodes, node_of)
    return nodes


def _kinds(tree: Tree) -> NDArray[np.int32]:
    kind = np.full(len(tree.nodes), JUNCTION, dtype=np.int32)
    for name, outlet in tree.outlets.items():
        if name not in tree.node_index:
            rule = "an outlet needs a node of the network"
            raise InputError("arteries.outlets", name, rule, nearest(name, tree.nodes))
        wave = outlet.reflection is not None
        kind[tree.node(name)] = REFLECTION if wave else WINDKESSEL if is_windkessel(outlet) else RESISTANCE
    if tree.inlet.node not in tree.node_index or tree.inlet.node in tree.outlets:
        raise InputError(
            "arteries.inflow", tree.inlet.node, "blood enters at a node that is no outlet",
            nearest(tree.inlet.node, set(tree.nodes) - set(tree.outlets)),
        )
    if tree.inlet.kind not in INLET_KINDS:
        raise InputError(
            "arteries.inflow.kind", tree.inlet.kind, "unknown kind of inlet", nearest(tree.inlet.kind, INLET_KINDS)
        )
    kind[tree.node(tree.inlet.node)] = INLET_KINDS[tree.inlet.kind]
    return kind


def _check(tree: Tree, nodes: Nodes, node_of: NDArray[np.int32]) -> None:
    count = np.diff(nodes.first)
    for index, name in enumerate(tree.nodes):
        if count[index] == 0:
            raise InputError("arteries.nodes", name, "no vessel meets this node", "connect it or leave it out")
        if count[index] == 1 and nodes.kind[index] == JUNCTION and name not in tree.outlets:
            raise InputError("arteries.nodes", name, "a vessel ends here without an outlet", "give the node an outlet")
        if count[index] > 1 and name in tree.outlets and tree.outlets[name].reflection is not None:
            raise InputError(
                "arteries.outlets", name, "a reflection coefficient needs a node where one vessel ends",
                "use a Windkessel or a resistance",
            )
    inlet = tree.node(tree.inlet.node)
    if nodes.kind[inlet] == FLOW_INLET and np.all(nodes.closed[node_of == inlet]):
        raise InputError(
            "arteries.inflow", tree.inlet.node, "a flow rate is imposed where every vessel is totally occluded",
            "impose a pressure there",
        )
