"""Results stand in the order of the scenario's file, whatever numbers the solver gives its vessels and nodes.

A large network is solved in the order of its branches (:mod:`haiflow.arteries.branch_order`). Who reads a table row by
row beside the file must find the row that the file has there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from haiflow.results.record import Series
from haiflow.scenario import model as given

Row = TypeVar("Row")


def rows_in_file_order(rows: dict[str, Row], arteries: given.Arteries) -> dict[str, Row]:
    """Rows by vessel in the file's order of vessels."""
    return {name: rows[name] for name in arteries.network.vessels if name in rows}


def summary_in_file_order(summary: dict[str, Any], arteries: given.Arteries) -> dict[str, Any]:
    """The same of all rows by vessel in a summary."""
    by_vessel = [key for key in ("arteries", "off_target") if key in summary]
    return summary | {key: rows_in_file_order(summary[key], arteries) for key in by_vessel}


def series_in_file_order(
    series: Mapping[str, Series], coords: Mapping[str, Any], arteries: given.Arteries
) -> tuple[dict[str, Series], dict[str, Any]]:
    """Series and coordinates with their dimensions ``vessel`` and ``terminal`` in the file's order."""
    ordered, series = dict(coords), dict(series)
    for dim, names in (("vessel", arteries.network.vessels), ("terminal", arteries.network.nodes)):
        if dim not in coords:
            continue
        place = _places(coords[dim], list(names))
        ordered[dim] = [coords[dim][index] for index in place]
        for name, each in series.items():
            if dim in each.dims:
                series[name] = replace(each, values=np.take(each.values, place, axis=each.dims.index(dim)))
    return series, ordered


def _places(there: Sequence[str], wanted: Sequence[str]) -> list[int]:
    place = {name: index for index, name in enumerate(there)}
    return [place[name] for name in wanted if name in place]
