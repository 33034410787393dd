"""junction.vtu, junction.pvd with the folder junction/, and tracers.vtp: the region round the tip.

``junction.vtu`` has the means over the cardiac cycle at the points, and the boundary's triangles with their ``patch``;
the collection has velocity and drug at times within the cycle, of a steady flow at one; ``tracers.vtp`` has the ways
of tracers as poly-lines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError
from haiflow.results import vtk
from haiflow.results.record import JunctionField

FILE, COLLECTION, FOLDER, TRACERS = "junction.vtu", "junction.pvd", "junction", "tracers.vtp"
TETRA, TRIANGLE = 10, 5  # VTK's numbers
VELOCITY, DRUG = "velocity_m_per_s", "drug_relative_to_mixed"
ABOUT = ("patch_names", "branches")  # field data: names as bytes, a line each
INSIDE = -1  # "patch" of a tetrahedron


def write(folder: Path, region: JunctionField) -> None:
    """Writes all files of ``region`` into ``folder``."""
    _file(region, region.point_data).write(folder / FILE, encoding="utf-8", xml_declaration=True)
    if len(region.times):
        (folder / FOLDER).mkdir()
        root = ElementTree.Element("VTKFile", type="Collection", version="1.0", byte_order="LittleEndian")
        collection = ElementTree.SubElement(root, "Collection")
        for index, time in enumerate(region.times):
            name = f"{FOLDER}/{index:04d}.vtu"
            data = {VELOCITY: region.velocity[index], DRUG: region.drug[index]}
            _file(region, data).write(folder / name, encoding="utf-8", xml_declaration=True)
            ElementTree.SubElement(collection, "DataSet", timestep=repr(float(time)), group="", part="0", file=name)
        ElementTree.ElementTree(root).write(folder / COLLECTION, encoding="utf-8", xml_declaration=True)
    _write_trails(folder / TRACERS, region.trails, region.trail_branch)


def _file(region: JunctionField, data: dict[str, NDArray[Any]]) -> ElementTree.ElementTree[ElementTree.Element]:
    m, b = len(region.tetra), len(region.wall)
    root = ElementTree.Element(
        "VTKFile", type="UnstructuredGrid", version="1.0", byte_order="LittleEndian", header_type="UInt64",
        compressor="vtkZLibDataCompressor",
    )  # fmt: skip
    grid = ElementTree.SubElement(root, "UnstructuredGrid")
    about = ElementTree.SubElement(grid, "FieldData")
    for key, names in zip(ABOUT, (region.names, region.branches), strict=True):
        vtk.array(about, key, np.frombuffer("\n".join(names).encode(), np.uint8))  # text arrays stop meshio
    piece = ElementTree.SubElement(grid, "Piece", NumberOfPoints=str(len(region.points)), NumberOfCells=str(m + b))
    values = ElementTree.SubElement(piece, "PointData")
    for name, array in data.items():
        vtk.array(values, name, np.asarray(array, np.float32))
    cells = ElementTree.SubElement(piece, "CellData")
    vtk.array(cells, "patch", np.concatenate([np.full(m, INSIDE), region.patch]).astype(np.int32))
    vtk.array(ElementTree.SubElement(piece, "Points"), "Points", np.asarray(region.points, float))
    cells = ElementTree.SubElement(piece, "Cells")
    vtk.array(cells, "connectivity", np.concatenate([region.tetra.ravel(), region.wall.ravel()]).astype(np.int64))
    offsets = np.concatenate([4 * np.arange(1, m + 1), 4 * m + 3 * np.arange(1, b + 1)])
    vtk.array(cells, "offsets", offsets.astype(np.int64))
    vtk.array(cells, "types", np.concatenate([np.full(m, TETRA), np.full(b, TRIANGLE)]).astype(np.uint8))
    return ElementTree.ElementTree(root)


def _write_trails(path: Path, trails: NDArray[np.float32], branch: NDArray[np.int32]) -> None:
    known = ~np.isnan(trails[:, :, 0])
    seen = known.sum(axis=1) > 1
    count, points = known[seen].sum(axis=1), trails[seen][known[seen]].astype(float)
    root = ElementTree.Element(
        "VTKFile", type="PolyData", version="1.0", byte_order="LittleEndian", header_type="UInt64",
        compressor="vtkZLibDataCompressor",
    )  # fmt: skip
    piece = ElementTree.SubElement(
        ElementTree.SubElement(root, "PolyData"), "Piece", NumberOfPoints=str(len(points)),
        NumberOfLines=str(len(count)),
        NumberOfVerts="0", NumberOfStrips="0", NumberOfPolys="0",
    )  # fmt: skip
    vtk.array(ElementTree.SubElement(piece, "Points"), "Points", points.reshape(-1, 3))
    vtk.array(ElementTree.SubElement(piece, "CellData"), "branch", branch[seen].astype(np.int32))
    lines = ElementTree.SubElement(piece, "Lines")
    vtk.array(lines, "connectivity", np.arange(len(points), dtype=np.int64))
    vtk.array(lines, "offsets", np.cumsum(count).astype(np.int64))
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def read(folder: Path) -> JunctionField | None:
    """The region in ``folder`` with its means over the cycle and its frames; None where there is none.

    Raises InputError where the collection names a file that does not hold what belongs there.
    """
    path = folder / FILE
    if not path.exists():
        return None
    root = ElementTree.parse(path).getroot()
    arrays = {item.get("Name", ""): item for item in root.iter("DataArray")}
    points = _values(arrays.pop("Points")).reshape(-1, 3)
    connectivity, patch = _values(arrays.pop("connectivity")), _values(arrays.pop("patch"))
    arrays.pop("offsets")
    tetra = _values(arrays.pop("types")) == TETRA
    m = int(tetra.sum())
    names, branches = (tuple(_values(arrays.pop(key)).tobytes().decode().split("\n")) for key in ABOUT)
    data = {name: _values(item).reshape((len(points), -1)).squeeze() for name, item in arrays.items()}
    trails, branch = _read_trails(folder / TRACERS)
    times, velocity, drug = _read_frames(folder, len(points))
    corners = connectivity.astype(np.int32)
    return JunctionField(
        points, corners[: 4 * m].reshape(-1, 4), corners[4 * m :].reshape(-1, 3),
        patch[m:].astype(np.int32), names, branches, data, times, velocity, drug,
        trails, branch, float(times.max(initial=0.0)),
    )  # fmt: skip


def _read_frames(folder: Path, n: int) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
    """Times (k,) s within the beat, velocity (k, n, 3) m/s and drug (k, n) over mixed; k = 1 of a steady flow."""
    path = folder / COLLECTION
    sets = list(ElementTree.parse(path).getroot().iter("DataSet")) if path.exists() else []
    times = np.array([float(item.get("timestep", "nan")) for item in sets])
    velocity, drug = np.zeros((len(sets), n, 3), np.float32), np.zeros((len(sets), n), np.float32)
    for index, item in enumerate(sets):
        velocity[index], drug[index] = _frame(folder / str(item.get("file")), n)
    return times, velocity, drug


def _frame(path: Path, n: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Velocity (n, 3) and drug (n,) in one file of the collection."""
    try:
        arrays = {item.get("Name"): item for item in ElementTree.parse(path).getroot().iter("DataArray")}
        return _values(arrays[VELOCITY]).reshape(n, 3), _values(arrays[DRUG]).reshape(n)
    except (OSError, ElementTree.ParseError, KeyError, ValueError) as error:
        rule = f"{COLLECTION} names it, so it must hold {VELOCITY} and {DRUG} at {n} points"
        raise InputError(str(path), str(error), rule, "run the scenario again, or delete the collection") from None


def _values(item: ElementTree.Element) -> NDArray[Any]:
    return vtk.decode(item.text or "", item.get("type", ""))


def _read_trails(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    arrays = {item.get("Name", ""): item for item in ElementTree.parse(path).getroot().iter("DataArray")}
    points, offsets = _values(arrays["Points"]).reshape(-1, 3), _values(arrays["offsets"])
    count = np.diff(offsets, prepend=0)
    trails = np.full((len(count), int(count.max(initial=0)), 3), np.nan, np.float32)
    trails[np.arange(trails.shape[1]) < count[:, None]] = points
    return trails, _values(arrays["branch"]).astype(np.int32)
