"""Where things lie in a batch's folder, and what is known from that alone.

    DIR/0001 ...          a folder a variant, there when it is complete
    DIR/variants.csv      a row a variant; histories.nc, report.html, run.json: made at the end
    DIR/sweep.yaml        the scenario as given
    DIR/.batch/plan.json  what the batch is, which a resumed run must be too; table-N.npy: what was drawn at random
    DIR/.batch/failed     a file a variant that failed; partial: variants on their way; shared: what they share;
                          histories: a strip of numbers a variant, to gather from

A variant is complete or absent: its folder is written under ``partial``, flushed to the disk and renamed. The name is
taken by whoever comes first, so that no variant is written over by another process.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haiflow.errors import InputError
from haiflow.results.store import flush

OLD = 6 * 3600.0  # s: a folder on its way that another machine has left alone for so long is given up
PASSING = ("worker", "system")  # causes of failure that another try may not meet


@dataclass(frozen=True)
class Layout:
    """The folder of a batch."""

    folder: Path

    @property
    def own(self) -> Path:
        return self.folder / ".batch"

    @property
    def plan(self) -> Path:
        return self.own / "plan.json"

    @property
    def shared(self) -> Path:
        return self.own / "shared"

    @property
    def partial(self) -> Path:
        return self.own / "partial"

    @property
    def failed(self) -> Path:
        return self.own / "failed"

    def strip(self, name: str) -> Path:
        """A variant's history as it is gathered from."""
        return self.own / "histories" / name

    def table(self, number: int) -> Path:
        return self.own / f"table-{number}.npy"

    def make(self) -> None:
        for folder in (self.folder, self.own, self.partial, self.failed, self.shared, self.own / "histories"):
            folder.mkdir(parents=True, exist_ok=True)

    def complete(self) -> set[str]:
        """Names of the variants that are complete (and of files beside them)."""
        return {entry.name for entry in os.scandir(self.folder)}

    def failures(self) -> dict[str, dict[str, Any]]:
        """Name -> what went wrong."""
        found = {}
        for path in sorted(self.failed.glob("*.json")):
            with suppress(ValueError, OSError):
                found[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def aside(self, name: str) -> Path:
        """Where this process writes what will be ``name``: cleared away if the process is killed meanwhile."""
        return self.partial / f"{name}~{socket.gethostname()}~{os.getpid()}"

    def new_partial(self, name: str) -> Path:
        """A folder to write a variant into."""
        path = self.aside(name)
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return path

    def put(self, name: str, text: str) -> None:
        """A file of the batch's folder, whole or not at all."""
        replace_text(self.folder / name, text, self.aside(name))

    def commit(self, partial: Path, name: str) -> None:
        """The variant is complete: on the disk first, then by its name. Another process may have been first."""
        flush(partial)
        try:
            partial.rename(self.folder / name)
        except OSError:
            if not (self.folder / name).is_dir():
                raise
            shutil.rmtree(partial, ignore_errors=True)
            return
        sync(self.folder)
        with suppress(FileNotFoundError):
            (self.failed / f"{name}.json").unlink()

    def fail(self, name: str, record: dict[str, Any]) -> None:
        """Write down that a variant failed, and why."""
        replace_text(self.failed / f"{name}.json", json.dumps(record, ensure_ascii=False) + "\n")

    def sweep_up(self) -> None:
        """Remove what killed processes left on its way: those of this machine that are gone, and others' when old."""
        for path in self.partial.iterdir() if self.partial.is_dir() else ():
            *_, host, process = ["", "", *path.name.split("~")]
            with suppress(OSError):
                gone = host == socket.gethostname() and not _runs(process)
                if gone or time.time() - path.stat().st_mtime > OLD:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in self.shared.glob("*.partial"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > OLD:
                    path.unlink()


def _runs(process: str) -> bool:
    """Whether that process is alive; where asking would end it (Windows), yes, and age alone decides."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError):
        return True
    return True


def sync(folder: Path) -> None:
    """The folder's own entries are on the disk, where a folder can be opened for that (not on Windows)."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_text(path: Path, text: str, aside: Path | None = None) -> None:
    """Write a small file whole or not at all, by way of ``aside``."""
    partial = path.with_name(f".{path.name}.{os.getpid()}") if aside is None else aside
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


@contextmanager
def alone(layout: Layout, what: str, wait: bool = False) -> Iterator[None]:
    """One process at a time does ``what``; another is refused, or waits. The lock ends with its process, however that
    ends."""
    with (layout.own / f"lock-{what}").open("w") as file:
        try:
            _lock(file.fileno(), wait)
        except (BlockingIOError, PermissionError):
            raise InputError(
                str(layout.folder), what, "another haiflow run is at work on it", "wait for it, or end it"
            ) from None
        yield


if sys.platform == "win32":

    def _lock(handle: int, wait: bool) -> None:
        """Takes the open file for this process; raises PermissionError where another has it."""
        import msvcrt

        while True:
            with suppress(PermissionError):
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
                return
            if not wait:
                raise PermissionError("held by another process")
            time.sleep(0.1)

else:

    def _lock(handle: int, wait: bool) -> None:
        """Takes the open file for this process; raises BlockingIOError where another has it."""
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
