"""A deck's text (bounded, UTF-8, no binary), and the files that it names."""

from __future__ import annotations

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
    except (OSError, ValueError, RuntimeError):  # the last is Python 3.11's for links that lead round
        raise InputError(place, f"'{name[:60]}'", "not a path", "name a file beside the deck") from None
    if not found.is_relative_to(folder):
        rule = "a deck names files of its own folder only"
        raise InputError(place, f"'{name}'", rule, "put the file beside the deck and name it without its folder")
    if not found.is_file():
        raise InputError(
            place, f"'{name}'", "the file does not exist", f"put it beside {deck.name}, or correct the name"
        )
    return found
