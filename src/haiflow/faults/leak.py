"""Leak: the line opens into a tissue pocket, through a hole in its wall or because it has come apart.

The lumen sits at arterial pressure (the line loses 2 Pa), so what leaks is decided by the hole, not by the pump: with
``p_artery - p_pocket = 128 mu L q / (pi d^4) + ...`` (:mod:`haiflow.catheter.orifice`) a hole of 13 um through a wall
of 0.85 mm takes all of 1.3 mL/day; a larger one draws blood backwards out of the artery, until the pocket's pressure
(rest pressure + volume / compliance, less what the body absorbs) stops it.

A torn connection is a lumen that ends in the pocket: the whole bore opens there and the piece beyond is cut off (its
content stays in it: the artery's pressure holds it and nothing drives it).

YAML::

    faults:
      - {kind: leak, where: {catheter: 12 cm}, orifice_diameter: 0.1 mm, onset: 5 d}
      - {kind: leak, where: {catheter: connector}, torn: true, onset: 5 d}
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from haiflow.catheter.line import Hole, Line, Pocket

CONNECTOR = 0.0  # m from the pump


def leak(
    line: Line,
    at: float,
    orifice_diameter: float | None = None,
    *,
    torn: bool = False,
    severity: float = 1.0,
    pocket: Pocket | None = None,
    discharge_coefficient: float = 0.6,
    name: str = "leak",
) -> Line:
    """Open the line ``at`` (m from the pump) by a hole of ``orifice_diameter`` (m), of which the fraction ``severity``
    of the area is open yet; ``torn`` opens the whole bore and cuts off what lies beyond as soon as severity > 0.

    Raises ValueError for a place off the line, a diameter that is not positive, or a name that is taken.
    """
    if not 0.0 <= severity <= 1.0:
        raise ValueError(f"severity {severity} is not in [0, 1]")
    if any(hole.name == name for hole in line.holes):
        raise ValueError(f"the line has a hole called {name} already")
    cell = line.cell(at)
    diameter = 2.0 * float(line.radius[cell]) if torn else orifice_diameter
    if diameter is None or not diameter > 0.0:
        raise ValueError("a leak needs a positive orifice diameter")
    wall = 0.0 if torn else float(line.wall_thickness[cell])
    coefficient = 1.0 if torn else discharge_coefficient
    hole = Hole(name, "leak", cell, diameter, wall, coefficient, severity, "pocket", wall, pocket or Pocket())
    opened = replace(line, holes=(*line.holes, hole))
    return _cut_beyond(opened, cell) if torn and severity > 0.0 else opened


def _cut_beyond(line: Line, cell: int) -> Line:
    """Close the lumen just beyond ``cell``; where that is the tip, close the tip."""
    if cell == line.n_cells - 1:
        holes = tuple(replace(hole, open_fraction=0.0) if hole.kind == "tip" else hole for hole in line.holes)
        return replace(line, holes=holes)
    factor = line.resistance_factor.copy()
    factor[cell + 1] = np.inf
    return replace(line, resistance_factor=factor)
