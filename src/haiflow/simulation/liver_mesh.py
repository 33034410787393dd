"""The liver's mesh for a scenario: the standard liver or the user's own, in the size that the scenario states."""

from __future__ import annotations

from pathlib import Path

from haiflow.mesh.model import TetraMesh
from haiflow.mesh.read import read_liver
from haiflow.mesh.standard import standard_liver
from haiflow.scenario import model as given


def liver_mesh(liver: given.Liver, folder: Path | None = None, place: str = "liver.mesh") -> TetraMesh:
    """The mesh on which segments are drawn and tumours located; ``folder`` is where a relative path starts.

    Raises :class:`haiflow.errors.InputError` with ``place`` for a mesh that cannot be read.
    """
    if liver.mesh is None:
        return standard_liver(liver.volume)
    path = Path(liver.mesh)
    at = path if path.is_absolute() or folder is None else folder / path
    mesh = read_liver(at, place, unit=liver.mesh_unit, labels=liver.labels)
    return mesh if liver.volume is None else mesh.scaled(liver.volume)
