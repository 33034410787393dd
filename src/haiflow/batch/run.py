"""Runs what is missing of a batch, and gathers when nothing is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from haiflow.batch.executors import Executor, Processes, Serial
from haiflow.batch.gather import gather
from haiflow.batch.layout import alone
from haiflow.batch.plan import Batch
from haiflow.batch.view import View
from haiflow.errors import BatchStopped

LARGEST_GROUP = 16
SHARES = 8  # groups for each worker at least, so that all end at about the same time


@dataclass(frozen=True)
class Report:
    """How a batch stands: variants complete, stopped early and failed of ``total``, in how many seconds; ``ran`` of
    them just now."""

    total: int
    complete: int
    stopped: int
    failed: int
    ran: int
    seconds: float

    @property
    def status(self) -> str:
        done = self.complete + self.stopped + self.failed
        if done < self.total:
            return "incomplete"
        return "complete" if self.complete == self.total else "some failed"


def default_workers() -> int:
    """As many as there are cores for this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_batch(batch: Batch, *, workers: int | None = None, scheduler: str | None = None, quiet: bool = False) -> Report:
    """Run all variants of our shard that are missing. Raises :class:`BatchStopped` where the batch cannot go on: what
    is complete is kept, and a further run with ``resume`` does the rest."""
    begun = time.perf_counter()
    with alone(batch.layout, "{}-of-{}".format(*batch.shard)):
        missing = batch.missing()
        view = View(batch.swept.name, len(missing), len(batch.ours()) - len(missing), quiet)
        if missing:
            _run(batch, missing, _executor(batch, workers or default_workers(), scheduler, len(missing)), view)
    stands = _count(batch)
    if stands["left"] == 0:
        with alone(batch.layout, "gather", wait=True):
            stopped = gather(batch, view)
        view.end()
        failed = stands["failed"]
        return Report(batch.count, batch.count - failed - stopped, stopped, failed, len(missing), _since(begun))
    view.end()
    done = batch.count - stands["failed"] - stands["left"]
    return Report(batch.count, done, 0, stands["failed"], len(missing), _since(begun))


def _since(begun: float) -> float:
    return time.perf_counter() - begun


def _executor(batch: Batch, workers: int, scheduler: str | None, count: int) -> Executor:
    if scheduler is not None:
        from haiflow.batch.cluster import Cluster

        return Cluster(batch.recipe, scheduler, workers)
    if workers == 1 and count <= 2:
        return Serial(batch.recipe)
    return Processes(batch.recipe, min(workers, count))


def _run(batch: Batch, missing: Sequence[int], executor: Executor, view: View) -> None:
    workers = getattr(executor, "count", 4)
    size = max(1, min(LARGEST_GROUP, len(missing) // (SHARES * workers)))
    groups: Iterator[Sequence[int]] = (missing[at : at + size] for at in range(0, len(missing), size))
    try:
        for outcome in executor.run(groups):
            name = batch.swept.design.name(outcome.index)
            if outcome.status == "disk":
                raise BatchStopped(f"{outcome.message}; make room, then go on with --resume")
            if outcome.status == "lost":
                record = {"index": outcome.index, "cause": "worker", "message": outcome.message}
                batch.layout.fail(name, record)
            view.tell(outcome, name)
    except BatchStopped as error:
        raise BatchStopped(f"{error} ({view.done} of {view.total} done; --resume goes on)") from None
    finally:
        executor.stop()
        view.end()
        batch.layout.sweep_up()


def _count(batch: Batch) -> dict[str, int]:
    """Variants of all shards that have failed, and that are left."""
    done, failures = batch.layout.complete(), batch.layout.failures()
    failed = left = 0
    for index in range(batch.count):
        name = batch.swept.design.name(index)
        failed += name not in done and name in failures
        left += name not in done and name not in failures
    return {"failed": failed, "left": left}


__all__ = ["Report", "run_batch"]


def as_json(report: Report) -> dict[str, Any]:
    """A report for ``--json``."""
    return {**vars(report), "status": report.status}
