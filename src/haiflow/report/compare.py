"""Several runs side by side: one camera, one colour scale, their names above."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from haiflow.errors import InputError
from haiflow.ports import Floats
from haiflow.report import camera, cut_pictures, overlay, palette, scales, scene, territories
from haiflow.report.scales import Scale
from haiflow.results import Results

TALL, FLAT, FOOT = (800, 760), (800, 600), 104  # pixels
MOST = 6  # runs


def picture(runs: Sequence[Results], names: Sequence[str], plotter: Any) -> Any:
    """The still (Pillow): cuts where the drug varies inside segments, else the whole scene of each.

    Raises InputError where there are too many runs, or they show different quantities.
    """
    from PIL import Image

    if len(runs) > MOST:
        raise InputError("DIR", f"{len(runs)} folders", f"at most {MOST} runs fit side by side", "give fewer")
    tiles, bars = (_cuts if _varied(runs) else _scenes)(runs, plotter)
    sheet = Image.new("RGB", (tiles[0].width * len(runs), tiles[0].height + FOOT), palette.GROUND)
    for index, (tile, name) in enumerate(zip(tiles, names, strict=True)):
        overlay.put_events(tile, name, [], 28, 0.0)
        sheet.paste(tile, (index * tile.width, 0))
    length = min(600, sheet.width // max(len(bars), 1) - 140)
    for index, scale in enumerate(bars):
        middle = sheet.width * (2 * index + 1) // (2 * len(bars))
        overlay.put_bar(sheet, scale, middle - length // 2, sheet.height - 16, length)
    return sheet


def _varied(runs: Sequence[Results]) -> bool:
    """Whether every run has a liver, and what is shown varies inside the segments of one at least."""
    livers = [run.liver for run in runs if run.liver is not None]
    if len(livers) < len(runs):
        return False
    return any(map(territories.varies, livers, scales.of_livers(livers)[1]))


def _cuts(runs: Sequence[Results], plotter: Any) -> tuple[list[Any], list[Scale]]:
    livers = [run.liver for run in runs if run.liver is not None]
    scale, found = scales.of_livers(livers)
    about = np.concatenate([liver.points for liver in livers])
    tiles = [
        cut_pictures.corner_view(plotter, run.network, liver, scale, values, FLAT, about)
        for run, liver, values in zip(runs, livers, found, strict=True)
    ]
    return tiles, [scale]


def _scenes(runs: Sequence[Results], plotter: Any) -> tuple[list[Any], list[Scale]]:
    lines = [scales.of_network(run.network)[0] for run in runs if run.network is not None]
    livers = [run.liver for run in runs if run.liver is not None]
    line_scale = scales.common(lines) if lines else None
    liver_scale, found = scales.of_livers(livers) if livers else (None, [])
    view, rest, tiles = _around([camera.overview(run.network, run.liver) for run in runs]), iter(found), []
    for run in runs:
        plotter.clear_actors()
        plotter.window_size = list(TALL)
        if run.liver is not None and liver_scale is not None:
            scene.add_liver(plotter, run.liver, (liver_scale, next(rest)))
        if run.network is not None:
            scene.add_network(plotter, run.network, "overview", line_scale)
        camera.aim(plotter, view)
        tiles.append(cut_pictures.taken(plotter))
    return tiles, [scale for scale in (line_scale, liver_scale) if scale is not None]


def _around(views: Sequence[camera.View]) -> camera.View:
    """A view that holds all of ``views``."""
    focus: Floats = np.mean([view.focus for view in views], axis=0)
    half = max(view.half_height + float(np.linalg.norm(view.focus - focus)) for view in views)
    return camera.View(focus, views[0].direction, half)
