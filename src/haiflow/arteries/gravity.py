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
    if tree.gravity is None:
        return found
    for name, path in tree.paths.items():
        here = vessel == tree.vessel(name)
        if len(path) > 2 and here.any():
            found[here] = np.interp(share[here], *_along(path, _column(tree, path), start[here][0], end[here][0]))
    return np.asarray(found)


def _along(path: Floats, value: Floats, first: float, last: float) -> tuple[Floats, Floats]:
    """Shares of the path's length at its points, and the values there; the ends have those of their nodes."""
    done = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    return done / done[-1], np.concatenate([[first], value[1:-1], [last]])


def _column(tree: Tree, points: Floats) -> Floats:
    if tree.gravity is None:
        return np.zeros(len(points))
    above = points - tree.position[tree.node(tree.inlet.node)]
    return np.asarray(-tree.blood.density * (above @ tree.gravity))
