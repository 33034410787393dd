"""Tables out of the nested summary: a row per segment, tumour, vessel, fault."""

from __future__ import annotations

from typing import Any

Rows = list[dict[str, Any]]


def segments(summary: dict[str, Any]) -> Rows:
    """A row per Couinaud segment, then a row per tumour (``kind`` tells them apart)."""
    rows = [{"name": name, "kind": "segment", **values} for name, values in summary.get("segments", {}).items()]
    rows += [{"name": name, "kind": "tumour", **values} for name, values in summary.get("tumours", {}).items()]
    return rows


def vessels(summary: dict[str, Any]) -> Rows:
    """A row per vessel; an off-target one carries what it took away."""
    lost = summary.get("off_target", {})
    return [
        {"vessel": name, **values, **{f"off_target_{key}": item for key, item in lost.get(name, {}).items()}}
        for name, values in summary.get("arteries", {}).items()
        if isinstance(values, dict)
    ]


def detection(summary: dict[str, Any]) -> Rows:
    """A row per fault: which observable shows it first, and when."""
    rows = summary.get("detection") or []
    if isinstance(rows, dict):
        return [{"fault": name, **values} for name, values in rows.items()]
    return [dict(row) for row in rows]


def columns(rows: Rows) -> list[str]:
    """All keys of all rows, in the order of their first appearance."""
    return list(dict.fromkeys(key for row in rows for key in row))
