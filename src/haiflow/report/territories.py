"""Which cells of the liver belong together, and whether the drug varies among them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haiflow.mesh.model import NUMERALS
from haiflow.mesh.volumes import tetra_volumes
from haiflow.ports import Floats
from haiflow.results import LiverField

EVEN = 1e-6  # relative: values of one territory that differ by less are one value


def volumes(liver: LiverField) -> Floats:
    """Volume of each cell (m,) in m3."""
    return np.abs(tetra_volumes(liver.points, liver.tetra))


def tumours(liver: LiverField) -> NDArray[np.int64]:
    """Number of the tumour that each cell (m,) belongs to; 0 for normal tissue."""
    return np.asarray(liver.cell_data.get("tumour", np.zeros(len(liver.tetra))), np.int64)


def cells(liver: LiverField) -> dict[str, NDArray[np.int64]]:
    """Indices of the cells of each segment's normal tissue ("I" to "VIII") and of each tumour ("tumour 1" ...)."""
    segment = np.asarray(liver.cell_data.get("couinaud_segment", np.zeros(len(liver.tetra))), np.int64)
    tumour = tumours(liver)
    found = {name: np.flatnonzero((segment == number) & (tumour == 0)) for number, name in enumerate(NUMERALS, 1)}
    found |= {f"tumour {number}": np.flatnonzero(tumour == number) for number in np.unique(tumour[tumour > 0])}
    return {name: ids for name, ids in found.items() if len(ids)}


def varies(liver: LiverField, values: Floats) -> bool:
    """Whether ``values`` (m,) differ inside any segment's normal tissue or any tumour."""
    size = float(np.nanmax(np.abs(values), initial=0.0))
    return size > 0.0 and any(np.ptp(values[ids]) > EVEN * size for ids in cells(liver).values())


def at_least(values: Floats, volume: Floats) -> tuple[Floats, Floats]:
    """The cumulative histogram: values in rising order, and the share of ``volume`` that has at least each of them."""
    order = np.argsort(values, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(volume[order])[:-1]])
    return values[order], 1.0 - below / volume.sum()


def dose_to(share: float, values: Floats, volume: Floats) -> float:
    """The largest value that at least ``share`` (0 to 1) of ``volume`` reaches: D95 for 0.95."""
    rising, reached = at_least(values, volume)
    return float(rising[np.flatnonzero(reached >= share - 1e-12)[-1]])
