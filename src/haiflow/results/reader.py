"""Reads an output folder back into the record."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from haiflow.errors import InputError
from haiflow.results import frames, junction, netcdf, scan, vtk
from haiflow.results.record import Event, Finding, LiverField, Presenter, Results
from haiflow.results.sums import refuse_changed


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


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """The mapping in a file of ``folder``; raises InputError where there is none."""
    try:
        value = json.loads((folder / name).read_text(encoding="utf-8"))
    except OSError as error:
        remedy = "give a folder that haiflow run wrote"
        found = f"no {name} in it" if folder.is_dir() and not (folder / name).exists() else error.strerror
        raise InputError(str(folder), found, f"a folder of results has {name}", remedy) from error
    except (ValueError, RecursionError) as error:
        raise InputError(str(folder / name), str(error), "must be JSON", "run the scenario again") from error
    if not isinstance(value, dict):
        raise InputError(str(folder / name), type(value).__name__, "must be a mapping", "run the scenario again")
    return value


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Whatever a reader of files stumbles over (meshio ends the process) is a file that haiflow did not write so."""
    try:
        yield
    except InputError:
        raise
    except (SystemExit, Exception) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        rule = "cannot be read as what haiflow writes there"
        raise InputError(str(path), reason, rule, "run the scenario again") from None


def _liver(folder: Path) -> LiverField | None:
    liver = vtk.read_liver(folder / "perfusion.vtu")
    if liver is None:
        return None
    times, series = frames.read(folder)
    return replace(liver, times=times, frames=series)


def read(folder: Path, presenter: Presenter | None = None) -> Results:
    """The record in ``folder``; raises InputError where it is not a folder of results."""
    summary, record = read_json(folder, "summary.json"), read_json(folder, "run.json")
    refuse_changed(folder, record.pop("files", None))
    found: dict[str, Any] = {}
    with _decoding(folder / "history.nc"):
        found["history_series"], found["history_coords"] = netcdf.read(folder / "history.nc")
    with _decoding(folder / "cycle.nc"):
        found["cycle_series"], found["cycle_coords"] = netcdf.read(folder / "cycle.nc")
    for attribute, name, call in (
        ("segment_rows", "segments.csv", _rows), ("vessel_rows", "vessels.csv", _rows), ("scan", "scan.nc", scan.read),
        ("network", "network.vtp", vtk.read_network), ("scenario_yaml", "scenario.yaml", _text),
    ):  # fmt: skip
        with _decoding(folder / name):
            found[attribute] = call(folder / name)
    with _decoding(folder / "perfusion.vtu"):
        found["liver"] = _liver(folder)
    with _decoding(folder / junction.FILE):
        found["junction"] = junction.read(folder)
    with _decoding(folder / "run.json"):
        found["events"] = [Event(**event) for event in record.pop("events", [])]
        found["verdict"] = [Finding(**finding) for finding in record.pop("verdict", [])]
        found["inputs"] = [dict(row) for row in record.pop("inputs", [])]
    with _decoding(folder / "summary.json"):
        return Results(summary=summary, provenance=record, presenter=presenter, folder=folder.absolute(), **found)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
