"""Volumes that close to round-off: the flows of the faces, summed up from the pump.

A solve leaves a residual in every cell (about 1e-16 of the largest flow). Summing the balance from the pump keeps the
pump's own flow, eleven orders below a bolus, free of it; what is left over at the end of each stretch of open lumen
goes to the stretch's widest hole, or, where it has none, into its cells' swelling (in the steady state such a
stretch does not flow at all). Closed faces carry exactly nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import isinf

import numpy as np
from numpy.typing import NDArray

from haiflow.catheter.line import Line
from haiflow.ports import Floats


@dataclass(slots=True)
class Step:
    """A solved step on its way to closed books: flows in m3/s, ``swelling`` (n,) m3 gained over the step."""

    dt: float
    sources: Floats  # (2,) pump and side port
    holes: Floats  # (n_holes,) outwards
    widths: Floats  # (n_holes,) m3/(s Pa), 0 when closed
    swelling: Floats
    closed: NDArray[np.bool_]  # (n,) faces 0 to n - 1 that let nothing pass


@dataclass(frozen=True, slots=True)
class Books:
    """Flows and swellings that close: see :class:`Step`; ``faces`` (n + 1,) m3/s towards the tip."""

    faces: Floats
    holes: Floats
    sources: Floats
    swelling: Floats


def close_books(line: Line, step: Step) -> Books:
    """The step's face flows; see the head of this file."""
    n = line.n_cells
    faces = np.zeros(n + 1)
    if step.closed[0]:
        step.sources = np.zeros(2)
    inner = np.flatnonzero(step.closed[1:]) + 1
    bounds = [0, *inner.tolist(), n]
    for first, end in pairwise(bounds):
        _close_stretch(line, step, faces, first, end)
    return Books(faces, step.holes, step.sources, step.swelling)


def _close_stretch(line: Line, step: Step, faces: Floats, first: int, end: int) -> None:
    """Sum the flows of cells ``first`` to ``end`` - 1; the open end counts as a face, all other holes as losses."""
    inside = [i for i, cell in enumerate(line.hole_cells) if first <= cell < end and step.widths[i] > 0.0]
    losses = step.swelling[first:end] / step.dt
    for i in inside:
        if i != line.tip_hole:
            losses[line.hole_cells[i] - first] += step.holes[i]
    inflow = float(step.sources.sum()) if first == 0 else 0.0
    faces[first] = inflow
    faces[first + 1 : end + 1] = inflow - np.cumsum(losses)
    tip = line.tip_hole if end == line.n_cells and line.tip_hole in inside else None
    rest = faces[end] - (step.holes[tip] if tip is not None else 0.0)
    _settle(line, step, faces, inside, (first, end), float(rest))
    faces[end] = step.holes[tip] if tip is not None else 0.0


def _settle(line: Line, step: Step, faces: Floats, inside: list[int], stretch: tuple[int, int], rest: float) -> None:
    """Give the residual flow ``rest`` (m3/s) of a stretch to its widest hole, or to its cells' volumes."""
    first, end = stretch
    if inside:
        widest = max(inside, key=lambda i: step.widths[i])
        step.holes[widest] += rest
        if widest != line.tip_hole:
            faces[line.hole_cells[widest] + 1 : end] -= rest
    elif not isinf(step.dt):
        share = line.compliance[first:end] / line.compliance[first:end].sum()
        step.swelling[first:end] += rest * step.dt * share
        faces[first + 1 : end] -= rest * np.cumsum(share)[:-1]
    else:
        faces[first:end] = 0.0
        if first == 0:
            step.sources[:] = 0.0
