"""Who runs the variants: this process, worker processes of this machine, or a dask cluster.

Each takes groups of variants and yields outcomes as they come. A worker that dies costs the variant that it was at: the
rest of its group goes to another, and a variant that ends :data:`TRIES` workers is told as failed.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import IO, Any, Protocol

from haiflow.batch.plan import Recipe
from haiflow.batch.variant import Outcome, run_group
from haiflow.child import python, surroundings
from haiflow.errors import BatchStopped

TRIES = 3
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
LOST = "its worker process was killed or crashed"
Groups = Iterator[Sequence[int]]


class Executor(Protocol):
    """Something that runs groups of variants."""

    def run(self, groups: Groups) -> Iterator[Outcome]: ...

    def stop(self) -> None:
        """End at once; safe to call at any time."""


class Serial:
    """In this process, one after the other."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = json.dumps(recipe.as_json())

    def run(self, groups: Groups) -> Iterator[Outcome]:
        for group in groups:
            for index in group:
                yield from (Outcome(**each) for each in run_group(self.recipe, [index]))

    def stop(self) -> None:
        pass


class _Worker:
    """A worker process, what it was given, and the variant that it is at."""

    def __init__(self, recipe: str) -> None:
        self.process = subprocess.Popen(
            python("-m", "haiflow.batch.worker"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
            env=surroundings(**THREADS),
        )  # fmt: skip
        self.heard = b""
        self.group: list[int] = []
        self.at: int | None = None
        self.idle = False
        self._send(recipe)

    @property
    def out(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    def messages(self) -> list[dict[str, Any]] | None:
        """What it has said since; None at its end."""
        read = os.read(self.out.fileno(), 1 << 16)
        *lines, self.heard = (self.heard + read).split(b"\n")
        return [json.loads(line) for line in lines] if read else None

    def _send(self, line: str) -> None:
        assert self.process.stdin is not None
        with suppress(OSError):  # it has died: the end of its output says so
            self.process.stdin.write(line.encode() + b"\n")

    def give(self, group: Sequence[int]) -> None:
        self.group, self.at, self.idle = list(group), None, False
        self._send(json.dumps(self.group))

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()


class Processes:
    """Worker processes of this machine."""

    def __init__(self, recipe: Recipe, workers: int) -> None:
        self.recipe, self.count = json.dumps(recipe.as_json()), workers
        self.workers: dict[int, _Worker] = {}
        self.deaths: Counter[int] = Counter()
        self.again: deque[list[int]] = deque()
        self.stillborn = 0

    def run(self, groups: Groups) -> Iterator[Outcome]:
        """Outcomes as they come; as many workers as there is work for."""
        try:
            with selectors.DefaultSelector() as selector:
                for _ in range(self.count):
                    self._hire(selector)
                while any(worker.group or not worker.idle for worker in self.workers.values()):
                    for key, _ in selector.select():
                        yield from self._heard(key.data, selector, groups)
        finally:
            self.stop()

    def _hire(self, selector: selectors.BaseSelector) -> None:
        worker = _Worker(self.recipe)
        self.workers[worker.process.pid] = worker
        selector.register(worker.out, selectors.EVENT_READ, worker)

    def _heard(self, worker: _Worker, selector: selectors.BaseSelector, groups: Groups) -> Iterator[Outcome]:
        """What a worker has to say, or its end."""
        messages = worker.messages()
        if messages is None:
            selector.unregister(worker.out)
            yield from self._buried(worker, selector)
            return
        for message in messages:
            if "outcome" in message:
                outcome = Outcome(**message["outcome"])
                worker.group.remove(outcome.index)
                yield outcome
            elif "begin" in message:
                worker.at = message["begin"]
            else:
                self._employ(worker, groups)

    def _employ(self, worker: _Worker, groups: Groups) -> None:
        group = self.again.popleft() if self.again else next(groups, None)
        if group is None:
            worker.group, worker.idle = [], True
        else:
            worker.give(group)

    def _buried(self, worker: _Worker, selector: selectors.BaseSelector) -> Iterator[Outcome]:
        """A worker has died: its variants go to another one, but for the one that killed too many."""
        worker.stop()
        del self.workers[worker.process.pid]
        self.stillborn = 0 if worker.at is not None else self.stillborn + 1
        if self.stillborn >= TRIES:
            raise BatchStopped("worker processes end before they begin: see what they say above, or haiflow doctor")
        left = list(worker.group)
        if worker.at in left:
            self.deaths[worker.at] += 1
            if self.deaths[worker.at] >= TRIES:
                left.remove(worker.at)
                yield Outcome(worker.at, "lost", LOST)
        if left:
            self.again.appendleft(left)
        self._hire(selector)

    def stop(self) -> None:
        for worker in self.workers.values():
            worker.stop()
        self.workers.clear()
