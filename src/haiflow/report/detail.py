"""How much of a large network is drawn as tubes: a tube is thousands of points, and most arteries are hairs.

Ten thousand tubes would take a machine minutes and gigabytes and show no more than lines do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haiflow.ports import Floats
from haiflow.results import Network
from haiflow.results.record import ARTERY, FINE_ARTERY

TUBES = 1000  # arteries, the widest ones; the others are lines


def line_parts(network: Network) -> NDArray[np.int32]:
    """(n_lines,) what each line is: the part of its last point."""
    return network.part[_last(network)]


def as_tubes(network: Network) -> NDArray[np.bool_]:
    """(n_lines,) whether a line is drawn as a tube: pump line and catheter always, of the arteries the widest."""
    parts = line_parts(network)
    arteries = np.flatnonzero(parts == ARTERY)
    tubes = (parts != ARTERY) & (parts != FINE_ARTERY)
    widest = np.argsort(-network.radius[_last(network)][arteries], kind="stable")[:TUBES]
    tubes[arteries[widest]] = True
    return tubes


def segments(network: Network, lines: NDArray[np.intp], colour: Floats) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """The polylines ``lines`` as one set of pieces: points (n, 3) m, their colours (n,), ends of each piece (m, 2)."""
    start, count = network.offsets[lines], np.diff(network.offsets)[lines]
    place = np.arange(count.sum()) + np.repeat(start - np.concatenate([[0], np.cumsum(count)[:-1]]), count)
    ids = network.connectivity[place]
    first = np.flatnonzero(np.diff(np.repeat(np.arange(len(lines)), count)) == 0)
    return network.points[ids], colour[ids], np.stack([first, first + 1], axis=1)


def _last(network: Network) -> NDArray[np.int32]:
    return network.connectivity[network.offsets[1:] - 1]
