"""What differs between runs: in what went in, in what came out, and in pictures on one colour scale.

The first run is the one that the others are measured against.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import yaml

from haiflow.errors import HaiflowError, InputError
from haiflow.report import palette
from haiflow.report.page import asset, policy, template
from haiflow.report.sweep import label, shown
from haiflow.report.view import _names, _window, whole
from haiflow.results import Results
from haiflow.results.quantities import number

SAME = 1e-9  # relative: less is round-off
TOLD = 24  # rows on a terminal
WIDEST = 26  # letters of a name or a value there
NOT_COMPARED = ("timing", "solver", "haiflow", "twin", "detection", "split", "numerics")
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Difference:
    """A key with its value in each run; ``change``: of numbers, the largest relative change against the first run."""

    key: str
    values: tuple[Any, ...]
    change: float | None


@dataclass(frozen=True)
class Comparison:
    """Runs by ``names``; ``inputs`` in the order of the scenario, ``outputs`` by the size of their change."""

    names: tuple[str, ...]
    runs: tuple[Results, ...]
    inputs: tuple[Difference, ...]
    outputs: tuple[Difference, ...]
    same: int  # figures that are the same in all runs


def compare(folders: Sequence[str | Path]) -> Comparison:
    """Reads the folders. Raises InputError where there are fewer than two, or one holds no results."""
    if len(folders) < 2:
        raise InputError("DIR", "one folder", "a comparison needs two", "give another folder of results")
    runs = tuple(Results.open(folder) for folder in folders)
    inputs = _differing([dict(flat(_scenario(run))) for run in runs])
    figures = [dict(_figures(run.summary)) for run in runs]
    outputs = sorted(_differing(figures), key=lambda each: -(each.change if each.change is not None else math.inf))
    keys = {key for each in figures for key in each}
    names = tuple(_names(runs))
    if len(set(names)) < len(names):
        names = tuple(str(folder) for folder in folders)
    return Comparison(names, runs, tuple(inputs), tuple(outputs), len(keys) - len(outputs))


def _scenario(run: Results) -> Any:
    return yaml.load(run.scenario_yaml, Loader=LOADER) if run.scenario_yaml else {}


def flat(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted path and value of every leaf."""
    if isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, item in items:
            yield from flat(item, f"{above}.{key}" if above else str(key))
    else:
        yield above, value


