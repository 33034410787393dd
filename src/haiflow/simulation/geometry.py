"""Where the line and the arteries lie in space: polylines for pictures and network.vtp."""

from __future__ import annotations

import numpy as np

from haiflow.arteries.tree import Tree
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


def approach(tree: Tree | None, vessel: str | None) -> Floats:
    """(3,) unit vector along which the catheter reaches its tip: against the direction of the cannulated vessel."""
    if tree is None or vessel is None:
        return np.array([0.0, 0.0, 1.0])
    path = vessel_path(tree, vessel)
    direction = path[0] - path[min(1, len(path) - 1)]
    size = np.linalg.norm(direction)
    return direction / size if size > 0.0 else np.array([0.0, 0.0, 1.0])


def catheter_path(pump: Floats, tip: Floats, arrival: Floats, n: int) -> Floats:
    """(n, 3) m: a smooth curve (cubic Bezier) from the pump's outlet to the tip, arriving along ``arrival``."""
    reach = float(np.linalg.norm(tip - pump))
    first = pump + np.array([-0.25 * reach, 0.0, 0.30 * reach])
    last = tip - arrival * 0.30 * reach
    t = np.linspace(0.0, 1.0, n)[:, None]
    return (1 - t) ** 3 * pump + 3 * (1 - t) ** 2 * t * first + 3 * (1 - t) * t**2 * last + t**3 * tip
