"""Darcy flow in the sinusoids: order of convergence on tetrahedra, conservation, and what linear elements give."""

import numpy as np
import pytest
from scipy.sparse import csr_array, diags_array

from haiflow.liver.pieces import cut
from haiflow.liver.sinusoids import Sinusoids, drain_conductance
from haiflow.mesh.dual import conductances, diffusion_matrix, dual_volumes
from haiflow.mesh.standard import standard_liver
from haiflow.mesh.volumes import tetra_volumes
from haiflow.numerics.elliptic import EllipticSolver


def cube(n, seed=1):
    """The unit cube in 6 n^3 tetrahedra whose inner points are shifted at random: nothing is regular."""
    axis = np.linspace(0.0, 1.0, n + 1)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    inner = np.all((points > 1e-9) & (points < 1.0 - 1e-9), axis=1)
    points[inner] += np.random.default_rng(seed).uniform(-0.18, 0.18, (inner.sum(), 3)) / n
    number = np.arange((n + 1) ** 3).reshape((n + 1,) * 3)
    corner = {bits: number[tuple(slice(b, n + b) for b in bits)].ravel() for bits in np.ndindex(2, 2, 2)}
    paths = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    cells = []
    for path in paths:  # Kuhn's six tetrahedra, from corner to corner along the axes
        bits = np.zeros((4, 3), dtype=int)
        for step, axis_number in enumerate(path):
            bits[step + 1 :, axis_number] = 1
        cells.append(np.stack([corner[tuple(b)] for b in bits], axis=1))
    tetra = np.concatenate(cells).astype(np.int32)
    turned = tetra_volumes(points, tetra) < 0.0
    tetra[turned] = tetra[turned][:, [0, 2, 1, 3]]
    return points, tetra


def exact(points):
    x, y, z = points.T
    return np.sin(1.3 * x + 0.2) * np.cos(0.9 * y) * np.exp(0.5 * z)


SOURCE = 1.3**2 + 0.9**2 - 0.5**2  # -laplace(exact) = SOURCE * exact


def solved(n):
    """Error of pressure (L2) and of flux through the dual faces (weighted by face, relative), with a drain of one."""
    points, tetra = cube(n)
    conductance = conductances(points, tetra, np.ones(len(tetra)))
    matrix = diffusion_matrix(conductance)
    volume = dual_volumes(tetra, tetra_volumes(points, tetra), len(points))
    rim = np.any((points < 1e-9) | (points > 1.0 - 1e-9), axis=1)
    wanted = exact(points)
    inner = np.flatnonzero(~rim)
    whole = csr_array(matrix + diags_array(volume))
    right = (SOURCE + 1.0) * volume * wanted - whole[:, np.flatnonzero(rim)] @ wanted[rim]
    p = wanted.copy()
    p[inner] = EllipticSolver(csr_array(whole[inner][:, inner]), 1e-12).solve(right[inner]).x
    gradient, size = gradients(points, tetra, p), tetra_volumes(points, tetra)
    middle = points[tetra].mean(axis=1)
    step = 1e-5
    true = np.stack([(exact(middle + step * e) - exact(middle - step * e)) / (2 * step) for e in np.eye(3)], axis=1)
    error = np.sqrt(volume @ (p - wanted) ** 2), np.sqrt(size @ ((gradient - true) ** 2).sum(axis=1))
    return np.array(error)


def gradients(points, tetra, p):
    corners = points[tetra]
    return np.linalg.solve(corners[:, 1:] - corners[:, :1], (p[tetra][:, 1:] - p[tetra][:, :1])[:, :, None])[:, :, 0]


def test_pressure_is_of_second_order_and_flux_of_first():
    coarse, fine = solved(12), solved(24)
    order = np.log2(coarse / fine)
    assert order[0] >= 1.9
    assert order[1] >= 0.9


def test_rows_are_those_of_linear_finite_elements():
    points, tetra = cube(3)
    mobility = np.random.default_rng(0).uniform(0.5, 2.0, len(tetra))
    stiffness = np.zeros((len(points),) * 2)
    for cell, k in zip(tetra, mobility, strict=True):
        frame = np.concatenate([points[cell], np.ones((4, 1))], axis=1)
        slope = np.linalg.inv(frame)[:3]
        volume = abs(np.linalg.det(frame)) / 6.0
        stiffness[np.ix_(cell, cell)] += k * volume * slope.T @ slope
    np.testing.assert_allclose(diffusion_matrix(conductances(points, tetra, mobility)).toarray(), stiffness, atol=1e-13)


# Four points of degree two in a tetrahedron (Hammer, Marlowe & Stroud 1956): exact for what linear elements need.
INNER = 0.13819660112501052 + (0.5854101966249685 - 0.13819660112501052) * np.eye(4)


