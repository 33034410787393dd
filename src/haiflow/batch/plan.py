"""What a batch is: a recipe that any process can make the variants from, and the folder that it goes into."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import haiflow
from haiflow.batch.layout import PASSING, Layout, replace_text
from haiflow.errors import InputError
from haiflow.scenario.sweeps.swept import Swept, swept_text

GIVE_ANOTHER = "give another -o, --resume to go on with it, or --force to replace it"


@dataclass(frozen=True)
class Recipe:
    """Plain values that travel to a worker: the scenario's text, where it lies, the settings, the batch's folder."""

    text: str
    shown: str
    path: str | None
    settings: tuple[tuple[str, Any], ...]
    folder: str

    @property
    def layout(self) -> Layout:
        return Layout(Path(self.folder))

    def swept(self) -> Swept:
        """The sweep, with the tables of what was drawn at random as they lie in the folder."""
        import numpy as np

        path = None if self.path is None else Path(self.path)
        found = swept_text(self.text, self.shown, path, dict(self.settings))
        assert found is not None
        for number, axis in enumerate(found.design.sampled):
            axis.given = np.load(self.layout.table(number), mmap_mode="r")
        return found

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "settings": [list(pair) for pair in self.settings]}

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Recipe:
        return cls(**{**given, "settings": tuple((key, value) for key, value in given["settings"])})


@dataclass(frozen=True)
class Batch:
    """A batch that is ready to run: ``shard`` (i, n), from 1, is the part of it that is ours."""

    recipe: Recipe
    swept: Swept
    shard: tuple[int, int] = (1, 1)

    @cached_property
    def layout(self) -> Layout:
        return self.recipe.layout

    @property
    def count(self) -> int:
        return self.swept.count

    def ours(self) -> range:
        """Indices of the variants of our shard."""
        return range(self.shard[0] - 1, self.count, self.shard[1])

    def missing(self) -> list[int]:
        """Those of our variants that are neither complete nor known to fail for good, in order."""
        done, failures = self.layout.complete(), self.layout.failures()
        done |= {name for name, record in failures.items() if record.get("cause") not in PASSING}
        return [index for index in self.ours() if self.swept.design.name(index) not in done]


def prepare(
    recipe: Recipe, swept: Swept, *, force: bool = False, resume: bool = False, shard: tuple[int, int] | None = None
) -> Batch:
    """The batch's folder, made or found; nothing is changed where it is refused. Raises :class:`InputError`.

    A folder that is there goes on with ``resume``, or as a ``shard`` of the same batch; ``force`` replaces it.
    """
    layout = recipe.layout
    there = layout.folder.exists() and (not layout.folder.is_dir() or any(layout.folder.iterdir()))
    if there and (resume or shard is not None) and _being_founded(layout):
        there = False
    if there and force and not resume and shard is None:
        _remove(layout)
    elif there and not (layout.plan.exists() and (resume or shard is not None)):
        _refuse(layout, resume)
    identity = identify(swept)
    if layout.plan.exists():
        _agree(layout, identity)
    else:
        _found(layout, recipe, swept, identity)
    layout.sweep_up()
    return Batch(recipe, recipe.swept(), shard or (1, 1))


def _being_founded(layout: Layout) -> bool:
    """Whether the folder holds nothing but the beginnings of a batch: another shard's, or of a run that was killed."""
    return layout.folder.is_dir() and {path.name for path in layout.folder.iterdir()} <= {".batch", "sweep.yaml"}


def identify(swept: Swept) -> str:
    """A hash of all that decides the variants: scenario, sweep, files that it names, version."""
    root = swept.document.root
    folder = swept.path.parent if swept.path is not None else Path()
    named: list[Any] = [(root.get("liver") or {}).get("mesh"), (root.get("arteries") or {}).get("file")]
    digests = []
    for name in named:
        with suppress(OSError, TypeError):
            digests.append(hashlib.sha256((folder / str(name)).read_bytes()).hexdigest())
    content = [root, swept.sweep.model_dump(mode="json", by_alias=True), digests, haiflow.__version__]
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _refuse(layout: Layout, resume: bool) -> None:
    place = str(layout.folder)
    if not layout.folder.is_dir():
        raise InputError(place, "exists", "is no folder", "give another -o")
    if resume:
        raise InputError(place, "no batch", "there is nothing to go on with", "give the folder of a stopped batch")
    raise InputError(place, "exists", "an existing output is not overwritten", GIVE_ANOTHER)


def _remove(layout: Layout) -> None:
    """``--force``: a batch or a result of ours goes; anything else stays."""
    if layout.folder.is_symlink() or not (layout.plan.exists() or (layout.folder / "run.json").exists()):
        rule = "--force replaces a folder of results only"
        raise InputError(str(layout.folder), "no run.json", rule, "give another -o, or empty it yourself")
    old = layout.folder.with_name(f".{layout.folder.name}.{os.getpid()}.old")
    layout.folder.rename(old)
    shutil.rmtree(old, ignore_errors=True)


def _agree(layout: Layout, identity: str) -> None:
    with suppress(ValueError, OSError):
        plan = json.loads(layout.plan.read_text(encoding="utf-8"))
        if plan.get("identity") == identity:
            return
        other = plan.get("haiflow")
        if other != haiflow.__version__:
            rule = "the batch was begun by another version, and its variants would not be of one kind"
            raise InputError(str(layout.folder), f"haiflow {other}", rule, "use that version, or another -o")
    rule = "the folder holds another batch: its scenario, sweep, settings or mesh differ"
    raise InputError(str(layout.folder), "exists", rule, "give another -o, or --force to replace it")


def _found(layout: Layout, recipe: Recipe, swept: Swept, identity: str) -> None:
    """Lay the batch out; several shards may do so at once, the first one's plan stands."""
    import numpy as np

    try:
        layout.make()
    except OSError as error:
        raise InputError(
            str(layout.folder), error.strerror, "the folder must be writable", "give another -o"
        ) from error
    for number, axis in enumerate(swept.design.sampled):
        partial = layout.aside(f"table-{number}")
        with partial.open("wb") as file:
            np.save(file, axis.shares, allow_pickle=False)
        os.replace(partial, layout.table(number))
    layout.put("sweep.yaml", recipe.text)
    plan = {
        "haiflow": haiflow.__version__,
        "identity": identity,
        "variants": swept.count,
        "seed": swept.sweep.seed,
        "settings": dict(recipe.settings),
        "scenario": recipe.shown,
    }
    partial = layout.aside("plan")
    replace_text(partial, json.dumps(plan, indent=2, default=str) + "\n")
    with suppress(FileExistsError):
        os.link(partial, layout.plan)
    partial.unlink()
    _agree(layout, identity)
