"""From text to the SI model: library values, overrides, what follows from what, and the resolved file."""

from pathlib import Path

import pytest
import yaml

import haiflow
from haiflow.errors import InputError
from haiflow.scenario.load import load, loads

SCENARIOS = Path(__file__).parents[1] / "cli" / "scenarios"
LIBRARY = Path(haiflow.__file__).parent / "library"  # of the one that is tested, installed or not
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
DAY = 86400.0
EVENTS = """haiflow: 1
name: refills
pump: {model: intera-3000, fill: {drug: floxuridine, concentration: 5 mg/mL, volume: 30 mL}}
catheter: {model: intera-straight, tip: {vessel: gastroduodenal, position: ostium}}
arteries: {anatomy: michels-1}
liver: {model: standard}
run: {duration: 2 d, output_every: 12 h}
"""


@pytest.fixture(scope="module")
def contract():
    return load(SCENARIOS / "contract.yaml")


def test_the_contracts_scenario_in_si(contract):
    model = contract.model
    assert model.pump.fill.drug == "floxuridine"
    assert model.pump.fill.concentration == 5.0
    assert model.pump.fill.volume == 30e-6
    assert (model.catheter.length, model.catheter.inner_diameter, model.catheter.tip.vessel) == (
        0.5,
        0.6e-3,
        "gastroduodenal",
    )
    assert model.arteries.inflow.mean == pytest.approx(400e-6 / 60, rel=1e-15, abs=0.0)
    assert model.arteries.inflow.heart_rate == pytest.approx(70 / 60, rel=1e-15, abs=0.0)
    assert model.liver.tumours[0].centre == (0.020, 0.035, 0.010)
    assert (model.patient.temperature, model.patient.ambient_pressure) == (310.15, 101_300.0)
    assert model.schedule[0].at == 14 * DAY
    assert model.schedule[0].refill.drug is None
    assert [fault.kind for fault in model.faults] == ["leak", "occlusion", "occlusion", "dislodgement"]
    assert model.faults[0].where.catheter == 0.12
    assert (model.run.duration, model.run.output_every) == (28 * DAY, 3600.0)


def test_library_values_fill_the_gaps_and_the_users_key_wins():
    given = (
        "haiflow: 1\ncatheter: {model: intera-straight}\n"
        "pump: {model: intera-3000, nominal_rate: 1 mL/day, reference: {viscosity: 0.75 cP}}\n"
    )
    pump = loads(given).model.pump
    assert pump.reservoir_volume == 30e-6
    assert pump.nominal_rate == pytest.approx(1e-6 / DAY, rel=1e-12, abs=0.0)
    assert pump.reference.viscosity == 0.75e-3
    assert pump.reference.temperature == 310.15
    assert pump.propellant.boiling_point == pytest.approx(296.95)


def test_dose_calculator():
    """70 kg, 0.12 mg/kg/day, 30 mL, 1.3 mL/day: 193.85 mg (FUDR dose law)."""
    settings = {"pump.fill": {"drug": "floxuridine", "dose": "0.12 mg/kg/day"}}
    fill = load(SCENARIOS / "contract.yaml", set=settings).model.pump.fill
    assert fill.dose is None
    assert fill.concentration * fill.volume == pytest.approx(193.85e-6, rel=1e-4, abs=0.0)


def test_a_dose_with_a_programme_is_reckoned_with_the_days_mean():
    text = (
        "haiflow: 1\npatient: {mass: 50 kg}\ncatheter: {model: intera-straight}\n"
        "pump: {model: synchromed-ii-40, basal_rate: 1 mL/day, programme: [{from: 12 h, rate: 3 mL/day}],"
        " fill: {drug: floxuridine, dose: 0.1 mg/kg/day}}\n"
    )
    assert loads(text).model.pump.fill.concentration == pytest.approx(0.1e-6 * 50 / 2e-6)


def test_altitude_becomes_pressure():
    """International Standard Atmosphere: 1000 m is 89.87 kPa."""
    model = load(SCENARIOS / "contract.yaml", set={"patient": {"altitude": "1000 m"}}).model
    assert model.patient.ambient_pressure == pytest.approx(89.87e3, rel=2e-4)
    assert model.patient.altitude is None


