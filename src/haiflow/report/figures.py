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

from haiflow.report import liver_figures, palette
from haiflow.report.canvas import STYLE, legend, new_figure
from haiflow.report.handed import busiest
from haiflow.report.timecourse import concentration, pump_and_catheter
from haiflow.results import Results
from haiflow.results.quantities import SHOWN, closure, number, say, shown_unit
from haiflow.results.verdict import delivered

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TRACE = 1e-9  # of what was filled: an account below this is not drawn in the ledger


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
    axis.set_ylim(0, (1.22 if twin else 1.1) * float(np.nanmax(top)))
    axis.set(xlabel="Couinaud segment", ylabel=f"drug delivered by the artery / {unit}")
    axis.set_title("Dose by segment")
    axis.grid(False, axis="x")
    if twin:
        axis.legend(loc="upper left", ncols=2, fontsize=8.5)
    return figure


def _bar_label(axis: Axes, place: int, top: float, value: float, plan: float) -> None:
    axis.annotate(
        number(value), (place, top), (0, 14 if plan else 3), textcoords="offset points", ha="center", fontweight="bold"
    )
    if plan:
        change = round(100.0 * (value / plan - 1.0))
        text, colour = (
            (f"{change:+d} %".replace("-", "−"), palette.SEVERITY["alarm"]) if change else ("same", palette.QUIET)
        )
        axis.annotate(text, (place, top), (0, 3), textcoords="offset points", ha="center", fontsize=8, color=colour)


def arterial_waveforms(results: Results) -> Figure | None:
    """Flow rate and pressure over the cardiac cycle, halfway along the vessels that carry most."""
    flow, pressure = results.cycle_series.get("flow_rate"), results.cycle_series.get("pressure")
    if flow is None or pressure is None:
        return None
    names = [str(name) for name in results.cycle_coords["vessel"]]
    station = flow.values.shape[2] // 2
    chosen = busiest(results)
    figure, (upper, lower) = new_figure(4.4, 2)
    time = np.asarray(results.cycle_coords["time"], float)
    for colour, vessel in zip(palette.LINES, chosen, strict=False):
        label = "\n".join(textwrap.wrap(palette.in_words(names[vessel]), 17))
        upper.plot(time, flow.values[:, vessel, station] * SHOWN["mL/min"][1], color=colour, label=label)
        lower.plot(time, pressure.values[:, vessel, station] * SHOWN["mmHg"][1], color=colour)
    upper.set_title("The arterial pulse, before any fault" if results.detection else "The arterial pulse")
    upper.set_ylabel("flow rate / (mL/min)")
    lower.set(ylabel="pressure / mmHg", xlabel="time in the cardiac cycle / s", xlim=(time[0], time[-1]))
    if np.min(flow.values[:, chosen, station]) >= 0.0:
        upper.set_ylim(bottom=0)
    legend(upper)
    return figure


def ledger(results: Results) -> Figure | None:
    """What was filled against where it is: two bars of the same length, with the imbalance written."""
    book = results.summary.get("ledger", {}).get("drug", {})
    filled = book.get("filled_kg") or 0.0
    if filled <= 0.0:
        return None
    pieces = _ledger_pieces(book, filled)
    unit = shown_unit(filled, "kg")
    below = 0.62 + 0.2 * ((len(pieces) + 1) // 2)  # inches for axis and legend
    height = below + 1.6
    figure, (axis,) = new_figure(height, right=0.975, left=0.13, bottom=below / height, top=1.0 - 0.36 / height)
    _ledger_bars(axis, pieces, filled, SHOWN[unit][1])
    axis.set_yticks([1, 0], ["filled", "found"])
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel(f"drug / {unit}")
    axis.grid(False, axis="y")
    axis.set_title("Where the drug went")
    imbalance = book.get("relative_imbalance")
    if imbalance is not None:
        note = f"imbalance {closure(imbalance)} of what was filled"
        axis.text(1.0, 1.05, note, transform=axis.transAxes, ha="right", color=palette.QUIET, fontsize=8.5)
    handles = axis.get_legend_handles_labels()
    figure.legend(*handles, loc="lower left", bbox_to_anchor=(0.06, 0.0), ncols=2, fontsize=8.5, columnspacing=1.6)
    return figure


Piece = tuple[str, str, str, float]  # account, words, colour, kg


def _ledger_pieces(book: dict[str, Any], filled: float) -> list[Piece]:
    """The accounts that hold drug; what is missing is an account too."""
    pieces = [(name, *palette.ACCOUNTS[name], float(book.get(f"{name}_kg") or 0.0)) for name in palette.ACCOUNTS]
    pieces.append(("missing", "not found", palette.MISSING, filled - sum(piece[3] for piece in pieces)))
    return [piece for piece in pieces if piece[3] > TRACE * filled]


def _ledger_bars(axis: Axes, pieces: list[Piece], filled: float, scale: float) -> None:
    middle: dict[str, Any] = {"ha": "center", "va": "center"}
    axis.barh(1, filled * scale, 0.62, color=palette.INK)
    axis.text(0.5 * filled * scale, 1, f"filled {say(filled, 'kg', 4)}", color="white", fontweight="bold", **middle)
    left = 0.0
    for name, words, colour, value in pieces:
        label = f"{words}: {say(value, 'kg')} ({say(value / filled, '%', 2)})"
        axis.barh(0, value * scale, 0.62, left=left, color=colour, edgecolor="white", linewidth=0.8, label=label)
        if value > 0.07 * filled:
            ink = "white" if name in palette.DARK_ACCOUNTS else palette.INK
            axis.text(left + 0.5 * value * scale, 0, number(value * scale), color=ink, **middle)
        left += value * scale
    axis.set_xlim(0, 1.002 * max(left, filled * scale))


FIGURES: dict[str, Callable[[Results], Any]] = {
    "dose_by_segment": dose_by_segment,
    "ledger": ledger,
    "pump_and_catheter": pump_and_catheter,
    "concentration": concentration,
    "arterial_waveforms": arterial_waveforms,
} | liver_figures.FIGURES
CAPTIONS = {
    "dose_by_segment": "Drug brought to each segment by its artery, before recirculation; grey: without the faults.",
    "ledger": "The ledger of the drug: every milligram that was filled is found again.",
    "pump_and_catheter": "Pump and catheter over the run; dashed lines are events.",
    "concentration": "Concentration in the tissue of each segment and in systemic plasma.",
    "arterial_waveforms": "The periodic cardiac cycle halfway along the vessels that carry most blood.",
} | liver_figures.CAPTIONS


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
