"""The planar scan keeps every gram and its place."""

import numpy as np
import pytest

from haiflow.liver.scan import centres, planar
from haiflow.mesh.standard import standard_liver


@pytest.fixture(scope="module")
def activity():
    mesh = standard_liver()
    return mesh, mesh.volumes * np.random.default_rng(2).random(len(mesh.tetra))


@pytest.mark.parametrize("blur", [None, 8e-3, 20e-3])
@pytest.mark.parametrize("pixel", [2e-3, 4e-3, 15e-3])
def test_image_and_cells_have_the_same_sum_and_centre(activity, pixel, blur):
    mesh, amount = activity
    image, x, z = planar(mesh.points, mesh.tetra, amount, pixel, blur)
    assert image.sum() == pytest.approx(amount.sum(), rel=1e-12)
    assert image.shape == (len(z) - 1, len(x) - 1)
    middle = (amount @ mesh.centres / amount.sum())[[0, 2]]
    seen = np.array([image.sum(axis=0) @ (x[1:] + x[:-1]), image.sum(axis=1) @ (z[1:] + z[:-1])]) / 2 / image.sum()
    np.testing.assert_allclose(seen, middle, atol=0.02 * pixel + 1e-5)


def test_blur_widens_the_image_by_its_own_variance(activity):
    mesh, amount = activity
    spreads = []
    for blur in (None, 15e-3):
        image, x, _ = planar(mesh.points, mesh.tetra, amount, 2e-3, blur)
        profile, place = image.sum(axis=0) / image.sum(), 0.5 * (x[1:] + x[:-1])
        spreads.append(profile @ place**2 - (profile @ place) ** 2)
    assert spreads[1] - spreads[0] == pytest.approx((15e-3 / 2.355) ** 2, rel=2e-3)


def test_one_tetrahedron_is_spread_over_its_shadow():
    points = np.array([[0, 0, 0], [60e-3, 0, 0], [0, 60e-3, 0], [0, 0, 60e-3]])
    image, x, z = planar(points, np.array([[0, 1, 2, 3]], np.int32), np.array([1.0]), 10e-3, None)
    # The depth of the tetrahedron behind (x, z) is 60 mm - x - z, so the lower left pixel holds the most.
    column, row = np.searchsorted(x, 5e-3) - 1, np.searchsorted(z, 5e-3) - 1
    assert image[row, column] == image.max()
    inside = image[row : row + 6, column : column + 6]
    assert inside.sum() > 0.95
    assert inside[4, 4] == 0.0


def test_the_parts_of_a_tetrahedron_keep_its_first_and_nearly_its_second_moments():
    points = centres(3)
    assert points.shape == (512, 4)
    np.testing.assert_allclose(points.mean(axis=0), 0.25, atol=1e-14)
    np.testing.assert_allclose((points**2).mean(axis=0), 0.1, rtol=0.01)
    assert points.min() > 0.0
