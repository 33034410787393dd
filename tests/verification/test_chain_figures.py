"""Figures of the summary against balances made by hand: portal blood, peaks, saturation, pockets, vessels, outlets."""

import json

import numpy as np
import pytest

from haiflow.arteries.calibration import characteristic_impedance
from haiflow.liver.kinetics import DrugKinetics, calibrate
from haiflow.scenario.load import loads
from haiflow.simulation.assemble import assemble
from haiflow.simulation.blood import BloodFlow, tip_pressure
from haiflow.simulation.run import run_scenario

DAY = 86400.0
RATE = 1.3e-6 / DAY
FILL = 5.0  # kg/m3
SEGMENTS = {"V": 0.5, "VIII": 0.5}


def scenario(outlets=None, **changes):
    """One pump at exactly 1.3 mL/day, a straight line with its tip in the trunk, a gut artery and a liver artery."""
    vessel = {"length": "40 mm", "diameter": "3.2 mm", "wave_speed": "8 m/s"}
    network = {
        "vessels": {
            "trunk": {"from": "root", "to": "fork", **vessel, "diameter": "4.4 mm"},
            "gut": {"from": "fork", "to": "gut", **vessel},
            "right": {"from": "fork", "to": "right", **vessel},
        },
        "outlets": outlets
        or {"gut": {"share": "20 %", "off_target": "duodenum"}, "right": {"share": "80 %", "feeds": SEGMENTS}},
        "inlet": {"vessel": "trunk", "mean": "400 mL/min"},
    }
    whole = {
        "haiflow": 1,
        "pump": {"model": "synchromed-ii-40", "fill": {"drug": "floxuridine", "concentration": "5 mg/mL"}},
        "catheter": {"model": "intera-straight", "tip": {"vessel": "trunk", "position": "10 mm"}},
        "arteries": {"network": network},
        "liver": {"model": "standard"},
        "run": {"duration": "2 d", "output_every": "1 h"},
    }
    return json.dumps({**whole, **changes})


def run(text, **settings):
    results = run_scenario(loads(text, set=settings), pictures=False)
    assert abs(results.summary["ledger"]["drug"]["relative_imbalance"]) <= 1e-10
    return results


@pytest.fixture(scope="module")
def plain():
    return run(scenario())


def test_without_a_liver_the_body_keeps_the_whole_clearance():
    # At steady state what comes in is cleared: c = rate / CL, once the line's dead volume has passed.
    gut = {
        "gut": {"share": "100 %", "off_target": "duodenum", "drains": "systemic"},
        "right": {"kind": "reflection", "coefficient": 1},
    }
    text = json.loads(scenario(outlets=gut, run={"duration": "4 d", "output_every": "2 h"}))
    del text["liver"]
    results = run(json.dumps(text))
    level = results.history_series["body_concentration"].values[-1, 0]
    assert level == pytest.approx(RATE * FILL / (4e-3 / 60.0), rel=1e-4, abs=0.0)


def test_portal_flow_is_at_least_what_the_gut_brings():
    results = run(scenario(liver={"model": "standard", "portal_flow": "10 mL/min"}))
    portal = sum(row["portal_flow_m3_per_s"] for row in results.summary["segments"].values())
    gut = results.summary["off_target"]["gut"]["flow_rate_m3_per_s"]
    assert gut > 70e-6 / 60.0
    assert portal == pytest.approx(gut, rel=1e-9, abs=0.0)


def test_peaks_do_not_depend_on_the_step(plain):
    fine = run(scenario(run={"duration": "8 h", "output_every": "5 min"}))
    coarse = run(scenario(run={"duration": "8 h", "output_every": "1 h"}))
    peak = [each.summary["body"]["peak_concentration_kg_per_m3"] for each in (fine, coarse)]
    assert peak[1] == pytest.approx(peak[0], rel=0.01, abs=0.0)
    final = fine.history_series["body_concentration"].values[-1, 0]
    assert peak[0] <= final * (1.0 + 1e-6)  # the level rises to its plateau and never beyond
    tissue = [each.summary["segments"]["V"]["peak_tissue_concentration_kg_per_m3"] for each in (fine, coarse)]
    assert tissue[1] == pytest.approx(tissue[0], rel=0.01, abs=0.0)


def test_vessels_carry_what_passes_them(plain):
    arteries, off_target = plain.summary["arteries"], plain.summary["off_target"]["gut"]
    into_liver = sum(row["drug_delivered_kg"] for row in plain.summary["segments"].values())
    assert arteries["right"]["drug_carried_kg"] == pytest.approx(into_liver, rel=1e-9, abs=0.0)
    assert arteries["gut"]["drug_carried_kg"] == pytest.approx(off_target["drug_delivered_kg"], rel=1e-9, abs=0.0)
    both = into_liver + off_target["drug_delivered_kg"]
    assert arteries["trunk"]["drug_carried_kg"] == pytest.approx(both, rel=1e-4, abs=0.0)


