"""Limits and closed forms through the whole chain: pump, line, arteries, liver, body and ledger together."""

import json

import numpy as np
import pytest

from haiflow.scenario.load import loads
from haiflow.simulation.run import run_scenario

HOUR, DAY = 3600.0, 86400.0
RATE = 1.3e-6 / DAY
INFLOW = 400e-6 / 60.0
FILL = 0.12e-6 * 70.0 / 1.3e-6  # kg/m3: 0.12 mg/kg/day for 70 kg at 1.3 mL/day
DEAD_VOLUME = np.pi * 0.3e-3**2 * 0.5
NETWORK = {
    "vessels": {
        "trunk": {"from": "root", "to": "fork", "length": "30 mm", "diameter": "4.4 mm", "wave_speed": "7 m/s"},
        "gut": {"from": "fork", "to": "gut", "length": "30 mm", "diameter": "3 mm", "wave_speed": "8 m/s"},
        "right": {"from": "fork", "to": "right", "length": "40 mm", "diameter": "3.2 mm", "wave_speed": "8 m/s"},
        "left": {"from": "fork", "to": "left", "length": "40 mm", "diameter": "2.8 mm", "wave_speed": "8 m/s"},
    },
    "outlets": {
        "gut": {"share": "20 %", "off_target": "duodenum"},
        "right": {"share": "50 %", "feeds": {"V": 0.2, "VI": 0.15, "VII": 0.25, "VIII": 0.4}},
        "left": {"share": "30 %", "feeds": {"I": 0.1, "II": 0.2, "III": 0.3, "IV": 0.4}},
    },
    "inlet": {"vessel": "trunk", "mean": "400 mL/min"},
}


