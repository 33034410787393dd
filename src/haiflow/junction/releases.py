"""Tracers' starts: over a hole's face, or where the drug leaves the tip's surroundings.

Drug that leaves the surroundings may come back into them, and leave again. What goes out over their rim is more than
what the holes let out by just what comes back. So each tracer stands for a part of what goes out, and one that comes
back ends there: its drug sets out again as others' weight. What then leaves the region is each drug's last way out, and
in all what the holes let out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haiflow.junction.tracers import Tracers
from haiflow.mesh.order import EDGES
from haiflow.mesh.region import Region
from haiflow.ports import Floats

INSET = 0.02  # of its cell, that a tracer starts inside of the hole's face
CLEAR = 1e-3  # of the coordinates in its cell, that it starts outside of the surroundings' rim
# Of the dual face between the first two corners of a cell: middles of edge, face, cell and face.
CORNERS = np.array([[6.0, 6.0, 0.0, 0.0], [4.0, 4.0, 4.0, 0.0], [3.0, 3.0, 3.0, 3.0], [4.0, 4.0, 0.0, 4.0]]) / 12.0


def release(
    region: Region, holes: tuple[str, ...], velocity: Floats, count: int, *, time: float = 0.0, marks: int = 0
) -> Tracers:
    """``count`` tracers over each hole's patch, evenly by the flow (m3/s) that enters through its triangles."""
    parts = [_over(region, name, velocity, count) for name in holes]
    place = np.concatenate([at for at, _ in parts])
    cells = np.concatenate([cells for _, cells in parts])
    return _started(region, place, cells, np.repeat(np.arange(len(holes)), count), np.ones(len(place)), time, marks)


