"""The region round the tip that is solved in 3D: which vessels belong to it, and its shape.

It begins upstream of the tip and ends in the branches of the first node downstream where blood parts. A tip at the
ostium of a vessel that is tied off comes in through that vessel; any other lies with its shaft in the parent's lumen.
Directions are those of the network's course; diameters those in the living.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from haiflow.errors import InputError
from haiflow.junction.geometry import Branch, Hole, Ostium, Shape, Tip
from haiflow.ports import Floats
from haiflow.scenario.check_line import tip_outer_diameter
from haiflow.scenario.model import Arteries, Catheter, Network

PLACE = "catheter.tip"
UPSTREAM = 2.5  # parent's diameters of vessel before the tip
LONGEST = 30.0  # parent's diameters between tip and branches
SIDE_ON = np.radians(40.0)  # least angle of a side branch with its parent's axis
STUMP = 1.2  # catheter's diameters of a tied-off vessel behind the tip
BACKWARDS = np.radians(125.0)  # largest angle of a branch with its parent's direction
BEHIND = 0.75  # of a side hole's diameter: its middle from where the shaft's straight wall starts at least
WALL = 1.1  # middles of side holes lie so many diameters apart at least
APART = np.radians(35.0)  # of branches whose course is not known


@dataclass(frozen=True)
class TipRegion:
    """``node`` where the blood parts, ``feeder``: the vessel that ends there, ``branches`` by name, and the shape."""

    node: str
    feeder: str
    branches: tuple[str, ...]
    shape: Shape


def tip_region(arteries: Arteries, catheter: Catheter) -> TipRegion:
    """Raises InputError (place ``catheter.tip...``) where nothing can be resolved."""
    network, tip = arteries.network, catheter.tip
    closed = set(arteries.ligated or ())
    if tip.vessel is None:
        raise InputError(f"{PLACE}.resolve", "3d", "the tip lies in no vessel", "name one: tip: {vessel: ...}")
    vessel = network.vessels[tip.vessel]
    through_ostium = tip.position == "ostium" and tip.vessel in closed
    if tip.position == "ostium":
        parents = [name for name, each in network.vessels.items() if each.end == vessel.start and name not in closed]
        if not parents:
            raise InputError(f"{PLACE}.vessel", tip.vessel, "no vessel feeds this ostium", "place the tip further down")
        parent, distance = parents[0], 0.0
    else:
        parent, distance = tip.vessel, float(network.vessels[tip.vessel].length or 0.0) - float(tip.position)
    feeder, way = parent, distance
    outs = _leaving(network, network.vessels[feeder].end, closed)
    while len(outs) == 1:
        feeder = outs[0]
        way += float(network.vessels[feeder].length or 0.0)
        outs = _leaving(network, network.vessels[feeder].end, closed)
    if len(outs) < 2:
        rule = "blood does not part downstream of it: there is no split"
        raise InputError(f"{PLACE}.resolve", "3d", rule, "use 'resolve: mixed', or place the tip further up")
    wide, narrow = network.vessels[parent].diameter[1], network.vessels[feeder].diameter[1]
    if way > LONGEST * wide:
        rule = f"the next branching lies {1e3 * way:.0f} mm downstream, over {LONGEST:g} diameters"
        raise InputError(f"{PLACE}.resolve", "3d", rule, "use 'resolve: mixed', or move the tip nearer to it")
    if not through_ostium:
        way = max(way, 0.5 * wide)
    frame = _frame(network, feeder, outs)
    branches = _branches(network, outs, frame, tip.angles)
    shape = Shape(wide, way + UPSTREAM * wide, narrow, branches, cells=tip.cells)
    if through_ostium:
        shape = _in_ostium(shape, catheter, way, _course(network, tip.vessel, first=True) @ frame.T,
                           min(vessel.diameter[0], wide))  # fmt: skip
    else:
        shape = _in_lumen(shape, catheter, way, outs)
    return TipRegion(network.vessels[feeder].end, feeder, outs, shape)


def _leaving(network: Network, node: str, closed: set[str]) -> tuple[str, ...]:
    return tuple(name for name, each in network.vessels.items() if each.start == node and name not in closed)


def _course(network: Network, name: str, first: bool) -> Floats:
    """Direction (3,) of a vessel at its start or its end; zero where its course is not given."""
    vessel = network.vessels[name]
    path = [np.asarray(point) for point in vessel.path]
    if not path:
        places = [network.nodes[node].position for node in (vessel.start, vessel.end)]
        path = [np.asarray(place) for place in places if place is not None]
    if len(path) < 2:
        return np.zeros(3)
    ahead = path[1] - path[0] if first else path[-1] - path[-2]
    return np.asarray(ahead / np.linalg.norm(ahead))


def _frame(network: Network, feeder: str, outs: tuple[str, ...]) -> Floats:
    """(3, 3) rows: across towards the first branch, the third one, and along the feeder."""
    along = _course(network, feeder, first=False)
    if not along.any():
        return np.eye(3)
    across = _course(network, outs[0], first=True)
    across = across - (across @ along) * along
    if np.linalg.norm(across) < 1e-6:
        across = np.eye(3)[int(np.argmin(np.abs(along)))]
        across = across - (across @ along) * along
    across /= np.linalg.norm(across)
    return np.array([across, np.cross(along, across), along])


def _branches(network: Network, outs: tuple[str, ...], frame: Floats, given: dict[str, float]) -> tuple[Branch, ...]:
    found = []
    for number, name in enumerate(outs):
        x, y, z = frame @ _course(network, name, first=True)
        angle, elevation = float(np.arctan2(x, z)), float(np.arcsin(np.clip(y, -1.0, 1.0)))
        if not (x or y or z):  # no course: evenly to both sides
            angle, elevation = float(APART * (1.0 - 2.0 * number / max(len(outs) - 1, 1))), 0.0
        angle = float(np.clip(angle, -BACKWARDS, BACKWARDS))
        if name in given:
            sign = -1.0 if angle < 0.0 and given[name] > 0.0 else 1.0
            angle, elevation = sign * given[name], 0.0
        found.append(Branch(name, network.vessels[name].diameter[0], angle, elevation))
    return tuple(found)


def _holes(catheter: Catheter) -> tuple[Hole, ...]:
    """The tip's and the side holes, named as in the line, each group evenly round the wall."""
    end = catheter.tip_inner_diameter or catheter.inner_diameter
    found = [] if catheter.tip.closed_end else [Hole("hole:tip", end)]
    number = 0
    for group in catheter.side_holes:
        for turn in range(group.count):
            number += 1
            found.append(
                Hole(f"hole:side_hole_{number}", group.diameter, group.from_tip, 2.0 * np.pi * turn / group.count)
            )
    return tuple(found)


