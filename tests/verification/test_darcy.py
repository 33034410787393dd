"""Darcy flow in the sinusoids: rows, books, and what is refused; orders are cases of ``haiflow verify liver``."""

import numpy as np
import pytest

from haiflow.liver.pieces import cut
from haiflow.liver.sinusoids import Sinusoids, drain_conductance
from haiflow.mesh.dual import conductances, diffusion_matrix
from haiflow.mesh.standard import standard_liver
from haiflow.verify.darcy import cube


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


def test_bad_meshes_are_refused():
    points, tetra = cube(2)
    with pytest.raises(ValueError, match="flat or inside out"):
        conductances(points, tetra[:, [1, 0, 2, 3]], np.ones(len(tetra)))
    with pytest.raises(ValueError, match="does not exist"):
        conductances(points[:-1], tetra, np.ones(len(tetra)))
    with pytest.raises(ValueError, match="shapes"):
        conductances(points, tetra, np.ones(3))
