"""Massless tracers: released over a hole or where the drug leaves the tip's surroundings, followed to where they leave.

A slow infusion lingers in the mouth of its hole and in the wake behind the tip; there the velocity of the drug is a
small difference of large ones, and a tracer in an interpolated velocity is caught for ever. There the scalar, whose
fluxes are exact, tells how the drug gets out; from the edge of these surroundings tracers show where it goes, without
any of the scalar's numerical diffusion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haiflow.kernels import kernel
from haiflow.mesh.region import FACES, Ints, Region
from haiflow.ports import Floats

tracers = kernel("tracers")

SHARE = 0.2  # of a cell's size in one step
STEPS = 200_000  # of one tracer in one call
INSET = 0.02  # of its cell, that a tracer starts inside of the hole's face
CAUGHT = 0.02  # weight of a cell's moving corners, below which a tracer lies at a wall that lets nothing go
FREED = 0.5  # of the way to the cell's middle, by which it is put back into the blood


@dataclass
class Tracers:
    """N tracers on their way: ``place`` (N, 3) m, ``hole`` (N,), ``left_by`` (N,) patch or -1, ``trail`` (N, k, 3)."""

    region: Region
    place: Floats
    cell: Ints
    hole: Ints
    weight: Floats  # (N,) share of its hole's drug that each stands for
    left_by: Ints
    clock: Floats
    trail: Floats
    marks: Ints

    def carry(self, start: float, end: float, first: Floats, second: Floats, outlets: tuple[str, ...]) -> None:
        """Move all from their clocks to ``end``; velocities (n, 3) ``first`` at ``start`` and ``second`` at ``end``."""
        mesh, d = self.region, self.region.dual
        self.free(np.any((first != 0.0) | (second != 0.0), axis=1))
        lets_out = np.array([name in outlets for name in mesh.names], np.int32)
        tracers.carry(
            self.place, self.cell, self.left_by, self.clock, self.trail, self.marks, end, start, first,
            second, mesh.points, mesh.tetra, d.shape, np.cbrt(6.0 * d.cell_volume), mesh.beyond, lets_out, SHARE,
            2.0 * float(np.cbrt(np.median(d.cell_volume))), STEPS,
        )  # fmt: skip

    def free(self, moving: NDArray[np.bool_]) -> int:
        """Put those that were caught at a wall back into the blood; ``moving`` (n,): points where it flows. How many.

        In the flow itself the speed towards a wall falls with the square of the distance: nothing gets there. In a
        velocity that is linear in each cell it falls with the distance, so a tracer may run against a wall, above all
        before the crotch of two branches, or into a cell that has all its corners on walls.
        """
        mesh = self.region
        inside = np.flatnonzero(self.left_by < 0)
        cell = self.cell[inside]
        corners = mesh.tetra[cell]
        first = mesh.points[corners[:, 0]]
        away = np.einsum("kad,kd->ka", mesh.dual.shape[cell], self.place[inside] - first)
        away[:, 0] += 1.0  # coordinates in the cell: one at their own corner
        caught = (away * moving[corners]).sum(axis=1) < CAUGHT
        at, cell = inside[caught], cell[caught]
        locked = ~moving[mesh.tetra[cell]].any(axis=1)
        if np.any(locked):
            cell[locked], self.place[at[locked]] = self._next_door(cell[locked], moving)
        middle = mesh.points[mesh.tetra[cell]].mean(axis=1)
        self.place[at] += FREED * (middle - self.place[at])
        self.cell[at] = cell
        return len(at)

    def _next_door(self, cell: Ints, moving: NDArray[np.bool_]) -> tuple[Ints, Floats]:
        """For each of ``cell`` (k,) the neighbour with most moving corners, and the middle of the face between."""
        mesh, rows = self.region, np.arange(len(cell))
        others = mesh.beyond[cell]
        flowing = np.where(others >= 0, moving[mesh.tetra[np.maximum(others, 0)]].sum(axis=2), -1)
        best = np.argmax(flowing, axis=1)
        return others[rows, best], mesh.points[mesh.tetra[cell[:, None], FACES[best]]].mean(axis=1)

    def shares(self, holes: int, outlets: tuple[str, ...]) -> Floats:
        """(holes, outlets + 1): fraction of each hole's tracers that left by each outlet; the last is still inside."""
        columns = [self.region.names.index(name) for name in outlets]
        return np.array([[self._share(hole, patch) for patch in (*columns, -1)] for hole in range(holes)])

    def _share(self, hole: int, patch: int) -> float:
        mine = self.hole == hole
        return float(self.weight[mine] @ (self.left_by[mine] == patch) / max(self.weight[mine].sum(), 1e-300))


def release(
    region: Region, holes: tuple[str, ...], velocity: Floats, count: int, *, time: float = 0.0, marks: int = 0
) -> Tracers:
    """``count`` tracers over each hole's patch, evenly by the flow (m3/s) that enters through its triangles."""
    parts = [_over(region, name, velocity, count) for name in holes]
    place = np.concatenate([at for at, _ in parts])
    cells = np.concatenate([cells for _, cells in parts])
    return _started(region, place, cells, np.repeat(np.arange(len(holes)), count), np.ones(len(place)), time, marks)


