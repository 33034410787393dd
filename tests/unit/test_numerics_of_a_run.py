"""``haiflow run --verify-numerics``: what is varied, that it is, and what is said of it."""

import json

import pytest

from haiflow.cli import commands
from haiflow.cli_exit import guarded
from haiflow.report import numerics as numerics_page
from haiflow.report.page import render
from haiflow.scenario.load import loads
from haiflow.simulation import convergence, worst_figure
from haiflow.simulation.knobs import families, tightened, turned, untouched
from haiflow.simulation.run import run_scenario
from haiflow.verify.small_chain import chain

LEAK = {"kind": "leak", "where": {"catheter": "12 cm"}, "orifice_diameter": "12 um", "onset": "4 h"}


def scenario(**changes):
    return loads(json.dumps(chain(pump__model="intera-3000", **changes)))


def test_the_knobs_are_turned_and_stay_within_the_schema():
    one = scenario(faults=[LEAK | {"over": "2 h"}])
    found = {family.name: family for family in families(one.model)}
    assert list(found) == ["cells", "macro step", "growth of faults"]
    fine = turned(one, found["cells"], 0.5).model
    assert (fine.run.numerics.cell_length, fine.run.numerics.min_cells, fine.catheter.cells) == (2e-3, 8, 128)
    assert fine.run.output_every == one.model.run.output_every
    long = turned(one, found["macro step"], 2.0).model.run
    assert (long.numerics.macro_step, long.output_every) == (7200.0, 7200.0)
    short = turned(one, found["macro step"], 0.5).model.run
    assert (short.numerics.macro_step, short.output_every) == (1800.0, 3600.0)
    assert turned(one, found["growth of faults"], 0.5).model.run.numerics.growth_levels == 16
    assert tightened(one).model.run.numerics.periodic_tolerance == pytest.approx(1e-4)
    assert one.model.run.numerics.periodic_tolerance == 1e-3  # the scenario itself is left as it was


def test_where_nothing_coarser_is_allowed_only_finer_levels_are_run():
    coarsest = scenario(run__numerics={"min_cells": 2}, catheter__cells=8)
    cells = families(coarsest.model)[0]
    assert cells.factors == (1.0, 0.5, 0.25)
    assert cells.level == 0
    beat = scenario(run={"clock": "pulse", "duration": "1 s"})
    assert [(family.name, family.factors) for family in families(beat.model)][1] == ("pulse step", (1.0, 0.5, 0.25))


def test_a_shorter_step_is_a_smaller_share_of_a_cell():
    beat = scenario(run={"clock": "pulse", "duration": "1 s", "numerics": {"cfl": 0.4}})
    step = families(beat.model)[1]
    assert step.factors == (2.0, 1.0, 0.5)
    assert [turned(beat, step, factor).model.run.numerics.cfl for factor in step.factors] == [0.8, 0.4, 0.2]


def test_a_row_knows_its_level_its_order_and_its_noise():
    """Where only finer levels ran, the scenario's own is the coarsest, and its error the largest."""
    coarsest = scenario(run__numerics={"min_cells": 2}, catheter__cells=8)
    cells, macro = families(coarsest.model)
    levels = {"cells": [{"x.y": 1.0 + h**2} for h in cells.factors], "macro step": [{"x.y": 2.0}] * 3}
    row = convergence._row("x.y", 2.0, 0.0, [cells, macro], levels, 1e-24)
    assert row["cells"]["state"] == "asymptotic"
    assert row["uncertainty"] == pytest.approx(1.25 * 1.0, rel=1e-9)
    first = {"cells": [{"x.y": 2.0}] * 3, "macro step": [{"x.y": 1.0 + h} for h in macro.factors]}
    row = convergence._row("x.y", 2.0, 0.0, [cells, macro], first, 1e-24)
    assert row["macro step"]["state"] == "asymptotic"
    assert row["uncertainty"] == pytest.approx(1.25 * 1.0, rel=1e-9)
    both = {"cells": levels["cells"], "macro step": first["macro step"]}
    assert convergence._row("x.y", 2.0, 0.0, [cells, macro], both, 1e-24)["uncertainty"] == pytest.approx(2.5, rel=1e-9)
    noisy = convergence._row("x.y", 2.0, 5.0, [cells, macro], levels, 1e-24)
    assert noisy["cells"]["state"] == "below the iteration's error"
    assert noisy["uncertainty"] >= 5.0 + 0.75


