"""``haiflow verify``: the cases with known answers. Loaded only when it is called."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from haiflow.cli_options import AS_JSON, WRITTEN

if TYPE_CHECKING:
    from haiflow.verify.cases import Outcome


@click.command()
@click.argument("names", nargs=-1, metavar="[GROUP or CASE] ...")
@click.option("-o", "--output", metavar="DIR", type=WRITTEN,
              help="Write the credibility report there: report.html, .csv and .json.")
@click.option("--slow", is_flag=True, help="Run the cases that take minutes, too.")
@click.option("--list", "listing", is_flag=True, help="List the cases.")
@click.option("--force", is_flag=True, help="Replace an existing report in DIR.")
@AS_JSON
def verify(names: tuple[str, ...], output: str | None, slow: bool, listing: bool, force: bool, as_json: bool) -> int:
    """Run verification cases and compare them with exact and published results; exit code 3 where one fails."""
    from haiflow.results.store import refuse_existing
    from haiflow.verify.cases import chosen, every, left_out, run
    from haiflow.verify.summary import summary, told
    from haiflow.verify.table import MARK, lines, records

    cases = chosen(names, slow or listing, lacking=listing)
    if listing:
        width = max(len(f"{group}/{case.name}") for group, case in cases)
        for group, case in cases:
            needs = f" (needs {case.needs})" if case.needs else ""
            click.echo(f"{f'{group}/{case.name}':<{width}}  {'slow  ' if case.slow else '      '}{case.shows}{needs}")
        return 0
    if output is not None:
        refuse_existing(Path(output), force, MARK)
    outcomes = []
    for outcome in run(cases, lambda name: click.echo(f"{name} ...", err=True)):
        outcomes.append(outcome)
        if not as_json:
            click.echo("\n".join(lines(outcome)))
    failed = [each for each in outcomes if not each.passed]
    if as_json:
        click.echo(json.dumps({"status": "failed" if failed else "passed", "figures": records(outcomes),
                               "summary": summary([*outcomes, *left_out(outcomes)])}))  # fmt: skip
    if output is not None:
        _write(outcomes, Path(output), force)
    click.echo("\n".join(told(outcomes)), err=True)
    left = len(chosen(names, True)) - len(cases)
    lacking = [] if names else [f"{case.name} (needs {case.needs})" for _, case in every() if not case.runnable]
    parts = [f"{len(outcomes) - len(failed)} of {len(outcomes)} cases passed"]
    parts += [f"{left} slow ones were not run (--slow)"] if left else []
    parts += [f"not run for what is not installed: {', '.join(lacking)}"] if lacking else []
    click.echo("; ".join(parts), err=True)
    return 3 if failed else 0


def _write(outcomes: Sequence[Outcome], folder: Path, force: bool) -> None:
    """The report's folder, whole or not at all."""
    from haiflow.results.store import replacing
    from haiflow.verify import machine, report, table

    facts = machine.described()
    with replacing(folder, force, table.MARK) as partial:
        notes = report.write(outcomes, facts, partial / "report.html")
        table.write(outcomes, facts, partial)
    click.echo("\n".join([*notes, f"report: {folder / 'report.html'}"]), err=True)
