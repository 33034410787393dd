"""Mesh files of any kind behind one adapter: points, tetrahedra, and every name or number that labels them.

meshio reads them; where it fails on a gmsh file that gmsh itself reads, gmsh is asked (when it is installed). Formats
that lose data or hang in meshio are not on the list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError, nearest
from haiflow.ports import Floats

VOLUME_FORMATS = (".vtu", ".vtk", ".msh", ".xdmf", ".med", ".mesh", ".meshb")
SURFACE_FORMATS = (".stl", ".ply", ".obj")
OWN = "gmsh:"  # names that begin so are gmsh's book-keeping, its physical groups excepted


@dataclass(frozen=True)
class Raw:
    """What a file holds, as it stands: ``points`` (n, 3) in the file's unit, ``tetra`` (m, 4), other cells by type.

    ``numbers``: name -> (m,) numbers of the tetrahedra; ``groups``: name -> the tetrahedra (indices) in it.
    """

    points: Floats
    tetra: NDArray[np.int64]
    others: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, NDArray[Any]] = field(default_factory=dict)
    groups: dict[str, NDArray[np.intp]] = field(default_factory=dict)


def load(path: Path, place: str, formats: tuple[str, ...] = VOLUME_FORMATS) -> Raw:
    """The mesh in ``path``; raises :class:`InputError` with ``place`` for a file that cannot be read as one."""
    mesh = read(path, place, formats)
    blocks = [index for index, block in enumerate(mesh.cells) if block.type == "tetra" and len(block.data)]
    sizes = [len(mesh.cells[index].data) for index in blocks]
    tetra = [np.asarray(mesh.cells[index].data, dtype=np.int64) for index in blocks]
    numbers = {
        name: np.concatenate([np.asarray(values[index]).ravel() for index in blocks])
        for name, values in mesh.cell_data.items()
        if blocks and all(np.asarray(values[index]).size == size for index, size in zip(blocks, sizes, strict=True))
    }
    others = Counter[str]()
    for block in mesh.cells:
        others[block.type] += 0 if block.type == "tetra" else len(block.data)
    return Raw(
        np.asarray(mesh.points, dtype=float),
        np.concatenate(tetra) if tetra else np.zeros((0, 4), np.int64),
        {kind: count for kind, count in others.items() if count},
        numbers,
        _groups(mesh, blocks, sizes, numbers),
    )


def read(path: Path, place: str, formats: tuple[str, ...]) -> Any:
    """The file as meshio has it, whoever read it."""
    import meshio

    if not path.is_file():
        near = [item.name for item in path.parent.glob("*")] if path.parent.is_dir() else []
        remedy = nearest(path.name, near) if near else "check the path"
        raise InputError(place, str(path), "there is no such file", remedy)
    if path.suffix.lower() not in formats:
        remedy = f"give one of {', '.join(formats)} (haiflow mesh convert)"
        raise InputError(place, path.suffix or "no ending", "cannot be read as a mesh: not a format in use", remedy)
    try:
        return meshio.read(path)
    except (SystemExit, Exception) as error:  # meshio ends the process on a file that it cannot tell
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    if path.suffix.lower() == ".msh":
        again = _by_gmsh(path)
        if again is not None:
            return again
        reason += "; gmsh may read it: pip install 'haiflow[mesh]', or export it without 'Save all elements'"
    raise InputError(place, str(path), f"cannot be read as a mesh ({reason})", "export the file again") from None


def _by_gmsh(path: Path) -> Any:
    """The file read by gmsh and handed on in a form that meshio reads; None where gmsh is missing or fails."""
    import tempfile

    import meshio

    try:
        import gmsh
    except (ImportError, OSError):
        return None
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.open(str(path))
        gmsh.option.setNumber("Mesh.MshFileVersion", 4.1)
        gmsh.option.setNumber("Mesh.SaveAll", 0 if gmsh.model.getPhysicalGroups() else 1)
        with tempfile.TemporaryDirectory() as folder:
            again = Path(folder) / "again.msh"
            gmsh.write(str(again))
            return meshio.read(again)
    except (SystemExit, Exception):
        return None
    finally:
        gmsh.finalize()


def _groups(
    mesh: Any, blocks: list[int], sizes: list[int], numbers: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[np.intp]]:
    """Named sets of tetrahedra: gmsh's physical groups, and cell sets of other formats."""
    found: dict[str, NDArray[np.intp]] = {}
    tags = numbers.get("gmsh:physical")
    for name, value in (mesh.field_data or {}).items():
        if tags is not None and np.size(value) == 2 and value[1] == 3:  # a tag and the dimension of what it names
            found[name] = np.flatnonzero(tags == value[0])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    for name, sets in (mesh.cell_sets or {}).items():
        inside = [
            np.asarray(sets[index], dtype=np.intp) + start
            for index, start in zip(blocks, starts, strict=False)
            if sets[index] is not None
        ]
        if name not in found and not name.startswith(OWN) and any(len(each) for each in inside):
            found[name] = np.concatenate(inside)
    return {name: cells for name, cells in found.items() if len(cells)}
