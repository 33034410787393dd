"""Writing tetrahedra with cell data through meshio: compressed .vtu, or whatever the file's ending says."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError
from haiflow.mesh.model import NUMERALS, TetraMesh
from haiflow.ports import Floats

MEDIT, GMSH = (".mesh", ".meshb"), (".msh",)  # formats that hold one number a cell; gmsh names it
IN_HDF5 = (".med", ".xdmf")
FULL = 2**20  # bytes: with less left a disk is full


def write_liver(path: str | Path, mesh: TetraMesh, cell_data: Mapping[str, NDArray[Any]] | None = None) -> None:
    """Writes ``mesh`` (points in m) with ``cell_data`` name -> (m,), or with its segments alone.

    Raises :class:`InputError` where meshio has no writer for the file's ending.
    """
    arrays = {"couinaud_segment": mesh.couinaud_segment} if cell_data is None else cell_data
    write_tetra(Path(path), mesh.points, mesh.tetra, arrays)


def write_tetra(path: Path, points: Floats, tetra: NDArray[Any], cell_data: Mapping[str, NDArray[Any]]) -> None:
    """Writes any tetrahedra; a format that holds one number a cell gets ``couinaud_segment``, or else the first."""
    import meshio

    arrays, names = dict(cell_data), {}
    if arrays and path.suffix.lower() in (*MEDIT, *GMSH):
        kept = np.rint(arrays.get("couinaud_segment", next(iter(arrays.values())))).astype(np.int32)
        arrays = {"medit:ref": kept}
        if path.suffix.lower() in GMSH:
            arrays = {"gmsh:physical": kept, "gmsh:geometrical": kept}
            if "couinaud_segment" in cell_data:
                names = {name: np.array([number, 3]) for number, name in enumerate(NUMERALS, 1) if number in kept}
    out = meshio.Mesh(
        points,
        [("tetra", np.asarray(tetra, dtype=np.int32))],
        cell_data={name: [np.asarray(values)] for name, values in arrays.items()},
        field_data=names,
    )
    if path.suffix.lower() in IN_HDF5:
        _refuse_without_room(path, sum(np.asarray(each).nbytes for each in (points, tetra, *arrays.values())))
    try:
        if path.suffix.lower() in GMSH:  # this version keeps a number with each cell
            out.write(path, file_format="gmsh22", binary=False)
        else:
            out.write(path)
    except (SystemExit, Exception) as error:
        refused_by_system(error, path)
        remedy = "use an ending such as .vtu, .vtk or .msh"
        if path.suffix.lower() in IN_HDF5 and isinstance(error, ImportError):
            remedy = "pip install 'haiflow[mesh]', or use .vtu"
        raise InputError("mesh file", str(path), f"cannot be written in this format ({error})", remedy) from None


def _refuse_without_room(path: Path, size: int) -> None:
    """Raises OSError where the disk has not twice ``size`` bytes: HDF5 writes when the file is let go, where nobody
    hears that there was no room, and then ends the process."""
    if shutil.disk_usage(path.absolute().parent).free < 2 * size + FULL:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def refused_by_system(error: BaseException, path: Path) -> None:
    """Raises OSError with ``path`` where ``error`` is the system's: a full disk, no permission. HDF5 says of a full
    disk only that there was an error."""
    number = error.errno if isinstance(error, OSError) else None
    if number is None and shutil.disk_usage(path.absolute().parent).free < FULL:
        number = errno.ENOSPC
    if number is not None:
        raise OSError(number, os.strerror(number), str(path)) from None
