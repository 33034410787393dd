"""Files of gmsh as gmsh itself reads them: where meshio fails (all elements saved, some in groups) or takes long.

gmsh reads in a process of its own: on some damaged files it does not fail, it crashes, or takes whatever memory it
gets.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from haiflow.mesh.apart import Unread, read_apart

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
    if find_spec("gmsh") is None:
        return None
    try:
        return _as_meshio(read_apart("haiflow.mesh.by_gmsh:extract", path))
    except (Unread, OSError):
        return None


def extract(path: Path) -> dict[str, Any]:
    """In the process of its own: points, blocks of corners, and what :func:`read_by_gmsh` puts them together by."""
    import gmsh

    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.open(str(path))
    return _arrays(gmsh.model)


def _arrays(model: Any) -> dict[str, Any]:
    """Points, blocks of corners, and as JSON each block's kind and groups and the groups' names."""
    tags, coordinates, _ = model.mesh.getNodes()
    order = np.argsort(tags)
    found: dict[str, Any] = {"points": coordinates.reshape(-1, 3)}
    blocks: list[tuple[str, list[int]]] = []
    for dimension, entity in [each for each in model.getEntities() if each[0] >= 2]:
        kinds, _, corners = model.mesh.getElements(dimension, entity)
        mine = [int(tag) for tag in model.getPhysicalGroupsForEntity(dimension, entity)] if dimension == 3 else []
        for kind, nodes in zip(kinds, corners, strict=True):
            if kind in KINDS:
                size = model.mesh.getElementProperties(kind)[3]
                place = order[np.searchsorted(tags, nodes, sorter=order)]
                found[f"cells{len(blocks)}"] = place.reshape(-1, size)
                blocks.append((KINDS[kind], mine))
    names = {tag: model.getPhysicalName(3, tag) for tag in {tag for _, mine in blocks for tag in mine}}
    found["about"] = np.array(json.dumps({"blocks": blocks, "names": list(names.items())}))
    return found


def _as_meshio(arrays: Any) -> Any:
    import meshio

    about = json.loads(str(arrays["about"]))
    groups = [mine for _, mine in about["blocks"]]
    cells = [(kind, arrays[f"cells{number}"]) for number, (kind, _) in enumerate(about["blocks"])]
    tagged = [np.full(len(block), mine[0] if mine else 0) for (_, block), mine in zip(cells, groups, strict=True)]
    sets = {
        name: [np.arange(len(block) if tag in mine else 0) for (_, block), mine in zip(cells, groups, strict=True)]
        for tag, name in about["names"]
        if name
    }
    return meshio.Mesh(arrays["points"], cells, cell_data={"gmsh:physical": tagged}, cell_sets=sets)
