"""Shear on the walls against what is known without solving anything."""

import numpy as np
import pytest

from haiflow.junction.wall import WallShear, at_points, wall_shear
from haiflow.verify.shapes import pipe

RADIUS, MEAN, VISCOSITY = 2e-3, 0.3, 3.8e-3


@pytest.fixture(scope="module")
def mesh():
    return pipe(12, 8, 4e-3, RADIUS)


def poiseuille(mesh):
    r2 = (mesh.points[:, 0] ** 2 + mesh.points[:, 1] ** 2) / RADIUS**2
    return np.column_stack([0 * r2, 0 * r2, 2.0 * MEAN * (1.0 - r2)])


def test_shear_of_poiseuilles_flow_points_downstream_and_has_its_size(mesh):
    wall = mesh.patch == mesh.names.index("wall")
    shear = wall_shear(mesh, poiseuille(mesh), np.full(len(mesh.tetra), VISCOSITY))[wall]
    area = np.linalg.norm(mesh.wall_area[wall], axis=1)
    exact = 4.0 * VISCOSITY * MEAN / RADIUS
    assert area @ shear[:, 2] / area.sum() == pytest.approx(exact, rel=0.04)  # the wall's cells see it 3 % low
    assert np.abs(shear[:, :2]).max() < 0.2 * exact
    twice = wall_shear(mesh, poiseuille(mesh), np.full(len(mesh.tetra), 2.0 * VISCOSITY))[wall]
    assert np.allclose(twice, 2.0 * shear)


def test_no_shear_of_a_plug(mesh):
    plug = np.tile([0.0, 0.0, 0.3], (len(mesh.points), 1))
    assert np.abs(wall_shear(mesh, plug, np.full(len(mesh.tetra), VISCOSITY))).max() < 1e-12


def test_oscillatory_index_of_one_way_of_to_and_fro_and_between(mesh):
    one = wall_shear(mesh, poiseuille(mesh), np.full(len(mesh.tetra), VISCOSITY))
    wall = mesh.patch == mesh.names.index("wall")
    for turns, index in (((1.0, 2.0), 0.0), ((1.0, -1.0), 0.5), ((3.0, -1.0), 0.25)):
        sums = WallShear(mesh)
        for turn in turns:
            sums.add(turn * one)
        assert np.allclose(sums.oscillatory_index[wall], index, atol=1e-12)
        assert np.allclose(sums.mean[wall], np.mean(np.abs(turns)) * np.linalg.norm(one[wall], axis=1))


def test_values_at_points_are_means_of_the_triangles_round_them(mesh):
    assert np.allclose(at_points(mesh, np.full(len(mesh.wall), 3.0))[np.unique(mesh.wall)], 3.0)
    inner = np.setdiff1d(np.arange(len(mesh.points)), mesh.wall)
    assert not at_points(mesh, np.ones(len(mesh.wall)))[inner].any()
