"""Calculation verification of a user's own run: the same on coarser and finer cells and steps, figure by figure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from haiflow.numerics.richardson import convergence
from haiflow.results.record import Results
from haiflow.scenario.load import Scenario
from haiflow.simulation.knobs import Family, families, tightened, turned, untouched
from haiflow.simulation.run import Progress, run_scenario
from haiflow.simulation.worst_figure import finding, floors, is_nothing, share, worst

REPORTED = ("pump", "catheter", "segments", "tumours", "off_target", "body", "arteries")
NEVER = ("stalled_at_s", "dead_volume_m3")  # moments, and what is given


def verify_numerics(scenario: Scenario, results: Results, progress: Progress | None = None) -> dict[str, Any]:
    """Runs the scenario several times on other cells and steps and writes what that says of every reported figure into
    ``results`` (summary and provenance, under ``numerics``; a line of the verdict); returns it. Of a run that stopped
    early it says that."""
    if results.summary.get("status") != "complete":
        results.provenance.setdefault("warnings", []).append("the run stopped early: its numerics were not verified")
        return {}
    found = study(scenario, results, progress or (lambda stage, share: None))
    results.summary["numerics"] = found
    results.provenance["numerics"] = found
    results.verdict += [said] if (said := finding(found)) else []
    return found


def study(scenario: Scenario, results: Results, progress: Progress) -> dict[str, Any]:
    """The block: families of knobs, what was left alone, and a row a figure."""
    own, wanted = dict(figures(results.summary)), families(scenario.model)
    runs, done = 1 + 2 * len(wanted), list[str]()

    def solved(altered: Scenario) -> dict[str, float]:
        progress("numerics", len(done) / runs)
        summary = run_scenario(altered, pictures=False, fields=False).summary
        done.append(str(summary["status"]))
        return dict(figures(summary)) if done[-1] == "complete" else {}

    basis = tightened(scenario) if scenario.model.arteries is not None else scenario
    tight = solved(basis) if scenario.model.arteries is not None else own
    noise = {key: abs(tight.get(key, math.nan) - value) for key, value in own.items()}
    levels = {
        family.name: [tight if factor == 1.0 else solved(turned(basis, family, factor)) for factor in family.factors]
        for family in wanted
    }
    least = floors(own)
    rows = [_row(key, value, noise[key], wanted, levels, least[key]) for key, value in own.items()]
    return {
        "families": [_told(family) for family in wanted],
        "not_varied": untouched(scenario.model),
        "iteration": "periodic_tolerance a tenth as large" if scenario.model.arteries is not None else "none",
        "stopped": sum(status != "complete" for status in done),
        "figures": rows,
        "worst": worst(rows, levels),
    }


def figures(summary: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Dotted name and value of every number that the run reports of its parts."""

    def walk(above: str, value: Any) -> Iterator[tuple[str, float]]:
        if isinstance(value, Mapping):
            for key, item in value.items():
                yield from walk(f"{above}.{key}", item)
        elif isinstance(value, int | float) and not isinstance(value, bool) and not above.endswith(NEVER):
            yield above, float(value)

    for part in REPORTED:
        yield from walk(part, summary.get(part, {}))


def _told(family: Family) -> dict[str, Any]:
    told = {"name": family.name, "knobs": list(family.knobs), "factors": list(family.factors)}
    return told | {"formal_order": family.formal}


def _row(
    key: str, value: float, noise: float, wanted: list[Family], levels: Mapping[str, list[dict[str, float]]],
    floor: float,
) -> dict[str, Any]:  # fmt: skip
    """One figure: its value, what each family says, and all uncertainties added up; below ``floor`` it is nothing."""
    row: dict[str, Any] = {"figure": key, "value": value, "iteration": noise}
    total = noise
    for family in wanted:
        values = [level.get(key, math.nan) for level in levels[family.name]]
        found = convergence(values, level=family.level, formal=family.formal, noise=noise)
        row[family.name] = {"values": values, **vars(found)}
        total += found.uncertainty
    row["uncertainty"] = total
    every = [level.get(key, math.nan) for family in wanted for level in levels[family.name]]
    row["nothing"] = is_nothing(value, every, floor)
    row["relative_uncertainty"] = 0.0 if row["nothing"] else share(total, value, every, floor)
    return row
