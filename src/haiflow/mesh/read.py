"""Reading a liver's mesh, and refusing what cannot be a liver.

The file needs tetrahedra in metres, or in millimetres where that is said, and a segment for each. Cells that are inside
out are turned round and all are renumbered; flat or doubled ones, detached parts, missing labels and impossible sizes
are the user's to mend.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError
from haiflow.mesh.files import Raw, load
from haiflow.mesh.labels import couinaud
from haiflow.mesh.model import TetraMesh, segment_locator
from haiflow.mesh.order import parts, renumbered
from haiflow.mesh.volumes import tetra_centres, tetra_quality, tetra_volumes
from haiflow.ports import Floats

__all__ = ["TetraMesh", "read_liver", "segment_locator"]

FLAT = 1e-6  # mean-ratio quality below which a tetrahedron has no volume to speak of
SMALLEST, LARGEST = 1e-5, 2e-2  # m3: an infant's liver is 0.1 L, the largest polycystic ones are below 15 L
FARTHEST = 1e9  # of a coordinate, in whatever unit
UNITS = {"m": 1.0, "mm": 1e-3}


def read_liver(
    path: str | Path, place: str = "liver.mesh", *, unit: str = "m", labels: Mapping[str, str] | None = None
) -> TetraMesh:
    """The liver in the file ``path``, whose lengths are in ``unit`` ("m" or "mm").

    ``labels`` maps groups or numbers of the file to segments (see :mod:`haiflow.mesh.labels`). Raises
    :class:`InputError` with ``place`` for whatever is wrong with it.
    """
    raw = load(Path(path), place)
    if not len(raw.tetra):
        found = ", ".join(sorted(raw.others)) or "no cells"
        raise InputError(place, found, "a liver needs tetrahedra", "mesh the volume, not only its surface")
    label = couinaud(raw, place, labels)
    points, tetra = joined(raw, place)
    points = points * UNITS[unit]
    tetra = right_way_round(points, tetra)
    check_shape(points, tetra, place, unit)
    return TetraMesh(*renumbered(points, tetra, label))


def joined(raw: Raw, place: str) -> tuple[Floats, NDArray[np.int32]]:
    """Points and tetrahedra without the points that no tetrahedron uses."""
    used, tetra = np.unique(raw.tetra, return_inverse=True)
    if used[0] < 0 or used[-1] >= len(raw.points):
        wrong = int(used[0]) if used[0] < 0 else int(used[-1])
        cell = int(np.flatnonzero((raw.tetra == wrong).any(axis=1))[0])
        rule = f"tetrahedron {cell} names a point that does not exist: there are {len(raw.points)}, from 0 on"
        raise InputError(place, wrong, rule, "export the mesh again")
    if raw.points.ndim != 2 or raw.points.shape[1] != 3:
        raise InputError(place, "2D", "a liver has three dimensions", "export the volume mesh")
    points = raw.points[used]
    lost = int(np.count_nonzero(~np.all(np.abs(points) < FARTHEST, axis=1)))
    if lost:
        rule = f"some points are not finite numbers, or beyond {FARTHEST:g}"
        raise InputError(place, f"{lost} of {len(points)} points", rule, "export the mesh again")
    return points, tetra.reshape(-1, 4).astype(np.int32)


def right_way_round(points: Floats, tetra: NDArray[np.int32]) -> NDArray[np.int32]:
    """Writers disagree about the order of corners, so a cell that is inside out is no fault of the mesh."""
    turned = tetra.copy()
    inverted = tetra_volumes(points, tetra) < 0.0
    turned[inverted] = turned[inverted][:, [0, 2, 1, 3]]
    return turned


def check_shape(points: Floats, tetra: NDArray[np.int32], place: str, unit: str = "m") -> None:
    """Raises InputError for a volume that no liver has, for flat or doubled cells and for detached parts."""
    volume = tetra_volumes(points, tetra)
    check_volume(float(volume.sum()), place, unit)
    quality = tetra_quality(points, tetra)
    flat = int((quality < FLAT).sum())
    if flat:
        worst = 1e3 * tetra_centres(points, tetra)[int(np.argmin(quality))]
        at = f"the worst at {worst[0]:.4g}, {worst[1]:.4g}, {worst[2]:.4g} mm"
        value = f"{flat} of {len(tetra)} cells, {at}"
        raise InputError(place, value, "tetrahedra without volume", "mend or remesh the volume")
    doubled = len(tetra) - len(np.unique(np.sort(tetra, axis=1), axis=0))
    if doubled:
        raise InputError(place, f"{doubled} cells", "tetrahedra that are there twice", "remove the copies")
    part = parts(tetra, len(points))
    if part.max() > 0:
        sizes = np.bincount(part, weights=volume)
        stray = np.flatnonzero(part == int(np.argmin(sizes)))
        middle = 1e3 * tetra_centres(points, tetra[stray]).mean(axis=0)
        rest = f"the smallest has {len(stray)} cells, {1e6 * sizes.min():.3g} mL, near "
        rest += f"{middle[0]:.4g}, {middle[1]:.4g}, {middle[2]:.4g} mm"
        rule = "a liver is of one piece (are points doubled where regions meet?)"
        raise InputError(place, f"{part.max() + 1} detached parts; {rest}", rule, "merge doubled points, remove strays")


def check_volume(volume: float, place: str, unit: str) -> None:
    """Raises InputError for a volume (m3) that no liver has; lengths were read in ``unit``."""
    if SMALLEST <= volume <= LARGEST:
        return
    remedy = "give the points in metres" if unit == "mm" else "give the points in metres, or their unit: mesh_unit: mm"
    if unit == "m" and SMALLEST <= volume * 1e-9 <= LARGEST:
        remedy = "the points seem to be in mm: add 'mesh_unit: mm' to the liver (--unit mm on the command line)"
    if unit == "mm" and SMALLEST <= volume * 1e9 <= LARGEST:
        remedy = "the points seem to be in metres: leave the unit mm away"
    raise InputError(place, f"{1e3 * volume:.3g} L", "no liver has this volume", remedy)
