"""What a gamma camera in front of the patient sees of an agent that lodged in the liver.

An anterior planar view: everything along the line of sight (y, from front to back) adds up in one pixel. Each
tetrahedron's amount is spread evenly over the centres of equal parts of it, as many as the pixels are fine, and the
sum of the image is the sum over the cells. Attenuation and scatter are left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haiflow.ports import Floats

PIXEL = 4e-3  # m, as of a 128 x 128 matrix on a large field of view
BLUR = 8e-3  # m full width at half maximum, of a low-energy collimator at the depth of the liver
FINEST = 3  # splits of a tetrahedron at most: 512 parts
WIDTH = 4.0  # of the blur's standard deviation: where its kernel is cut off

# A tetrahedron in eight of equal volume: barycentric corners of the parts on the corners 0-3 and the edges' middles.
_MIDDLES = [(0, 0), (1, 1), (2, 2), (3, 3), (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
_PARTS = [
    (0, 4, 5, 6),
    (4, 1, 7, 8),
    (5, 7, 2, 9),
    (6, 8, 9, 3),
    (4, 5, 6, 8),
    (4, 5, 7, 8),
    (5, 6, 8, 9),
    (5, 7, 8, 9),
]


def planar(
    points: Floats, tetra: NDArray[np.int32], amount: Floats, pixel: float = PIXEL, blur: float | None = BLUR
) -> tuple[Floats, Floats, Floats]:
    """Image (nz, nx) of the ``amount`` (m,) in each of the cells ``tetra`` (m, 4) on ``points`` (n, 3) m, the pixels'
    borders along x (nx + 1,) and along z (nz + 1,) m.

    ``blur``: full width at half maximum (m) of a Gaussian; None for none. The image's margin is wide enough to keep
    all of it, so image and cells have the same sum.
    """
    margin = pixel + (0.0 if blur is None else (WIDTH + 1.0) * blur / 2.355)
    x, z = (_borders(points[tetra.ravel(), axis], margin, pixel) for axis in (0, 2))
    image = np.zeros((len(z) - 1, len(x) - 1))
    size = np.ptp(points[tetra], axis=1)[:, [0, 2]].max(axis=1)
    level = np.clip(np.ceil(np.log2(np.maximum(2.0 * size / pixel, 1.0))), 0, FINEST).astype(int)
    for split in np.unique(level):
        cells = np.flatnonzero(level == split)
        middle = np.einsum("pc,mcd->mpd", centres(int(split)), points[tetra[cells]][:, :, [0, 2]])
        share = np.repeat(amount[cells] / middle.shape[1], middle.shape[1])
        image += np.histogram2d(middle[:, :, 1].ravel(), middle[:, :, 0].ravel(), [z, x], weights=share)[0]
    return (image if blur is None else _blurred(image, blur / 2.355 / pixel)), x, z


def centres(splits: int) -> Floats:
    """(8^splits, 4) barycentric centres of the equal parts of a tetrahedron."""
    corners = np.eye(4)[None]
    for _ in range(splits):
        middles = np.stack([0.5 * (corners[:, a] + corners[:, b]) for a, b in _MIDDLES], axis=1)
        corners = np.concatenate([middles[:, list(part)] for part in _PARTS])
    return np.asarray(corners.mean(axis=1))


def _borders(values: Floats, margin: float, pixel: float) -> Floats:
    low = values.min() - margin
    return np.asarray(low + pixel * np.arange(int(np.ceil((values.max() + margin - low) / pixel)) + 1))


def _blurred(image: Floats, deviation: float) -> Floats:
    """The image convolved with a Gaussian of that standard deviation (pixels), whose weights sum to one."""
    reach = int(np.ceil(WIDTH * deviation))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        image = np.apply_along_axis(np.convolve, axis, image, kernel, mode="same")
    return image
