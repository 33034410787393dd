"""A region from a file: tetrahedra, hexahedra, prisms and pyramids, with surfaces named.

Other cells than tetrahedra are cut into tetrahedra by the numbers of their corners, so that neighbours agree and no
point is added: the control volumes are the points' either way. Patches are gmsh's physical surfaces, families or cell
sets; boundary triangles without a name are the "vessel" where the file has no patch of that name, else an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError
from haiflow.mesh.extrude import boundary
from haiflow.mesh.files import VOLUME_FORMATS, read
from haiflow.mesh.order import by_neighbours
from haiflow.mesh.region import Ints, Region
from haiflow.mesh.volumes import tetra_quality, tetra_volumes
from haiflow.ports import Floats

FLAT = 1e-4  # mean-ratio quality below which no flow can be trusted
SHORTEST, LONGEST = 1e-3, 1.0  # m
# Faces of each kind of cell, as corners.
FACES: dict[str, list[tuple[int, ...]]] = {
    "hexahedron": [(0, 1, 2, 3), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)],
    "wedge": [(0, 1, 2), (3, 4, 5), (0, 1, 4, 3), (1, 2, 5, 4), (2, 0, 3, 5)],
    "pyramid": [(0, 1, 2, 3), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)],
}


def read_region(path: Path, place: str, unit: float = 1.0) -> Region:
    """The region in ``path``, lengths in ``unit`` (m); raises InputError with ``place`` for what cannot be used."""
    mesh = read(path, place, VOLUME_FORMATS)
    tetra = _tetrahedra(mesh)
    if not len(tetra):
        raise InputError(place, path.name, "a region needs a volume mesh", "mesh the volume, not only its surface")
    points = np.asarray(mesh.points, float)[:, :3] * unit
    used, corners = np.unique(tetra, return_inverse=True)
    if used[-1] >= len(points) or not np.all(np.isfinite(points[used])):
        raise InputError(place, path.name, "a point is missing or not a number", "export the mesh again")
    cells: Ints = corners.reshape(-1, 4).astype(np.int32)
    inverted = tetra_volumes(points[used], cells) < 0.0
    cells[inverted] = cells[inverted][:, [0, 2, 1, 3]]
    _check(points[used], cells, place)
    _unfolded(cells, place)
    place_of = np.full(len(points), -1)
    place_of[used] = np.arange(len(used))
    return _named(points[used], cells, _surfaces(mesh), place_of, place)


def surface_names(mesh: Any) -> tuple[str, ...]:
    """Names of the surfaces in a file as meshio has it."""
    return tuple(_surfaces(mesh))


def write_region(path: Path, region: Region) -> None:
    """Write a region as gmsh's .msh (its patches as physical surfaces) or as .vtu (patches as numbers)."""
    import meshio

    if path.suffix.lower() not in (".msh", ".vtu"):
        raise InputError(str(path), path.suffix, "a region is written as .msh or .vtu", "give one of these endings")
    cells = [("tetra", region.tetra), ("triangle", region.wall)]
    tags = [np.full(len(region.tetra), len(region.names) + 1, np.int32), region.patch + 1]
    names = {name: np.array([number + 1, 2]) for number, name in enumerate(region.names)}
    names["blood"] = np.array([len(names) + 1, 3])
    if path.suffix.lower() == ".vtu":
        meshio.Mesh(region.points, cells, cell_data={"patch": tags}).write(path)
        return
    data = {"gmsh:physical": tags, "gmsh:geometrical": tags}
    mesh = meshio.Mesh(region.points, cells, cell_data=data, field_data=names)
    meshio.write(path, mesh, file_format="gmsh22", binary=False)


def _check(points: Floats, tetra: Ints, place: str) -> None:
    extent = float(np.ptp(points, axis=0).max())
    if not SHORTEST <= extent <= LONGEST:
        raise InputError(place, f"{extent:.3g} m long", "no such artery", "give the points in metres")
    worst = float(tetra_quality(points, tetra).min())
    if worst < FLAT:
        raise InputError(place, f"a cell of quality {worst:.2g}", "flat cells", "mend or remesh the volume")


def _unfolded(tetra: Ints, place: str) -> None:
    """Raises InputError where two cells lie on the same side of the face between them: one is turned inside out.

    Every cell (all of positive volume) goes round its faces outwards, so neighbours go round the one they share in
    opposite senses.
    """
    faces = tetra[:, [(1, 2, 3), (0, 3, 2), (0, 1, 3), (0, 2, 1)]].reshape(-1, 3)
    sense = np.ones(len(faces), np.int8)
    for one, other in ((0, 1), (1, 2), (0, 1)):
        turned = faces[:, one] > faces[:, other]
        faces[turned] = faces[turned][:, np.array([1, 0, 2] if one == 0 else [0, 2, 1])]
        sense[turned] *= -1
    order = np.lexsort(faces.T)
    faces, sense = faces[order], sense[order]
    alike = np.all(faces[1:] == faces[:-1], axis=1) & (sense[1:] == sense[:-1])
    if alike.any():
        raise InputError(place, f"{int(alike.sum())} faces with both cells on one side",
                         "the mesh is folded over itself",
                         "mend or remesh the volume: a point lies beyond its neighbours")  # fmt: skip


