"""Symmetric positive definite systems of diffusion: algebraic multigrid, set up once, and conjugate gradients.

Smoothed aggregation by pyamg (:mod:`haiflow.numerics.multigrid`) preconditions conjugate gradients; a system that is
dominated by its diagonal (a drain in every control volume) needs no multigrid and gets Jacobi's preconditioner, which
then converges as fast. ``HAIFLOW_ELLIPTIC=petsc`` has PETSc solve them instead
(:mod:`haiflow.numerics.petsc`), on the MPI processes that haiflow was started on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator, cg

from haiflow.errors import InputError, SolverStopped, nearest
from haiflow.numerics.multigrid import set_up
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
        self.levels = None if _dominant(matrix) else set_up(matrix, strength)
        if self.levels is not None:
            self.matrix = self.levels.matrix  # the same numbers, held once

    def solve(
        self, b: Floats, guess: Floats | None = None, *, tolerance: float | None = None, absolute: float = 0.0
    ) -> Solution:
        """Conjugate gradients to ``|b - A x| <= max(tolerance |b|, absolute)``; raises SolverStopped short of that.

        ``tolerance`` stands for the solver's own where it is given.
        """
        size = float(np.linalg.norm(b))
        rtol = self.tolerance if tolerance is None else tolerance
        goal = max(rtol * size, absolute)
        if size == 0.0:
            return Solution(np.zeros_like(b), 0, 0.0)
        if self.petsc is not None:
            x, count = self.petsc.solve(b, guess, rtol, absolute)
        elif self.levels is not None:
            x, count = self.levels.solve(b, guess, goal, MOST_ITERATIONS)
        else:
            x, count = _by_diagonal(self.matrix, b, guess, goal)
        residual = float(np.linalg.norm(b - self.matrix @ x)) / size
        if count < 0 or not residual * size <= 10.0 * goal:
            reason = f"conjugate gradients stand at a residual of {residual:.2g} after {abs(count)} iterations"
            raise SolverStopped(0.0, self.where, reason)
        return Solution(x, count, residual)


def _dominant(matrix: csr_array) -> bool:
    diagonal = matrix.diagonal()
    beside = np.asarray(abs(matrix).sum(axis=1)).ravel() - diagonal
    return bool(np.all(diagonal - beside >= DOMINANT * diagonal))


def _by_diagonal(matrix: csr_array, b: Floats, guess: Floats | None, goal: float) -> tuple[Floats, int]:
    """Jacobi's preconditioner; the iterations are negative where they were not enough."""
    inverse, count = 1.0 / matrix.diagonal(), 0
    apply: Callable[[Floats], Floats] = lambda r: inverse * r.ravel()  # noqa: E731

    def counted(_: Floats) -> None:
        nonlocal count
        count += 1

    jacobi = LinearOperator(matrix.shape, matvec=apply, dtype=np.float64)
    x, info = cg(matrix, b, x0=guess, rtol=0.0, atol=goal, maxiter=MOST_ITERATIONS, M=jacobi, callback=counted)
    return x, count if info == 0 else -count
