"""The books of drug and carrier close on random chains with random troubles, through the whole coupling."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from haiflow.scenario.load import loads
from haiflow.simulation.run import run_scenario

SEGMENTS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII"]
HOUR, DAY = 3600.0, 86400.0
DRUGS = ["floxuridine", "doxorubicin", "cisplatin", "none"]


def network(draw):
    """A trunk, then each further vessel from a random node; sometimes one more vessel that closes a loop."""
    n = draw(st.integers(2, 6))
    nodes, vessels, open_ends = ["root", "n0"], {}, {"n0"}
    vessels["v0"] = {"from": "root", "to": "n0"}
    while len(vessels) < n:
        start, number = draw(st.sampled_from(nodes[1:])), len(nodes) - 1
        for k in range(2 if start in open_ends else 1):  # a node that was an end becomes a fork
            vessels[f"v{len(vessels)}"] = {"from": start, "to": f"n{number + k}"}
            nodes.append(f"n{number + k}")
            open_ends.add(f"n{number + k}")
        open_ends.discard(start)
    ends = sorted(open_ends)
    if len(ends) >= 3 and draw(st.booleans()):  # an anastomosis between two terminals; beyond, each goes on
        first, second = draw(st.sampled_from([(a, b) for a in ends for b in ends if a < b]))
        vessels["arcade"] = {"from": first, "to": second}
        for node in (first, second):
            vessels[f"beyond_{node}"] = {"from": node, "to": f"end_{node}"}
            ends[ends.index(node)] = f"end_{node}"
    for number, vessel in enumerate(vessels.values()):
        vessel |= {
            "length": f"{draw(st.integers(12, 45))} mm", "diameter": f"{5.0 / (1 + number) ** 0.3:.3f} mm",
            "wave_speed": f"{draw(st.integers(6, 9))} m/s",
        }  # fmt: skip
    weights = [draw(st.integers(1, 5)) for _ in ends]
    outlets = {
        node: {"share": f"{100.0 * weight / sum(weights):.12g} %"} for node, weight in zip(ends, weights, strict=True)
    }
    off = draw(st.booleans()) and len(ends) > 1
    fed = ends[1:] if off else ends
    if off:
        outlets[ends[0]] |= {"off_target": "gut", "drains": draw(st.sampled_from(["portal", "systemic"]))}
    for number, node in enumerate(fed):
        own = SEGMENTS[number :: len(fed)]
        outlets[node]["feeds"] = dict.fromkeys(own, 1.0 / len(own))
    return {
        "vessels": vessels, "outlets": outlets, "inlet": {"vessel": "v0", "mean": "300 mL/min"},
    }  # fmt: skip


def fault(draw, vessels, duration):
    onset = {"onset": f"{draw(st.floats(0.0, 0.95)) * duration:.6f} s"}
    growing = onset | {
        "over": f"{draw(st.sampled_from([0.0, 0.2])) * duration:.6f} s",
        "law": draw(st.sampled_from(["linear", "logistic", "step"])),
    }
    severity = {"severity": draw(st.sampled_from([0.5, 0.9, 1.0]))}
    place = f"{draw(st.integers(1, 48))} cm"
    return draw(st.sampled_from([
        {"kind": "occlusion", "where": {"vessel": draw(st.sampled_from(vessels))}, **severity, **growing},
        {"kind": "occlusion", "where": {"catheter": draw(st.sampled_from([place, "tip", "connector"]))}, **severity,
         **growing},
        {"kind": "occlusion", "where": {"side_hole": 1}, **severity, **growing},
        {"kind": "leak", "where": {"catheter": draw(st.sampled_from([place, "connector"]))},
         "orifice_diameter": f"{draw(st.sampled_from([8, 13, 60, 400]))} um", **growing},
        {"kind": "leak", "where": {"catheter": place}, "torn": True, **onset},
        {"kind": "dislodgement", "to": {"vessel": draw(st.sampled_from(vessels)), "position": "40 %"}, **onset},
        {"kind": "dislodgement", "to": "tissue", **onset},
        {"kind": "stall", **onset},
    ]))  # fmt: skip


def event(draw, duration, peristaltic):
    at = {"at": f"{draw(st.floats(0.01, 0.8)) * duration:.6f} s"}
    fill = {"drug": draw(st.sampled_from(DRUGS)), "volume": f"{draw(st.integers(5, 30))} mL"}
    fill |= {} if fill["drug"] == "none" else {"concentration": "3 mg/mL"}
    kinds = [
        {"refill": fill},
        {"bolus": {"drug": draw(st.sampled_from(["cisplatin", "tc99m-maa"])), "amount": "1 mg", "volume": "0.2 mL",
                   "over": f"{0.1 * duration:.6f} s"}},
        {"patient": {"temperature": f"{draw(st.integers(35, 40))} degC"}},
        {"patient": {"altitude": "1500 m"}},
    ]  # fmt: skip
    if peristaltic:
        kinds.append({"pump": {"basal_rate": f"{draw(st.sampled_from([0, 3, 20]))} mL/day"}})
    return at | draw(st.sampled_from(kinds))


@st.composite
def scenarios(draw, clock):
    duration = draw(st.sampled_from([6 * HOUR, 3 * DAY])) if clock == "therapy" else draw(st.sampled_from([0.6, 1.3]))
    arteries, peristaltic = network(draw), draw(st.booleans())
    names = list(arteries["vessels"])
    holes = draw(st.booleans())
    volume = draw(st.sampled_from([2, 30]))  # of 2 mL some pumps run empty
    faults = [fault(draw, names, duration) for _ in range(draw(st.integers(0, 3)))]
    faults = [item for item in faults if item.get("where") != {"side_hole": 1} or holes]
    schedule = [event(draw, duration, peristaltic) for _ in range(draw(st.integers(0, 3)))]
    boluses_or_refills = {item["at"]: item for item in schedule}
    scenario = {
        "haiflow": 1,
        "pump": {
            "model": "synchromed-ii-40" if peristaltic else "intera-3000",
            "nominal_rate": f"{draw(st.sampled_from([1.3, 9.0]))} mL/day",
            "fill": {"drug": draw(st.sampled_from(DRUGS[:3])), "concentration": "5 mg/mL", "volume": f"{volume} mL"},
        },
        "catheter": {
            "model": "intera-straight",
            "tip": {"vessel": draw(st.sampled_from(names)), "position": draw(st.sampled_from(["ostium", "30 %"]))},
            "side_holes": [{"from_tip": "20 mm", "diameter": "0.3 mm"}] if holes else [],
        },
        "arteries": {"network": arteries},
        "liver": {"model": "standard"},
        "schedule": list(boluses_or_refills.values()),
        "faults": faults,
        "run": {
            "clock": clock, "duration": f"{duration:.6f} s",
            "output_every": f"{duration * draw(st.sampled_from([0.03, 0.11])):.6f} s",
            "numerics": {"growth_levels": 3, "periodic_tolerance": 1e-2},
        },
    }  # fmt: skip
    if draw(st.booleans()):
        scenario["liver"]["tumours"] = [{"segment": draw(st.sampled_from(SEGMENTS)), "diameter": "25 mm"}]
    return scenario


def check(scenario):
    results = run_scenario(loads(json.dumps(scenario)), pictures=False)
    summary = results.summary
    assert summary["status"] == "complete", summary.get("stopped")
    drugs = {"drug": summary["ledger"]["drug"], **summary["ledger"].get("further_drugs", {})}
    for name, book in {**drugs, "carrier": summary["ledger"]["carrier"]}.items():
        assert abs(book["relative_imbalance"]) <= 1e-10, (name, book)
    every = results.history_series["ledger"].values
    filled = every[:, :, 0]
    assert (np.abs(filled - every[:, :, 1:].sum(axis=2)) <= 1e-10 * filled.max(axis=0)).all()
    negative_beyond_round_off(results, filled.max(axis=0))
    for series in results.history_series.values():
        assert np.isfinite(series.values).all(), series.long_name


def negative_beyond_round_off(results, filled):
    """No account of the ledger and no concentration is below zero by more than round-off."""
    series, coords = results.history_series, results.history_coords
    books = series["ledger"].values
    keep = [k for k, name in enumerate(coords["account"]) if name != "outflow"]
    lowest = books[:, :, keep].min(axis=(0, 2))
    assert (lowest >= -1e-12 * filled).all(), lowest / filled
    for name in ("segment_blood_concentration", "segment_tissue_concentration", "body_concentration"):
        values = series[name].values
        scale = np.abs(values).max(initial=0.0)
        assert values.min(initial=0.0) >= -1e-9 * scale, name
    assert series["pump_reservoir_volume"].values.min() >= 0.0


QUIET = {
    "deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "database": None,
    "phases": [Phase.generate],  # a run takes long enough without shrinking
}  # fmt: skip


@settings(max_examples=25, **QUIET)
@given(scenarios("therapy"))
def test_books_close_in_the_therapy_clock(scenario):
    check(scenario)


@settings(max_examples=8, **QUIET)
@given(scenarios("pulse"))
def test_books_close_in_the_pulse_clock(scenario):
    check(scenario)


@pytest.mark.slow
@settings(max_examples=300, **QUIET)
@given(scenarios("therapy"))
def test_books_close_in_the_therapy_clock_on_many(scenario):
    check(scenario)


@pytest.mark.slow
@settings(max_examples=100, **QUIET)
@given(scenarios("pulse"))
def test_books_close_in_the_pulse_clock_on_many(scenario):
    check(scenario)
