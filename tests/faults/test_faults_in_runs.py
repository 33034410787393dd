"""Faults and events within whole runs: they land exactly, follow their closed forms, and show where they should."""

import json
from math import pi

import numpy as np
import pytest
from scipy.optimize import brentq

from haiflow.scenario.load import loads
from haiflow.simulation.assemble import assemble
from haiflow.simulation.detection import _displaced_share
from haiflow.simulation.events import build_timeline
from haiflow.simulation.infusion import Infusion
from haiflow.simulation.run import run_scenario

HOUR, DAY = 3600.0, 86400.0
RATE = 1.3e-6 / DAY
MMHG = 133.322387415
PRESSURE = 95.0 * MMHG
ENDLESS = {"compliance": "1 m3/Pa", "rest_pressure": "0 Pa", "absorption": "0 m3/s/Pa"}


def line_alone(**keys):
    """An exact pump and a straight line against a constant arterial pressure."""
    return {
        "haiflow": 1,
        "pump": {
            "model": "synchromed-ii-40",
            "fill": {"drug": "floxuridine", "concentration": "5 mg/mL", "volume": "30 mL"},
        },
        "catheter": {"model": "intera-straight"},
        "run": {"duration": "2 d", "output_every": "6 h"},
    } | keys


def whole(**keys):
    """The whole chain on the normal anatomy."""
    parts = {
        "catheter": {"model": "intera-straight", "tip": {"vessel": "gastroduodenal", "position": "ostium"}},
        "arteries": {"anatomy": "michels-1"},
        "liver": {"model": "standard"},
    }
    return line_alone(**parts) | keys


def run(scenario):
    results = run_scenario(loads(json.dumps(scenario)), pictures=False)
    assert results.summary["status"] == "complete"
    for book in (results.summary["ledger"]["drug"], results.summary["ledger"]["carrier"]):
        assert abs(book["relative_imbalance"]) <= 1e-10
    return results


def series(results, name):
    return results.history_series[name].values


def leak(diameter_um, **keys):
    fault = {"kind": "leak", "where": {"catheter": "25 cm"}, "orifice_diameter": f"{diameter_um:.9g} um"}
    return fault | {"pocket": ENDLESS} | keys


# Leaks.


def tip_flow(diameter_um):
    scenario = line_alone(faults=[leak(diameter_um)], run={"duration": "1 h", "output_every": "1 h"})
    return run(scenario).summary["catheter"]["tip_flow_rate_m3_per_s"]


def test_a_hole_of_13_um_takes_all_and_a_larger_one_reverses_the_line():
    takes_all = brentq(tip_flow, 9.0, 20.0, xtol=1e-4)
    assert takes_all == pytest.approx(13.0, rel=0.1)
    by_hand = (128.0 * 0.70e-3 * 0.85e-3 * RATE / (pi * PRESSURE)) ** 0.25
    assert takes_all * 1e-6 == pytest.approx(by_hand, rel=0.01, abs=0.0)
    assert tip_flow(takes_all) == pytest.approx(0.0, abs=1e-4 * RATE)
    assert tip_flow(1.2 * takes_all) == pytest.approx(-RATE * (1.2**4 - 1.0), rel=0.05, abs=0.0)
    assert tip_flow(0.8 * takes_all) == pytest.approx(RATE * (1.0 - 0.8**4), rel=0.05, abs=0.0)


def test_a_leak_opens_exactly_at_its_onset():
    """Between two outputs and two macro steps: the leaked volume is the rate times the time that is left."""
    early = run(line_alone(faults=[leak(10.0)])).summary["catheter"]["leaked_volume_m3"]
    onset = 12345.678901
    late = run(line_alone(faults=[leak(10.0, onset=f"{onset} s")]))
    # The pocket hardly fills, so the rate is constant but for the few Pa of the line.
    expected = early * (1.0 - onset / (2 * DAY))
    assert late.summary["catheter"]["leaked_volume_m3"] == pytest.approx(expected, rel=1e-6, abs=0.0)
    assert [event.time_s for event in late.events if event.kind == "leak"] == [onset]


def test_leaked_drug_is_what_the_books_say():
    results = run(line_alone(faults=[leak(30.0, onset="10 h")]))
    books = results.summary["ledger"]["drug"]
    assert books["leaked_kg"] == pytest.approx(results.summary["catheter"]["leaked_drug_kg"], rel=1e-9, abs=0.0)
    given = 5.0 * RATE * 38 * HOUR  # all that the pump gives from then on
    assert books["leaked_kg"] == pytest.approx(given, rel=0.05, abs=0.0)