def rim(region: Region, near: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(k,) the edges from the points that are ``near`` (n,) to the others."""
    return np.flatnonzero(near[region.dual.ends[:, 0]] != near[region.dual.ends[:, 1]])


def hand_over(
    region: Region,
    near: NDArray[np.bool_],
    edges: NDArray[np.intp],
    carried: Floats,
    count: int,
    *,
    time: float = 0.0,
    marks: int = 0,
) -> Tracers:
    """``count`` tracers for each substance on the :func:`rim` of the points ``near`` (n,), by the drug's own flux.

    ``carried`` (k, q) m3/s: drug through the dual faces of its ``edges`` (k,). Every tracer stands for the same share
    of the drug that leaves the surroundings; it starts at the edge's middle, moved at random into one of the cells
    round it.
    """
    ends, d = region.dual.ends, region.dual
    outwards = np.where(near[ends[edges, 0]], 1.0, -1.0)
    first, round_edge = _cells_of_edges(d.tetra_edge, len(ends))
    places, cells, weights = [], [], []
    for substance in range(carried.shape[1]):
        leaving = np.maximum(outwards * carried[:, substance], 0.0)
        share = np.cumsum(leaving) / max(leaving.sum(), 1e-300)
        chosen = edges[np.minimum(np.searchsorted(share, (np.arange(count) + 0.5) / count), len(edges) - 1)]
        turn = (np.arange(1, count + 1) * 0.6180339887498949) % 1.0
        choices = first[chosen + 1] - first[chosen]
        cell = round_edge[first[chosen] + np.minimum((turn * choices).astype(int), choices - 1)]
        inside = np.einsum("kc,kcd->kd", _anywhere(count), region.points[region.tetra[cell]])
        places.append(0.5 * (region.points[ends[chosen]].mean(axis=1) + inside))
        cells.append(cell)
        weights.append(np.full(count, leaving.sum() / count))
    which = np.repeat(np.arange(carried.shape[1]), count)
    return _started(region, np.concatenate(places), np.concatenate(cells), which, np.concatenate(weights), time, marks)


def _cells_of_edges(tetra_edge: Ints, edges: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cells round edge e: ``cells[first[e]:first[e + 1]]``."""
    flat = tetra_edge.ravel()
    order = np.argsort(flat, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=edges))])
    return first, order // 6


def _anywhere(count: int) -> Floats:
    """Barycentric places (count, 4) evenly in a tetrahedron."""
    draw = np.outer(np.arange(1, count + 1), [0.8191725133961645, 0.6710436067037893, 0.5497004779019703]) % 1.0
    parts = np.diff(np.sort(draw, axis=1), axis=1, prepend=0.0, append=1.0)
    return np.asarray(parts)


def _started(
    region: Region,
    place: Floats,
    cell: NDArray[np.int_],
    hole: NDArray[np.int_],
    weight: Floats,
    time: float,
    marks: int,
) -> Tracers:
    n = len(place)
    return Tracers(
        region, np.ascontiguousarray(place), cell.astype(np.int32), hole.astype(np.int32), weight,
        np.full(n, -1, np.int32), np.full(n, time), np.zeros((n, marks, 3)), np.zeros(n, np.int32),
    )  # fmt: skip


def _over(region: Region, name: str, velocity: Floats, count: int) -> tuple[Floats, NDArray[np.int32]]:
    number = region.names.index(name)
    mine = np.flatnonzero(region.patch == number)
    triangles, areas = region.wall[mine], region.wall_area[mine]
    entering = np.maximum(-np.einsum("kcd,kd->k", velocity[triangles], areas), 0.0)
    if not entering.sum() > 0.0:
        raise ValueError(f"nothing flows in by '{name}'")
    share = np.cumsum(entering) / entering.sum()
    quantile = (np.arange(count) + 0.5) / count
    chosen = np.minimum(np.searchsorted(share, quantile), len(mine) - 1)
    flow = np.maximum(np.einsum("kcd,kd->kc", velocity[triangles[chosen]], -areas[chosen]), 0.0)
    weights = _spread(flow)
    on_face = np.einsum("kc,kcd->kd", weights, region.points[triangles[chosen]])
    cells = region.behind[mine[chosen]]
    centre = region.points[region.tetra[cells]].mean(axis=1)
    return on_face + INSET * (centre - on_face), cells


def _spread(flow: Floats) -> Floats:
    """Barycentric places (k, 3) in triangles, as dense as the linear ``flow`` (k, 3) at their corners.

    That density is a mixture of three, each linear in one coordinate, whose value then follows Beta(2, 2) and whose
    rest is divided evenly. An additive sequence makes the places even, and the same on every machine.
    """
    draw = np.outer(np.arange(1, len(flow) + 1), [0.8191725133961645, 0.6710436067037893, 0.5497004779019703]) % 1.0
    share = np.cumsum(flow, axis=1) / flow.sum(axis=1, keepdims=True)
    corner = np.minimum((draw[:, :1] > share).sum(axis=1), 2)
    own = 0.5 - np.sin(np.arcsin(1.0 - 2.0 * draw[:, 1]) / 3.0)
    rest = (1.0 - own) * draw[:, 2]
    weights, at = np.empty((len(flow), 3)), np.arange(len(flow))
    weights[at, corner], weights[at, (corner + 1) % 3], weights[at, (corner + 2) % 3] = own, rest, 1.0 - own - rest
    return weights
