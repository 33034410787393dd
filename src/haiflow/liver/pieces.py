"""The liver's control volumes: round every point of the mesh, cut where two regions meet.

A region is a segment's normal tissue, a tumour, or a tumour's necrotic core. The median-dual control volume of a point
that lies between regions is cut into one piece for each: pieces of a point share its pressure but not their blood nor
their tissue, so that a tumour keeps its own concentration up to its rim and sums over the cells of a region are exactly
the sums over its pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from haiflow.ports import Floats

Indices = NDArray[np.int32]


@dataclass(frozen=True)
class Pieces:
    """Pieces of control volumes of a mesh of m tetrahedra.

    ``corner`` (m, 4): the piece at each corner of each cell; ``point`` (n,), ``region`` (n,) of each piece;
    ``cell_volume`` (m,) m3 and ``cell_region`` (m,).
    """

    corner: Indices
    point: Indices
    region: Indices
    cell_volume: Floats
    cell_region: Indices

    @property
    def n(self) -> int:
        return self.point.size

    @cached_property
    def volume(self) -> Floats:
        """(n,) m3."""
        return self.gathered(self.cell_volume)

    @cached_property
    def n_points(self) -> int:
        return int(self.point.max()) + 1

    def gathered(self, cells: Floats) -> Floats:
        """(n,) sums over the pieces of what the cells (m,) hold, a quarter at each corner."""
        return np.asarray(np.bincount(self.corner.ravel(), np.repeat(0.25 * cells, 4), self.n), dtype=float)

    def at_points(self, values: Floats) -> Floats:
        """(n_points,) sums over the pieces (n,) of each point."""
        return np.asarray(np.bincount(self.point, values, self.n_points), dtype=float)

    def in_cells(self, values: NDArray[Any]) -> Floats:
        """(m,) means over a cell's corners; weighted by volume they sum to what the pieces (n,) sum to."""
        return np.asarray(values[self.corner].mean(axis=1), dtype=float)

    def matrix(self, cells: csr_array) -> csr_array:
        """(n, k): :meth:`gathered` for every column of ``cells`` (m, k)."""
        quarter = csr_array(
            (np.full(self.corner.size, 0.25), (self.corner.ravel(), np.repeat(np.arange(len(self.corner)), 4))),
            shape=(self.n, len(self.corner)),
        )
        return csr_array(quarter @ cells)


def cut(tetra: Indices, cell_volume: Floats, cell_region: Indices) -> Pieces:
    """The pieces of the control volumes of ``tetra`` (m, 4) by the region (m,) of each cell, in the order of points."""
    n_regions = int(cell_region.max()) + 1
    keys = tetra.astype(np.int64) * n_regions + cell_region[:, None]
    found, corner = np.unique(keys, return_inverse=True)
    return Pieces(
        corner.reshape(tetra.shape).astype(np.int32),
        (found // n_regions).astype(np.int32),
        (found % n_regions).astype(np.int32),
        cell_volume,
        cell_region,
    )
