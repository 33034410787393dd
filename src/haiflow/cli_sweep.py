"""``haiflow run`` of a sweep: what it says, and how it ends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from haiflow.scenario.sweeps.swept import Swept


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
