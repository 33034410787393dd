"""The commands, one function each; no physics. At the top only the standard library and click: ``--help`` is quick."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from haiflow.cli_compare import compare
from haiflow.cli_exit import DONE, SOME_FAILED, guarded, say
from haiflow.cli_import import import_
from haiflow.cli_mesh import mesh
from haiflow.cli_options import AS_JSON, SCENARIOS, SETTINGS, WRITTEN
from haiflow.cli_run import load_all, run
from haiflow.cli_verify import verify


def show_version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    """``--version``; the version is looked up only when asked for."""
    if asked:
        import haiflow

        click.echo(f"haiflow {haiflow.__version__}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=show_version, help="Print the version."
)
def commands() -> None:
    """Physics-based simulation of hepatic artery infusion: from the pump, through catheter and arteries, to the liver.

    Start with: haiflow new scenario.yaml; haiflow check scenario.yaml; haiflow run scenario.yaml -o DIR

    For research and engineering. Not for clinical use: nothing it prints is medical advice or a basis for a dose.
    """


@commands.command()
@SCENARIOS
@SETTINGS
@AS_JSON
def check(scenarios: tuple[str, ...], settings: tuple[str, ...], as_json: bool) -> int:
    """Check scenarios and print the plan; run nothing."""
    from haiflow.scenario.load import Scenario
    from haiflow.scenario.plan import plan
    from haiflow.scenario.sweeps.outlook import Outlook, outlook

    loaded = load_all(scenarios, settings)
    plans = [plan(each) if isinstance(each, Scenario) else outlook(each) for each in loaded]
    failing = any(isinstance(each, Outlook) and each.bad for each in plans)
    if as_json:
        status = "some variants fail" if failing else "sound"
        click.echo(json.dumps({"status": status, "plans": [each.as_dict() for each in plans]}))
    else:
        click.echo("\n".join(each.text() for each in plans))
    return SOME_FAILED if failing else DONE


@commands.command()
@click.argument("file", metavar="FILE", required=False, type=WRITTEN)
@click.option("--template", metavar="NAME", default="baseline", show_default=True, help="Which scenario to start from.")
@click.option("--list", "listing", is_flag=True, help="List the templates.")
@click.option("--force", is_flag=True, help="Replace an existing FILE.")
def new(file: str | None, template: str, listing: bool, force: bool) -> int:
    """Write a commented scenario to start from."""
    from haiflow.scenario.templates import templates, write_template

    if listing:
        click.echo("\n".join(f"{name:<20} {what}" for name, what in templates().items()))
        return DONE
    if file is None:
        raise click.UsageError("Missing argument 'FILE'.")
    write_template(template, Path(file), force=force)
    say(f"{file}: written; next: haiflow check {file}")
    return DONE


@commands.command()
@click.argument("folders", metavar="DIR...", nargs=-1, required=True)
@click.option("--screenshot", metavar="F.png", type=WRITTEN, help="Write a picture; needs no display.")
@click.option("--html", metavar="F.html", type=WRITTEN, help="Write a page to turn and zoom; needs no display.")
@click.option("--movie", metavar="F.mp4", type=WRITTEN, help="Write a film; needs no display.")
@click.option("--tip", is_flag=True, help="The region round the tip, where it was solved in 3D.")
def view(folders: tuple[str, ...], screenshot: str | None, html: str | None, movie: str | None, tip: bool) -> int:
    """Open the 3D scene of an output folder in a window, or write it to files; several folders side by side."""
    from haiflow.report.view import view as show

    for path in show(folders, screenshot=screenshot, movie=movie, html=html, tip=tip):
        say(f"{path}: written")
    return DONE


@commands.command()
def schema() -> int:
    """Print the JSON schema of a scenario, for editors."""
    from haiflow.scenario.json_schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
    return DONE


@commands.command()
@click.argument("kind", required=False)
@click.argument("name", required=False)
@AS_JSON
def library(kind: str | None, name: str | None, as_json: bool) -> int:
    """List pumps, catheters, drugs, anatomies and the rest, with values and sources."""
    from haiflow.scenario.listing import as_text, listed

    found = listed(kind, name)
    click.echo(json.dumps(found) if as_json else as_text(found))
    return DONE


@commands.command()
@AS_JSON
def doctor(as_json: bool) -> int:
    """Say what this machine can do: drawing, threads, kernels in use, versions, disk."""
    from haiflow.doctor import as_text, examine

    found = examine()
    click.echo(json.dumps(found) if as_json else as_text(found))
    return DONE


commands.add_command(compare)
commands.add_command(import_)
commands.add_command(mesh)
commands.add_command(run)
commands.add_command(verify)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The command ``haiflow``: every outcome becomes an exit code and a plain message, never a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # an ended job cleans up as an interrupted one does
    if os.environ.get("HAIFLOW_ELLIPTIC") == "petsc" and _serves():
        sys.exit(DONE)
    sys.exit(guarded(lambda: commands.main(given, prog_name="haiflow", standalone_mode=False), "--json" in given))


def _serves() -> bool:
    """Whether this process only solves its part of what the first of its MPI processes asks."""
    from importlib.util import find_spec

    if not find_spec("mpi4py"):
        return False  # the first solver says what is missing
    from haiflow.numerics.petsc import serve

    return serve()
