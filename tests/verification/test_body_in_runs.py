"""Body, lungs and off-target beds within whole runs, against balances done by hand."""

import json

import numpy as np
import pytest

from haiflow.scenario.load import loads
from haiflow.simulation.assemble import assemble
from haiflow.simulation.blood import BloodFlow
from haiflow.simulation.circulation import Circulation

PER_MINUTE = 1.0 / 60.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
DOSE_RATE = 0.12e-6 * 70.0 / DAY  # kg/s
INFLOW = 400e-6 * PER_MINUTE


def series(results, name):
    return results.history_series[name].values


def level(results):
    return series(results, "body_concentration")[-1, 0]


def gut_flow(results):
    """m3/s, 20 % of the inflow as nearly as the outlets could be set."""
    flow = results.summary["off_target"]["gut"]["flow_rate_m3_per_s"]
    assert flow == pytest.approx(80e-6 * PER_MINUTE, rel=0.01, abs=0.0)
    return flow


def test_without_a_liver_the_body_clears_the_whole_drug(chain, run):
    """8.4 mg of floxuridine a day into off-target beds alone: the level is dose rate over total clearance."""
    scenario = chain(liver=None)
    outlets = scenario["arteries"]["network"]["outlets"]
    for name, drains in (("gut", "portal"), ("right", "systemic"), ("left", "systemic")):
        outlets[name] = {"share": outlets[name]["share"], "off_target": name, "drains": drains}
    results = run(scenario)
    assert level(results) == pytest.approx(DOSE_RATE / (4e-3 * PER_MINUTE), rel=2e-3, abs=0.0)


def test_with_a_liver_the_body_clears_the_rest_of_the_whole(chain, run):
    """Total clearance less what the liver takes at its reference flow, 4 - 0.95 * 1.5 L/min; in the end all that comes
    in is eliminated."""
    drugs = {"floxuridine": {"half_saturation": "1e9 mg/mL"}}
    results = run(chain(catheter__tip={"vessel": "right", "position": "10 mm"}, drugs=drugs))
    books, time = results.summary["ledger"]["drug"], results.history_coords["time"]
    eliminated = series(results, "ledger")[:, 0, results.history_coords["account"].index("eliminated")]
    rate = (eliminated[-1] - eliminated[-7]) / (time[-1] - time[-7])
    assert rate == pytest.approx(DOSE_RATE, rel=2e-3, abs=0.0)
    outside = books["eliminated_kg"] - books["eliminated_in_liver_kg"]
    exposure = results.summary["body"]["exposure_kg_s_per_m3"]
    assert outside == pytest.approx((4e-3 - 0.95 * 1.5e-3) * PER_MINUTE * exposure, rel=1e-9, abs=0.0)


@pytest.mark.parametrize("portal_flow", [1100.0, 50.0])
@pytest.mark.parametrize("tip", ["10 mm", "ostium"])
def test_blood_with_the_same_concentration_everywhere_stays_so(chain, portal_flow, tip):
    """Every compartment is fed what leaves it: flows of arteries, gut, portal vein, liver and body all balance."""
    scenario = chain(liver__portal_flow=f"{portal_flow} mL/min", catheter__tip__position=tip)
    scenario["arteries"]["network"]["outlets"]["left"] = {
        "share": "30 %", "off_target": "spleen", "drains": "systemic",
    }  # fmt: skip
    scenario["arteries"]["network"]["outlets"]["right"]["feeds"] = {"V": 0.6, "II": 0.4}
    parts = assemble(loads(json.dumps(scenario)).model, None)
    circulation = Circulation(parts, BloodFlow(parts.tree))
    system = circulation.systems[0]  # of the carrier: nothing takes it up
    everywhere = np.ones(system.n)
    everywhere[system.part_slice("first")] = 0.0  # first passage and all later ones are told apart; the sum is one
    step = system.advance(everywhere, HOUR, {})
    np.testing.assert_allclose(step.c_new, everywhere, rtol=1e-9, atol=1e-9)
    from_gut, from_body = (step.outflow[system.outlet_index(f"{part}.portal")] / HOUR for part in ("beds", "body"))
    gut = circulation.cycle.outlet_flow["gut"]
    assert from_gut == pytest.approx(gut, rel=1e-9, abs=0.0)
    assert from_gut + from_body == pytest.approx(max(portal_flow * 1e-6 * PER_MINUTE, gut), rel=1e-9, abs=0.0)


