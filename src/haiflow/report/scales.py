"""Which value a picture is coloured by, over which range, with which ticks: one rule for scene and page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError
from haiflow.ports import Floats
from haiflow.report import palette
from haiflow.results import LiverField, Network
from haiflow.results.quantities import SHOWN, number, shown_unit
from haiflow.results.record import ARTERY

LEAST = 1e-15  # kg/m3: less is no drug
DECADES = 4.0
ALMOST_ALL = 0.995  # of the tissue's cells: what the rest hold may not take the colours away
PERFUSION = "mL/min/100 mL"


@dataclass(frozen=True)
class Scale:
    """Colours over values (SI): ``knots`` lie at ``places`` (0 to 1), logarithmic or linear between them."""

    title: str
    knots: tuple[float, ...]
    places: tuple[float, ...]
    log: bool
    unit: str
    colours: tuple[str, ...]

    def place(self, values: Floats) -> Floats:
        """Where values lie on the scale, from 0 to 1; NaN where there is nothing to show (zero on a log scale)."""
        values = np.asarray(values, float)
        if not self.log:
            return np.interp(values, self.knots, self.places)
        safe = np.where(values > 0.0, values, np.nan)
        return np.interp(np.log(safe), np.log(self.knots), self.places)

    def ticks(self) -> list[tuple[float, str]]:
        """Place (0 to 1) and text of each tick, the outermost first: those that find no room may be left out."""
        if self.log:
            first, last = np.ceil(np.log10(self.knots[0]) - 1e-9), np.floor(np.log10(self.knots[-1]) + 1e-9)
            values = [self.knots[-1], *10.0 ** np.arange(last, first - 0.5, -1.0)]
            texts = [said(value) for value in values]
        else:
            values = [*np.linspace(self.knots[0], self.knots[1], 4), *self.knots[2:]]
            texts = [number(value * SHOWN[self.unit][1], 2) for value in values]
        places = self.place(np.array(values))
        ranked = sorted(zip(places, texts, strict=True), key=lambda tick: -abs(tick[0] - 0.5))
        return [(float(place), text) for place, text in ranked]


def said(concentration: float) -> str:
    """A concentration (kg/m3) in the unit that fits it, two digits."""
    unit = shown_unit(concentration, "kg/m3")
    return f"{number(concentration * SHOWN[unit][1], 2).removesuffix('.0')} {unit}"


def of_network(network: Network) -> tuple[Scale, Floats]:
    """Drug concentration on a logarithmic scale; the flow rate where there is no drug.

    The line holds 1e5 times what the blood holds: the scale gives most of its length to the arteries' range and presses
    the decades between blood and infusate together; its ticks say so.
    """
    drug = np.asarray(network.concentration, float)
    high = float(np.nanmax(drug, initial=0.0))
    if high <= LEAST:
        flow = np.abs(network.flow_rate)
        top = float(np.nanmax(flow, initial=0.0)) or 1e-6
        return Scale("Flow rate / (mL/min)", (0.0, top), (0.0, 1.0), False, "mL/min", palette.FLAME), flow
    blood = float(np.nanmax(drug[network.part == ARTERY], initial=0.0))
    if blood <= LEAST or blood > 0.1 * high:
        low = _decade(drug, high)
        return Scale("Drug concentration", (low, high), (0.0, 1.0), True, "", palette.FLAME), drug
    low = _decade(drug[network.part == ARTERY], blood)
    return Scale("Drug concentration", (low, blood, high), (0.0, 0.62, 1.0), True, "", palette.FLAME), drug


def _decade(values: Floats, high: float) -> float:
    """The lower end of a scale: the smallest value that counts, rounded down to a power of ten."""
    least = values[values > high * 10.0**-DECADES].min()
    return float(10.0 ** np.floor(np.log10(min(least, 0.3 * high))))


LIVER_VALUES = (
    ("exposure_kg_s_per_m3", "Exposure of the tissue", "kg.s/m3"),
    ("drug_concentration_kg_per_m3", "Drug in the tissue", "kg/m3"),
)


def _tumour(liver: LiverField) -> NDArray[np.bool_]:
    return np.asarray(liver.cell_data.get("tumour", np.zeros(len(liver.tetra)))) > 0


def of_liver(liver: LiverField) -> tuple[Scale, Floats]:
    """Exposure over the run, else concentration, else arterial perfusion: per cell, on a linear scale from zero.

    Where a tumour, or a few cells, hold far more than the tissue round them, the scale has a bend at what that holds.
    """
    for name, title, unit in LIVER_VALUES:
        values = _cells(liver, name)
        if float(np.nanmax(values, initial=0.0)) > LEAST:
            return linear(values, _tumour(liver), title, unit, palette.LEAF), values
    scale, values = of_perfusion(liver)
    return Scale(scale.title, (0.0, scale.knots[-1]), (0.0, 1.0), False, "", palette.LEAF), values


def of_perfusion(liver: LiverField) -> tuple[Scale, Floats]:
    """Arterial perfusion per cell, on a linear scale from zero with the same bend."""
    values = _cells(liver, "arterial_perfusion_ml_per_min_per_100ml")
    return linear(values, _tumour(liver), "Arterial perfusion", "", palette.CIVIDIS), values


def of_livers(livers: Sequence[LiverField]) -> tuple[Scale, list[Floats]]:
    """One scale for several runs, and the values of each: what :func:`of_liver` shows where any of them has drug."""
    for name, title, unit in LIVER_VALUES:
        values = [_cells(liver, name) for liver in livers]
        held = [
            linear(each, _tumour(liver), title, unit, palette.LEAF)
            for liver, each in zip(livers, values, strict=True)
            if float(np.nanmax(each, initial=0.0)) > LEAST
        ]
        if held:
            return common(held), values
    found = [of_liver(liver) for liver in livers]
    return common([scale for scale, _ in found]), [values for _, values in found]


def linear(values: Floats, tumour: NDArray[np.bool_], title: str, unit: str, colours: tuple[str, ...]) -> Scale:
    """A scale from zero to the largest of ``values`` (..., m), bent where hardly any tissue holds that much.

    ``unit`` is SI (a ladder of it is chosen from), or empty for a perfusion in mL/min/100 mL.
    """
    high = float(np.nanmax(values, initial=0.0)) or 1.0
    tissue = float(np.nanquantile(values[..., ~tumour], ALMOST_ALL)) if np.any(~tumour) else high
    shown = shown_unit(tissue or high, unit) if unit else ""
    bent = LEAST < tissue < 0.6 * high  # the tissue keeps most of the colours
    knots, places = ((0.0, tissue, high), (0.0, 0.7, 1.0)) if bent else ((0.0, high), (0.0, 1.0))
    return Scale(f"{title} / ({shown or PERFUSION})", knots, places, False, shown, colours)


def _cells(liver: LiverField, name: str) -> Floats:
    return np.asarray(liver.cell_data.get(name, np.zeros(len(liver.tetra))), float)


def common(scales: Sequence[Scale]) -> Scale:
    """One scale that holds all that each of ``scales`` holds: that with the highest end, its other end lowered.

    Raises InputError where they are of different quantities.
    """
    words = {scale.title.partition(" / ")[0] for scale in scales}
    if len(words) > 1:
        raise InputError("runs", " and ".join(sorted(words)), "side by side, runs show the same quantity", "show one")
    widest = max(scales, key=lambda scale: scale.knots[-1])
    low = min(scale.knots[0] for scale in scales)
    return replace(widest, knots=(low, *widest.knots[1:]))
