"""Mesh files of any kind behind one adapter: points, tetrahedra, and every name or number that labels them.

meshio reads them; where it fails on a gmsh file, or takes long, gmsh itself is asked (when it is installed). Formats
that lose data or hang in meshio are not on the list.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from importlib.util import find_spec
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError, nearest
from haiflow.mesh.by_gmsh import is_slow_in_meshio, read_by_gmsh
from haiflow.mesh.claims import refuse_claims
from haiflow.ports import Floats

VOLUME_FORMATS = (".vtu", ".vtk", ".msh", ".xdmf", ".med", ".mesh", ".meshb")
SURFACE_FORMATS = (".stl", ".ply", ".obj")
TETRA = ("tetra", "tetra10")
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
    """The mesh in ``path``; raises :class:`InputError` with ``place`` for a file that cannot be read as one.

    Of quadratic tetrahedra the corners are taken.
    """
    mesh = read(path, place, formats)
    blocks = [index for index, block in enumerate(mesh.cells) if block.type in TETRA and len(block.data)]
    sizes = [len(mesh.cells[index].data) for index in blocks]
    tetra = [np.asarray(mesh.cells[index].data, dtype=np.int64)[:, :4] for index in blocks]
    for corners in tetra:
        if corners.ndim != 2 or corners.shape[1] != 4:
            value = f"{len(corners)} of {corners.size // len(corners)} points"
            raise InputError(place, value, "tetrahedra have four points", "the file is damaged: export the mesh again")
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
    _is_file(path, place)
    if path.suffix.lower() not in formats:
        remedy = f"give one of {', '.join(formats)} (haiflow mesh convert)"
        raise InputError(place, path.suffix or "no ending", "cannot be read as a mesh: not a format in use", remedy)
    gmsh = path.suffix.lower() == ".msh"
    if gmsh:  # the others are meshio's, which takes no memory for what it does not find
        refuse_claims(path, place)
    found = read_by_gmsh(path) if gmsh and is_slow_in_meshio(path) else None
    if found is not None:
        return found
    found, reason = _by_meshio(path)
    if found is None and gmsh:
        found = read_by_gmsh(path)
        if find_spec("gmsh") is None:
            reason += "; gmsh may read it: pip install 'haiflow[mesh]', or export it without 'Save all elements'"
    if found is None:
        shown = path.suffix if place == str(path) else str(path)
        raise InputError(place, shown, f"cannot be read as a mesh ({reason})", "export the file again")
    return found


def _is_file(path: Path, place: str) -> None:
    if path.is_dir():
        raise InputError(place, str(path), "is a folder", "give the mesh file in it")
    if not path.is_file():
        near = [item.name for item in path.parent.glob("*") if item.is_file()] if path.parent.is_dir() else []
        remedy = nearest(path.name, near) if 0 < len(near) < 100 else "check the path"
        raise InputError(place, str(path), "there is no such file", remedy)


def _by_meshio(path: Path) -> tuple[Any, str]:
    """The mesh, or None and why not. meshio speaks to both outputs, and ends the process on a file it cannot tell."""
    import meshio

    if path.suffix.lower() == ".ply" and not _has_whole_header(path):
        return None, "its header has no end"  # which meshio would look for without end
    try:
        with warnings.catch_warnings(), redirect_stderr(StringIO()), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            return meshio.read(path), ""
    except SystemExit:
        return None, "its content is not what its ending says"
    except Exception as error:
        return None, (str(error).strip() or type(error).__name__).splitlines()[0]


def _has_whole_header(path: Path, most: int = 1000) -> bool:
    """Whether a .ply says where its header ends, within so many lines."""
    with path.open("rb") as file:
        return any(line.strip() == b"end_header" for line in islice(file, most))


def _groups(
    mesh: Any, blocks: list[int], sizes: list[int], numbers: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[np.intp]]:
    """Named sets of tetrahedra: gmsh's physical groups, families of .med files, and cell sets of other formats."""
    found: dict[str, NDArray[np.intp]] = {}
    tags = numbers.get("gmsh:physical")
    for name, value in (mesh.field_data or {}).items():
        if tags is not None and np.size(value) == 2 and value[1] == 3:  # a tag and the dimension of what it names
            found[name] = np.flatnonzero(tags == value[0])
    families: Mapping[int, list[str]] = getattr(mesh, "cell_tags", None) or {}
    if "cell_tags" in numbers:
        for name in {name for names in families.values() for name in names}:
            mine = [family for family, names in families.items() if name in names]
            found[name] = np.flatnonzero(np.isin(numbers["cell_tags"], mine))
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
