"""The line within whole runs: side holes by number, what a bolus or blood in the lumen does, a pocket's drug, pump."""

import json

import numpy as np
import pytest

from haiflow.errors import InputError, InputErrors
from haiflow.scenario.load import loads
from haiflow.simulation.assemble import assemble
from haiflow.simulation.events import build_timeline
from haiflow.simulation.run import run_scenario

HOUR, DAY = 3600.0, 86400.0
RATE = 1.3e-6 / DAY
PRESSURE = 95.0 * 133.322387415
LINE = 128.0 * 0.5 / (np.pi * 0.6e-3**4)  # 1/m3: resistance of the line over viscosity


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


def run(scenario):
    results = run_scenario(loads(json.dumps(scenario)), pictures=False)
    assert results.summary["status"] == "complete"
    for book in (results.summary["ledger"]["drug"], results.summary["ledger"]["carrier"]):
        assert abs(book["relative_imbalance"]) <= 1e-10
    return results


# Side holes.

HOLES = [
    {"from_tip": "5 mm", "diameter": "0.3 mm", "count": 2},
    {"from_tip": "10 mm", "diameter": "0.2 mm", "count": 3},
]


def side_holed(**keys):
    return line_alone(**keys) | {"catheter": {"model": "intera-straight", "side_holes": HOLES}}


def open_fractions(scenario, time):
    model = loads(json.dumps(scenario)).model
    line = build_timeline(model, assemble(model, None)).parts_at(time).line
    return {hole.name: (hole.diameter, hole.open_fraction) for hole in line.holes if hole.kind == "side_hole"}


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_side_holes_are_counted_one_by_one(number):
    """Two holes of 0.3 mm are 1 and 2, three of 0.2 mm are 3 to 5; an occlusion closes the one that it names."""
    fault = {"kind": "occlusion", "where": {"side_hole": number}, "onset": "1 h"}
    before, after = (open_fractions(side_holed(faults=[fault]), time) for time in (0.0, 2 * HOUR))
    sizes = [0.3e-3, 0.3e-3, 0.2e-3, 0.2e-3, 0.2e-3]
    assert list(before) == [f"side_hole_{k}" for k in range(1, 6)]
    assert [diameter for diameter, _ in before.values()] == pytest.approx(sizes, rel=1e-12, abs=0.0)
    assert {opened for _, opened in before.values()} == {1.0}
    assert [name for name, (_, opened) in after.items() if opened == 0.0] == [f"side_hole_{number}"]
    assert sum(opened for _, opened in after.values()) == 4.0


def test_there_is_no_sixth_side_hole():
    with pytest.raises((InputError, InputErrors), match="side_hole"):
        loads(json.dumps(side_holed(faults=[{"kind": "occlusion", "where": {"side_hole": 6}}])))


# What is in the lumen decides its resistance.


def flushed(infusate):
    """Largest pressure in the line while 1 mL goes in at 0.1 mL/s, above the artery's."""
    bolus = {"at": "1 h", "bolus": {"volume": "1 mL", "rate": "0.1 mL/s", "infusate": infusate}}
    summary = run(line_alone(schedule=[bolus], run={"duration": "2 h", "output_every": "1 h"})).summary
    assert summary["pump"]["bolus_volume_m3"] == pytest.approx(1e-6, rel=1e-9, abs=0.0)
    return summary["pump"]["max_pressure_pa"] - PRESSURE


@pytest.mark.parametrize(("infusate", "viscosity"), [("saline", 0.69e-3), ("glycerin-50", 3.6e-3)])
def test_a_bolus_needs_the_pressure_of_its_own_viscosity(infusate, viscosity):
    """Hagen-Poiseuille at 0.1 mL/s through 50 cm, and a little for the end of the lumen: 57 kPa of glycerin."""
    assert flushed(infusate) == pytest.approx(viscosity * LINE * 0.1e-6, rel=0.04, abs=0.0)


@pytest.mark.parametrize("viscosity", [3.8e-3, 7.6e-3])
def test_blood_that_runs_back_through_the_line_has_the_viscosity_of_blood(viscosity):
    """Out of a wide hole at the connector, from the artery: its resistance is that of the lumen full of blood."""
    pocket = {"compliance": "1 m3/Pa", "rest_pressure": "0 Pa", "absorption": "0 m3/s/Pa"}
    leak = {"kind": "leak", "where": {"catheter": "connector"}, "orifice_diameter": "0.6 mm", "pocket": pocket}
    network = {
        "vessels": {
            "trunk": {"from": "root", "to": "fork", "length": "10 mm", "diameter": "6 mm", "wave_speed": "8 m/s"},
            "bed": {"from": "fork", "to": "bed", "length": "10 mm", "diameter": "6 mm", "wave_speed": "8 m/s"},
        },
        "outlets": {"bed": {"share": "100 %", "off_target": "stomach"}},
        "inlet": {"vessel": "trunk", "mean": "400 mL/min", "waveform": "steady"},
    }
    arteries = {"network": network, "blood": {"viscosity": f"{viscosity} Pa s"}}
    catheter = {"model": "intera-straight", "tip": {"vessel": "trunk", "position": "ostium"}}
    results = run(line_alone(
        faults=[leak | {"onset": "1 h"}], arteries=arteries, catheter=catheter,
        run={"duration": "3 h", "output_every": "10 min"},
    ))  # fmt: skip
    hole = 128.0 * 0.85e-3 / (np.pi * 0.6e-3**4) + 24.0 / 0.6e-3**3  # channel through the wall, and Sampson's
    expected = PRESSURE / (viscosity * (LINE + hole))
    found = results.history_series["catheter_leak_flow_rate"].values[-1]
    assert results.summary["catheter"]["blood_fraction_at_end"] > 0.99
    assert found == pytest.approx(expected, rel=0.03, abs=0.0)


