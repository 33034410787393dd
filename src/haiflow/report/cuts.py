"""Cuts through the liver: faces coloured by what the cells hold, borders of the segments, outlines of tumours.

Values are averaged from cells to points inside each territory only: smooth within a segment or tumour, and as sharp at
its border as the mesh.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from haiflow.mesh.model import NUMERALS
from haiflow.ports import Floats
from haiflow.report import palette, scene, surface, territories
from haiflow.report.scales import Scale
from haiflow.results import LiverField, Network
from haiflow.results.record import ARTERY, FINE_ARTERY

AXES = {"coronal": np.array([0.0, 1.0, 0.0]), "axial": np.array([0.0, 0.0, 1.0])}
BLOOD, BORDER, PALE, OUTLINE = "#b3261e", "#22313a", "#e8eef2", "#d81b60"
LIFT = 4e-4  # m: lines lie this far before a face, or they would flicker with it
WIDTHS = ((0.0, 1.0), (3e-4, 1.6), (6e-4, 2.6), (1e-3, 3.6))  # radius from (m), width of the line (pixels)


@dataclass(frozen=True)
class Cut:
    """A face with its arrays at the points, lines on it, and the middle (3,) m of each segment's part of it."""

    face: Any
    borders: Any
    tumours: list[Any]
    middles: dict[str, Floats]


def centre(liver: LiverField) -> Floats:
    """Where to cut (3,) m: the middle of the largest tumour, or of the liver where there is none."""
    volume, middle = territories.volumes(liver), liver.points[liver.tetra].mean(axis=1)
    tumour = territories.tumours(liver)
    if tumour.any():
        chosen = tumour == np.argmax(np.bincount(tumour[tumour > 0], weights=volume[tumour > 0]))
        return np.asarray(np.average(middle[chosen], axis=0, weights=volume[chosen]))
    return np.asarray(np.average(middle, axis=0, weights=volume))


def cut(
    liver: LiverField, arrays: Mapping[str, Floats], origin: Floats, normal: Floats, keep: Floats | None = None
) -> Cut | None:
    """The plane through ``origin`` (3,) m across ``normal`` (3,) with ``arrays`` (m,) or (m, k) at its points.

    ``keep`` (3,): only the half of the plane on that side of ``origin``. None where the plane misses the liver.
    """
    import pyvista

    grid: Any = pyvista.UnstructuredGrid({pyvista.CellType.TETRA: np.asarray(liver.tetra)}, np.asarray(liver.points))
    for name, values in arrays.items():
        grid.cell_data[name] = np.asarray(values)
    faces: list[Any] = []
    borders: list[Any] = []
    tumours: list[Any] = []
    middles = {}
    for name, ids in territories.cells(liver).items():
        part = grid.extract_cells(ids).cell_data_to_point_data().slice(normal=normal, origin=origin)
        if keep is not None and part.n_points:
            part = part.clip(normal=keep, origin=origin, invert=False)
        if not part.n_cells:
            continue
        faces.append(part)
        edges = part.extract_feature_edges(
            boundary_edges=True, feature_edges=False, manifold_edges=False, non_manifold_edges=False
        )
        edges.clear_data()
        (borders if name in NUMERALS else tumours).append(edges)
        area = np.asarray(part.compute_cell_sizes(length=False, volume=False)["Area"])
        if name in NUMERALS and area.sum() > 0.0:
            middles[name] = np.average(part.cell_centers().points, axis=0, weights=area)
    if not faces:
        return None
    merged = pyvista.merge(faces, merge_points=False)
    return Cut(merged, _joined(borders), tumours, middles)


def _joined(lines: list[Any]) -> Any:
    import pyvista

    return pyvista.merge(lines, merge_points=False) if lines else None


def corner(liver: LiverField, arrays: Mapping[str, Floats]) -> list[Cut]:
    """The liver with its upper front quarter taken away: half a coronal cut as a wall, half an axial one as a floor."""
    origin = centre(liver)
    wall = cut(liver, arrays, origin, AXES["coronal"], AXES["axial"])
    floor = cut(liver, arrays, origin, AXES["axial"], -AXES["coronal"])
    return [face for face in (wall, floor) if face is not None]


def add_cut(plotter: Any, piece: Cut, scale: Scale, values: str, towards: Floats) -> None:
    """Adds a cut in the colours of ``scale``, without light so that they are those of the bar, lines before it."""
    piece.face["colour"] = scale.place(np.asarray(piece.face[values]))
    table = scene.colour_map(scale)
    scene.add(plotter, piece.face, scalars="colour", cmap=table, clim=(0, 1), lighting=False)
    lift = LIFT * towards / np.linalg.norm(towards)
    border = PALE if scale.colours == palette.CIVIDIS else BORDER
    if piece.borders is not None:
        scene.add(plotter, piece.borders.translate(lift), color=border, line_width=1.6, lighting=False)
    for tumour in piece.tumours:
        scene.add(plotter, tumour.translate(1.5 * lift), color=OUTLINE, line_width=3.2, lighting=False)


def add_shell(plotter: Any, liver: LiverField, opacity: float = 0.10) -> None:
    """The liver's outside as a thin grey veil with the borders of its segments."""
    import pyvista

    skin = surface.outside(liver)
    shell = pyvista.PolyData.from_regular_faces(skin.points, skin.triangles.astype(int))
    scene.add(plotter, shell, color="#5d7484", opacity=opacity, smooth_shading=True, culling="back", specular=0.2)
    if len(skin.borders):
        lines = pyvista.PolyData(surface.smoothed_borders(skin), lines=np.insert(skin.borders, 0, 2, axis=1).ravel())
        scene.add(plotter, lines, color="#3f5a66", line_width=1.2, opacity=0.35)


def add_arteries(plotter: Any, network: Network) -> None:
    """The arteries as red tubes, and the fine branches inside the liver as lines: thousands of tubes would be slow."""
    tubes = scene.curves(network, (ARTERY,), "overview")
    if tubes is not None:
        shape = tubes.tube(scalars="radius", absolute=True, n_sides=16, capping=True)
        shape.clear_data()
        scene.add(plotter, shape, color=BLOOD, smooth_shading=True, specular=0.3, ambient=0.2)
    add_fine(plotter, network, 0.8)


def add_fine(plotter: Any, network: Network, opacity: float) -> None:
    """The fine branches as red lines, wider where the branch is."""
    import pyvista

    lines = [network.line(index) for index in range(network.n_lines)]
    lines = [ids for ids in lines if network.part[ids[-1]] == FINE_ARTERY]
    radius = np.array([network.radius[ids].max() for ids in lines])
    bounds = [start for start, _ in WIDTHS] + [np.inf]
    for (start, width), end in zip(WIDTHS, bounds[1:], strict=True):
        chosen = [ids for ids, r in zip(lines, radius, strict=True) if start <= r < end]
        if not chosen:
            continue
        cells = np.concatenate([np.concatenate([[len(ids)], ids]) for ids in chosen])
        shape = pyvista.PolyData(np.asarray(network.points), lines=cells)
        scene.add(plotter, shape, color=BLOOD, line_width=width, opacity=opacity, lighting=False)
