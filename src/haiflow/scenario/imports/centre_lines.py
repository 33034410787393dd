"""Centre lines as they are found in files: in pieces, and run from either end."""

from __future__ import annotations

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
    kept: list[Any] = []
    for line in lines:
        if not any(_coincide(points, radius, line, way) for other in kept for way in (other, other[::-1])):
            kept.append(line)
    return kept


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
    ways = {end: lines[end // 2] if end % 2 == 0 else lines[end // 2][::-1] for end in place}
    for first in place:
        found = [end for end in place if end == first or _coincide(points, radius, ways[first], ways[end])]
        if 2 * len(found) == len(place):
            return found
    return []


def _coincide(points: Any, radius: Any, one: Any, two: Any) -> bool:
    """Whether two pieces lie on each other from their first points to their last."""
    near = TOGETHER * float(min(radius[one].min(), radius[two].min()))
    if any(np.linalg.norm(points[one[end]] - points[two[end]]) > near for end in (0, -1)):
        return False
    both = [_at_shares(points[line]) for line in (one, two)]
    return bool(np.linalg.norm(both[0] - both[1], axis=1).max() <= near)


def _at_shares(line: Any) -> Any:
    """(LOOKS, 3) m: points at equal shares of a line's length."""
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0.0, along[-1], LOOKS)
    return np.stack([np.interp(at, along, line[:, axis]) for axis in range(3)], axis=1)
