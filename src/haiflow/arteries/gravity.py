"""Gravity: the column of blood between a place in the network and the height of its inlet.

The weight of the blood adds ``A g_x`` to the momentum of a vessel, ``g_x`` being the component of gravity along its
axis. With a density that is the same everywhere it has a potential, and

    -A / rho p_x + A g_x = -A / rho P_x,     P = p + column,     column = -rho g . (r - r_inlet),

so the equations stay what they are for the pressure ``P`` that is brought to the inlet's height. The tube law then
reads ``P = b (sqrt A - r0)`` with ``r0 = sqrt A0 - column / b`` for the root of A at ``P = 0``: gravity is one more
thing that varies along a vessel, like A0 and beta, and blood at rest stays at rest to round-off (the same idea as
Delestre & Lagree's for A0 and beta, 2013, Int J Numer Methods Fluids 72:177). At nodes ``P + rho u^2 / 2`` is common.

What lies beyond the network hangs in the same field. The veins are full of blood too, and their column balances the
arteries': ``venous_pressure`` is the pressure at the inlet's height, as it is measured at the heart's, and gravity
drives nothing through a bed. Its effect is that vessels below the inlet are wider and more compliant, those above it
narrower, down to their collapse.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haiflow.arteries.tree import Tree
from haiflow.ports import Floats


def column_at_nodes(tree: Tree) -> Floats:
    """(n_nodes,) Pa: what must be added to a pressure at a node to bring it to the inlet's height."""
    return _column(tree, tree.position)


def column(tree: Tree, vessel: NDArray[np.int32], x: Floats) -> Floats:
    """(n,) Pa: the same at ``x`` (n,) m along each ``vessel`` (n,).

    Between its nodes a vessel follows its path, where it has one, and else rises evenly.
    """
    at_node = column_at_nodes(tree)
    start, end = at_node[tree.start[vessel]], at_node[tree.end[vessel]]
    share = x / tree.length[vessel]
    found = start * (1.0 - share) + end * share
    winding = {name: path for name, path in tree.paths.items() if len(path) > 2}
    if tree.gravity is None or not winding:
        return found
    number = np.full(len(tree.vessels), -1)
    number[[tree.vessel(name) for name in winding]] = np.arange(len(winding))
    on_path = number[vessel] >= 0
    found[on_path] = _along(tree, winding, number[vessel[on_path]], share[on_path])
    return found


def column_at_stations(tree: Tree) -> Floats:
    """(n_vessels, 3) Pa: the same at inlet, middle and outlet of each vessel."""
    vessel = np.arange(len(tree.vessels), dtype=np.int32)
    return np.stack([column(tree, vessel, 0.5 * station * tree.length) for station in range(3)], axis=1)


def _along(tree: Tree, paths: dict[str, Floats], number: NDArray[np.intp], share: Floats) -> Floats:
    """(n,) Pa at a ``share`` (n,) of the length of each path ``number`` (n,), of all paths in one pass.

    Linear between a path's points; the ends have the values of their nodes.
    """
    size = np.array([len(path) for path in paths.values()])
    last = np.cumsum(size) - 1
    first = last - size + 1
    points = np.concatenate([np.asarray(path, dtype=float) for path in paths.values()])
    vessels, value = [tree.vessel(name) for name in paths], _column(tree, points)
    value[first], value[last] = (column_at_nodes(tree)[side[vessels]] for side in (tree.start, tree.end))
    done = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    done = (done - np.repeat(done[first], size)) / np.repeat(done[last] - done[first], size)
    # Each path has a stretch of its own on one long axis, which tells the two points around a place.
    before = np.searchsorted(2.0 * np.repeat(np.arange(len(size)), size) + done, 2.0 * number + share, side="right") - 1
    before = np.clip(before, first[number], last[number] - 1)
    wide = done[before + 1] - done[before]
    part = np.divide(share - done[before], wide, out=np.ones_like(wide), where=wide > 0.0)
    return np.asarray(value[before] + part * (value[before + 1] - value[before]))


def _column(tree: Tree, points: Floats) -> Floats:
    if tree.gravity is None:
        return np.zeros(len(points))
    above = points - tree.position[tree.node(tree.inlet.node)]
    return np.asarray(-tree.blood.density * (above @ tree.gravity))
