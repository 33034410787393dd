"""Whether the files of an output folder are as they were written: their SHA-256 stand in run.json."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from haiflow.errors import InputError

DATA = (".json", ".csv", ".nc", ".vtp", ".vtu", ".pvd", ".yaml")  # pictures and pages are made of these


def sums(folder: Path) -> dict[str, str]:
    """Name below ``folder`` -> SHA-256 of every file of numbers in it."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in DATA and path.is_file())
    return {path.relative_to(folder).as_posix(): digest(path) for path in files}


def digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def refuse_changed(folder: Path, written: Any) -> None:
    """Raises InputError for a file that is gone or not as it was written; a folder from before there were sums has
    none and passes."""
    if not isinstance(written, dict):
        return
    for name, expected in written.items():
        path = folder / name
        try:
            found = digest(path)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            rule = "run.json says that it was written"
            raise InputError(str(path), reason, rule, "run the scenario again") from None
        if found != expected:
            value, rule = f"sha256 {found[:12]}...", "it is not as haiflow wrote it: damaged, or changed since"
            raise InputError(str(path), value, rule, "run the scenario again, or take an undamaged copy")
