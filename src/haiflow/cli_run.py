"""``haiflow run``: scenarios and sweeps into output folders, and how far they are. The engine is loaded when called."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from haiflow.cli_exit import CODES, DONE, say
from haiflow.cli_options import AS_JSON, SCENARIOS, SETTINGS, WRITTEN
from haiflow.errors import InputError, InputErrors

if TYPE_CHECKING:
    from haiflow.scenario.load import Scenario
    from haiflow.scenario.sweeps.swept import Swept


@click.command()
@SCENARIOS
@click.option(
    "-o", "--output", metavar="DIR", type=WRITTEN,
    help="Output folder (of several scenarios: one sub-folder each); runs/NAME.",
)  # fmt: skip
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
    from haiflow.cli_sweep import run_sweep
    from haiflow.results.store import refuse_existing
    from haiflow.scenario.load import Scenario

    loaded = load_all(scenarios, settings)
    if verify_numerics and not all(isinstance(each, Scenario) for each in loaded):
        rule = "the numerics of single scenarios are verified"
        raise InputError("--verify-numerics", "a sweep", rule, "run one variant of it alone")
    refuse_sweeps_own(loaded, of_sweeps)
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


def refuse_sweeps_own(loaded: Sequence[Scenario | Swept], of_sweeps: dict[str, Any]) -> None:
    """Raises InputError for an option of sweeps where there is none."""
    from haiflow.scenario.load import Scenario

    if not all(isinstance(each, Scenario) for each in loaded):
        return
    for option in ("workers", "scheduler", "shard"):
        if of_sweeps[option] is not None:
            rule = "it is of a sweep, and no scenario here has one"
            raise InputError(f"--{option}", of_sweeps[option], rule, "leave it out, or add 'sweep:'")


def is_complete(folder: Path) -> bool:
    """Whether a folder holds a single run's results."""
    return (folder / "summary.json").is_file() and (folder / "run.json").is_file()


def already(scenario: Scenario, folder: Path) -> dict[str, Any] | None:
    """How the run of ``scenario`` that ``folder`` holds went; None where it holds none. Raises InputError where it is
    another scenario's."""
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


def run_one(scenario: Scenario, folder: Path, force: bool, quiet: bool, numerics: bool) -> dict[str, Any]:
    """Run one scenario into its folder and say how it went."""
    from haiflow.simulation.run import run_scenario

    begun = time.perf_counter()
    progress = Progress(scenario.name, quiet)
    results = run_scenario(scenario, progress=progress)
    if numerics:
        from haiflow.simulation.convergence import verify_numerics

        verify_numerics(scenario, results, progress)
    progress("writing", 0.0)
    with naming(folder):
        results.save(folder, force=force)
    progress.end()
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


@contextmanager
def naming(folder: Path) -> Iterator[None]:
    """An error of the system that names no file, as a full disk's of one that is open, or a file that is gone by now,
    is told as that of ``folder``."""
    try:
        yield
    except OSError as error:
        if error.strerror and (error.filename is None or ".partial" in str(error.filename)):
            raise OSError(error.errno, error.strerror, str(folder)) from error
        raise


class Progress:
    """How far a run has come, told after the first second: one line that changes on a terminal, lines in a log."""

    def __init__(self, name: str, quiet: bool) -> None:
        self.name, self.quiet = name, quiet
        self.terminal = sys.stderr.isatty()
        self.begun = time.perf_counter()
        self.told, self.stage = -math.inf, ""

    def __call__(self, stage: str, share: float) -> None:
        """``share`` of a ``stage`` is done."""
        now = time.perf_counter()
        patience = 0.0 if stage != self.stage else 0.2 if self.terminal else 5.0
        if self.quiet or now - self.begun < 1.0 or now - self.told < patience:
            return
        self.told, self.stage = now, stage
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
