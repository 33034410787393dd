"""``haiflow library``: what there is, with values and sources."""

from __future__ import annotations

import textwrap
from typing import Any

from haiflow.errors import InputError, nearest
from haiflow.scenario import library
from haiflow.scenario.library import KINDS, Entry

MARKS = "marks: found (in the source named), wk textbook, wk? less sure, derived, assumed"


def listed(kind: str | None, name: str | None) -> dict[str, Any]:
    """Names by kind; or the titles of a kind; or one entry with its values, sources and marks."""
    if kind is None:
        return {each: list(library.names(each)) for each in KINDS}
    kind = known_kind(kind)
    if name is None:
        return {kind: {each: library.entry(kind, each).title for each in library.names(kind)}}
    return {kind: {name: _whole(library.entry(kind, name))}}


def known_kind(given: str) -> str:
    """``pump`` and ``pumps`` are the same."""
    kind = next(
        (each for each in KINDS if given in (each, each.removesuffix("s"), each.removesuffix("ies") + "y")), None
    )
    if kind is None:
        raise InputError("haiflow library", f"'{given}'", "no such kind", nearest(given, KINDS))
    return kind


def _whole(entry: Entry) -> dict[str, Any]:
    rows = {row.key: {"value": row.value, "source": row.source, "mark": row.mark} for row in entry.rows}
    return {"title": entry.title, "values": rows}


def as_text(found: dict[str, Any]) -> str:
    """The listing for a terminal."""
    lines: list[str] = []
    for kind, content in found.items():
        lines.append(kind)
        lines += [f"  {name}" for name in content] if isinstance(content, list) else []
        for name, what in content.items() if isinstance(content, dict) else ():
            lines += [f"  {name:<22} {what}"] if isinstance(what, str) else [f"  {name}: {what['title']}", *_rows(what)]
    return "\n".join(lines)


def _rows(entry: dict[str, Any]) -> list[str]:
    """A line a value; a source that several values share is printed once."""
    lines, last = [], None
    for key, row in entry["values"].items():
        lines.append(f"    {key}: {_short(row['value'])}  [{row['mark']}]")
        if row["source"] != last:
            lines += textwrap.wrap(row["source"], 110, initial_indent=" " * 8, subsequent_indent=" " * 8)
        last = row["source"]
    return [*lines, f"    {MARKS}"]


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_short(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list) and len(value) > 12:
        return f"[{', '.join(str(each) for each in value[:6])}, ... {len(value)} values]"
    return str(value)