def test_a_torn_line_gives_the_tip_nothing():
    results = run(line_alone(faults=[{"kind": "leak", "where": {"catheter": "20 cm"}, "torn": True, "onset": "12 h"}]))
    after = results.history_coords["time"] > 18 * HOUR  # by then the piece beyond has settled
    assert np.abs(series(results, "catheter_tip_flow_rate")[after]).max() <= 1e-12 * RATE
    np.testing.assert_allclose(series(results, "catheter_leak_flow_rate")[after], RATE, rtol=1e-2)


# Occlusion, stall, emptying.


def test_an_occluded_line_holds_all_that_the_pump_gives_until_it_stalls():
    results = run(line_alone(faults=[{"kind": "occlusion", "where": {"catheter": "tip"}, "onset": "6 h"}]))
    summary = results.summary
    stall = 250e3  # of the model, Pa
    assert summary["pump"]["max_pressure_pa"] == pytest.approx(stall, rel=1e-3)
    after = results.history_coords["time"] > 18 * HOUR
    assert np.abs(series(results, "catheter_tip_flow_rate")[after]).max() <= 1e-12 * RATE
    assert 6 * HOUR < summary["pump"]["stalled_at_s"] < 12 * HOUR
    charged, plain = (each["ledger"]["carrier"]["catheter_m3"] for each in (summary, run(line_alone()).summary))
    given = summary["pump"]["infused_volume_m3"] - RATE * 6 * HOUR
    assert charged - plain == pytest.approx(given, rel=1e-6, abs=0.0)


def test_a_stall_is_reported_at_its_onset():
    results = run(line_alone(faults=[{"kind": "stall", "onset": "7.77 h"}]))
    assert results.summary["pump"]["stalled_at_s"] == 7.77 * HOUR
    assert results.summary["pump"]["infused_volume_m3"] == pytest.approx(RATE * 7.77 * HOUR, rel=1e-6, abs=0.0)


def test_a_programme_with_pauses_is_no_stall():
    pump = line_alone()["pump"] | {
        "programme": [{"from": "0 h", "rate": "20 mL/day"}, {"from": "2 h", "rate": "0.05 mL/day"},
                      {"from": "9 h", "rate": "0 mL/day"}],
    }  # fmt: skip
    results = run(line_alone(pump=pump))
    assert results.summary["pump"]["stalled_at_s"] is None
    volume = 2 * (20.0 * 2 + 0.05 * 7) / 24 * 1e-6
    assert results.summary["pump"]["infused_volume_m3"] == pytest.approx(volume, rel=1e-9, abs=0.0)


def test_a_reservoir_runs_empty_on_time_and_nothing_goes_below_zero():
    """The drug's rate falls at once, within long macro steps: no compartment may ring."""
    scenario = whole(run={"duration": "3 d", "output_every": "3 h"})
    scenario["pump"]["fill"]["volume"] = "3 mL"
    results = run(scenario)
    summary = results.summary
    assert summary["pump"]["residual_volume_m3"] == pytest.approx(1.4e-6, rel=1e-9, abs=0.0)
    assert summary["pump"]["stalled_at_s"] == pytest.approx(1.6e-6 / RATE, rel=0.02)
    books = series(results, "ledger")[:, 0]
    keep = [k for k, name in enumerate(results.history_coords["account"]) if name != "outflow"]
    assert books[:, keep].min() >= -1e-13 * books[:, 0].max()
    for name in ("segment_blood_concentration", "segment_tissue_concentration", "body_concentration"):
        assert series(results, name).min() >= -1e-9 * series(results, name).max()


@pytest.mark.parametrize("drive", ["synchromed-ii-40", "intera-3000"])
def test_no_step_takes_what_lies_below_the_residual_volume(drive):
    pump = {"model": drive, "fill": {"drug": "floxuridine", "concentration": "5 mg/mL", "volume": "3 mL"}}
    model = loads(json.dumps(line_alone(pump=pump))).model
    parts = assemble(model)
    infusion = Infusion(parts, PRESSURE)
    infusion.refill(build_timeline(model, parts).refills[0.0])
    infusion.advance(0.0, 40 * DAY, PRESSURE, np.zeros(infusion.n))
    assert infusion.reservoir.volume == pytest.approx(parts.pump.residual_volume, rel=1e-9, abs=0.0)


# Boluses, refills, and the order of the scenario's lines.


def bolus(at, **keys):
    return {"at": at, "bolus": {"drug": "cisplatin", "amount": "1 mg", "volume": "0.5 mL"} | keys}


