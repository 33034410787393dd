"""Centre lines as they are found in files: in pieces, and run from either end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

SAME = 1e-3  # of the radius: ends nearer than this are one point
TOGETHER = 0.2  # of the radius: lines nearer than this run in one vessel
LOOKS = 65  # places at which two pieces are held against each other
BENT = 0.0  # cosine of the angle between one piece's way on and the next one's: they go on into each other below


def whole_lines(points: Any, radius: Any, lines: list[Any]) -> tuple[list[Any], int]:
    """Indices of the points of each line, pieces that go on from each other joined; and how many joints there were.

    Two ends are a joint where they alone lie in one place and the line goes on: lines that leave one inlet together lie
    on each other there. Where more meet the vessel forks, unless half of them lie on each other along their whole way:
    then lines that run together were all cut in this place, and each goes on.
    """
    lines = [line for line in lines if len(line) > 1]
    partner = _partners(points, radius, lines)
    found, seen = [], set()
    for first in sorted(range(2 * len(lines)), key=lambda end: end in partner):  # free ends first, then rings
        if first // 2 in seen:
            continue
        way: list[Any] = []
        end = first
        while end // 2 not in seen:
            seen.add(end // 2)
            line = lines[end // 2] if end % 2 == 0 else lines[end // 2][::-1]
            way.append(line if not way else line[1:])
            end = partner.get(end ^ 1, end)
        found.append((min(way, key=lambda piece: piece[0]), np.concatenate(way)))
    return [line for _, line in found], len(lines) - len(found)


def without_copies(points: Any, radius: Any, lines: list[Any]) -> list[Any]:
    """The lines but those that lie on one before them along their whole way, whichever way each was written."""
    ways = _Ways(points, radius, [way for line in lines for way in (line, line[::-1])])
    kept: list[int] = []
    for number in (way // 2 for way in ways.different() if way % 2 == 0):
        if not ways.on(2 * number, [way for other in kept for way in (2 * other, 2 * other + 1)]).any():
            kept.append(number)
    return [lines[number] for number in kept]


def _partners(points: Any, radius: Any, lines: list[Any]) -> dict[int, int]:
    """End 2 i (first point) or 2 i + 1 (last point) of line i -> the end that goes on from it."""
    from scipy.spatial import cKDTree

    ends = np.array([index for line in lines for index in (line[0], line[-1])])
    inner = np.array([index for line in lines for index in (line[1], line[-2])])
    out = points[ends] - points[inner]
    places = {tuple(sorted(near)) for near in cKDTree(points[ends]).query_ball_point(points[ends], SAME * radius[ends])}
    partner: dict[int, int] = {}
    for place in sorted(places):
        half = _half(points, radius, lines, place)
        rest = [end for end in place if end not in half]
        if half and all(float(out[a] @ out[b]) < BENT and a // 2 != b // 2 for a in half for b in rest):
            partner |= dict(zip(half, rest, strict=True)) | dict(zip(rest, half, strict=True))
    return {end: other for end, other in partner.items() if partner.get(other) == end}


def _half(points: Any, radius: Any, lines: list[Any], place: tuple[int, ...]) -> list[int]:
    """Half of the ends in one place, of pieces that lie on each other: lines that run together and are all cut there.

    Any of them may go on as any of the rest, for what they hold is the same. Of two ends it is the one; none elsewhere.
    """
    if len(place) % 2:
        return []
    ways = _Ways(points, radius, [lines[end // 2] if end % 2 == 0 else lines[end // 2][::-1] for end in place])
    for first in ways.different():
        found = ways.on(first, range(len(place)))
        found[first] = True
        if 2 * found.sum() == len(place):
            return [end for end, on in zip(place, found, strict=True) if on]
    return []


class _Ways:
    """Pieces that are held against each other from their first points to their last, each against many at once."""

    def __init__(self, points: Any, radius: Any, ways: list[Any]) -> None:
        self.at = np.array([_at_shares(points[way]) for way in ways])  # (n, LOOKS, 3) m
        self.near = TOGETHER * np.array([radius[way].min() for way in ways])

    def different(self) -> list[int]:
        """The first of each that are the same to the last digit: the others have nothing to add."""
        first: dict[tuple[bytes, float], int] = {}
        for number, (way, near) in enumerate(zip(self.at, self.near, strict=True)):
            first.setdefault((way.tobytes(), float(near)), number)
        return list(first.values())

    def on(self, one: int, others: Sequence[int]) -> Any:
        """(n,) whether each of the ``others`` lies on ``one`` along its whole way."""
        chosen = np.asarray(others, dtype=int)
        near = np.minimum(self.near[one], self.near[chosen])
        # Most differ at their ends already: only the rest are looked at along the way.
        found = (
            np.linalg.norm(self.at[chosen[:, None], [0, -1]] - self.at[one, [0, -1]], axis=2) <= near[:, None]
        ).all(axis=1)
        left = np.flatnonzero(found)
        apart = np.linalg.norm(self.at[chosen[left]] - self.at[one], axis=2).max(axis=1, initial=0.0)
        found[left] = apart <= near[left]
        return found


def _at_shares(line: Any) -> Any:
    """(LOOKS, 3) m: points at equal shares of a line's length."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0.0, along[-1], LOOKS)
    return np.stack([np.interp(at, along, line[:, axis]) for axis in range(3)], axis=1)