def test_exposure_is_the_integral_of_the_history(plain):
    # Two roads: the sum over the solver's stages, and the trapezium rule on what was written down.
    names = plain.history_coords["segment"]
    tissue = plain.history_series["segment_tissue_concentration"].values[:, 0, list(names).index("V")]
    exposure = np.trapezoid(tissue, plain.history_coords["time"])
    assert plain.summary["segments"]["V"]["exposure_kg_s_per_m3"] == pytest.approx(
        exposure, rel=0.02, abs=0.0
    )  # hourly values over a front


def test_saturated_metabolism_balances_at_steady_state():
    # Km far below the tissue's level: the clearance at c_t is CLi / (1 + c_t / Km), and the territory balances.
    half = 1e-7  # kg/m3
    text = json.loads(scenario())
    text["drugs"] = {
        "sluggish": {
            "diffusivity": "9e-10 m2/s", "hepatic_extraction": 0.9, "half_saturation": "0.1 ng/mL",
            "total_clearance": "3 L/min", "central_volume": "5 L",
        }
    }  # fmt: skip
    text["pump"]["fill"]["drug"] = "sluggish"
    results = run(json.dumps(text))
    names = list(results.history_coords["segment"])
    blood, tissue = (
        results.history_series[f"segment_{part}_concentration"].values[-1, 0, names.index("V")]
        for part in ("blood", "tissue")
    )
    body = results.history_series["body_concentration"].values[-1, 0]
    row = results.summary["segments"]["V"]
    arterial, portal, volume = row["arterial_flow_m3_per_s"], row["portal_flow_m3_per_s"], row["volume_m3"]
    clearance = calibrate(DrugKinetics("sluggish", 0.9), 1.0 / 60.0).intrinsic_clearance * volume
    share = portal / sum(each["portal_flow_m3_per_s"] for each in results.summary["segments"].values())
    gut_flow = results.summary["off_target"]["gut"]["flow_rate_m3_per_s"]
    to_gut = gut_flow / (gut_flow + results.summary["arteries"]["right"]["mean_flow_rate_m3_per_s"])
    first = RATE * FILL * (1.0 - to_gut) * SEGMENTS["V"]
    duodenum = RATE * FILL * to_gut  # what the gut took comes by the portal vein
    through_portal = (duodenum + gut_flow * body) * share + (portal - gut_flow * share) * body
    came = first + arterial * body + through_portal
    gone = (arterial + portal) * blood + clearance / (1.0 + tissue / half) * tissue
    assert tissue > 3.0 * half
    assert gone == pytest.approx(came, rel=1e-4, abs=0.0)


def test_a_pocket_gives_back_liquid_and_drug_alike():
    # Nothing but infusate comes in and what is absorbed is the mixture: the pocket keeps the concentration of the fill.
    results = run(
        scenario(
            faults=[{"kind": "dislodgement", "to": "tissue"}], run={"duration": "12 d", "output_every": "6 h"},
        )
    )  # fmt: skip
    books = results.summary["ledger"]
    primed = results.summary["catheter"]["dead_volume_m3"]
    pumped = results.summary["pump"]["infused_volume_m3"]
    assert books["drug"]["leaked_kg"] < 0.9 * results.summary["catheter"]["leaked_drug_kg"]
    # dV/dt = Q - (absorption / compliance) V, with the pocket's default 1e-14 m3/(s Pa) and 5e-9 m3/Pa.
    washout = 1e-14 / 5e-9
    volume = RATE / washout * (1.0 - np.exp(-washout * 12 * DAY))
    assert books["carrier"]["leaked_m3"] == pytest.approx(volume, rel=0.01, abs=0.0)
    ratio = books["drug"]["leaked_kg"] / books["carrier"]["leaked_m3"]
    assert FILL * (1.0 - 2.0 * primed / pumped) < ratio < FILL


def test_pressure_falls_along_the_vessel_that_holds_the_tip():
    base = assemble(loads(scenario()).model)
    flow = BloodFlow(base.tree)
    cycle = flow.cycle(base.tree)
    means = [
        tip_pressure(cycle, base.tree, type(base.line.tip)("trunk", position)).mean()
        for position in ("ostium", 0.010, 0.030, 0.040)
    ]
    assert np.all(np.diff(means) < 0.0)
    assert means[0] == pytest.approx(cycle.node_pressure[:, base.tree.node("root")].mean(), rel=1e-9)