def rim(region: Region, near: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(k,) the edges from the points that are ``near`` (n,) to the others."""
    return np.flatnonzero(near[region.dual.ends[:, 0]] != near[region.dual.ends[:, 1]])


def hand_over(
    region: Region,
    near: NDArray[np.bool_],
    edges: NDArray[np.intp],
    carried: Floats,
    velocity: Floats,
    count: int,
    *,
    time: float = 0.0,
    marks: int = 0,
    patience: float = 0.0,
) -> Tracers:
    """``count`` tracers for each substance on the :func:`rim` of the points ``near`` (n,), by the drug's own flux.

    ``carried`` (k, q) m3/s: drug through the dual faces of its ``edges`` (k,). Every tracer stands for the same share
    of the drug that goes out; it starts on one of the facets of its edge's dual face, in the cells round the edge, by
    the blood that goes out there with the ``velocity`` (n, 3), and ends where it comes back.
    """
    outwards = np.where(near[region.dual.ends[edges, 0]], 1.0, -1.0)
    leaving = np.maximum(outwards[:, None] * carried, 0.0)
    of, cell, order = _facets(region, near, edges)
    part = _outflow(region, cell, order, velocity)
    whole = np.bincount(of, part, len(edges))
    part = np.where(whole[of] > 0.0, part / np.maximum(whole[of], 1e-300), 1.0 / np.bincount(of)[of])
    draw = np.outer(np.arange(1, count + 1), [0.7548776662466927, 0.5698402909980532]) % 1.0
    places, cells, weights = [], [], []
    for substance in range(carried.shape[1]):
        share = np.cumsum(leaving[of, substance] * part)
        quantile = (np.arange(count) + 0.5) / count * share[-1]
        chosen = np.minimum(np.searchsorted(share, quantile), len(of) - 1)
        places.append(_on_facets(region, cell[chosen], order[chosen], draw))
        cells.append(cell[chosen])
        weights.append(np.full(count, leaving[:, substance].sum() / count))
    which = np.repeat(np.arange(carried.shape[1]), count)
    made = _started(region, np.concatenate(places), np.concatenate(cells), which, np.concatenate(weights), time, marks)
    made.near, made.patience = near, patience
    return made


def _facets(region: Region, near: NDArray[np.bool_], edges: NDArray[np.intp]) -> tuple[NDArray[np.intp], ...]:
    """Of the dual faces of the rim's ``edges`` (k,), cell by cell: number of the edge in them, the cell, and its four
    corners' numbers (f, 4) with the edge's two first, the one that is near before the other."""
    number = np.full(len(region.dual.ends), -1)
    number[edges] = np.arange(len(edges))
    cell, side = np.nonzero(number[region.dual.tetra_edge] >= 0)
    pairs = np.array([[*pair, *({0, 1, 2, 3} - set(pair))] for pair in np.asarray(EDGES).tolist()])
    order = pairs[side]
    turned = ~near[region.tetra[cell, order[:, 0]]]
    order[turned, :2] = order[turned, 1::-1]
    return number[region.dual.tetra_edge[cell, side]], cell, order


def _outflow(region: Region, cell: NDArray[np.intp], order: NDArray[np.intp], velocity: Floats) -> Floats:
    """(f,) m3/s of blood that goes out through facets, none where it comes in."""
    corners = region.tetra[cell[:, None], order]
    x = np.einsum("qa,fad->fqd", CORNERS, region.points[corners])
    area = 0.5 * np.cross(x[:, 2] - x[:, 0], x[:, 3] - x[:, 1])
    along = np.diff(region.points[corners[:, :2]], axis=1)[:, 0]
    area *= np.sign(np.einsum("fd,fd->f", area, along))[:, None]
    mean = np.einsum("a,fad->fd", CORNERS.mean(axis=0), velocity[corners])
    return np.maximum(np.einsum("fd,fd->f", mean, area), 0.0)


def _on_facets(region: Region, cell: NDArray[np.intp], order: NDArray[np.intp], draw: Floats) -> Floats:
    """Places (k, 3) just outside of facets, evenly over them by ``draw`` (k, 2)."""
    s, t = draw.T
    weight = np.column_stack([(1.0 - s) * (1.0 - t), s * (1.0 - t), s * t, (1.0 - s) * t]) @ CORNERS
    weight[:, 0] -= CLEAR
    weight[:, 1] += CLEAR
    return np.asarray(np.einsum("ka,kad->kd", weight, region.points[region.tetra[cell[:, None], order]]))


def _started(
    region: Region,
    place: Floats,
    cell: NDArray[np.int_],
    hole: NDArray[np.int_],
    weight: Floats,
    time: float,
    marks: int,
) -> Tracers:
    n = len(place)
    return Tracers(
        region, np.ascontiguousarray(place), cell.astype(np.int32), hole.astype(np.int32), weight,
        np.full(n, -1, np.int32), np.full(n, time), np.zeros((n, marks, 3)), np.zeros(n, np.int32),
    )  # fmt: skip


def _over(region: Region, name: str, velocity: Floats, count: int) -> tuple[Floats, NDArray[np.int32]]:
    number = region.names.index(name)
    mine = np.flatnonzero(region.patch == number)
    triangles, areas = region.wall[mine], region.wall_area[mine]
    entering = np.maximum(-np.einsum("kcd,kd->k", velocity[triangles], areas), 0.0)
    if not entering.sum() > 0.0:
        raise ValueError(f"nothing flows in by '{name}'")
    share = np.cumsum(entering) / entering.sum()
    quantile = (np.arange(count) + 0.5) / count
    chosen = np.minimum(np.searchsorted(share, quantile), len(mine) - 1)
    flow = np.maximum(np.einsum("kcd,kd->kc", velocity[triangles[chosen]], -areas[chosen]), 0.0)
    weights = _spread(flow)
    on_face = np.einsum("kc,kcd->kd", weights, region.points[triangles[chosen]])
    cells = region.behind[mine[chosen]]
    centre = region.points[region.tetra[cells]].mean(axis=1)
    return on_face + INSET * (centre - on_face), cells


def _spread(flow: Floats) -> Floats:
    """Barycentric places (k, 3) in triangles, as dense as the linear ``flow`` (k, 3) at their corners.

    That density is a mixture of three, each linear in one coordinate, whose value then follows Beta(2, 2) and whose
    rest is divided evenly. An additive sequence makes the places even, and the same on every machine.
    """
    draw = np.outer(np.arange(1, len(flow) + 1), [0.8191725133961645, 0.6710436067037893, 0.5497004779019703]) % 1.0
    share = np.cumsum(flow, axis=1) / flow.sum(axis=1, keepdims=True)
    corner = np.minimum((draw[:, :1] > share).sum(axis=1), 2)
    own = 0.5 - np.sin(np.arcsin(1.0 - 2.0 * draw[:, 1]) / 3.0)
    rest = (1.0 - own) * draw[:, 2]
    weights, at = np.empty((len(flow), 3)), np.arange(len(flow))
    weights[at, corner], weights[at, (corner + 1) % 3], weights[at, (corner + 2) % 3] = own, rest, 1.0 - own - rest
    return weights
