"""Volumes, centres and quality of tetrahedra, in numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haiflow.ports import Floats


def tetra_volumes(points: Floats, tetra: NDArray[np.int32]) -> Floats:
    """Signed volumes (m,) in m3 of ``tetra`` (m, 4) on ``points`` (n, 3) in m; negative where a cell is inside out."""
    a, b, c, d = points[tetra].transpose(1, 0, 2)
    return np.einsum("ij,ij->i", b - a, np.cross(c - a, d - a)) / 6.0


def tetra_centres(points: Floats, tetra: NDArray[np.int32]) -> Floats:
    """Centroids (m, 3) in m."""
    return points[tetra].mean(axis=1)


def tetra_quality(points: Floats, tetra: NDArray[np.int32]) -> Floats:
    """Mean-ratio quality (m,): 1 for a regular tetrahedron, 0 for a flat one, negative when inverted.

    ``12 (3 V)^(2/3) / sum of squared edge lengths`` (Liu & Joe 1994, BIT 34:268).
    """
    corners = points[tetra]
    first, second = np.triu_indices(4, 1)
    edges = ((corners[:, first] - corners[:, second]) ** 2).sum(axis=(1, 2))
    volume = tetra_volumes(points, tetra)
    return np.sign(volume) * 12.0 * (3.0 * np.abs(volume)) ** (2.0 / 3.0) / np.where(edges > 0.0, edges, 1.0)
