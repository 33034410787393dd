"""Figures over the time of the run: pump and catheter, and concentrations, each with the run's events."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from haiflow.ports import Floats
from haiflow.report import palette
from haiflow.report.canvas import legend, new_figure
from haiflow.results import Results, Series
from haiflow.results.quantities import SHOWN, number, shown_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DECADES = 1e-5  # a concentration below this fraction of the peak is not drawn


def _clock(results: Results) -> tuple[Floats, str]:
    """Time as drawn and its unit."""
    time = np.asarray(results.history_coords["time"], float)
    span = float(time[-1] - time[0])
    unit = next((name for name, least in (("d", 2 * 86400.0), ("h", 2 * 3600.0), ("min", 120.0)) if span > least), "s")
    return time * SHOWN[unit][1], unit


def _events(figure: Figure, axes: list[Axes], results: Results, unit: str, span: Floats) -> None:
    """A line at each event through all panels, numbered above the first; the numbers are explained beside it."""
    numbered = []
    events = sorted(results.events, key=lambda item: item.time_s)[:12]
    last, lift = -np.inf, 0
    for count, event in enumerate(events, 1):
        place = event.time_s * SHOWN[unit][1]
        colour = palette.event_colour(event.kind, event.name)
        for axis in axes:
            axis.axvline(place, color=colour, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1)
        lift = lift + 9 if place - last < 0.02 * (span[-1] - span[0]) else 0
        note: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "fontsize": 8, "fontweight": "bold"}
        axes[0].annotate(
            str(count), (place, 1.0), (0, 2 + lift), xycoords=("data", "axes fraction"), color=colour, **note
        )
        numbered.append(f"{count}  {_wrapped(palette.in_words(event.name))}")
        last = place
    if numbered:
        bottom = axes[-1].get_position().y0
        figure.text(0.815, bottom, "Events\n" + "\n".join(numbered), fontsize=8, va="bottom", linespacing=1.35)


def _wrapped(text: str, width: int = 22) -> str:
    return "\n    ".join(textwrap.wrap(text, width)[:3])


def pump_and_catheter(results: Results) -> Figure | None:
    """Flow rates, pressures and what is left in the reservoir over the run, with its events."""
    panels = [panel for panel in (_flow_panel, _pressure_panel, _volume_panel) if panel(results, None)]
    if not panels:
        return None
    figure, axes = new_figure(1.1 + 1.55 * len(panels), len(panels))
    time, unit = _clock(results)
    for axis, panel in zip(axes, panels, strict=True):
        panel(results, axis)
        if len(axis.lines) > 1 or panel is not panels[0]:
            legend(axis)
    axes[0].set_title("Pump and catheter", pad=18.0 if results.events else 8.0)
    axes[-1].set(xlabel=f"time / {unit}", xlim=(time[0], time[-1]))
    if results.events:
        figure.subplots_adjust(top=1 - 0.5 / figure.get_figheight())
    _events(figure, axes, results, unit, time)
    return figure


FAST = 1e-9  # m3/s (86 mL/day): more is a bolus and is said in mL/min
Curve = tuple[str, str, str]  # series, label, colour
FLOWS: tuple[Curve, ...] = (
    ("pump_flow_rate", "out of the pump", palette.TWIN),
    ("catheter_tip_flow_rate", "out of the tip", palette.LINES[0]),
    ("catheter_leak_flow_rate", "leaking", palette.LINES[1]),
)
PRESSURES: tuple[Curve, ...] = (
    ("pump_outlet_pressure", "pump outlet", palette.LINES[0]),
    ("catheter_max_pressure", "highest in line", palette.LINES[4]),
    ("side_port_test_pressure", "side-port test", palette.LINES[3]),
)
VOLUMES: tuple[Curve, ...] = (("pump_reservoir_volume", "in the reservoir", palette.LINES[2]),)


def _panel(results: Results, axis: Axes | None, curves: tuple[Curve, ...], unit: str, label: str) -> bool:
    """Draws those of ``curves`` that the run has and that are not zero throughout; says whether there are any."""
    series = results.history_series
    there = [
        curve
        for curve in curves
        if curve[0] in series and (curve is curves[0] or np.nanmax(np.abs(series[curve[0]].values)) > 0)
    ]
    if axis is None or not there:
        return bool(there)
    time, _ = _clock(results)
    for order, (name, text, colour) in enumerate(there):
        axis.plot(
            time,
            series[name].values * SHOWN[unit][1],
            color=colour,
            label=text,
            linewidth=3.0 if colour == palette.TWIN else 1.6,
            zorder=2 + order,
        )
    axis.set_ylabel(f"{label} / {unit}" if "/" not in unit else f"{label} / ({unit})")
    low, high = axis.get_ylim()
    if low > 0.0 and (high - low) < 0.25 * high:  # noise on a constant must not look like an event
        middle = 0.5 * (low + high)
        axis.set_ylim(0.85 * middle, 1.15 * middle)
    return True


def _flow_panel(results: Results, axis: Axes | None) -> bool:
    flows = [results.history_series[name].values for name, _, _ in FLOWS if name in results.history_series]
    fast = max((float(np.nanmax(np.abs(values))) for values in flows), default=0.0) > FAST
    drawn = _panel(results, axis, FLOWS, "mL/min" if fast else "mL/day", "flow rate")
    if axis is not None and axis.get_ylim()[0] > 0.0:
        axis.set_ylim(bottom=0.0, top=1.08 * axis.get_ylim()[1])
    return drawn


def _pressure_panel(results: Results, axis: Axes | None) -> bool:
    return _panel(results, axis, PRESSURES, "kPa", "pressure")


def _volume_panel(results: Results, axis: Axes | None) -> bool:
    drawn = _panel(results, axis, VOLUMES, "mL", "volume")
    if axis is not None and drawn:
        axis.set_ylim(bottom=0.0)
    return drawn


def _over_time(series: Series | None, drug: int) -> Floats | None:
    """Values of one drug, (time, ...), or None where nothing was dissolved."""
    if series is None:
        return None
    values = np.take(series.values, drug, axis=series.dims.index("drug"))
    return values if np.nanmax(np.abs(values), initial=0.0) > 0.0 else None


def _segments(axis: Axes, time: Floats, tissue: Floats, names: Sequence[str]) -> None:
    """A line per segment; tumours, which come after the eight, are dashed."""
    for index, name in enumerate(names):
        style: Any = "-" if index < len(palette.SEGMENTS) else (0, (4, 1.5))
        axis.plot(time, tissue[:, index], color=palette.segment_colour(index), label=str(name), linestyle=style)


def concentration(results: Results) -> Figure | None:
    """Tissue concentration of each segment and the systemic one over the run, on one logarithmic axis."""
    series = results.history_series
    tissue = _over_time(series.get("segment_tissue_concentration"), 0)
    body = _over_time(series.get("body_concentration"), 0)
    if tissue is None and body is None:
        return None
    figure, (axis,) = new_figure(3.7)
    time, time_unit = _clock(results)
    peak = max(float(np.nanmax(item)) for item in (tissue, body) if item is not None)
    unit = shown_unit(peak, "kg/m3")
    floor = 1e-2 * DECADES * peak  # out of sight; logarithms of next to nothing are slow
    if tissue is not None:
        _segments(axis, time, np.maximum(tissue, floor) * SHOWN[unit][1], results.history_coords["segment"])
    if body is not None:
        axis.plot(
            time,
            np.maximum(body, floor) * SHOWN[unit][1],
            color=palette.INK,
            linestyle=(0, (1.2, 1.2)),
            label="systemic plasma",
        )
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(lambda value, _: number(value, 1))
    axis.yaxis.set_minor_formatter(lambda value, _: "")
    axis.set_ylim(DECADES * peak * SHOWN[unit][1], 2.0 * peak * SHOWN[unit][1])
    axis.set(xlabel=f"time / {time_unit}", xlim=(time[0], time[-1]), ylabel=f"concentration / ({unit})")
    drug = str(results.history_coords["drug"][0]).capitalize()
    axis.set_title(f"{drug} in the tissue of each segment, and in the body", pad=18.0 if results.events else 8.0)
    legend(axis)
    if results.events:
        figure.subplots_adjust(top=1 - 0.5 / figure.get_figheight())
        _events(figure, [axis], results, time_unit, time)
    return figure
