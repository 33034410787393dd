"""``haiflow new``: commented scenarios to start from."""

from __future__ import annotations

import os
from pathlib import Path

from haiflow.errors import InputError, nearest
from haiflow.scenario.library import FOLDER

TEMPLATES = FOLDER / "templates"


def templates() -> dict[str, str]:
    """Name -> first line of comment."""
    files = sorted(TEMPLATES.glob("*.yaml"))
    return {file.stem: file.read_text(encoding="utf-8").splitlines()[0].lstrip("# ") for file in files}


def write_template(name: str, file: Path, *, force: bool = False) -> None:
    """Write the template ``name`` to ``file``; raises :class:`InputError` for an unknown name or a file in the way."""
    if name not in templates():
        raise InputError("--template", f"'{name}'", "no such template", nearest(name, templates()))
    if not force and (file.exists() or file.is_symlink()):
        raise InputError(str(file), "exists", "an existing file is not overwritten", "give another name, or --force")
    partial = file.with_name(f".{file.name}.partial")
    try:
        partial.write_text((TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
        os.replace(partial, file)
    except OSError as error:
        raise InputError(
            str(file), error.strerror or "failed", "the file cannot be written", "check the folder"
        ) from None
