"""``--set catheter.tip.position=ostium``: values that replace or join those of the file, by dotted path.

A list's items go by their index: ``faults.0.severity=0.5``; ``faults.+`` adds one. The value is YAML, as it would
stand in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from haiflow.errors import InputError, nearest
from haiflow.scenario.read import CONTROL_DECODED, Document, KeyPath, Mark, read_text

MORE = "+"  # the step behind the last item of a list


def split_assignment(text: str) -> tuple[str, str]:
    """``a.b=value`` as its two sides."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise InputError(
            f"--set {text[:80]}", f"'{text}'", "not an assignment", "write --set catheter.length='40 cm'"
        )
    if bad := CONTROL_DECODED.search(key.strip()):
        value = f"character U+{ord(bad[0]):04X}"
        raise InputError(f"--set {key.strip()[:80]}", value, "control characters are not text", "delete it")
    return key.strip(), value.strip()


def apply(document: Document, settings: Mapping[str, Any]) -> None:
    """Put every setting into ``document`` (in place: the document is ours). Raises :class:`InputError`."""
    for dotted, given in settings.items():
        place = f"--set {dotted}"
        put(document, dotted, _value(given, place), Mark(place))


def put(document: Document, dotted: str, value: Any, mark: Mark) -> None:
    """Put a plain ``value`` into ``document`` (in place) as if it stood at ``mark``; ``faults.+`` adds to a list."""
    path = _put(document.root, dotted, value, f"{mark}" if not mark.line else f"{mark}: {dotted}")
    stale = [known for known in document.values if known[: len(path)] == path]
    for known in stale:
        del document.values[known]
    document.keys[path] = document.values[path] = mark


def _value(given: Any, place: str) -> Any:
    if not isinstance(given, str):
        return deepcopy(given)
    try:
        return read_text(f"value: {given}\n", place).root["value"]
    except InputError as error:
        raise InputError(place, f"'{given}'", error.rule, error.remedy) from None


def _put(root: dict[str, Any], dotted: str, value: Any, place: str) -> KeyPath:
    """Set the value; mappings on the way are made where they are missing."""
    steps = dotted.split(".")
    here: Any = root
    path: KeyPath = ()
    for number, step in enumerate(steps):
        last = number == len(steps) - 1
        index = _index(here, step, place)
        path = (*path, index)
        if last and step == MORE and isinstance(here, list):
            here.append(value)
        elif last:
            here[index] = value
        elif isinstance(here, dict):
            here = _enter(here, step, place, [] if steps[number + 1] == MORE else {})
        else:
            here = here[index]
    return path


def _enter(here: dict[str, Any], step: str, place: str, empty: Any) -> Any:
    if here.get(step) is None:
        here[step] = empty
    if not isinstance(here[step], dict | list):
        value = f"'{here[step]!s:.60}'"
        raise InputError(place, value, f"{step} is a single value, it has no keys", f"set {step} itself")
    return here[step]


def _index(here: Any, step: str, place: str) -> str | int:
    if isinstance(here, dict):
        if not step:
            raise InputError(place, "an empty step", "a path has names between its dots", "write e.g. catheter.length")
        return step
    if step == MORE:
        return len(here)
    if not step.isascii() or not step.isdigit() or int(step) >= len(here):
        known = [str(index) for index in range(len(here))]
        raise InputError(
            place,
            f"'{step}'",
            f"the list has {len(here)} items",
            nearest(step, known) if known else "add it in the file",
        )
    return int(step)