@pytest.mark.parametrize("at", ["1 h", "1.9 d", "137.123 d"])
def test_a_bolus_gives_its_volume_exactly(at):
    results = run(line_alone(schedule=[bolus(at, over="7.3 s")], run={"duration": "140 d", "output_every": "10 d"}))
    summary = results.summary
    assert summary["pump"]["bolus_volume_m3"] == pytest.approx(0.5e-6, rel=1e-12, abs=0.0)
    assert summary["ledger"]["further_drugs"]["cisplatin"]["filled_kg"] == pytest.approx(1e-6, rel=1e-12, abs=0.0)


def test_two_boluses_at_a_time_both_get_in():
    schedule = [bolus("1 h", over="1 h"), bolus("1.25 h", over="15 min", amount="3 mg")]
    results = run(line_alone(schedule=schedule))
    assert results.summary["pump"]["bolus_volume_m3"] == pytest.approx(1e-6, rel=1e-12, abs=0.0)
    filled = results.summary["ledger"]["further_drugs"]["cisplatin"]["filled_kg"]
    assert filled == pytest.approx(4e-6, rel=1e-12, abs=0.0)


def test_a_bolus_into_a_closed_line_stops_at_the_pressure_limit():
    scenario = line_alone(
        schedule=[bolus("6 h")], faults=[{"kind": "occlusion", "where": {"catheter": "tip"}, "onset": "5.9 h"}]
    )
    summary = run(scenario).summary
    assert summary["pump"]["bolus_volume_m3"] < 0.2 * 0.5e-6
    assert summary["catheter"]["max_pressure_pa"] <= 250e3 * (1.0 + 1e-9)


def test_a_refill_at_an_odd_time_leaves_the_residual_volume():
    at = 0.987654 * DAY
    fill = {"drug": "floxuridine", "concentration": "2 mg/mL", "volume": "20 mL"}
    results = run(line_alone(schedule=[{"at": f"{at} s", "refill": fill}]))
    books, pump = results.summary["ledger"]["drug"], results.summary["pump"]
    left = 30e-6 - RATE * at
    assert books["withdrawn_kg"] == pytest.approx(5.0 * (left - 1.4e-6), rel=1e-9, abs=0.0)
    assert pump["residual_volume_m3"] == pytest.approx(20e-6 + 1.4e-6 - RATE * (2 * DAY - at), rel=1e-9, abs=0.0)
    mixed = (5.0 * 1.4 + 2.0 * 20.0) / 21.4
    assert books["reservoir_kg"] == pytest.approx(mixed * pump["residual_volume_m3"], rel=1e-9, abs=0.0)


def unordered(summary):
    kept = {key: value for key, value in summary.items() if key not in ("scenario", "timing", "solver", "detection")}
    return json.loads(json.dumps(kept, default=float))


def test_the_order_of_lines_does_not_matter():
    schedule = [
        {"at": "2 h", "patient": {"temperature": "39 degC"}},
        bolus("3 h"),
        {"at": "12 h", "refill": {"drug": "floxuridine", "concentration": "2 mg/mL", "volume": "30 mL"}},
        {"at": "20 h", "patient": {"temperature": "37 degC"}},
        bolus("30 h"),
    ]
    faults = [
        {"kind": "dislodgement", "to": {"vessel": "left_hepatic", "position": "5 mm"}, "onset": "10 h"},
        {"kind": "dislodgement", "to": {"vessel": "common_hepatic", "position": "5 mm"}, "onset": "30 h"},
        {"kind": "occlusion", "where": {"vessel": "segment_4"}, "severity": 0.9, "onset": "5 h"},
    ]
    pump = whole()["pump"] | {"model": "intera-3000"}
    forwards = run(whole(pump=pump, schedule=schedule, faults=faults)).summary
    backwards = run(whole(pump=pump, schedule=schedule[::-1], faults=faults[::-1])).summary
    assert unordered(backwards) == unordered(forwards)
    assert forwards["pump"]["bolus_volume_m3"] == pytest.approx(1e-6, rel=1e-12, abs=0.0)


# What a clinic would notice.

