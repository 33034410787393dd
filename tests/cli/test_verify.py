"""``haiflow verify``: what it lists it runs, a misspelt case is refused, a failing one fails."""

import json

import pytest
from click.testing import CliRunner

from haiflow.cli_verify import verify
from haiflow.errors import InputError
from haiflow.verify import cases
from haiflow.verify.model import Case, Figure


def test_a_case_runs_by_every_name_that_it_is_listed_by(tmp_path):
    listed = CliRunner().invoke(verify, ["--list"], standalone_mode=False).output
    assert "junction/rest" in listed
    assert "junction/nozzle" in listed
    for name in ("rest", "junction/rest"):
        done = CliRunner().invoke(verify, [name, "-o", str(tmp_path / "out")], standalone_mode=False)
        assert done.return_value == 0
        assert "junction/rest: passed" in done.output
    figures = json.loads((tmp_path / "out" / "verification.json").read_text())["figures"]
    assert figures[0]["case"] == "rest"
    assert figures[0]["passed"] is True
    assert (tmp_path / "out" / "verification.csv").read_text().startswith("group,case,")


def test_a_misspelt_case_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'poiseuille'"):
        cases.chosen(["poisseuille"], False)


@pytest.mark.parametrize("bad", [
    lambda: [Figure("drag", 1.2, 0.9, 1.1)], lambda: [Figure("drag", float("nan"), 0.9, 1.1)], lambda: 1 / 0,
])  # fmt: skip
def test_a_case_that_is_off_or_breaks_fails_and_hides_no_other(monkeypatch, bad):
    good = Case("good", "what holds", "exact", lambda: [Figure("one", 1.0, 0.9, 1.1, 1.0)])
    monkeypatch.setattr(cases, "GROUPS", {"junction": (Case("bad", "what does not", "exact", bad), good)})
    done = CliRunner().invoke(verify, [], standalone_mode=False)
    assert done.return_value == 3
    assert "junction/bad: FAILED" in done.output
    assert "junction/good: passed" in done.output
