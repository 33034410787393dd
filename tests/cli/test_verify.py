"""``haiflow verify``: what it lists it runs, a failing case fails, the page says all, nothing is half-written."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from haiflow.cli_verify import verify
from haiflow.errors import InputError
from haiflow.verify import cases, report
from haiflow.verify.model import WEAK, Case, Curve, Figure, Plot, Rival
from haiflow.verify.summary import summary

LINE = Plot("A line", "x", "y", (Curve("ours", np.arange(3.0), np.arange(3.0), low=np.zeros(3), high=np.ones(3)),
                                 Curve("theirs", np.arange(3.0), np.arange(3.0), known=True)))  # fmt: skip
GOOD = Case("good", "what holds", "exact", lambda: [Figure("one", 1.0, 0.9, 1.1, 1.0), LINE])
LONG = Case("long", "what takes minutes", "exact", lambda: [Figure("one", 1.0, 0.9, 1.1, 1.0)], slow=True)


def call(*words):
    return CliRunner().invoke(verify, list(words), standalone_mode=False)


def test_a_case_runs_by_every_name_that_it_is_listed_by(tmp_path):
    listed = call("--list").output
    for group in ("pump", "catheter", "junction", "liver", "body", "coupling"):
        assert f"{group}/" in listed
    for number, name in enumerate(("rest", "junction/rest")):
        done = call(name, "-o", str(tmp_path / f"out{number}"))
        assert done.return_value == 0
        assert "junction/rest: passed" in done.output
    figures = json.loads((tmp_path / "out0" / "verification.json").read_text())["figures"]
    assert figures[0]["case"] == "rest"
    assert figures[0]["passed"] is True
    assert (tmp_path / "out0" / "verification.csv").read_text().startswith("group,case,")


def test_a_name_in_two_groups_is_told_apart():
    names = [f"{group}/{case.name}" for group, case in cases.chosen(["body/bolus"], False)]
    assert names == ["body/bolus"]
    assert len(cases.chosen(["bolus"], False)) == 2  # of the body and of the catheter


def test_a_misspelt_case_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'poiseuille'"):
        cases.chosen(["poisseuille"], False)


@pytest.mark.parametrize("bad", [
    lambda: [Figure("drag", 1.2, 0.9, 1.1)], lambda: [Figure("drag", float("nan"), 0.9, 1.1)], lambda: 1 / 0,
    lambda: [LINE],
])  # fmt: skip
def test_a_case_that_is_off_or_breaks_or_shows_nothing_fails_and_hides_no_other(monkeypatch, tmp_path, bad):
    monkeypatch.setattr(cases, "GROUPS", {"junction": (Case("bad", "what does not", "exact", bad), GOOD, LONG)})
    monkeypatch.setattr(report, "GROUPS", cases.GROUPS)
    done = call("-o", str(tmp_path / "out"))
    assert done.return_value == 3
    assert "junction/bad: FAILED" in done.output
    assert "junction/good: passed" in done.output
    page = (tmp_path / "out" / "report.html").read_text()
    assert "1 cases: junction/bad." in page
    assert "so nothing is said of them: junction/long." in page
    assert re.search(r'<article class="case failed" id="junction-bad">', page)
    assert re.search(r'<article class="case left" id="junction-long">', page)
    rows = json.loads((tmp_path / "out" / "verification.json").read_text())["figures"]
    assert {row["case"]: row["state"] for row in rows} == {"bad": "failed", "good": "passed", "long": "not run"}


def test_the_page_opens_offline_with_plots_claims_and_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(cases, "GROUPS", {"pump": (GOOD,)})
    monkeypatch.setattr(report, "GROUPS", cases.GROUPS)
    assert call("-o", str(tmp_path / "out")).return_value == 0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "default-src &#39;none&#39;" in page
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
    assert page.count('src="data:image/png;base64,') == 1
    assert "Cases that stand behind no claim: pump/good." in page
    for words in ("Claims and evidence", "not shown", "Code and machine", "commit", "processor", "no case"):
        assert words in page
    curves = json.loads((tmp_path / "out" / "verification.json").read_text())["plots"]["pump/good"][0]["curves"]
    assert curves[0]["high"] == [1.0, 1.0, 1.0]
    assert curves[1]["low"] is None


def test_an_existing_folder_is_refused_before_any_case_runs(monkeypatch, tmp_path):
    ran = []
    monkeypatch.setattr(cases, "GROUPS", {"pump": (Case("one", "it", "exact", lambda: ran.append(1) or GOOD.run()),)})
    monkeypatch.setattr(report, "GROUPS", cases.GROUPS)
    out = tmp_path / "out"
    assert call("-o", str(out)).return_value == 0
    assert isinstance(call("-o", str(out)).exception, InputError)
    assert len(ran) == 1
    assert call("-o", str(out), "--force").return_value == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    refused = call("-o", str(tmp_path / "mine"), "--force").exception
    assert isinstance(refused, InputError)
    assert "verification.json" in str(refused)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_an_interrupt_leaves_nothing_and_the_old_report_as_it_was(monkeypatch, tmp_path):
    monkeypatch.setattr(cases, "GROUPS", {"pump": (GOOD,)})
    monkeypatch.setattr(report, "GROUPS", cases.GROUPS)
    out = tmp_path / "out"
    call("-o", str(out))
    before = (out / "report.html").read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "write", interrupted)
    assert call("-o", str(out), "--force").exit_code != 0
    assert (out / "report.html").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


MIXED, SPLIT = Rival("all is mixed", 0.0), Rival("nothing is mixed", 9.0)
STATED = Case("stated", "what is also measured", "a bench", lambda: [
    Figure("solved", 1.0, 0.9, 1.1, 1.0), Figure("bench, far", 1.0, 2.0, 3.0, stated=True, rivals=(SPLIT,)),
    Figure("bench, near", 1.0, 0.5, 1.5, stated=True),
])  # fmt: skip
BLUNT = Case("blunt", "what says little", "patients", lambda: [
    Figure("wide", 1.0, -5.0, 5.0, 1.0, rivals=(MIXED, SPLIT)), Figure("narrow", 1.0, -0.5, 1.5, rivals=(MIXED,)),
], evidence=WEAK)  # fmt: skip


def test_the_summary_counts_kinds_and_what_is_not_met_and_names_wrong_models(monkeypatch, tmp_path):
    monkeypatch.setattr(cases, "GROUPS", {"pump": (GOOD, LONG, STATED, BLUNT)})
    monkeypatch.setattr(report, "GROUPS", cases.GROUPS)
    done = call("-o", str(tmp_path / "out"))
    assert done.return_value == 0  # what is stated decides nothing
    found = json.loads((tmp_path / "out" / "verification.json").read_text())
    assert list(found)[:2] == ["haiflow", "summary"]
    assert found["summary"] == {
        "all_met": False,
        "cases": {"code verification": {"cases": 3, "passed": 2, "failed": 0, "not_run": 1},
                  "validation": {"cases": 0, "passed": 0, "failed": 0, "not_run": 0},
                  "weak validation": {"cases": 1, "passed": 1, "failed": 0, "not_run": 0}},
        "figures": {"deciding": 4, "in_their_interval": 4, "orders": 0},
        "stated": {"figures": 2, "met": 1, "by_case": {"pump/stated": {"figures": 2, "met": 1}}},
        "failed": [], "not_run": ["pump/long"], "not_met": ["pump/stated: bench, far"],
        "weak": {"pump/blunt": ["all is mixed"]},
    }  # fmt: skip
    assert "stated, deciding nothing: 1 of 2 met; not met: pump/stated: bench, far" in done.output
    assert "a wrong model passes too: all is mixed" in done.output
    page = (tmp_path / "out" / "report.html").read_text()
    assert "1 stated comparisons, which decide no case: pump/stated: bench, far." in page
    assert "pump/blunt: all is mixed." in page
    assert "nothing is mixed (9, refuted)" in page


def test_all_is_met_only_where_every_case_was_run_and_everything_lies_inside():
    def of(*outcomes):
        return summary(outcomes)["all_met"]

    good, stated = cases.one("pump", GOOD), cases.one("pump", STATED)
    assert of(good)
    assert not of(good, stated)
    assert not of(good, cases.Outcome("pump", LONG, (), 0.0, cases.NOT_RUN))
    assert not of(good, cases.Outcome("pump", LONG, (Figure("x", 2.0, 0.0, 1.0),), 0.0))


def test_what_needs_a_missing_module_is_listed_and_left_out_and_said(monkeypatch, tmp_path):
    needy = replace(GOOD, name="needy", needs="no_such_module_at_all")
    monkeypatch.setattr(cases, "GROUPS", {"pump": (GOOD, needy)})
    monkeypatch.setattr(report, "GROUPS", cases.GROUPS)
    assert "(needs no_such_module_at_all)" in call("--list").output
    done = call("-o", str(tmp_path / "out"))
    assert done.return_value == 0
    assert "1 of 1 cases passed; not run for what is not installed: needy (needs no_such_module_at_all)" in done.output
    assert "it needs no_such_module_at_all, which is not installed" in (tmp_path / "out" / "report.html").read_text()
    assert json.loads((tmp_path / "out" / "verification.json").read_text())["summary"]["not_run"] == ["pump/needy"]
    assert [case.name for _, case in cases.chosen(["needy"], False)] == ["needy"]  # named, it runs and says why not
    assert replace(needy, needs="json").runnable


def test_figures_that_are_only_stated_show_nothing():
    alone = Case("alone", "it", "a bench", lambda: [Figure("bench", 1.0, 0.5, 1.5, stated=True)])
    assert not cases.one("pump", alone).passed
