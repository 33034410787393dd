"""Where the line and the arteries lie in space: polylines for pictures and network.vtp."""

from __future__ import annotations

import numpy as np

from haiflow.arteries.tree import Tree
from haiflow.catheter.line import Tip
from haiflow.ports import Floats

# Subcutaneous pocket in the left lower abdominal wall, from the liver's hilum (x to the left, y to the back, z up).
PUMP_POSITION = (0.09, -0.09, -0.16)
PUMP_TO_TIP = 0.35  # m, drawn where no arteries say where the tip is


def vessel_path(tree: Tree, vessel: str) -> Floats:
    """(k, 3) m: the centre line of a vessel from start to end, straight where none is given."""
    if vessel in tree.paths:
        return np.asarray(tree.paths[vessel], dtype=float)
    index = tree.vessel(vessel)
    return tree.position[[tree.start[index], tree.end[index]]]


def along(path: Floats, fraction: Floats) -> Floats:
    """Points (n, 3) at the given fractions (n,) of a polyline's length."""
    reach = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    if reach[-1] == 0.0:
        return np.repeat(path[:1], len(np.atleast_1d(fraction)), axis=0)
    return np.stack([np.interp(np.asarray(fraction) * reach[-1], reach, path[:, k]) for k in range(3)], axis=1)


def tip_position(tree: Tree | None, vessel: str | None, position: float | str) -> Floats:
    """(3,) m: where the tip lies; a tip out of the artery is drawn beside the root of the tree."""
    if tree is None:
        return np.array(PUMP_POSITION) + np.array([0.0, 0.0, PUMP_TO_TIP])
    if vessel is None:
        return vessel_path(tree, tree.vessels[0])[0] + np.array([0.01, -0.02, -0.02])
    path = vessel_path(tree, vessel)
    length = tree.length[tree.vessel(vessel)]
    fraction = 0.0 if position == "ostium" else float(position) / length
    return along(path, np.array([fraction]))[0]


def inside(tree: Tree | None, tip: Tip) -> Floats:
    """(k, 3) m: the line's way inside the arteries, from where it enters to its tip; the tip alone where it is outside.

    It enters by the far end of a vessel that feeds no liver, the tip's own or one that meets it (the surgeon's
    gastroduodenal stump), and else at the tip.
    """
    end = tip_position(tree, tip.vessel, tip.position)
    if tree is None or tip.vessel is None:
        return end[None]
    index = tree.vessel(tip.vessel)
    if tip.vessel in tree.off_target:
        return np.concatenate([_until(vessel_path(tree, tip.vessel)[::-1], end), end[None]])
    ends = (tree.start[index], tree.end[index])
    door = next((name for name in tree.off_target if tree.start[tree.vessel(name)] in ends), None)
    if door is None:
        return end[None]
    path = vessel_path(tree, tip.vessel)
    onward = path if tree.start[tree.vessel(door)] == tree.start[index] else path[::-1]
    return np.concatenate([vessel_path(tree, door)[::-1], _until(onward, end)[1:], end[None]])


def _until(path: Floats, end: Floats) -> Floats:
    """The points of a polyline before the one nearest to ``end``, its first in any case."""
    nearest = int(np.argmin(np.linalg.norm(path - end, axis=1)))
    return path[: max(nearest, 1)]


def catheter_path(pump: Floats, within: Floats, n: int) -> Floats:
    """(n, 3) m: a smooth curve from the pump's outlet into the arteries, then ``within`` (k, 3) to the tip."""
    entry = within[0]
    inward = within[1] - entry if len(within) > 1 else np.array([0.0, 0.0, 1.0])
    size = np.linalg.norm(inward)
    inward = inward / size if size > 0.0 else np.array([0.0, 0.0, 1.0])
    reach = float(np.linalg.norm(entry - pump))
    first, last = pump + reach * np.array([-0.3, 0.0, 0.25]), entry - 0.3 * reach * inward
    t = np.linspace(0.0, 1.0, 4 * n)[:, None]
    free = (1 - t) ** 3 * pump + 3 * (1 - t) ** 2 * t * first + 3 * (1 - t) * t**2 * last + t**3 * entry
    return along(np.concatenate([free, within[1:]]), np.linspace(0.0, 1.0, n))
