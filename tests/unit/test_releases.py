"""Where tracers start: on the holes' faces, as dense as the flow that comes in."""

import numpy as np
import pytest

from haiflow.junction.releases import _spread, release
from haiflow.verify.shapes import duct


@pytest.mark.parametrize("flow", [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 3.0, 1.0], [0.0, 1.0, 1.0]])
def test_places_on_a_face_are_as_dense_as_the_flow(flow):
    """First and second moments of the coordinates, of a density that is linear in the triangle."""
    at, count = _spread(np.tile(flow, (200_000, 1))), np.sum(flow)
    assert at.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert at.mean(axis=0) == pytest.approx((np.array(flow) + count) / (4.0 * count), abs=1e-3)
    assert (at**2).mean(axis=0) == pytest.approx((2.0 * np.array(flow) + count) / (10.0 * count), abs=1e-3)


def test_tracers_start_just_inside_of_their_holes():
    mesh = duct(("a", "b"))
    velocity = np.zeros_like(mesh.points)
    triangles = mesh.triangles("hole:tip")
    normal = mesh.wall_area[mesh.patch == mesh.names.index("hole:tip")].sum(axis=0)
    velocity[np.unique(triangles)] = -0.1 * normal / np.linalg.norm(normal)
    made = release(mesh, ("hole:tip",), velocity, 300, time=0.25, marks=7)
    away = np.einsum("kad,kd->ka", mesh.dual.shape[made.cell], made.place - mesh.points[mesh.tetra[made.cell, 0]])
    away[:, 0] += 1.0
    assert away.min() > 0.0
    assert np.sort(away, axis=1)[:, 0].max() < 0.01  # of the height of their cell
    corners = mesh.points[triangles]
    assert made.place.mean(axis=0) == pytest.approx(corners.mean(axis=(0, 1)), abs=0.05 * np.ptp(corners[..., 1]))
    assert np.all(made.clock == 0.25)
    assert made.trail.shape == (300, 7, 3)


def test_no_tracer_starts_where_nothing_comes_in():
    mesh = duct(("a", "b"), fine=4)
    with pytest.raises(ValueError, match="nothing flows in by 'hole:tip'"):
        release(mesh, ("hole:tip",), np.zeros_like(mesh.points), 10)


def test_each_release_has_places_of_its_own():
    mesh = duct(("a", "b"))
    velocity = np.zeros_like(mesh.points)
    normal = mesh.wall_area[mesh.patch == mesh.names.index("hole:tip")].sum(axis=0)
    velocity[mesh.on("hole:tip")] = -0.1 * normal / np.linalg.norm(normal)
    one, two = (release(mesh, ("hole:tip",), velocity, 50, number=k).place for k in (0, 1))
    apart = np.linalg.norm(one[:, None] - two, axis=2).min(axis=1)
    assert np.all(apart > 0.0)
    assert np.median(apart) > 1e-3 * np.ptp(one, axis=0).max()
