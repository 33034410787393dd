"""The order of points and cells in memory: neighbours near each other make the loops three to four times faster."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, reverse_cuthill_mckee

from haiflow.ports import Floats

EDGES = np.array([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])


def neighbours(tetra: NDArray[np.int32], n_points: int) -> csr_array:
    """(n, n) symmetric pattern of the points that an edge joins."""
    ends = tetra[:, EDGES].reshape(-1, 2)
    pattern = csr_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(n_points, n_points))
    return csr_array(pattern + pattern.T)


def by_neighbours(tetra: NDArray[np.int32], n_points: int) -> NDArray[np.int32]:
    """(n,) the points in the order of reverse Cuthill and McKee (1969, ACM National Conference)."""
    return np.asarray(reverse_cuthill_mckee(neighbours(tetra, n_points), symmetric_mode=True), dtype=np.int32)


def renumbered(
    points: Floats, tetra: NDArray[np.int32], label: NDArray[np.int32]
) -> tuple[Floats, NDArray[np.int32], NDArray[np.int32]]:
    """Points in the order of their neighbours, cells in the order of their points."""
    order = by_neighbours(tetra, len(points))
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    moved = place[tetra].astype(np.int32)
    along = np.argsort(moved.min(axis=1), kind="stable")
    return points[order], moved[along], label[along]


def parts(tetra: NDArray[np.int32], n_points: int) -> NDArray[np.int32]:
    """(m,) the number of the connected part that each cell is in; cells are joined where they share a point."""
    _, part = connected_components(neighbours(tetra, n_points), directed=False)
    return np.asarray(part[tetra[:, 0]], dtype=np.int32)
