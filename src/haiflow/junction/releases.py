"""Tracers' starts: over the holes' faces, as dense as the infusate flows in there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haiflow.junction.tracers import Tracers
from haiflow.mesh.region import Region
from haiflow.ports import Floats

INSET = 1e-4  # of the way from the hole's face to its cell's middle, that a tracer starts inside: drug is a thin layer
GOLDEN = 0.6180339887498949  # part of a place, by which those of the next release lie between the last one's


def release(
    region: Region, holes: tuple[str, ...], velocity: Floats, count: int, *, time: float = 0.0, marks: int = 0,
    number: int = 0,
) -> Tracers:  # fmt: skip
    """``count`` tracers over each hole's patch, evenly by the flow (m3/s) that enters through its triangles.

    ``number``: of the release; each has places of its own.
    """
    parts = [_over(region, name, velocity, count, number) for name in holes]
    place = np.concatenate([at for at, _ in parts])
    cells = np.concatenate([cells for _, cells in parts])
    n, hole = len(place), np.repeat(np.arange(len(holes), dtype=np.int32), count)
    return Tracers(
        region, np.ascontiguousarray(place), cells.astype(np.int32), hole,
        np.full(n, -1, np.int32), np.full(n, time), np.zeros((n, marks, 3)), np.zeros(n, np.int32),
    )  # fmt: skip


def _over(region: Region, name: str, velocity: Floats, count: int, release: int) -> tuple[Floats, NDArray[np.int32]]:
    number = region.names.index(name)
    mine = np.flatnonzero(region.patch == number)
    triangles, areas = region.wall[mine], region.wall_area[mine]
    entering = np.maximum(-np.einsum("kcd,kd->k", velocity[triangles], areas), 0.0)
    if not entering.sum() > 0.0:
        raise ValueError(f"nothing flows in by '{name}'")
    share = np.cumsum(entering) / entering.sum()
    quantile = (np.arange(count) + (0.5 + GOLDEN * release) % 1.0) / count
    chosen = np.minimum(np.searchsorted(share, quantile), len(mine) - 1)
    flow = np.maximum(np.einsum("kcd,kd->kc", velocity[triangles[chosen]], -areas[chosen]), 0.0)
    weights = _spread(flow, release * count)
    on_face = np.einsum("kc,kcd->kd", weights, region.points[triangles[chosen]])
    cells = region.behind[mine[chosen]]
    centre = region.points[region.tetra[cells]].mean(axis=1)
    return on_face + INSET * (centre - on_face), cells


def _spread(flow: Floats, before: int = 0) -> Floats:
    """Barycentric places (k, 3) in triangles, as dense as the linear ``flow`` (k, 3) at their corners.

    ``before``: of the sequence's places are taken.

    That density is a mixture of three, each linear in one coordinate, whose value then follows Beta(2, 2) and whose
    rest is divided evenly. An additive sequence makes the places even, and the same on every machine.
    """
    number = before + np.arange(1, len(flow) + 1)
    draw = np.outer(number, [0.8191725133961645, 0.6710436067037893, 0.5497004779019703]) % 1.0
    share = np.cumsum(flow, axis=1) / flow.sum(axis=1, keepdims=True)
    corner = np.minimum((draw[:, :1] > share).sum(axis=1), 2)
    own = 0.5 - np.sin(np.arcsin(1.0 - 2.0 * draw[:, 1]) / 3.0)
    rest = (1.0 - own) * draw[:, 2]
    weights, at = np.empty((len(flow), 3)), np.arange(len(flow))
    weights[at, corner], weights[at, (corner + 1) % 3], weights[at, (corner + 2) % 3] = own, rest, 1.0 - own - rest
    return weights
