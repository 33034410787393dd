"""Dislodgement: the tip slips out of its place, into another vessel or out of the arteries.

The line itself is unchanged; what changes is where its open end and side holes let out: another vessel (the drug joins
other blood), or tissue (``vessel`` None: the holes discharge into pockets, as a leak does).

YAML::

    faults:
      - {kind: dislodgement, to: {vessel: common_hepatic, position: 20 mm}, onset: 12 d}
      - {kind: dislodgement, to: tissue, onset: 12 d}
"""

from __future__ import annotations

from dataclasses import replace

from haiflow.catheter.line import Hole, Line, Outside, Pocket


def dislodge(line: Line, vessel: str | None, position: float | str = "ostium", pocket: Pocket | None = None) -> Line:
    """Move the tip to ``position`` (m from the vessel's start, or "ostium") of ``vessel``; None: into tissue, where
    each hole fills a ``pocket``."""
    outside: Outside = "pocket" if vessel is None else "artery"
    holes = tuple(_moved(hole, outside, pocket) for hole in line.holes)
    return replace(line, tip=replace(line.tip, vessel=vessel, position=position), holes=holes)


def _moved(hole: Hole, outside: Outside, pocket: Pocket | None) -> Hole:
    """A leak stays where it is."""
    return hole if hole.kind == "leak" else replace(hole, outside=outside, pocket=pocket or hole.pocket)