def _closed(points: Floats, wall: Ints, place: str) -> None:
    """Raises InputError where neighbours do not share their faces: between them lie walls of no thickness.

    A tetrahedron beside a hexahedron may cut the quadrilateral between them along the other diagonal.
    """
    edges = np.sort(wall[:, [(0, 1), (1, 2), (2, 0)]].reshape(-1, 2), axis=1).astype(np.int64)
    key = edges[:, 0] * len(points) + edges[:, 1]
    order = np.argsort(key, kind="stable")
    twin = np.flatnonzero(key[order][1:] == key[order][:-1])
    one, other = order[twin] // 3, order[twin + 1] // 3
    a, b, c = points[wall].transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    folded = np.count_nonzero(np.einsum("ij,ij->i", normal[one], normal[other]) < -1.0 + 1e-9)
    if folded:
        raise InputError(place, f"{folded} folded edges of its boundary", "cells lie face to face and do not share it",
                         "put pyramids between hexahedra and tetrahedra, and merge double points")  # fmt: skip


def _tetrahedra(mesh: Any) -> NDArray[np.int64]:
    found = [np.zeros((0, 4), np.int64)]
    for block in mesh.cells:
        corners = np.asarray(block.data, np.int64)
        if block.type in ("tetra", "tetra10"):
            found.append(corners[:, :4])
        elif block.type in FACES:
            found.append(cut(corners, block.type))
    return np.concatenate(found)


def cut(cells: NDArray[np.int64], kind: str) -> NDArray[np.int64]:
    """Tetrahedra of cells: from the lowest corner to the triangles of the faces that it is not on.

    A quadrilateral face is cut from its lowest corner, which both cells beside it see alike (Dompierre et al. 1999).
    """
    lowest = cells.min(axis=1)
    parts: list[NDArray[np.int64]] = []
    for face in FACES[kind]:
        corners = cells[:, face]
        away = ~np.any(corners == lowest[:, None], axis=1)
        parts += [np.column_stack([lowest[away], triangle]) for triangle in _halves(corners[away])]
    return np.concatenate(parts)


def _halves(corners: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    if corners.shape[1] == 3:
        return [corners]
    turn = np.argmin(corners, axis=1)
    rolled = corners[np.arange(len(corners))[:, None], (turn[:, None] + np.arange(4)) % 4]
    return [rolled[:, [0, 1, 2]], rolled[:, [0, 2, 3]]]


def _surfaces(mesh: Any) -> dict[str, NDArray[np.int64]]:
    """Name -> triangles (k, 3) of the file's own surface cells."""
    found: dict[str, list[NDArray[np.int64]]] = {}
    names = {
        int(value[0]): name for name, value in (mesh.field_data or {}).items() if np.size(value) == 2 and value[1] == 2
    }
    data: dict[str, Any] = mesh.cell_data or {}
    tags: Any = data.get("gmsh:physical") or data.get("cell_tags")
    families = {tag: labels[0] for tag, labels in (getattr(mesh, "cell_tags", None) or {}).items() if labels}
    for number, block in enumerate(mesh.cells):
        if block.type not in ("triangle", "triangle6", "quad"):
            continue
        corners = np.asarray(block.data, np.int64)
        corners = corners[:, :3] if block.type.startswith("triangle") else corners
        labels = {tag: (names | families).get(int(tag)) for tag in np.unique(tags[number])} if tags else {}
        for tag, name in labels.items():
            if name:
                found.setdefault(name, []).extend(_halves(corners[np.asarray(tags[number]) == tag]))
        for name, sets in (mesh.cell_sets or {}).items():
            if (
                not name.startswith("gmsh:")
                and sets[number] is not None
                and len(sets[number])
                and name not in labels.values()
            ):
                found.setdefault(name, []).extend(_halves(corners[np.asarray(sets[number], int)]))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _named(
    points: Floats, tetra: Ints, surfaces: dict[str, NDArray[np.int64]], place_of: NDArray[np.int_], place: str
) -> Region:
    wall, _ = boundary(tetra)
    _closed(points, wall, place)
    names = [*surfaces, "vessel"] if "vessel" not in surfaces else list(surfaces)
    lookup = {
        tuple(sorted(face)): names.index(name) for name, faces in surfaces.items() for face in place_of[faces].tolist()
    }
    rest = names.index("vessel")
    nameless = sum(tuple(sorted(face)) not in lookup for face in wall.tolist())
    if "vessel" in surfaces and nameless:  # a part of an opening would be a wall, unheard
        raise InputError(place, f"{nameless} of {len(wall)} boundary triangles", "they belong to no named surface",
                         "name every surface, or none 'vessel': the rest is then that")  # fmt: skip
    patch = np.array([lookup.get(tuple(sorted(face)), rest) for face in wall.tolist()], np.int32)
    kept = [name for number, name in enumerate(names) if np.any(patch == number)]
    patch = np.array([kept.index(names[number]) for number in patch], np.int32)
    order = by_neighbours(tetra, len(points))
    moved = np.empty(len(points), np.int32)
    moved[order] = np.arange(len(points))
    cells = moved[tetra]
    cells = cells[np.argsort(cells.min(axis=1), kind="stable")]
    return Region(points[order], np.ascontiguousarray(cells), moved[wall], patch, tuple(kept))
