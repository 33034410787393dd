"""Massless tracers: followed from where they are released to where they leave.

A slow infusion lingers in the mouth of its hole and in the wake behind the tip; there the velocity of the drug is a
small difference of large ones, and a tracer in an interpolated velocity is caught for ever. There the scalar, whose
fluxes are exact, tells how the drug gets out; from the edge of these surroundings tracers show where it goes, without
any of the scalar's numerical diffusion (:mod:`haiflow.junction.releases`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from haiflow.junction.near_wall import NearWall
from haiflow.kernels import kernel
from haiflow.mesh.region import Ints, Region
from haiflow.ports import Floats

tracers = kernel("tracers")

SHARE = 0.2  # of a cell's size in one step
STEPS = 200_000  # of one tracer in one call
CAUGHT = 0.1  # weight of a cell's moving corners, below which a tracer may be one that lies at a wall for ever
STILL = 0.05  # of its cell's size, that one which is not caught moves between two looks at least
FREED = 0.5  # of the way to the cell's middle, by which it is put back into the blood


@dataclass
class Tracers:
    """N tracers on their way: ``place`` (N, 3) m, ``hole`` (N,), ``trail`` (N, k, 3).

    ``left_by`` (N,): -1 while inside, then the patch; :attr:`returned` for those that came back to the control volumes
    of the points ``near`` (n,), from where their drug sets out again as others' weight. ``patience`` s: between two
    looks for those that are caught at walls.
    """

    region: Region
    place: Floats
    cell: Ints
    hole: Ints
    weight: Floats  # (N,) m3/s of its hole's drug that each stands for
    left_by: Ints
    clock: Floats
    trail: Floats
    marks: Ints
    near: NDArray[np.bool_] | None = None
    patience: float = 0.0
    wall: NearWall | None = field(default=None, init=False, repr=False)
    seen: Floats = field(init=False, repr=False)  # (N, 3) m, where they were at the last look
    freed: Ints = field(init=False, repr=False)  # (N,) how often each was put back
    looked: float = field(default=-np.inf, init=False, repr=False)  # s, when the last look was

    def __post_init__(self) -> None:
        self.seen, self.freed = np.full(self.place.shape, np.nan), np.zeros(len(self.place), np.int32)

    @property
    def returned(self) -> int:
        """What ``left_by`` says of those that came back to where they were handed over."""
        return len(self.region.names)

    def carry(self, start: float, end: float, first: Floats, second: Floats, outlets: tuple[str, ...]) -> None:
        """Move all from their clocks to ``end``; velocities (n, 3) ``first`` at ``start`` and ``second`` at ``end``."""
        mesh, d = self.region, self.region.dual
        moving = np.any((first != 0.0) | (second != 0.0), axis=1)
        if self.wall is None or not np.array_equal(self.wall.moving, moving):
            self.wall = NearWall(mesh, moving)
        if start - self.looked >= self.patience * (1.0 - 1e-9):
            self.free(self.wall)
            self.looked = start
        lets_out = np.array([name in outlets for name in mesh.names], np.int32)
        near = np.zeros(len(mesh.points), bool) if self.near is None else self.near
        tracers.carry(
            self.place, self.cell, self.left_by, self.clock, self.trail, self.marks, end, start, first,
            second, mesh.points, mesh.tetra, d.shape, np.cbrt(6.0 * d.cell_volume), mesh.beyond, lets_out,
            self.wall.flows, self.wall.normal, near.view(np.uint8), SHARE,
            2.0 * float(np.cbrt(np.median(d.cell_volume))), STEPS,
        )  # fmt: skip

    def free(self, wall: NearWall) -> int:
        """Put those that are caught at a wall back into the blood, and look again from here. How many they were.

        In the flow itself nothing gets to a wall. In a velocity that is linear in each cell a tracer may come to rest
        there, above all before the crotch of two branches. It is put half of the way to its cell's middle; one that is
        caught again farther off the wall, by a cell more each time. One that slides along a wall is not caught, however
        near: only those are that have hardly moved since the last look, or lie in a cell with all corners on walls.
        """
        at = self._caught(wall)
        again = self.freed[at]
        into = wall.nearest[self.cell[at]]
        # Out of a locked cell the straight way may leave the blood: these start in the middle, too.
        whole = (again > 0) | (into != self.cell[at])
        for count in range(again.max(initial=0)):
            into[again > count] = wall.off(into[again > count])
        middle = self.region.points[self.region.tetra[into]].mean(axis=1)
        self.place[at] += np.where(whole, 1.0, FREED)[:, None] * (middle - self.place[at])
        self.cell[at] = into
        self.freed[at] += 1
        self.seen = self.place.copy()
        return len(at)

    def _caught(self, wall: NearWall) -> NDArray[np.intp]:
        """The numbers of those that are."""
        mesh = self.region
        inside = np.flatnonzero(self.left_by < 0)
        cell, place = self.cell[inside], self.place[inside]
        away = np.einsum("kad,kd->ka", mesh.dual.shape[cell], place - mesh.points[mesh.tetra[cell, 0]])
        away[:, 0] += 1.0  # coordinates in the cell: one at their own corner
        at_wall = (away * wall.flows[mesh.tetra[cell]]).sum(axis=1) < CAUGHT
        moved = np.linalg.norm(place - self.seen[inside], axis=1)
        still = moved < STILL * np.cbrt(6.0 * mesh.dual.cell_volume[cell])  # at the first look NaN: not known
        out = wall.nearest[cell]
        return inside[((at_wall & still) | (out != cell)) & (out >= 0)]

    def shares(self, holes: int, outlets: tuple[str, ...]) -> Floats:
        """(holes, outlets + 1): share of each hole's drug that left by each outlet; the last is still inside."""
        carried = self.by_outlet(holes, outlets)
        return carried / np.maximum(carried.sum(axis=1, keepdims=True), 1e-300)

    def by_outlet(self, holes: int, outlets: tuple[str, ...]) -> Floats:
        """(holes, outlets + 1) m3/s: weight of each hole's tracers that left by each outlet; the last is still inside.

        Those that returned count nowhere.
        """
        columns = [self.region.names.index(name) for name in outlets]
        return np.array([
            [self.weight @ ((self.hole == hole) & (self.left_by == patch)) for patch in (*columns, -1)]
            for hole in range(holes)
        ]).reshape(holes, len(outlets) + 1)  # fmt: skip
