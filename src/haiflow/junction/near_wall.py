"""What tracers must know of the walls: where blood moves, which way a wall lies, and the way out of a dead corner."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from haiflow.mesh.region import Ints, Region
from haiflow.ports import Floats


@dataclass(frozen=True)
class NearWall:
    """``moving`` (n,): the points of ``region`` at which the blood moves; walls have none."""

    region: Region
    moving: NDArray[np.bool_]

    @cached_property
    def flows(self) -> Floats:
        """(n,) one where the blood moves, zero where not: linear in a cell, it says how far off the wall a place is."""
        return self.moving.astype(float)

    @cached_property
    def normal(self) -> Floats:
        """(n, 3) from the wall, at points in the blood that share a cell with it; zero at all others."""
        mesh, d = self.region, self.region.dual
        moving = self.moving[mesh.tetra]
        at = np.flatnonzero(moving.any(axis=1) & ~moving.all(axis=1))
        slope = d.cell_volume[at, None] * np.einsum("ka,kad->kd", moving[at], d.shape[at])
        out = np.zeros((len(mesh.points), 3))
        for corner in range(4):
            np.add.at(out, mesh.tetra[at, corner], slope * moving[at, corner, None])
        size = np.linalg.norm(out, axis=1, keepdims=True)
        return np.divide(out, size, out=np.zeros_like(out), where=size > 0.0)

    @cached_property
    def nearest(self) -> Ints:
        """(m,) the cell through fewest faces in which blood moves: a cell itself, unless all its corners are on walls.

        -1 where no way leads there.
        """
        mesh = self.region
        goal = np.where(self.moving[mesh.tetra].any(axis=1), np.arange(len(mesh.tetra)), -1)
        ahead = np.flatnonzero(goal < 0)
        while len(ahead):
            beyond = mesh.beyond[ahead]
            found = np.where(beyond >= 0, goal[np.maximum(beyond, 0)], -1).max(axis=1)
            if not np.any(found >= 0):
                break
            goal[ahead] = found
            ahead = ahead[found < 0]
        return goal.astype(np.int32)

    def off(self, cell: Ints) -> Ints:
        """(k,) of each ``cell`` (k,) and those next to it the one whose corners lie farthest off the walls."""
        beyond = self.region.beyond[cell]
        choice = np.column_stack([cell, np.where(beyond >= 0, beyond, cell[:, None])])
        depth = self.depth[self.region.tetra[choice]].sum(axis=2)
        return np.asarray(choice[np.arange(len(cell)), np.argmax(depth, axis=1)])

    @cached_property
    def depth(self) -> Floats:
        """(n,) edges from the nearest wall to each point."""
        ends = self.region.dual.ends
        out = np.where(self.moving, np.inf, 0.0)
        while True:
            before = out.copy()
            np.minimum.at(out, ends[:, 0], before[ends[:, 1]] + 1.0)
            np.minimum.at(out, ends[:, 1], before[ends[:, 0]] + 1.0)
            if np.array_equal(out, before):
                return out
