"""The static figures: where the dose went, the arterial pulse, pump and line over time, the ledger, concentrations.

Each function takes the record and returns a matplotlib Figure, or None where the run has nothing to show in it.
Matplotlib is used without pyplot: no display, no global state.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from haiflow.ports import Floats
from haiflow.report import palette
from haiflow.results import Results, Series
from haiflow.results.quantities import SHOWN, number, say, shown_unit
from haiflow.results.verdict import delivered

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 130
WIDTH = 7.6  # inches
TRACE = 1e-9  # of what was filled: an account below this is not drawn in the ledger
DECADES = 1e-5  # a concentration below this fraction of the peak is not drawn
STYLE = {
    "font.family": "DejaVu Sans", "font.size": 9.0, "text.color": palette.INK, "axes.labelcolor": palette.INK,
    "axes.edgecolor": palette.QUIET, "axes.linewidth": 0.8, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.axisbelow": True, "grid.color": palette.GRID, "grid.linewidth": 0.8,
    "axes.titlesize": 10.5, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.titlepad": 8.0,
    "xtick.color": palette.QUIET, "ytick.color": palette.QUIET, "xtick.labelcolor": palette.INK,
    "ytick.labelcolor": palette.INK, "legend.frameon": False, "lines.linewidth": 1.7, "lines.solid_capstyle": "round",
    "axes.unicode_minus": True,
}  # fmt: skip


def new_figure(height: float, rows: int = 1, share_x: bool = True, right: float = 0.80, **margins: float) -> tuple[Figure, list[Axes]]:
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


def _legend(axis: Axes) -> None:
    axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1.03), fontsize=8.5, handlelength=1.4, borderaxespad=0.0)


def dose_by_segment(results: Results) -> Figure | None:
    """Drug delivered to each segment by its artery, against the same run without its faults."""
    now, twin = delivered(results.summary), delivered(results.summary.get("twin", {}))
    if not now or max(now.values()) <= 0.0:
        return None
    names = list(now)
    unit = shown_unit([*now.values(), *twin.values()], "kg")
    scale = SHOWN[unit][1]
    values = np.array([now[name] for name in names]) * scale
    figure, (axis,) = new_figure(3.5, right=0.975, bottom=0.15)
    places = np.arange(len(names))
    if twin:
        plan = np.array([twin.get(name, np.nan) for name in names]) * scale
        axis.bar(places, plan, 0.74, color="#eef1f4", edgecolor=palette.TWIN, linewidth=1.0, label="without faults")
    axis.bar(places, values, 0.54, color=palette.DRUG, label="this run")
    top = np.nanmax([values, plan], axis=0) if twin else values
    for place, name in enumerate(names):
        _bar_label(axis, place, float(top[place]), now[name] * scale, twin.get(name, 0.0) * scale)
    axis.set_xticks(places, names)
    axis.set_ylim(0, 1.22 * float(np.nanmax(top)))
    axis.set(xlabel="Couinaud segment", ylabel=f"drug delivered by the artery / {unit}")
    axis.set_title("Dose by segment")
    axis.grid(False, axis="x")
    if twin:
        axis.legend(loc="upper left", ncols=2, fontsize=8.5)
    return figure


def _bar_label(axis: Axes, place: int, top: float, value: float, plan: float) -> None:
    axis.annotate(number(value), (place, top), (0, 14 if plan else 3), textcoords="offset points", ha="center", fontweight="bold")
    if plan:
        change = round(100.0 * (value / plan - 1.0))
        text, colour = (f"{change:+d} %".replace("-", "−"), palette.SEVERITY["alarm"]) if change else ("same", palette.QUIET)
        axis.annotate(text, (place, top), (0, 3), textcoords="offset points", ha="center", fontsize=8, color=colour)


def arterial_waveforms(results: Results) -> Figure | None:
    """Flow rate and pressure over the cardiac cycle, halfway along the vessels that carry most."""
    flow, pressure = results.cycle_series.get("flow_rate"), results.cycle_series.get("pressure")
    if flow is None or pressure is None:
        return None
    names = [str(name) for name in results.cycle_coords["vessel"]]
    station = flow.values.shape[2] // 2
    chosen = np.argsort(-np.abs(flow.values[:, :, station].mean(axis=0)), kind="stable")[:6]
    figure, (upper, lower) = new_figure(4.4, 2)
    time = np.asarray(results.cycle_coords["time"], float)
    for colour, vessel in zip(palette.LINES, chosen, strict=False):
        label = "\n".join(textwrap.wrap(names[vessel].replace("_", " "), 17))
        upper.plot(time, flow.values[:, vessel, station] * SHOWN["mL/min"][1], color=colour, label=label)
        lower.plot(time, pressure.values[:, vessel, station] * SHOWN["mmHg"][1], color=colour)
    upper.set_title("The arterial pulse")
    upper.set_ylabel("flow rate / (mL/min)")
    lower.set(ylabel="pressure / mmHg", xlabel="time in the cardiac cycle / s", xlim=(time[0], time[-1]))
    if np.min(flow.values[:, chosen, station]) >= 0.0:
        upper.set_ylim(bottom=0)
    _legend(upper)
    return figure


def _clock(results: Results) -> tuple[Floats, str]:
    """Time as drawn and its unit."""
    time = np.asarray(results.history_coords["time"], float)
    span = float(time[-1] - time[0])
    unit = next((name for name, least in (("d", 2 * 86400.0), ("h", 2 * 3600.0), ("min", 120.0)) if span > least), "s")
    return time * SHOWN[unit][1], unit


def _events(figure: Figure, axes: list[Axes], results: Results, unit: str, span: Floats) -> None:
    """A line at each event through all panels, numbered above the first; the numbers are explained beside it."""
    legend = []
    events = [item for item in sorted(results.events, key=lambda item: item.time_s)][:12]
    last, lift = -np.inf, 0
    for count, event in enumerate(events, 1):
        place = event.time_s * SHOWN[unit][1]
        colour = palette.EVENT.get(event.kind, palette.QUIET)
        for axis in axes:
            axis.axvline(place, color=colour, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1)
        lift = lift + 9 if place - last < 0.02 * (span[-1] - span[0]) else 0
        note = {"textcoords": "offset points", "ha": "center", "fontsize": 8, "fontweight": "bold", "color": colour}
        axes[0].annotate(str(count), (place, 1.0), (0, 2 + lift), xycoords=("data", "axes fraction"), **note)
        legend.append(f"{count}  {_wrapped(event.name)}")
        last = place
    if legend:
        bottom = axes[-1].get_position().y0
        figure.text(0.815, bottom, "Events\n" + "\n".join(legend), fontsize=8, va="bottom", linespacing=1.35)


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
            _legend(axis)
    axes[0].set_title("Pump and catheter", pad=18.0 if results.events else 8.0)
    axes[-1].set(xlabel=f"time / {unit}", xlim=(time[0], time[-1]))
    if results.events:
        figure.subplots_adjust(top=1 - 0.5 / figure.get_figheight())
    _events(figure, axes, results, unit, time)
    return figure


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
    there = [curve for curve in curves if curve[0] in series and (curve is curves[0] or np.nanmax(np.abs(series[curve[0]].values)) > 0)]
    if axis is None or not there:
        return bool(there)
    time, _ = _clock(results)
    for order, (name, text, colour) in enumerate(there):
        axis.plot(time, series[name].values * SHOWN[unit][1], color=colour, label=text, linewidth=3.0 if colour == palette.TWIN else 1.6, zorder=2 + order)
    axis.set_ylabel(f"{label} / {unit}" if "/" not in unit else f"{label} / ({unit})")
    low, high = axis.get_ylim()
    if low > 0.0 and (high - low) < 0.25 * high:  # noise on a constant must not look like an event
        middle = 0.5 * (low + high)
        axis.set_ylim(0.85 * middle, 1.15 * middle)
    return True


def _flow_panel(results: Results, axis: Axes | None) -> bool:
    drawn = _panel(results, axis, FLOWS, "mL/day", "flow rate")
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


def ledger(results: Results) -> Figure | None:
    """What was filled against where it is: two bars of the same length, with the imbalance written."""
    book = results.summary.get("ledger", {}).get("drug", {})
    filled = book.get("filled_kg") or 0.0
    if filled <= 0.0:
        return None
    entries = [(name, *palette.ACCOUNTS[name], float(book.get(f"{name}_kg") or 0.0)) for name in palette.ACCOUNTS]
    entries = [entry for entry in entries if abs(entry[3]) > TRACE * filled]
    unit = shown_unit(filled, "kg")
    scale = SHOWN[unit][1]
    figure, (axis,) = new_figure(2.55 + 0.17 * ((len(entries) + 2) // 3), right=0.975, left=0.13, bottom=0.44, top=0.86)
    axis.barh(1, filled * scale, 0.62, color=palette.INK)
    axis.text(0.5 * filled * scale, 1, f"filled {say(filled, 'kg', 4)}", ha="center", va="center", color="white", fontweight="bold")
    left = 0.0
    for name, text, colour, value in entries:
        label = f"{text}: {say(value, 'kg')} ({say(value / filled, '%', 2)})"
        axis.barh(0, value * scale, 0.62, left=left, color=colour, edgecolor="white", linewidth=0.8, label=label)
        if value > 0.07 * filled:
            dark = name in ("catheter", "leaked", "liver")
            axis.text(left + 0.5 * value * scale, 0, number(value * scale), ha="center", va="center", color="white" if dark else palette.INK)
        left += value * scale
    axis.set_yticks([1, 0], ["filled", "found"])
    axis.tick_params(axis="y", length=0)
    axis.set(xlim=(0, 1.002 * max(left, filled * scale)), xlabel=f"drug / {unit}")
    axis.grid(False, axis="y")
    axis.set_title("Where the drug went")
    imbalance = book.get("relative_imbalance")
    if imbalance is not None:
        note = f"imbalance {number(abs(imbalance), 2)} of what was filled"
        axis.text(1.0, 1.05, note, transform=axis.transAxes, ha="right", color=palette.QUIET, fontsize=8.5)
    figure.legend(*axis.get_legend_handles_labels(), loc="lower left", bbox_to_anchor=(0.06, 0.01), ncols=2, fontsize=8.5, columnspacing=1.6)
    return figure


def _over_time(series: Series | None, drug: int) -> Floats | None:
    """Values of one drug, (time, ...), or None where nothing was dissolved."""
    if series is None:
        return None
    values = np.take(series.values, drug, axis=series.dims.index("drug"))
    return values if np.nanmax(np.abs(values), initial=0.0) > 0.0 else None


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
    for index, name in enumerate(results.history_coords.get("segment", ()) if tissue is not None else ()):
        style = "-" if index < 8 else (0, (4, 1.5))
        axis.plot(time, tissue[:, index] * SHOWN[unit][1], color=palette.segment_colour(index), label=str(name), linestyle=style)  # type: ignore[index]
    if body is not None:
        axis.plot(time, body * SHOWN[unit][1], color=palette.INK, linestyle=(0, (1.2, 1.2)), label="systemic plasma")
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(lambda value, _: number(value, 1))
    axis.yaxis.set_minor_formatter(lambda value, _: "")
    axis.set_ylim(DECADES * peak * SHOWN[unit][1], 2.0 * peak * SHOWN[unit][1])
    axis.set(xlabel=f"time / {time_unit}", xlim=(time[0], time[-1]), ylabel=f"concentration / ({unit})")
    axis.set_title("Drug in tissue, by segment, and in the body", pad=18.0 if results.events else 8.0)
    _legend(axis)
    if results.events:
        figure.subplots_adjust(top=1 - 0.5 / figure.get_figheight())
        _events(figure, [axis], results, time_unit, time)
    return figure


FIGURES: dict[str, Callable[[Results], Any]] = {
    "dose_by_segment": dose_by_segment,
    "ledger": ledger,
    "pump_and_catheter": pump_and_catheter,
    "concentration": concentration,
    "arterial_waveforms": arterial_waveforms,
}
CAPTIONS = {
    "dose_by_segment": "Drug that the artery brought to each segment, before recirculation; grey: the same run without its faults.",
    "ledger": "The ledger of the drug: every milligram that was filled is found again.",
    "pump_and_catheter": "Pump and catheter over the run; dashed lines are events.",
    "concentration": "Concentration in the tissue of each segment and in systemic plasma.",
    "arterial_waveforms": "The periodic cardiac cycle halfway along the vessels that carry most blood.",
}


def draw(results: Results, folder: Path) -> list[str]:
    """Writes the figures that the run has something for into ``folder``; returns their file names."""
    from matplotlib import rc_context

    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    with rc_context(STYLE):
        for name, function in FIGURES.items():
            figure = function(results)
            if figure is not None:
                figure.savefig(folder / f"{name}.png", metadata={"Title": CAPTIONS[name], "Software": "haiflow"})
                drawn.append(f"{name}.png")
    return drawn
