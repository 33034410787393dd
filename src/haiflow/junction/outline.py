"""The region as solids, meshed by gmsh: vessels joined, the catheter's body taken out, patches named."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import HaiflowError
from haiflow.junction.geometry import RECESS, Hole, Shape, Thread, Tip, check
from haiflow.mesh.extras import begun_gmsh
from haiflow.mesh.extrude import Fits, region
from haiflow.mesh.region import Ints, Region
from haiflow.mesh.volumes import tetra_quality
from haiflow.ports import Floats

MM = 1e3
HXT = 10
WORST = 0.08  # mean-ratio quality that no cell may fall below
AT_WALL = 0.7  # edge at a vessel's wall, of that in its middle
FLAT_AT_WALL = 0.3  # of that edge: how deep the cells at a wall stay so fine
ROUND = 12  # edges along a catheter's diameter
HOLE = 7  # edges along a hole's diameter
GROWTH = 0.25  # of the edge, per length away from tip or hole

Solid = tuple[int, int]


def build(shape: Shape, thread: Thread | None = None) -> Region:
    """Mesh the region, finer along a ``thread``.

    Raises InputError for an impossible shape and HaiflowError where gmsh cannot mesh it.
    """
    check(shape)
    gmsh = begun_gmsh()
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        _solids(gmsh.model.occ, shape)
        on_thread = [] if thread is None else [gmsh.model.occ.addPoint(*place) for place in MM * thread.places]
        gmsh.model.occ.synchronize()
        _sizes(gmsh, shape, thread, on_thread)
        points, tetra = _meshed(gmsh)
    except HaiflowError:
        raise
    except Exception as error:  # gmsh raises bare exceptions
        remedy = "move the tip a little, or change its diameter"
        raise HaiflowError(f"gmsh cannot mesh the junction ({error}): {remedy}") from None
    finally:
        gmsh.finalize()
    made = region(points / MM, tetra, patches(shape))
    worst = float(tetra_quality(made.points, made.tetra).min())
    missing = [name for k, name in enumerate(made.names) if not np.any(made.patch == k)]
    if missing or worst < WORST:
        what = f"no face for {', '.join(missing)}" if missing else f"a cell of quality {worst:.2g}"
        raise HaiflowError(f"the junction's mesh has {what}: move the tip a little, or use more cells")
    return made


def _solids(occ: Any, shape: Shape) -> None:
    fused, _ = occ.fuse(*_split(_vessels(occ, shape)))
    if shape.tip is not None:
        body = _body(occ, shape.tip, _shaft_length(shape))
        fused, _ = occ.cut(fused, body)
    if len(fused) != 1:
        raise HaiflowError("the catheter cuts the lumen in pieces: move its tip, or choose a thinner one")


def _split(solids: list[Solid]) -> tuple[list[Solid], list[Solid]]:
    return solids[:1], solids[1:]


def _vessels(occ: Any, shape: Shape) -> list[Solid]:
    """Parent (with its taper), a ball where the branches meet, branches and the tied-off side branch."""
    r1, r2, length = MM * shape.parent_diameter / 2, MM * shape.end_diameter / 2, MM * shape.parent_length
    solids = []
    if shape.parent_diameter == shape.end_diameter:
        solids.append(occ.addCylinder(0, 0, -length, 0, 0, length, r1))
    else:
        begin, end = taper(shape)
        solids.append(occ.addCylinder(0, 0, -length, 0, 0, length + MM * begin, r1))
        solids.append(occ.addCone(0, 0, MM * begin, 0, 0, MM * (end - begin), r1, r2))
        solids.append(occ.addCylinder(0, 0, MM * end, 0, 0, -MM * end, r2))
    widest = max(r2, *(MM * branch.diameter / 2 for branch in shape.branches))
    solids.append(occ.addSphere(0, 0, 0, widest))
    for branch in shape.branches:
        along = MM * shape.reach(branch) * branch.direction
        solids.append(occ.addCylinder(0, 0, 0, *along, MM * branch.diameter / 2))
    if shape.ostium is not None:
        o = shape.ostium
        along = MM * (shape.parent_diameter / 2 + o.length) * np.asarray(o.direction)
        solids.append(occ.addCylinder(0, 0, -MM * o.distance, *along, MM * o.diameter / 2))
    return [(3, tag) for tag in solids]


def taper(shape: Shape) -> tuple[float, float]:
    """Where the parent narrows to its end diameter: z (m) of both ends."""
    if shape.ostium is None:
        return -0.75 * shape.parent_length, -0.25 * shape.parent_length
    begin = -shape.ostium.distance + 0.5 * max(shape.ostium.diameter, shape.parent_diameter)
    return begin, min(begin + shape.parent_diameter, 0.4 * begin)


def _shaft_length(shape: Shape) -> float:
    """Far enough out of the region, whatever the direction."""
    return 2.0 * (shape.parent_length + sum(shape.reach(branch) for branch in shape.branches))


def _body(occ: Any, tip: Tip, length: float) -> list[Solid]:
    """The catheter with recesses where its holes are, in its own frame, then put in its place."""
    radius, back = MM * tip.outer_diameter / 2, MM * length
    body = [(3, occ.addCylinder(0, 0, -back, 0, 0, back + (3 * radius if tip.shape == "bevelled" else 0), radius))]
    if tip.shape == "bevelled":
        body, _ = occ.cut(body, _beyond(occ, tip, 0.0, radius))
    if tip.shape == "rounded":
        body = _rounded(occ, body, tip, radius)
    for hole in tip.holes:
        body, _ = occ.cut(body, _recess(occ, tip, hole, radius))
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = tip.frame.T, MM * np.asarray(tip.place)
    occ.affineTransform(body, matrix.ravel().tolist())
    return list(body)


def _rounded(occ: Any, body: list[Solid], tip: Tip, radius: float) -> list[Solid]:
    """The square end's edge rounded off; what is left of a closed end is half a ball."""
    if all(hole.from_tip is not None for hole in tip.holes):
        body, _ = occ.cut(body, [(3, occ.addCylinder(0, 0, -radius, 0, 0, 2 * radius, 2 * radius))])
        body, _ = occ.fuse(body, [(3, occ.addSphere(0, 0, -radius, radius))])
        return list(body)
    occ.synchronize()
    rim = [tag for _, tag in occ.getEntities(1) if _is_rim(occ, tag, radius)]
    return list(occ.fillet([body[0][1]], rim, [MM * tip.rounding]))