def test_outlets_keep_their_kind():
    beds = {
        "gut": {"kind": "resistance", "share": "20 %", "off_target": "duodenum"},
        "right": {"share": "80 %", "compliance": "3e-10 m3/Pa", "feeds": SEGMENTS},
    }
    tree = assemble(loads(scenario(outlets=beds)).model).tree
    assert tree.outlets["gut"].compliance == 0.0
    assert tree.outlets["right"].compliance == 3e-10
    beds["right"] = {"distal": "2e9 Pa s/m3", "feeds": SEGMENTS}
    tree = assemble(loads(scenario(outlets=beds)).model).tree
    assert tree.outlets["right"].distal == 2e9
    assert tree.outlets["right"].proximal == pytest.approx(characteristic_impedance(tree, "right"), rel=1e-12, abs=0.0)


def test_side_holes_are_counted_one_by_one():
    line = {
        "model": "intera-straight", "tip": {"vessel": "trunk", "position": "10 mm", "closed_end": True},
        "side_holes": [{"from_tip": "5 mm", "diameter": "0.3 mm", "count": 2}],
    }  # fmt: skip
    fault = {"kind": "occlusion", "where": {"side_hole": 2}, "onset": "1 h"}
    closed = json.loads(scenario(catheter=line, faults=[fault]))
    text = json.dumps(closed)
    scenario_ = loads(text)
    from haiflow.simulation.events import build_timeline

    timeline = build_timeline(scenario_.model, assemble(scenario_.model))
    holes = {hole.name: hole.open_fraction for hole in timeline.parts_at(2 * 3600.0).line.holes}
    assert holes == {"side_hole_1": 1.0, "side_hole_2": 0.0}


def test_a_thick_bolus_needs_more_pressure():
    def pressure(infusate):
        bolus = {"at": "1 s", "bolus": {"volume": "0.4 mL", "rate": "0.2 mL/s", "infusate": infusate}}
        return run(scenario(schedule=[bolus], run={"clock": "pulse", "duration": "4 s"})).summary["pump"][
            "max_pressure_pa"
        ]

    base = 12.6e3
    thin, thick = pressure("saline") - base, pressure("glycerin-50") - base
    assert thick / thin == pytest.approx(3.6 / 0.7, rel=0.15)


def test_means_along_the_line_do_not_depend_on_the_step():
    # The mean over the run at the last point of the catheter, with steps of an hour and of five minutes.
    def mean_at_tip(every):
        network = run(scenario(run={"duration": "1 d", "output_every": every})).network
        line = np.flatnonzero(network.part == 1)
        return network.concentration[line[-1]]

    assert mean_at_tip("1 h") == pytest.approx(mean_at_tip("5 min"), rel=0.01, abs=0.0)


def test_means_over_a_run_are_weighted_by_time():
    """An artery that is shut for the last quarter of a run carried three quarters of its flow; what feeds it and what
    lies beside it are weighted alike."""
    shut = {"kind": "occlusion", "where": {"vessel": "gut"}}
    free, all_shut, part = (
        run(scenario(faults=faults)).summary["arteries"]
        for faults in ([], [shut | {"onset": "0 h"}], [shut | {"onset": "36 h"}])
    )
    whole, three = (each["gut"]["mean_flow_rate_m3_per_s"] for each in (free, part))
    assert three == pytest.approx(0.75 * whole, rel=1e-9, abs=0.0)
    for vessel, key in (("trunk", "mean_flow_rate_m3_per_s"), ("right", "mean_pressure_pa")):
        assert abs(all_shut[vessel][key] / free[vessel][key] - 1.0) > 1e-3
        wanted = 0.75 * free[vessel][key] + 0.25 * all_shut[vessel][key]
        assert part[vessel][key] == pytest.approx(wanted, rel=1e-6, abs=0.0)


def test_a_vessel_drawn_against_the_flow_carries_the_same_drug():
    """On the pulse clock, a bolus: an artery from its terminal to the fork has all flows negative."""
    bolus = {"drug": "floxuridine", "amount": "1 mg", "volume": "0.4 mL", "rate": "0.2 mL/s"}
    text = scenario(schedule=[{"at": "0.1 s", "bolus": bolus}],
                    run={"clock": "pulse", "duration": "3 s", "output_every": "1 s"})  # fmt: skip
    turned = json.loads(text)
    vessel = turned["arteries"]["network"]["vessels"]["right"]
    vessel["from"], vessel["to"] = vessel["to"], vessel["from"]
    plain, other = (run(each).summary["arteries"]["right"] for each in (text, json.dumps(turned)))
    assert plain["drug_carried_kg"] > 1e-7
    assert other["drug_carried_kg"] == pytest.approx(plain["drug_carried_kg"], rel=1e-6, abs=0.0)
    assert other["mean_flow_rate_m3_per_s"] == pytest.approx(-plain["mean_flow_rate_m3_per_s"], rel=1e-6, abs=0.0)
