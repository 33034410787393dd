"""Elliptic systems by PETSc: conjugate gradients and its algebraic multigrid, on as many MPI processes as were started.

The first process runs haiflow; the others hold their rows of every matrix and wait to be told (:func:`serve`). An
optional engine: it needs petsc4py and mpi4py.
"""

from __future__ import annotations

import atexit
import weakref
from itertools import count, pairwise
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from haiflow.errors import SolverStopped
from haiflow.ports import Floats

NUMBERS = count()
HELD: dict[int, Any] = {}  # number of a matrix -> its solver, on every process


class PetscSolver:
    """``matrix x = b`` (n, n), symmetric positive definite; made and called by the first process only."""

    def __init__(self, matrix: csr_array, where: str) -> None:
        self.number, self.where = next(NUMBERS), where
        _tell("hold", self.number, matrix)
        weakref.finalize(self, _tell, "drop", self.number).atexit = False

    def solve(self, b: Floats, guess: Floats | None, rtol: float, atol: float) -> tuple[Floats, int]:
        """x (n,) with ``|b - A x| <= max(rtol |b|, atol)``, and the iterations; raises SolverStopped short of that."""
        x, iterations, reason = _tell("solve", self.number, b, guess, rtol, atol)
        if reason < 0:
            raise SolverStopped(0.0, self.where, f"PETSc stops after {iterations} iterations (reason {reason})")
        return x, iterations


def serve() -> bool:
    """Whether this process is not the first: then it has served until the first one ended, which it now will tell."""
    import petsc4py.PETSc  # noqa: F401  (its own end, in which all take part, is then after ours)

    comm = _world()
    if comm.rank == 0:
        atexit.register(_dismiss)
        return False
    while (message := comm.bcast(None)) is not None:
        _act(*message)
    _let_go()
    return True


def _dismiss() -> None:
    """The first process has ended: so do the others."""
    if _world().size > 1:
        _world().bcast(None)
    _let_go()


def _let_go() -> None:
    """Nothing of PETSc's may outlive it."""
    while HELD:
        HELD.popitem()[1].destroy()


def _world() -> Any:
    from mpi4py import MPI

    return MPI.COMM_WORLD


def _tell(what: str, number: int, *data: Any) -> Any:
    """Have every process do it; what is large stays here and is dealt out by rows."""
    if _world().size > 1:
        _world().bcast((what, number))
    return _act(what, number, *data)


def _act(what: str, number: int, *data: Any) -> Any:
    if what == "hold":
        HELD[number] = _held(data[0] if data else None)
    elif what == "drop":
        HELD.pop(number).destroy()
    else:
        return _solved(HELD[number], *(data or (None, None, 0.0, 0.0)))
    return None


def _held(matrix: csr_array | None) -> Any:
    """PETSc's solver with this process's rows of ``matrix``, which the first process gives."""
    from petsc4py import PETSc

    comm, rows = _world(), None
    if matrix is not None:
        cuts = np.linspace(0, matrix.shape[0], comm.size + 1).astype(int)
        rows = [(matrix[a:b], matrix.shape[0]) for a, b in pairwise(cuts)]
    mine, n = comm.scatter(rows)
    petsc: Any = PETSc
    size, real = (mine.shape[0], n), petsc.ScalarType
    held = petsc.Mat().createAIJ((size, size), comm=comm, csr=(
        mine.indptr.astype(petsc.IntType), mine.indices.astype(petsc.IntType), mine.data.astype(real),
    ))  # fmt: skip
    held.setOption(petsc.Mat.Option.SPD, True)
    solver = petsc.KSP().create(comm)
    solver.setOperators(held)
    solver.setType("cg")
    solver.getPC().setType("gamg")
    solver.setNormType(petsc.KSP.NormType.UNPRECONDITIONED)  # the criterion is the residual's own size
    solver.setInitialGuessNonzero(True)
    return solver


def _solved(solver: Any, b: Floats | None, guess: Floats | None, rtol: float, atol: float) -> Any:
    """(x, iterations, reason) on the first process."""
    comm = _world()
    rtol, atol = comm.bcast((rtol, atol))
    matrix, _ = solver.getOperators()
    counts = comm.allgather(matrix.getLocalSize()[0])
    x, right = matrix.createVecs()
    start = np.zeros_like(b) if guess is None and b is not None else guess
    for vector, values in ((right, b), (x, start)):
        whole = None if values is None else [np.ascontiguousarray(values), counts]
        comm.Scatterv(whole, vector.array)
    solver.setTolerances(rtol=rtol, atol=max(atol, 1e-300), max_it=500)
    solver.solve(right, x)
    out = np.empty(sum(counts)) if comm.rank == 0 else None
    comm.Gatherv(x.array.copy(), None if out is None else [out, counts])
    return out, solver.getIterationNumber(), solver.getConvergedReason()
