"""Arteries too fine for the network of the pulse: a tree of branches grown from one terminal into the tissue it feeds.

Radii keep Murray's law, ``r_parent^g = r_1^g + r_2^g`` (Murray 1926, PNAS 12:207), and follow from each branch's share
of the root's flow. Resistances are Poiseuille's; behind each end lies an arteriolar conductance in proportion to what
the tissue there demands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from haiflow.ports import Floats

Indices = NDArray[np.int32]


@dataclass(frozen=True)
class SubTree:
    """Branches grown from one root.

    ``points`` (k, 3) m, the first is the root. Of each branch (n,): ``parent`` (-1 at the root), ``start`` and ``end``
    (points), ``radius`` (m), ``flow_share`` of the root's flow. ``terminals`` (n_terminals,): the branches that end in
    tissue.
    """

    points: Floats
    parent: Indices
    start: Indices
    end: Indices
    radius: Floats
    flow_share: Floats
    terminals: Indices

    @property
    def end_points(self) -> Floats:
        """(n_terminals, 3) m."""
        return self.points[self.end[self.terminals]]

    @property
    def length(self) -> Floats:
        """(n,) m of each branch."""
        return np.asarray(np.linalg.norm(self.points[self.end] - self.points[self.start], axis=1))

    @cached_property
    def order(self) -> list[int]:
        """The branches, parents before children."""
        depth = np.zeros(len(self.parent), dtype=int)
        above = self.parent.copy()
        while np.any(above >= 0):
            depth[above >= 0] += 1
            above = np.where(above >= 0, self.parent[above], -1)
        return [int(branch) for branch in np.argsort(depth, kind="stable")]

    def gathered(self, at_ends: Floats) -> Floats:
        """(n,) sums over all that lies downstream of each branch, from values (n_terminals,) at the ends."""
        total = np.zeros(len(self.parent))
        total[self.terminals] = at_ends
        for branch in reversed(self.order):
            if self.parent[branch] >= 0:
                total[self.parent[branch]] += total[branch]
        return total


def with_demand(tree: SubTree, demand: Floats, root_radius: float, exponent: float = 3.0) -> SubTree:
    """The tree with flow shares from the ``demand`` (n_terminals,) at its ends, and radii by Murray's law.

    An end without demand keeps the radius that a hundredth of the mean demand would give it. Raises ValueError where
    nothing is demanded.
    """
    if not np.all(demand >= 0.0) or not demand.sum() > 0.0:
        raise ValueError("the demands at a tree's ends are not negative, and some is positive")
    share = tree.gathered(demand) / demand.sum()
    drawn = tree.gathered(np.maximum(demand, 0.01 * demand.mean()))
    return replace(tree, flow_share=share, radius=root_radius * (drawn / drawn.max()) ** (1.0 / exponent))


def terminal_shares(
    tree: SubTree,
    demand: Floats,
    viscosity: float,
    *,
    root_flow: float,
    root_pressure: float,
    tissue_pressure: float,
) -> Floats:
    """(n_terminals,) share of the root's flow through each end.

    The arteriolar conductances, in proportion to ``demand`` (n_terminals,), are as large as it takes for ``root_flow``
    (m3/s) to run from ``root_pressure`` to ``tissue_pressure`` (Pa): an end far from the root gets a little less than
    it demands. Raises ValueError where the branches alone resist too much for that flow.
    """
    from scipy.optimize import brentq

    wanted = demand / demand.sum()
    resistance = 8.0 * viscosity * tree.length / (np.pi * tree.radius**4)
    target = root_flow / (root_pressure - tissue_pressure) if root_pressure > tissue_pressure else np.inf
    reach = [_conductances(tree, resistance, wanted * size)[1] for size in (target, 1e12 * target)]
    if not np.isfinite(target) or not reach[0] < target < reach[1]:
        raise ValueError(
            f"the branches alone let {reach[1] * (root_pressure - tissue_pressure):.3g} m3/s through, "
            f"less than the {root_flow:.3g} m3/s that their root carries: they are too narrow"
        )
    size = np.exp(brentq(lambda x: np.log(_conductances(tree, resistance, wanted * np.exp(x))[1] / target),
                         np.log(target), np.log(1e12 * target), xtol=1e-12))  # fmt: skip
    through, _ = _conductances(tree, resistance, wanted * size)
    flow = _divided(tree, through)[tree.terminals]
    return np.asarray(flow / flow.sum())


def _conductances(tree: SubTree, resistance: Floats, ends: Floats) -> tuple[Floats, float]:
    """Conductance from the start of each branch into the tissue (n,), and that of the root."""
    beyond = np.zeros(len(tree.parent))
    beyond[tree.terminals] = ends
    through, root = np.zeros(len(tree.parent)), 0.0
    for branch in reversed(tree.order):
        through[branch] = beyond[branch] / (1.0 + resistance[branch] * beyond[branch])
        if tree.parent[branch] >= 0:
            beyond[tree.parent[branch]] += through[branch]
        else:
            root += through[branch]
    return through, root


def _divided(tree: SubTree, through: Floats) -> Floats:
    """(n,) flow of each branch for a flow of one at the root: siblings share by conductance."""
    siblings = np.bincount(tree.parent + 1, weights=through, minlength=len(through) + 1)
    flow = np.ones(len(through))
    for branch in tree.order:
        above = tree.parent[branch]
        total = siblings[above + 1]
        share = through[branch] / total if total > 0.0 else 0.0
        flow[branch] = share * (flow[above] if above >= 0 else 1.0)
    return flow


def nearest_terminal(trees: Sequence[SubTree], points: Floats) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """For each of ``points`` (m, 3) m the tree, and the terminal of it, whose end is nearest: (m,) each."""
    from scipy.spatial import cKDTree

    counts = [len(tree.terminals) for tree in trees]
    _, found = cKDTree(np.concatenate([tree.end_points for tree in trees])).query(points)
    owner = np.repeat(np.arange(len(trees)), counts)[found]
    first = np.concatenate([[0], np.cumsum(counts)])[owner]
    return owner.astype(np.int32), (found - first).astype(np.int32)
