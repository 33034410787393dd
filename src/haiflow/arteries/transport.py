"""Drug in the arteries, on exactly the volume fluxes of the blood: cycle-mean for therapy, each step for the pulse.

Nodes hold no volume. What flows into a node mixes (weighted by flow) and leaves at the mixture's concentration; what a
catheter injects at a node is shared among the vessels that flow away from it by a given split, and for the rest mixes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from haiflow.arteries.injection import Injection, Split, check_split, distance_along, vessel_of
from haiflow.arteries.pulse_transport import BlockExchange, PulseTransport
from haiflow.arteries.tree import Tree
from haiflow.numerics.cone import mean_square
from haiflow.ports import Floats, LinearTransport

__all__ = ["BlockExchange", "Injection", "PulseTransport", "Split", "cycle_mean_transport"]

BALANCED = 1e-9  # of the largest flow: what the mean flows at an inner node may leave over


@dataclass
class _Node:
    """What meets at a node: cells that flow into it and cells that it feeds, each with its flow (m3/s, positive)."""

    feeding: list[tuple[int, float]] = field(default_factory=list)
    fed: dict[str, tuple[int, float]] = field(default_factory=dict)  # vessel -> (cell, flow)

    @property
    def surplus(self) -> float:
        """What must leave the network here (negative: enter)."""
        return sum(flow for _, flow in self.feeding) - sum(flow for _, flow in self.fed.values())


def cycle_mean_transport(
    tree: Tree,
    mean_flow_rate: Floats,
    injections: Sequence[Injection] = (),
    cells_per_vessel: int = 4,
    *,
    split: Split | None = None,
) -> LinearTransport:
    """Upwind finite volumes on cycle-mean flows, nodes eliminated.

    Parameters
    ----------
    mean_flow_rate : (n_vessels,) m3/s, either sign, summing to zero at every inner node. A vessel without flow keeps
        what is in it.
    injections : holes of catheters; at an "ostium" the mass goes to the vessels that its node feeds.
    split : for what is injected at a node, the fraction to each vessel; what is missing to one mixes, and the share of
        a vessel that does not flow away from the node goes to the others named.

    Returns compartments "vessel:k" (k = 0 at the vessel's start) of the lumen volume at pressure zero; inlets "inlet"
    (the blood's own mass flow at the root) and one for each injection's name; outlets named as the terminal nodes. A
    terminal whose mean flow runs inwards has an inlet "return:<node>" for what the blood brings back. Raises
    ValueError for flows that do not balance, a root that flows out, and an injection outside its vessel.
    """
    flow = np.asarray(mean_flow_rate, dtype=float)
    if flow.shape != (len(tree.vessels),) or not np.isfinite(flow).all() or cells_per_vessel < 1:
        raise ValueError(f"need one finite mean flow for each of {len(tree.vessels)} vessels and a cell at least")
    m = cells_per_vessel
    nodes = _nodes(tree, flow, m)
    outflow = _external_outflow(tree, nodes, float(np.abs(flow).max(initial=0.0)))
    passing, leaving = _through_nodes(nodes, outflow)
    gains = _gains(tree, nodes, outflow, injections, m, split or {})
    terminal = {tree.node(name): i for i, name in enumerate(tree.terminals)}
    n = len(tree.vessels) * m
    return LinearTransport(
        names=tuple(f"{vessel}:{k}" for vessel in tree.vessels for k in range(m)),
        volume=_lumen_volumes(tree, m),
        rate=_sparse(_inside_vessels(flow, m) + passing, (n, n)),
        inlets=tuple(gains),
        gain=_sparse([(cell, j, f) for j, places in enumerate(gains.values()) for cell, f in places], (n, len(gains))),
        outlets=tree.terminals,
        outlet=_sparse([(terminal[node], cell, q) for node, cell, q in leaving], (len(terminal), n)),
        loss=np.zeros(n),
    )


def _sparse(entries: list[tuple[int, int, float]], shape: tuple[int, int]) -> csr_array:
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    return csr_array((np.array(values, dtype=float), (np.array(rows, int), np.array(columns, int))), shape=shape)


def _lumen_volumes(tree: Tree, m: int) -> Floats:
    """(n_vessels m,) m3, frusta of the linear radius."""
    share = np.linspace(0.0, 1.0, m + 1)
    radius = tree.radius_start[:, None] * (1.0 - share) + tree.radius_end[:, None] * share
    a, b = radius[:, :-1], radius[:, 1:]
    return (np.pi * (tree.length / m)[:, None] * mean_square(a, b)).ravel()


def _nodes(tree: Tree, flow: Floats, m: int) -> list[_Node]:
    nodes = [_Node() for _ in tree.nodes]
    for v, q in enumerate(flow):
        first, last = v * m, v * m + m - 1
        if q != 0.0:
            source, target = (tree.start[v], tree.end[v]) if q > 0.0 else (tree.end[v], tree.start[v])
            entry, leave = (first, last) if q > 0.0 else (last, first)
            nodes[source].fed[tree.vessels[v]] = (entry, abs(q))
            nodes[target].feeding.append((leave, abs(q)))
    return nodes


def _inside_vessels(flow: Floats, m: int) -> list[tuple[int, int, float]]:
    """(to, from, m3/s) between neighbouring cells of each vessel, and what each loses by it."""
    entries = []
    for v, q in enumerate(flow):
        for k in range(m - 1) if q != 0.0 else ():
            left, right = v * m + k, v * m + k + 1
            source, target = (left, right) if q > 0.0 else (right, left)
            entries += [(target, source, abs(q)), (source, source, -abs(q))]
    return entries


def _external_outflow(tree: Tree, nodes: Sequence[_Node], largest: float) -> list[float]:
    """What leaves (positive) or enters the network at each node; zero at an inner one."""
    outflow = []
    for name, node in zip(tree.nodes, nodes, strict=True):
        surplus = node.surplus
        if name == tree.inlet.node:
            if surplus > BALANCED * largest:
                raise ValueError(f"mean flow leaves the network by its inlet '{name}': {surplus} m3/s")
            surplus = min(surplus, 0.0)
        elif name not in tree.outlets:
            if abs(surplus) > BALANCED * largest:
                raise ValueError(f"mean flows at node '{name}' do not balance: {surplus} m3/s is left over")
            surplus = 0.0
        outflow.append(surplus)
    return outflow


def _through_nodes(
    nodes: Sequence[_Node], outflow: Sequence[float]
) -> tuple[list[tuple[int, int, float]], list[tuple[int, int, float]]]:
    """(to, from, m3/s) between cells that meet at a node, and (node, from, m3/s) that leaves the network there."""
    passing, leaving = [], []
    for index, (node, out) in enumerate(zip(nodes, outflow, strict=True)):
        total = sum(q for _, q in node.fed.values()) + max(out, 0.0)
        # Round-off may let some 1e-16 of the flow into a node from which nothing leaves: it stays in its cell.
        for cell, q in node.feeding if total > 0.0 else ():
            passing.append((cell, cell, -q))
            passing += [(to, cell, q * (away / total)) for to, away in node.fed.values()]
            if out > 0.0:
                leaving.append((index, cell, q * (out / total)))
    return passing, leaving


def _gains(
    tree: Tree, nodes: Sequence[_Node], outflow: Sequence[float], injections: Sequence[Injection], m: int, split: Split
) -> dict[str, list[tuple[int, float]]]:
    """Inlet -> cells with the fraction that each takes of what comes by it."""
    root = tree.node(tree.inlet.node)
    gains = {"inlet": _mixed(nodes[root], _any_cell(tree, root, m))}
    for index, name in enumerate(tree.nodes):
        if index != root and outflow[index] < 0.0:
            gains[f"return:{name}"] = _mixed(nodes[index], _any_cell(tree, index, m))
    for injection in injections:
        if injection.name in gains:
            raise ValueError(f"two inlets are called '{injection.name}'")
        gains[injection.name] = _injected(tree, injection, nodes, m, split)
    return gains


def _any_cell(tree: Tree, node: int, m: int) -> int:
    """A cell that touches the node."""
    starts = np.flatnonzero(tree.start == node)
    return int(starts[0]) * m if starts.size else int(np.flatnonzero(tree.end == node)[0]) * m + m - 1


def _mixed(node: _Node, idle: int) -> list[tuple[int, float]]:
    """Cells that the node feeds with their share of its flow; the cell ``idle`` where it feeds none."""
    total = sum(q for _, q in node.fed.values())
    return [(cell, q / total) for cell, q in node.fed.values()] if total > 0.0 else [(idle, 1.0)]


def _injected(
    tree: Tree, injection: Injection, nodes: Sequence[_Node], m: int, split: Split
) -> list[tuple[int, float]]:
    """Cells that take an injection's mass, with fractions that sum to one."""
    v = vessel_of(tree, injection)
    if injection.position != "ostium":
        return [(v * m + min(int(distance_along(tree, injection, v) / tree.length[v] * m), m - 1), 1.0)]
    at = int(tree.start[v])
    node, named = nodes[at], split.get(tree.nodes[at], {})
    check_split(named)
    open_named = {name: f for name, f in named.items() if name in node.fed and f > 0.0}
    taken = sum(named.values()) if open_named else 0.0
    shares: dict[int, float] = defaultdict(float)
    for cell, fraction in _mixed(node, v * m):
        shares[cell] += (1.0 - taken) * fraction
    for name, fraction in open_named.items():
        shares[node.fed[name][0]] += taken * fraction / sum(open_named.values())
    total = sum(shares.values())
    return [(cell, share / total) for cell, share in shares.items() if share > 0.0]
