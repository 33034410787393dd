"""From one mesh format to another, checked by reading back: ``haiflow mesh convert``, and how any mesh is written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from haiflow.errors import InputError
from haiflow.mesh.files import VOLUME_FORMATS, load
from haiflow.mesh.labels import NUMBERED
from haiflow.mesh.model import TetraMesh
from haiflow.mesh.read import UNITS, joined
from haiflow.mesh.volumes import tetra_volumes
from haiflow.mesh.write import refused_by_system, write_liver, write_tetra


def refuse_existing(path: Path, force: bool) -> None:
    """Raises InputError where ``path`` must not be written."""
    if path.suffix.lower() not in VOLUME_FORMATS:
        remedy = f"use one of {', '.join(VOLUME_FORMATS)}"
        raise InputError(str(path), path.suffix or "no ending", "no format for tetrahedra", remedy)
    if path.exists() and not force:
        raise InputError(str(path), "exists", "an existing file is not overwritten", "give another name, or --force")
    if not path.absolute().parent.is_dir():
        raise InputError(str(path), "no such folder", "the file's folder must exist", "make it, or give another name")


def written(path: Path, write: Callable[[Path], None]) -> None:
    """Calls ``write`` with a file beside ``path`` and renames it when it is complete. What goes wrong is told of
    ``path``: nobody knows the file on its way. Raises InputError, and OSError where the disk is full."""
    partial = path
    try:
        with tempfile.TemporaryDirectory(prefix=".haiflow-", dir=path.absolute().parent) as folder:
            partial = Path(folder) / path.name
            write(partial)
            for beside in Path(folder).iterdir():  # xdmf keeps its numbers in a second file
                os.replace(beside, path.absolute().parent / beside.name)
    except InputError as error:
        place, value = (str(each).replace(str(partial), str(path)) for each in (error.place, error.value))
        raise InputError(place, value, error.rule, error.remedy) from None
    except OSError as error:
        refused_by_system(error, path)
        raise


def convert(source: Path, target: Path, unit: str = "m", force: bool = False) -> tuple[int, float]:
    """Writes the tetrahedra of ``source`` (in ``unit``) with their labels to ``target`` in metres.

    Returns their number and volume (m3). Raises InputError for a file that cannot be read or written, and where what is
    read back differs.
    """
    refuse_existing(target, force)
    raw = load(source, str(source))
    if not len(raw.tetra):
        raise InputError(str(source), "no tetrahedra", "there is nothing to convert", "give a volume mesh")
    points, tetra = joined(raw, str(source))
    points = points * UNITS[unit]
    volume = float(np.abs(tetra_volumes(points, tetra)).sum())
    if not volume > 0.0:
        raise InputError(str(source), "0 mL", "tetrahedra without volume", "mend or remesh the volume")
    numbers = {name.replace(":", "_"): values for name, values in raw.numbers.items()}
    first = next((name.replace(":", "_") for name in NUMBERED if name in raw.numbers), None)
    for name, cells in raw.groups.items():
        inside = np.zeros(len(tetra), dtype=np.int32)
        inside[cells] = 1
        numbers.setdefault(name, inside)
    if first is not None:  # a format that holds one number takes the first
        numbers = {first: numbers[first]} | numbers

    def write(path: Path) -> None:
        write_tetra(path, points, tetra, numbers)
        _compare(path, points, tetra)

    written(target, write)
    return len(tetra), volume


def _compare(path: Path, points: np.ndarray, tetra: np.ndarray) -> None:
    again = load(path, str(path))
    volumes = [float(np.abs(tetra_volumes(*pair)).sum()) for pair in ((points, tetra), joined(again, str(path)))]
    if len(again.tetra) != len(tetra) or abs(volumes[1] / volumes[0] - 1.0) > 1e-6:
        rule = "what is read back differs from what was written"
        raise InputError(str(path), f"{len(again.tetra)} cells", rule, "use .vtu")


def save(mesh: TetraMesh, target: Path, force: bool = False) -> None:
    """Writes a liver with its segments (m)."""
    refuse_existing(target, force)
    written(target, lambda path: write_liver(path, mesh))
