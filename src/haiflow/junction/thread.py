"""Where the thread of drug will lie, so that the mesh is fine along it: a first look on a coarser mesh.

What branch a thread takes hangs on its place by the surface that divides their blood, and the scalar smears it over
some cells. Both gain more from cells that are fine where it runs than from finer ones everywhere: a tube of a cell's
radius round it is a tenth of the lumen. Beyond the place where the branches have parted nothing is left to decide.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from haiflow.errors import HaiflowError
from haiflow.junction.case import Case, branches, letting
from haiflow.junction.cell_count import COARSEST, MORE
from haiflow.junction.geometry import Shape, Thread
from haiflow.junction.outline import GROWTH, build
from haiflow.junction.releases import release
from haiflow.junction.steady import of_mean_flow
from haiflow.mesh.region import Region
from haiflow.ports import Floats

COARSER = 2.0 / 3.0  # cells across in the first look, of those asked for
TRACERS, MARKS, STRAYING, TURNS = 200, 240, 0.1, 20.0
REACH, APART = 0.9, 0.5  # cells from the thread that are finest; between the places that it is known by
FINEST = 0.25  # edge on the thread, of that in the vessels' middle


def look_ahead(case: Case) -> Thread:
    """The thread of a case's mean flow, while it is undecided; raises HaiflowError or SolverStopped as a solution."""
    assert case.shape is not None
    try:
        return _looked(case, replace(case.shape, cells=max(COARSER * case.shape.cells, COARSEST)))
    except HaiflowError:  # what is too coarse to be meshed or to be steady may do as it is asked for
        return _looked(case, case.shape)


def _looked(case: Case, coarse: Shape) -> Thread:
    shape, region = case.shape, build(coarse)
    assert shape is not None
    _, found = of_mean_flow(case, region)
    velocity, holes = found.state.velocity, letting(case, region)
    sent = release(region, holes, velocity, TRACERS, marks=MARKS)
    sent.straying = STRAYING
    sent.carry(0.0, TURNS * float(region.dual.volume.sum()) / case.mean_flow, velocity, velocity, branches(region))
    places = _ways(sent.trail, sent.marks, APART * shape.size)
    places = places[undecided(places, shape)]
    reach = REACH * shape.size
    return Thread(places, _edge(region, places, shape.size, reach), reach)


def undecided(places: Floats, shape: Shape) -> NDArray[np.bool_]:
    """(k,) which of ``places`` (k, 3) lie before the branches, or in two of them."""
    axes = np.array([branch.direction for branch in shape.branches])
    radius = np.array([0.5 * branch.diameter for branch in shape.branches])
    along = places @ axes.T
    aside = np.linalg.norm(places[:, None] - along[..., None] * axes, axis=-1)
    within = (along > 0.0) & (aside < radius + shape.size)
    return np.asarray((places[:, 2] < 0.0) | (within.sum(axis=1) > 1))


def _ways(trail: Floats, marks: NDArray[np.int32], apart: float) -> Floats:
    """(k, 3): places on a lattice ``apart``, passed by trails (N, m, 3) of which the first ``marks`` (N,) are known."""
    found = []
    for way, count in zip(trail, marks, strict=True):
        own = way[:count]
        length = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(own, axis=0), axis=1)))
        at = np.arange(0.0, length[-1], 0.5 * apart) if count > 1 else np.zeros(min(count, 1))
        found.append(np.column_stack([np.interp(at, length, own[:, k]) for k in range(3)]) if count else own)
    return np.unique(np.round(np.concatenate(found) / apart), axis=0) * apart


def _edge(region: Region, places: Floats, size: float, reach: float) -> float:
    """m: as fine as ``MORE`` cells allow, ``FINEST`` at the least; as many are in a volume as its edges' cubes fill."""
    volume = region.dual.cell_volume
    if not len(places):
        return size
    away = cKDTree(places).query(region.points[region.tetra].mean(axis=1))[0]
    most, low, high = MORE * volume.sum() / size**3, FINEST, 1.0

    def added(share: float) -> float:
        edge = np.minimum(share * size + GROWTH * np.maximum(away - reach, 0.0), size)
        return float(volume @ (edge**-3.0 - size**-3.0))

    if added(low) <= most:
        return low * size
    for _ in range(30):
        share = 0.5 * (low + high)
        low, high = (share, high) if added(share) > most else (low, share)
    return high * size