SIGNS = ("delivered_volume_at_refill", "side_port_pressure", "scan_agent_distribution", "systemic_drug_level")
KINDS = {
    "stall": ({"kind": "stall"}, {"delivered_volume_at_refill", "systemic_drug_level"}),
    "tip": (
        {"kind": "occlusion", "where": {"catheter": "tip"}},
        {"delivered_volume_at_refill", "side_port_pressure", "systemic_drug_level"},
    ),
    "connector": (
        {"kind": "occlusion", "where": {"catheter": "connector"}},
        {"delivered_volume_at_refill", "side_port_pressure", "systemic_drug_level"},
    ),
    "leak": (
        {"kind": "leak", "where": {"catheter": "connector"}, "orifice_diameter": "0.1 mm"},
        {"scan_agent_distribution", "systemic_drug_level"},
    ),
    "pinhole": ({"kind": "leak", "where": {"catheter": "10 cm"}, "orifice_diameter": "10 um"}, set()),
    "vessel": ({"kind": "occlusion", "where": {"vessel": "right_hepatic"}}, {"scan_agent_distribution"}),
    "moved": (
        {"kind": "dislodgement", "to": {"vessel": "left_hepatic", "position": "5 mm"}},
        {"scan_agent_distribution"},
    ),
    # Against the tissue's low pressure a gas drive gives more, and less is needed at the side port.
    "out": (
        {"kind": "dislodgement", "to": "tissue"},
        {"delivered_volume_at_refill", "side_port_pressure", "scan_agent_distribution", "systemic_drug_level"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_of_fault_shows_where_it_should(name):
    fault, expected = KINDS[name]
    onset = 1.3 * DAY
    pump = whole()["pump"] | {"model": "intera-3000"}
    refill = {"at": "4 d", "refill": {"drug": "floxuridine", "concentration": "5 mg/mL", "volume": "30 mL"}}
    run_for = {"duration": "5 d", "output_every": "2 d"}  # the visit at day 4 is found although little is written down
    results = run(whole(pump=pump, schedule=[refill], faults=[fault | {"onset": f"{onset} s"}], run=run_for))
    row = results.summary["detection"][0]
    shown = {sign for sign in SIGNS if row[f"{sign}_at_s"] is not None}
    assert shown >= expected - {"systemic_drug_level"}
    assert not (shown - expected) & {"delivered_volume_at_refill", "side_port_pressure", "scan_agent_distribution"}
    times = [row[f"{sign}_at_s"] for sign in shown]
    assert all(time >= onset for time in times)
    assert row["time_s"] == (min(times) if times else None)
    if "delivered_volume_at_refill" in shown:
        assert row["delivered_volume_at_refill_at_s"] == 4 * DAY
    if "systemic_drug_level" in expected:
        assert "systemic_drug_level" in shown
    assert abs(results.summary["twin"]["ledger"]["drug"]["relative_imbalance"]) <= 1e-10


@pytest.mark.parametrize(("onset", "noticed"), [(7.48, False), (7.2, True)])
def test_a_visit_measures_what_is_missing_against_what_was_planned_since_the_last(onset, noticed):
    """Of 4 days' 5.2 mL 13 and 20 % are missing. The residual volume stays at a refill and is part of what it finds."""
    fill = {"drug": "floxuridine", "concentration": "5 mg/mL", "volume": "30 mL"}
    scenario = line_alone(schedule=[{"at": at, "refill": fill} for at in ("4 d", "8 d")],
                          faults=[{"kind": "stall", "onset": f"{onset} d"}],
                          run={"duration": "9 d", "output_every": "1 d"})  # fmt: skip
    scenario["pump"]["basal_rate"] = "1.3 mL/day"
    row = run(scenario).summary["detection"][0]
    assert row["delivered_volume_at_refill_at_s"] == (8 * DAY if noticed else None)


def test_what_lodges_elsewhere_is_counted_once():
    """Three tenths of the agent that one place lacks are the three tenths that another has."""
    planned, now = np.array([0.5, 0.5, 0.0]), np.array([0.2, 0.5, 0.3])
    assert _displaced_share((0.0, now), (0.0, planned)) == pytest.approx(0.3, rel=1e-12)
    assert _displaced_share((0.0, None), (0.0, planned)) == 0.0


def test_each_of_several_faults_is_looked_at_alone():
    faults = [
        {"kind": "stall", "onset": "1 d"},
        {"kind": "occlusion", "where": {"vessel": "right_hepatic"}, "onset": "2 d"},
    ]
    rows = run(whole(faults=faults, run={"duration": "4 d", "output_every": "12 h"})).summary["detection"]
    assert [row["fault"] for row in rows] == ["stall of the pump", "occlusion of right_hepatic"]
    assert rows[0]["scan_agent_distribution_at_s"] is None
    assert rows[1]["delivered_volume_at_refill_at_s"] is None
    assert rows[1]["scan_agent_distribution_at_s"] == 2 * DAY
