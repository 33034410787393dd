"""A catheter's tip in an even Y, the whole way of a run: by symmetry a tip off the axis to the left sends to the left
what its mirror image sends to the right, and one on the axis half to each.

The mesh is gmsh's and not symmetric, nor are the two tips' meshes each other's images: what is missing to a sum of one
is the error of geometry, mesh, flow, drug and tracers together.
"""

from __future__ import annotations

from math import pi

import numpy as np

from haiflow.junction.case import Case
from haiflow.junction.geometry import Branch, Hole, Shape, Tip
from haiflow.junction.streaming import Streaming, solve
from haiflow.verify.model import Figure

MM = 1e-3
BRANCHES = (Branch("left", 3.0 * MM, 0.6), Branch("right", 3.0 * MM, -0.6))
BLOOD, INFUSED = 4e-6, 1.2e-11  # m3/s
FRONT = (Hole("hole:tip", 0.5 * MM),)
ROUND = tuple(Hole(f"hole:{name}", 0.4 * MM, 1.0 * MM, k * pi / 2.0)
              for k, name in enumerate(("left", "front", "right", "back")))  # fmt: skip
CELLS = 8.0


def tip(offset: float = 0.0, holes: tuple[Hole, ...] = FRONT, shape: str = "square") -> Tip:
    """A tip of 1.2 mm, 8 mm before the branches and ``offset`` mm to the left of the axis."""
    return Tip(1.2 * MM, holes, (offset * MM, 0.0, -8.0 * MM), shape=shape)


def answer(end: Tip, cells: float = CELLS, tracers: int = 2000) -> Streaming:
    """Of steady blood in an artery of 4.2 mm that parts into two of 3 mm; the first branch is the left one."""
    shares = {branch.name: np.array([0.5]) for branch in BRANCHES}
    infusion = {hole.name: INFUSED / len(end.holes) for hole in end.holes}
    shape = Shape(4.2 * MM, 16.0 * MM, 4.2 * MM, BRANCHES, end, cells=cells)
    return solve(Case(np.array([BLOOD]), shares, infusion, shape=shape, tracers=tracers))


def even_y() -> list[Figure]:
    """Two tips and their mirror images, 0.6 and 0.2 mm off the axis."""
    found = {offset: answer(tip(offset)) for offset in (0.6, -0.6, 0.2, -0.2)}
    scalar = {offset: float(each.split[0, 0]) for offset, each in found.items()}
    tracers = {offset: float(each.by_tracers[0, 0]) for offset, each in found.items()}
    wide = "a thread of some 20 um lies 0.2 mm off the plane that parts the blood: half a cell, before it is refined"
    figures = []
    for name, share, room in (("scalar", scalar, 0.05), ("tracers", tracers, 0.06)):
        figures += [
            Figure(f"0.6 mm to the left, share to the left, by {name}", share[0.6], 0.98, 1.0, 1.0),
            Figure(f"0.6 mm to both sides, sum of the shares to the left, by {name}", share[0.6] + share[-0.6], 0.99,
                   1.01, 1.0),
            Figure(f"0.2 mm to both sides, sum of the shares to the left, by {name}", share[0.2] + share[-0.2],
                   1.0 - room, 1.0 + room, 1.0),
            Figure(f"0.2 mm to the left, share to the left, by {name}", share[0.2], 0.85, 1.0, 1.0, wide),
        ]  # fmt: skip
    apart = max(abs(scalar[offset] - tracers[offset]) for offset in found)
    return [*figures, Figure("scalar against tracers, the largest of four", apart, 0.0, 0.06, 0.0)]
