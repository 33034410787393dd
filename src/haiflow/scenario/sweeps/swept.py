"""A scenario with a sweep: each variant is the file with the variant's values put in, read like any other scenario."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from haiflow.errors import InputError, InputErrors
from haiflow.scenario import overrides
from haiflow.scenario.load import Scenario, built
from haiflow.scenario.problems import Problems
from haiflow.scenario.read import Document, read_file, read_text
from haiflow.scenario.schema.sweep import Sweep
from haiflow.scenario.sweeps.design import Design, design
from haiflow.scenario.validate import part

LOOKED_AT = 32  # variants that are tried for a sound one
MOST_CHECKED = 500  # values that are tried one by one


@dataclass(frozen=True)
class Swept:
    """The scenario's ``document`` without its sweep, the ``sweep`` as its schema has it, and the ``design``."""

    document: Document
    path: Path | None
    sweep: Sweep
    design: Design

    @property
    def name(self) -> str:
        return str(self.document.root["name"])

    @property
    def count(self) -> int:
        return self.design.count

    def scenario(self, index: int) -> Scenario:
        """Variant ``index`` (from 0). Raises :class:`InputError` where it contradicts itself."""
        marks = self.document
        own = Document(marks.file, deepcopy(marks.root), dict(marks.keys), dict(marks.values))
        for setting in self.design.settings(index):
            overrides.put(own, setting.key, deepcopy(setting.value), marks.mark(setting.place))
        return built(own, self.path)

    def first_sound(self) -> int:
        """The first variant that is sound, of some spread over all. Raises what is wrong with the first if none is."""
        step = max(1, self.count // LOOKED_AT)
        errors: list[InputError] = []
        for index in range(0, self.count, step):
            try:
                self.scenario(index)
            except InputError as error:
                errors.append(error)
            else:
                return index
        raise errors[0]

    def bad(self, start: int) -> dict[int, InputError]:
        """Variants that are wrong among those with one value other than in the sound variant ``start``."""
        found: dict[int, InputError] = {}
        for number, index in enumerate(self.design.one_by_one(start)):
            if number >= MOST_CHECKED:
                break
            try:
                self.scenario(index)
            except InputError as error:
                found[index] = error
        return found


UNKNOWN = ("unknown key", "it has no keys")


def misspelt(error: InputError) -> bool:
    """Whether an error is one of the sweep's own words, and not of a value that one variant takes."""
    errors = error.errors if isinstance(error, InputErrors) else (error,)
    return any(each.rule == UNKNOWN[0] or each.rule.endswith(UNKNOWN[1]) for each in errors)


def read_swept(path: str | PathLike[str], settings: Mapping[str, Any] | None = None) -> Swept | None:
    """The scenario in ``path`` with its sweep; None where it has none. Raises :class:`InputError`."""
    file = Path(path)
    return swept(read_file(file, str(path)), file.resolve(), settings or {})


def swept_text(text: str, shown: str, path: Path | None, settings: Mapping[str, Any]) -> Swept | None:
    """The same from the text of a file that lies, or lay, at ``path``."""
    return swept(read_text(text, shown), path, settings)


def swept(document: Document, path: Path | None, settings: Mapping[str, Any]) -> Swept | None:
    """The sweep of a document (which becomes ours); None where it has none."""
    overrides.apply(document, settings)
    if document.root.get("sweep") is None:
        return None
    document.root.setdefault("name", path.stem if path is not None else "scenario")
    problems = Problems(document)
    sweep = part(problems, ("sweep",), document.root["sweep"])
    found = None if sweep is None else design(problems, sweep)
    problems.finish()
    assert found is not None
    del document.root["sweep"]
    return Swept(document, path, sweep, found)
