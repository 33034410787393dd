"""The compiled loops of the 3D flow against plain numpy on a small mesh of distorted tetrahedra."""

import numpy as np
import pytest

from haiflow.kernels import kernel
from haiflow.mesh.extrude import extruded, region
from haiflow.verify.shapes import grid, jittered

flow3d, scalar = kernel("flow3d"), kernel("scalar")


@pytest.fixture(scope="module")
def mesh():
    side = np.linspace(0.0, 1.0, 5)
    plane, triangles = grid(side, side)
    points, tetra = extruded(jittered(plane, 0.25), triangles, np.linspace(0.0, 1.0, 4) ** 1.3)
    return region(points, tetra, [("all", lambda c: np.ones(len(c), bool))])


@pytest.fixture
def random():
    return np.random.default_rng(5)


def stiffness(mesh, weight):
    d, n = mesh.dual, len(mesh.points)
    dense = np.zeros((n, n))
    for cell, corners in enumerate(mesh.tetra):
        part = weight[cell] * d.cell_volume[cell] * d.shape[cell] @ d.shape[cell].T
        dense[np.ix_(corners, corners)] += part
    return dense


def test_the_dual_fills_the_region_and_closes(mesh):
    d = mesh.dual
    assert d.volume.sum() == pytest.approx(1.0, rel=1e-12)
    left = np.zeros((len(mesh.points), 3))
    np.add.at(left, d.ends[:, 0], d.area)
    np.subtract.at(left, d.ends[:, 1], d.area)
    for corner in range(3):
        np.add.at(left, mesh.wall[:, corner], mesh.wall_area / 3.0)
    assert np.abs(left).max() < 1e-14


def test_rows_hold_both_directions_of_each_edge(mesh):
    d = mesh.dual
    assert np.array_equal(d.column[d.slot[:, 0]], d.ends[:, 1])
    assert np.array_equal(d.column[d.slot[:, 1]], d.ends[:, 0])
    rows = np.repeat(np.arange(len(mesh.points)), np.diff(d.row))
    assert np.array_equal(rows[d.slot[:, 0]], d.ends[:, 0])
    assert all(np.all(np.diff(d.column[a:b]) > 0) for a, b in zip(d.row, d.row[1:], strict=False))


def test_gradients_are_the_mean_of_the_cells_own(mesh, random):
    d, field = mesh.dual, random.normal(size=(len(mesh.points), 2))
    out = np.empty((len(mesh.points), 2, 3))
    flow3d.gradients(out, field, d.ends, d.area, mesh.wall, mesh.wall_area, 1.0 / d.volume)
    cells = np.einsum("kaf,kad->kfd", field[mesh.tetra], d.shape)
    plain = np.zeros_like(out)
    for corner in range(4):
        np.add.at(plain, mesh.tetra[:, corner], 0.25 * d.cell_volume[:, None, None] * cells)
    assert np.allclose(out, plain / d.volume[:, None, None], rtol=0, atol=1e-12)


def test_pressure_fluxes_sum_to_the_finite_elements_rows(mesh, random):
    d, n = mesh.dual, len(mesh.points)
    weight, p = random.uniform(0.5, 2.0, len(mesh.tetra)), random.normal(size=n)
    flux, out = np.empty(len(d.ends)), np.empty(n)
    flow3d.gradient_fluxes(flux, p, weight, mesh.tetra, d.tetra_edge, d.shape, d.cell_volume)
    flow3d.divergence(out, flux, d.ends)
    assert np.allclose(out, -stiffness(mesh, weight) @ p, atol=1e-12)


def test_the_flux_of_a_linear_pressure_is_exact_on_every_face(mesh):
    d, slope = mesh.dual, np.array([0.3, -1.2, 0.7])
    flux = np.empty(len(d.ends))
    ones = np.ones(len(mesh.tetra))
    flow3d.gradient_fluxes(flux, mesh.points @ slope, ones, mesh.tetra, d.tetra_edge, d.shape, d.cell_volume)
    assert np.allclose(flux, d.area @ slope, atol=1e-14)


def test_laplacian_by_rows(mesh, random):
    d, weight = mesh.dual, random.uniform(0.5, 2.0, len(mesh.tetra))
    off, edge = np.empty(len(d.column)), np.empty(len(d.ends))
    flow3d.laplacian(off, weight, mesh.tetra, d.tetra_edge, d.slot, d.shape, d.cell_volume, edge)
    dense = stiffness(mesh, weight)
    rows = np.repeat(np.arange(len(mesh.points)), np.diff(d.row))
    assert np.allclose(off, dense[rows, d.column], atol=1e-14)
    assert np.allclose(edge, -dense[d.ends[:, 0], d.ends[:, 1]], atol=1e-14)


