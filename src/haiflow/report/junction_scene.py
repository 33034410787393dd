"""Stills of the region round the tip: the thread of drug in the blood, and the shear on the walls."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.ports import Floats
from haiflow.report import camera, cut_pictures, overlay, palette
from haiflow.results.record import JunctionField

SIZE = (1200, 640)  # pixels
DIRECTION = np.array([0.12, 1.0, 0.0])  # where the camera stands, in the region's own frame: up, towards it, along


def draw(region: JunctionField | None, folder: Path, plotter: Any) -> list[str]:
    """Writes ``junction_thread.png`` and ``junction_shear.png``; returns what was written."""
    if region is None:
        return []
    drawn = []
    for name, paint in (("junction_thread", thread), ("junction_shear", shear)):
        paint(plotter, region).save(folder / f"{name}.png", compress_level=6)
        drawn.append(f"{name}.png")
    return drawn


def _surface(region: JunctionField, chosen: NDArray[np.bool_]) -> Any:
    import pyvista

    faces = region.wall[chosen].astype(int)
    mesh = pyvista.PolyData.from_regular_faces(region.points, faces)
    for name, values in region.point_data.items():
        mesh.point_data[name] = values
    return mesh.clean()


def frame(region: JunctionField) -> Floats:
    """(3, 3) rows: up, to the first branch's side; towards the viewer; along the blood that comes in. Of any mesh."""
    corners = region.points[region.wall]
    area = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    inlet, first = _is(region, "inlet"), _is(region, region.branches[0])
    along = -area[inlet].sum(axis=0)
    along /= np.linalg.norm(along)
    for aside in (corners[first].mean(axis=(0, 1)) - corners[inlet].mean(axis=(0, 1)), *np.eye(3)):
        up = aside - (aside @ along) * along
        if np.linalg.norm(up) > 1e-3 * np.linalg.norm(aside):
            break
    up /= np.linalg.norm(up)
    return np.array([up, np.cross(along, up), along])


def _is(region: JunctionField, *names: str) -> NDArray[np.bool_]:
    return np.isin(region.patch, [region.names.index(name) for name in names if name in region.names])


def _holes(region: JunctionField) -> tuple[str, ...]:
    return tuple(name for name in region.names if name.startswith("hole:"))


def _clear(plotter: Any) -> None:
    plotter.clear_actors()
    plotter.window_size = list(SIZE)


def begin(plotter: Any, region: JunctionField) -> None:
    """An empty picture with the vessel as a veil and the catheter solid."""
    _clear(plotter)
    plotter.add_mesh(_surface(region, _is(region, "vessel")), color="#c98f8a", opacity=0.16, smooth_shading=True)
    if "catheter" in region.names:
        plotter.add_mesh(
            _surface(region, _is(region, "catheter", *_holes(region))), color="#5f6b76", smooth_shading=False
        )


def image(plotter: Any, region: JunctionField, title: str, note: str, direction: Floats = DIRECTION) -> Any:
    """What is drawn, seen from ``direction`` (in the region's own frame), the blood running from left to right, with
    its title."""
    axes = frame(region)
    up = (float(axes[0, 0]), float(axes[0, 1]), float(axes[0, 2]))
    view = camera.fitted(region.points, direction @ axes, up, SIZE, 0.76)
    room = 0.08 * view.half_height * axes[0]  # above it, for the title
    camera.aim(plotter, replace(view, focus=view.focus + room), up)
    picture = cut_pictures.taken(plotter).convert("RGB")
    overlay.put_title(picture, title, note)
    _ruler(picture, view.half_height)
    return picture


def _ruler(image: Any, half_height: float) -> None:
    """A length of 1, 2, 5, 10 ... mm at the bottom right, a sixth of the picture's width at most."""
    from PIL import ImageDraw

    scale = SIZE[1] / (2e3 * half_height)  # pixels a mm
    length = max(size for size in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0) if size * scale < SIZE[0] / 6)
    right, y, brush = SIZE[0] - 28, SIZE[1] - 26, ImageDraw.Draw(image)
    brush.line((right - length * scale, y, right, y), fill=palette.INK, width=3)
    for x in (right - length * scale, right):
        brush.line((x, y - 5, x, y + 5), fill=palette.INK, width=2)
    middle = (right - 0.5 * length * scale, y - 8)
    brush.text(middle, f"{length:g} mm", fill=palette.INK, font=overlay.font(15), anchor="ms")


