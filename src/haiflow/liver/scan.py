"""A planar scintigram: what a gamma camera in front of the patient counts of an agent that lodged in the liver.

The amount in each tetrahedron is spread over sample points that fill it evenly and counted into the pixels behind
which they lie. Attenuation and scatter are left out: the image is the amount, not the counts of a given camera.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError
from haiflow.ports import Floats

PIXEL = 3e-3  # m
FINEST = 6  # splits of one tetrahedron at most: 262 144 samples
AT_ONCE = 1 << 20  # samples held in memory
FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))  # of a Gaussian, in its standard deviations
# The eight children of a tetrahedron, each of an eighth of its volume, as pairs of corners whose middle is a corner of
# the child: J. Bey, Computing 55 (1995) 355.
CHILDREN = np.array([
    [[0, 0], [0, 1], [0, 2], [0, 3]], [[0, 1], [1, 1], [1, 2], [1, 3]], [[0, 2], [1, 2], [2, 2], [2, 3]],
    [[0, 3], [1, 3], [2, 3], [3, 3]], [[0, 1], [0, 2], [0, 3], [1, 3]], [[0, 1], [0, 2], [1, 2], [1, 3]],
    [[0, 2], [0, 3], [1, 3], [2, 3]], [[0, 2], [1, 2], [1, 3], [2, 3]],
])  # fmt: skip


def planar(
    points: Floats,
    tetra: NDArray[np.int32],
    amount: Floats,
    pixel: float = PIXEL,
    blur: float | None = None,
    spacing: float | None = None,
) -> tuple[Floats, Floats, Floats]:
    """The anterior view of ``amount`` (m,) kg in ``tetra`` (m, 4) on ``points`` (n, 3) m, along y (to the back).

    Returns the image (nz, nx) in kg per pixel, rows from below, columns from the patient's right to the left, and the
    pixels' borders ``x`` (nx + 1,) and ``z`` (nz + 1,) in m, which are multiples of ``pixel`` (m). The image's sum is
    that of ``amount``. ``blur`` (m) is the full width at half maximum of a Gaussian collimator; ``spacing`` (m) is how
    far apart samples may lie (a quarter of a pixel where it is not given). Raises InputError for lengths below zero.
    """
    _refuse(pixel, blur, spacing)
    amount = np.asarray(amount, float)
    corners = np.asarray(points, float)[tetra][:, :, [0, 2]] / pixel
    low = np.floor(corners.min(axis=(0, 1))).astype(int)
    size = np.floor(corners.max(axis=(0, 1))).astype(int) - low + 1
    level = _levels(corners, (spacing or 0.25 * pixel) / pixel)
    image = np.zeros(size[0] * size[1])
    for depth in np.unique(level):
        shares = _samples(int(depth))
        cells = np.flatnonzero((level == depth) & (amount != 0.0))
        step = max(1, AT_ONCE // len(shares))
        for chosen in (cells[start : start + step] for start in range(0, len(cells), step)):
            column, row = np.moveaxis(np.floor(shares @ corners[chosen]).astype(int) - low, 2, 0)
            weight = np.broadcast_to((amount[chosen] / len(shares))[:, None], row.shape)
            image += np.bincount((row * size[0] + column).ravel(), weight.ravel(), minlength=len(image))
    flat = image.reshape(size[1], size[0])
    if blur:
        kernel = _kernel(blur / FWHM / pixel)
        flat, low = _blurred(flat, kernel), low - len(kernel) // 2
    x, z = ((low[axis] + np.arange(flat.shape[1 - axis] + 1)) * pixel for axis in (0, 1))
    return flat, x, z


def _refuse(pixel: float, blur: float | None, spacing: float | None) -> None:
    """Raises InputError for a length that no camera has."""
    for place, value, least in (("pixel", pixel, "above"), ("spacing", spacing, "above"), ("blur", blur, "not below")):
        if value is not None and not (value >= 0.0 if place == "blur" else value > 0.0):
            raise InputError(
                f"scan.{place}", f"{value:g} m", f"must be {least} 0", "give it in mm, as the camera has it"
            )


def _levels(corners: Floats, spacing: float) -> NDArray[np.int64]:
    """How often each cell (m, 4, 2) in pixels is split so that its parts are not wider than ``spacing`` pixels."""
    wide = np.ptp(corners, axis=1).max(axis=1)
    return np.clip(np.ceil(np.log2(np.maximum(wide / spacing, 1.0))), 0, FINEST).astype(np.int64)


def _samples(level: int) -> Floats:
    """Barycentric centres (8^level, 4) of the parts after ``level`` splits; their mean is the centre of the whole."""
    parts = np.eye(4)[None]
    for _ in range(level):
        parts = parts[:, CHILDREN].mean(axis=3).reshape(-1, 4, 4)
    return np.asarray(parts.mean(axis=1))


def _kernel(deviation: float) -> Floats:
    """The discrete Gaussian whose variance is exactly ``deviation`` squared, in pixels; its sum is one.

    It is the inverse transform of ``exp(t (cos w - 1))`` (T. Lindeberg, IEEE PAMI 12 (1990) 234): a sampled Gaussian
    narrower than a pixel would have another width.
    """
    reach = int(np.ceil(8.0 * deviation)) + 12  # pixels; beyond, less than 1e-14 of the whole
    turns = 2.0 * np.pi * np.arange(reach + 1) / (2 * reach + 1)
    values = np.fft.irfft(np.exp(deviation**2 * (np.cos(turns) - 1.0)), 2 * reach + 1)
    values = np.maximum(np.fft.fftshift(values), 0.0)
    return np.asarray(values / values.sum())


def _blurred(image: Floats, kernel: Floats) -> Floats:
    """``image`` after ``kernel`` along both axes, wider by half a kernel on each side: nothing falls off the edge."""
    for axis in (0, 1):
        image = np.apply_along_axis(np.convolve, axis, image, kernel)
    return image
