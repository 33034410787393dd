"""The sweep's page: whole, self-contained, and its numbers those of the table."""

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from haiflow.report.sweep import Bars, Chance, Map, MapCell, Sweep, render


def record(n, failed=()):
    draw = np.random.default_rng(1)
    values = {"segments.min_dose_fraction": draw.random(n), "pump.mean_flow_rate_m3_per_s": 1e-11 * draw.random(n)}
    for column in values.values():
        column[list(failed)] = np.nan
    met = np.where(np.isnan(values["segments.min_dose_fraction"]), np.nan, values["segments.min_dose_fraction"] > 0.5)
    cell = MapCell("0001", True, 86400.0, False, 3.0, "")
    return Sweep(
        title="a <b> & c",
        account={"haiflow": "x", "seed": 1},
        names=[f"{i + 1:05d}" for i in range(n)],
        status=["failed" if i in failed else "complete" for i in range(n)],
        inputs={
            "catheter.inner_diameter [mm]": draw.random(n),
            "arteries.anatomy": ["michels-1", "michels-3"] * (n // 2),
        },
        values=values,
        met={"segments.min_dose_fraction > 0.5": met},
        rank=np.arange(1.0, n + 1),
        messages=dict.fromkeys(failed, "</script><b>no</b>"),
        shown=["segments.min_dose_fraction"],
        chances=[Chance("segments.min_dose_fraction > 0.5", 3, n, 0.1, 0.9)],
        bars=[Bars("segments.min_dose_fraction", "rank correlation", [("a <key>", -0.5, -0.7, -0.2)])],
        failure_map=Map(["leak"], ["5 cm", "tip"], {("leak", "5 cm"): cell}),
    )


def test_the_page_needs_nothing_else_and_escapes_what_it_is_given():
    page = render(record(10, failed=(3,)))
    assert not re.findall(r"(?:src|href)=[\"'](?:https?:)?//", page)
    assert "<b>no</b>" not in page
    assert "a &lt;b&gt; &amp; c" in page
    assert 'style="' not in page  # the policy would not let it in
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert data["names"][3] == "00004"
    assert data["columns"][0]["unit"] == "mm"
    assert data["columns"][2]["values"][3] is None
    flow = next(column for column in data["columns"] if column["key"] == "pump.mean_flow_rate_m3_per_s")
    assert flow["unit"] == "mL/day"
    assert '<a href="0001/report.html">' in page


def test_numbers_of_a_batchs_page_are_those_of_its_table(sweep):
    assert sweep.run("--workers", "1")[0] == 4
    page = (sweep.out / "report.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    with (sweep.out / "variants.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    errors = next(column for column in data["columns"] if column["key"] == "pump.rate_error")
    assert errors["values"] == pytest.approx([float(row["pump.rate_error"]) for row in rows], rel=1e-4)
    for link in re.findall(r'href="(\d+)/report\.html"', page):
        assert (sweep.out / link / "report.html").is_file()
    assert "16 of 24" not in data["names"]
    assert "8 of 24 variants failed" in page


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_ten_thousand_variants_open_in_a_browser(tmp_path):
    page = tmp_path / "report.html"
    page.write_text(render(record(10_000)))
    assert page.stat().st_size < 10e6
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run([*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120)
    assert "10000 of 10000 variants; a click on a heading sorts" in done.stdout
    assert done.stdout.count("<tr data-variant") == 50
    assert "page 1 of 200" in done.stdout


def test_what_differs_among_few_variants_is_what_is_looked_at():
    from haiflow.batch.record import shown_figures
    from haiflow.batch.table import Table

    pump, split = "pump.mean_flow_rate_m3_per_s", "split.largest_branch_fraction"
    values = {pump: np.full(5, 1.5e-11), split: np.linspace(0.5, 1.0, 5)}
    few = Table(list("abcde"), ["complete"] * 5, {}, values, {}, (), ())
    assert shown_figures(few) == [split]


def test_the_branch_that_gets_most_gets_it_from_all_holes():
    from haiflow.batch.figures import FIGURES

    holes = [{"fractions": {"left": 1.0, "right": 0.0}, "share_of_infusate": 0.4},
             {"fractions": {"left": 0.1, "right": 0.9}, "share_of_infusate": 0.6}]  # fmt: skip
    found = FIGURES["split.largest_branch_fraction"]
    assert found({"split": holes}) == pytest.approx(0.54)
    assert found({"split": [{"fractions": {"left": 0.3, "right": 0.7}}]}) == pytest.approx(0.7)
    assert found({}) is None


def test_a_tip_in_3d_costs_its_solution_for_every_variant_that_alters_it(monkeypatch):
    from haiflow.scenario.plan import tip_cells, tip_seconds
    from haiflow.scenario.sweeps import outlook as room
    from haiflow.scenario.sweeps.swept import swept_text

    monkeypatch.setattr(room.os, "cpu_count", lambda: 1)
    whole = (Path(__file__).parents[2] / "examples" / "sweeps" / "tip_designs.yaml").read_text(encoding="utf-8")
    text = whole[: whole.index("sweep:")]
    cost = {}
    for key, values in {"catheter.tip.offset": "[0 mm, 0.1 mm, 0.2 mm]", "pump.rate_error": "[0, 0.1, 0.2]"}.items():
        found = swept_text(f"{text}sweep:\n  {key}: {values}\n", "tips.yaml", None, {})
        cost[key], first = room.outlook(found).estimated_s, found.scenario(0)
    one = tip_seconds(first.model, tip_cells(first))
    assert one > 1.0
    assert cost["catheter.tip.offset"] - cost["pump.rate_error"] == pytest.approx(2.0 * one, rel=0.1)


def test_examples_are_sound():
    from haiflow.scenario.sweeps.outlook import outlook
    from haiflow.scenario.sweeps.swept import read_swept

    files = sorted((Path(__file__).parents[2] / "examples" / "sweeps").glob("*.yaml"))
    assert len(files) >= 3
    for file in files:
        assert outlook(read_swept(file)).bad == {}
