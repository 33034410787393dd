"""The sheet that every figure is drawn on: size, fonts, colours of axes. Matplotlib without pyplot: no global state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from haiflow.report import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 130
WIDTH = 7.6  # inches
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 9.0, "text.color": palette.INK, "axes.labelcolor": palette.INK,
    "axes.edgecolor": palette.QUIET, "axes.linewidth": 0.8, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.axisbelow": True, "grid.color": palette.GRID, "grid.linewidth": 0.8,
    "axes.titlesize": 10.5, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.titlepad": 8.0,
    "xtick.color": palette.QUIET, "ytick.color": palette.QUIET, "xtick.labelcolor": palette.INK,
    "ytick.labelcolor": palette.INK, "legend.frameon": False, "lines.linewidth": 1.7, "lines.solid_capstyle": "round",
    "axes.unicode_minus": True,
}  # fmt: skip


def new_figure(
    height: float, rows: int = 1, share_x: bool = True, right: float = 0.80, **margins: float
) -> tuple[Figure, list[Axes]]:
    """A figure of ``rows`` panels, one below the other, with room for a legend on the right."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=palette.PAPER)
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 1, sharex=share_x, squeeze=False)[:, 0]
    inch = 1.0 / height
    space = {"left": 0.095, "right": right, "top": 1 - 0.36 * inch, "bottom": 0.46 * inch, "hspace": 0.22} | margins
    figure.subplots_adjust(**space)
    return figure, list(axes)


def legend(axis: Axes) -> None:
    axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1.03), fontsize=8.5, handlelength=1.4, borderaxespad=0.0)
