"""Limits through the whole chain, and the same run twice; closed forms are cases of ``haiflow verify coupling``."""

import json

import numpy as np
import pytest

from haiflow.verify.chain import INFLOW, delivered, series
from haiflow.verify.small_chain import chain, solved


@pytest.fixture(scope="module")
def steady():
    return solved(chain(run__duration="4 d"))


# Limits.


def test_stalled_from_the_start(steady):
    results = solved(chain(faults=[{"kind": "stall"}], run__duration="1 d"))
    summary, books = results.summary, results.summary["ledger"]
    assert summary["pump"]["stalled_at_s"] == 0.0
    assert summary["pump"]["infused_volume_m3"] == 0.0
    assert books["drug"]["reservoir_kg"] == books["drug"]["filled_kg"]
    # The line keeps the saline that it was primed with, but for what spreads out of the tip: nothing flows.
    assert books["carrier"]["catheter_m3"] == pytest.approx(books["carrier"]["filled_m3"] - 30e-6, rel=1e-6, abs=0.0)
    assert max(abs(value) for value in delivered(results).values()) <= 1e-20
    row = summary["detection"][0]
    assert row["delivered_volume_at_refill_at_s"] is None  # nobody looks into the reservoir within this day
    assert row["side_port_pressure_at_s"] is None
    assert row["scan_agent_distribution_at_s"] is None


def test_an_occluded_trunk_stops_the_blood_and_the_drug():
    results = solved(chain(faults=[{"kind": "occlusion", "where": {"vessel": "trunk"}}], run__duration="1 d"))
    assert max(abs(series(results, "terminal_flow_rate")[-1])) <= 1e-9 * INFLOW
    books = results.summary["ledger"]["drug"]
    assert max(abs(value) for value in delivered(results).values()) <= 1e-6 * books["filled_kg"]


def test_a_tip_in_tissue_gives_the_arteries_nothing():
    results = solved(chain(faults=[{"kind": "dislodgement", "to": "tissue"}], run__duration="2 d"))
    assert set(delivered(results).values()) == {0.0}
    summary = results.summary
    assert summary["catheter"]["leaked_volume_m3"] > 0.9 * summary["pump"]["infused_volume_m3"]
    # What the tissue absorbs gets to the body, and only there.
    assert summary["body"]["exposure_kg_s_per_m3"] > 0.0
    assert summary["ledger"]["drug"]["leaked_kg"] > 0.0
    assert summary["split"] == []
    assert summary["detection"][0]["scan_agent_distribution_at_s"] == 0.0


# The resolved scenario, and the same run twice.


def without_timing(summary):
    kept = {key: value for key, value in summary.items() if key not in ("timing", "solver")}
    return json.loads(json.dumps(kept, default=float))


def test_two_runs_are_the_same_to_the_bit(steady):
    again = solved(chain(run__duration="4 d"))
    assert without_timing(again.summary) == without_timing(steady.summary)
    for name, values in steady.history_series.items():
        np.testing.assert_array_equal(again.history_series[name].values, values.values)


def test_the_resolved_scenario_gives_the_same_summary():
    scenario = chain(
        schedule=[
            {"at": "8 h", "bolus": {"agent": "tc99m-maa", "amount": "0.5 mg", "volume": "1 mL", "over": "10 s"}},
            {"at": "20 h", "refill": {"drug": "floxuridine", "dose": "0.06 mg/kg/day"}},
            {"at": "30 h", "patient": {"altitude": "1000 m"}},
        ],
        faults=[
            {"kind": "leak", "where": {"catheter": "12 cm"}, "orifice_diameter": "10 um", "onset": "12 h"},
            {"kind": "occlusion", "where": {"vessel": "right"}, "severity": 0.8, "onset": "25 h", "over": "5 h"},
        ],
        run__duration="40 h",
    )
    first = solved(scenario)
    second = solved(first.scenario_yaml)
    assert second.scenario_yaml == first.scenario_yaml
    assert without_timing(second.summary) == without_timing(first.summary)


