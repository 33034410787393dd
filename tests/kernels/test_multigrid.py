"""The compiled conjugate gradients on a hierarchy of levels against a plain numpy twin made of general parts."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array, kron, tril, triu
from scipy.sparse.linalg import spsolve_triangular

from haiflow.numerics.multigrid import _packed, set_up


def poisson(n, stretch=1.0):
    """Five points on a square of n by n, their couplings one way ``stretch`` times the other's."""
    line = diags_array([-np.ones(n - 1), 2.0 * np.ones(n), -np.ones(n - 1)], offsets=[-1, 0, 1])
    one = diags_array(np.ones(n))
    return csr_array(kron(line, one) + stretch * kron(one, line))


def parts(levels):
    """Each level's matrix and its interpolation from the next one, as general sparse matrices."""
    matrices, interpolations = [], []
    for k, (n, coarser) in enumerate(zip(levels.size[:-1], levels.size[1:], strict=True)):
        for row, column, value, shape, out in (
            (levels.row, levels.column, levels.value, (n, n), matrices),
            (levels.p_row, levels.p_column, levels.p_value, (n, coarser), interpolations),
        ):
            row = row[levels.offset[k] + k :][: n + 1]
            at = slice(row[0], row[-1])
            out.append(csr_array((value[at], column[at], row - row[0]), shape=shape))
    return matrices, interpolations


def cycle(levels, b, level=0):
    if level == len(levels.size) - 1:
        return levels.coarse @ b
    matrices, interpolations = parts(levels)
    a, p = matrices[level], interpolations[level]
    x = spsolve_triangular(csr_array(tril(a)), b, lower=True)
    x = x + p @ cycle(levels, p.T @ (b - a @ x), level + 1)
    return x + spsolve_triangular(csr_array(triu(a)), b - a @ x, lower=False)


def twin(levels, a, b, x, iterations):
    r = b - a @ x
    p, before = np.zeros_like(b), np.inf
    for _ in range(iterations):
        z = cycle(levels, r)
        rho = r @ z
        p = z + rho / before * p
        step = rho / (p @ (a @ p))
        x, r, before = x + step * p, r - step * (a @ p), rho
    return x


def test_each_iteration_is_the_twins():
    a, rng = poisson(50, 3.0), np.random.default_rng(4)
    levels, b, guess = set_up(a, 0.0), rng.normal(size=2500), rng.normal(size=2500)
    assert len(levels.size) > 2  # a cycle that goes down and up more than once
    for iterations in (1, 2, 5):
        x, count = levels.solve(b, guess, 0.0, iterations)
        assert count == -1 - iterations
        plain = twin(levels, a, b, guess, iterations)
        assert np.abs(x - plain).max() < 1e-11 * np.abs(plain).max()


def test_iterations_hardly_grow_with_the_system():
    counts = []
    for n in (20, 40, 80):
        a = poisson(n)
        b = a @ np.sin(np.arange(n * n))
        x, count = set_up(a, 0.0).solve(b, None, 1e-9 * np.linalg.norm(b), 100)
        assert np.linalg.norm(b - a @ x) <= 1.01e-9 * np.linalg.norm(b)
        counts.append(count)
    assert 0 < counts[-1] <= counts[0] + 8


def test_a_system_of_one_level_is_solved_at_once():
    a = poisson(8)
    b = np.cos(np.arange(64.0))
    levels = set_up(a, 0.0)
    x, count = levels.solve(b, None, 1e-12, 10)
    assert list(levels.size) == [64]
    assert count <= 2
    assert np.allclose(x, np.linalg.solve(a.toarray(), b), rtol=1e-12)


def test_the_finest_matrix_is_held_once_and_unchanged():
    a = poisson(25, 2.0)
    levels = set_up(a, 0.08)
    assert np.array_equal(levels.matrix.toarray(), a.toarray())
    assert np.shares_memory(levels.matrix.data, levels.value)


def test_a_guess_that_solves_takes_no_iteration_and_is_not_touched():
    a = poisson(20)
    known = np.sin(np.arange(400.0))
    x, count = set_up(a, 0.0).solve(a @ known, known, 1e-10, 10)
    assert count == 0
    assert np.array_equal(x, known)
    assert x is not known


def test_what_is_not_a_number_ends_the_loop():
    b = np.ones(400)
    b[7] = np.nan
    _, count = set_up(poisson(20), 0.0).solve(b, None, 1e-10, 50)
    assert count < 0


def test_wrong_lengths_are_refused():
    levels = set_up(poisson(20), 0.0)
    with pytest.raises(ValueError, match="400 values"):
        levels.solve(np.ones(399), None, 1e-10, 5)
    with pytest.raises(ValueError, match="400 values"):
        levels.solve(np.ones(400), np.ones(401), 1e-10, 5)


def test_more_entries_than_row_pointers_can_count_are_refused():
    with pytest.raises(ValueError, match="32-bit"):
        _packed([SimpleNamespace(nnz=2**30), SimpleNamespace(nnz=2**30)])


def test_a_users_own_random_numbers_are_left_as_they_are(monkeypatch):
    """pyamg draws from numpy's global generator: set-up takes the same numbers each time, and the user's go on."""
    np.random.seed(7)  # noqa: NPY002
    wanted = np.random.random(3)  # noqa: NPY002
    np.random.seed(7)  # noqa: NPY002
    first = set_up(poisson(50, 3.0), 0.0)
    np.testing.assert_array_equal(np.random.random(3), wanted)  # noqa: NPY002
    np.testing.assert_array_equal(set_up(poisson(50, 3.0), 0.0).value, first.value)
    import pyamg

    def fails(*_, **__):
        np.random.random(5)  # noqa: NPY002
        raise MemoryError

    monkeypatch.setattr(pyamg, "smoothed_aggregation_solver", fails)
    np.random.seed(7)  # noqa: NPY002
    with pytest.raises(MemoryError):
        set_up(poisson(50, 3.0), 0.0)
    np.testing.assert_array_equal(np.random.random(3), wanted)  # noqa: NPY002