def matrix(mesh, flux, friction, eta):
    d, n = mesh.dual, len(mesh.points)
    off, bold = np.empty(len(d.column)), np.empty(len(d.column))
    diagonal, strong, rate = np.empty(n), np.empty(n), np.empty(n)
    flow3d.momentum_matrix(off, diagonal, bold, strong, rate, flux, friction, d.ends, d.slot, eta)
    return off, diagonal, bold, strong, rate


def test_momentum_matrix_keeps_a_uniform_velocity_and_matches_its_faces(mesh, random):
    d, n = mesh.dual, len(mesh.points)
    flux, friction = random.normal(size=len(d.ends)), random.uniform(0.0, 1.0, len(d.ends))
    off, diagonal, bold, strong, rate = matrix(mesh, flux, friction, 1 / 6)
    free, x = np.ones((n, 3)), random.normal(size=(n, 3))
    out = np.empty((n, 3))
    flow3d.apply(out, off, diagonal, np.ones((n, 3)), d.row, d.column, free)
    assert np.abs(out).max() < 1e-12
    i, j = d.ends.T
    jump, mean = x[j] - x[i], 0.5 * (x[i] + x[j])
    face = flux[:, None] * mean - (np.abs(flux) / 6 + friction)[:, None] * jump
    plain = np.zeros((n, 3))
    np.add.at(plain, i, face - flux[:, None] * x[i])
    np.subtract.at(plain, j, face - flux[:, None] * x[j])
    flow3d.apply(out, off, diagonal, x, d.row, d.column, free)
    assert np.allclose(out, plain, atol=1e-12)
    assert np.all(bold <= 0.0)
    assert np.all(strong >= 0.0)
    assert np.allclose(rate, np.bincount(d.ends.ravel(), np.repeat(0.5 * np.abs(flux) + friction, 2)))


def test_smoothing_solves_a_dominant_matrix(mesh, random):
    d, n = mesh.dual, len(mesh.points)
    _, _, bold, strong, _ = matrix(mesh, random.normal(size=len(d.ends)), np.zeros(len(d.ends)), 0.5)
    strong = strong + 3.0
    free, right = np.ones((n, 3)), random.normal(size=(n, 3))
    free[0] = 0.0
    x, out = np.empty((n, 3)), np.empty((n, 3))
    flow3d.smooth(x, bold, 1.0 / strong, right, d.row, d.column, free, 60)
    flow3d.apply(out, bold, strong, x, d.row, d.column, free)
    assert np.abs(out - free * right).max() < 1e-9
    assert not x[0].any()


def test_carreau_yasuda_between_rest_and_thin():
    rate, out = np.array([0.0, 1.0, 1e6]), np.empty(3)
    flow3d.carreau_yasuda(out, rate, 5.3e-5, 3.3e-6, 8.2, 0.64, 0.2128)
    exact = 3.3e-6 + (5.3e-5 - 3.3e-6) * (1 + (8.2 * rate) ** 0.64) ** ((0.2128 - 1) / 0.64)
    assert np.allclose(out, exact, rtol=1e-12)
    assert out[0] == pytest.approx(5.3e-5)


def test_shear_rate_and_stress_of_a_linear_velocity(mesh):
    d = mesh.dual
    slope = np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    velocity = mesh.points @ slope.T
    rate = np.empty(len(mesh.tetra))
    flow3d.shear_rates(rate, velocity, mesh.tetra, d.shape)
    assert np.allclose(rate, 2.0)
    out = np.zeros_like(velocity)
    flow3d.transposed_stress(out, velocity, np.full(len(mesh.tetra), 0.1), mesh.tetra, d.shape, d.cell_volume)
    inner = np.all((mesh.points > 1e-9) & (mesh.points < 1 - 1e-9), axis=1)
    assert np.abs(out[inner]).max() < 1e-13


