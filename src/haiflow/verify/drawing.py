"""Plots of cases as pictures for the page: what was computed as lines, what is known as points or broken lines."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from haiflow.report import palette
from haiflow.report.canvas import STYLE, new_figure
from haiflow.verify.model import Curve, Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 3.3  # inches
KNOWN = ("#a3221b", "#6b3fa0", "#8a5300", "#51606c")


def drawn(plot: Plot) -> str:
    """The plot as a data address; needs matplotlib."""
    from matplotlib import rc_context

    with rc_context(STYLE):
        figure, (axis,) = new_figure(HEIGHT, right=0.975, bottom=0.16)
        ours = [curve for curve in plot.curves if not curve.known]
        known = [curve for curve in plot.curves if curve.known]
        for colour, curve in zip(_round(palette.LINES, len(ours)), ours, strict=True):
            _band(axis, curve, colour)
            marker = "o" if len(curve.x) < 12 else ""
            axis.plot(curve.x, curve.y, color=colour, label=curve.name, marker=marker, markersize=4)
        for colour, curve in zip(_round(KNOWN, len(known)), known, strict=True):
            _known(axis, curve, colour)
        axis.set_xscale("log" if "x" in plot.log else "linear")
        axis.set_yscale("log" if "y" in plot.log else "linear")
        axis.set(title=plot.title, xlabel=plot.x, ylabel=plot.y)
        axis.legend(fontsize=8.5, ncols=1 + len(plot.curves) // 5)
        stream = io.BytesIO()
        figure.savefig(stream, format="png", metadata={"Software": "haiflow"})
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"


def _round(colours: tuple[str, ...], count: int) -> list[str]:
    return [colours[k % len(colours)] for k in range(count)]


def _band(axis: Axes, curve: Curve, colour: str) -> None:
    if curve.low is not None and curve.high is not None:
        axis.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.16, linewidth=0)


def _known(axis: Axes, curve: Curve, colour: str) -> None:
    """Few places as open points; a line as a broken one."""
    _band(axis, curve, colour)
    if len(curve.x) <= 12 and curve.low is None and len(curve.x) != 2:
        axis.plot(curve.x, curve.y, "o", color=colour, markerfacecolor="none", markersize=6, label=curve.name)
    else:
        axis.plot(curve.x, curve.y, "--", color=colour, linewidth=1.3, label=curve.name)
