"""The vessels between the tip and the node where a split hands its drug over to the tree.

The tree takes the drug at that node, so that nothing of it is in the cells before; what the branches carry has come by
these vessels all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from haiflow.arteries.tree import Tree
from haiflow.catheter.line import Tip
from haiflow.ports import Floats


@dataclass(frozen=True)
class Way:
    """``vessels`` from the tip on, each with what of it (m) lies before the tip; ``branches`` leave its end."""

    vessels: dict[int, float]
    branches: tuple[int, ...]

    def fill(self, carried: Floats) -> Floats:
        """(n_vessels,) what each vessel carries, given what the tree's cells do."""
        found = carried.copy()
        found[list(self.vessels)] = carried[list(self.branches)].sum()
        return found

    def concentration(self, carried: Floats, vessel: int, at: Floats, volume: float) -> Floats:
        """Mean drug (kg/m3) at places ``at`` (m from the start) that the cells of a ``vessel`` lack, where ``carried``
        (n_vessels,) of it in ``volume`` (m3) of blood has passed."""
        if vessel not in self.vessels or volume <= 0.0:
            return np.zeros(len(at))
        return np.where(at >= self.vessels[vessel], carried[vessel] / volume, 0.0)


def way_between(tree: Tree, tip: Tip, first: str) -> Way:
    """From the ``tip`` to the node at which the vessel ``first`` begins; empty where the tip lies there."""
    node = int(tree.start[tree.vessel(first)])
    branches = tuple(int(v) for v in np.flatnonzero(tree.start == node))
    if tip.vessel is None:
        return Way({}, branches)
    own = tree.vessel(tip.vessel)
    vessels: dict[int, float] = {}
    ostium = tip.position == "ostium"
    while not (ostium and node == tree.start[own]):
        feeders = np.flatnonzero(tree.end == node)
        if feeders.size != 1:  # the tip does not lie before the node
            return Way({}, branches)
        feeder = int(feeders[0])
        if feeder == own:
            return Way({own: 0.0 if isinstance(tip.position, str) else float(tip.position), **vessels}, branches)
        vessels[feeder], node = 0.0, int(tree.start[feeder])
    return Way(vessels, branches)
