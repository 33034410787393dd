"""What each drawing process is handed: a large network's record is gigabytes, and a picture shows little of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from haiflow.results import Results
from haiflow.results.record import Series

WAVEFORMS = 6  # vessels whose pulse is drawn


def busiest(results: Results) -> NDArray[np.intp]:
    """Indices of the vessels that carry most, halfway along; of a mean flow rate either way."""
    flow = results.cycle_series["flow_rate"].values
    mean = flow[:, :, flow.shape[2] // 2].mean(axis=0)
    return np.argsort(-np.abs(mean), kind="stable")[:WAVEFORMS]


def to_scene(results: Results) -> Results:
    """Network, liver and junction."""
    return replace(
        results, presenter=None, cycle_series={}, cycle_coords={}, history_series={}, history_coords={}, inputs=[],
        scenario_yaml="",
    )  # fmt: skip


def to_figures(results: Results) -> Results:
    """All but the network in 3D; the cardiac cycle of the vessels that are drawn."""
    if not results.cycle_series:
        return replace(results, presenter=None, network=None, scenario_yaml="")
    chosen = busiest(results)
    series = {
        name: Series(item.dims, item.values[:, chosen], item.unit, item.long_name)
        for name, item in results.cycle_series.items()
    }
    names = results.cycle_coords["vessel"]
    coords = {**results.cycle_coords, "vessel": [names[index] for index in chosen]}
    return replace(results, presenter=None, network=None, scenario_yaml="", cycle_series=series, cycle_coords=coords)


HANDED = {"scene": to_scene, "figures": to_figures}
