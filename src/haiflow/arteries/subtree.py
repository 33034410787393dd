"""Arteries too fine for the network of the pulse: a tree of branches grown from one terminal into the tissue it feeds.

Radii keep Murray's law, ``r_parent^g = r_1^g + r_2^g`` (Murray 1926, PNAS 12:207), and follow from each branch's share
of the root's flow. Behind each end lie arterioles that let through what the tissue there demands: they are regulated,
so the undisturbed tree gives each end its demand. The network is linear and all ends face one tissue pressure, so the
shares stay the same whatever the root's flow becomes. Arterioles need pressure: narrow trees are widened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from haiflow.ports import Floats

Indices = NDArray[np.int32]
KEPT = 0.5  # of the pressure above the tissue: the arterioles hold the rest of the resistance [textbook]


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


def end_pressures(tree: SubTree, viscosity: float, *, root_flow: float, root_pressure: float) -> Floats:
    """(n_terminals,) gauge Pa at the ends when each carries its share of ``root_flow`` (m3/s): ``root_pressure`` (Pa)
    less Poiseuille's losses on the way."""
    drop = 8.0 * viscosity * tree.length / (np.pi * tree.radius**4) * tree.flow_share * root_flow
    pressure = np.full(len(tree.parent), root_pressure)
    for branch in tree.order:
        above = tree.parent[branch]
        pressure[branch] = (root_pressure if above < 0 else pressure[above]) - drop[branch]
    return np.asarray(pressure[tree.terminals])


def widened(
    tree: SubTree, viscosity: float, *, root_flow: float, root_pressure: float, tissue_pressure: float
) -> SubTree:
    """The tree, all radii widened alike where no end would else keep half of the pressure above the tissue's.

    Arteries that resist too much for their flow remodel; Murray's law holds as before. Pressures Pa, flow m3/s.
    """
    ends = end_pressures(tree, viscosity, root_flow=root_flow, root_pressure=root_pressure)
    lost, bearable = root_pressure - float(ends.min()), KEPT * (root_pressure - tissue_pressure)
    if lost <= bearable or bearable <= 0.0:
        return tree
    return replace(tree, radius=tree.radius * (lost / bearable) ** 0.25)


def nearest_terminal(trees: Sequence[SubTree], points: Floats) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """For each of ``points`` (m, 3) m the tree, and the terminal of it, whose end is nearest: (m,) each."""
    from scipy.spatial import cKDTree

    counts = [len(tree.terminals) for tree in trees]
    _, found = cKDTree(np.concatenate([tree.end_points for tree in trees])).query(points)
    owner = np.repeat(np.arange(len(trees)), counts)[found]
    first = np.concatenate([[0], np.cumsum(counts)])[owner]
    return owner.astype(np.int32), (found - first).astype(np.int32)