@pytest.mark.parametrize("portal_flow", [1100.0, 50.0])
def test_the_portal_vein_carries_at_least_what_the_gut_gives_it(chain, run, portal_flow):
    """As simulated, so reported: flow and perfusion of every segment."""
    scenario = chain(liver__portal_flow=f"{portal_flow} mL/min", run__duration="2 h")
    results = run(scenario)
    segments, carried = results.summary["segments"].values(), max(portal_flow * 1e-6 * PER_MINUTE, gut_flow(results))
    assert sum(row["portal_flow_m3_per_s"] for row in segments) == pytest.approx(carried, rel=1e-9, abs=0.0)
    for row in segments:
        flow = row["arterial_flow_m3_per_s"] + row["volume_m3"] / 1.5e-3 * carried
        perfusion = 6000.0 * flow / row["volume_m3"]
        assert row["perfusion_ml_per_min_per_100ml"] == pytest.approx(perfusion, rel=1e-9, abs=0.0)


def test_an_off_target_bed_holds_a_minute_of_its_blood(chain, run):
    """A bed is as its arterial blood is, and a mixed minute of it: 1 mL/min per mL of resting gut."""
    results = run(chain())
    held = results.summary["ledger"]["drug"]["off_target_kg"]
    arterial = DOSE_RATE / INFLOW + level(results)
    assert held == pytest.approx(MINUTE * gut_flow(results) * arterial, rel=1e-3, abs=0.0)


SCAN = [
    {"at": "1 h", "bolus": {"agent": "tc99m-maa", "amount": "0.5 mg", "volume": "0.2 mL", "rate": "0.1 mL/s"}},
    {"at": "2 h", "bolus": {"volume": "1 mL", "rate": "0.1 mL/s"}},
]


def test_particles_that_pass_the_liver_lodge_in_the_lungs(chain, run):
    """Each bed keeps 94 % of the particles that it meets: liver, gut and, for all that the veins bring, the lungs.

    What passes the lungs too leaves the central blood by clearance, by the arteries or by the portal vein, in
    proportion to the flows, and what comes round meets liver or gut again.
    """
    trapped, clearance, portal = 0.94, 5e-3 * PER_MINUTE, 1100e-6 * PER_MINUTE
    results = run(chain(
        pump__fill={"drug": "none", "volume": "30 mL"}, schedule=SCAN,
        catheter__tip={"vessel": "right", "position": "10 mm"},
    ))  # fmt: skip
    gut, passes = gut_flow(results), 1.0 - trapped
    whole = clearance + INFLOW + portal - gut
    round_again = ((INFLOW - gut + portal - gut) * passes + gut * passes**2) / whole
    by_veins = passes / (1.0 - passes * round_again)  # of the dose, all passages together
    dose = series(results, "terminal_drug_delivered")[-1, 0].sum()
    books = results.summary["ledger"]["drug"]
    assert dose == pytest.approx(0.5e-6, rel=1e-3, abs=0.0)
    assert books["body_kg"] / dose == pytest.approx(trapped * by_veins, rel=1e-3, abs=0.0)
    assert books["eliminated_kg"] / dose == pytest.approx(passes * by_veins * clearance / whole, rel=1e-3, abs=0.0)
    assert books["off_target_kg"] / dose == pytest.approx(trapped * gut / whole * passes * by_veins, rel=1e-3, abs=0.0)


BOLUS = {"agent": "cisplatin", "amount": "1 mg", "volume": "2 mL", "over": "10 min"}
GIVEN = {
    "bolus": {"schedule": [{"at": "1 h", "bolus": BOLUS}], "pump__fill": {"drug": "none", "volume": "30 mL"}},
    "infusion": {},  # a front that arrives after 2.6 h, and a plateau
}


@pytest.mark.parametrize("given", GIVEN)
def test_peaks_do_not_depend_on_how_often_is_written(chain, run, given):
    """At the usual macro steps of an hour, and at those of a minute."""
    coarse, fine = (
        run(chain(**GIVEN[given], run={"duration": "8 h", "output_every": every})).summary for every in ("1 h", "1 min")
    )
    peak = fine["body"]["peak_concentration_kg_per_m3"]
    assert peak > 0.0
    assert coarse["body"]["peak_concentration_kg_per_m3"] == pytest.approx(peak, rel=0.01, abs=0.0)
    for name, row in fine["segments"].items():
        found = coarse["segments"][name]["peak_tissue_concentration_kg_per_m3"]
        assert found == pytest.approx(row["peak_tissue_concentration_kg_per_m3"], rel=0.01, abs=0.0), name