def test_transposed_stress_is_the_weak_form_of_its_divergence(mesh, random):
    d, velocity = mesh.dual, random.normal(size=(len(mesh.points), 3))
    viscosity = random.uniform(0.5, 2.0, len(mesh.tetra))
    out, plain = np.zeros_like(velocity), np.zeros_like(velocity)
    flow3d.transposed_stress(out, velocity, viscosity, mesh.tetra, d.shape, d.cell_volume)
    slope = np.einsum("kac,kad->kcd", velocity[mesh.tetra], d.shape)  # d u_c / d x_d
    parts = -(viscosity * d.cell_volume)[:, None, None] * np.einsum("kdc,kad->kac", slope, d.shape)
    for corner in range(4):
        np.add.at(plain, mesh.tetra[:, corner], parts[:, corner])
    assert np.allclose(out, plain, atol=1e-12)
    assert np.abs(plain).max() > 0.1


def test_known_part_of_convection_and_the_damping_by_edges(mesh, random):
    d, n = mesh.dual, len(mesh.points)
    i, j = d.ends.T
    flux, gradient = random.normal(size=len(d.ends)), random.normal(size=(n, 3, 3))
    out, plain = np.zeros((n, 3)), np.zeros((n, 3))
    flow3d.convection_rest(out, gradient, flux, d.ends, mesh.points, 0.3)
    up = np.where(flux > 0.0, i, j)
    moved = 0.3 * np.abs(flux)[:, None] * np.einsum("ecd,ed->ec", gradient[up], mesh.points[j] - mesh.points[i])
    np.subtract.at(plain, i, moved)
    np.add.at(plain, j, moved)
    assert np.allclose(out, plain, atol=1e-12)
    slope, direct, tau = random.normal(size=(n, 3)), random.normal(size=len(d.ends)), random.uniform(1.0, 2.0, n)
    damped = flux.copy()
    flow3d.add_damping(damped, slope, direct, tau, d.ends, d.area)
    mean = 0.5 * np.einsum("ed,ed->e", slope[i] + slope[j], d.area)
    assert np.allclose(damped, flux + 0.5 * (tau[i] + tau[j]) * (mean - direct), atol=1e-12)
    velocity = random.normal(size=(n, 3))
    flow3d.velocity_fluxes(damped, velocity, d.ends, d.area)
    assert np.allclose(damped, 0.5 * np.einsum("ed,ed->e", velocity[i] + velocity[j], d.area), atol=1e-12)


def test_explicit_and_implicit_upwind_steps_agree_in_the_limit_of_short_ones(mesh, random):
    d, n = mesh.dual, len(mesh.points)
    flux, boundary = random.normal(size=len(d.ends)), random.normal(size=n)
    c, inflow, friction = random.uniform(size=(n, 1)), random.uniform(size=(n, 1)), random.uniform(size=len(d.ends))
    room, out = np.full(n, 1e9), np.empty((n, 1))
    scalar.upwind_step(out, c, inflow, flux, boundary, friction, room, d.ends)
    off, diagonal = np.empty(len(d.column)), np.empty(n)
    scalar.upwind_matrix(off, diagonal, flux, friction, d.ends, d.slot)
    rows = np.repeat(np.arange(n), np.diff(d.row))
    change = inflow[:, 0] - (diagonal + np.maximum(boundary, 0.0)) * c[:, 0]
    np.subtract.at(change, rows, off * c[d.column, 0])
    assert np.allclose((out - c)[:, 0] * room, change, atol=1e-5)


def test_corrected_drug_stays_within_its_bounds_and_is_kept(mesh, random):
    d, n = mesh.dual, len(mesh.points)
    c, room = random.uniform(0.0, 1.0, (n, 2)), random.uniform(0.5, 2.0, n)
    flux = random.normal(size=len(d.ends))
    slope = random.normal(size=(n, 2, 3))
    correction, gain, loss = np.empty((len(d.ends), 2)), np.empty((n, 2)), np.empty((n, 2))
    scalar.correction_fluxes(correction, gain, loss, c, c, slope, flux, d.ends, mesh.points, 1 / 6)
    low, high, out = np.empty((n, 2)), np.empty((n, 2)), np.empty((n, 2))
    scalar.bounds(low, high, c, d.ends)
    assert np.array_equal(high[d.ends[0, 0]] >= c[d.ends[0, 1]], [True, True])
    scalar.limit_shares(gain, loss, c, low, high, room)
    scalar.limit_fluxes(out, correction, gain, loss, d.ends)
    moved = c - out / room[:, None]
    assert np.abs(out.sum(axis=0)).max() < 1e-12
    assert np.all(moved >= low - 1e-12)
    assert np.all(moved <= high + 1e-12)
    assert np.abs(out).max() > 1e-3
