"""``haiflow run SWEEP.yaml``: from the command's options to a batch that is run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haiflow.batch.plan import Recipe, prepare
from haiflow.batch.run import Report, run_batch
from haiflow.errors import InputError
from haiflow.scenario.sweeps.outlook import misspelt
from haiflow.scenario.sweeps.swept import Swept


def shard_of(text: str | None) -> tuple[int, int] | None:
    """``3/8`` as (3, 8). Raises :class:`InputError`."""
    if text is None:
        return None
    part, slash, whole = text.partition("/")
    if slash and part.isdecimal() and whole.isdecimal() and 1 <= int(part) <= int(whole):
        return int(part), int(whole)
    raise InputError("--shard", f"'{text}'", "not a part of a whole", "write i/n with i from 1 to n, e.g. 3/8")


def run_sweep(
    path: str,
    swept: Swept,
    folder: Path,
    settings: Mapping[str, Any],
    *,
    force: bool = False,
    resume: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    shard: str | None = None,
    quiet: bool = False,
) -> Report:
    """Runs the sweep in ``path`` into ``folder``; see :func:`haiflow.batch.run.run_batch`."""
    part = shard_of(shard)
    if workers is not None and workers < 1:
        raise InputError("--workers", workers, "at least one worker", "leave it out for one a core")
    if scheduler is not None:
        from haiflow.batch.cluster import reach

        reach(scheduler)
    start = swept.first_sound()
    wrong = next((error for error in swept.bad(start).values() if misspelt(error)), None)
    if wrong is not None:
        raise wrong
    text = Path(path).read_text(encoding="utf-8-sig")
    located = None if swept.path is None else str(swept.path)
    recipe = Recipe(text, Path(path).name, located, tuple(settings.items()), str(folder.absolute()))
    batch = prepare(recipe, swept, force=force, resume=resume, shard=part)
    return run_batch(batch, workers=workers, scheduler=scheduler, quiet=quiet)
