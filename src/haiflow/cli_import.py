"""``haiflow import``: networks of other programs as scenarios. Loaded with its readers only when it is called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from haiflow.scenario.imports.scenario_file import Reader

OUTPUT = click.option("-o", "--output", metavar="FILE", help="Scenario to write; left out, MODEL-haiflow.yaml here.")
FORCE = click.option("--force", is_flag=True, help="Replace an existing FILE.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")


@click.group("import")
def import_() -> None:
    """Turn a network of another program into a scenario; what is not taken over as it is is said."""


def told(deck: str, output: str | None, reader: Reader, peer: str, force: bool, as_json: bool) -> int:
    """Import and say what came of it: messages on standard error, one JSON object where asked for."""
    from haiflow.scenario.imports.scenario_file import import_file

    file = Path(output) if output is not None else Path(f"{Path(deck).stem}-haiflow.yaml")
    done = import_file(Path(deck), file, reader, peer, force=force)
    for warning in done.warnings:
        click.echo(f"warning: {warning}", err=True)
    size = f"{done.vessels} vessels, {done.outlets} outlets"
    click.echo(f"{file}: written, {size}, {len(done.warnings)} warnings; next: haiflow check {file}", err=True)
    if as_json:
        found: dict[str, Any] = {"status": "written", "output": str(file), "vessels": done.vessels}
        click.echo(json.dumps(found | {"outlets": done.outlets, "warnings": done.warnings}))
    return 0


@import_.command()
@click.argument("model", metavar="MODEL.yml")
@OUTPUT
@FORCE
@AS_JSON
def openbf(model: str, output: str | None, force: bool, as_json: bool) -> int:
    """An openBF deck with its inlet file (keys of version 1 or 2, SI)."""
    from haiflow.scenario.imports.openbf import read

    return told(model, output, read, "openBF", force, as_json)


@import_.command()
@click.argument("model", metavar="MODEL.in")
@OUTPUT
@FORCE
@AS_JSON
def svoned(model: str, output: str | None, force: bool, as_json: bool) -> int:
    """A svOneDSolver deck (cards, CGS units)."""
    from haiflow.scenario.imports.svoned import read

    return told(model, output, read, "svOneDSolver", force, as_json)


@import_.command()
@click.argument("model", metavar="MODEL.json")
@OUTPUT
@FORCE
@AS_JSON
def svzerod(model: str, output: str | None, force: bool, as_json: bool) -> int:
    """A svZeroDSolver deck (JSON, CGS units), as 1D vessels where it has the geometry, else as lumped elements."""
    from haiflow.scenario.imports.svzerod import read

    return told(model, output, read, "svZeroDSolver", force, as_json)
