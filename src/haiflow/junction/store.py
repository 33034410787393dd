"""Answers kept on disk by the content of their question: a sweep over pump rates solves the tip once.

One .npz a case in ``$HAIFLOW_CACHE/junction`` (or the user's cache folder), written beside its name and renamed, so
that many processes may write at once. A file that cannot be read is as good as none.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from haiflow.junction.beat import Frame
from haiflow.junction.streaming import Streaming
from haiflow.mesh.region import Region

FIELDS = (
    "split", "by_tracers", "by_straight", "held", "flow_split", "residence", "shear", "oscillatory", "trails",
    "trail_branch",
)  # fmt: skip


def folder() -> Path:
    """Where answers are kept."""
    own = os.environ.get("HAIFLOW_CACHE")
    base = Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "haiflow"
    return base / "junction"


def recall(digest: str) -> Streaming | None:
    """The answer to a case, or None."""
    path = folder() / f"{digest}.npz"
    try:
        with np.load(path, allow_pickle=False) as held:
            about = json.loads(str(held["about"]))
            region = Region(held["points"], held["tetra"], held["wall"], held["patch"], tuple(about["names"]))
            frames = tuple(
                Frame(time, velocity, pressure, drug)
                for time, velocity, pressure, drug in zip(
                    about["times"], held["velocity"], held["pressure"], held["drug"], strict=True
                )
            )
            plain = {name: held[name] for name in FIELDS}
        return Streaming(
            region, tuple(about["holes"]), tuple(about["branches"]), frames=frames, figures=about["figures"], **plain
        )
    except (OSError, KeyError, ValueError, EOFError, BadZipFile):
        return None


def keep(digest: str, answer: Streaming) -> None:
    """Store an answer; a disk that is full or read-only costs only the time that it would have saved."""
    about = {
        "names": answer.region.names, "holes": answer.holes, "branches": answer.branches, "figures": answer.figures,
        "times": [frame.time for frame in answer.frames],
    }  # fmt: skip
    mesh = answer.region
    with suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(suffix=".partial", dir=folder())
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(
                    file, about=np.array(json.dumps(about)), points=mesh.points, tetra=mesh.tetra, wall=mesh.wall,
                    patch=mesh.patch, velocity=np.array([frame.velocity for frame in answer.frames]),
                    pressure=np.array([frame.pressure for frame in answer.frames]),
                    drug=np.array([frame.drug for frame in answer.frames]),
                    **{name: getattr(answer, name) for name in FIELDS},
                )  # fmt: skip
            os.replace(partial, folder() / f"{digest}.npz")
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise
