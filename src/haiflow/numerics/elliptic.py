"""Symmetric positive definite systems of diffusion: algebraic multigrid, set up once, and conjugate gradients.

Smoothed aggregation (Vanek, Mandel & Brezina 1996, Computing 56:179) by pyamg preconditions conjugate gradients; a
system that is dominated by its diagonal (a drain in every control volume) needs no multigrid and gets Jacobi's
preconditioner, which then converges as fast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, csr_matrix
from scipy.sparse.linalg import LinearOperator, cg

from haiflow.errors import SolverStopped
from haiflow.ports import Floats

DOMINANT = 0.2  # of the diagonal, beyond the off-diagonal sum, in every row: Jacobi gains a digit in a few iterations
MOST_ITERATIONS = 500


class Solution(NamedTuple):
    x: Floats
    iterations: int
    residual: float  # |b - A x| / |b|


class EllipticSolver:
    """Solver of ``matrix x = b`` for a symmetric positive definite ``matrix`` (n, n)."""

    def __init__(self, matrix: csr_array, tolerance: float = 1e-10) -> None:
        self.matrix, self.tolerance = matrix, tolerance
        self.preconditioner = _jacobi(matrix) if _dominant(matrix) else _multigrid(matrix)

    def solve(self, b: Floats, guess: Floats | None = None) -> Solution:
        """Conjugate gradients to ``|b - A x| <= tolerance |b|``; raises SolverStopped where they do not get there."""
        count = 0

        def counted(_: Floats) -> None:
            nonlocal count
            count += 1

        x, info = cg(
            self.matrix, b, x0=guess, rtol=self.tolerance, atol=0.0, maxiter=MOST_ITERATIONS, M=self.preconditioner,
            callback=counted,
        )  # fmt: skip
        size = float(np.linalg.norm(b))
        residual = float(np.linalg.norm(b - self.matrix @ x)) / size if size > 0.0 else 0.0
        if info != 0 or not residual <= 10.0 * self.tolerance:
            reason = f"conjugate gradients stand at a residual of {residual:.2g} after {count} iterations"
            raise SolverStopped(0.0, "liver, sinusoids", reason)
        return Solution(x, count, residual)


def _dominant(matrix: csr_array) -> bool:
    diagonal = matrix.diagonal()
    beside = np.asarray(abs(matrix).sum(axis=1)).ravel() - diagonal
    return bool(np.all(diagonal - beside >= DOMINANT * diagonal))


def _jacobi(matrix: csr_array) -> LinearOperator:
    inverse = 1.0 / matrix.diagonal()
    apply: Callable[[Floats], Floats] = lambda r: inverse * r.ravel()  # noqa: E731
    return LinearOperator(matrix.shape, matvec=apply, dtype=np.float64)


def _multigrid(matrix: csr_array) -> LinearOperator:
    import pyamg

    # It estimates spectral radii from random vectors of numpy's global generator: the same ones for the same matrix, so
    # that a run gives the same bits whatever ran before it.
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    try:
        levels = pyamg.smoothed_aggregation_solver(
            csr_matrix(matrix), symmetry="symmetric", strength=("symmetric", {"theta": 0.0}), max_coarse=200,
            presmoother=("gauss_seidel", {"sweep": "forward"}), postsmoother=("gauss_seidel", {"sweep": "backward"}),
        )  # fmt: skip
    finally:
        np.random.set_state(before)  # noqa: NPY002
    return levels.aspreconditioner(cycle="V")
