"""network.vtp and perfusion.vtu: VTK's XML files, which ParaView and pyvista open.

The poly-lines are written here because meshio has no .vtp; the tetrahedra go through meshio.
Format: "VTK XML formats", inline base64 with zlib, 64-bit headers (https://docs.vtk.org).
"""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from haiflow.results.record import LiverField, Marker, Network, PumpBody

POINT_ARRAYS = {
    "part": "part",
    "vessel": "vessel",
    "radius": "radius_m",
    "flow_rate": "flow_rate_m3_per_s",
    "pressure": "pressure_pa",
    "concentration": "drug_concentration_kg_per_m3",
}
TYPES = {"Float64": "<f8", "Float32": "<f4", "Int32": "<i4", "Int64": "<i8", "UInt8": "|u1"}
KINDS = {kind.lstrip("<|"): name for name, kind in TYPES.items()}


def encode(values: NDArray[Any]) -> str:
    """One compressed block: header (blocks, size, last size, compressed size), then the bytes, each in base64."""
    raw = np.ascontiguousarray(values).tobytes()
    packed = zlib.compress(raw, 1)
    header = np.array([1, len(raw), len(raw), len(packed)], "<u8").tobytes()
    return base64.b64encode(header).decode() + base64.b64encode(packed).decode()


def decode(text: str, kind: str) -> NDArray[Any]:
    text = text.strip()
    packed = base64.b64decode(text[44:])  # 32 header bytes take 44 characters
    return np.frombuffer(zlib.decompress(packed), TYPES[kind]).copy()


def array(parent: ElementTree.Element, name: str, values: NDArray[Any]) -> None:
    """Adds ``values`` (n,) or (n, k) to a file's tree, in their own type where VTK has it."""
    kind = KINDS.get(values.dtype.str.lstrip("<|"), "Float64")
    attributes = {"type": kind, "Name": name, "format": "binary"}
    if values.ndim == 2:
        attributes["NumberOfComponents"] = str(values.shape[1])
    ElementTree.SubElement(parent, "DataArray", attributes).text = encode(values.astype(TYPES[kind]))


def _strings(parent: ElementTree.Element, name: str, values: list[str]) -> None:
    codes = [code for text in values for code in (*text.encode(), 0)]
    attributes = {"type": "String", "Name": name, "NumberOfTuples": str(len(values)), "format": "ascii"}
    ElementTree.SubElement(parent, "Array", attributes).text = " ".join(map(str, codes))


def write_network(path: Path, network: Network) -> None:
    """Writes network.vtp; vessel names, markers and the pump's body are field data."""
    root = ElementTree.Element(
        "VTKFile", type="PolyData", version="1.0", byte_order="LittleEndian", header_type="UInt64",
        compressor="vtkZLibDataCompressor",
    )  # fmt: skip
    data = ElementTree.SubElement(root, "PolyData")
    labels = ElementTree.SubElement(data, "FieldData")
    _strings(labels, "vessel_names", list(network.vessel_names))
    _strings(labels, "haiflow", [json.dumps(_extras(network))])
    piece = ElementTree.SubElement(
        data, "Piece", NumberOfPoints=str(len(network.points)), NumberOfLines=str(network.n_lines),
        NumberOfVerts="0", NumberOfStrips="0", NumberOfPolys="0",
    )  # fmt: skip
    values = ElementTree.SubElement(piece, "PointData", Scalars="drug_concentration_kg_per_m3")
    for attribute, name in POINT_ARRAYS.items():
        array(values, name, np.asarray(getattr(network, attribute)))
    array(ElementTree.SubElement(piece, "Points"), "Points", np.asarray(network.points, float))
    lines = ElementTree.SubElement(piece, "Lines")
    array(lines, "connectivity", network.connectivity.astype(np.int64))
    array(lines, "offsets", network.offsets[1:].astype(np.int64))
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _extras(network: Network) -> dict[str, Any]:
    pump = network.pump
    return {
        "diagram": network.diagram,
        "markers": [[mark.name, mark.kind, np.asarray(mark.position).tolist()] for mark in network.markers],
        "pump": pump and [np.asarray(pump.centre).tolist(), np.asarray(pump.axis).tolist(), pump.radius, pump.height],
    }


def read_network(path: Path) -> Network | None:
    """Reads what :func:`write_network` wrote; None where there is no file."""
    if not path.exists():
        return None
    root = ElementTree.parse(path).getroot()
    arrays = {item.get("Name"): decode(item.text or "", item.get("type", "")) for item in root.iter("DataArray")}
    texts = {item.get("Name"): bytes(map(int, (item.text or "").split())).decode() for item in root.iter("Array")}
    extras = json.loads(texts["haiflow"].rstrip("\0"))
    pump = extras["pump"]
    return Network(
        points=arrays["Points"].reshape(-1, 3),
        connectivity=arrays["connectivity"].astype(np.int32),
        offsets=np.concatenate([[0], arrays["offsets"]]).astype(np.int32),
        vessel_names=tuple(texts["vessel_names"].split("\0")[:-1]),
        markers=tuple(Marker(name, kind, np.array(place)) for name, kind, place in extras["markers"]),
        pump=PumpBody(np.array(pump[0]), np.array(pump[1]), pump[2], pump[3]) if pump else None,
        diagram=bool(extras.get("diagram", False)),
        **{attribute: arrays[name] for attribute, name in POINT_ARRAYS.items()},
    )


def write_liver(path: Path, liver: LiverField) -> None:
    """Writes perfusion.vtu (points in metres)."""
    import meshio

    cell_data = {name: [np.asarray(values)] for name, values in liver.cell_data.items()}
    meshio.Mesh(np.asarray(liver.points, float), [("tetra", liver.tetra)], cell_data=cell_data).write(path)


def read_liver(path: Path) -> LiverField | None:
    """Reads perfusion.vtu; None where there is no file."""
    if not path.exists():
        return None
    import meshio

    mesh = meshio.read(path)
    cell_data = {name: values[0] for name, values in mesh.cell_data.items()}
    return LiverField(np.asarray(mesh.points, float), mesh.cells[0].data.astype(np.int32), cell_data)
