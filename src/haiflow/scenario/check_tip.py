"""Contradictions in a tip that is to be solved in 3D: found before the first step, with the key that is to blame."""

from __future__ import annotations

import re
from pathlib import Path

from haiflow.errors import InputError, nearest
from haiflow.scenario.model import Arteries, Catheter
from haiflow.scenario.problems import Problems
from haiflow.scenario.read import KeyPath

TIP: KeyPath = ("catheter", "tip")


def without_arteries(problems: Problems) -> None:
    """A tip in 3D is one in arteries."""
    remedy = "add 'arteries:', or use 'resolve: mixed'"
    problems.add((*TIP, "resolve"), "3d", "there are no arteries for the drug to stream in", remedy)


def region(problems: Problems, arteries: Arteries, catheter: Catheter, folder: Path) -> None:
    """The region can be found and drawn; what is given beside it agrees with it."""
    from haiflow.junction.geometry import check
    from haiflow.scenario.complete import placed_catheter
    from haiflow.scenario.network import complete_arteries
    from haiflow.scenario.tip_region import tip_region

    if arteries.split:
        rule = "the split is given, and to be solved in 3D"
        problems.add(("arteries", "split"), "split", rule, "delete it, or use 'resolve: mixed'", key=True)
    if catheter.tip.mesh is not None and not (folder / catheter.tip.mesh).is_file():
        remedy = "check the path (relative to the scenario)"
        problems.add((*TIP, "mesh"), catheter.tip.mesh, "the mesh file does not exist", remedy)
    if problems:  # a network that is wrong in itself has no region
        return
    whole = complete_arteries(arteries, catheter)
    try:
        found = tip_region(whole, placed_catheter(catheter, whole.network))
        if catheter.tip.mesh is None:
            check(found.shape)
    except InputError as error:
        problems.add(_path(error.place), error.value, error.rule, error.remedy)
        return
    for name in catheter.tip.angles:
        if name not in found.branches:
            rule = "no branch of the tip's junction"
            problems.add((*TIP, "angles", name), name, rule, nearest(name, found.branches), key=True)


def _path(place: str) -> KeyPath:
    """``catheter.side_holes[0].from_tip`` as a path of keys; of it as much as the file has is shown."""
    parts = re.findall(r"[^.\[\]]+", place)
    return tuple(int(part) if part.isdigit() else part for part in parts)
