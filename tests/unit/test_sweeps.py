"""Sweeps: what is varied, in which order, drawn how, and what each variant then is."""

from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from haiflow.criteria import parse_criterion
from haiflow.errors import InputError
from haiflow.scenario.sweeps.outlook import outlook
from haiflow.scenario.sweeps.swept import swept_text

BASE = (Path(__file__).parents[2] / "examples" / "tip-occlusion.yaml").read_text(encoding="utf-8")


def sweep(text):
    return swept_text(BASE + f"\nsweep:\n{text}", "sweep.yaml", None, {})


def column(found, header):
    return np.array([found.design.cells(index)[header] for index in range(found.count)])


def test_a_product_turns_its_last_axis_fastest():
    found = sweep("  catheter.inner_diameter: [0.4 mm, 600 um]\n  pump.rate_error: [0, 0.1, -0.1]\n")
    assert found.count == 6
    assert column(found, "catheter.inner_diameter [mm]").tolist() == [0.4, 0.4, 0.4, 0.6, 0.6, 0.6]
    assert column(found, "pump.rate_error").tolist() == [0, 0.1, -0.1] * 2
    model = found.scenario(4).model
    assert (model.catheter.inner_diameter, model.pump.rate_error) == (0.6e-3, 0.1)
    assert model.sweep is None
    assert [found.design.name(index) for index in (0, 5)] == ["0001", "0006"]


def test_lists_that_go_together_and_names():
    found = sweep("  zip: {catheter.length: [40 cm, 50 cm], pump.rate_error: [0.1, -0.1]}\n")
    assert [found.scenario(index).model.pump.rate_error for index in range(found.count)] == [0.1, -0.1]
    found = sweep("  variants:\n    short: {catheter.length: 40 cm}\n    soft: {catheter.wall_modulus: 2 MPa}\n")
    assert [found.design.name(index) for index in range(2)] == ["short", "soft"]
    assert found.scenario(1).model.catheter.length == pytest.approx(0.5)
    assert found.design.cells(1)["catheter.length [cm]"] is None


def test_each_fault_at_each_place_joins_those_of_the_scenario():
    found = sweep(
        "  faults:\n    sound: true\n    each of:\n"
        "      - {kind: occlusion, where: {vessel: [right_hepatic, left_hepatic]}, severity: [0.5, 1.0], onset: 5 d}\n"
        "      - {kind: dislodgement, to: [tissue, {vessel: common_hepatic}], onset: 1 d}\n"
    )
    assert found.count == 7
    assert [len(found.scenario(index).model.faults) for index in (0, 1)] == [1, 2]
    assert column(found, "fault.place").tolist() == ["", *["right_hepatic"] * 2, *["left_hepatic"] * 2,
                                                     "tissue", "common_hepatic"]  # fmt: skip
    assert found.scenario(4).model.faults[1].severity == 1.0


@pytest.mark.parametrize("method", ["sobol", "lhs", "halton", "random"])
def test_samples_follow_their_distributions(method):
    found = sweep(
        f"  seed: 5\n  sample:\n    n: 1024\n    method: {method}\n    of:\n"
        "      catheter.inner_diameter: {kind: normal, mean: 0.6 mm, sd: 20 um, at_most: 0.62 mm}\n"
        "      patient.temperature: {kind: uniform, from: 36 degC, to: 313.15 K}\n"
        "      patient.mass: {kind: lognormal, median: 75 kg, cv: 20 %}\n"
        "      catheter.length: {kind: triangular, from: 40 cm, mode: 50 cm, to: 60 cm}\n"
        "      arteries.anatomy: {kind: choice, of: {michels-1: 3, michels-3: 1}}\n"
    )
    bore = column(found, "catheter.inner_diameter [mm]")
    below = NormalDist(0.6, 0.02)
    assert bore.max() <= 0.62
    for value in (0.57, 0.59, 0.6, 0.61):
        assert np.mean(bore < value) == pytest.approx(below.cdf(value) / below.cdf(0.62), abs=0.04)
    temperature = column(found, "patient.temperature [degC]")
    assert (temperature.min(), temperature.max()) == pytest.approx((36, 40), abs=0.02)
    mass = np.log(column(found, "patient.mass [kg]"))
    assert np.median(mass) == pytest.approx(np.log(75), abs=0.02)
    assert mass.std() == pytest.approx(np.sqrt(np.log(1.04)), rel=0.06)
    length = column(found, "catheter.length [cm]")
    assert np.mean(length < 45) == pytest.approx(0.125, abs=0.03)
    assert np.mean(column(found, "arteries.anatomy") == "michels-3") == pytest.approx(0.25, abs=0.04)


