"""A worker process with a limit of memory under a watchdog: what hangs or dies is found, and the rest goes on."""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from fuzz.inputs import kind_of
from fuzz.trial import Outcome, attempt, discard

ADDRESS_SPACE = 8 * 2**30  # bytes: above what the libraries reserve, below what would harm the machine
PATIENCE = 120.0  # s without an answer
INPUTS_A_WORKER = 1500  # then a fresh one, so that growth of libraries is no finding


def _work(pipe: Connection, folder: str, kind: str | None) -> None:
    os.environ["HAIFLOW_FUZZ_FOLDER"] = folder
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    handle = os.open(os.devnull, os.O_RDONLY)
    os.dup2(handle, 0)
    while (number := pipe.recv()) is not None:
        pipe.send(attempt(number, kind))


class Worker:
    """One process; ``ask`` answers with an outcome, whatever becomes of the process."""

    def __init__(self, kind: str | None) -> None:
        self.kind, self.asked = kind, 0
        self.folder = Path(tempfile.mkdtemp(prefix="haiflow-fuzz-"))
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, str(self.folder), self.kind), daemon=True)
        self.process.start()
        theirs.close()
        self.asked = 0

    def ask(self, number: int) -> Outcome:
        if self.asked >= INPUTS_A_WORKER:
            self.close()
            self._start()
        self.asked += 1
        try:
            self.pipe.send(number)
            if self.pipe.poll(PATIENCE):
                found: Outcome = self.pipe.recv()
                return found
            fault = f"no answer for {PATIENCE:.0f} s"
        except (EOFError, BrokenPipeError):
            self.process.join(5.0)
            fault = f"the process died (exit code {self.process.exitcode})"
        self.process.kill()
        self.process.join()
        self._start()
        return Outcome(number, kind_of(number, self.kind), [], faults=[fault])

    def close(self) -> None:
        if self.process.is_alive():
            self.pipe.send(None)
            self.process.join(10.0)
        self.process.kill()

    def end(self) -> None:
        self.close()
        discard(self.folder)


def run(numbers: Iterable[int], kind: str | None = None) -> Iterator[Outcome]:
    """The outcomes of the inputs, in order, by one worker."""
    worker = Worker(kind)
    try:
        for number in numbers:
            yield worker.ask(number)
    finally:
        worker.end()