def _figures(summary: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in flat({key: value for key, value in summary.items() if key not in NOT_COMPARED}):
        if not key.endswith(("sha256", "relative_imbalance", "scenario.name")):
            yield key, value


def _differing(rows: Sequence[Mapping[str, Any]]) -> list[Difference]:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    found = []
    for key in keys:
        values = tuple(row.get(key) for row in rows)
        change = _change(values)
        if (change is None and any(value != values[0] for value in values)) or (change is not None and change > SAME):
            found.append(Difference(key, values, change))
    return found


def _change(values: Sequence[Any]) -> float | None:
    """The largest relative change against the first; infinite where it was nothing; None where not all are numbers."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return None
    first = float(values[0])
    most = max(abs(float(value) - first) for value in values)
    return most / abs(first) if first else (math.inf if most else 0.0)


def as_text(found: Comparison) -> str:
    """For a terminal: what went in, and the figures that differ most."""
    width = max(12, *(len(name[:WIDEST]) for name in found.names))
    lines = [_line("", found.names, width), "went in:"]
    lines += [_line(f"  {each.key}", [_said(value) for value in each.values], width) for each in found.inputs[:TOLD]]
    lines += ["  (the same)"] if not found.inputs else []
    lines.append(f"came out ({len(found.outputs)} figures differ, {found.same} are the same):")
    for each in found.outputs[:TOLD]:
        lines.append(_line(f"  {each.key}", _cells(each), width) + f"  {_percent(each)}")
    hidden = len(found.outputs) - TOLD
    return "\n".join([*lines, *([f"  and {hidden} more: --html F.html or --json"] if hidden > 0 else [])])


def _line(key: str, cells: Sequence[str], width: int) -> str:
    return f"{key:<58}" + "".join(f" {cell[:WIDEST]:>{width}}" for cell in cells)


def _said(value: Any) -> str:
    if value is None:
        return "–"
    return number(float(value), 4) if isinstance(value, float) else str(value)


def _cells(each: Difference) -> list[str]:
    """The values in the unit of the clinic."""
    if each.change is None:
        return [_said(value) for value in each.values]
    import numpy as np

    unit, values = shown(each.key, np.array(each.values, dtype=float))
    return [f"{number(float(value), 4)}{' ' + unit if unit else ''}" for value in values]


def _percent(each: Difference) -> str:
    if each.change is None:
        return ""
    return "from nothing" if math.isinf(each.change) else f"{100 * each.change:.3g} %"


def as_dict(found: Comparison) -> dict[str, Any]:
    """Plain values for JSON."""

    def row(each: Difference) -> dict[str, Any]:
        change = None if each.change is None or math.isinf(each.change) else each.change
        return {"key": each.key, "values": list(each.values), "relative_change": change}

    return {"runs": list(found.names), "inputs": list(map(row, found.inputs)), "outputs": list(map(row, found.outputs))}


def write(found: Comparison, path: Path) -> list[str]:
    """The page; returns notes on what could not be drawn. Raises InputError for a name that is none of a page."""
    if path.suffix.lower() != ".html" or not path.absolute().parent.is_dir():
        raise InputError(str(path), path.name, "a page ends in .html, in a folder that exists", "name another file")
    picture, notes = _picture(found)
    style = asset("style.css") + asset("sweep.css")
    content = {
        "title": " against ".join(found.names), "style": style, "policy": policy(style, []), "names": found.names,
        "inputs": [(each.key, [_said(value) for value in each.values]) for each in found.inputs],
        "outputs": [(label(each.key), _cells(each), _percent(each)) for each in found.outputs],
        "same": found.same, "bars": segment_bars(found), "picture": picture, "notes": notes,
    }  # fmt: skip
    page = str(template("compare.html.j2").render(**content))

    def put(beside: Path) -> None:
        beside.write_text(page, encoding="utf-8")

    whole(path, put)
    return notes


def _picture(found: Comparison) -> tuple[str, list[str]]:
    """The runs side by side on one colour scale, as a data address; nothing where they cannot be drawn."""
    if any(run.network is None and run.liver is None for run in found.runs):
        return "", ["no picture: a run has neither network nor liver in 3D (a sweep's variant: run its scenario.yaml)"]
    from haiflow.report import compare as side_by_side

    try:
        window = _window()
        image = side_by_side.picture(found.runs, found.names, window)
        window.close()
    except HaiflowError as error:
        return "", [f"no picture: {error}"]
    stream = io.BytesIO()
    image.save(stream, format="PNG", compress_level=6)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}", []


LEFT, WIDE, THICK = 110, 620, 13


def segment_bars(found: Comparison) -> str:
    """Drug delivered to each segment and tumour, a bar a run, all on one scale."""
    rows = [{str(row["name"]): row.get("drug_delivered_kg") for row in run.segment_rows} for run in found.runs]
    names = list(dict.fromkeys(name for row in rows for name in row))
    most = max((value or 0.0 for row in rows for value in row.values()), default=0.0)
    if not names or most <= 0.0:
        return ""
    parts, step = [], THICK * len(rows) + 10
    for place, name in enumerate(names):
        y = place * step + 4
        parts.append(f'<text x="{LEFT - 8}" y="{y + step / 2}" text-anchor="end">{escape(name)}</text>')
        for index, row in enumerate(rows):
            value = row.get(name) or 0.0
            top, colour = y + index * THICK, palette.LINES[index % len(palette.LINES)]
            long = WIDE * value / most
            parts.append(f'<rect x="{LEFT}" y="{top}" width="{long:.1f}" height="{THICK - 2}" fill="{colour}"/>')
            words = f"{1e6 * value:.4g} mg, {found.names[index][:WIDEST]}"
            parts.append(f'<text class="value" x="{LEFT + long + 5:.1f}" y="{top + 10}">{escape(words)}</text>')
    width, height = LEFT + WIDE + 260, len(names) * step + 8
    return (
        f'<svg class="bars-svg" role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f"<title>Drug delivered by segment, in each run</title>{''.join(parts)}</svg>"
    )