def _is_rim(occ: Any, tag: int, radius: float) -> bool:
    low, high = np.split(np.array(occ.getBoundingBox(1, tag)), 2)
    return bool(np.allclose([low[2], high[2]], 0.0, atol=1e-3) and high[0] - low[0] > 1.9 * radius)


def _beyond(occ: Any, tip: Tip, back: float, radius: float) -> list[Solid]:
    """All that lies beyond the bevel's plane moved ``back`` along its normal."""
    big = 20.0 * radius
    box = [(3, occ.addBox(-big, -big, -back, 2 * big, 2 * big, big))]
    occ.rotate(box, 0, 0, 0, 0, 1, 0, tip.bevel)
    return box


def _recess(occ: Any, tip: Tip, hole: Hole, radius: float) -> list[Solid]:
    r, deep = MM * hole.diameter / 2, MM * RECESS * hole.diameter
    if hole.from_tip is not None:
        x, y = np.cos(hole.azimuth), np.sin(hole.azimuth)
        inner = radius - deep
        return [(3, occ.addCylinder(inner * x, inner * y, -MM * hole.from_tip, radius * x, radius * y, 0, r))]
    if tip.shape != "bevelled":
        return [(3, occ.addCylinder(0, 0, -deep, 0, 0, deep + radius, r))]
    bore = [(3, occ.addCylinder(0, 0, -4 * radius, 0, 0, 8 * radius, r))]
    cut, _ = occ.intersect(bore, _beyond(occ, tip, deep, radius))
    return list(cut)


def hole_face(tip: Tip, hole: Hole) -> tuple[Floats, Floats, float]:
    """Middle, outward normal (both (3,)) and largest radius (m) of the face by which a hole's infusate comes in."""
    deep, frame = RECESS * hole.diameter, tip.frame
    if hole.from_tip is not None:
        normal = np.cos(hole.azimuth) * frame[0] + np.sin(hole.azimuth) * frame[1]
        middle = (tip.outer_diameter / 2 - deep) * normal - hole.from_tip * frame[2]
        return np.asarray(tip.place) + middle, normal, 0.5 * hole.diameter
    if tip.shape != "bevelled":
        return np.asarray(tip.place) - deep * frame[2], frame[2], 0.5 * hole.diameter
    normal = np.sin(tip.bevel) * frame[0] + np.cos(tip.bevel) * frame[2]
    middle = -deep / np.cos(tip.bevel) * frame[2]
    return np.asarray(tip.place) + middle, normal, 0.5 * hole.diameter / np.cos(tip.bevel)


def patches(shape: Shape) -> list[tuple[str, Fits]]:
    """Names of the boundary's parts with how to tell them; the first that fits counts."""
    near = 1e-3 * shape.size
    named: list[tuple[str, Fits]] = [("inlet", lambda c: np.abs(c[:, 2] + shape.parent_length) < near)]
    for branch in shape.branches:
        named.append(
            (branch.name, _plane(shape.reach(branch) * branch.direction, branch.direction, near, branch.diameter))
        )
    if shape.tip is not None:
        named += [(hole.name, _plane(*hole_face(shape.tip, hole)[:2], near, hole_face(shape.tip, hole)[2] * 1.01))
                  for hole in shape.tip.holes]  # fmt: skip
        named.append(("catheter", _on_shaft(shape.tip)))
    return [*named, ("vessel", lambda c: np.ones(len(c), bool))]


