"""Median-dual control volumes round the points of a tetrahedral mesh: the checked way into the compiled kernel.

The control volume of a point is a quarter of each tetrahedron round it. ``ext/haiflow/kernels/volumes.pyx`` tells how
the conductances come about.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from haiflow.kernels import kernel
from haiflow.ports import Floats

volumes = kernel("volumes")


def dual_volumes(tetra: NDArray[np.int32], volume: Floats, n_points: int) -> Floats:
    """Control volumes (n_points,) m3 from the volumes (m,) of the tetrahedra (m, 4)."""
    return np.asarray(np.bincount(tetra.ravel(), np.repeat(0.25 * volume, 4), n_points), dtype=float)


def conductances(points: Floats, tetra: NDArray[np.int32], mobility: Floats) -> csr_array:
    """Symmetric (n, n) matrix T without a diagonal: ``T_ij (p_i - p_j)`` flows from control volume i to j (m3/s).

    ``points`` (n, 3) m, ``tetra`` (m, 4), ``mobility`` (m,) permeability over viscosity of each cell (m2/(Pa s)).
    An obtuse edge may have a negative T. Raises ValueError on wrong shapes, on corners that are no points, and on
    cells that are flat or inside out.
    """
    n, m = len(points), len(tetra)
    if points.shape != (n, 3) or tetra.shape != (m, 4) or mobility.shape != (m,):
        raise ValueError(f"shapes {points.shape}, {tetra.shape}, {mobility.shape}: expected (n, 3), (m, 4), (m,)")
    cells = np.ascontiguousarray(tetra, dtype=np.int32)
    if m and (cells.min() < 0 or cells.max() >= n):
        raise ValueError("a tetrahedron names a point that does not exist")
    edge, volume = np.empty((m, 6)), np.empty(m)
    volumes.conductances(
        edge, volume, np.ascontiguousarray(points, dtype=np.float64), cells, np.ascontiguousarray(mobility, np.float64)
    )
    if not np.all(volume > 0.0):
        raise ValueError(f"cell {int(np.argmin(volume > 0.0))} is flat or inside out")
    start, round_points = np.zeros(n + 1, np.int32), np.empty(4 * m, np.int32)
    volumes.cells_of_points(start, round_points, cells)
    count, mark = np.empty(n, np.int32), np.full(n, -1, np.int32)
    volumes.count_neighbours(count, mark, cells, start, round_points)
    row = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    column, value = np.empty(row[-1], np.int32), np.empty(row[-1])
    mark.fill(-1)
    volumes.gather_rows(column, value, mark, row, cells, start, round_points, edge)
    rows = csr_array((value, column, row), shape=(n, n))
    rows.has_sorted_indices = rows.has_canonical_format = True
    return rows


def diffusion_matrix(conductance: csr_array) -> csr_array:
    """``diag(row sums) - T``: the net outflow of every control volume is this times the pressures."""
    from scipy.sparse import diags_array

    total = np.add.reduceat(np.append(conductance.data, 0.0), conductance.indptr[:-1])
    total[np.diff(conductance.indptr) == 0] = 0.0
    return csr_array(diags_array(total) - conductance)
