"""Conductances of tetrahedra and implicit sweeps against plain numpy twins."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.spatial import Delaunay

from haiflow.kernels import kernel

volumes, scalar = kernel("volumes"), kernel("scalar")


@pytest.fixture(scope="module")
def mesh():
    points = np.random.default_rng(4).random((60, 3))
    tetra = Delaunay(points).simplices.astype(np.int32)
    corners = points[tetra]
    size = np.linalg.det(corners[:, 1:] - corners[:, :1]) / 6.0
    tetra, size = tetra[np.abs(size) > 1e-6], size[np.abs(size) > 1e-6]
    tetra[size < 0.0] = tetra[size < 0.0][:, [0, 2, 1, 3]]
    return points, np.ascontiguousarray(tetra)


def twin_edges(points, tetra, mobility):
    """T of the six corner pairs by gradients of barycentric coordinates."""
    found = np.zeros((len(tetra), 6))
    for k, cell in enumerate(tetra):
        frame = np.concatenate([points[cell], np.ones((4, 1))], axis=1)
        slope, size = np.linalg.inv(frame)[:3], abs(np.linalg.det(frame)) / 6.0
        for e, (i, j) in enumerate(zip(*np.triu_indices(4, 1), strict=True)):
            found[k, e] = -mobility[k] * size * (slope[:, i] @ slope[:, j])
    return found


def test_conductances_and_volumes(mesh):
    points, tetra = mesh
    mobility = np.random.default_rng(1).random(len(tetra)) + 0.5
    edge, volume = np.empty((len(tetra), 6)), np.empty(len(tetra))
    volumes.conductances(edge, volume, points, tetra, mobility)
    corners = points[tetra]
    np.testing.assert_allclose(volume, np.linalg.det(corners[:, 1:] - corners[:, :1]) / 6.0, rtol=1e-9)
    wanted = twin_edges(points, tetra, mobility)
    np.testing.assert_allclose(edge, wanted, rtol=1e-8, atol=1e-9 * np.abs(wanted).max())


def test_rows_are_the_sums_over_the_cells_round_each_point(mesh):
    points, tetra = mesh
    n, m = len(points), len(tetra)
    edge = np.random.default_rng(2).random((m, 6))
    start, cells = np.zeros(n + 1, np.int32), np.empty(4 * m, np.int32)
    volumes.cells_of_points(start, cells, tetra)
    for i in range(n):
        assert sorted(cells[start[i] : start[i + 1]]) == sorted(np.flatnonzero((tetra == i).any(axis=1)))
    count, mark = np.empty(n, np.int32), np.full(n, -1, np.int32)
    volumes.count_neighbours(count, mark, tetra, start, cells)
    row = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    column, value = np.empty(row[-1], np.int32), np.empty(row[-1])
    mark.fill(-1)
    volumes.gather_rows(column, value, mark, row, tetra, start, cells, edge)
    twin = np.zeros((n, n))
    for k, cell in enumerate(tetra):
        for e, (i, j) in enumerate(zip(*np.triu_indices(4, 1), strict=True)):
            twin[cell[i], cell[j]] += edge[k, e]
            twin[cell[j], cell[i]] += edge[k, e]
    np.testing.assert_allclose(csr_array((value, column, row), shape=(n, n)).toarray(), twin, rtol=1e-13)
    for i in range(n):
        assert np.all(np.diff(column[row[i] : row[i + 1]]) > 0)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("against", [0.0, 0.2])
@pytest.mark.parametrize("guess", [0.0, 9.0])
def test_a_sweep_solves_the_system(reverse, against, guess):
    """Whether the concentrations rise from the guess or fall."""
    rng = np.random.default_rng(8)
    n = 50
    flux = np.tril(rng.random((n, n)) * (rng.random((n, n)) < 0.2), -1)
    flux += against * np.triu(rng.random((n, n)) * (rng.random((n, n)) < 0.1), 1)
    flux = flux.T.copy() if reverse else flux
    diagonal = np.maximum(flux.sum(axis=0), flux.sum(axis=1)) + rng.random(n) + 0.1
    rows, right, h = csr_array(flux), rng.random(n), 0.7
    own = np.repeat(np.arange(n), np.diff(rows.indptr))
    late = np.flatnonzero(rows.indices < own if reverse else rows.indices > own).astype(np.int32)
    c, used = np.full(n, guess), np.empty(late.size)
    sweeps = scalar.sweep(
        c, used, right, 1.0 / diagonal, rows.indptr.astype(np.int32), rows.indices.astype(np.int32), rows.data, late,
        own[late].astype(np.int32), h, 1e-15, 500, reverse,
    )  # fmt: skip
    assert sweeps == 1 if against == 0.0 else sweeps > 1
    np.testing.assert_allclose(c, np.linalg.solve(np.diag(diagonal) - h * flux, right), rtol=1e-12)


def test_a_sweep_that_cannot_settle_or_meets_nan_says_so():
    none, two = np.zeros(0, np.int32), np.array([0, 1, 2], np.int32)
    other = np.array([1, 0], np.int32)
    for right, sweeps in ((np.array([1.0, 1.0]), 30), (np.array([np.nan, 1.0]), 30)):
        found = scalar.sweep(
            np.zeros(2), np.empty(1), right, np.ones(2), two, other, np.array([1.0, 1.0]), np.array([0], np.int32),
            np.array([0], np.int32), 1.0, 1e-14, sweeps, False,
        )  # fmt: skip
        assert found == -1
    assert scalar.sweep(
        np.zeros(0), np.empty(0), np.zeros(0), np.zeros(0), np.zeros(1, np.int32), none, np.zeros(0), none, none, 1.0,
        1e-14, 5, False,
    ) == 0  # fmt: skip
