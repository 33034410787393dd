"""The table of variants: a row each with its inputs, its figures, and whether it meets the criteria; as CSV too."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from haiflow.batch.figures import FIGURES, figures
from haiflow.batch.layout import Layout
from haiflow.batch.plan import Batch
from haiflow.criteria import Criterion, parse_criterion
from haiflow.ports import Floats
from haiflow.scenario.sweeps.axes import Cell

COMPLETE, STOPPED, FAILED, MISSING = "complete", "stopped", "failed", "missing"


@dataclass(frozen=True)
class Table:
    """``names`` and ``status`` of each variant; ``inputs`` by header (numbers as arrays, texts as lists); ``values``
    by figure (NaN where there is none); ``messages`` of those that failed."""

    names: list[str]
    status: list[str]
    inputs: dict[str, Floats | list[str]]
    values: dict[str, Floats]
    messages: dict[int, str]
    criteria: tuple[Criterion, ...]
    order: tuple[str, ...]  # inputs that stand in the file

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def met(self) -> dict[str, Floats]:
        """By criterion's text: 1 met, 0 not; NaN where the variant failed."""
        ran = np.array([status in (COMPLETE, STOPPED) for status in self.status])
        found = {}
        for criterion in self.criteria:
            values = self.values.get(criterion.name, np.full(len(self), math.nan))
            met = np.array([criterion.met(None if math.isnan(value) else float(value)) for value in values])
            found[criterion.text] = np.where(ran, met, math.nan)
        return found

    @cached_property
    def rank(self) -> Floats:
        """1 is best: most criteria met, then the widest margin of the tightest; the rest in their order."""
        n = len(self)
        count = np.zeros(n)
        margin = np.full(n, math.inf)
        for criterion in self.criteria:
            count += np.nan_to_num(self.met[criterion.text])
            values = self.values.get(criterion.name, np.full(n, math.nan))
            scale = abs(criterion.limit) or 1.0
            sign = 1.0 if criterion.sign.startswith(">") else -1.0
            with np.errstate(invalid="ignore"):
                own = sign * (values - criterion.limit) / scale
            margin = np.fmin(margin, np.where(np.isnan(own), -math.inf, own))
        ran = np.array([status == COMPLETE for status in self.status])
        order = np.lexsort((np.arange(n), -margin, -count, ~ran))
        rank = np.empty(n)
        rank[order] = np.arange(1, n + 1)
        return rank


def read_table(batch: Batch) -> Table:
    """The table of a batch, from what lies in its folder; a variant at a time."""
    design, n = batch.swept.design, batch.count
    criteria = tuple(parse_criterion(text) for text in _required(batch))
    columns = {column.header: column for column in design.columns}
    cells: dict[str, list[Cell]] = {header: [] for header in columns}
    names = [design.name(index) for index in range(n)]
    values = {name: np.full(n, math.nan) for name in {**FIGURES, **{each.name: None for each in criteria}}}
    failures, status, messages = batch.layout.failures(), [MISSING] * n, {}
    for index, name in enumerate(names):
        for header, cell in design.cells(index).items():
            cells[header].append(cell)
        summary = read_summary(batch.layout.folder / name)
        if summary is not None:
            status[index] = str(summary.get("status", COMPLETE))
            for figure, value in figures(summary, criteria).items():
                values[figure][index] = math.nan if value is None else value
            if status[index] == STOPPED:
                messages[index] = str((summary.get("stopped") or {}).get("reason", ""))
        elif name in failures:
            status[index], messages[index] = FAILED, str(failures[name].get("message", ""))
    told = {name: array for name, array in values.items() if not np.isnan(array).all()}
    return Table(names, status, {key: _column(each) for key, each in cells.items()}, told, messages, criteria,
                 tuple(columns))  # fmt: skip


def _required(batch: Batch) -> list[str]:
    given = batch.swept.document.root.get("require") or []
    return [given] if isinstance(given, str) else list(given)


def read_summary(folder: Path) -> dict[str, Any] | None:
    """A variant's summary; None where it is not complete."""
    with suppress(OSError, ValueError):
        return dict(json.loads((folder / "summary.json").read_bytes()))
    return None


def _column(cells: list[Cell]) -> Floats | list[str]:
    """Numbers where all are, or are missing; else texts."""
    if all(cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool)) for cell in cells):
        return np.array([math.nan if cell is None else float(cell) for cell in cells])
    texts: dict[str, str] = {}
    return [texts.setdefault(text, text) for text in ("" if cell is None else str(cell) for cell in cells)]


def write_table(table: Table, layout: Layout) -> None:
    """``variants.csv``: the unit stands in each column's name; what is not there is an empty field."""
    partial = layout.aside("variants.csv")
    met = {f"meets {text}": values for text, values in table.met.items()}
    ranked = {"rank": table.rank} if table.criteria else {}
    header = ["variant", "status", *ranked, *table.inputs, *met, *table.values, "message"]
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for index in range(len(table)):
            numbers = [_written(values[index]) for values in met.values()]
            row = [table.names[index], table.status[index], *(int(each[index]) for each in ranked.values())]
            row += [_written(values[index]) for values in table.inputs.values()]
            writer.writerow([*row, *numbers, *_figures(table, index), table.messages.get(index, "")])
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, layout.folder / "variants.csv")


def _figures(table: Table, index: int) -> Iterator[str]:
    for values in table.values.values():
        yield _written(values[index])


def _written(value: Any) -> str:
    """A number with all its digits, whole ones without a point."""
    if isinstance(value, str):
        return value
    number = float(value)
    if not math.isfinite(number):
        return "" if math.isnan(number) else repr(number)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