def _apart(catheter: Catheter) -> None:
    """Raises InputError where side holes touch: each is an opening of its own, with wall round it."""
    radius = 0.5 * tip_outer_diameter(catheter)
    groups = [(number, group, 2.0 * np.pi * turn / group.count)
              for number, group in enumerate(catheter.side_holes) for turn in range(group.count)]  # fmt: skip
    for at, (number, group, turn) in enumerate(groups):
        for _, other, before in groups[:at]:
            around = 2.0 * radius * abs(np.sin(0.5 * (turn - before)))
            between = float(np.hypot(around, group.from_tip - other.from_tip))
            if between < WALL * 0.5 * (group.diameter + other.diameter):
                raise InputError(f"catheter.side_holes[{number}].from_tip", f"{1e3 * group.from_tip:.3g} mm",
                                 f"side holes touch: middles {1e3 * between:.2g} mm apart", "fewer or smaller holes, "
                                 "further apart, or 'resolve: mixed'")  # fmt: skip


def _tip(catheter: Catheter, place: Floats, direction: Floats, room: float) -> Tip:
    shape = "closed" if catheter.tip.closed_end and catheter.tip.shape == "square" else catheter.tip.shape
    made = Tip(
        tip_outer_diameter(catheter), _holes(catheter), tuple(place), tuple(direction), shape, catheter.tip.bevel
    )
    for number, group in enumerate(catheter.side_holes):
        mine = [hole for hole in made.holes if (hole.from_tip, hole.diameter) == (group.from_tip, group.diameter)]
        least = max(made.starts(hole) for hole in mine) + BEHIND * group.diameter
        most = room - 0.5 * group.diameter
        if not max(least, BEHIND * group.diameter) <= group.from_tip <= most:
            where = "beyond the region that is resolved" if group.from_tip > most else "over the tip's edge"
            raise InputError(f"catheter.side_holes[{number}].from_tip", f"{1e3 * group.from_tip:.3g} mm",
                             f"the hole lies {where}", f"give a place from {1e3 * least:.3g} to {1e3 * most:.3g} mm "
                             "from the tip, or 'resolve: mixed'")  # fmt: skip
    _apart(catheter)
    return made


def _in_ostium(shape: Shape, catheter: Catheter, way: float, side: Floats, wide: float) -> Shape:
    """A tip that comes in by a side branch; its direction keeps away from the parent's axis."""
    if np.hypot(side[0], side[1]) < np.sin(SIDE_ON):
        across = np.array([side[0], side[1], 0.0])
        across = across / np.linalg.norm(across) if across.any() else np.array([-1.0, 0.0, 0.0])
        side = np.sin(SIDE_ON) * across + np.cos(SIDE_ON) * np.sign(side[2] or 1.0) * np.array([0.0, 0.0, 1.0])
    outer = tip_outer_diameter(catheter)
    at_wall = 0.5 * shape.parent_diameter / float(np.hypot(side[0], side[1]))
    place = np.array([0.0, 0.0, -way]) + (at_wall - catheter.tip.depth) * side
    stump = at_wall - 0.5 * shape.parent_diameter + max(STUMP * outer - catheter.tip.depth, 0.5 * outer)
    ostium = Ostium(max(wide, 1.1 * outer), way, tuple(side), stump)
    return replace(shape, ostium=ostium, tip=_tip(catheter, place, -side, STUMP * outer))


def _in_lumen(shape: Shape, catheter: Catheter, way: float, outs: tuple[str, ...]) -> Shape:
    tip = catheter.tip
    if tip.towards is not None and tip.towards not in outs:
        from haiflow.errors import nearest

        raise InputError(f"{PLACE}.towards", tip.towards, "no branch of the tip's junction", nearest(tip.towards, outs))
    branch = shape.branches[outs.index(tip.towards) if tip.towards else 0]
    across = branch.direction[:2]
    across = across / np.linalg.norm(across) if np.linalg.norm(across) > 1e-9 else np.array([1.0, 0.0])
    place = np.array([*(tip.offset * across), -way])
    return replace(shape, tip=_tip(catheter, place, np.array([0.0, 0.0, 1.0]), shape.parent_length - way))
