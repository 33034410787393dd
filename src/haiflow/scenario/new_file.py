"""A scenario's file that a command writes: nothing in its way is overwritten, and nobody reads half of it."""

from __future__ import annotations

import os
from pathlib import Path

from haiflow.errors import InputError


def refuse_existing(file: Path, *, force: bool) -> None:
    """Raise :class:`InputError` where the scenario cannot or, without ``force``, must not be written."""
    if file.is_dir():
        raise InputError(str(file), "a folder", "a scenario is a file", "give the name of a file")
    if not force and (file.exists() or file.is_symlink()):
        raise InputError(str(file), "exists", "an existing file is not overwritten", "give another name, or --force")
    if not file.parent.is_dir():
        raise InputError(str(file), "no such folder", "the file cannot be written", "make the folder first")


def write_whole(file: Path, text: str) -> None:
    """Write ``text`` beside ``file`` and rename."""
    partial = file.with_name(f".{file.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        reason = error.strerror or "failed"
        raise InputError(str(file), reason, "the file cannot be written", "check the folder") from None