def test_every_other_level_is_run_with_the_tight_periodic_state(monkeypatch):
    """Else the periodic state's own error, which differs from run to run, would pass for that of cells and steps."""
    seen = []

    def recorded(altered, **more):
        seen.append(altered.model.run.numerics)
        return run_scenario(altered, **more)

    monkeypatch.setattr(convergence, "run_scenario", recorded)
    one = scenario(run__duration="1 h")
    convergence.verify_numerics(one, run_scenario(one, pictures=False))
    assert len(seen) == 5
    assert {numerics.periodic_tolerance for numerics in seen} == {0.1 * one.model.run.numerics.periodic_tolerance}
    assert len({(numerics.cell_length, numerics.macro_step) for numerics in seen}) == 5


def test_what_is_not_varied_is_said():
    told = " ".join(untouched(scenario(liver__resolve="3d").model))
    assert "liver's mesh" in told
    assert "first step" in told


DRIFTING = {"faults": [LEAK | {"onset": "1 d"}], "run": {"duration": "8 d", "output_every": "8 d",
            "numerics": {"macro_step": "3 h"}}}  # fmt: skip


@pytest.fixture(scope="module")
def verified():
    one = scenario(**DRIFTING)
    results = run_scenario(one, pictures=False)
    convergence.verify_numerics(one, results)
    return results


def test_every_reported_figure_has_its_row_and_the_block_is_in_both_records(verified):
    block = verified.summary["numerics"]
    assert verified.provenance["numerics"] is block
    rows = {row["figure"]: row for row in block["figures"]}
    reported = dict(convergence.figures(verified.summary))
    assert rows.keys() == reported.keys()
    assert len(rows) > 60
    for name, row in rows.items():
        assert row["value"] == reported[name]
        assert row["uncertainty"] >= row["iteration"] >= 0.0


def test_the_levels_are_runs_of_their_own(verified):
    rows = {row["figure"]: row for row in verified.summary["numerics"]["figures"]}
    leaked = rows["catheter.leaked_volume_m3"]["macro step"]
    assert len(set(leaked["values"])) == 3
    assert leaked["state"] == "asymptotic"
    assert leaked["order"] == pytest.approx(1.0, abs=0.3)
    one = scenario(**DRIFTING)
    again = run_scenario(turned(one, families(one.model)[1], 0.5), pictures=False, fields=False)
    assert leaked["values"][2] == pytest.approx(again.summary["catheter"]["leaked_volume_m3"], rel=1e-6)
    pressure = rows["arteries.trunk.mean_pressure_pa"]
    assert pressure["cells"]["values"][0] != pressure["cells"]["values"][2]
    assert pressure["macro step"]["state"] == "does not change"


def test_a_figure_that_is_nothing_has_no_relative_error_and_is_never_the_worst(verified):
    levels = {"macro step": [{"body.trace_kg": value} for value in (1e-60, 3e-60, 9e-60)]}
    step = families(scenario().model)[1]
    row = convergence._row("body.trace_kg", 3e-60, 0.0, [step], levels, 1e-24)
    assert row["nothing"]
    assert row["relative_uncertainty"] == 0.0
    assert convergence.worst([row]) is None
    round_off = {"macro step": [{"catheter.blood_fraction_at_end": value} for value in (0.0, 1.1e-16, -4e-15)]}
    floor = worst_figure.floors({"catheter.blood_fraction_at_end": 1.1e-16})["catheter.blood_fraction_at_end"]
    row = convergence._row("catheter.blood_fraction_at_end", 1.1e-16, 0.0, [step], round_off, floor)
    assert row["nothing"]
    seen = {"macro step": [{"catheter.blood_fraction_at_end": value} for value in (0.3, 1.1e-16, 0.2)]}
    row = convergence._row("catheter.blood_fraction_at_end", 1.1e-16, 0.0, [step], seen, floor)
    assert not row["nothing"]  # a coarser run has some: it is a figure
    assert 1.0 <= row["relative_uncertainty"] < 10.0
    worst = verified.summary["numerics"]["worst"]
    assert worst["relative_uncertainty"] == max(
        row["relative_uncertainty"] for row in verified.summary["numerics"]["figures"]
    )


