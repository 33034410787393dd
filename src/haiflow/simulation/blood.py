"""Blood flow for the timeline: one periodic cycle for each distinct tree, found once.

The undisturbed tree is driven by the scenario's inflow. What a fault does to the flow is decided by the pressure that
the heart keeps up, not by a flow that must go somewhere: so every altered tree is driven by the pressure waveform that
the undisturbed tree has at its inlet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from haiflow.arteries import stations
from haiflow.arteries.grid import make_grid
from haiflow.arteries.periodic import Cycle, periodic
from haiflow.arteries.state import State
from haiflow.arteries.tree import Inlet, Tree
from haiflow.catheter.line import Tip
from haiflow.ports import Floats
from haiflow.simulation.parts import Parts
from haiflow.simulation.shared import Shared, state_key


class BloodFlow:
    """Periodic cycles by content of the tree; ``base`` is the tree before anything happened to it."""

    def __init__(
        self,
        base: Tree,
        *,
        tolerance: float = 1e-3,
        max_cycles: int = 40,
        cell_length: float = 4e-3,
        min_cells: int = 2,
        courant: float = 0.7,
        shared: Shared | None = None,
    ) -> None:
        self.shared = shared
        self.base, self.tolerance, self.max_cycles = base, tolerance, max_cycles
        self.cell_length, self.min_cells, self.courant = cell_length, min_cells, courant
        self.base_digest = base.digest()
        self.cycles: dict[str, Cycle] = {}
        self.latest: State | None = None
        self.told: Callable[[int, float], None] | None = None  # hears the number of each heart beat and the share done

    def cycle(self, tree: Tree) -> Cycle:
        """The periodic cycle of ``tree``; an altered tree starts from the state of the one before."""
        digest = tree.digest()
        if digest not in self.cycles:
            self.cycles[digest] = self._solve(tree, digest)
        return self.cycles[digest]

    def driven(self, tree: Tree) -> Tree:
        """``tree`` as it is solved: with the undisturbed pressure at its inlet, unless it is the undisturbed one."""
        if tree.digest() == self.base_digest:
            return tree
        base = self.cycle(self.base)
        return replace(tree, inlet=Inlet(tree.inlet.node, "pressure", base.period, base.inlet_pressure))

    def _solve(self, tree: Tree, digest: str) -> Cycle:
        driven = tree if digest == self.base_digest else self.driven(tree)
        if self.shared is None:
            cycle = self._periodic(driven)
        else:
            numerics = (self.tolerance, self.max_cycles, self.cell_length, self.min_cells, self.courant)
            key = f"{driven.digest()} {numerics!r} {state_key(self.latest)}"
            cycle = self.shared.once("cycle", key, lambda: self._periodic(driven))
        # A growing fault alters the tree little by little: the last state is the nearest to start from.
        self.latest = cycle.state
        return cycle

    def _periodic(self, driven: Tree) -> Cycle:
        return periodic(
            driven,
            tolerance=self.tolerance,
            max_cycles=self.max_cycles,
            state=self.latest,
            grid=make_grid(driven, self.cell_length, self.min_cells),
            courant=self.courant,
            told=self.told,
        )


def tip_pressure(cycle: Cycle, tree: Tree, tip: Tip) -> Floats:
    """(nt,) gauge Pa over the cycle where the tip lies: at a vessel's ostium or at a position (m) along it."""
    if tip.vessel is None:
        raise ValueError("the tip lies in no vessel")
    vessel = tree.vessel(tip.vessel)
    if tip.position == "ostium":
        return cycle.node_pressure[:, tree.start[vessel]]
    return stations.between(stations.of_cycle(cycle, tree, vessel), tip_share(tree, tip))


def tip_share(tree: Tree, tip: Tip) -> float:
    """How far along its vessel the tip lies, of the length; zero at the ostium."""
    if tip.vessel is None or tip.position == "ostium":
        return 0.0
    return float(np.clip(float(tip.position) / tree.length[tree.vessel(tip.vessel)], 0.0, 1.0))


def mean_tip_pressure(parts: Parts, blood: BloodFlow | None) -> float:
    """Mean pressure (gauge Pa) where the line's holes let out; the given one without arteries or out of them."""
    if blood is None or parts.line is None or parts.tree is None or parts.line.tip.vessel is None:
        return parts.artery_pressure
    return float(np.mean(tip_pressure(blood.cycle(parts.tree), parts.tree, parts.line.tip)))
