"""Algebraic multigrid of pyamg, set up once and packed for the compiled conjugate gradients.

Smoothed aggregation (Vanek, Mandel & Brezina 1996, Computing 56:179). The library builds the levels; the iteration on
them runs in ``ext/haiflow/kernels/multigrid.pyx``, which holds no lock of the interpreter and makes three passes over
the matrix an iteration, where a cycle put together from general parts makes four.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, csr_matrix

from haiflow.kernels import kernel
from haiflow.ports import Floats

multigrid = kernel("multigrid")

Ints = NDArray[np.int32]
COARSEST = 200  # rows that are solved densely


@dataclass(frozen=True)
class Multigrid:
    """Levels in flat arrays, the finest first. ``matrix`` is that of the finest, whose numbers lie in ``value``.

    N: rows of all levels but the coarsest, together. A system of one level has that one packed, too.
    """

    size: Ints  # (levels,) rows
    offset: Ints  # (levels,) where a level's vectors begin
    row: Ints  # (N + levels - 1,) row pointers, into column and value
    middle: Ints  # (N,) where the diagonal of a row stands
    column: Ints
    value: Floats
    inverse: Floats  # (N,) of the diagonal
    p_row: Ints  # of the interpolations
    p_column: Ints
    p_value: Floats
    coarse: Floats  # (last, last) the coarsest matrix, inverted

    @property
    def matrix(self) -> csr_array:
        """(n, n) without a copy."""
        n = int(self.size[0])
        row = self.row[: n + 1]
        return csr_array((self.value[: row[-1]], self.column[: row[-1]], row), shape=(n, n))

    def solve(self, b: Floats, guess: Floats | None, goal: float, most: int) -> tuple[Floats, int]:
        """x (n,) with ``|b - A x| <= goal``, and the iterations; fewer than zero where ``most`` were not enough."""
        n = int(self.size[0])
        if b.shape != (n,) or (guess is not None and guess.shape != (n,)):
            raise ValueError(f"expected {n} values on the right-hand side and in the guess")
        x = np.zeros(n) if guess is None else np.array(guess, dtype=float)
        count = multigrid.conjugate_gradients(
            x, np.ascontiguousarray(b, dtype=float), np.empty((3, n)), np.empty((2, int(self.size.sum()))), self.size,
            self.offset, self.row, self.middle, self.column, self.value, self.inverse, self.p_row, self.p_column,
            self.p_value, self.coarse, goal, most,
        )  # fmt: skip
        return x, int(count)


def set_up(matrix: csr_array, strength: float) -> Multigrid:
    """Levels for ``matrix`` (n, n), symmetric positive definite, with ``strength`` of the couplings that are heeded."""
    matrices, interpolations = _levels(matrix, strength)
    size = np.array([a.shape[0] for a in matrices], np.int32)
    coarse = np.ascontiguousarray(np.linalg.pinv(matrices[-1].toarray(), hermitian=True))
    matrices = matrices[:-1] or matrices  # the finest one is multiplied with, even where it is also the coarsest
    row, column, value = _packed(matrices)
    p_row, p_column, p_value = _packed(interpolations)
    middle = np.concatenate([_middles(a) + int(s) for a, s in zip(matrices, _starts(matrices), strict=True)])
    inverse = np.concatenate([1.0 / a.diagonal() for a in matrices])
    offset = np.concatenate([[0], np.cumsum(size)[:-1]]).astype(np.int32)
    return Multigrid(
        size, offset, row, middle.astype(np.int32), column, value, inverse, p_row, p_column, p_value, coarse
    )


def _levels(matrix: csr_array, strength: float) -> tuple[list[csr_matrix], list[csr_matrix]]:
    """pyamg's matrices, the coarsest last, and interpolations."""
    import pyamg

    # It estimates spectral radii from random vectors of numpy's global generator: the same ones for the same matrix, so
    # that a run gives the same bits whatever ran before it.
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    try:
        levels = pyamg.smoothed_aggregation_solver(
            csr_matrix(matrix), symmetry="symmetric", strength=("symmetric", {"theta": strength}), max_coarse=COARSEST
        ).levels
    finally:
        np.random.set_state(state)  # noqa: NPY002
    matrices, interpolations = [], []
    for level in levels:
        a = csr_matrix(level.A)  # blocks of one by one are no use here
        a.sort_indices()
        matrices.append(a)
    for level in levels[:-1]:
        interpolations.append(csr_matrix(level.P))
        level.R = level.P = level.A = None
    return matrices, interpolations


def _starts(matrices: list[csr_matrix]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum([a.nnz for a in matrices])[:-1]]).astype(np.int64)


def _packed(matrices: list[csr_matrix]) -> tuple[Ints, Ints, Floats]:
    """Row pointers, columns and values, one matrix after the other."""
    if not matrices:
        return np.zeros(1, np.int32), np.zeros(1, np.int32), np.zeros(1)
    if sum(a.nnz for a in matrices) > np.iinfo(np.int32).max:
        raise ValueError("too many entries for 32-bit row pointers: some 100 million points; HAIFLOW_ELLIPTIC=petsc")
    row = [a.indptr.astype(np.int64) + start for a, start in zip(matrices, _starts(matrices), strict=True)]
    column = np.concatenate([a.indices for a in matrices]).astype(np.int32, copy=False)
    return np.concatenate(row).astype(np.int32), column, np.concatenate([a.data for a in matrices])


def _middles(matrix: csr_matrix) -> NDArray[np.int64]:
    """Where each row has its diagonal."""
    n = matrix.shape[0]
    rows = np.repeat(np.arange(n), np.diff(matrix.indptr))
    return np.flatnonzero(matrix.indices == rows)