def thread(plotter: Any, region: JunctionField, direction: Floats = DIRECTION) -> Any:
    """Vessel as a veil, catheter solid, tracers coloured by the branch they leave by."""
    begin(plotter, region)
    for colour, number in zip(palette.LINES, range(len(region.branches)), strict=False):
        mine = region.trails[region.trail_branch == number]
        lines = [way[~np.isnan(way[:, 0])] for way in mine if np.count_nonzero(~np.isnan(way[:, 0])) > 2]
        if lines:
            plotter.add_mesh(_poly(lines), color=colour, line_width=1.2, opacity=0.6)
    what = f"ways of {len(region.trails)} tracers of drug from the holes on"
    note = f"{what}, {when(region, 'released over')}"
    picture = image(plotter, region, "Where the drug's thread goes", note, direction)
    words = [f"leaves by: {palette.in_words(name)}" for name in region.branches]
    _legend(picture, list(zip(palette.LINES, words, strict=False)))
    return picture


def when(region: JunctionField, verb: str) -> str:
    """What time a picture stands for."""
    steady = region.period == 0.0
    return "in steady blood of the beat's mean flow" if steady else f"{verb} a beat of {region.period:.2f} s"


def _poly(lines: list[Floats]) -> Any:
    import pyvista

    mesh = pyvista.PolyData()
    mesh.points = np.concatenate(lines).astype(float)
    offsets = np.cumsum([0, *map(len, lines)])
    mesh.lines = np.concatenate([[b - a, *range(a, b)] for a, b in pairwise(offsets)])
    return mesh


def _legend(image: Any, entries: list[tuple[str, str]]) -> None:
    from PIL import ImageDraw

    brush, y = ImageDraw.Draw(image), SIZE[1] - 26 * len(entries) - 14
    for colour, name in entries:
        brush.rectangle((24, y + 6, 52, y + 14), fill=colour)
        brush.text((62, y), name, fill=palette.INK, font=overlay.font(16))
        y += 26


def shear(plotter: Any, region: JunctionField) -> Any:
    """Mean wall shear on vessel and catheter."""
    _clear(plotter)
    walls = _surface(region, _is(region, "vessel", "catheter"))
    values = region.point_data["wall_shear_pa"]
    top = float(np.quantile(values[np.unique(region.wall)], 0.98)) or 1.0
    common = {"scalars": "wall_shear_pa", "cmap": "viridis", "clim": (0.0, top), "show_scalar_bar": False,
              "ambient": 0.5, "diffuse": 0.5}  # fmt: skip  # the colours' own light: shade must not look like less
    vessel = walls if "catheter" not in region.names else _surface(region, _is(region, "vessel"))
    middle = region.points[region.wall[_is(region, "inlet")]].mean(axis=(0, 1))
    half = vessel.clip(normal=tuple(frame(region)[1]), origin=tuple(middle), invert=True)
    plotter.add_mesh(half, smooth_shading=False, **common)
    if "catheter" in region.names:
        plotter.add_mesh(_surface(region, _is(region, "catheter", *_holes(region))), smooth_shading=False, **common)
    note = f"wall shear stress in Pa, {when(region, 'mean over')}; the near half of the vessel is taken away"
    picture = image(plotter, region, "Shear on the walls", note)
    _bar(picture, top)
    return picture


def _bar(image: Any, top: float) -> None:
    from matplotlib import colormaps
    from PIL import ImageDraw

    brush, colours = ImageDraw.Draw(image), colormaps["viridis"](np.linspace(0.0, 1.0, 300))
    left, upper = 24, SIZE[1] - 52
    words = "wall shear stress; the highest 2 % have the last colour"
    brush.text((left, upper - 24), words, fill=palette.INK, font=overlay.font(15))
    for k, colour in enumerate(colours):
        brush.line((left + k, upper, left + k, upper + 14), fill=tuple(int(255 * c) for c in colour[:3]))
    for share in (0.0, 0.5, 1.0):
        text = f"{share * top:.3g}" + (" Pa" if share == 1.0 else "")
        brush.text(
            (left + 300 * share - (0 if share == 0.0 else 14), upper + 18),
            text,
            fill=palette.INK,
            font=overlay.font(15),
        )
