"""How many tetrahedra a region will have, before it is meshed.

gmsh fills a cube of the edge's length with about four tetrahedra, so their number is that many times the integral of
1 / h^3, with h the edge that the outline asks for: finer at the vessels' walls, finer yet at the catheter, from where
it grows in proportion to the distance. Tubes are taken one by one, each branch from its parent's wall on; what the
catheter adds is summed up over places round it that lie in a vessel.
"""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np

from haiflow.errors import InputError
from haiflow.junction.geometry import Shape, Tip
from haiflow.junction.outline import AT_WALL, FLAT_AT_WALL, GROWTH, ROUND, taper
from haiflow.ports import Floats

# Against meshes of five ends (square, bevelled, rounded, closed, a thin one) in the lumen and in an ostium: within 9 %
# with 6 and 9 cells across, 13 % with 5.
PER_EDGE_CUBED = 4.0
MORE = 1.5  # cells that a thread may add, of those in the vessels were they all as coarse as in their middle
COARSEST, FINEST = 5.0, 40.0  # cells across that a scenario may ask for
SLICES, AROUND = 200, 16  # of a radius and of a shaft's length; round the shaft


def expected(shape: Shape) -> int:
    """About how many tetrahedra a region will have."""
    in_cubes = sum(_tube(diameter, length, shape.size) for diameter, length in _tubes(shape))
    in_cubes += _at_catheter(shape, shape.tip, _waist(shape)) if shape.tip is not None else 0.0
    return int(PER_EDGE_CUBED * in_cubes)


def with_thread(shape: Shape) -> int:
    """The same, with those that a thread of drug may add."""
    volume = sum(0.25 * pi * diameter**2 * length for diameter, length in _tubes(shape))
    return expected(shape) + int(PER_EDGE_CUBED * MORE * volume / shape.size**3)


def across_for(shape: Shape, cells: int) -> float:
    """How many cells across make a region of about ``cells`` tetrahedra.

    Raises InputError where that is coarser or finer than a scenario may ask for.
    """
    low, high = COARSEST, FINEST
    fewest, most = (expected(replace(shape, cells=across)) for across in (low, high))
    if not fewest <= cells <= most:
        raise InputError("--cells", cells, f"this region has from about {fewest} ({low:g} cells across) to {most} "
                         f"({high:g})", "choose a number in between, or leave it out")  # fmt: skip
    while high - low > 1e-3:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if expected(replace(shape, cells=middle)) < cells else (low, middle)
    return 0.5 * (low + high)


def _waist(shape: Shape) -> float:
    """z (m) of the middle of where the parent narrows, and of its own where it does not."""
    straight = shape.parent_diameter == shape.end_diameter
    return -0.5 * shape.parent_length if straight else 0.5 * sum(taper(shape))


def _tubes(shape: Shape) -> list[tuple[float, float]]:
    """Diameter and length (m) of each, none within another."""
    middle = _waist(shape)
    tubes = [(shape.parent_diameter, shape.parent_length + middle), (shape.end_diameter, -middle)]
    tubes += [(branch.diameter, shape.reach(branch) - 0.5 * shape.end_diameter) for branch in shape.branches]
    return tubes + ([(shape.ostium.diameter, shape.ostium.length)] if shape.ostium is not None else [])


def _by_wall(distance: Floats, size: float) -> Floats:
    """Edge (m) at a distance from a vessel's wall."""
    return np.clip(AT_WALL * size + GROWTH * (distance - FLAT_AT_WALL * size), AT_WALL * size, size)


def _tube(diameter: float, length: float, size: float) -> float:
    """Integral of 1 / h^3 over a tube without a catheter."""
    radius = 0.5 * diameter
    r = radius * (np.arange(SLICES) + 0.5) / SLICES
    return float(2.0 * pi * length * np.mean(r * _by_wall(radius - r, size) ** -3.0) * radius)


def _at_catheter(shape: Shape, tip: Tip, middle: float) -> float:
    """What a catheter adds to that integral: finer cells round it, in the vessels alone, and none within it."""
    edge = min(tip.outer_diameter / ROUND, shape.size)
    reach = (shape.size - edge) / GROWTH
    at, volume = _round_shaft(tip, reach, shape.parent_length + 4.0 * tip.outer_diameter)
    deep = _depth(at @ tip.frame + np.asarray(tip.place), shape, middle)
    inside, volume = at[deep > 0.0], volume[deep > 0.0]
    plain = _by_wall(deep[deep > 0.0], shape.size)
    aside, ahead = np.hypot(inside[:, 0], inside[:, 1]) - 0.5 * tip.outer_diameter, inside[:, 2]
    if tip.shape == "bevelled":
        ahead = np.sin(tip.bevel) * inside[:, 0] + np.cos(tip.bevel) * ahead
    away = np.hypot(np.maximum(aside, 0.0), np.maximum(ahead, 0.0))
    finer = np.minimum(plain, edge + GROWTH * away) ** -3.0
    return float(volume @ (np.where(away > 0.0, finer, 0.0) - plain**-3.0))


def _round_shaft(tip: Tip, reach: float, back: float) -> tuple[Floats, Floats]:
    """Places (k, 3) in the tip's own frame, from ``back`` of its face to ``reach`` before and beside it, and what
    volume (k,) each stands for."""
    radius, step = 0.5 * tip.outer_diameter, 1.0 / SLICES
    beyond = radius * float(np.tan(tip.bevel)) if tip.shape == "bevelled" else 0.0
    rim = np.concatenate([np.linspace(0.0, radius, 7), radius + reach * np.linspace(0.0, 1.0, 31)[1:] ** 2])
    r, across = 0.5 * (rim[1:] + rim[:-1]), 0.5 * np.diff(rim**2)
    turn = 2.0 * pi * (np.arange(AROUND) + 0.5) / AROUND
    z = -back + (back + beyond + reach) * (np.arange(SLICES) + 0.5) * step
    x, y = (r[:, None, None] * way(turn[:, None]) for way in (np.cos, np.sin))
    at = np.stack(np.broadcast_arrays(x, y, z), axis=-1)
    volume = across[:, None, None] * (2.0 * pi / AROUND) * (back + beyond + reach) * step
    return at.reshape(-1, 3), np.broadcast_to(volume, at.shape[:3]).ravel()


def _depth(at: Floats, shape: Shape, middle: float) -> Floats:
    """(k,) m: how far from the wall places (k, 3) lie, of the vessel in which they lie deepest; negative outside."""
    up, origin = np.array([0.0, 0.0, 1.0]), np.zeros(3)
    tubes = [(-shape.parent_length * up, up, shape.parent_length + middle, shape.parent_diameter),
             (middle * up, up, -middle, shape.end_diameter)]  # fmt: skip
    tubes += [(origin, branch.direction, shape.reach(branch), branch.diameter) for branch in shape.branches]
    if shape.ostium is not None:
        ostium = shape.ostium
        length = 0.5 * shape.parent_diameter + ostium.length
        tubes.append((-ostium.distance * up, np.asarray(ostium.direction), length, ostium.diameter))
    deepest = np.full(len(at), -np.inf)
    for start, along, length, diameter in tubes:
        way = (at - start) @ along
        depth = 0.5 * diameter - np.linalg.norm(at - start - way[:, None] * along, axis=1)
        deepest = np.maximum(deepest, np.where((way >= 0.0) & (way <= length), depth, -np.inf))
    return deepest
