"""Occlusion: a lumen narrows, and closes for good at severity 1.

``severity`` is the occluded fraction of the lumen's AREA. With the free fraction f = 1 - severity:

- **catheter, anywhere** (clot, kink, precipitate): Hagen-Poiseuille resistance times f**-2 over the narrowed length.
- **tip or side hole** (fibrin sleeve, thrombus): the law of the hole with free diameter d sqrt(f), see
  :mod:`haiflow.catheter.orifice`.
- **vessel** (stenosis, thrombosis): the tree's own pressure-loss law with its ``severity``.

A gas-driven pump holds its flow against some 1e14 Pa s/m3, and a clot two diameters long has that only when less than
1 % of the area is left: an occlusion of the line shows when it is nearly total. Two narrowings along a line add; of
two in one hole or vessel the worse one holds.

YAML::

    faults:
      - {kind: occlusion, where: {catheter: tip}, severity: 1.0, onset: 10 d, over: 3 d}
      - {kind: occlusion, where: {catheter: 12 cm}, severity: 0.95, onset: 3 d}
      - {kind: occlusion, where: {side_hole: 1}, severity: 1.0, onset: 3 d}
      - {kind: occlusion, where: {vessel: right_hepatic}, severity: 0.8, onset: 8 d, over: 2 d}
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from haiflow.arteries.tree import Tree
from haiflow.catheter.line import Line, narrowed


def occlude_line(line: Line, where: float, severity: float, length: float | None = None) -> Line:
    """Narrow the lumen ``where`` (m from the pump) over ``length`` (m; None: two diameters)."""
    return narrowed(line, where, severity, length)


def occlude_hole(line: Line, name: str, severity: float, length: float | None = None) -> Line:
    """Narrow the hole ``name`` ("tip" for the open end) over ``length`` of its channel (m; None: the hole's own)."""
    _check(severity)
    index = line.hole(name)
    hole = line.holes[index]
    narrow = replace(
        hole,
        open_fraction=min(hole.open_fraction, 1.0 - severity),
        plug_length=hole.plug_length if length is None else length,
    )
    return replace(line, holes=(*line.holes[:index], narrow, *line.holes[index + 1 :]))


def occlude_vessel(tree: Tree, vessel: str, severity: float, length: float | None = None) -> Tree:
    """Narrow ``vessel`` over ``length`` (m; None: as the tree has it, else two diameters)."""
    _check(severity)
    index = tree.vessel(vessel)
    values = np.zeros(len(tree.vessels)) if tree.severity is None else tree.severity.copy()
    values[index] = max(values[index], severity)
    if length is None:
        return replace(tree, severity=values)
    # Where nothing is said the others keep two diameters of their start, where a stenosis sits.
    lengths = 4.0 * tree.radius_start if tree.stenosis_length is None else tree.stenosis_length.copy()
    lengths[index] = length
    return replace(tree, severity=values, stenosis_length=lengths)


def _check(severity: float) -> None:
    if not 0.0 <= severity <= 1.0:
        raise ValueError(f"severity {severity} is not in [0, 1]")
