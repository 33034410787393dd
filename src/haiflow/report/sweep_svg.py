"""Drawings of a sweep's report that need no script: bars with intervals, and the map of faults by places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from haiflow.results.quantities import say

if TYPE_CHECKING:
    from haiflow.report.sweep import Map, MapCell

MOST_BARS = 14
LEFT, WIDE, ROW = 250, 420, 24  # of the bars: pixels of names, of bars, of a row
NAMES, CELL, HIGH, HEAD = 230, 112, 46, 40  # of the map


def bars_svg(rows: Sequence[tuple[str, float, float, float]]) -> str:
    """Horizontal bars from zero, with whiskers where there is an interval; a number at each."""
    told = list(rows[:MOST_BARS])
    ends = [x for _, value, low, high in told for x in (value, low, high) if math.isfinite(x)]
    low_end, high_end = min(0.0, *ends), max(0.0, *ends)
    scale = WIDE / ((high_end - low_end) or 1.0)
    zero = LEFT + -low_end * scale
    parts = []
    for line, (key, value, low, high) in enumerate(told):
        y = line * ROW + 4
        start, end = sorted((zero, zero + value * scale))
        parts.append(f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(_short(key))}</text>')
        parts.append(f'<rect class="bar" x="{start:.1f}" y="{y + 1}" width="{max(end - start, 1):.1f}" height="14"/>')
        right = max(end, zero)
        if math.isfinite(low) and math.isfinite(high):
            a, b = zero + low * scale, zero + high * scale
            right = max(right, b)
            parts.append(f'<path class="whisker" d="M{a:.1f} {y + 8}H{b:.1f}M{a:.1f} {y + 4}v8M{b:.1f} {y + 4}v8"/>')
        parts.append(f'<text class="value" x="{right + 6:.1f}" y="{y + 13}">{_numbers(value, low, high)}</text>')
    height = len(told) * ROW + 8
    axis = f'<path class="axis" d="M{zero:.1f} 0V{height}"/>'
    said = "; ".join(f"{key} {_numbers(value, low, high)}" for key, value, low, high in told)
    return (
        f'<svg class="bars-svg" role="img" viewBox="0 0 {LEFT + WIDE + 170} {height}" width="{LEFT + WIDE + 170}" '
        f'height="{height}"><title>{escape(said)}</title>{"".join(parts)}{axis}</svg>'
    )


def _numbers(value: float, low: float, high: float) -> str:
    said, least, most = (f"{x:.2f}".replace("-0.00", "0.00").replace("-", "−") for x in (value, low, high))
    return f"{said} ({least} to {most})" if math.isfinite(low) and math.isfinite(high) else said


def _short(text: str) -> str:
    return text if len(text) <= 36 else text[:35] + "…"


def map_svg(found: Map) -> str:
    """Faults down, places across. Dark: noticed late or never; the words in each cell say the same."""
    width, height = NAMES + CELL * len(found.columns) + 4, HEAD + HIGH * len(found.rows) + 4
    latest = max((cell.noticed_s or 0.0 for cell in found.cells.values()), default=0.0) or 1.0
    parts = []
    for column, place in enumerate(found.columns):
        x = NAMES + CELL * (column + 0.5)
        parts.append(f'<text class="head" x="{x}" y="{HEAD - 12}" text-anchor="middle">{escape(_place(place))}</text>')
    for line, fault in enumerate(found.rows):
        y = HEAD + HIGH * line
        parts.append(f'<text class="head" x="0" y="{y + HIGH / 2 + 5}">{escape(_short(fault))}</text>')
        for column, place in enumerate(found.columns):
            cell = found.cells.get((fault, place))
            if cell is not None:
                parts.append(_map_cell(cell, NAMES + CELL * column, y, latest))
    return (
        f'<svg class="map" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f"<title>Faults by places: when each would be noticed, and how many segments are under-perfused</title>"
        f"{''.join(parts)}</svg>"
    )


def _map_cell(cell: MapCell, x: float, y: float, latest: float) -> str:
    level = "failed" if not cell.ran else "never" if cell.missed else f"t{_grade(cell.noticed_s, latest)}"
    first, second = _words(cell)
    box = (
        f'<rect class="{level}" x="{x + 2}" y="{y + 2}" width="{CELL - 4}" height="{HIGH - 4}" rx="4"/>'
        f'<text class="{level}" x="{x + CELL / 2}" y="{y + 20}" text-anchor="middle">{escape(first)}</text>'
        f'<text class="{level} small" x="{x + CELL / 2}" y="{y + 36}" text-anchor="middle">{escape(second)}</text>'
    )
    return f'<a href="{escape(cell.variant)}/report.html">{box}</a>' if cell.ran else box


def _grade(noticed: float | None, latest: float) -> int:
    return 0 if noticed is None else min(3, int(4.0 * noticed / latest * 0.999))


def _words(cell: MapCell) -> tuple[str, str]:
    if not cell.ran:
        return "failed", ""
    first = "never noticed" if cell.missed else "no fault" if cell.noticed_s is None else say(cell.noticed_s, "s")
    starved = cell.under_perfused
    return first, "" if starved is None else f"{starved:.0f} of 8 starved" if starved else "none starved"


def _place(text: str) -> str:
    words = text.replace("_", " ")
    return words if len(words) <= 16 else words[:15] + "…"
