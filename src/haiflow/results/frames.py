"""perfusion.pvd and the folder perfusion/: the drug in the liver over time, as ParaView and pyvista play it.

The collection names one .vtu file a time; points and cells in each are those of perfusion.vtu. Format: "VTK XML
formats" (https://docs.vtk.org); the collection is described in the ParaView guide.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError
from haiflow.ports import Floats
from haiflow.results import vtk
from haiflow.results.record import LiverField

COLLECTION, FOLDER = "perfusion.pvd", "perfusion"
DRUG = "drug_concentration_kg_per_m3"
TETRA = 10  # VTK's number of a tetrahedron


def write(folder: Path, liver: LiverField) -> None:
    """Writes the series of ``liver`` into ``folder``; nothing where it has no frames."""
    if liver.times is None or liver.frames is None:
        return
    (folder / FOLDER).mkdir()
    root = ElementTree.Element("VTKFile", type="Collection", version="1.0", byte_order="LittleEndian")
    collection = ElementTree.SubElement(root, "Collection")
    tree, drug = _grid(liver)
    for index, (time, frame) in enumerate(zip(liver.times, liver.frames, strict=True)):
        name = f"{FOLDER}/{index:04d}.vtu"
        drug.text = vtk.encode(np.asarray(frame, "<f4"))
        tree.write(folder / name, encoding="utf-8", xml_declaration=True)
        ElementTree.SubElement(collection, "DataSet", timestep=repr(float(time)), group="", part="0", file=name)
    ElementTree.ElementTree(root).write(folder / COLLECTION, encoding="utf-8", xml_declaration=True)


def _grid(liver: LiverField) -> tuple[ElementTree.ElementTree[ElementTree.Element], ElementTree.Element]:
    """A .vtu file with points, cells and segments, and the element that takes the concentrations of a frame."""
    m = len(liver.tetra)
    root = ElementTree.Element(
        "VTKFile", type="UnstructuredGrid", version="1.0", byte_order="LittleEndian", header_type="UInt64",
        compressor="vtkZLibDataCompressor",
    )  # fmt: skip
    grid = ElementTree.SubElement(root, "UnstructuredGrid")
    piece = ElementTree.SubElement(grid, "Piece", NumberOfPoints=str(len(liver.points)), NumberOfCells=str(m))
    vtk.array(ElementTree.SubElement(piece, "Points"), "Points", np.asarray(liver.points, float))
    cells = ElementTree.SubElement(piece, "Cells")
    vtk.array(cells, "connectivity", np.asarray(liver.tetra, np.int64).ravel())
    vtk.array(cells, "offsets", 4 * np.arange(1, m + 1, dtype=np.int64))
    vtk.array(cells, "types", np.full(m, TETRA, np.uint8))
    values = ElementTree.SubElement(piece, "CellData", Scalars=DRUG)
    segment = np.asarray(liver.cell_data.get("couinaud_segment", np.zeros(m)), np.int32)
    vtk.array(values, "couinaud_segment", segment)
    vtk.array(values, DRUG, np.zeros(m, np.float32))
    return ElementTree.ElementTree(root), values[-1]


def read(folder: Path) -> tuple[Floats | None, NDArray[np.float32] | None]:
    """Times (k,) s and frames (k, m) kg/m3 of the series in ``folder``; None and None where there is none.

    Raises InputError where the collection names a file that cannot be read.
    """
    path = folder / COLLECTION
    if not path.exists():
        return None, None
    entries = list(ElementTree.parse(path).getroot().iter("DataSet"))
    times = np.array([float(entry.get("timestep", "nan")) for entry in entries])
    return times, np.array([_frame(folder / entry.get("file", "")) for entry in entries], np.float32)


def _frame(path: Path) -> NDArray[np.float32]:
    try:
        root = ElementTree.parse(path).getroot()
        found = next(item for item in root.iter("DataArray") if item.get("Name") == DRUG)
    except (OSError, ElementTree.ParseError, StopIteration) as error:
        rule = f"{COLLECTION} names it, so it must hold {DRUG}"
        raise InputError(str(path), type(error).__name__, rule, "run the scenario again") from error
    return np.asarray(vtk.decode(found.text or "", found.get("type", "")), np.float32)
