"""Files in and out: a deck's text (bounded, UTF-8, no binary), files that it names, and the scenario written whole."""

from __future__ import annotations

import os
from pathlib import Path

from haiflow.errors import InputError
from haiflow.scenario.read import bounded_bytes

ALLOWED_CONTROL = "\t\n\r\f\v"


def deck_text(path: Path, shown: str) -> str:
    """The text of a deck or of a file it names. Raises :class:`InputError` for one that is none."""
    data = bounded_bytes(path, shown, "a deck is a file", "give the network without its results")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        value = f"byte 0x{data[error.start]:02x}"
        raise InputError(f"{shown}:{line}", value, "the file is not UTF-8 text", "save it as UTF-8 text") from None
    for number, line_text in enumerate(text.split("\n"), 1):
        bad = next((letter for letter in line_text if letter < " " and letter not in ALLOWED_CONTROL), None)
        if bad is not None:
            value = f"character U+{ord(bad):04X}"
            raise InputError(f"{shown}:{number}", value, "the file is binary, not text", "give the deck itself")
    if not text.strip():
        raise InputError(shown, "nothing", "the file is empty", "give the deck")
    return text


def beside(deck: Path, name: str, place: str) -> Path:
    """The file ``name`` that a deck names; it lies in the deck's own folder or below. Raises :class:`InputError`."""
    folder = deck.resolve().parent
    try:
        found = (folder / name).resolve()
    except (OSError, ValueError):
        raise InputError(place, f"'{name[:60]}'", "not a path", "name a file beside the deck") from None
    if not found.is_relative_to(folder):
        rule = "a deck names files of its own folder only"
        raise InputError(place, f"'{name}'", rule, "put the file beside the deck and name it without its folder")
    if not found.is_file():
        raise InputError(
            place, f"'{name}'", "the file does not exist", f"put it beside {deck.name}, or correct the name"
        )
    return found


def refuse_existing(file: Path, deck: Path, *, force: bool) -> None:
    """Raise :class:`InputError` where the scenario cannot or must not be written."""
    if file.exists() and deck.exists() and file.resolve() == deck.resolve():
        raise InputError(str(file), "the deck itself", "a deck is not overwritten", "give another name with -o")
    if file.is_dir():
        raise InputError(str(file), "a folder", "a scenario is a file", "give the name of a file with -o")
    if not force and (file.exists() or file.is_symlink()):
        raise InputError(str(file), "exists", "an existing file is not overwritten", "give another name, or --force")
    if not file.parent.is_dir():
        raise InputError(str(file), "no such folder", "the file cannot be written", "make the folder first")


def write_whole(file: Path, text: str) -> None:
    """Write ``text`` beside ``file`` and rename: nobody reads half a scenario."""
    partial = file.with_name(f".{file.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        reason = error.strerror or "failed"
        raise InputError(str(file), reason, "the file cannot be written", "check the folder") from None
