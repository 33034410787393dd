"""Contradictions in a tip that is to be solved in 3D: found before the first step, with the key that is to blame."""

from __future__ import annotations

import re
from pathlib import Path

from haiflow.errors import InputError, nearest
from haiflow.scenario.model import Arteries, Catheter, Tip
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
    from haiflow.scenario.tip_mesh import tip_mesh
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
        else:
            tip_mesh(folder / catheter.tip.mesh, catheter.tip.mesh, found)
    except InputError as error:
        path = _path(error.place)
        problems.add(path, _as_typed(problems, path, error.value), error.rule, error.remedy)
        return
    for name in catheter.tip.angles:
        if name not in found.branches:
            rule = "no branch of the tip's junction"
            problems.add((*TIP, "angles", name), name, rule, nearest(name, found.branches), key=True)


def _path(place: str) -> KeyPath:
    """``catheter.side_holes[0].from_tip`` as a path of keys; of it as much as the file has is shown."""
    parts = re.findall(r"[^.\[\]]+", place)
    return tuple(int(part) if part.isdigit() else part for part in parts)


def _as_typed(problems: Problems, path: KeyPath, value: object) -> object:
    """What the user wrote there, unit and all; where the file says nothing, or a whole group, the value at fault."""
    given = problems.given(path)
    return value if given is None or isinstance(given, dict | list) else given


def unheard(catheter: Catheter | None, arteries: Arteries | None) -> list[str]:
    """Keys of the tip that are given and change nothing, each with the reason. They are no error: a sweep may well
    vary one key among designs that do not all have a use for it."""
    if catheter is None:
        return []
    tip, plain = catheter.tip, Tip()
    reasons = _reasons(catheter, _through_ostium(tip, arteries))
    return [f"catheter.tip.{key} changes nothing: {why}" for key, why in reasons.items()
            if getattr(tip, key) != getattr(plain, key)]  # fmt: skip


def unheard_in_mesh(catheter: Catheter, arteries: Arteries | None, own_cells: bool) -> list[str]:
    """The same of a mesh that is made of the tip, whether or not the scenario solves it in 3D.

    ``own_cells``: how fine it is was asked for beside the scenario.
    """
    drawn = catheter.tip.model_copy(update={"resolve": "3d", "mesh": None, "flow": "pulsatile"})
    told = unheard(catheter.model_copy(update={"tip": drawn}), arteries)
    if own_cells and catheter.tip.cells != Tip().cells:
        told.append("catheter.tip.cells changes nothing: --cells says how many there are")
    return told


def _through_ostium(tip: Tip, arteries: Arteries | None) -> bool:
    """Whether the shaft comes in through a vessel that is tied off."""
    tied = () if arteries is None else arteries.ligated or ()
    return tip.position == "ostium" and tip.vessel in tied


DRAWN = ("shape", "bevel", "offset", "towards", "depth", "angles", "cells")  # what a mesh is drawn by
ALONE = (*DRAWN, "mesh", "flow", "blood", "steps")  # what only a tip in 3D has


def _reasons(catheter: Catheter, through_ostium: bool) -> dict[str, str]:
    """Key -> why it has no effect; the most general reason first."""
    tip = catheter.tip
    if tip.resolve != "3d":
        return dict.fromkeys(ALONE, "it is of a tip that is solved in 3D (resolve: 3d)")
    found = {"steps": "the flow is steady"} if tip.flow == "steady" else {}
    if tip.mesh is not None:
        return found | dict.fromkeys(DRAWN, "the mesh is your own")
    if tip.shape != "bevelled":
        found["bevel"] = f"the face is {tip.shape}"
    if through_ostium:
        return found | dict.fromkeys(("offset", "towards"), "the shaft comes in through the ostium, along no axis")
    found["depth"] = "the shaft lies in the vessel's own lumen, not in an ostium"
    return found if tip.offset else found | {"towards": "the tip lies on the axis (offset: 0)"}
