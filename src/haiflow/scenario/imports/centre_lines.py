"""Centre lines as they are found in files: in pieces, and run from either end."""

from __future__ import annotations

from typing import Any

import numpy as np

SAME = 1e-3  # of the radius: ends nearer than this are one point
BENT = 0.0  # cosine of the angle between one piece's way on and the next one's: they go on into each other below


def whole_lines(points: Any, radius: Any, lines: list[Any]) -> tuple[list[Any], int]:
    """Indices of the points of each line, pieces that go on from each other joined; and how many joints there were.

    Two ends are a joint where they alone lie in one place and the line goes on: lines that leave one inlet together lie
    on each other there, and where more meet the vessel forks.
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


def _partners(points: Any, radius: Any, lines: list[Any]) -> dict[int, int]:
    """End 2 i (first point) or 2 i + 1 (last point) of line i -> the end that goes on from it."""
    from scipy.spatial import cKDTree

    ends = np.array([index for line in lines for index in (line[0], line[-1])])
    inner = np.array([index for line in lines for index in (line[1], line[-2])])
    out = points[ends] - points[inner]
    tree, partner = cKDTree(points[ends]), {}
    for end, near in enumerate(tree.query_ball_point(points[ends], SAME * radius[ends])):
        others = [other for other in near if other != end]
        if len(others) == 1 and others[0] // 2 != end // 2 and float(out[end] @ out[others[0]]) < BENT:
            partner[end] = others[0]
    return {end: other for end, other in partner.items() if partner.get(other) == end}
