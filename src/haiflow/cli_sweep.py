"""``haiflow run`` of a sweep: what it says, and how it ends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from haiflow.scenario.load import Scenario
    from haiflow.scenario.sweeps.swept import Swept


def is_complete(folder: Path) -> bool:
    """Whether a folder holds a single run's results."""
    return (folder / "summary.json").is_file() and (folder / "run.json").is_file()


def already(scenario: Scenario, folder: Path) -> dict[str, Any] | None:
    """How the run of ``scenario`` that ``folder`` holds went; None where it holds none. Raises InputError where it is
    another scenario's."""
    from haiflow.errors import InputError
    from haiflow.results.reader import read_json
    from haiflow.results.sums import refuse_changed

    if not is_complete(folder):
        return None
    summary, record = read_json(folder, "summary.json"), read_json(folder, "run.json")
    about = summary.get("scenario")
    if not isinstance(about, dict) or about.get("sha256") != scenario.sha256:
        raise InputError(
            str(folder), "exists", "holds the run of another scenario", "give another -o, or --force to replace it"
        )
    refuse_changed(folder, record.get("files"))
    status = str(summary.get("status", "complete"))
    return {"name": scenario.name, "output": str(folder), "status": status, "seconds": 0.0, "summary": summary}


def run_sweep(
    path: str, swept: Swept, folder: Path, settings: Sequence[str], *, quiet: bool, **options: Any
) -> dict[str, Any]:
    """Run a sweep into its folder and say how it stands."""
    from haiflow.batch import command
    from haiflow.scenario.overrides import split_assignment

    given = dict(split_assignment(text) for text in settings)
    try:
        report = command.run_sweep(path, swept, folder, given, quiet=quiet, **options)
    except KeyboardInterrupt:
        click.echo(f"{swept.name}: all variants that are complete are kept; --resume goes on", err=True)
        raise
    if not quiet or report.status == "some failed":
        failed = f", {report.failed + report.stopped} failed" if report.failed + report.stopped else ""
        click.echo(
            f"{swept.name}: {report.complete} of {report.total} complete{failed}, {report.seconds:.1f} s", err=True
        )
        if report.status == "incomplete":
            click.echo("  the rest is left to other shards, or to --resume", err=True)
        else:
            click.echo(f"  {folder / 'variants.csv'}, report: {folder / 'report.html'}", err=True)
    return {"name": swept.name, "output": str(folder), "status": report.status, **vars(report)}
