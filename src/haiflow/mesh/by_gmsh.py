"""Files of gmsh as gmsh itself reads them: where meshio fails (all elements saved, some in groups) or takes long.

gmsh reads in a process of its own: on some damaged files it does not fail, it crashes, or takes whatever memory it
gets. That process has a bound of memory, and ends when the one that asked has gone, however it went.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

KINDS = {2: "triangle", 9: "triangle6", 3: "quad", 4: "tetra", 11: "tetra10", 5: "hexahedron", 6: "wedge", 7: "pyramid"}
PATIENCE, PATIENCE_A_BYTE = 60.0, 1e-6  # s: a file of 100 MB takes gmsh some ten seconds
MEMORY, MEMORY_A_BYTE = 8 * 2**30, 200  # bytes of address space: a cell takes some 40 in a file, and gmsh 500


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
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "mesh.npz"
        command = [sys.executable, "-c", "from haiflow.mesh.by_gmsh import extract; extract()", str(path), str(found)]
        patience = PATIENCE + PATIENCE_A_BYTE * path.stat().st_size
        ours, held = os.pipe()  # nothing is ever written: its end tells the child that this process has gone
        try:
            subprocess.run(command, check=True, timeout=patience, capture_output=True, stdin=ours)
        except (subprocess.SubprocessError, OSError):
            return None
        finally:
            os.close(ours)
            os.close(held)
        with np.load(found) as arrays:
            return _as_meshio(arrays)


def extract() -> None:
    """In the process of its own: ``sys.argv`` names the file and where its arrays go."""
    source, target = sys.argv[1:]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _bound_memory(Path(source).stat().st_size)
    import gmsh

    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.open(source)
    np.savez(target, **_arrays(gmsh.model))


def _end_with_parent() -> None:
    os.read(0, 1)
    os._exit(1)


def _bound_memory(size: int) -> None:
    """Where the system can: what a file of ``size`` bytes may take."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        most = MEMORY + MEMORY_A_BYTE * size
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


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
