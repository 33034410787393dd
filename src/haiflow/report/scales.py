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
from haiflow.results.quantities import LADDERS, SHOWN, number, shown_unit
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
    ("drug_delivered_kg_per_m3", "Dose delivered", "kg/m3"),
    ("arterial_perfusion_ml_per_min_per_100ml", "Arterial perfusion", "mL/min/100 mL"),
    ("perfusion_ml_per_min_per_100ml", "Total perfusion", "mL/min/100 mL"),
    ("sinusoid_pressure_pa", "Pressure in the sinusoids", "mmHg"),
)
FOLLOWED = "drug_concentration_kg_per_m3"  # what the frames hold


@dataclass(frozen=True)
class Shown:
    """One quantity of the liver to choose from: ``values`` (m,) in its cells, on ``scale``."""

    key: str
    name: str
    scale: Scale
    values: Floats


def tumours(liver: LiverField) -> NDArray[np.int32]:
    """The number (m,) of the tumour that each cell belongs to; 0: none."""
    return np.asarray(liver.cell_data.get("tumour", np.zeros(len(liver.tetra))), np.int32)


def _of_cells(title: str, unit: str, values: Floats, inside: NDArray[np.bool_]) -> Scale:
    """The scale of one quantity of the liver; a pressure's begins at the least there is."""
    if unit == "mmHg":
        low, high = float(np.nanmin(values)), float(np.nanmax(values, initial=0.0))
        return Scale(f"{title} / {unit}", (low, max(high, low + 1.0)), (0.0, 1.0), False, unit, palette.LEAF)
    return linear(values, inside, title, unit if unit in LADDERS else "", palette.LEAF)


def of_liver(liver: LiverField) -> tuple[Scale, Floats]:
    """The first that :func:`choices` offers: exposure over the run, else concentration, else a perfusion."""
    first = choices(liver)[0]
    return first.scale, first.values


def choices(liver: LiverField) -> list[Shown]:
    """What the liver can be coloured by, per cell: what it has, and is not zero all over; never empty."""
    inside, found = tumours(liver) > 0, []
    for key, title, unit in LIVER_VALUES:
        values = np.asarray(liver.cell_data.get(key, np.zeros(len(liver.tetra))), float)
        followed = key == FOLLOWED and liver.frames is not None
        range_of = np.asarray(liver.frames, float) if followed else values
        if float(np.nanmax(range_of, initial=0.0)) > LEAST:
            found.append(Shown(key, title, _of_cells(title, unit, range_of, inside), values))
    if not found:
        key, title, unit = LIVER_VALUES[3]
        nothing = np.zeros(len(liver.tetra))
        found.append(Shown(key, title, _of_cells(title, unit, nothing, inside), nothing))
    return found


def of_perfusion(liver: LiverField) -> tuple[Scale, Floats]:
    """Arterial perfusion per cell, on a linear scale from zero with the same bend."""
    values = _cells(liver, "arterial_perfusion_ml_per_min_per_100ml")
    return linear(values, tumours(liver) > 0, "Arterial perfusion", "", palette.CIVIDIS), values


def of_livers(livers: Sequence[LiverField]) -> tuple[Scale, list[Floats]]:
    """One scale for several runs, and the values of each: what :func:`of_liver` shows where any of them has drug."""
    for name, title, unit in LIVER_VALUES:
        values = [_cells(liver, name) for liver in livers]
        held = [
            _of_cells(title, unit, each, tumours(liver) > 0)
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
