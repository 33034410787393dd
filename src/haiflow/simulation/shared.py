"""What many runs share is computed once and kept on disk by a hash of all that decides it.

A file is written beside its name and renamed, so that any number of processes may read and write one folder: at worst
two of them compute the same at once, and both write the same. What comes from the folder is what was computed, to the
last bit, and whoever computes it goes on with what a reader would get. Files hold arrays and JSON; nothing in them is
run. A file that cannot be read is computed again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

import haiflow
from haiflow.arteries.periodic import Cycle
from haiflow.arteries.state import State
from haiflow.arteries.tree import Inlet, Outlet, Tree
from haiflow.kernels import LEVEL
from haiflow.ports import Fluid

T = TypeVar("T")
KEPT = 8  # values that a process keeps at hand
SCALARS = (str, int, float, bool, type(None))
CLASSES = {each.__name__: each for each in (Cycle, State, Tree, Inlet, Outlet, Fluid)}
TIMES = ("wall_s", "kernel_s")  # how long it took is of one run, not of what is shared


class Shared:
    """Values by content in ``folder``; without one only at hand."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.at_hand: OrderedDict[str, Any] = OrderedDict()
        self.systems: OrderedDict[bytes, Any] = OrderedDict()
        self.largest: tuple[bytes, Any] | None = None
        self.computed = 0

    def once(self, what: str, key: str, compute: Callable[[], T]) -> T:
        """``compute()``, or what an earlier one with the same key gave; ``key`` states all that decides it."""
        digest = hashlib.sha256(f"{what} {haiflow.__version__} {LEVEL} {key}".encode()).hexdigest()
        if digest not in self.at_hand:
            packed = self._read(digest)
            found = None if packed is None else _unpacked(packed)
            if found is None:
                self.computed += 1
                packed = pack(compute())
                self._write(digest, packed)
                found = unpack(packed)
            self.at_hand[digest] = found
            while len(self.at_hand) > KEPT:
                self.at_hand.popitem(last=False)
        self.at_hand.move_to_end(digest)
        value: T = self.at_hand[digest]
        return value

    def system(self, key: bytes, build: Callable[[], T]) -> T:
        """The balances that ``build`` gives, with the factors that they have gathered: at hand only, they are large."""
        digest = hashlib.sha256(key).digest()
        if digest not in self.systems:
            self.systems[digest] = build()
            while len(self.systems) > KEPT:
                self.systems.popitem(last=False)
        self.systems.move_to_end(digest)
        found: T = self.systems[digest]
        return found

    def large(self, key: bytes, build: Callable[[], T]) -> T:
        """The same of something so large that only the last one is kept: a liver in 3D."""
        digest = hashlib.sha256(key).digest()
        if self.largest is None or self.largest[0] != digest:
            self.largest = (digest, build())
        found: T = self.largest[1]
        return found

    def _read(self, digest: str) -> bytes | None:
        if self.folder is None:
            return None
        with suppress(OSError):
            return (self.folder / f"{digest}.npz").read_bytes()
        return None

    def _write(self, digest: str, packed: bytes) -> None:
        """On a full disk nothing is kept, and the run goes on."""
        if self.folder is None:
            return
        name = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder, suffix=".partial")
            with os.fdopen(handle, "wb") as file:
                file.write(packed)
            os.replace(name, self.folder / f"{digest}.npz")
        except OSError:
            if name is not None:
                Path(name).unlink(missing_ok=True)


def _unpacked(packed: bytes) -> Any:
    """The value; None where the bytes are no whole file."""
    with suppress(ValueError, KeyError, TypeError, zipfile.BadZipFile, OSError, EOFError):
        return unpack(packed)
    return None


def pack(value: Any) -> bytes:
    """A value of plain types, arrays and the dataclasses of ``CLASSES`` as the bytes of an .npz file."""
    arrays: dict[str, Any] = {}
    text = json.dumps(_plain(value, arrays))
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, tree=np.frombuffer(text.encode(), dtype=np.uint8), **arrays)
    return stream.getvalue()


def unpack(packed: bytes) -> Any:
    """The value that :func:`pack` made ``packed`` of."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return _back(json.loads(bytes(arrays["tree"])), arrays)


def _plain(value: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(value, np.ndarray):
        arrays[f"a{len(arrays)}"] = value
        return {"array": f"a{len(arrays) - 1}"}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, SCALARS):
        return value
    if isinstance(value, tuple | list):
        return {"tuple" if isinstance(value, tuple) else "list": [_plain(item, arrays) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[key, _plain(item, arrays)] for key, item in value.items()]}
    if is_dataclass(value) and type(value).__name__ in CLASSES:
        of = {each.name: getattr(value, each.name) for each in fields(value)}
        own = {name: _plain(0.0 if name in TIMES else item, arrays) for name, item in of.items()}
        return {"class": type(value).__name__, "fields": own}
    raise TypeError(f"{type(value).__name__} is not shared")


def _back(value: Any, arrays: Any) -> Any:
    if isinstance(value, SCALARS):
        return value
    kind = next(iter(value))
    if kind == "array":
        return arrays[value["array"]]
    if kind == "tuple":
        return tuple(_back(item, arrays) for item in value["tuple"])
    if kind == "list":
        return [_back(item, arrays) for item in value["list"]]
    if kind == "dict":
        return {key: _back(item, arrays) for key, item in value["dict"]}
    return CLASSES[value["class"]](**{name: _back(item, arrays) for name, item in value["fields"].items()})


def state_key(state: State | None) -> str:
    """A state as part of a key."""
    if state is None:
        return "none"
    parts = [state.area, state.flow_rate, state.charge, np.array([state.phase])]
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()
