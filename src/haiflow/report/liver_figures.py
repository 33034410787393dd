"""Figures of a liver in which the drug varies from place to place: the dose-volume histogram and the planar scan."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from haiflow.mesh.model import NUMERALS
from haiflow.ports import Floats
from haiflow.report import palette, scales, surface, territories
from haiflow.report.canvas import legend, new_figure
from haiflow.results import LiverField, Results, Scan
from haiflow.results.quantities import SHOWN, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COVERED = 0.95
TAIL = 0.005  # of a territory's volume: the axis ends where no more than this goes on
POINTS = 400  # a curve needs no more
OUTLINE = 0.5e-3  # m, pixels in which the liver's shadow is drawn
BAR = 0.05  # m
FAINT = 0.01  # of the darkest pixel: the frame is drawn round what is darker


def dose_volume(results: Results) -> Figure | None:
    """Share of each territory's volume that has at least an exposure; None where the segments are even."""
    liver = results.liver
    if liver is None:
        return None
    scale, values = scales.of_liver(liver)
    if not territories.varies(liver, values):
        return None
    shown = values * (SHOWN[scale.unit][1] if scale.unit else 1.0)
    volume = territories.volumes(liver)
    figure, (axis,) = new_figure(4.0, right=0.8)
    end = 0.0
    for name, ids in territories.cells(liver).items():
        look = _line(name)
        axis.plot(*_curve(shown[ids], volume[ids]), label=name, **look)
        end = max(end, territories.dose_to(TAIL, shown[ids], volume[ids]))
    axis.plot(*_curve(shown, volume), color=palette.INK, linewidth=2.6, label="whole liver")
    _mark_covered(axis, territories.dose_to(COVERED, shown, volume), scale.title)
    axis.set(xlabel=f"at least: {scale.title[0].lower()}{scale.title[1:]}", ylabel="share of the volume / %")
    axis.set(xlim=(0.0, 1.03 * end), ylim=(0.0, 103.0))
    axis.set_title("Dose-volume histogram")
    legend(axis)
    return figure


def _line(name: str) -> dict[str, Any]:
    """Colour by segment, as in the other figures; the left liver's curves are dashed, so that colour is not alone."""
    if name.startswith("tumour"):
        return {"color": palette.SEVERITY["alarm"], "linewidth": 2.0, "linestyle": (0, (1.2, 1.2))}
    index = NUMERALS.index(name)
    return {"color": palette.segment_colour(index), "linewidth": 1.4, "linestyle": "--" if index < 4 else "-"}


def _curve(values: Floats, volume: Floats) -> tuple[Floats, Floats]:
    """Exposure and share (%) of a curve that begins at nothing and ends at zero, thinned to what can be seen."""
    rising, reached = territories.at_least(values, volume)
    chosen = np.unique(np.linspace(0, len(rising) - 1, POINTS).astype(int))
    return np.concatenate([[0.0], rising[chosen], rising[-1:]]), 100.0 * np.concatenate([[1.0], reached[chosen], [0.0]])


def _mark_covered(axis: Axes, dose: float, title: str) -> None:
    unit = title.partition("/ (")[2].rstrip(")")
    axis.plot([0.0, dose, dose], [100 * COVERED, 100 * COVERED, 0.0], color=palette.QUIET, linewidth=0.9, zorder=1.5)
    axis.plot([dose], [100 * COVERED], "o", color=palette.INK, markersize=5, zorder=5)
    axis.plot(
        [dose], [100 * COVERED], "o", color=palette.INK, markersize=5.5, zorder=5, markeredgecolor="white",
        label=f"D{100 * COVERED:.0f} of the liver:\n{number(dose)} {unit}",
    )  # fmt: skip


def scan(results: Results) -> Figure | None:
    """The planar scan as it is read: anterior view, the patient's right on the left, dark where there is most."""
    seen = results.scan
    if seen is None or seen.image.sum() <= 0.0:
        return None
    area = np.diff(seen.z)[:, None] * np.diff(seen.x)[None, :] * 1e4  # cm2
    image = 100.0 * seen.image / seen.image.sum() / area
    figure, (axis,) = new_figure(5.0, left=0.02, right=0.88, bottom=0.03, top=0.92)
    shown = axis.pcolormesh(100 * seen.x, 100 * seen.z, image, cmap="gray_r", vmin=0.0, rasterized=True)
    if results.liver is not None:
        x, z, shadow = _shadow(results.liver)
        axis.contour(100 * x, 100 * z, shadow, [0.5], colors=[palette.DRUG], linewidths=1.1)
    _frame(axis, seen)
    bar = figure.colorbar(shown, ax=axis, fraction=0.04, pad=0.02)
    bar.set_label("share of the agent / (%/cm²)")
    bar.outline.set_linewidth(0.6)
    axis.set_title(f"Planar scan of {palette.in_words(seen.agent)}, anterior view")
    return figure


def _frame(axis: Axes, seen: Scan) -> None:
    """Sides, scale bar and equal axes: an image, not a graph. R is the patient's right."""
    row, column = np.nonzero(seen.image > FAINT * seen.image.max())
    left, right = (100 * float(value) for value in (seen.x[column.min()], seen.x[column.max() + 1]))
    low, high = (100 * float(value) for value in (seen.z[row.min()], seen.z[row.max() + 1]))
    room = 0.07 * (high - low)
    axis.set(
        xlim=(left - room, right + room), ylim=(low - 2.6 * room, high + room), aspect="equal", xticks=[], yticks=[]
    )
    axis.grid(False)
    for side in axis.spines.values():
        side.set(visible=True, color=palette.GRID)
    words: dict[str, Any] = {"transform": axis.transAxes, "va": "top", "fontsize": 15, "fontweight": "bold"}
    axis.text(0.02, 0.97, "R", ha="left", **words)
    axis.text(0.98, 0.97, "L", ha="right", **words)
    start, height = left, low - 1.3 * room
    axis.plot([start, start + 100 * BAR], [height, height], color=palette.INK, linewidth=3.0, solid_capstyle="butt")
    axis.text(start + 50 * BAR, height - 0.25 * room, f"{100 * BAR:.0f} cm", ha="center", va="top", fontsize=9)
    axis.plot([], [], color=palette.DRUG, linewidth=1.1, label="outline of the liver")
    axis.legend(loc="lower right", fontsize=8.5)


def _shadow(liver: LiverField) -> tuple[Floats, Floats, Floats]:
    """Where the liver lies behind the image plane: x (nx,), z (nz,) in m and a mask (nz, nx)."""
    from PIL import Image, ImageDraw

    skin = surface.outside(liver)
    flat = skin.points[:, [0, 2]]
    low = flat.min(axis=0) - 4 * OUTLINE
    size = np.ceil((flat.max(axis=0) - low) / OUTLINE).astype(int) + 4
    mask = Image.new("1", (int(size[0]), int(size[1])))
    draw = ImageDraw.Draw(mask)
    for triangle in ((flat - low) / OUTLINE)[skin.triangles]:
        draw.polygon([(float(a), float(b)) for a, b in triangle], fill=1)
    places = (low[axis] + np.arange(size[axis]) * OUTLINE for axis in (0, 1))
    x, z = places
    return x, z, np.asarray(mask, float)


FIGURES: dict[str, Callable[[Results], Any]] = {"dose_volume": dose_volume, "scan": scan}
CAPTIONS = {
    "dose_volume": "How much of each segment and tumour has at least an exposure; D95 is what 95 % of the liver has.",
    "scan": "What a gamma camera before the patient sees of the agent, without attenuation. R: the patient's right.",
}
