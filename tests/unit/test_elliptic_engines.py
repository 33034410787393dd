"""PETSc in the stead of pyamg: the same solutions, in one process and in several."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array, kron

from haiflow.errors import InputError
from haiflow.numerics.elliptic import EllipticSolver

TWICE = """
import numpy as np
from haiflow.numerics.petsc import serve
if not serve():
    from tests.unit.test_elliptic_engines import poisson, difference
    print(difference(poisson(40)))
"""


def poisson(n):
    line = diags_array([-np.ones(n - 1), 2.0 * np.ones(n), -np.ones(n - 1)], offsets=[-1, 0, 1])
    one = diags_array(np.ones(n))
    return csr_array(kron(line, one) + kron(one, line))


def difference(matrix):
    """Largest error of two solutions, one from a guess, over the solution's size."""
    known = np.sin(np.arange(matrix.shape[0]))
    solver = EllipticSolver(matrix, 1e-11)
    first = solver.solve(matrix @ known)
    second = solver.solve(matrix @ known, first.x + 0.1, absolute=1e-11)
    assert first.iterations > 1
    return max(np.abs(first.x - known).max(), np.abs(second.x - known).max())


@pytest.fixture
def petsc(monkeypatch):
    pytest.importorskip("petsc4py", reason="petsc4py is an extra that is compiled")
    pytest.importorskip("mpi4py", reason="mpi4py is an extra that is compiled")
    monkeypatch.setenv("HAIFLOW_ELLIPTIC", "petsc")


def test_pyamg_solves():
    assert difference(poisson(40)) < 1e-8


def test_petsc_solves(petsc):
    assert difference(poisson(40)) < 1e-8


def test_two_processes_solve(petsc):
    mpiexec = shutil.which("mpiexec")
    if mpiexec is None:
        pytest.skip("no mpiexec on this machine")
    free = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    done = subprocess.run(
        [mpiexec, "-n", "2", sys.executable, "-c", TWICE], env={**os.environ, **free}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[-1]) < 1e-8


def test_an_engine_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setenv("HAIFLOW_ELLIPTIC", "hypre")
    with pytest.raises(InputError, match="one of pyamg, petsc"):
        EllipticSolver(poisson(4))
    monkeypatch.setenv("HAIFLOW_ELLIPTIC", "petsc")
    monkeypatch.setattr("haiflow.numerics.elliptic.find_spec", lambda name: None)
    with pytest.raises(InputError, match="not installed"):
        EllipticSolver(poisson(4))
