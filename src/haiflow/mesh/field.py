"""Values of segments and tumours as cell arrays on the liver's mesh: what ``perfusion.vtu`` holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.mesh.model import NUMERALS, TetraMesh
from haiflow.ports import Floats


@dataclass(frozen=True, slots=True)
class Sphere:
    """A tumour to be marked: ``centre`` (m), None for the middle of its ``segment``, and ``diameter`` (m)."""

    name: str
    segment: str
    diameter: float
    centre: tuple[float, float, float] | None = None


def mark_tumours(mesh: TetraMesh, tumours: Iterable[Sphere]) -> NDArray[np.int32]:
    """(m,) the number of the tumour, from 1, whose sphere holds the cell's centre; 0 for none.

    A tumour smaller than a cell marks the cell nearest to its centre; where two overlap the later one is marked.
    """
    marks = np.zeros(len(mesh.tetra), dtype=np.int32)
    for number, tumour in enumerate(tumours, start=1):
        distance = np.linalg.norm(mesh.centres - _centre(mesh, tumour), axis=1)
        inside = distance <= 0.5 * tumour.diameter
        inside[np.argmin(distance)] = True
        marks[inside] = number
    return marks


def _centre(mesh: TetraMesh, tumour: Sphere) -> Floats:
    """The given centre, or that of the segment's cell nearest to the segment's centre of volume."""
    if tumour.centre is not None:
        return np.asarray(tumour.centre, dtype=float)
    cells = np.flatnonzero(mesh.couinaud_segment == NUMERALS.index(tumour.segment) + 1)
    middle = np.average(mesh.centres[cells], axis=0, weights=mesh.volumes[cells])
    return mesh.centres[cells[np.argmin(np.linalg.norm(mesh.centres[cells] - middle, axis=1))]]


def perfusion_field(
    mesh: TetraMesh,
    values: Mapping[str, Mapping[str, float]],
    tumours: Iterable[Sphere] = (),
) -> dict[str, NDArray[Any]]:
    """The cell arrays of ``perfusion.vtu``: ``couinaud_segment``, ``tumour``, and every name in ``values``.

    ``values``: array name (e.g. ``perfusion_ml_per_min_per_100ml``) -> value by territory, that is by segment name (its
    normal tissue) and by tumour name. Raises ``KeyError`` for a territory without a value.
    """
    tumours = tuple(tumours)
    marks = mark_tumours(mesh, tumours)
    arrays: dict[str, NDArray[Any]] = {"couinaud_segment": mesh.couinaud_segment.astype(np.int32), "tumour": marks}
    present = [NUMERALS[k - 1] for k in np.unique(mesh.couinaud_segment)]
    for name, by_territory in values.items():
        table = np.full(9, np.nan)
        table[[NUMERALS.index(segment) + 1 for segment in present]] = [by_territory[segment] for segment in present]
        arrays[name] = table[mesh.couinaud_segment]
        for number, tumour in enumerate(tumours, start=1):
            arrays[name][marks == number] = by_territory[tumour.name]
    return arrays
