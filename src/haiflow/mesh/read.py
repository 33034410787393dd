"""Reading a liver's mesh from any format that meshio knows, and refusing what cannot be a liver.

The file needs tetrahedra, in metres, with integer cell data ``couinaud_segment`` from 1 to 8. Cells that are inside out
are turned round; flat ones, missing labels and impossible sizes are the user's to mend.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError, nearest
from haiflow.mesh.model import TetraMesh, segment_locator
from haiflow.mesh.volumes import tetra_quality, tetra_volumes
from haiflow.ports import Floats

__all__ = ["TetraMesh", "read_liver", "segment_locator"]

LABEL = "couinaud_segment"
FLAT = 1e-6  # mean-ratio quality below which a tetrahedron has no volume to speak of
SMALLEST, LARGEST = 1e-5, 2e-2  # m3: an infant's liver is 0.1 L, the largest polycystic ones are below 15 L


def read_liver(path: str | Path, place: str = "liver.mesh") -> TetraMesh:
    """The liver in the file ``path``. Raises :class:`InputError` with ``place`` for whatever is wrong with it."""
    mesh = _loaded(Path(path), place)
    points, tetra, label = _tetrahedra(mesh, place)
    if not np.all(np.isfinite(points)):
        raise InputError(place, str(path), "some points are not finite numbers", "export the mesh again")
    tetra = _right_way_round(points, tetra)
    _check_shape(points, tetra, place)
    return TetraMesh(points, tetra, label)


def _loaded(path: Path, place: str) -> Any:
    import meshio

    if not path.is_file():
        near = [item.name for item in path.parent.glob("*")] if path.parent.is_dir() else []
        raise InputError(
            place, str(path), "there is no such file", nearest(path.name, near) if near else "check the path"
        )
    try:
        return meshio.read(path)
    except (SystemExit, Exception) as error:  # meshio ends the process on a file that it cannot tell
        reason = str(error).strip() or type(error).__name__
        remedy = "give a mesh file in a format of meshio, e.g. .vtu or .msh"
        raise InputError(place, str(path), f"cannot be read as a mesh ({reason.splitlines()[0]})", remedy) from None


def _tetrahedra(mesh: Any, place: str) -> tuple[Floats, NDArray[np.int32], NDArray[np.int32]]:
    """Points in m, tetrahedra and labels, gathered from all blocks; points that no tetrahedron uses are dropped."""
    blocks = [index for index, block in enumerate(mesh.cells) if block.type == "tetra" and len(block.data)]
    if not blocks:
        found = ", ".join(sorted({block.type for block in mesh.cells})) or "no cells"
        raise InputError(place, found, "a liver needs tetrahedra", "mesh the volume, not only its surface")
    if LABEL not in mesh.cell_data:
        known = list(mesh.cell_data)
        remedy = nearest(LABEL, known) if known else "add it, 1 to 8 for the segments I to VIII"
        raise InputError(place, ", ".join(known) or "no cell data", f"the cell data '{LABEL}' is missing", remedy)
    label = _labels(np.concatenate([np.asarray(mesh.cell_data[LABEL][index]).ravel() for index in blocks]), place)
    cells = np.concatenate([mesh.cells[index].data for index in blocks])
    used, tetra = np.unique(cells, return_inverse=True)
    if used[0] < 0 or used[-1] >= len(mesh.points):
        raise InputError(
            place, int(used[-1]), "a tetrahedron names a point that does not exist", "export the mesh again"
        )
    return np.asarray(mesh.points, dtype=float)[used], tetra.reshape(-1, 4).astype(np.int32), label


def _labels(values: NDArray[Any], place: str) -> NDArray[np.int32]:
    rounded = np.rint(values)
    wrong = ~np.isfinite(values) | (rounded != values) | (rounded < 1) | (rounded > 8)
    if np.any(wrong):
        example = values[wrong][0]
        rule = f"{int(wrong.sum())} cells have no segment from 1 to 8 in '{LABEL}'"
        raise InputError(place, example, rule, "label every tetrahedron, 1 to 8 for the segments I to VIII")
    return rounded.astype(np.int32)


def _right_way_round(points: Floats, tetra: NDArray[np.int32]) -> NDArray[np.int32]:
    """Writers disagree about the order of corners, so a cell that is inside out is no fault of the mesh."""
    turned = tetra.copy()
    inverted = tetra_volumes(points, tetra) < 0.0
    turned[inverted] = turned[inverted][:, [0, 2, 1, 3]]
    return turned


def _check_shape(points: Floats, tetra: NDArray[np.int32], place: str) -> None:
    volume = float(tetra_volumes(points, tetra).sum())
    if not SMALLEST <= volume <= LARGEST:
        remedy = "give the points in metres"
        if SMALLEST <= volume * 1e-9 <= LARGEST:
            remedy = "the points seem to be in mm: divide them by 1000 (haiflow mesh convert --scale 0.001)"
        raise InputError(place, f"{1e3 * volume:.3g} L", "no liver has this volume", remedy)
    flat = int((tetra_quality(points, tetra) < FLAT).sum())
    if flat:
        raise InputError(
            place, f"{flat} of {len(tetra)} cells", "tetrahedra without volume", "mend or remesh the volume"
        )
