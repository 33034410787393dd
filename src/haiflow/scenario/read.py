"""Reads a YAML file into plain values, with the line and column of every key and value.

One pass over libyaml's events with a stack of our own: no recursion, nothing is built that the file merely refers to.
Plain scalars mean what YAML 1.2 and common sense say: ``true``/``false``, ``null``, decimal numbers (``1e-3`` is one);
``no``, ``on``, ``12:30`` and ``010`` are text. Refused with a message: duplicate keys, tags, merge keys, several
documents, aliases that expand without end, deep nesting, huge or binary files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from haiflow.errors import InputError

LARGEST_FILE = 16 * 2**20  # bytes
MOST_VALUES = 400_000  # aliases expanded
DEEPEST = 40
PLAIN = {"true": True, "false": False, "null": None, "~": None, "": None}
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
DECIMAL = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?")
STRING_TAG = "tag:yaml.org,2002:str"
TURNS = "\u202a-\u202e\u2066-\u2069"  # they turn the direction of what follows: text that reads otherwise than it is
CONTROL = re.compile(f"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[{TURNS}]")
CONTROL_DECODED = re.compile(f"{CONTROL.pattern}|[\r\x85\u2028\u2029]")  # unescaped, libyaml makes newlines of these

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something stands: the file (or ``--set``) and, one-based, line and column."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass
class Document:
    """What a file says: the ``root`` mapping of plain values, and the marks of keys and of values by path."""

    file: str
    root: dict[str, Any]
    keys: dict[KeyPath, Mark] = field(default_factory=dict)
    values: dict[KeyPath, Mark] = field(default_factory=dict)

    def mark(self, path: KeyPath, *, key: bool = False) -> Mark:
        """The mark of ``path``, or of the nearest thing round it that has one."""
        if key and path in self.keys:
            return self.keys[path]
        for length in range(len(path), -1, -1):
            found = self.values.get(path[:length])
            if found is not None:
                return self.keys.get(path[:length], found) if length < len(path) else found
        return Mark(self.file)

    def graft(self, path: KeyPath, other: Document, under: KeyPath = ()) -> None:
        """Take the marks of ``other`` (below ``under``) as those of what now stands at ``path`` here."""
        for own, theirs in ((self.keys, other.keys), (self.values, other.values)):
            for stale in [known for known in own if known[: len(path)] == path and len(known) > len(path)]:
                del own[stale]
            own.update(
                {path + known[len(under) :]: mark for known, mark in theirs.items() if known[: len(under)] == under}
            )

    def place(self, path: KeyPath, *, key: bool = False) -> str:
        """``scenario.yaml:12:19: catheter.inner_diameter``"""
        dotted, mark = ".".join(str(part) for part in path), str(self.mark(path, key=key))
        return mark if not dotted or mark == f"--set {dotted}" else f"{mark}: {dotted}"


def read_file(path: Path, shown: str | None = None, what: str = "a scenario") -> Document:
    """The document in ``path``, which is ``what``. Raises :class:`InputError`."""
    shown = shown or str(path)
    return read_text(_text(path, shown, what), shown)


def _text(path: Path, shown: str, what: str) -> str:
    """The file's text; checked before it is read whole: there, a file, not huge; after: UTF-8, no binary."""
    data = bounded_bytes(path, shown, f"{what} is a YAML file", "put meshes and waveforms in files of their own")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        value = f"byte 0x{data[error.start]:02x}"
        raise InputError(f"{shown}:{line}", value, "the file is not UTF-8 text", "save it as UTF-8") from None


def bounded_bytes(path: Path, shown: str, kind: str, smaller: str) -> bytes:
    """The bytes of a file that is there and not huge; ``kind`` says what it should be, ``smaller`` how to cut it."""
    try:
        if path.is_dir():
            raise InputError(shown, "a folder", kind, "give the path of the file")
        if path.exists() and not path.is_file():  # a pipe or a device may never end
            raise InputError(shown, "a pipe or device", kind, "write it into a file, and give the path of that")
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise InputError(shown, "nothing there", "the file does not exist", "check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(shown, reason, "the file cannot be read", "check its path and permissions") from None
    if len(data) > LARGEST_FILE:
        rule = f"such a file has at most {LARGEST_FILE // 2**20} MB"
        raise InputError(shown, f"over {LARGEST_FILE} bytes", rule, smaller)
    return data


def read_text(text: str, shown: str) -> Document:
    """The document that ``text`` is; ``shown`` names it in messages."""
    if bad := CONTROL.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        value = f"character U+{ord(bad[0]):04X}"
        raise InputError(f"{shown}:{line}:{column}", value, "control characters are not text", "delete it")
    try:
        return _Builder(shown).build(yaml.parse(text, Loader=LOADER))
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, shown, len(text)) from None
    except yaml.YAMLError as error:
        raise InputError(shown, "unreadable", f"not YAML: {error}", "save it as UTF-8 YAML text") from None


LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _syntax(error: yaml.MarkedYAMLError, shown: str, length: int) -> InputError:
    """What libyaml complains of; a bracket or quote that is never closed is shown where it opens."""
    mark = error.problem_mark or error.context_mark
    if error.context_mark is not None and mark is not None and mark.index >= length:
        mark = error.context_mark
    place = f"{shown}:{mark.line + 1}:{mark.column + 1}" if mark else shown
    rule = " ".join(part for part in (error.context, error.problem) if part)
    if "nesting depth" in rule:  # libyaml has a limit of its own, and sees the end of a flow before its first level
        return InputError(place, f"over {DEEPEST} levels", "nested too deeply", "a scenario needs ten levels")
    remedy = "indent with spaces, write 'key: value', close brackets and quotes"
    return InputError(place, "YAML", f"not valid YAML ({rule})", remedy)


