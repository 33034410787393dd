"""When no variant is missing: the table, the array of histories, the report, and where all of it comes from."""

from __future__ import annotations

import json
import platform
from typing import Any

import numpy as np

import haiflow
from haiflow.batch.histories import write_histories
from haiflow.batch.layout import sync
from haiflow.batch.plan import Batch
from haiflow.batch.record import effects, record_of, write_effects
from haiflow.batch.table import COMPLETE, STOPPED, Table, read_table, write_table
from haiflow.batch.view import View
from haiflow.kernels import LEVEL
from haiflow.report.sweep import render


def gather(batch: Batch, view: View) -> int:
    """Writes variants.csv, histories.nc, report.html and run.json; returns how many variants stopped early."""
    view.stage("table of variants")
    table = read_table(batch)
    write_table(table, batch.layout)
    view.stage("histories")
    note = write_histories(batch, table)
    record = account(batch, table, [note] if note else [])
    view.stage("report")
    found = effects(batch, table)
    write_effects(found, batch.layout)
    batch.layout.put("report.html", render(record_of(batch, table, record, found)))
    batch.layout.put("run.json", json.dumps(record, indent=2) + "\n")
    sync(batch.layout.folder)
    return table.status.count(STOPPED)


def account(batch: Batch, table: Table, notes: list[str]) -> dict[str, Any]:
    """Where the batch comes from, and how it stands."""
    plan = json.loads(batch.layout.plan.read_text(encoding="utf-8"))
    return {
        "haiflow": haiflow.__version__,
        "kernels": LEVEL,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "batch_sha256": plan["identity"],
        "scenario_file": batch.swept.path.name if batch.swept.path is not None else None,
        "settings": plan["settings"],
        "seed": plan["seed"],
        "variants": {
            "total": len(table),
            **{status: table.status.count(status) for status in (COMPLETE, STOPPED, "failed", "missing")},
        },
        "require": [criterion.text for criterion in table.criteria],
        "warnings": notes,
    }
