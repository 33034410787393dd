"""VMTK centre lines (vmtkcenterlines, vmtkbranchextractor, Slicer): ``CENTERLINE.vtp``, points with a radius array.

Three forms are read: tracts split at bifurcations (``GroupIds``, ``CenterlineIds``, ``TractIds``, ``Blanking``),
whole centre lines that run together from one start, and single branches that meet at their ends. A file holds a
geometry only: walls, inflow and outlets are assumed, and told. How each array is read: docs/imports.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import pi
from pathlib import Path
from typing import Any

import numpy as np

from haiflow.errors import InputError
from haiflow.mesh.apart import Unread
from haiflow.mesh.by_vtk import PolyLines, read_lines
from haiflow.mesh.claims import refuse_claims
from haiflow.scenario.imports.branches import Branch, by_groups, by_overlap, by_shared_ends
from haiflow.scenario.imports.centre_lines import whole_lines, without_copies
from haiflow.scenario.imports.draft import Draft, DraftOutlet, DraftVessel
from haiflow.scenario.imports.findings import Findings
from haiflow.scenario.imports.plausible import within
from haiflow.scenario.imports.tapers import pieces
from haiflow.scenario.imports.waveforms import Cycle

UNITS = {"m": 1.0, "cm": 1e-2, "mm": 1e-3}
RADIUS_ARRAYS = ("MaximumInscribedSphereRadius", "Radius")
TRACTS = ("GroupIds", "CenterlineIds", "TractIds", "Blanking")
LARGEST_FILE = 512 * 2**20  # bytes
SHEAR = 1.5  # Pa, of the wall at the inlet: what arteries keep (Reneman & Hoeks 2008, Med Biol Eng Comput 46:499)
WAVE_SPEED = 8.0  # m/s, of hepatic arteries in published networks (6 to 10)
VENOUS = 666.611937075  # Pa, 5 mmHg
MURRAY = 3.0  # flow by this power of the radius (Murray 1926, PNAS 12:207)
MOST_PATH = 40  # points of a path that is drawn
WIDEST, NARROWEST = 0.05, 2e-5  # m, radius of an artery


@dataclass(frozen=True)
class Assumed:
    """What a centre line does not hold: its unit, the mean inflow (m3/s), the wave speed (m/s), the radius array."""

    unit: str | None = None
    inflow: float | None = None
    wave_speed: float | None = None
    radius_array: str | None = None


def reader(assumed: Assumed) -> Callable[[Path, Findings], Draft]:
    """A reader of centre lines with what the user said of them."""
    return lambda file, findings: _read(file, findings, assumed)


def _read(file: Path, findings: Findings, assumed: Assumed) -> Draft:
    data = _opened(file)
    unit = assumed.unit or "mm"
    if assumed.unit is None:
        findings.add("unit", "none in the file", "coordinates are taken as mm; --unit says otherwise")
    points = UNITS[unit] * np.asarray(data.points, dtype=float)
    radius = UNITS[unit] * _radius(data, file, findings, assumed)
    lines = _lines(data, file)
    _check_size(points, radius, lines, file, unit)
    tracts = _tracts(data, len(lines), findings)
    try:
        branches = by_groups(points, radius, lines, tracts) if tracts is not None else None
        if branches is None:
            if tracts is not None:
                consequence = "GroupIds, TractIds and Blanking not taken over: branches follow from where lines part"
                findings.add("CenterlineIds", "tracts that are no whole lines", consequence)
            joined, count = whole_lines(points, radius, lines)
            if count:
                findings.add("lines", f"{len(lines)} pieces", "those that go on from each other are one line")
            lines = without_copies(points, radius, joined)
            if len(lines) < len(joined):
                findings.add("lines", f"{len(joined) - len(lines)} of {len(joined)}", "left out: they lie on others")
        branches = branches or by_overlap(points, radius, lines) or by_shared_ends(points, radius, lines)
    except InputError as error:
        raise InputError(f"{file}: {error.place}", error.value, error.rule, error.remedy) from None
    _others(data, findings)
    return _draft(file, branches, findings, assumed)


def _opened(file: Path) -> PolyLines:
    """The file as VTK reads it. Raises :class:`InputError`, where VTK is missing too."""
    if file.suffix.lower() not in (".vtp", ".vtk"):
        raise InputError(str(file), file.suffix or "no ending", "centre lines are a .vtp or .vtk file", "save as .vtp")
    if not file.is_file():
        value = "a folder" if file.is_dir() else "nothing there"
        raise InputError(str(file), value, "the file does not exist", "check the path")
    if not 0 < file.stat().st_size <= LARGEST_FILE:
        rule = f"centre lines have up to {LARGEST_FILE // 2**20} MB"
        raise InputError(str(file), f"{file.stat().st_size} bytes", rule, "give the centre lines themselves")
    refuse_claims(file, str(file))
    try:
        data = read_lines(file)
    except Unread as why:
        raise InputError(str(file), why, "the file cannot be read", "save it anew as .vtp") from None
    if data.kind != "PolyData" or len(data.points) < 2 or data.line_count < 1:
        rule = "no lines in it: it is cut short, or no centre line"
        raise InputError(str(file), data.kind, rule, "give the output of vmtkcenterlines")
    return data


def _lines(data: PolyLines, file: Path) -> list[Any]:
    """Indices of the points of each line, in the order of the cells."""
    if data.cells != data.line_count:
        rule = "other cells than lines: a surface is no centre line"
        raise InputError(str(file), f"{data.cells} cells, {data.line_count} lines", rule, "give the centre lines")
    found, at, flat = [], 0, data.lines
    while at < flat.size:
        count = int(flat[at])
        found.append(flat[at + 1 : at + 1 + count])
        at += 1 + count
    for line in found:
        if line.size and not 0 <= line.min() <= line.max() < len(data.points):
            wrong = next(int(each) for each in line if not 0 <= each < len(data.points))
            rule = f"a line names a point that is none: there are {len(data.points)}"
            raise InputError(str(file), f"point {wrong}", rule, "the file is damaged: export it again")
    if all(line.size < 2 for line in found):
        raise InputError(str(file), f"{len(found)} lines", "none has two points", "give the output of vmtkcenterlines")
    return found


def _radius(data: PolyLines, file: Path, findings: Findings, assumed: Assumed) -> Any:
    wanted = (assumed.radius_array,) if assumed.radius_array is not None else RADIUS_ARRAYS
    name = next((name for name in wanted if name in data.point_data), None)
    if name is None:
        there = ", ".join(data.point_data.keys()) or "none"
        rule = f"no radius at the points (there: {there})"
        raise InputError(str(file), wanted[0], rule, "give its name with --radius-array")
    values = np.array(data.point_data[name], dtype=float)
    if values.ndim != 1:
        raise InputError(str(file), name, "a radius is one number a point", "name another array")
    return _mended(values, _lines(data, file), name, file, findings)


def _mended(values: Any, lines: list[Any], name: str, file: Path, findings: Findings) -> Any:
    """Radii with those of appended end points, which VMTK leaves zero, taken from their neighbours."""
    mended = 0
    for line in lines:
        for end, inner in ((0, 1), (-1, -2)):
            if len(line) > 1 and values[line[end]] == 0.0 and values[line[inner]] > 0.0:
                values[line[end]] = values[line[inner]]
                mended += 1
    if mended:
        findings.add(name, 0, f"zero at {mended} end points: the radius of the next point takes its place")
    used = np.unique(np.concatenate(lines))
    bad = used[~(np.isfinite(values[used]) & (values[used] > 0.0))]
    if bad.size:
        place = f"{file}: point {bad[0]}"
        raise InputError(place, f"{values[bad[0]]:g}", f"{name} must be positive", "smooth or cut the centre lines")
    return values


def _check_size(points: Any, radius: Any, lines: list[Any], file: Path, unit: str) -> None:
    """That coordinates and radii are an artery's: all finite, the radii's median, then every one that a line uses."""
    if not np.all(np.isfinite(points)):
        raise InputError(str(file), "not a number", "coordinates must be finite", "save the centre lines anew")
    typical = float(np.median(radius))
    if not NARROWEST <= typical <= WIDEST:
        rule = f"with the unit {unit} the radii are about {typical:.3g} m: no artery"
        raise InputError(str(file), f"{typical:.3g} m", rule, "give the unit with --unit mm, cm or m")
    for point in np.unique(np.concatenate(lines)):
        place = f"{file}: point {point}"
        within("diameter (m)", 2.0 * float(radius[point]), place)
        for coordinate in points[point]:
            within("coordinate (m)", float(coordinate), place)


def _tracts(data: PolyLines, count: int, findings: Findings) -> dict[str, Any] | None:
    """The cell arrays of a split centre line, or None where they are not all there."""
    there = [name for name in TRACTS if name in data.cell_data]
    if len(there) == len(TRACTS):
        return {name: np.asarray(data.cell_data[name]).astype(int).reshape(count) for name in TRACTS}
    for name in there:
        findings.add(name, f"without {', '.join(other for other in TRACTS if other not in there)}",
                     "not taken over: branches follow from where the lines part")  # fmt: skip
    return None


def _others(data: PolyLines, findings: Findings) -> None:
    for kind, shown in (("point", "point array"), ("cell", "cell array"), ("field", "field")):
        for name in data.names.get(kind, ()):
            if name not in (*RADIUS_ARRAYS, *TRACTS):
                findings.add(shown, name, "not taken over")


def _draft(file: Path, branches: list[Branch], findings: Findings, assumed: Assumed) -> Draft:
    root = branches[0].start
    if sum(branch.start == root for branch in branches) != 1:
        raise InputError(str(file), root, "several branches leave the inlet", "extend the inlet vessel upstream")
    draft = Draft(file.stem, f"VMTK centre lines {file.name}", root, Cycle((), (), 60.0 / 70.0, 0.0))
    for branch in branches:
        _branch(draft, branch, assumed.wave_speed or WAVE_SPEED, findings)
    ends = {branch.end: float(branch.radius[-1]) for branch in branches}
    for branch in branches:
        ends.pop(branch.start, None)
    _refuse_ring(file, branches, ends)
    total = sum(radius**MURRAY for radius in ends.values())
    for node, radius in ends.items():
        draft.outlets[node] = DraftOutlet("windkessel", share=radius**MURRAY / total, venous_pressure=VENOUS)
    shear_flow = SHEAR * pi * float(branches[0].radius[0]) ** 3 / (4.0 * draft.viscosity)
    draft.cycle = Cycle((), (), 60.0 / 70.0, assumed.inflow or shear_flow)
    _tell(draft, findings, assumed)
    return draft


def _refuse_ring(file: Path, branches: list[Branch], outlets: dict[str, float]) -> None:
    """That no outlet lies where blood comes in: of such a line nobody knows where it is open."""
    inlet, radius = branches[0].points[0], float(branches[0].radius[0])
    for branch in branches:
        if branch.end in outlets and np.linalg.norm(branch.points[-1] - inlet) < radius:
            raise InputError(f"{file}: {branch.name}", "closed", "the line ends at the inlet", "cut the ring open")


def _tell(draft: Draft, findings: Findings, assumed: Assumed) -> None:
    """What a centre line cannot say, and what is written in its place."""
    if assumed.inflow is None:
        said = (
            f"{6e7 * draft.cycle.mean:.4g} mL/min, a wall shear of {SHEAR:g} Pa at the inlet; --inflow says otherwise"
        )
        findings.add("inflow", "none in the file", said)
    findings.add("waveform", "none in the file", "haiflow's hepatic-artery at 70 /min")
    if assumed.wave_speed is None:
        findings.add("wall", "none in the file", f"a wave speed of {WAVE_SPEED:g} m/s; --wave-speed says otherwise")
    findings.add("outlets", "none in the file", "Windkessels that share the flow by the cube of their radius (Murray)")


def _branch(draft: Draft, branch: Branch, speed: float, findings: Findings) -> None:
    """A branch as vessels of linear radius, as many as its course of radius needs."""
    cuts, off = pieces(branch.abscissa, branch.radius)
    if off > 0.05:
        consequence = f"the linear tapers' resistance is {100 * off:.0f} % off that of all points"
        findings.add("radius", branch.name, consequence)
    for number, (first, last) in enumerate(pairwise(cuts)):
        single = len(cuts) == 2
        name = branch.name if single else f"{branch.name}.{number + 1}"
        start = branch.start if first == 0 else f"{branch.name}.{number}"
        end = branch.end if last == len(branch.radius) - 1 else f"{branch.name}.{number + 1}"
        chosen = np.unique(np.linspace(first, last, min(last - first + 1, MOST_PATH)).round().astype(int))
        path = tuple((float(x), float(y), float(z)) for x, y, z in branch.points[chosen])
        length = float(branch.abscissa[last] - branch.abscissa[first])
        diameter = (2.0 * float(branch.radius[first]), 2.0 * float(branch.radius[last]))
        draft.vessels.append(DraftVessel(name, start, end, length, diameter, wave_speed=speed, path=path))
        draft.positions[start], draft.positions[end] = path[0], path[-1]