def test_bolus_amount_and_duration_become_concentration_and_rate():
    bolus = load(SCENARIOS / "everything.yaml").model.schedule[1].bolus
    assert bolus.concentration == pytest.approx(1.5)
    assert bolus.rate == pytest.approx(0.1e-6, rel=1e-12, abs=0.0)
    assert bolus.amount is None
    assert bolus.over is None


def test_a_share_of_a_vessel_becomes_metres():
    model = load(SCENARIOS / "everything.yaml").model
    assert model.catheter.tip.position == pytest.approx(0.4 * model.arteries.network.vessels["parent"].length)
    assert model.faults[2].to.position == pytest.approx(0.25 * model.arteries.network.vessels["left"].length)


def test_vessels_take_lengths_from_paths_or_nodes_and_values_from_overrides():
    vessels = load(SCENARIOS / "everything.yaml").model.arteries.network.vessels
    assert vessels["parent"].length == pytest.approx(2 * (0.02**2 + 0.001**2) ** 0.5)
    assert vessels["left"].length == pytest.approx((0.02**2 + 0.03**2) ** 0.5)
    assert (vessels["gut"].diameter, vessels["gut"].length) == ((2.5e-3, 2.5e-3), 31e-3)
    assert (vessels["left"].wave_speed, vessels["left"].young_modulus) == (7.7, None)
    assert vessels["stub"].young_modulus == 0.35e6


def test_the_inflow_of_the_scenario_wins_over_the_networks_own():
    inflow = load(SCENARIOS / "everything.yaml").model.arteries.inflow
    assert (inflow.node, inflow.vessel) == ("root", "parent")
    assert inflow.mean == pytest.approx(333e-6 / 60, rel=1e-12, abs=0.0)
    assert inflow.heart_rate == pytest.approx(61.5 / 60)
    assert inflow.waveform.values == (1.0, 2.0, 0.5)


def test_with_the_tip_in_the_gastroduodenal_the_surgeon_has_tied_off(contract):
    assert contract.model.arteries.ligated == ("gastroduodenal", "right_gastric")
    assert contract.default_ligation
    kept = load(SCENARIOS / "contract.yaml", set={"arteries.ligated": "[]"})
    assert kept.model.arteries.ligated == ()
    assert loads(kept.resolved_yaml()).model.arteries.ligated == ()
    elsewhere = load(SCENARIOS / "contract.yaml", set={"catheter.tip.vessel": "common_hepatic"})
    assert elsewhere.model.arteries.ligated == ()


def test_saline_is_no_drug_and_other_infusates_carry_their_viscosity():
    model = load(SCENARIOS / "contract.yaml", set={"schedule.0.refill": "{drug: glycerin-50}"}).model
    assert model.schedule[0].refill.drug is None
    assert model.schedule[0].refill.infusate == "glycerin-50"
    assert model.infusates["glycerin-50"].viscosity == pytest.approx(3.6e-3)


def test_a_drug_of_the_library_with_one_value_changed():
    model = load(SCENARIOS / "contract.yaml", set={"drugs.floxuridine.hepatic_extraction": "0.7"}).model
    assert model.drugs["floxuridine"].hepatic_extraction == 0.7
    assert model.drugs["floxuridine"].molar_mass == pytest.approx(0.2462)


def test_lists_are_overridden_by_index_and_python_values_are_taken():
    model = load(
        SCENARIOS / "contract.yaml", set={"faults.1.severity": 0.25, "faults.0.where.catheter": "connector"}
    ).model
    assert model.faults[1].severity == 0.25
    assert model.faults[0].where.catheter == "connector"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("faults.9.severity", "the list has 4 items"),
        ("faults.x.severity", "the list has 4 items"),
        ("name.x.y", "name is a single value, it has no keys; set name itself"),
        ("catheter..length", "names between its dots"),
        ("catheter.lenght", "did you mean 'length'?"),
    ],
)
def test_overrides_that_miss(key, message):
    with pytest.raises(InputError) as caught:
        load(SCENARIOS / "contract.yaml", set={key: "0.5"})
    assert message in str(caught.value)


