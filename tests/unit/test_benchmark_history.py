"""What a run of the benchmarks leaves behind: ratios to what was asked, one line a figure."""

import csv
from pathlib import Path

import pytest

MACHINE = {"time": "2030-01-01", "haiflow": "9.9", "processor": "one, fast", "cores": 2, "kernels": "portable"}


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))


def test_figures_are_kept_as_ratios_and_runs_one_after_the_other(tmp_path):
    from benchmarks.history import append
    from benchmarks.table import Row, at_least, at_most, within

    asked = [at_most("a", 3.0, 4.0, " s"), at_least("b", 3.0, 2.0), within("c", 1.1, 1.0, 0.05)]
    peer, bare = Row("e", "", "of a peer", None, 0.5, 2.0), Row("d", "", "7", None, 7.0)
    rows = [*asked, bare, peer, at_most("f", 1.0, 0.0)]
    file = tmp_path / "history.csv"
    assert append(rows, MACHINE, 1.26, file) == 4
    assert append(rows[:1], MACHINE, 0.0, file) == 1
    with file.open(newline="") as stream:
        found = list(csv.DictReader(stream))
    assert [(row["what"], float(row["ratio"]), row["ok"]) for row in found] == [
        ("a", 0.75, "yes"), ("b", 1.5, "yes"), ("c", 1.1, "NO"), ("e", 0.25, "-"), ("a", 0.75, "yes"),
    ]  # fmt: skip
    assert {(row["haiflow"], row["processor"]) for row in found} == {("9.9", "one, fast")}
    assert found[0]["load"] == "1.3"
