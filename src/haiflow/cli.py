"""The commands, one function each; no physics. At the top only the standard library and click: ``--help`` is quick."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from haiflow.cli_compare import compare
from haiflow.cli_exit import CODES, DONE, SOME_FAILED, guarded, say
from haiflow.cli_import import import_
from haiflow.cli_mesh import mesh
from haiflow.cli_options import AS_JSON
from haiflow.cli_verify import verify
from haiflow.errors import InputError, InputErrors

if TYPE_CHECKING:
    from haiflow.scenario.load import Scenario
    from haiflow.scenario.sweeps.swept import Swept


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


SETTINGS = click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Override a key, e.g. catheter.length='40 cm'."
)
SCENARIOS = click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO.yaml ...")


@commands.command()
@SCENARIOS
@click.option(
    "-o", "--output", metavar="DIR", help="Output folder (of several scenarios: one sub-folder each); runs/NAME."
)
@SETTINGS
@click.option("--force", is_flag=True, help="Replace an existing output folder.")
@click.option("--resume", is_flag=True, help="Go on where a stopped run ended: what is complete is kept.")
@click.option("--workers", type=int, metavar="N", help="Of a sweep: processes; left out, one a core.")
@click.option("--scheduler", metavar="ADDRESS", help="Of a sweep: a dask cluster, e.g. tcp://HOST:8786, or 'local'.")
@click.option("--shard", metavar="I/N", help="Of a sweep: one part of it, for job arrays; all write into one DIR.")
@click.option("--verify-numerics", is_flag=True, help="Also on other cells and steps: numerical error.")
@click.option("--quiet", is_flag=True, help="Say nothing but errors.")
@AS_JSON
def run(
    scenarios: tuple[str, ...], output: str | None, settings: tuple[str, ...], force: bool, verify_numerics: bool,
    quiet: bool, as_json: bool, **of_sweeps: Any,
) -> int:  # fmt: skip
    """Run scenarios and sweeps, and write their output folders."""
    from haiflow.cli_sweep import already, is_complete, run_sweep
    from haiflow.results.store import refuse_existing
    from haiflow.scenario.load import Scenario

    loaded = load_all(scenarios, settings)
    if verify_numerics and not all(isinstance(each, Scenario) for each in loaded):
        rule = "the numerics of single scenarios are verified"
        raise InputError("--verify-numerics", "a sweep", rule, "run one variant of it alone")
    folders = output_folders(loaded, output)
    for each, folder in zip(loaded, folders, strict=True):
        if isinstance(each, Scenario) and not (of_sweeps["resume"] and is_complete(folder)):
            refuse_existing(folder, force=force)
    runs = []
    for path, each, folder in zip(scenarios, loaded, folders, strict=True):
        if isinstance(each, Scenario):
            done = already(each, folder) if of_sweeps["resume"] else None
            runs.append(run_one(each, folder, force, quiet, verify_numerics) if done is None else done)
        else:
            runs.append(run_sweep(path, each, folder, settings, force=force, quiet=quiet, **of_sweeps))
    worst = max((CODES[each["status"]] for each in runs), default=DONE)
    if as_json:
        status = next((each["status"] for each in runs if CODES[each["status"]] == worst), "complete")
        click.echo(json.dumps({"status": status, "runs": runs}))
    return worst


def run_one(scenario: Scenario, folder: Path, force: bool, quiet: bool, numerics: bool) -> dict[str, Any]:
    """Run one scenario into its folder and say how it went."""
    from haiflow.simulation.run import run_scenario

    begun = time.perf_counter()
    progress = Progress(scenario.name, quiet)
    results = run_scenario(scenario, progress=progress)
    if numerics:
        from haiflow.simulation.convergence import verify_numerics

        verify_numerics(scenario, results, progress)
    progress.end()
    results.save(folder, force=force)
    status = str(results.summary.get("status", "complete"))
    seconds = time.perf_counter() - begun
    if not quiet or status != "complete":
        say(f"{scenario.name}: {status}, {seconds:.1f} s; report: {folder / 'report.html'}")
        for finding in results.verdict:
            say(f"  {finding.severity}: {finding.text}")
        for note in results.provenance.get("warnings", []):
            say(f"  note: {note}")
    return {
        "name": scenario.name,
        "output": str(folder),
        "status": status,
        "seconds": round(seconds, 3),
        "summary": results.summary,
    }


class Progress:
    """How far a run has come, told after the first second: one line that changes on a terminal, lines in a log."""

    def __init__(self, name: str, quiet: bool) -> None:
        self.name, self.quiet = name, quiet
        self.terminal = sys.stderr.isatty()
        self.begun = time.perf_counter()
        self.told = -math.inf

    def __call__(self, stage: str, share: float) -> None:
        """``share`` of a ``stage`` is done."""
        now = time.perf_counter()
        if self.quiet or now - self.begun < 1.0 or now - self.told < (0.2 if self.terminal else 5.0):
            return
        self.told = now
        line = f"{self.name}: {stage} {100 * min(share, 1.0):.0f} %, {now - self.begun:.0f} s"
        click.echo(f"\r\033[K{line}" if self.terminal else line, err=True, nl=not self.terminal)

    def end(self) -> None:
        """Clear the line."""
        if self.told > self.begun and self.terminal:
            click.echo("\r\033[K", err=True, nl=False)


def load_all(paths: Sequence[str], settings: Sequence[str]) -> list[Scenario | Swept]:
    """All scenarios and sweeps; everything that is wrong with any of them is raised together."""
    from haiflow.scenario.load import load
    from haiflow.scenario.overrides import split_assignment
    from haiflow.scenario.sweeps.swept import read_swept

    overrides = dict(split_assignment(text) for text in settings)
    loaded: list[Scenario | Swept] = []
    errors: list[InputError] = []
    for path in paths:
        try:
            loaded.append(read_swept(path, overrides) or load(path, set=overrides))
        except InputError as error:
            errors += error.errors if isinstance(error, InputErrors) else [error]
    if errors:
        raise InputErrors(errors)
    return loaded


def output_folders(loaded: Sequence[Scenario | Swept], output: str | None) -> list[Path]:
    """A folder for each scenario; two that would share one are refused."""
    stems = [scenario.path.stem if scenario.path is not None else "scenario" for scenario in loaded]
    if output is not None and len(loaded) == 1:
        return [Path(output)]
    twice = next((stem for stem in stems if stems.count(stem) > 1), None)
    if twice is not None:
        raise InputError(
            "SCENARIO.yaml", f"'{twice}'", "two scenarios would write one folder", "rename a file, or run them apart"
        )
    return [Path(output or "runs") / stem for stem in stems]


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
@click.argument("file", metavar="FILE", required=False)
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
@click.option("--screenshot", metavar="F.png", help="Write a picture; needs no display.")
@click.option("--html", metavar="F.html", help="Write a page to turn and zoom; needs no display.")
@click.option("--movie", metavar="F.mp4", help="Write a film; needs no display.")
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