def chain(**changes):
    """A small whole chain: an exact pump, a straight line with its tip in the trunk, three terminals, liver, body."""
    scenario = {
        "haiflow": 1,
        "pump": {
            "model": "synchromed-ii-40",
            "fill": {"drug": "floxuridine", "dose": "0.12 mg/kg/day", "volume": "30 mL"},
        },
        "catheter": {"model": "intera-straight", "tip": {"vessel": "trunk", "position": "10 mm"}},
        "arteries": {"network": NETWORK},
        "liver": {"model": "standard"},
        "run": {"duration": "4 d", "output_every": "1 h"},
    }
    for dotted, value in changes.items():
        *groups, last = dotted.split("__")
        place = scenario
        for group in groups:
            place = place.setdefault(group, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return scenario


def run(scenario):
    results = run_scenario(loads(scenario if isinstance(scenario, str) else json.dumps(scenario)), pictures=False)
    assert results.summary["status"] == "complete"
    assert abs(results.summary["ledger"]["carrier"]["relative_imbalance"]) <= 1e-10
    return results


def series(results, name):
    return results.history_series[name].values


def delivered(results):
    """By terminal, kg at first pass."""
    return dict(zip(results.history_coords["terminal"], series(results, "terminal_drug_delivered")[-1, 0], strict=True))


@pytest.fixture(scope="module")
def steady():
    return run(chain())


# The mass balance that a pharmacist does by hand.


def test_fill_is_194_mg(steady):
    assert steady.summary["ledger"]["drug"]["filled_kg"] == pytest.approx(193.846e-6, rel=1e-5, abs=0.0)


def test_mixed_arterial_concentration_is_14_58_ng_per_ml(steady):
    """First pass: what the tip gives is carried by all the blood of the trunk, and each branch has that of its flow."""
    time = steady.history_coords["time"]
    given = np.diff(series(steady, "terminal_drug_delivered")[:, 0], axis=0)[-1] / (time[-1] - time[-2])
    flow = series(steady, "terminal_flow_rate")[-1]
    assert flow.sum() == pytest.approx(INFLOW, rel=1e-3, abs=0.0)
    np.testing.assert_allclose(given / flow, 14.58e-6, rtol=1e-3)
    assert given.sum() == pytest.approx(RATE * FILL, rel=1e-9, abs=0.0)


def test_drug_comes_2_61_hours_late(steady):
    """Lag = volume of the lumen / flow rate, the mean arrival of the front, whatever its dispersion; the lumen is the
    dead volume and the little by which the artery's pressure swells it."""
    time, rate = steady.history_coords["time"], series(steady, "tip_drug_rate")[:, 0]
    arrived = float(rate[1:] @ np.diff(time)) / (RATE * FILL)
    lag = time[-1] - arrived
    books = steady.summary["ledger"]
    assert lag == pytest.approx(books["drug"]["catheter_kg"] / (RATE * FILL), rel=1e-6)
    assert lag == pytest.approx(books["carrier"]["catheter_m3"] / RATE, rel=1e-3)
    assert steady.summary["catheter"]["dead_volume_m3"] / RATE == pytest.approx(2.61 * HOUR, rel=1e-3)
    assert lag == pytest.approx(DEAD_VOLUME / RATE, rel=0.02)
    assert rate[time <= 2.0 * HOUR].max() < 0.05 * RATE * FILL
    assert rate[time >= 4.0 * HOUR].min() > 0.95 * RATE * FILL


def test_pump_keeps_its_programme_exactly(steady):
    assert steady.summary["pump"]["infused_volume_m3"] == pytest.approx(4 * 1.3e-6, rel=1e-9, abs=0.0)
    assert steady.summary["pump"]["mean_flow_rate_m3_per_s"] == pytest.approx(RATE, rel=1e-9, abs=0.0)


def test_dedrick_advantage():
    """1 + clearance / (flow (1 - E)): liver's arterial blood over systemic blood (Collins 1984), all clearances in
    place. The tip is beyond the gut's artery, and the liver's blood flow is the reference at which E is stated."""
    scenario = chain(
        catheter__tip={"vessel": "trunk", "position": "ostium"}, run__duration="12 d", run__output_every="6 h"
    )
    network = json.loads(json.dumps(NETWORK))
    del network["vessels"]["gut"], network["outlets"]["gut"]
    # Each segment has blood in proportion to its volume.
    network["outlets"] = {
        "right": {"share": "65.5 %", "feeds": {"V": 13 / 65.5, "VI": 9 / 65.5, "VII": 17.5 / 65.5, "VIII": 26 / 65.5}},
        "left": {"share": "34.5 %", "feeds": {"I": 3.5 / 34.5, "II": 7.5 / 34.5, "III": 9.5 / 34.5, "IV": 14 / 34.5}},
    }
    scenario["arteries"]["network"] = network
    results = run(scenario)
    time, body = results.history_coords["time"], series(results, "body_concentration")[-1, 0]
    flow = series(results, "terminal_flow_rate")[-1].sum()
    rate = np.diff(series(results, "terminal_drug_delivered")[:, 0].sum(axis=1))[-1] / (time[-1] - time[-2])
    advantage = 1.0 + rate / flow / body
    clearance, extraction = 4e-3 / 60.0, 0.95
    assert advantage == pytest.approx(1.0 + clearance / (flow * (1.0 - extraction)), rel=3e-3)
    # Over the whole run the line's lag takes nothing from either side.
    assert results.summary["body"]["hepatic_advantage"] == pytest.approx(advantage, rel=3e-3)


# Limits.


def test_stalled_from_the_start(steady):
    results = run(chain(faults=[{"kind": "stall"}], run__duration="1 d"))
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


@pytest.mark.parametrize("vessel", ["right", "left", "gut"])
def test_an_occluded_branch_gets_nothing(vessel):
    results = run(chain(faults=[{"kind": "occlusion", "where": {"vessel": vessel}}], run__duration="1 d"))
    shares, flow = delivered(results), series(results, "terminal_flow_rate")[-1]
    terminals = results.history_coords["terminal"]
    assert shares[vessel] == 0.0
    assert flow[terminals.index(vessel)] == 0.0
    total = sum(shares.values())
    for node, rate in zip(terminals, flow, strict=True):
        assert shares[node] / total == pytest.approx(rate / flow.sum(), abs=1e-6)


def test_an_occluded_trunk_stops_the_blood_and_the_drug():
    results = run(chain(faults=[{"kind": "occlusion", "where": {"vessel": "trunk"}}], run__duration="1 d"))
    assert max(abs(series(results, "terminal_flow_rate")[-1])) <= 1e-9 * INFLOW
    books = results.summary["ledger"]["drug"]
    assert max(abs(value) for value in delivered(results).values()) <= 1e-6 * books["filled_kg"]


def test_a_tip_in_tissue_gives_the_arteries_nothing():
    results = run(chain(faults=[{"kind": "dislodgement", "to": "tissue"}], run__duration="2 d"))
    assert set(delivered(results).values()) == {0.0}
    summary = results.summary
    assert summary["catheter"]["leaked_volume_m3"] > 0.9 * summary["pump"]["infused_volume_m3"]
    # What the tissue absorbs gets to the body, and only there.
    assert summary["body"]["exposure_kg_s_per_m3"] > 0.0
    assert summary["ledger"]["drug"]["leaked_kg"] > 0.0
    assert summary["split"] == []
    assert summary["detection"][0]["scan_agent_distribution_at_s"] == 0.0


# Linearity, splits, time steps.


def test_a_double_dose_doubles_everything(steady):
    """Of a drug without saturation: floxuridine's is switched off by a constant far beyond any concentration."""
    drug = {"floxuridine": {"half_saturation": "1e9 mg/mL"}}
    one, two = (
        run(chain(drugs=drug, pump__fill={"drug": "floxuridine", "concentration": f"{c} mg/mL", "volume": "30 mL"}))
        for c in (2.0, 4.0)
    )
    for name in ("tip_drug_rate", "terminal_drug_delivered", "segment_tissue_concentration", "body_concentration"):
        small, large = series(one, name), series(two, name)
        np.testing.assert_allclose(large, 2.0 * small, rtol=1e-9, atol=1e-11 * np.abs(large).max())
    a, b = one.summary["segments"]["V"], two.summary["segments"]["V"]
    assert b["exposure_kg_s_per_m3"] == pytest.approx(2.0 * a["exposure_kg_s_per_m3"], rel=1e-9, abs=0.0)
    assert b["dose_fraction"] == pytest.approx(a["dose_fraction"], rel=1e-12, abs=0.0)


def test_a_given_split_is_obeyed():
    split = {"gut": 0.05, "right": 0.25, "left": 0.70}
    results = run(
        chain(arteries__split=split, catheter__tip={"vessel": "gut", "position": "ostium"}, arteries__ligated=[])
    )
    shares = delivered(results)
    total = sum(shares.values())
    assert {node: value / total for node, value in shares.items()} == pytest.approx(split, rel=1e-6)
    assert results.summary["split"][0] == {"hole": "tip", "source": "given", "fractions": split}


def figures(macro_step):
    """Infused and leaked volume, dose and exposure of a segment, of a run in which all of them drift."""
    summary = run(chain(
        pump__model="intera-3000",
        faults=[{"kind": "leak", "where": {"catheter": "12 cm"}, "orifice_diameter": "12 um", "onset": "2 d"}],
        schedule=[{"at": "9 d", "refill": {"drug": "floxuridine", "concentration": "3 mg/mL", "volume": "30 mL"}}],
        run__duration="16 d", run__output_every="16 d", run__numerics={"macro_step": macro_step},
    )).summary  # fmt: skip
    segment = summary["segments"]["V"]
    volumes = summary["pump"]["infused_volume_m3"], summary["catheter"]["leaked_volume_m3"]
    return np.array([*volumes, segment["drug_delivered_kg"], segment["exposure_kg_s_per_m3"]])


def test_time_steps_converge_at_first_order():
    """Halving the macro step; from an hour and a half on, halving changes nothing by 0.04 %."""
    found = np.array([figures(step) for step in ("6 h", "3 h", "90 min")])
    change = np.abs(np.diff(found, axis=0)) / found[-1]
    order = np.log2(change[:-1] / change[1:])
    assert (order >= 0.9).all(), order
    assert (change[-1] <= 4e-4).all(), change


# The two clocks.


def test_both_clocks_split_a_bolus_alike():
    """A short bolus and its flush, beat by beat and on the cycle's mean flow."""
    boluses = [
        {"at": "0.5 s", "bolus": {"agent": "tc99m-maa", "amount": "0.5 mg", "volume": "0.1 mL", "rate": "0.1 mL/s"}},
        {"at": "1.5 s", "bolus": {"volume": "0.5 mL", "rate": "0.2 mL/s"}},
    ]
    pulse, therapy = (
        run(chain(
            pump__fill={"drug": "none", "volume": "30 mL"}, schedule=boluses,
            run={"clock": clock, "duration": "7 s", "output_every": "0.5 s"},
        ))
        for clock in ("pulse", "therapy")
    )  # fmt: skip
    beat, mean = delivered(pulse), delivered(therapy)
    assert sum(beat.values()) == pytest.approx(sum(mean.values()), rel=0.01, abs=0.0)
    assert sum(mean.values()) > 0.97 * 0.5e-6
    for node in beat:
        assert beat[node] / sum(beat.values()) == pytest.approx(mean[node] / sum(mean.values()), rel=0.01)
    for results in (pulse, therapy):
        assert results.summary["pump"]["bolus_volume_m3"] == pytest.approx(0.6e-6, rel=1e-9, abs=0.0)
        assert results.summary["ledger"]["drug"]["filled_kg"] == pytest.approx(0.5e-6, rel=1e-9, abs=0.0)
    flow = [results.summary["arteries"]["right"]["mean_flow_rate_m3_per_s"] for results in (pulse, therapy)]
    assert flow[0] == flow[1]


# The resolved scenario, and the same run twice.


def without_timing(summary):
    kept = {key: value for key, value in summary.items() if key not in ("timing", "solver")}
    return json.loads(json.dumps(kept, default=float))


def test_two_runs_are_the_same_to_the_bit(steady):
    again = run(chain())
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
    first = run(scenario)
    second = run(first.scenario_yaml)
    assert second.scenario_yaml == first.scenario_yaml
    assert without_timing(second.summary) == without_timing(first.summary)


# What the body gets is what the liver lets pass.


def test_what_passes_the_liver_is_one_minus_extraction(steady):
    books = steady.summary["ledger"]["drug"]
    taken = books["eliminated_in_liver_kg"] / (books["eliminated_kg"] + books["body_kg"] + books["liver_kg"])
    # First pass takes E of the dose; of the rest the liver clears its share of all clearance as it comes round.
    extraction, hepatic, whole = 0.95, 0.95 * 1.5e-3 / 60.0, 4e-3 / 60.0
    assert taken == pytest.approx(extraction + (1.0 - extraction) * hepatic / whole, abs=5e-3)
