"""``haiflow compare``: what differs between runs."""

from __future__ import annotations

import json
from pathlib import Path

import click

from haiflow.cli_options import AS_JSON, WRITTEN


@click.command()
@click.argument("folders", metavar="DIR DIR...", nargs=-1, required=True)
@click.option("--html", metavar="F.html", type=WRITTEN, help="Write a page with tables and pictures.")
@AS_JSON
def compare(folders: tuple[str, ...], html: str | None, as_json: bool) -> int:
    """Say what differs between runs: in what went in, and in what came out."""
    from haiflow.report import differences

    found = differences.compare(folders)
    if html is not None:
        for note in differences.write(found, Path(html)):
            click.echo(note, err=True)
        click.echo(f"{html}: written", err=True)
    click.echo(json.dumps(differences.as_dict(found)) if as_json else differences.as_text(found))
    return 0