def test_an_override_is_blamed_on_the_command_line_not_on_the_file():
    with pytest.raises(InputError) as caught:
        load(SCENARIOS / "contract.yaml", set={"catheter.length": "3 kg"})
    assert str(caught.value).startswith("--set catheter.length: '3 kg': is a mass")


def test_a_network_in_its_own_file_and_errors_placed_in_it(tmp_path):
    network = yaml.safe_load((LIBRARY / "anatomies" / "michels-1.yaml").read_text())
    (tmp_path / "patient.yaml").write_text(yaml.safe_dump({"network": network}))
    scenario = tmp_path / "s.yaml"
    scenario.write_text("haiflow: 1\narteries: {file: patient.yaml}\n")
    assert len(load(scenario).model.arteries.network.vessels) == len(network["vessels"])
    network["vessels"]["right_hepatic"]["wave_sped"] = "3 m/s"
    (tmp_path / "patient.yaml").write_text(yaml.safe_dump({"network": network}))
    with pytest.raises(InputError) as caught:
        load(scenario)
    assert str(caught.value).startswith("patient.yaml:")
    assert "did you mean 'wave_speed'?" in str(caught.value)


FILES = [
    SCENARIOS / "contract.yaml",
    SCENARIOS / "everything.yaml",
    *sorted((LIBRARY / "templates").glob("*.yaml")),
    *EXAMPLES,
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_resolved_file_runs_again_to_the_same(file):
    first = load(file)
    again = loads(first.resolved_yaml()) if first.mesh_path is None else loads(first.resolved_yaml(), shown=str(file))
    assert again.model.model_dump(exclude={"liver"}) == first.model.model_dump(exclude={"liver"})
    assert again.sha256 == first.sha256
    assert again.resolved_yaml().splitlines()[1:] == first.resolved_yaml().splitlines()[1:]


@pytest.mark.parametrize("name", sorted(path.stem for path in (LIBRARY / "anatomies").glob("*.yaml")))
def test_every_anatomy_of_the_library_loads_and_resolves(name):
    scenario = loads(f"haiflow: 1\narteries: {{anatomy: {name}}}\n")
    assert scenario.model.arteries.inflow.mean > 0
    assert loads(scenario.resolved_yaml()).sha256 == scenario.sha256


def test_the_hash_answers_to_content_and_to_nothing_else(contract, tmp_path):
    copy = tmp_path / "another.yaml"
    copy.write_text("# moved\n" + (SCENARIOS / "contract.yaml").read_text())
    assert load(copy).sha256 == contract.sha256
    assert load(copy, set={"run.duration": "672 h"}).sha256 == contract.sha256
    assert load(copy, set={"run.duration": "671 h"}).sha256 != contract.sha256


def test_the_hash_answers_to_the_mesh_and_not_to_its_place(tmp_path):
    shas = []
    for folder, content in (("a", b"mesh"), ("b", b"mesh"), ("c", b"other")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "liver.vtu").write_bytes(content)
        text = (SCENARIOS / "contract.yaml").read_text().replace("model: standard", "mesh: liver.vtu")
        (tmp_path / folder / "s.yaml").write_text(text)
        shas.append(load(tmp_path / folder / "s.yaml").sha256)
    assert shas[0] == shas[1] != shas[2]


def test_the_model_is_frozen(contract):
    with pytest.raises(Exception, match="frozen"):
        contract.model.pump.nominal_rate = 1.0


def test_events_are_in_the_estimate():
    """A run starts its balances anew at each."""
    from haiflow.scenario.plan import plan

    def seconds(count):
        refills = "".join(f"\n  - {{at: {k + 1} min, refill: {{drug: saline, volume: 30 mL}}}}" for k in range(count))
        return plan(loads(EVENTS + (f"schedule:{refills}\n" if count else ""))).estimated_s

    assert 40.0 < seconds(1000) - seconds(0) < 120.0