# Pockets.


def test_a_pocket_gives_the_body_its_drug_with_the_liquid():
    """A torn line fills a pocket that absorbs as much as the pump gives: V = (Q / k) C, and the infusate's own drug."""
    pocket = {"compliance": "1e-10 m3/Pa", "rest_pressure": "0 Pa", "absorption": "1e-14 m3/s/Pa"}
    torn = {"kind": "leak", "where": {"catheter": "connector"}, "torn": True, "pocket": pocket}
    books = run(line_alone(faults=[torn])).summary["ledger"]["drug"]
    volume = RATE / 1e-14 * 1e-10
    assert books["leaked_kg"] == pytest.approx(5.0 * volume, rel=1e-3, abs=0.0)
    given = 5.0 * RATE * 2 * DAY - books["catheter_kg"]  # a little lingers in the lumen beside the tear
    assert books["outflow_kg"] == pytest.approx(given - 5.0 * volume, rel=1e-3, abs=0.0)


# The pump.


@pytest.mark.parametrize("error", [0.05, -0.08])
def test_the_trumpet_is_the_pumps_own(error):
    """Nothing reaches the artery through a torn line, and the pump's error is the same in every window."""
    scenario = line_alone(
        faults=[{"kind": "leak", "where": {"catheter": "20 cm"}, "torn": True, "onset": "1 h"}],
        run={"duration": "2 d", "output_every": "1 h"},
    )
    scenario["pump"]["rate_error"] = error
    rows = run(scenario).summary["pump"]["trumpet"]
    assert [row["window_s"] for row in rows] == [HOUR, 6 * HOUR, DAY]
    for row in rows:
        assert row["lowest_error"] == pytest.approx(error, abs=1e-9)
        assert row["highest_error"] == pytest.approx(error, abs=1e-9)


def test_no_trumpet_of_a_pump_whose_rate_is_changed():
    changed = line_alone(schedule=[{"at": "1 d", "pump": {"basal_rate": "2 mL/day"}}])
    assert not run(changed).summary["pump"].get("trumpet")


@pytest.mark.parametrize(("keys", "refused"), [
    ({"rate_error": 0.145}, False),
    ({"rate_error": -0.145}, False),
    ({"rate_error": 0.15}, True),
    ({"rate_error": -0.15}, True),
    ({"rate_error": 0.15, "accuracy_band": 0.2}, False),
    ({"rate_error": 0.05, "accuracy_band": 0.02}, True),
])  # fmt: skip
def test_a_rate_error_beyond_the_makers_band_is_refused(keys, refused):
    scenario = line_alone()
    scenario["pump"] |= keys
    if refused:
        with pytest.raises((InputError, InputErrors), match="rate_error"):
            loads(json.dumps(scenario))
    else:
        assert assemble(loads(json.dumps(scenario)).model, None).pump.drive.rate_error == keys["rate_error"]


# Signs of one fault among several.


def test_a_fault_among_several_is_seen_as_it_is_alone():
    """To within the time between two looks, which each row states."""
    pump = line_alone()["pump"] | {"model": "intera-3000"}
    parts = {
        "pump": pump,
        "catheter": {"model": "intera-straight", "tip": {"vessel": "gastroduodenal", "position": "ostium"}},
        "arteries": {"anatomy": "michels-1", "inflow": {"waveform": "steady"}},
        "liver": {"model": "standard"},
        "schedule": [{"at": "4 d", "refill": {"drug": "floxuridine", "concentration": "5 mg/mL", "volume": "30 mL"}}],
        "run": {"duration": "5 d", "output_every": "1 h", "numerics": {"growth_levels": 2}},
    }
    faults = [
        {"kind": "occlusion", "where": {"vessel": "right_hepatic"}, "onset": "1.1 d", "over": "1 d"},
        {"kind": "stall", "onset": "2.3 d"},
    ]
    together = run(line_alone(**parts, faults=faults)).summary["detection"]
    for fault, row in zip(faults, together, strict=True):
        alone = run(line_alone(**parts, faults=[fault])).summary["detection"][0]
        assert row["observable"] == alone["observable"]
        # Each says: within the resolution before this time; both can be true, and neither is the vaguer for company.
        assert row["time_s"] - row["resolution_s"] <= alone["time_s"]
        assert alone["time_s"] - alone["resolution_s"] <= row["time_s"]
        assert row["resolution_s"] <= alone["resolution_s"]
        for sign in ("delivered_volume_at_refill_at_s", "side_port_pressure_at_s", "scan_agent_distribution_at_s"):
            assert row[sign] == alone[sign], (row["fault"], sign)
