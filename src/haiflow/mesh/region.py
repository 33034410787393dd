"""A region of tetrahedra with named patches, and its median dual by edges: all that a flow solver asks of a mesh.

The control volume of a point is a quarter of each tetrahedron round it; edge ``e`` from point ``ends[e, 0]`` to the
higher point ``ends[e, 1]`` crosses the dual face with the area vector ``area[e]``. Rows of the points' matrix (no
diagonal) have their columns sorted; ``slot[e]`` says where (i, j) and (j, i) stand in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.kernels import kernel
from haiflow.mesh.order import EDGES
from haiflow.ports import Floats

Ints = NDArray[np.int32]
volumes = kernel("volumes")


FACES = np.array([(1, 2, 3), (0, 3, 2), (0, 1, 3), (0, 2, 1)])  # opposite to each corner, outwards


def _keys(faces: NDArray[Any], reach: int) -> NDArray[np.int64]:
    """One number for each triangle of sorted points that lie less than ``reach`` numbers apart."""
    a, b, c = faces.astype(np.int64).T
    return np.asarray((a * reach + b - a) * reach + c - a)


@dataclass(frozen=True)
class Region:
    """``points`` (n, 3) m, ``tetra`` (m, 4), boundary triangles ``wall`` (b, 3) with their ``patch`` (b,) in ``names``.

    Triangles are turned so that their area vectors point outwards.
    """

    points: Floats
    tetra: Ints
    wall: Ints
    patch: Ints
    names: tuple[str, ...]

    def triangles(self, name: str) -> Ints:
        """(k, 3) the triangles of a patch."""
        return self.wall[self.patch == self.names.index(name)]

    def on(self, name: str) -> Ints:
        """The points of a patch, sorted."""
        return np.unique(self.triangles(name)).astype(np.int32)

    @cached_property
    def wall_area(self) -> Floats:
        """(b, 3) m2, outwards."""
        a, b, c = self.points[self.wall].transpose(1, 0, 2)
        return np.ascontiguousarray(0.5 * np.cross(b - a, c - a))

    @cached_property
    def _reach(self) -> int:
        """How far apart the points of a cell are numbered; raises ValueError where faces would share a key."""
        reach = int((self.tetra.max(axis=1) - self.tetra.min(axis=1)).max(initial=0)) + 1
        if len(self.points) * reach**2 > np.iinfo(np.int64).max:
            raise ValueError(f"{len(self.points)} points, {reach} numbers apart in a cell: renumber them by neighbours")
        return reach

    @cached_property
    def beyond(self) -> Ints:
        """(m, 4): the cell beyond the face opposite to each corner; on the boundary -1 - patch."""
        reach = self._reach
        every = np.empty(4 * len(self.tetra), np.int64)
        for corner, face in enumerate(FACES):  # one after the other: large meshes have no room for all
            every[corner::4] = _keys(np.sort(self.tetra[:, face], axis=1), reach)
        order = np.argsort(every, kind="stable")
        every = every[order]
        first = np.flatnonzero(every[1:] == every[:-1])
        out = np.empty(len(every), np.int32)
        out[order[first]], out[order[first + 1]] = order[first + 1] // 4, order[first] // 4
        alone = np.ones(len(every), bool)
        alone[first], alone[first + 1] = False, False
        rim = _keys(np.sort(self.wall, axis=1), reach)
        by_rim = np.argsort(rim)
        out[order[alone]] = -1 - self.patch[by_rim[np.searchsorted(rim[by_rim], every[alone])]]
        return out.reshape(-1, 4)

    @cached_property
    def behind(self) -> Ints:
        """(b,) the cell behind each triangle of the boundary."""
        cells, corner = np.nonzero(self.beyond < 0)
        outer = _keys(np.sort(self.tetra[cells[:, None], FACES[corner]], axis=1), self._reach)
        order = np.argsort(outer)
        rim = _keys(np.sort(self.wall, axis=1), self._reach)
        return cells[order[np.searchsorted(outer[order], rim)]].astype(np.int32)

    @cached_property
    def dual(self) -> Dual:
        return dual_of(self.points, self.tetra)


@dataclass(frozen=True)
class Dual:
    """The edges and control volumes of a region; see the module."""

    ends: Ints  # (e, 2)
    area: Floats  # (e, 3) m2
    tetra_edge: Ints  # (m, 6)
    shape: Floats  # (m, 4, 3) 1/m
    cell_volume: Floats  # (m,) m3
    volume: Floats  # (n,) m3
    row: Ints  # (n + 1,)
    column: Ints  # (2 e,)
    slot: Ints  # (e, 2)


def dual_of(points: Floats, tetra: Ints) -> Dual:
    """The median dual of ``tetra`` (m, 4) on ``points`` (n, 3); raises ValueError where a cell is inside out."""
    n, m = len(points), len(tetra)
    shape, cell_volume = np.empty((m, 4, 3)), np.empty(m)
    volumes.shape_gradients(shape, cell_volume, points, tetra)
    if not np.all(cell_volume > 0.0):
        raise ValueError(f"cell {int(np.argmin(cell_volume > 0.0))} is flat or inside out")
    pairs = np.sort(tetra[:, EDGES], axis=2).astype(np.int64)
    keys, edge = np.unique(pairs[..., 0] * n + pairs[..., 1], return_inverse=True)
    ends = np.stack([keys // n, keys % n], axis=1).astype(np.int32)
    tetra_edge = edge.reshape(m, 6).astype(np.int32)
    area = np.empty((len(ends), 3))
    volumes.dual_faces(area, tetra, tetra_edge, shape, cell_volume)
    volume = np.asarray(np.bincount(tetra.ravel(), np.repeat(0.25 * cell_volume, 4), n), float)
    return Dual(ends, area, tetra_edge, shape, cell_volume, volume, *_rows(ends, n))


def _rows(ends: Ints, n: int) -> tuple[Ints, Ints, Ints]:
    """Row starts, columns and places of both directions of each edge; edges come sorted by their ends."""
    below, above = np.bincount(ends[:, 1], minlength=n), np.bincount(ends[:, 0], minlength=n)
    row = np.concatenate([[0], np.cumsum(below + above)])
    slot = np.empty(ends.shape, np.int64)
    number = np.arange(len(ends))
    slot[:, 0] = row[ends[:, 0]] + below[ends[:, 0]] + number - (np.cumsum(above) - above)[ends[:, 0]]
    order = np.argsort(ends[:, 1], kind="stable")
    slot[order, 1] = row[ends[order, 1]] + number - (np.cumsum(below) - below)[ends[order, 1]]
    column = np.empty(row[-1], np.int64)
    column[slot[:, 0]], column[slot[:, 1]] = ends[:, 1], ends[:, 0]
    return row.astype(np.int32), column.astype(np.int32), slot.astype(np.int32)
