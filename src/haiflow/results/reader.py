"""Reads an output folder back into the record."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from haiflow.errors import InputError
from haiflow.results import frames, junction, netcdf, scan, vtk
from haiflow.results.record import Event, Finding, LiverField, Presenter, Results


def _value(text: str) -> float | str | None:
    if text == "":
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        name = (reader.fieldnames or [""])[0]
        return [{key: text if key == name else _value(text) for key, text in row.items()} for row in reader]


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        value = json.loads((folder / name).read_text(encoding="utf-8"))
    except OSError as error:
        remedy = "give a folder that haiflow run wrote"
        raise InputError(str(folder), error.strerror, f"a folder of results has {name}", remedy) from error
    except ValueError as error:
        raise InputError(str(folder / name), str(error), "must be JSON", "run the scenario again") from error
    return dict(value)


def _liver(folder: Path) -> LiverField | None:
    liver = vtk.read_liver(folder / "perfusion.vtu")
    if liver is None:
        return None
    times, series = frames.read(folder)
    return replace(liver, times=times, frames=series)


def read(folder: Path, presenter: Presenter | None = None) -> Results:
    """The record in ``folder``; raises InputError where it is not a folder of results."""
    summary, record = _json(folder, "summary.json"), _json(folder, "run.json")
    history, history_coords = netcdf.read(folder / "history.nc")
    cycle, cycle_coords = netcdf.read(folder / "cycle.nc")
    scenario = folder / "scenario.yaml"
    return Results(
        summary=summary,
        segment_rows=_rows(folder / "segments.csv"),
        vessel_rows=_rows(folder / "vessels.csv"),
        history_series=history,
        history_coords=history_coords,
        cycle_series=cycle,
        cycle_coords=cycle_coords,
        network=vtk.read_network(folder / "network.vtp"),
        liver=_liver(folder),
        scan=scan.read(folder / "scan.nc"),
        junction=junction.read(folder),
        events=[Event(**event) for event in record.pop("events", [])],
        verdict=[Finding(**finding) for finding in record.pop("verdict", [])],
        inputs=record.pop("inputs", []),
        scenario_yaml=scenario.read_text(encoding="utf-8") if scenario.exists() else "",
        provenance=record,
        presenter=presenter,
        folder=folder.absolute(),
    )