def against_linear_elements(n):
    """Error (L2) of the lumped source over that of linear finite elements, which integrate it."""
    points, tetra = cube(n)
    size = tetra_volumes(points, tetra)
    matrix = diffusion_matrix(conductances(points, tetra, np.ones(len(tetra))))
    volume, wanted = dual_volumes(tetra, size, len(points)), exact(points)
    inner = np.flatnonzero(np.all((points > 1e-9) & (points < 1.0 - 1e-9), axis=1))
    rim = np.setdiff1d(np.arange(len(points)), inner)
    at = np.stack([exact(place @ points[tetra]) for place in INNER], axis=1)
    integrated = sum(
        np.bincount(tetra[:, c], SOURCE * size * (at * INNER[:, c]).mean(axis=1), len(points)) for c in range(4)
    )
    errors = []
    for source in (SOURCE * volume * wanted, integrated):
        p = wanted.copy()
        right = source[inner] - matrix[inner][:, rim] @ wanted[rim]
        p[inner] = EllipticSolver(csr_array(matrix[inner][:, inner]), 1e-12).solve(right).x
        errors.append(np.sqrt(volume @ (p - wanted) ** 2))
    return errors[0] / errors[1]


def test_pressure_is_as_good_as_that_of_linear_finite_elements():
    assert against_linear_elements(16) <= 1.03


def test_a_linear_pressure_is_exact_whatever_the_tetrahedra():
    points, tetra = cube(5)
    inner = np.all((points > 1e-9) & (points < 1.0 - 1e-9), axis=1)
    net = diffusion_matrix(conductances(points, tetra, np.full(len(tetra), 3.0))) @ (points @ [1.0, -2.0, 0.5])
    assert np.abs(net[inner]).max() <= 1e-14


def bed(rng, permeability):
    """The standard liver with one region's supply taken away, and the flow in it."""
    mesh = standard_liver()
    pieces = cut(mesh.tetra, mesh.volumes, (mesh.couinaud_segment - 1).astype(np.int32))
    healthy = pieces.gathered(mesh.volumes * rng.uniform(0.5, 1.5, len(mesh.tetra))) / 60.0
    sinusoids = Sinusoids(
        mesh.points, pieces, np.full(len(mesh.tetra), permeability / 3.8e-3), drain_conductance(healthy)
    )
    supply = np.where(pieces.region == 5, 0.0, healthy)
    return sinusoids, healthy, supply


@pytest.mark.parametrize("permeability", [1.56e-14, 1e-10, 1e-8])
def test_every_control_volume_balances(permeability):
    sinusoids, _, supply = bed(np.random.default_rng(5), permeability)
    flow, pieces = sinusoids.flow(supply), sinusoids.pieces
    total = supply.sum()
    assert 0.0 < flow.imbalance <= 1e-8
    left = supply + flow.graph.taken + flow.backflow - flow.graph.given - flow.drain  # of every piece
    assert np.abs(left).max() <= 1e-8 * total
    drain = pieces.at_points(flow.drain - flow.backflow)
    conductance = pieces.at_points(sinusoids.conductance)
    np.testing.assert_allclose(drain, conductance * (flow.pressure - sinusoids.venous_pressure), atol=1e-8 * total)
    assert flow.drain.min() >= 0.0
    assert 0.0 <= flow.backflow.sum() <= 1e-5 * total


def test_a_healthy_liver_has_one_pressure_and_no_flow_between_its_cells():
    sinusoids, healthy, _ = bed(np.random.default_rng(5), 1e-8)
    flow = sinusoids.flow(healthy)
    np.testing.assert_allclose(flow.pressure, 800.0, rtol=1e-8)
    assert flow.graph.given.sum() <= 1e-6 * healthy.sum()


def test_a_starved_segment_draws_from_its_neighbours_over_the_seepage_length():
    """Along a bar with a step in supply the pressure falls as exp(-x / l), l = sqrt(mobility / drain per volume)."""
    n = 24
    points, tetra = cube(n)
    keep = np.flatnonzero((points[tetra][:, :, 1:].mean(axis=1) < 4.0 / n).all(axis=1))
    used, cells = np.unique(tetra[keep], return_inverse=True)
    points, tetra = points[used], cells.reshape(-1, 4).astype(np.int32)
    volume = tetra_volumes(points, tetra)
    pieces = cut(tetra, volume, np.zeros(len(tetra), np.int32))
    length, drain = 0.12, 1.0 / 400.0
    sinusoids = Sinusoids(points, pieces, np.full(len(tetra), length**2 * drain), drain * pieces.volume)
    fed = np.where(points[pieces.point][:, 0] < 0.5, 1.0, 0.0) * pieces.volume
    over = sinusoids.flow(fed).pressure - sinusoids.venous_pressure
    x = points[:, 0]
    starved = np.where(x >= 0.5, 0.5 * np.exp(-(x - 0.5) / length), 1.0 - 0.5 * np.exp(-(0.5 - x) / length)) * 400.0
    mirrored = np.exp(-0.5 / length)  # the ends are closed: the image of the step is this small
    assert np.abs(over - starved).max() <= (0.5 * 0.18 / length / n + 2.0 * mirrored + 0.02) * 400.0


def test_bad_meshes_are_refused():
    points, tetra = cube(2)
    with pytest.raises(ValueError, match="flat or inside out"):
        conductances(points, tetra[:, [1, 0, 2, 3]], np.ones(len(tetra)))
    with pytest.raises(ValueError, match="does not exist"):
        conductances(points[:-1], tetra, np.ones(len(tetra)))
    with pytest.raises(ValueError, match="shapes"):
        conductances(points, tetra, np.ones(3))