def _plane(middle: Floats, normal: Floats, near: float, radius: float) -> Fits:
    return lambda c: (np.abs((c - middle) @ normal) < near) & (np.linalg.norm(c - middle, axis=1) < radius)


def _on_shaft(tip: Tip) -> Fits:
    def fits(c: Floats) -> NDArray[np.bool_]:
        local = (c - np.asarray(tip.place)) @ tip.frame.T
        return (np.hypot(local[:, 0], local[:, 1]) < 0.505 * tip.outer_diameter) & (local[:, 2] < tip.outer_diameter)

    return fits


def _sizes(gmsh: Any, shape: Shape, thread: Thread | None, on_thread: list[int]) -> None:
    """Edges grow away from holes, tip, walls and the thread."""
    mesh, middle = gmsh.model.mesh, MM * shape.size
    surfaces = [tag for _, tag in gmsh.model.getEntities(2)]
    limits = [_threshold(mesh.field, surfaces, AT_WALL * middle, middle, FLAT_AT_WALL * middle)]
    if thread is not None and on_thread:
        limits.append(_threshold(mesh.field, on_thread, MM * thread.edge, middle, MM * thread.reach, "PointsList"))
    if shape.tip is not None:
        tip = shape.tip
        catheter = [tag for tag in surfaces if _of_catheter(gmsh, tag, shape, tip)]
        limits.append(_threshold(mesh.field, catheter, min(MM * tip.outer_diameter / ROUND, middle), middle, 0.0))
        narrow = min(hole.diameter for hole in tip.holes)
        around = [tag for tag in catheter if _size_of(gmsh, tag) < 2.2 * MM * max(hole.diameter for hole in tip.holes)]
        limits.append(_threshold(mesh.field, around or catheter, min(MM * narrow / HOLE, middle), middle, 0.0))
    field = mesh.field.add("Min")
    mesh.field.setNumbers(field, "FieldsList", limits)
    mesh.field.setAsBackgroundMesh(field)


def _threshold(field: Any, tags: list[int], least: float, most: float, flat: float, kind: str = "SurfacesList") -> int:
    distance, limit = field.add("Distance"), field.add("Threshold")
    field.setNumbers(distance, kind, tags)
    field.setNumber(distance, "Sampling", 30)
    values = {"InField": distance, "SizeMin": least, "SizeMax": most, "DistMin": flat,
              "DistMax": flat + max((most - least) / GROWTH, 1e-6)}  # fmt: skip
    for name, value in values.items():
        field.setNumber(limit, name, value)
    return int(limit)


def _size_of(gmsh: Any, tag: int) -> float:
    low, high = np.split(np.array(gmsh.model.getBoundingBox(2, tag)), 2)
    return float(np.linalg.norm(high - low))


def _of_catheter(gmsh: Any, tag: int, shape: Shape, tip: Tip) -> bool:
    """Whether a surface is the catheter's: told by a point on it, as a tube's own middle lies in its lumen. The flat
    ends that the shaft goes out by have that point in the shaft."""
    low, high = gmsh.model.getParametrizationBounds(2, tag)
    point = np.array(gmsh.model.getValue(2, tag, [(a + b) / 2 for a, b in zip(low, high, strict=True)]))[None] / MM
    ends = [patches(shape)[0][1]]
    if shape.ostium is not None:
        tied, way = np.asarray(shape.ostium.direction), 0.5 * shape.parent_diameter + shape.ostium.length
        tied_at = way * tied - np.array([0.0, 0.0, shape.ostium.distance])
        ends.append(_plane(tied_at, tied, 1e-3 * shape.size, shape.ostium.diameter))
    return bool(_on_shaft(tip)(point)[0] and not any(end(point)[0] for end in ends))


def _meshed(gmsh: Any) -> tuple[Floats, Ints]:
    options = {"MeshSizeExtendFromBoundary": 0, "MeshSizeFromPoints": 0, "Algorithm3D": HXT, "Optimize": 1}
    for name, value in options.items():
        gmsh.option.setNumber(f"Mesh.{name}", value)
    gmsh.model.mesh.generate(3)
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    _, _, connectivity = gmsh.model.mesh.getElements(3)
    number = np.zeros(int(tags.max()) + 1, dtype=np.int64)
    number[tags.astype(np.int64)] = np.arange(tags.size)
    used, tetra = np.unique(number[connectivity[0].astype(np.int64)], return_inverse=True)
    return coordinates.reshape(-1, 3)[used], tetra.reshape(-1, 4).astype(np.int32)
