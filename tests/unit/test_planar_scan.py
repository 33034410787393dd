"""The planar scan counts every microgram once and puts it where it lies."""

from __future__ import annotations

import numpy as np
import pytest

from haiflow.errors import InputError
from haiflow.liver.scan import FWHM, planar
from haiflow.mesh.standard import standard_liver
from haiflow.ports import Floats

MESH = standard_liver()


def uneven() -> Floats:
    """An amount per cell (kg) that varies over the liver and leaves some of it empty."""
    x = MESH.centres[:, 0]
    return MESH.volumes * np.maximum(np.sin(40.0 * x) + 0.3, 0.0)


def middles(borders: Floats) -> Floats:
    return 0.5 * (borders[1:] + borders[:-1])


def moments(image: Floats, x: Floats, z: Floats) -> tuple[float, float, float, float]:
    """Means and variances along x and z (m, m2)."""
    found = []
    for share, places in ((image.sum(axis=0), middles(x)), (image.sum(axis=1), middles(z))):
        mean = float(share @ places / share.sum())
        found.append((mean, float(share @ (places - mean) ** 2 / share.sum())))
    return found[0][0], found[1][0], found[0][1], found[1][1]


@pytest.mark.parametrize("blur", [None, 1e-3, 12e-3])
def test_the_image_holds_all_that_lodged(blur: float | None) -> None:
    amount = uneven()
    image, x, z = planar(MESH.points, MESH.tetra, amount, blur=blur)
    assert image.sum() == pytest.approx(amount.sum(), rel=1e-12)
    assert image.min() >= 0.0
    assert image.shape == (len(z) - 1, len(x) - 1)


def test_the_image_balances_where_the_amount_does() -> None:
    amount = uneven()
    image, x, z = planar(MESH.points, MESH.tetra, amount)
    centre = amount @ MESH.centres / amount.sum()
    mean_x, mean_z, _, _ = moments(image, x, z)
    assert mean_x == pytest.approx(centre[0], abs=3e-5)  # a hundredth of a pixel
    assert mean_z == pytest.approx(centre[2], abs=2e-5)


def test_one_tetrahedron_casts_its_own_shadow() -> None:
    """The chord through a cube's corner falls linearly to the shadow's far edge: 6 (1 - x - z) of the whole."""
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    image, _, _ = planar(points, np.array([[0, 1, 2, 3]], np.int32), np.array([1.0]), pixel=0.25, spacing=0.02)
    grid = (np.arange(400) + 0.5) / 400
    chord = np.maximum(1.0 - grid[:, None] - grid[None, :], 0.0) * 6.0 / 400**2
    exact = chord.reshape(4, 100, 4, 100).sum(axis=(1, 3))
    np.testing.assert_allclose(image[:4, :4], exact, atol=0.02 * exact.max())


def ball() -> tuple[Floats, Floats]:
    """Half a ball of slender tetrahedra and its mirror image in the plane x = 0 (m)."""
    turn, rise = np.meshgrid(np.linspace(-0.5, 0.5, 9) * np.pi, np.linspace(0.0, 1.0, 9) * np.pi, indexing="ij")
    skin = 0.05 * np.stack([np.sin(rise) * np.cos(turn), np.sin(rise) * np.sin(turn), np.cos(rise)], axis=-1)
    pieces = []
    for i in range(8):
        for j in range(8):
            a, b, c, d = skin[i, j], skin[i + 1, j], skin[i + 1, j + 1], skin[i, j + 1]
            pieces += [[np.zeros(3), a, b, c], [np.zeros(3), a, c, d]]
    half = np.array(pieces)
    return np.concatenate([half, half * np.array([-1.0, 1.0, 1.0])]).reshape(-1, 3), half


def test_a_ball_gives_an_image_that_is_its_own_mirror_image() -> None:
    points, half = ball()
    tetra = np.arange(len(points), dtype=np.int32).reshape(-1, 4)
    volume = np.abs(np.linalg.det(half[:, 1:] - half[:, :1])) / 6.0
    image, x, _ = planar(points, tetra, np.concatenate([volume, volume]), pixel=4e-3, spacing=2e-3)
    inner = image[:, np.abs(middles(x)) < 0.052]
    np.testing.assert_allclose(inner, inner[:, ::-1], rtol=0, atol=1e-12 * image.max())
    assert inner.sum() == pytest.approx(image.sum(), rel=1e-12)


@pytest.mark.parametrize("blur", [0.5e-3, 4e-3, 12e-3])
def test_a_collimator_widens_by_its_own_variance(blur: float) -> None:
    amount = uneven()
    sharp = moments(*planar(MESH.points, MESH.tetra, amount))
    soft = moments(*planar(MESH.points, MESH.tetra, amount, blur=blur))
    assert soft[:2] == pytest.approx(sharp[:2], abs=1e-12)
    for before, after in zip(sharp[2:], soft[2:], strict=True):
        assert after - before == pytest.approx((blur / FWHM) ** 2, rel=1e-7)


def test_smaller_pixels_split_the_larger_ones() -> None:
    amount = uneven()
    coarse, x, z = planar(MESH.points, MESH.tetra, amount, pixel=4e-3, spacing=1e-3)
    fine, x_fine, z_fine = planar(MESH.points, MESH.tetra, amount, pixel=2e-3, spacing=1e-3)
    blocks = np.zeros_like(coarse)
    row = np.searchsorted(z, middles(z_fine)) - 1
    column = np.searchsorted(x, middles(x_fine)) - 1
    np.add.at(blocks, (row[:, None], column[None, :]), fine)
    np.testing.assert_allclose(blocks, coarse, rtol=0, atol=1e-12 * coarse.max())


@pytest.mark.parametrize(("pixel", "blur", "place"), [(0.0, None, "pixel"), (3e-3, -1e-3, "blur")])
def test_lengths_below_zero_are_refused(pixel: float, blur: float | None, place: str) -> None:
    with pytest.raises(InputError, match=place):
        planar(MESH.points, MESH.tetra, uneven(), pixel=pixel, blur=blur)
