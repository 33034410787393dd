"""Files of gmsh as gmsh itself reads them: where meshio fails (all elements saved, some in groups) or takes long."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS = {2: "triangle", 9: "triangle6", 3: "quad", 4: "tetra", 11: "tetra10", 5: "hexahedron", 6: "wedge", 7: "pyramid"}


def is_slow_in_meshio(path: Path) -> bool:
    """Binary files of version 2 take meshio some 30 s a million cells, gmsh one."""
    with path.open("rb") as stream:
        words = stream.read(64).split()
    return len(words) > 2 and words[0] == b"$MeshFormat" and words[1].startswith(b"2") and words[2] == b"1"


def read_by_gmsh(path: Path) -> Any:
    """The whole file as a meshio mesh, cells in no physical group included; None where gmsh is missing or fails.

    Cell data ``gmsh:physical`` is the first group of a cell, 0 for none; named groups are cell sets.
    """
    try:
        import gmsh
    except (ImportError, OSError):
        return None
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.open(str(path))
        return _as_meshio(gmsh.model)
    except Exception:  # gmsh raises bare exceptions
        return None
    finally:
        gmsh.finalize()


def _as_meshio(model: Any) -> Any:
    import meshio

    tags, coordinates, _ = model.mesh.getNodes()
    order = np.argsort(tags)
    cells: list[tuple[str, NDArray[np.int64]]] = []
    groups: list[list[int]] = []
    for dimension, entity in [each for each in model.getEntities() if each[0] >= 2]:
        kinds, _, corners = model.mesh.getElements(dimension, entity)
        mine = [int(tag) for tag in model.getPhysicalGroupsForEntity(dimension, entity)] if dimension == 3 else []
        for kind, nodes in zip(kinds, corners, strict=True):
            if kind in KINDS:
                size = model.mesh.getElementProperties(kind)[3]
                place = order[np.searchsorted(tags, nodes, sorter=order)]
                cells.append((KINDS[kind], place.reshape(-1, size)))
                groups.append(mine)
    tagged = [np.full(len(block), mine[0] if mine else 0) for (_, block), mine in zip(cells, groups, strict=True)]
    names = {tag: model.getPhysicalName(3, tag) for tag in {tag for mine in groups for tag in mine}}
    sets = {
        name: [np.arange(len(block) if tag in mine else 0) for (_, block), mine in zip(cells, groups, strict=True)]
        for tag, name in names.items()
        if name
    }
    return meshio.Mesh(coordinates.reshape(-1, 3), cells, cell_data={"gmsh:physical": tagged}, cell_sets=sets)
