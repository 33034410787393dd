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

TILE, FOOT, MOST = (800, 760), 104, 6  # pixels; runs


def picture(runs: Sequence[Results], names: Sequence[str], plotter: Any) -> Any:
    """The still (Pillow): cuts where the drug varies inside segments in every run, else the whole scene of each.

    Raises InputError where there are too many runs, or they show different quantities.
    """
    from PIL import Image

    if len(runs) > MOST:
        raise InputError("DIR", f"{len(runs)} folders", f"at most {MOST} runs fit side by side", "give fewer")
    tiles, bars = (_cuts if all(map(_varied, runs)) else _scenes)(runs, plotter)
    sheet = Image.new("RGB", (TILE[0] * len(runs), TILE[1] + FOOT), palette.GROUND)
    for index, (tile, name) in enumerate(zip(tiles, names, strict=True)):
        overlay.put_events(tile, name, [], 28, 0.0)
        sheet.paste(tile, (index * TILE[0], 0))
    length = min(600, sheet.width // max(len(bars), 1) - 140)
    for index, scale in enumerate(bars):
        middle = sheet.width * (2 * index + 1) // (2 * len(bars))
        overlay.put_bar(sheet, scale, middle - length // 2, sheet.height - 16, length)
    return sheet


def _varied(run: Results) -> bool:
    return run.liver is not None and territories.varies(run.liver, scales.of_liver(run.liver)[1])


def _cuts(runs: Sequence[Results], plotter: Any) -> tuple[list[Any], list[Scale]]:
    livers = [run.liver for run in runs if run.liver is not None]
    found = [scales.of_liver(liver) for liver in livers]
    scale = scales.common([one for one, _ in found])
    about = np.concatenate([liver.points for liver in livers])
    tiles = [
        cut_pictures.corner_view(plotter, run.network, liver, scale, values, TILE, about)
        for run, liver, (_, values) in zip(runs, livers, found, strict=True)
    ]
    return tiles, [scale]


def _scenes(runs: Sequence[Results], plotter: Any) -> tuple[list[Any], list[Scale]]:
    lines = [scales.of_network(run.network)[0] for run in runs if run.network is not None]
    livers = [scales.of_liver(run.liver)[0] for run in runs if run.liver is not None]
    line_scale = scales.common(lines) if lines else None
    liver_scale = scales.common(livers) if livers else None
    view = _around([camera.overview(run.network, run.liver) for run in runs])
    tiles = []
    for run in runs:
        plotter.clear_actors()
        plotter.window_size = list(TILE)
        if run.liver is not None:
            scene.add_liver(plotter, run.liver, liver_scale)
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
