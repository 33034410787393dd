"""``haiflow new``: commented scenarios to start from."""

from __future__ import annotations

from pathlib import Path

from haiflow.errors import InputError, nearest
from haiflow.scenario.library import FOLDER
from haiflow.scenario.new_file import refuse_existing, write_whole

TEMPLATES = FOLDER / "templates"


def templates() -> dict[str, str]:
    """Name -> first line of comment."""
    files = sorted(TEMPLATES.glob("*.yaml"))
    return {file.stem: file.read_text(encoding="utf-8").splitlines()[0].lstrip("# ") for file in files}


def write_template(name: str, file: Path, *, force: bool = False) -> None:
    """Write the template ``name`` to ``file``; raises :class:`InputError` for an unknown name or a file in the way."""
    if name not in templates():
        raise InputError("--template", f"'{name}'", "no such template", nearest(name, templates()))
    refuse_existing(file, force=force)
    write_whole(file, (TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8"))