def test_round_off_of_zero_is_no_figure(verified):
    """5300 % of 1e-16 led the table."""
    rows = {row["figure"]: row for row in verified.summary["numerics"]["figures"]}
    blood = rows["catheter.blood_fraction_at_end"]
    assert abs(blood["value"]) < 1e-12
    assert blood["nothing"]
    assert rows["catheter.tip_flow_rate_m3_per_s"]["value"] < 1e-9
    assert not rows["catheter.tip_flow_rate_m3_per_s"]["nothing"]
    table = numerics_page.tables(verified)["all"]
    assert next(row for row in table.rows if "blood fraction" in row.cells[0]).cells[1] == "zero"
    cells = [row.cells[1] for row in table.rows]
    assert set(cells[cells.index("zero"):]) == {"zero"}


def test_one_line_says_the_worst_its_error_and_whether_it_converges(verified):
    worst = verified.summary["numerics"]["worst"]
    assert worst["convergence"].startswith(("converges", "does not converge"))
    (line,) = [each.text for each in verified.verdict if each.text.startswith("Numerical error: ")]
    assert worst["figure"].split(".")[-1].replace("_", " ") in line
    assert worst["convergence"] in line
    assert "%" in line


@pytest.mark.parametrize(
    ("states", "sizes", "said"),
    [
        (("asymptotic", "does not change"), (1.0, 0.0), "converges"),
        (("monotone, not asymptotic", "asymptotic"), (1.0, 1.0), "converges, not at the scheme's order (cells)"),
        (("oscillating", "asymptotic"), (1.0, 1.0), "does not converge (oscillating with cells)"),
        (("oscillating", "asymptotic"), (1e-3, 1.0), "converges"),
        (("asymptotic", "not a number"), (1.0, float("inf")), "does not converge (not a number with macro step)"),
    ],
)
def test_whether_it_converges_is_that_of_the_families_that_matter(states, sizes, said):
    row = {"figure": "a.b", "value": 1.0, "nothing": False, "uncertainty": sum(sizes), "relative_uncertainty": 2.0}
    row |= {name: {"state": state, "uncertainty": size}
            for name, state, size in zip(("cells", "macro step"), states, sizes, strict=True)}  # fmt: skip
    found = worst_figure.worst([row], ("cells", "macro step"))
    assert found["convergence"] == said
    assert worst_figure.finding({"worst": found, "figures": [row]}).severity == "warn"


def test_the_page_shows_them(verified, tmp_path):
    page = render(verified, tmp_path)
    assert "Numerical error" in page
    assert "run.numerics.macro_step" in page
    assert "Not varied: the first step" in page


def test_a_run_that_stopped_is_not_verified(verified):
    stopped = run_scenario(scenario(run__duration="1 h"), pictures=False)
    stopped.summary["status"] = "stopped"
    assert convergence.verify_numerics(scenario(run__duration="1 h"), stopped) == {}
    assert "numerics" not in stopped.summary
    assert "stopped early" in stopped.provenance["warnings"][-1]


def test_the_command_writes_the_block_and_refuses_a_sweep(tmp_path, capsys):
    text = {"haiflow": 1, "pump": {"model": "intera-3000", "fill": {"drug": "none", "volume": "30 mL"}},
            "catheter": {"model": "intera-straight"}, "run": {"duration": "6 h"}}  # fmt: skip
    file = tmp_path / "line.yaml"
    file.write_text(json.dumps(text))
    given = ["run", str(file), "--verify-numerics", "-o", str(tmp_path / "out")]
    assert guarded(lambda: commands.main(given, standalone_mode=False), False) == 0
    assert "Numerical error: of " in capsys.readouterr().err
    for name in ("summary.json", "run.json"):
        block = json.loads((tmp_path / "out" / name).read_text())["numerics"]
        assert {family["name"] for family in block["families"]} == {"cells", "macro step"}
    assert "Numerical error" in (tmp_path / "out" / "report.html").read_text()
    file.write_text(json.dumps({**text, "sweep": {"catheter.length": ["40 cm", "50 cm"]}}))
    assert guarded(lambda: commands.main([*given, "--force"], standalone_mode=False), False) == 2
    assert "run one variant" in capsys.readouterr().err
