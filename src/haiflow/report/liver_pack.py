"""The liver in the packed scene: skin and tumours with each quantity at their points, and its inside on a grid.

Every quantity is one byte a point, a place on its colour scale; frames over time are differences to the frame before
(modulo 256), which deflate well. The grid holds the nearest cell's value and reaches a little past the skin, so that
a cut plane (trimmed by the skin itself) finds values up to its rim.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from haiflow.ports import Floats
from haiflow.report import palette, scales, surface
from haiflow.report.scales import FOLLOWED, Shown
from haiflow.results import LiverField
from haiflow.results.quantities import SHOWN, number

if TYPE_CHECKING:
    from haiflow.report.pack import Pack

LONGEST = 56  # grid points along the liver's longest side
MISSING = 255


@dataclass(frozen=True)
class Grid:
    """A regular grid over the liver: ``shape`` (x, y, z), the points that are kept, and the cell nearest to each."""

    origin: Floats
    step: float
    shape: tuple[int, int, int]
    kept: NDArray[np.bool_]
    cell: NDArray[np.int_]


def add(pack: Pack, liver: LiverField) -> None:
    """Adds the liver's shapes, values and labels to ``pack``."""
    segment = np.asarray(liver.cell_data.get("couinaud_segment", np.zeros(len(liver.tetra))), np.int32)
    skin = surface.outside(liver)
    skin, spans = surface.by_number(skin, segment[skin.cell])
    head: dict[str, Any] = {"spans": {"liver": spans}}
    pack.header["liver"] = head
    parts = [_shape(pack, "liver", skin, skin.points)]
    if len(skin.borders):
        used, lines = np.unique(skin.borders, return_inverse=True)
        pack.points("border_points", surface.smoothed_borders(skin)[used])
        pack.arrays["border_lines"] = lines.ravel().astype("<u2" if len(used) < 65536 else "<u4")
    inside = np.flatnonzero(scales.tumours(liver))
    if len(inside):
        inner = surface.outside(replace(liver, tetra=liver.tetra[inside], cell_data={}))
        inner = replace(inner, cell=inside[inner.cell].astype(np.int32))
        inner, head["spans"]["tumour"] = surface.by_number(inner, scales.tumours(liver)[inner.cell])
        parts.append(_shape(pack, "tumour", inner, surface.rounded(inner.points, inner.triangles)))
    grid = grid_of(liver)
    head["volume"] = {"origin": grid.origin.tolist(), "step": grid.step, "shape": grid.shape}
    pack.arrays["grid_kept"] = grid.kept.astype("u1")
    pack.arrays["grid_segment"] = segment[grid.cell].astype("u1")
    pack.arrays["grid_tumour"] = scales.tumours(liver)[grid.cell].astype("u1")
    chosen = scales.choices(liver)
    head["quantities"] = [_quantity(pack, shown, parts, grid) for shown in chosen]
    if len(spans) > 1:
        head["quantities"].append({"key": "segment", "name": "Couinaud segment", "colours": palette.SEGMENTS})
    _frames(pack, liver, chosen, parts, grid)
    centres = surface.segment_centres(liver)
    pack.header["labels"] += [[palette.NUMERALS[n], centre.tolist(), "segment"] for n, centre in centres.items()]


def _shape(pack: Pack, name: str, skin: surface.Surface, points: Floats) -> tuple[str, surface.Surface]:
    pack.points(f"{name}_points", points)
    pack.arrays[f"{name}_triangles"] = skin.triangles.ravel().astype("<u2" if len(points) < 65536 else "<u4")
    return name, skin


def _bytes(places: Floats) -> NDArray[np.uint8]:
    return np.where(np.isnan(places), MISSING, np.round(places * (MISSING - 1))).astype("u1")


def _quantity(pack: Pack, shown: Shown, parts: list[tuple[str, surface.Surface]], grid: Grid) -> dict[str, Any]:
    """Packs one quantity; returns what the page needs to offer it."""
    from haiflow.report.pack import table

    places = shown.scale.place(shown.values)
    for name, skin in parts:
        pack.arrays[f"{name}_{shown.key}"] = _bytes(surface.at_points(skin, places[skin.cell]))
    pack.arrays[f"grid_{shown.key}"] = _bytes(places[grid.cell])
    return {"key": shown.key, "name": shown.name, "table": table(shown.scale.colours)}


def _frames(
    pack: Pack, liver: LiverField, chosen: list[Shown], parts: list[tuple[str, surface.Surface]], grid: Grid
) -> None:
    """Packs the concentration over time, where there is any."""
    scale = next((shown.scale for shown in chosen if shown.key == FOLLOWED), None)
    if liver.times is None or liver.frames is None or scale is None:
        return
    places = scale.place(np.asarray(liver.frames, float))
    for name, skin in parts:
        pack.arrays[f"{name}_frames"] = _differences(_bytes(surface.at_points(skin, places[:, skin.cell])))
    pack.arrays["grid_frames"] = _differences(_bytes(places)[:, grid.cell])
    pack.header["liver"]["frames"] = {"key": FOLLOWED, "times": spoken(liver.times)}


def _differences(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Frames (k, n) as the first and the changes to the next ones, modulo 256, in one row."""
    changes = frames.copy()
    changes[1:] -= frames[:-1]
    return changes.ravel()


def spoken(times: Floats) -> list[str]:
    """Times (k,) s as they are said beside the slider: in hours up to three days, else in days."""
    unit = "h" if len(times) and times[-1] <= 3 * 86400.0 else "d"
    return [f"{number(float(time) * SHOWN[unit][1])} {unit}" for time in times]


def grid_of(liver: LiverField) -> Grid:
    """The grid over ``liver``, ``LONGEST`` points along its longest side, with a margin of two points around it."""
    from scipy.spatial import cKDTree

    middle = liver.points[liver.tetra].mean(axis=1)
    used = liver.points[np.unique(liver.tetra)]
    low, high = used.min(axis=0), used.max(axis=0)
    step = float((high - low).max()) / (LONGEST - 5)
    low = low - 2.0 * step
    nx, ny, nz = (int(n) for n in np.ceil((high - low) / step).astype(int) + 3)
    axes = [low[k] + step * np.arange(n) for k, n in enumerate((nx, ny, nz))]
    places = np.stack(np.meshgrid(*axes[::-1], indexing="ij")[::-1], axis=-1).reshape(-1, 3)  # x runs fastest
    corners = liver.points[liver.tetra]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])).mean() / 6.0
    reach = 1.8 * step + 1.5 * volume ** (1.0 / 3.0)
    distance, cell = cKDTree(middle).query(places, distance_upper_bound=reach)
    kept = np.isfinite(distance)
    return Grid(low, step, (nx, ny, nz), kept, cell[kept])
