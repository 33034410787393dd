"""Everything that is wrong with a scenario, gathered with its place before the user is told."""

from __future__ import annotations

from typing import NoReturn

from haiflow.errors import InputError, InputErrors
from haiflow.scenario.read import Document, KeyPath

MISSING = "the key is missing"
SOURCES = ("model", "anatomy", "file")  # keys that fetch the rest of their group from elsewhere


class Problems:
    """Input errors of one document in the making; ``finish`` raises them all, in the order of the file."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._found: list[tuple[tuple[str, int, int], KeyPath, InputError]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: KeyPath, value: object, rule: str, remedy: str, *, key: bool = False) -> None:
        """One more, at ``path`` (at its key where ``key``): the value as given, the rule that it breaks, the remedy."""
        shown = "nothing" if value is None else f"'{value}'" if isinstance(value, str) else str(value)
        mark = self.document.mark(path, key=key)
        order = (mark.file, mark.line, mark.column)
        error = InputError(self.document.place(path, key=key), shown, rule, remedy)
        if all(str(error) != str(other) for _, _, other in self._found):
            self._found.append((order, tuple(path), error))

    def given(self, path: KeyPath) -> object:
        """The value as the user wrote it, or None."""
        value: object = self.document.root
        for step in path:
            try:
                value = value[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def finish(self) -> None:
        """Raise what was found, if anything."""
        if self._found:
            self._raise()

    def _raise(self) -> NoReturn:
        # Where the name of a source is wrong, the keys that it would have supplied are not the user's to add.
        misnamed = {path[:-1] for _, path, error in self._found if path and _names_source(path[-1], error)}
        told = [found for found in self._found if found[2].rule != MISSING or found[1][:-1] not in misnamed]
        ordered = [error for _, _, error in sorted(told, key=lambda found: found[0])]
        raise InputErrors(ordered) if len(ordered) > 1 else ordered[0]


def _names_source(key: object, error: InputError) -> bool:
    """Whether a wrong key or value was meant to name where the rest of its group comes from."""
    return key in SOURCES or any(error.remedy == f"did you mean '{source}'?" for source in SOURCES)