def test_one_seed_makes_the_whole_table():
    text = "  seed: {}\n  sample: {{n: 4, of: {{catheter.length: {{kind: uniform, from: 40 cm, to: 50 cm}}}}}}\n"
    one, same, other = (column(sweep(text.format(seed)), "catheter.length [cm]") for seed in (3, 3, 4))
    assert (one == same).all()
    assert (one != other).all()


def test_correlated_samples():
    found = sweep(
        "  sample:\n    n: 2048\n    of:\n"
        "      patient.mass: {kind: normal, mean: 70 kg, sd: 8 kg}\n"
        "      catheter.length: {kind: uniform, from: 40 cm, to: 50 cm}\n"
        "    correlated: [{between: [patient.mass, catheter.length], of: 0.7}]\n"
    )
    ranks = [column(found, key).argsort().argsort() for key in ("patient.mass [kg]", "catheter.length [cm]")]
    assert np.corrcoef(*ranks)[0, 1] == pytest.approx(6 / np.pi * np.arcsin(0.35), abs=0.02)


def test_a_population_goes_together():
    found = sweep("  population: {n: 512}\n")
    mass, liver = column(found, "patient.mass [kg]"), column(found, "liver.volume [mL]")
    assert np.mean(liver / (191.8 + 18.51 * mass)) == pytest.approx(1.0, abs=0.01)
    assert np.corrcoef(mass, liver)[0, 1] > 0.6
    anatomy = column(found, "arteries.anatomy")
    assert np.mean(anatomy == "michels-1") == pytest.approx(61.3 / 92.5, abs=0.02)
    aorta = next(index for index in range(found.count) if anatomy[index] == "michels-3")
    assert found.scenario(aorta).model.arteries.inflow.vessel == "aorta"


def test_a_value_that_cannot_be_is_one_variants_own_trouble():
    found = sweep("  catheter.inner_diameter: [9 mm, 0.4 mm, 3 kg]\n  catheter.length: [40 cm, 50 cm]\n")
    start = found.first_sound()
    assert start == 2
    assert sorted(found.bad(start)) == [0, 4]
    with pytest.raises(InputError, match=r"sweep.yaml:22:43: catheter.inner_diameter: '3 kg'"):
        found.scenario(5)
    told = outlook(found)
    assert told.variants == 6
    assert set(told.bad) == {"0001", "0005"}
    assert "6 variants" in told.text()


def test_no_variant_at_all_is_bad_input():
    with pytest.raises(InputError, match="no thickness"):
        outlook(sweep("  catheter.inner_diameter: [9 mm, 8 mm]\n"))


def test_criteria():
    summary = {
        "segments": {"I": {"dose_fraction": 0.1, "drug_delivered_kg": 2e-6}, "II": {"dose_fraction": 0.03}},
        "pump": {"mean_flow_rate_m3_per_s": 1.5e-11, "stalled_at_s": None},
        "detection": [{"time_s": 3600.0}, {"time_s": None}],
        "body": {"exposure_kg_s_per_m3": 3.6},
    }
    for text, value, met in (
        ("segments.min_dose_fraction > 0.05", 0.03, False),
        ("segments.sum_dose_fraction >= 13 %", 0.13, True),
        ("segments.I.drug_delivered > 1 mg", 2e-6, True),
        ("segments.III.dose_fraction < 1", None, False),
        ("pump.mean_flow_rate > 1.2 mL/day", 1.5e-11, True),
        ("pump.stalled_at > 28 d", float("inf"), True),
        ("detection.max_time < 2 d", float("inf"), False),
        ("body.exposure <= 1.1 mg h/L", 3.6, True),
        ("tumours.min_dose_fraction > 0", None, False),
    ):
        criterion = parse_criterion(text)
        assert criterion.value(summary) == pytest.approx(value), text
        assert criterion.met(criterion.value(summary)) == met, text


def test_a_single_run_is_judged_by_its_criteria():
    from haiflow.results.verdict import judge

    summary = {"pump": {"mean_flow_rate_m3_per_s": 1.5e-11}}
    found = judge(
        summary, ["pump.mean_flow_rate > 1.2 mL/day", "pump.mean_flow_rate > 1.4 mL/day", "body.exposure < 1 mg h/L"]
    )
    told = {finding.text: finding.severity for finding in found}
    assert told["Required: pump.mean_flow_rate > 1.2 mL/day. Met."] == "ok"
    assert told["Required: pump.mean_flow_rate > 1.4 mL/day. Not met."] == "alarm"
    assert told["Required: body.exposure < 1 mg h/L. The run has no such figure."] == "alarm"
