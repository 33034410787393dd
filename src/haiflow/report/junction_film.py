"""A film of the drug round the tip over one beat; where the flow is steady, one turn round its thread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from haiflow.report import film, junction_scene, overlay
from haiflow.results import Results
from haiflow.results.record import JunctionField

SECONDS, BEATS = 4.0, 2  # of film for each beat, which is shown so often
CLOUDS = ((3.0, "#7fb2d6", 0.25), (30.0, "#0b3c6e", 0.85))  # times the mixed concentration: colour, opacity


def write(results: Results, path: Path, plotter: Any) -> None:
    """Writes the film of the tip of ``results`` to ``path`` (mp4)."""
    film.save(pictures(results, plotter), path)


def pictures(results: Results, plotter: Any, count: int | None = None) -> Iterator[Any]:
    """The film's pictures (Pillow) in turn; ``count`` for each beat or turn."""
    region = results.junction
    assert region is not None
    count = count or round(film.PER_SECOND * SECONDS)
    if len(region.times) < 2:
        yield from _turn(region, plotter, count)
        return
    grid = _grid(region)
    for step in range(BEATS * count):
        yield _beat(region, grid, plotter, (step % count) / count)


def _turn(region: JunctionField, plotter: Any, count: int) -> Iterator[Any]:
    """The thread from all sides, about the line across the vessel that points to its first branch."""
    for step in range(count):
        turn = 2.0 * np.pi * step / count
        yield junction_scene.thread(plotter, region, np.array([0.12, np.cos(turn), np.sin(turn)]))


def _grid(region: JunctionField) -> Any:
    import pyvista

    cells = np.column_stack([np.full(len(region.tetra), 4), region.tetra]).ravel()
    return pyvista.UnstructuredGrid(cells, np.full(len(region.tetra), pyvista.CellType.TETRA), region.points)


def _beat(region: JunctionField, grid: Any, plotter: Any, share: float) -> Any:
    """The clouds of drug at a ``share`` of the beat; what is between two frames is their mean by time."""
    times, drug, period = region.times, region.drug, float(region.times[-1])
    grid.point_data["drug"] = film.at(np.column_stack([drug[-1], *drug]), np.append(0.0, times), share * period)
    junction_scene.begin(plotter, region)
    for level, colour, opacity in CLOUDS:
        cloud = grid.clip_scalar(scalars="drug", value=level, invert=False)  # whole: a level alone is hollow at walls
        if cloud.n_cells:
            surface = cloud.extract_surface(algorithm="dataset_surface")
            plotter.add_mesh(surface, color=colour, opacity=opacity, smooth_shading=True)
    (pale, _, _), (dark, _, _) = CLOUDS
    note = f"pale: over {pale:g} times the concentration of perfect mixing; dark: over {dark:g} times"
    image = junction_scene.image(plotter, region, "Drug round the tip", note)
    overlay.put_clock(image, f"second {share * period:.2f} of a beat of {period:.2f}", share, [])
    return image
