"""Symmetric positive definite systems of diffusion: algebraic multigrid, set up once, and conjugate gradients.

Smoothed aggregation (Vanek, Mandel & Brezina 1996, Computing 56:179) by pyamg preconditions conjugate gradients; a
system that is dominated by its diagonal (a drain in every control volume) needs no multigrid and gets Jacobi's
preconditioner, which then converges as fast. ``HAIFLOW_ELLIPTIC=petsc`` has PETSc solve them instead
(:mod:`haiflow.numerics.petsc`), on the MPI processes that haiflow was started on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import csr_array, csr_matrix
from scipy.sparse.linalg import LinearOperator, cg

from haiflow.errors import InputError, SolverStopped, nearest
from haiflow.ports import Floats

if TYPE_CHECKING:
    from haiflow.numerics.petsc import PetscSolver

DOMINANT = 0.2  # of the diagonal, beyond the off-diagonal sum, in every row: Jacobi gains a digit in a few iterations
MOST_ITERATIONS = 500
ENGINE, ENGINES = "HAIFLOW_ELLIPTIC", ("pyamg", "petsc")


def engine() -> str:
    """Which library solves; raises InputError where it is unknown, or PETSc is asked for and not there."""
    name = os.environ.get(ENGINE, "") or ENGINES[0]
    if name not in ENGINES:
        raise InputError(ENGINE, name, f"one of {', '.join(ENGINES)}", nearest(name, ENGINES))
    if name == "petsc" and not (find_spec("petsc4py") and find_spec("mpi4py")):
        raise InputError(ENGINE, name, "petsc4py and mpi4py are not installed", "pip install petsc4py mpi4py")
    return name


class Solution(NamedTuple):
    x: Floats
    iterations: int
    residual: float  # |b - A x| / |b|


class EllipticSolver:
    """Solver of ``matrix x = b`` for a symmetric positive definite ``matrix`` (n, n)."""

    def __init__(
        self, matrix: csr_array, tolerance: float = 1e-10, *, where: str = "liver, sinusoids", strength: float = 0.0
    ) -> None:
        """``strength``: of the couplings that multigrid heeds, as a share of the diagonals' (0: all of them)."""
        self.matrix, self.tolerance, self.where = matrix, tolerance, where
        self.petsc: PetscSolver | None = None
        if engine() == "petsc":
            from haiflow.numerics.petsc import PetscSolver

            self.petsc = PetscSolver(matrix, where)
            return
        self.preconditioner = _jacobi(matrix) if _dominant(matrix) else _multigrid(matrix, strength)

    def solve(
        self, b: Floats, guess: Floats | None = None, *, tolerance: float | None = None, absolute: float = 0.0
    ) -> Solution:
        """Conjugate gradients to ``|b - A x| <= max(tolerance |b|, absolute)``; raises SolverStopped short of that.

        ``tolerance`` stands for the solver's own where it is given.
        """
        count = 0
        rtol = self.tolerance if tolerance is None else tolerance

        def counted(_: Floats) -> None:
            nonlocal count
            count += 1

        if self.petsc is not None:
            (x, count), info = self.petsc.solve(b, guess, rtol, absolute), 0
        else:
            x, info = cg(
                self.matrix, b, x0=guess, rtol=rtol, atol=absolute, maxiter=MOST_ITERATIONS, M=self.preconditioner,
                callback=counted,
            )  # fmt: skip
        size = float(np.linalg.norm(b))
        residual = float(np.linalg.norm(b - self.matrix @ x)) / size if size > 0.0 else 0.0
        if info != 0 or not residual * size <= 10.0 * max(rtol * size, absolute):
            reason = f"conjugate gradients stand at a residual of {residual:.2g} after {count} iterations"
            raise SolverStopped(0.0, self.where, reason)
        return Solution(x, count, residual)


def _dominant(matrix: csr_array) -> bool:
    diagonal = matrix.diagonal()
    beside = np.asarray(abs(matrix).sum(axis=1)).ravel() - diagonal
    return bool(np.all(diagonal - beside >= DOMINANT * diagonal))


def _jacobi(matrix: csr_array) -> LinearOperator:
    inverse = 1.0 / matrix.diagonal()
    apply: Callable[[Floats], Floats] = lambda r: inverse * r.ravel()  # noqa: E731
    return LinearOperator(matrix.shape, matvec=apply, dtype=np.float64)


def _multigrid(matrix: csr_array, strength: float) -> LinearOperator:
    import pyamg
    from pyamg.relaxation.smoothing import change_smoothers

    before, after = ("gauss_seidel", {"sweep": "forward"}), ("gauss_seidel", {"sweep": "backward"})
    # It estimates spectral radii from random vectors of numpy's global generator: the same ones for the same matrix, so
    # that a run gives the same bits whatever ran before it.
    state = np.random.get_state()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    try:
        levels = pyamg.smoothed_aggregation_solver(
            csr_matrix(matrix), symmetry="symmetric", strength=("symmetric", {"theta": strength}), max_coarse=200,
            presmoother=before, postsmoother=after,
        )  # fmt: skip
    finally:
        np.random.set_state(state)  # noqa: NPY002
    for level in levels.levels:  # blocks of one by one cost half as much again as plain rows
        level.A = csr_matrix(level.A)
    for level in levels.levels[:-1]:
        level.P, level.R = csr_matrix(level.P), csr_matrix(level.R)
    change_smoothers(levels, before, after)
    return levels.aspreconditioner(cycle="V")
