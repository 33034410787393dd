"""Readers in C++ in a process of their own: on some damaged files gmsh and VTK do not fail, they end the process, or
take whatever memory they get.

That process has a bound of memory, leaves no core, and ends when the one that asked has gone, however it went. It
hands over arrays in a file of numpy's own, which holds numbers and text and nothing that could be run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from haiflow.child import python, surroundings

PATIENCE, PATIENCE_A_BYTE = 60.0, 1e-6  # s: a file of 100 MB takes gmsh some ten seconds
MEMORY, MEMORY_A_BYTE = 8 * 2**30, 200  # bytes of address space: a cell takes some 40 in a file, and gmsh 500
NO_MEMORY, FAILED = 3, 4  # exit codes of the process
Arrays = dict[str, Any]


class Unread(Exception):
    """Why a reader gave nothing: half a sentence."""


def read_apart(extractor: str, path: Path) -> Arrays:
    """The arrays that ``extractor`` (``module:function``, which is given the path) finds in ``path``.

    Raises :class:`Unread` where it fails, crashes, asks for more memory than the file can need, or does not end.
    """
    with tempfile.TemporaryDirectory(prefix="haiflow-") as folder:
        found = Path(folder) / "arrays.npz"
        code = "from haiflow.mesh.apart import hand_over; hand_over()"
        command = python("-c", code, extractor, str(path), str(found))
        patience = PATIENCE + PATIENCE_A_BYTE * path.stat().st_size
        ours, held = os.pipe()  # nothing is ever written: its end tells the child that this process has gone
        try:
            done = subprocess.run(
                command, check=False, timeout=patience, capture_output=True, stdin=ours, env=surroundings()
            )
        except subprocess.TimeoutExpired:
            raise Unread(f"its reader does not end within {patience:.0f} s") from None
        finally:
            os.close(ours)
            os.close(held)
        if done.returncode != 0 or not found.is_file():
            raise Unread(_why(done.returncode, done.stderr.decode("utf-8", "replace")))
        with np.load(found) as arrays:
            return dict(arrays)


def _why(code: int, said: str) -> str:
    if code == NO_MEMORY or "bad_alloc" in said or "Unable to allocate" in said:
        return "its reader asks for more memory than a file of this size can need"
    if code == FAILED:
        return (said.strip().splitlines() or ["its reader fails"])[-1]
    return "its reader crashes on it"


def hand_over() -> None:
    """In the process of its own: ``sys.argv`` names the extractor, the file, and where its arrays go."""
    extractor, source, target = sys.argv[1:]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _bound(Path(source).stat().st_size)
    try:
        np.savez(target, **_named(extractor)(Path(source)))
    except MemoryError:
        sys.exit(NO_MEMORY)
    except Exception as error:  # readers raise whatever they like
        print((str(error).strip() or type(error).__name__).splitlines()[0], file=sys.stderr)
        sys.exit(FAILED)


def _named(extractor: str) -> Callable[[Path], Mapping[str, Any]]:
    from importlib import import_module

    module, _, function = extractor.partition(":")
    found: Callable[[Path], Mapping[str, Any]] = getattr(import_module(module), function)
    return found


def _end_with_parent() -> None:
    os.read(0, 1)
    os._exit(1)


def _bound(size: int) -> None:
    """Where the system can: no core, and the memory that a file of ``size`` bytes may take."""
    with suppress(ImportError):
        import resource

        for kind, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, MEMORY + MEMORY_A_BYTE * size)):
            with suppress(ValueError, OSError):  # a lower limit is there already
                resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))
