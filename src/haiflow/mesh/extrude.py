"""Tetrahedra from a plane triangulation drawn out along an axis: pipes, channels, boxes and their images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.mesh.order import renumbered
from haiflow.mesh.region import FACES, Ints, Region
from haiflow.ports import Floats

Fits = Callable[[Floats], NDArray[np.bool_]]  # centres (b, 3) m -> which of them belong to a patch


def extruded(plane: Floats, triangles: NDArray[np.int_], levels: Floats) -> tuple[Floats, Ints]:
    """Points (n q, 3) and tetrahedra of ``triangles`` (k, 3) on ``plane`` (n, 2) drawn out to ``levels`` (q,).

    Prisms are cut by the order of their corners, so that neighbours agree.
    """
    n, sorted_corners = len(plane), np.sort(triangles, axis=1)
    points = np.concatenate([np.column_stack([plane, np.full(n, z)]) for z in levels])
    lower = np.concatenate([sorted_corners + n * layer for layer in range(len(levels) - 1)])
    (a0, b0, c0), (a1, b1, c1) = lower.T, (lower + n).T
    tetra = np.concatenate([np.column_stack(cut) for cut in ((a0, b0, c0, c1), (a0, b0, c1, b1), (a0, b1, c1, a1))])
    return points, tetra.astype(np.int32)


def boundary(tetra: NDArray[Any]) -> tuple[Ints, Ints]:
    """The triangles (b, 3) that belong to one cell alone, outwards, and their cells (b,)."""
    faces = tetra[:, FACES].reshape(-1, 3)
    _, first, count = np.unique(np.sort(faces, axis=1), axis=0, return_index=True, return_counts=True)
    outer = np.sort(first[count == 1])
    return faces[outer].astype(np.int32), (outer // 4).astype(np.int32)


def region(
    points: Floats, tetra: Ints, named: Sequence[tuple[str, Fits]]
) -> Region:
    """A region whose patches are told by the centres (b, 3) of the boundary's triangles; the first that fits counts.

    Cells are turned right way round and all is renumbered. Raises ValueError where a triangle fits no patch.
    """
    a, b, c, d = points[tetra].transpose(1, 0, 2)
    inverted = np.einsum("ij,ij->i", b - a, np.cross(c - a, d - a)) < 0.0
    tetra = np.where(inverted[:, None], tetra[:, [0, 2, 1, 3]], tetra).astype(np.int32)
    points, tetra, _ = renumbered(points, tetra, np.zeros(len(tetra), np.int32))
    tetra = np.ascontiguousarray(tetra)
    wall, _ = boundary(tetra)
    centres = points[wall].mean(axis=1)
    patch = np.full(len(wall), -1, np.int32)
    for number, (_, fits) in enumerate(named):
        patch[(patch < 0) & fits(centres)] = number
    if np.any(patch < 0):
        raise ValueError(f"{np.count_nonzero(patch < 0)} triangles of the boundary belong to no patch")
    return Region(np.ascontiguousarray(points), tetra, wall, patch, tuple(name for name, _ in named))
