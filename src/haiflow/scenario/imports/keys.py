"""A mapping of a deck, read key by key: what is asked for is checked, what nobody asked for becomes a warning."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from haiflow.errors import InputError
from haiflow.scenario.imports.findings import Findings
from haiflow.scenario.read import KeyPath, plain_value

MOST_WHOLE = 2**53  # beyond it a float does not tell a whole number from the next

MISSING: Any = object()


@dataclass
class Keys:
    """``values`` at ``path`` of a deck; ``place`` tells where a path stands; ``where`` names it in warnings."""

    values: Mapping[str, Any]
    path: KeyPath
    place: Callable[[KeyPath], str]
    findings: Findings
    where: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)  # other spellings -> the one asked for
    _used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        names: dict[str, str] = {}
        for given in self.values:
            wanted = self.aliases.get(given, given)
            if wanted in names:
                raise self.error(given, self.values[given], f"the same as '{names[wanted]}'", "keep one of them")
            names[wanted] = given
        self._given = names

    def error(self, name: str, value: object, rule: str, remedy: str) -> InputError:
        """The error for one key, at its place."""
        shown = "nothing" if value is None else f"'{value}'" if isinstance(value, str) else str(value)
        return InputError(self.place((*self.path, name)), shown, rule, remedy)

    def __contains__(self, name: str) -> bool:
        return name in self._given and self.values[self._given[name]] is not None

    def take(self, name: str, default: Any = MISSING) -> Any:
        """The value as it stands; it counts as used."""
        if name not in self._given:
            if default is MISSING:
                raise InputError(self.place(self.path), self.where or "nothing", f"'{name}' is missing",
                                 f"add '{name}'")  # fmt: skip
            return default
        given = self._given[name]
        self._used.add(given)
        value = self.values[given]
        return default if value is None and default is not MISSING else value

    def number(
        self, name: str, default: Any = MISSING, *, above: float | None = None, at_least: float | None = None
    ) -> Any:
        """A finite number within bounds (or ``default`` where the key is not there)."""
        value = self.take(name, default)
        return value if value is default else self.checked(name, value, above=above, at_least=at_least)

    def checked(self, name: str, value: Any, *, above: float | None = None, at_least: float | None = None) -> float:
        """``value`` as a finite number within bounds."""
        number = as_number(value)
        if number is None:
            raise self.error(name, value, "must be a finite number", "write e.g. 1.5e-3")
        if above is not None and not number > above:
            raise self.error(name, value, f"must be above {above:g}", f"give a number above {above:g}")
        if at_least is not None and not number >= at_least:
            raise self.error(name, value, f"must be at least {at_least:g}", f"give {at_least:g} or more")
        return number

    def whole(self, name: str, default: Any = MISSING) -> Any:
        """A whole number."""
        value = self.number(name, default)
        if value is default or (float(value).is_integer() and abs(value) < MOST_WHOLE):
            return value if value is default else int(value)
        rule = "must be a whole number" if abs(value) < MOST_WHOLE else f"must be a whole number below {MOST_WHOLE:g}"
        raise self.error(name, value, rule, "write e.g. 2")

    def text(self, name: str, default: Any = MISSING) -> Any:
        """A text; a number is taken as it is written."""
        value = self.take(name, default)
        if value is default or isinstance(value, str):
            return value
        if isinstance(value, dict | list | bool) or value is None:
            raise self.error(name, value, "must be text", "write a name")
        return str(value)

    def flag(self, name: str, default: bool) -> bool:
        """true or false."""
        value = self.take(name, default)
        value = plain_value(value.lower()) if isinstance(value, str) else value
        if not isinstance(value, bool):
            raise self.error(name, value, "must be true or false", "write true or false")
        return value

    def section(self, name: str, default: Any = MISSING, **more: Any) -> Keys:
        """A mapping inside."""
        value = self.take(name, default)
        if not isinstance(value, dict):
            raise self.error(name, value, "must be a mapping of keys", "write 'key: value' below it")
        return Keys(value, (*self.path, name), self.place, self.findings, **more)

    def sections(self, name: str, default: Any = MISSING, **more: Any) -> list[Keys]:
        """A list of mappings inside."""
        value = self.take(name, default)
        if not isinstance(value, list):
            raise self.error(name, value, "must be a list", "give a list of items")
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                raise self.error(f"{name}.{index}", item, "must be a mapping of keys", "write 'key: value' below it")
        return [
            Keys(item, (*self.path, name, index), self.place, self.findings, **more) for index, item in enumerate(value)
        ]

    def unused(self, name: str, consequence: str) -> None:
        """A key that is known and not taken over: a warning, where it is there."""
        if name in self._given and self._given[name] not in self._used:
            self.findings.add(self._given[name], self.take(name), consequence, self.where)

    def rest(self, known: tuple[str, ...] = (), consequence: str = "unknown, left out") -> None:
        """A warning for every key that nobody asked for; keys that start with ``_`` are comments."""
        for given, value in self.values.items():
            if given in self._used or given.startswith("_"):
                continue
            close = get_close_matches(given, (*known, *self._used), n=1, cutoff=0.7)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            self.findings.add(given, _told(value), consequence + hint, self.where)
            self._used.add(given)


def as_number(value: Any) -> float | None:
    """A finite float, from a number or from text that is one; None otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _told(value: Any) -> str:
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'a mapping'} of {len(value)}"
    return str(value)
