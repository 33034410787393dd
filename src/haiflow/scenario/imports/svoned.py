"""svOneDSolver (SimVascular): ``MODEL.in``, cards in CGS units. Vessels meet where a JOINT says so.

Walls: Olufsen's law ``p = p0 + 4/3 (k1 exp(k2 r0) + k3) (1 - sqrt(A0 / A))`` (1999, Am J Physiol 276:H257), and
LINEAR, the same with a number for the bracket, stiffen differently from haiflow's square-root law; they are replaced by
that law with the same area and stiffness at the vessel's mean pressure. STENOSIS is the loss of
Young and Tsai in place of the segment's friction. How each card is read: docs/imports.md.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from math import pi, sqrt
from pathlib import Path

from haiflow.errors import InputError, nearest, one_line
from haiflow.scenario.imports.cards import Card, cards
from haiflow.scenario.imports.draft import (
    COARSEST,
    Draft,
    DraftVessel,
    Point,
    bounded_profile,
    common_cell_length,
    no_directed_cycle,
    positive_mean,
    safe_names,
)
from haiflow.scenario.imports.findings import Findings
from haiflow.scenario.imports.plausible import plausible, within
from haiflow.scenario.imports.svoned_ends import outlet, table
from haiflow.scenario.imports.svoned_walls import Segment, losses, walls
from haiflow.scenario.imports.units import CGS
from haiflow.scenario.imports.waveforms import Cycle, cycle

STEADY_STEPS = 100_000  # of a cycle of steady flow, at most about
SOLVER = ("time step", "steps between saves", "steps", "quadrature points", None, None, "tolerance", "formulation",
          "stabilisation")  # fmt: skip


def read(deck: Path, findings: Findings) -> Draft:
    """The network of a svOneDSolver deck. Raises :class:`InputError`."""
    found = cards(deck)
    by_name = {name: [card for card in found if card.name == name] for name in dict.fromkeys(c.name for c in found)}
    for name in ("SEGMENT", "MATERIAL", "SOLVEROPTIONS"):
        if name not in by_name:
            raise InputError(str(deck), "nothing", f"the deck has no {name} card", "give the whole deck")
    for name in ("MODEL", "SOLVEROPTIONS"):
        if len(by_name.get(name, ())) > 1:
            raise by_name[name][1].error(by_name[name][1].words[0], f"{name} stands twice", "keep one of them")
    name = by_name["MODEL"][0].words[0] if "MODEL" in by_name else deck.stem
    draft = Draft(name.strip("_") or deck.stem, f"svOneDSolver deck {deck.name}", "", Cycle((0.0,), (1.0,), 1.0, 1.0))
    segments = _segments(draft, by_name, findings)
    _join(draft, segments, by_name, findings)
    _blood(draft, segments, findings)
    tables = _unique(by_name.get("DATATABLE", []), 0, "table")
    solver = by_name["SOLVEROPTIONS"][0]
    _inlet(draft, segments, solver, tables, findings)
    meeting = Counter(node for segment in segments for node in (segment.vessel.start, segment.vessel.end))
    for segment in segments:
        if meeting[segment.vessel.end] == 1:
            draft.outlets[segment.vessel.end] = outlet(segment.card, segment.vessel.name, tables, findings)
        elif segment.card.words[14].upper() != "NOBOUND":
            findings.add("SEGMENT boundary", segment.card.words[14], "not taken over: the segment ends in a joint",
                         segment.vessel.name)  # fmt: skip
    plausible(draft, str(deck))
    losses(draft, segments, findings)
    walls(draft, segments, findings)
    _cells(draft, segments, findings)
    _left(by_name, solver, findings)
    return draft


def _unique(found: list[Card], index: int, what: str) -> dict[str, Card]:
    """Cards by their name, in capitals; a name that stands twice is refused."""
    named: dict[str, Card] = {}
    for card in found:
        key = card.words[index].upper()
        if key in named:
            raise card.error(card.words[index], f"two cards have this {what}", "give each one of its own")
        named[key] = card
    return named


def _segments(draft: Draft, by_name: dict[str, list[Card]], findings: Findings) -> list[Segment]:
    materials = _unique(by_name["MATERIAL"], 0, "material")
    for card in materials.values():
        kind = card.words[1].upper()
        if kind not in ("OLUFSEN", "LINEAR") or (kind == "OLUFSEN" and len(card.words) < 9):
            raise card.error(card.words[1], "a material is OLUFSEN with k1 k2 k3, or LINEAR", "complete the card")
    _unique(by_name["SEGMENT"], 1, "segment ID")
    _unique(by_name["SEGMENT"], 0, "segment")
    names = safe_names([card.words[0] for card in by_name["SEGMENT"]], findings, "SEGMENT")
    segments = []
    for card in by_name["SEGMENT"]:
        material = materials.get(card.words[9].upper())
        if material is None:
            raise card.error(card.words[9], "no such material", nearest(card.words[9].upper(), materials))
        areas = tuple(CGS.area * card.number(index, "area", above=0.0) for index in (6, 7))
        diameter = (2.0 * sqrt(areas[0] / pi), 2.0 * sqrt(areas[1] / pi))
        length = CGS.length * card.number(2, "length", above=0.0)
        vessel = DraftVessel(names[card.words[0]], "", "", length, diameter)
        segments.append(Segment(card, vessel, material, (areas[0], areas[1])))
        draft.vessels.append(vessel)
        for index, what in ((8, "initial flow"), (11, "branch angle")):
            if card.number(index, what) != 0.0:
                findings.add(f"SEGMENT {what}", card.words[index], "not taken over", vessel.name)
    return segments


def _join(draft: Draft, segments: list[Segment], by_name: dict[str, list[Card]], findings: Findings) -> None:
    """Nodes of the network: joints, and the free ends."""
    node_cards = _unique(by_name.get("NODE", []), 0, "node")
    points = {name: _point(card) for name, card in node_cards.items()}
    by_id = {segment.card.whole(1, "segment ID"): segment for segment in segments}
    lists = {name: _unique(by_name.get(name, []), 0, "list") for name in ("JOINTINLET", "JOINTOUTLET")}
    used: set[str] = set()
    joints = _unique(by_name.get("JOINT", []), 0, "joint").values()
    safe = safe_names([f"joint {joint.words[0]}" for joint in joints], findings, "JOINT")
    for joint in joints:
        node = safe[f"joint {joint.words[0]}"]
        if joint.words[1].upper() not in points:
            raise joint.error(joint.words[1], "no such node", nearest(joint.words[1], points))
        draft.positions[node] = points[joint.words[1].upper()]
        for index, kind, end in ((2, "JOINTINLET", "end"), (3, "JOINTOUTLET", "start")):
            members = lists[kind].get(joint.words[index].upper())
            if members is None:
                raise joint.error(joint.words[index], f"no such {kind}", nearest(joint.words[index], lists[kind]))
            used.add(f"{kind} {members.words[0]}")
            for segment in _members(members, by_id):
                if getattr(segment.vessel, end):
                    raise members.error(segment.card.words[0], f"the segment's {end} lies in two joints", "keep one")
                setattr(segment.vessel, end, node)
    for kind, named in lists.items():
        for members in named.values():
            if f"{kind} {members.words[0]}" not in used:
                findings.add(kind, members.words[0], "not taken over: no JOINT names it")
    _free_ends(draft, segments, points, findings)
    edges = {segment.vessel.name: (segment.vessel.start, segment.vessel.end) for segment in segments}
    no_directed_cycle(edges, segments[0].card.place.rsplit(":", 1)[0])


def _point(node: Card) -> Point:
    """Where a node lies (m)."""
    x, y, z = (CGS.length * node.number(index, "coordinate") for index in (1, 2, 3))
    for coordinate in (x, y, z):
        within("coordinate (m)", coordinate, f"{node.place}: NODE {one_line(node.words[0], 60)}")
    return x, y, z


def _members(card: Card, by_id: dict[int, Segment]) -> list[Segment]:
    count = card.whole(1, "number of segments")
    ids = [card.whole(index, "segment ID") for index in range(2, len(card.words))]
    if count != len(ids):
        raise card.error(count, f"the list has {len(ids)} segments", "correct the number")
    for number in ids:
        if number not in by_id:
            raise card.error(number, "no such segment", nearest(str(number), map(str, by_id)))
    return [by_id[number] for number in ids]


def _free_ends(draft: Draft, segments: list[Segment], points: dict[str, Point], findings: Findings) -> None:
    """Ends outside of joints, at the nodes (by order, from 0) that the segments name; they do not meet there."""
    names = list(points)
    safe = safe_names([f"node {name}" for name in names], findings, "NODE")
    taken: set[str] = set()
    for segment in segments:
        for end, index in _ends(segment):
            if not 0 <= index < len(names):
                raise segment.card.error(index, f"no such node: there are {len(names)}, from 0", "correct the index")
            if getattr(segment.vessel, end):
                continue
            node = safe[f"node {names[index]}"]
            if node in taken:
                findings.add("SEGMENT node", names[index], "several segments end here and no JOINT joins them: they do "
                             "not meet", segment.vessel.name)  # fmt: skip
                node = f"{node} {segment.vessel.name}"[:80]
            taken.add(node)
            setattr(segment.vessel, end, node)
            draft.positions[node] = points[names[index]]


def _ends(segment: Segment) -> tuple[tuple[str, int], tuple[str, int]]:
    card = segment.card
    return ("start", card.whole(4, "start node")), ("end", card.whole(5, "end node"))


def _blood(draft: Draft, segments: list[Segment], findings: Findings) -> None:
    """One blood and one velocity profile: those of the material along most of the length."""
    along: defaultdict[str, float] = defaultdict(float)  # m
    for segment in segments:
        along[segment.material.words[0]] += segment.vessel.length
    most = max(along, key=along.__getitem__)
    main = next(s.material for s in segments if s.material.words[0] == most)
    draft.density = CGS.density * main.number(2, "density", above=0.0)
    draft.viscosity = CGS.viscosity * main.number(3, "viscosity", above=0.0)
    draft.velocity_profile = bounded_profile(main.number(5, "exponent", above=0.0), "MATERIAL exponent", findings)
    for card in {id(s.material): s.material for s in segments}.values():
        for index, what in ((2, "density"), (3, "viscosity"), (5, "exponent")):
            if card.number(index, what) != main.number(index, what):
                consequence = f"not taken over: haiflow has one blood and profile, those of {main.words[0]}"
                findings.add(f"MATERIAL {what}", card.words[index], consequence, card.words[0])
        outflow = card.words[9:] if card.words[1].upper() == "OLUFSEN" else card.words[7:]
        if any(word not in ("0", "0.0") for word in outflow):
            findings.add("MATERIAL outflow", " ".join(outflow), "not taken over: walls are tight", card.words[0])


def _inlet(draft: Draft, segments: list[Segment], solver: Card, tables: dict[str, Card], findings: Findings) -> None:
    ends = {segment.vessel.end for segment in segments}
    sources = list(dict.fromkeys(s.vessel.start for s in segments if s.vessel.start not in ends))
    if len(sources) != 1:
        rule = f"blood enters at one node, here at {len(sources)}"
        raise InputError(solver.place.rsplit(":", 1)[0], ", ".join(sources[:6]) or "nowhere", rule, "add JOINT cards, "
                         "or turn the segment round")  # fmt: skip
    kind = solver.words[5].upper()
    if kind not in ("FLOW", "PRESSURE", "PRESSURE_WAVE"):
        raise solver.error(solver.words[5], "the inlet is FLOW, PRESSURE or PRESSURE_WAVE", "use one of them")
    draft.inlet, draft.driven = sources[0], "flow" if kind == "FLOW" else "pressure"
    times, values = table(solver, solver.words[4], tables)
    scale = CGS.flow_rate if kind == "FLOW" else CGS.pressure
    if kind == "PRESSURE":
        times, values = times[:1], values[:1]
    what = "flow rate" if kind == "FLOW" else "pressure"
    found = cycle(times, [scale * value for value in values], solver.place, findings, solver.words[4])
    draft.cycle = positive_mean(found, solver.place, f"inlet's {what}")
    if kind != "FLOW":
        findings.add(
            "SOLVEROPTIONS inlet", kind, "haiflow holds the total pressure at an inlet, the deck the static one"
        )


def _cells(draft: Draft, segments: list[Segment], findings: Findings) -> None:
    """Cells of about the size of the deck's elements, within bounds; a cycle of steady flow is kept short."""
    steady = len(draft.cycle.values) == 1
    sizes = [s.vessel.length / s.card.number(3, "number of elements", above=0.0) for s in segments]
    size = COARSEST if steady else common_cell_length(sizes)
    draft.cell_length = size
    consequence = f"the cells of all vessels are about {1e3 * size:.3g} mm long instead"
    for segment in segments:
        findings.add("SEGMENT elements", segment.card.words[3], consequence, segment.vessel.name)
    if steady:
        fastest = max(sqrt(2.0 / 3.0 * max(segment.stiffness) / draft.density) for segment in segments)
        period = min(1.0, max(0.1, STEADY_STEPS * 0.7 * size / fastest))
        draft.cycle = Cycle(draft.cycle.times, draft.cycle.values, period, draft.cycle.mean)
        findings.add("inlet", draft.cycle.mean, "steady: the scenario's heart rate has no meaning")


def _left(by_name: dict[str, list[Card]], solver: Card, findings: Findings) -> None:
    """What only the peer's own numerics and files need."""
    for index, what in enumerate(SOLVER):
        if what is not None:
            solver.number(index, what)
            findings.add(f"SOLVEROPTIONS {what}", solver.words[index], "not taken over: haiflow's own numerics")
    for name in ("OUTPUT", "COUPLING"):
        for card in by_name.get(name, []):
            findings.add(name, " ".join(card.words), "not taken over: haiflow writes its own files, and runs alone")
