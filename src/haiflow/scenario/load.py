"""From a file to a :class:`Scenario`: read, override, fill in from the library, validate, check, complete."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from haiflow.errors import InputError
from haiflow.scenario import overrides
from haiflow.scenario.check import check
from haiflow.scenario.complete import complete
from haiflow.scenario.model import ScenarioModel
from haiflow.scenario.problems import Problems
from haiflow.scenario.read import Document, read_file, read_text
from haiflow.scenario.resolve import resolve
from haiflow.scenario.validate import validate
from haiflow.scenario.write import as_document, as_yaml


@dataclass(frozen=True)
class Scenario:
    """A scenario that has passed every check. ``model`` is the typed tree in SI; ``path`` the file it came from. Of a
    scenario with a sweep it is the first sound variant, and ``model.sweep`` says what is swept.

    ``default_ligation``: which vessels are tied off was left to haiflow. ``mesh_place``: where the file names the
    liver's mesh, which is read when it is needed and not before.
    """

    model: ScenarioModel
    path: Path | None = None
    default_ligation: bool = False
    mesh_place: str = field(default="liver.mesh", compare=False)

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def folder(self) -> Path:
        """Paths inside the scenario are relative to this folder."""
        return self.path.parent if self.path is not None else Path()

    @property
    def mesh_path(self) -> Path | None:
        """The liver's mesh file, if the scenario names one."""
        liver = self.model.liver
        return None if liver is None or liver.mesh is None else self.folder / liver.mesh

    @property
    def tip_mesh_path(self) -> Path | None:
        """The mesh file of the region round the tip, if the scenario names one."""
        catheter = self.model.catheter
        return None if catheter is None or catheter.tip.mesh is None else self.folder / catheter.tip.mesh

    @cached_property
    def document(self) -> dict[str, Any]:
        """The scenario as keys and texts, library values and defaults written out."""
        return as_document(self.model, self.mesh_path, self.tip_mesh_path)

    @cached_property
    def sha256(self) -> str:
        """A hash of the resolved content, meshes included; where the files lie does not matter."""
        content = dict(self.document)
        if self.mesh_path is not None:
            digest = hashlib.sha256(self.mesh_path.read_bytes()).hexdigest()
            content["liver"] = {**content["liver"], "mesh": digest}
        if self.tip_mesh_path is not None:
            digest = hashlib.sha256(self.tip_mesh_path.read_bytes()).hexdigest()
            content["catheter"] = {**content["catheter"], "tip": {**content["catheter"]["tip"], "mesh": digest}}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def resolved_yaml(self) -> str:
        """The scenario with every library value and default written out: runs again to the same result."""
        return as_yaml(self.document, self.path)


def load(path: str | PathLike[str], set: Mapping[str, Any] | None = None) -> Scenario:
    """Read and check the scenario in ``path``; ``set`` overrides keys by dotted path (``{"run.duration": "2 d"}``).

    Raises :class:`haiflow.errors.InputError` (or ``InputErrors`` with everything that is wrong, in order of line).
    """
    file = Path(path)
    return _built(read_file(file, str(path)), file.resolve(), set or {})


def loads(text: str, set: Mapping[str, Any] | None = None, *, shown: str = "scenario.yaml") -> Scenario:
    """The same from ``text``; relative paths are from the current folder."""
    return _built(read_text(text, shown), None, set or {})


def _built(document: Document, path: Path | None, settings: Mapping[str, Any]) -> Scenario:
    overrides.apply(document, settings)
    if document.root.get("sweep") is None:
        return built(document, path)
    from haiflow.scenario.sweeps.swept import swept

    found = swept(document, path, {})
    assert found is not None
    first = found.scenario(found.first_sound())
    return replace(first, model=first.model.model_copy(update={"sweep": found.sweep}))


def built(document: Document, path: Path | None) -> Scenario:
    """The scenario of a document without a sweep (which becomes ours). Raises :class:`InputError`."""
    problems = Problems(document)
    folder = path.parent if path is not None else Path()
    document.root.setdefault("name", path.stem if path is not None else "scenario")
    resolve(problems, folder)
    sound = validate(problems)
    check(problems, sound, folder)
    problems.finish()
    arteries = sound.get("arteries")
    ligation = arteries is not None and arteries.ligated is None
    return Scenario(complete(sound), path, ligation, document.place(("liver", "mesh")))


__all__ = ["InputError", "Scenario", "load", "loads"]
