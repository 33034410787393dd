"""Writing tetrahedra with cell data through meshio: compressed .vtu, or whatever the file's ending says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError
from haiflow.mesh.model import TetraMesh


def write_liver(path: str | Path, mesh: TetraMesh, cell_data: Mapping[str, NDArray[Any]] | None = None) -> None:
    """Writes ``mesh`` (points in m) with ``cell_data`` name -> (m,), or with its segments alone.

    Raises :class:`InputError` where meshio has no writer for the file's ending.
    """
    import meshio

    arrays = {"couinaud_segment": mesh.couinaud_segment} if cell_data is None else cell_data
    out = meshio.Mesh(
        mesh.points,
        [("tetra", mesh.tetra.astype(np.int32))],
        cell_data={name: [np.asarray(values)] for name, values in arrays.items()},
    )
    try:
        out.write(path)
    except (SystemExit, KeyError, meshio.ReadError, meshio.WriteError) as error:
        remedy = "use an ending such as .vtu, .vtk, .msh or .xdmf"
        raise InputError("mesh file", str(path), f"cannot be written in this format ({error})", remedy) from None
