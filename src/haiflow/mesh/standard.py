"""The standard liver that comes with haiflow: 1500 mL, eight Couinaud segments, drawn by ``meshes/make_liver.py``."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import as_file, files

from haiflow.mesh.model import TetraMesh
from haiflow.mesh.read import read_liver


def standard_liver(volume: float | None = None) -> TetraMesh:
    """The standard liver, scaled about the porta hepatis to ``volume`` (m3) where one is given."""
    mesh = _packaged()
    return mesh if volume is None else mesh.scaled(volume)


@lru_cache(maxsize=1)
def _packaged() -> TetraMesh:
    with as_file(files("haiflow") / "library" / "meshes" / "liver-standard.vtu") as path:
        return read_liver(path, "library/meshes/liver-standard.vtu")
