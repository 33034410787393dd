"""``haiflow import``: networks of other programs as scenarios. Loaded with its readers only when it is called."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from haiflow.cli_options import AS_JSON, WRITTEN
from haiflow.errors import InputError

if TYPE_CHECKING:
    from haiflow.scenario.imports.scenario_file import Reader


def reading(command: Callable[..., int]) -> Callable[..., int]:
    """With the options of every reader, which are those of :func:`told`."""
    output = click.option(
        "-o", "--output", metavar="FILE", type=WRITTEN, help="Scenario to write; left out, MODEL-haiflow.yaml here."
    )
    return output(click.option("--force", is_flag=True, help="Replace an existing FILE.")(AS_JSON(command)))


@click.group("import")
def import_() -> None:
    """Turn a network of another program into a scenario; what is not taken over as it is is said."""


def told(deck: str, reader: Reader, peer: str, *, output: str | None, force: bool, as_json: bool) -> int:
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
@reading
def openbf(model: str, **options: Any) -> int:
    """An openBF deck with its inlet file (keys of version 1 or 2, SI)."""
    from haiflow.scenario.imports.openbf import read

    return told(model, read, "openBF", **options)


@import_.command()
@click.argument("model", metavar="MODEL.in")
@reading
def svoned(model: str, **options: Any) -> int:
    """A svOneDSolver deck (cards, CGS units)."""
    from haiflow.scenario.imports.svoned import read

    return told(model, read, "svOneDSolver", **options)


@import_.command()
@click.argument("model", metavar="MODEL.json")
@reading
def svzerod(model: str, **options: Any) -> int:
    """A svZeroDSolver deck (JSON, CGS units), as 1D vessels where it has the geometry, else as lumped elements."""
    from haiflow.scenario.imports.svzerod import read

    return told(model, read, "svZeroDSolver", **options)


@import_.command()
@click.argument("model", metavar="CENTERLINE.vtp")
@click.option("--unit", type=click.Choice(["m", "cm", "mm"]), help="Of the file's points; left out, mm.")
@click.option("--inflow", metavar="FLOW", help="Mean flow rate at the inlet, e.g. '400 mL/min'.")
@click.option("--wave-speed", metavar="SPEED", help="Of every wall, e.g. '8 m/s'.")
@click.option("--radius-array", metavar="NAME", help="Of the points; left out, MaximumInscribedSphereRadius.")
@reading
def vmtk(
    model: str, unit: str | None, inflow: str | None, wave_speed: str | None, radius_array: str | None,
    **options: Any,
) -> int:  # fmt: skip
    """Centre lines of VMTK or Slicer with a radius array, whole or split at bifurcations."""
    from haiflow.scenario.imports.vmtk import Assumed, reader

    flow, speed = positive("--inflow", inflow, "flow_rate"), positive("--wave-speed", wave_speed, "velocity")
    return told(model, reader(Assumed(unit, flow, speed, radius_array)), "VMTK", **options)


def positive(option: str, given: str | None, dimension: str) -> float | None:
    """An option that is a positive quantity with its unit, in SI; bounds and words are those of a scenario's keys."""
    from haiflow.scenario.schema.fields import Quantity
    from haiflow.units import UnitError

    if given is None:
        return None
    try:
        return Quantity(dimension, above=0.0).read(given)
    except UnitError as error:
        raise InputError(option, given, error.rule, error.remedy) from None