@dataclass
class _Open:
    """A mapping or sequence that is being read."""

    value: Any
    path: KeyPath
    anchor: str | None
    count_before: int
    key: str | None = None  # of a mapping, read and waiting for its value

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None


class _Builder:
    """Turns events into values; ``stack`` holds what is open."""

    def __init__(self, shown: str) -> None:
        self.document = Document(shown, {})
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Any, int]] = {}  # value and how many values it holds
        self.count = 0
        self.documents = 0

    def build(self, events: Iterator[Any]) -> Document:
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                self._open({} if isinstance(event, yaml.MappingStartEvent) else [], event)
            elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                self._close()
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._another_document(event)
        if not self.documents or not self.document.root:
            rule = "the file is empty"
            raise InputError(self.document.file, "nothing", rule, "start with 'haiflow: 1', or use haiflow new")
        return self.document

    def _another_document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            raise self._refuse(event, "---", "a file holds one document", "split it into files")

    def _refuse(self, event: Any, value: object, rule: str, remedy: str, key: str | None = None) -> InputError:
        path = self._path() if key is None else (*self._path(), key)
        dotted = ".".join(str(part)[:40] for part in path[:8])
        place = str(self._mark(event)) + (f": {dotted}" if dotted else "")
        return InputError(place, value, rule, remedy)

    def _mark(self, event: Any) -> Mark:
        return Mark(self.document.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _path(self) -> KeyPath:
        """Of the value that comes next."""
        if not self.stack:
            return ()
        top = self.stack[-1]
        step = top.key if isinstance(top.value, dict) else len(top.value)
        return top.path if step is None else (*top.path, step)

    def _scalar(self, event: Any) -> None:
        if self.stack and self.stack[-1].wants_key:
            self._key(event)
        else:
            self._check_tag(event)
            self._check_letters(event)
            self._add(plain_value(event.value) if event.implicit[0] else event.value, event, 1)

    def _check_letters(self, event: Any) -> None:
        """What an escape such as "\\e" stands for must be text, as what is written out must."""
        if bad := CONTROL_DECODED.search(event.value):
            value = f"character U+{ord(bad[0]):04X}"
            raise self._refuse(event, value, "control characters are not text", "delete its escape")

    def _key(self, event: Any) -> None:
        self._check_letters(event)
        top, key = self.stack[-1], event.value
        if key == "<<" and event.implicit[0]:
            raise self._refuse(event, "<<", "merge keys are not read", "write the keys out")
        if key in top.value:
            first = self.document.keys[(*top.path, key)]
            rule = f"the key stands twice (first in line {first.line})"
            raise self._refuse(event, f"'{key}'", rule, "keep one of them", key)
        top.key = key
        self.document.keys[(*top.path, key)] = self._mark(event)

    def _check_tag(self, event: Any) -> None:
        if event.tag not in (None, "!", STRING_TAG):
            raise self._refuse(event, event.tag, "tags are not read", "delete the tag")

    def _open(self, value: Any, event: Any) -> None:
        self._check_tag(event)
        if self.stack and self.stack[-1].wants_key:
            raise self._refuse(event, "a list or mapping", "a key is text", "quote text that holds brackets or braces")
        if len(self.stack) >= DEEPEST:
            raise self._refuse(event, f"over {DEEPEST} levels", "nested too deeply", "a scenario needs ten levels")
        if not self.stack and not isinstance(value, dict):
            raise self._refuse(event, "a list", "a scenario is a mapping of keys", "start with 'haiflow: 1'")
        path, before = self._path(), self.count
        self._add(value, event, 1)
        self.stack.append(_Open(value, path, event.anchor, before))

    def _close(self) -> None:
        done = self.stack.pop()
        if done.anchor:
            self.anchors[done.anchor] = (done.value, self.count - done.count_before)
        if not self.stack:
            self.document.root = done.value

    def _alias(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            rule = "the alias refers to itself or to nothing"
            raise self._refuse(event, f"*{event.anchor}", rule, "write the value out")
        if self.stack and self.stack[-1].wants_key:
            raise self._refuse(event, f"*{event.anchor}", "a key is text", "write the key out")
        value, size = self.anchors[event.anchor]
        self._add(value, event, size)

    def _add(self, value: Any, event: Any, size: int) -> None:
        self.count += size
        if self.count > MOST_VALUES:
            rule = "the file expands to too many values"
            raise self._refuse(event, f"over {MOST_VALUES}", rule, "use no aliases of aliases")
        self.document.values[self._path()] = self._mark(event)
        if not self.stack:
            if not isinstance(value, dict):
                raise self._refuse(
                    event, f"'{value!s:.60}'", "a scenario is a mapping of keys", "start with 'haiflow: 1'"
                )
            return
        top = self.stack[-1]
        if isinstance(top.value, dict):
            top.value[str(top.key)] = value
            top.key = None
        else:
            top.value.append(value)
        if isinstance(event, yaml.ScalarEvent) and event.anchor:
            self.anchors[event.anchor] = (value, 1)


def plain_value(text: str) -> bool | int | float | str | None:
    """What an unquoted scalar means."""
    if text in PLAIN:
        return PLAIN[text]
    if INTEGER.fullmatch(text):
        return int(text)
    if DECIMAL.fullmatch(text):
        return float(text)
    return text
