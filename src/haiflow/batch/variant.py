"""One variant: run, written, committed; whatever goes wrong with it is written down and stays with it.

Flushing to the disk waits for the disk and not for the processor, so it is left to a thread while the next variant is
computed. A variant is told as done when it is committed, never before.
"""

from __future__ import annotations

import errno
import json
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from queue import Queue
from typing import Any

from haiflow.batch.histories import write_strip
from haiflow.batch.layout import Layout
from haiflow.batch.plan import Recipe
from haiflow.errors import InputError, SolverStopped
from haiflow.results.record import Results
from haiflow.results.store import write_into
from haiflow.scenario.sweeps.swept import Swept
from haiflow.simulation.run import run_scenario
from haiflow.simulation.shared import Shared

WAITING = 4  # variants that wait for the disk
FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Outcome:
    """How variant ``index`` went: "complete", "stopped" (its solver, early), "failed"; or "disk": no variant's fault,
    the batch must stop. ``seconds`` of wall time; ``imbalance``: the larger of its ledgers."""

    index: int
    status: str
    message: str = ""
    seconds: float = 0.0
    imbalance: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


Tell = Callable[[Outcome], None]


class Bench:
    """What a process keeps between variants: the sweep, what the variants share, the thread that commits."""

    def __init__(self, recipe: Recipe) -> None:
        self.swept: Swept = recipe.swept()
        self.layout: Layout = recipe.layout
        self.shared = Shared(self.layout.shared)
        self.full = self.swept.sweep.outputs == "full"

    def run(self, indices: Sequence[int], tell: Tell, begin: Callable[[int], None] = lambda index: None) -> None:
        """Run variants and ``tell`` of each when it is committed; those that are complete are not run again."""
        queue: Queue[tuple[Outcome, Path, str] | None] = Queue(WAITING)
        committer = threading.Thread(target=self._commit, args=(queue, tell), daemon=True)
        committer.start()
        try:
            for index in indices:
                begin(index)
                name = self.swept.design.name(index)
                if (self.layout.folder / name).exists():
                    tell(Outcome(index, "complete"))
                    continue
                outcome, partial = self.one(index, name)
                if partial is None:
                    tell(outcome)
                else:
                    queue.put((outcome, partial, name))
                if outcome.status == "disk":
                    break
        finally:
            queue.put(None)
            committer.join()

    def _commit(self, queue: Queue[tuple[Outcome, Path, str] | None], tell: Tell) -> None:
        while (item := queue.get()) is not None:
            outcome, partial, name = item
            try:
                self.layout.commit(partial, name)
            except OSError as error:
                outcome = Outcome(outcome.index, "disk", f"{error.filename or partial}: {error.strerror or error}")
            tell(outcome)

    def one(self, index: int, name: str) -> tuple[Outcome, Path | None]:
        """Run one variant into a folder on its way; a failure is written down, and there is no folder."""
        begun = time.perf_counter()
        try:
            scenario = self.swept.scenario(index)
            results = run_scenario(scenario, pictures=self.full, fields=self.full, shared=self.shared)
            partial = self.layout.new_partial(name)
            write_into(results, partial, timed=False)
            write_strip(self.layout, name, results.history_series, results.history_coords)
        except InputError as error:
            return self._failed(index, name, "input", str(error)), None
        except SolverStopped as error:
            return self._failed(index, name, "solver", str(error)), None
        except MemoryError as error:
            return self._failed(index, name, "system", f"out of memory: {error}"), None
        except OSError as error:
            if error.errno in FULL:
                return Outcome(index, "disk", f"{error.filename or self.layout.folder}: {error.strerror}"), None
            return self._failed(index, name, "system", str(error)), None
        except Exception as error:
            return self._failed(index, name, "bug", f"{type(error).__name__}: {error}", traceback.format_exc()), None
        status = str(results.summary.get("status", "complete"))
        return Outcome(index, status, _why(results), time.perf_counter() - begun, _imbalance(results)), partial

    def _failed(self, index: int, name: str, cause: str, message: str, details: str = "") -> Outcome:
        record = {"index": index, "cause": cause, "message": message} | ({"details": details} if details else {})
        try:
            self.layout.fail(name, record)
        except OSError as error:
            return Outcome(index, "disk", f"{error.filename or self.layout.folder}: {error.strerror or error}")
        return Outcome(index, "failed", message)


def _why(results: Results) -> str:
    stopped = results.summary.get("stopped")
    return str(stopped.get("reason", "")) if isinstance(stopped, dict) else ""


def _imbalance(results: Results) -> float:
    ledger = results.summary.get("ledger", {})
    found = [abs(ledger.get(book, {}).get("relative_imbalance") or 0.0) for book in ("drug", "carrier")]
    return max(found)


@lru_cache(maxsize=1)
def bench(recipe: str) -> Bench:
    """This process's bench for the batch that ``recipe`` (JSON) is of."""
    return Bench(Recipe.from_json(json.loads(recipe)))


def run_group(recipe: str, indices: Sequence[int]) -> list[dict[str, Any]]:
    """A group of variants, from plain values to plain values: what a worker of a cluster is given to do."""
    from threadpoolctl import threadpool_limits

    told: list[Outcome] = []
    with threadpool_limits(limits=1):
        bench(recipe).run(indices, told.append)
    return [each.as_json() for each in told]
