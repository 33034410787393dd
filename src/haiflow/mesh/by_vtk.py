"""Lines and points as VTK itself reads them (.vtp, and .vtk of the legacy format), in a process of its own.

VTK takes the memory that a file's counts and offsets ask for before it looks for what they count, and ends the process
where it is not there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from haiflow.errors import InputError
from haiflow.mesh.apart import read_apart


@dataclass(frozen=True)
class PolyLines:
    """What a file of lines holds: ``kind`` VTK's name for it, ``points`` (n, 3), ``lines`` flat (count, indices, ...).

    ``cells`` counts all of its cells, ``line_count`` the lines among them. Arrays by name: of numbers for points and
    cells; of field data, and of arrays of text, the names alone.
    """

    kind: str
    points: Any
    lines: Any
    line_count: int
    cells: int
    point_data: Mapping[str, Any]
    cell_data: Mapping[str, Any]
    names: Mapping[str, tuple[str, ...]]


def read_lines(path: Path) -> PolyLines:
    """The file's lines. Raises InputError where VTK is missing, :class:`haiflow.mesh.apart.Unread` where it fails."""
    if find_spec("vtkmodules") is None:
        raise InputError("vtk", "not there", "this needs VTK", "pip install 'haiflow[viz]'")
    arrays = read_apart("haiflow.mesh.by_vtk:extract", path)
    about = json.loads(str(arrays["about"]))
    data = {
        kind: {name: arrays[f"{kind} {number}"] for number, name in about["numbers"][kind]}
        for kind in ("point", "cell")
    }
    names = {kind: tuple(each) for kind, each in about["names"].items()}
    return PolyLines(
        about["kind"], arrays["points"], arrays["lines"], about["lines"], about["cells"], data["point"], data["cell"],
        names,
    )  # fmt: skip


def extract(path: Path) -> dict[str, Any]:
    """In the process of its own: the arrays that :func:`read_lines` puts together again."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    data = _output(path)
    about: dict[str, Any] = {
        "kind": "nothing",
        "lines": 0,
        "cells": 0,
        "numbers": {"point": [], "cell": []},
        "names": {},
    }
    found: dict[str, Any] = {"points": np.zeros((0, 3)), "lines": np.zeros(0, np.int64)}
    if data is not None:
        about |= {"kind": data.GetClassName().removeprefix("vtk"), "cells": data.GetNumberOfCells()}
    if about["kind"] == "PolyData":
        about["lines"] = data.GetNumberOfLines()
        if data.GetPoints() is not None:
            found["points"] = vtk_to_numpy(data.GetPoints().GetData())
        found["lines"] = _flat(data.GetLines(), vtk_to_numpy)
        for kind, group in (
            ("point", data.GetPointData()),
            ("cell", data.GetCellData()),
            ("field", data.GetFieldData()),
        ):
            arrays = [group.GetAbstractArray(number) for number in range(group.GetNumberOfArrays())]
            about["names"][kind] = [str(array.GetName()) for array in arrays]
            for number, array in enumerate(arrays if kind in about["numbers"] else ()):
                if array.IsNumeric():
                    about["numbers"][kind].append((number, str(array.GetName())))
                    found[f"{kind} {number}"] = vtk_to_numpy(array)
    found["about"] = np.array(json.dumps(about))
    return found


def _output(path: Path) -> Any:
    """What VTK makes of the file; None for nothing at all."""
    from vtkmodules.vtkCommonCore import vtkObject
    from vtkmodules.vtkIOLegacy import vtkDataSetReader
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    vtkObject.GlobalWarningDisplayOff()
    if path.suffix.lower() == ".vtp":
        reader: Any = vtkXMLPolyDataReader()
    else:
        reader = vtkDataSetReader()
        reader.ReadAllScalarsOn()  # a legacy file's first array is read alone otherwise
        reader.ReadAllVectorsOn()
        reader.ReadAllFieldsOn()
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutput()


def _flat(lines: Any, as_numpy: Any) -> Any:
    """Each line's count of points before their indices."""
    if lines.GetNumberOfCells() == 0:
        return np.zeros(0, np.int64)
    offsets = as_numpy(lines.GetOffsetsArray()).astype(np.int64)
    points = as_numpy(lines.GetConnectivityArray()).astype(np.int64)
    if np.any(np.diff(offsets) < 0) or offsets[0] != 0 or offsets[-1] > len(points):
        raise ValueError(f"its offsets end at {offsets[-1]}, and its lines name {len(points)} points")
    return np.insert(points[: offsets[-1]], offsets[:-1], np.diff(offsets))
