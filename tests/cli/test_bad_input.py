"""Bad input: exit code 2, four parts for each thing that is wrong, no traceback, and the output folder as it was."""

import re
from pathlib import Path

import pytest

from haiflow.cli import main

CONTRACT = (Path(__file__).parent / "scenarios" / "contract.yaml").read_text()
EVERYTHING = (Path(__file__).parent / "scenarios" / "everything.yaml").read_text()
FOUR_PARTS = re.compile(r"(?P<place>\S+?:\d+:\d+(: [\w.+ -]+)?): (?P<value>.+?): (?P<rule>.+?); (?P<remedy>.+)")

# What is changed in the scenario of the contract, and what must be said: place, rule, remedy.
CONTRADICTIONS = {
    "misspelt key": ("  inner_diameter: 0.6 mm", "  inner_diamter: 0.6 mm", "11:3: catheter.inner_diamter", "unknown key", "did you mean 'inner_diameter'?"),
    "misspelt part": ("liver:", "livre:", "18:1: livre", "unknown key", "did you mean 'liver'?"),
    "misspelt key in a list": ("orifice_diameter", "orifice_diametre", "28:44: faults.0.orifice_diametre", "unknown key", "'orifice_diameter'"),
    "bare number": ("length: 50 cm", "length: 50", "10:11: catheter.length", "needs a unit", "'0.6 mm'"),
    "bare zero": ("temperature: 37 degC", "temperature: 0", "22:37: patient.temperature", "needs a unit", "'37 degC'"),
    "wrong dimension": ("length: 50 cm", "length: 50 mL", "10:11: catheter.length", "is a volume", "'0.6 mm'"),
    "unknown unit": ("length: 50 cm", "length: 50 centimetre", "10:11: catheter.length", "unknown unit 'centimetre'", "mm"),
    "unit of the wrong case": ("volume: 30 mL}", "volume: 30 ML}", "6:61: pump.fill.volume", "unknown unit 'ML'", "'mL'"),
    "decimal comma": ("0.6 mm", "0,6 mm", "11:19: catheter.inner_diameter", "not a quantity", "decimal point"),
    "negative length": ("length: 50 cm", "length: -50 cm", "10:11: catheter.length", "must be above zero", "e.g."),
    "zero diameter": ("inner_diameter: 0.6 mm", "inner_diameter: 0 mm", "11:19: catheter.inner_diameter", "must be above zero", "e.g."),
    "zero duration": ("duration: 28 d", "duration: 0 d", "33:33: run.duration", "must be above zero", "e.g."),
    "negative concentration": ("5 mg/mL", "-5 mg/mL", "pump.fill.concentration", "must be at least zero", "e.g."),
    "not a number": ("arterial_ratio: 3", "arterial_ratio: .nan", "liver.tumours.0.arterial_ratio", "not a quantity", "finite"),
    "infinite": ("severity: 0.8", "severity: .inf", "faults.1.severity", "not a quantity", "finite"),
    "too large for a number": ("length: 50 cm", "length: 1e999 cm", "catheter.length", "must be finite", "finite number"),
    "severity above one": ("severity: 0.8", "severity: 1.2", "faults.1.severity", "must be at most 1", "e.g."),
    "octal trap": ("arterial_ratio: 3", "arterial_ratio: 0o3", "arterial_ratio", "unknown unit 'o'", "e.g."),
    "fever that kills": ("37 degC", "377 degC", "patient.temperature", "must be at most 60 degC", "e.g."),
    "format of the future": ("haiflow: 1 ", "haiflow: 2 ", "1:10: haiflow", "not one of the choices", "use one of: 1"),
    "no format": ("haiflow: 1 ", "# ", "2:1", "the format number is missing", "haiflow: 1"),
    "unknown model": ("intera-3000", "intera-300", "5:10: pump.model", "not one of the pumps", "did you mean 'intera-3000'?"),
    "unknown drug": ("drug: floxuridine", "drug: floxuridin", "6:16: pump.fill.drug", "not one of the drugs", "did you mean 'floxuridine'?"),
    "unknown anatomy": ("michels-1 ", "michels-11 ", "15:12: arteries.anatomy", "not one of the anatomies", "did you mean 'michels-1"),
    "unknown waveform": ("waveform: hepatic-artery", "waveform: hepatic-vein", "arteries.inflow.waveform", "not one of the waveforms", "'hepatic-artery'"),
    "network twice": ("  anatomy: michels-1 ", "  file: x.yaml\n  anatomy: michels-1 ", "arteries.file", "given more than once", "one of: anatomy"),
    "no network": ("  anatomy: michels-1 ", "  # ", "14:1: arteries", "need one source", "one of: anatomy"),
    "network file missing": ("anatomy: michels-1 ", "file: none.yaml ", "15:9: arteries.file", "does not exist", "check the path"),
    "tip in no vessel": ("vessel: gastroduodenal", "vessel: gastro_duodenal", "12:17: catheter.tip.vessel", "no such vessel", "did you mean 'gastroduodenal'?"),
    "tip beyond its vessel": ("position: ostium", "position: 50 mm", "catheter.tip.position", "beyond the end of gastroduodenal at 43.8 mm", "at most"),
    "tip place misspelt": ("position: ostium", "position: osteum", "catheter.tip.position", "not a quantity of length", "e.g."),
    "catheter wider than its vessel": ("vessel: gastroduodenal", "vessel: right_gastric", "catheter.tip.vessel", "wider than its vessel (1.2 mm)", "thinner catheter"),
    "catheter thicker than its vessel": ("  length: 50 cm", "  length: 50 cm\n  outer_diameter: 4 mm", "catheter.tip.vessel", "the catheter (4 mm) is wider", "larger vessel"),
    "wall without thickness": ("inner_diameter: 0.6 mm", "inner_diameter: 2.4 mm", "catheter.outer_diameter", "no thickness", "outer diameter larger"),
    "overfilled": ("volume: 30 mL}\n\n", "volume: 31 mL}\n\n", "6:61: pump.fill.volume", "the reservoir holds 30 mL", "at most 30 mL"),
    "overfilled at the refill": ("saline, volume: 30 mL", "saline, volume: 40 mL", "schedule.0.refill.volume", "the reservoir holds 30 mL", "at most"),
    "fill below the residual": ("5 mg/mL, volume: 30 mL", "5 mg/mL, volume: 1 mL", "pump.fill.volume", "residual volume", "fill more"),
    "drug without a name": ("drug: floxuridine, ", "", "pump.fill.concentration", "no drug is named", "add 'drug:'"),
    "drug in saline": ("drug: floxuridine, ", "drug: saline, ", "pump.fill.concentration", "holds no drug", "leave it out"),
    "solid infusate": ("5 mg/mL", "5 g/mL", "pump.fill.concentration", "no solution holds so much", "mg/mL"),
    "refill after the end": ("at: 14 d", "at: 28 d", "25:10: schedule.0.at", "not before the end of the run at 28 d", "run longer"),
    "event that does nothing": ("{at: 14 d, refill: {drug: saline, volume: 30 mL}}", "{at: 14 d}", "25:5: schedule.0", "does nothing", "one of: refill"),
    "event that does two things": ("refill: {drug: saline, volume: 30 mL}", "refill: {}, patient: {temperature: 38 degC}", "schedule.0", "does one thing", "repeat 'at'"),
    "fault after the end": ("onset: 5 d", "onset: 30 d", "28:77: faults.0.onset", "not before the end of the run", "run longer"),
    "fault of an unknown kind": ("kind: leak", "kind: leek", "faults.0", "known kind", "occlusion, leak"),
    "fault without a kind": ("{kind: leak, ", "{", "28:5: faults.0", "known kind", "occlusion, leak"),
    "leak beyond the end": ("{catheter: 12 cm}", "{catheter: 52 cm}", "28:36: faults.0.where.catheter", "beyond the catheter's end at 50 cm", "between 0 and 50 cm"),
    "leak at the tip": ("{catheter: 12 cm}", "{catheter: tip}", "faults.0.where.catheter", "open anyway", "connector"),
    "leak nowhere": ("{catheter: 12 cm}", "{catheter: hub}", "faults.0.where.catheter", "no such place on the catheter", "'connector'"),
    "leak without an orifice": ("orifice_diameter: 0.1 mm, ", "", "28:5: faults.0", "a leak has an orifice", "orifice_diameter"),
    "leak wider than the lumen": ("orifice_diameter: 0.1 mm", "orifice_diameter: 1 mm", "faults.0.orifice_diameter", "wider than the lumen", "torn"),
    "occlusion of no vessel": ("vessel: right_hepatic", "vessel: rigth_hepatic", "29:39: faults.1.where.vessel", "no such vessel", "'right_hepatic'"),
    "occlusion of two places": ("{vessel: right_hepatic}", "{vessel: right_hepatic, catheter: tip}", "faults.1.where", "at one place", "one of: vessel"),
    "occlusion of a missing side hole": ("{catheter: tip}", "{side_hole: 1}", "faults.2.where.side_hole", "has 0 side holes", "count from 1"),
    "dislodgement to nowhere": ("to: {vessel: common_hepatic}", "to: {vessel: aorta}", "faults.3.to.vessel", "no such vessel", "use one of"),
    "dislodgement into a thread": ("to: {vessel: common_hepatic}", "to: {vessel: segment_1}", "faults.3.to.vessel", "wider than its vessel", "thinner"),
    "second inlet": ("inflow: {vessel: common_hepatic", "inflow: {vessel: right_hepatic", "arteries.inflow.vessel", "one inlet, and this one's is common_hepatic", "leave it out"),
    "two inlets": ("inflow: {vessel: common_hepatic, mean: 400 mL/min, waveform: hepatic-artery, heart_rate: 70 /min}", "inflow: [{vessel: common_hepatic}, {vessel: left_hepatic}]", "16:11: arteries.inflow", "one inlet", "keep the one"),
    "heart that stands still": ("70 /min", "0 /min", "arteries.inflow.heart_rate", "must be at least", "e.g."),
    "ligature on no vessel": ("  anatomy: michels-1 ", "  ligated: [splenic]\n  anatomy: michels-1 ", "15:13: arteries.ligated.0", "no such vessel", "use one of"),
    "ligature on the inlet": ("  anatomy: michels-1 ", "  ligated: [common_hepatic]\n  anatomy: michels-1 ", "arteries.ligated.0", "leaves no flow", "another vessel"),
    "split that is not whole": ("  anatomy: michels-1 ", "  split: {proper_hepatic: 0.9}\n  anatomy: michels-1 ", "arteries.split", "must sum to 1", "adjust"),
    "split to a far vessel": ("  anatomy: michels-1 ", "  split: {right_hepatic: 1.0}\n  anatomy: michels-1 ", "arteries.split.right_hepatic", "does not meet the tip's junction", "proper_hepatic"),
    "two livers": ("model: standard", "model: standard\n  mesh: liver.vtu", "liver.mesh", "one geometry", "not both"),
    "mesh missing": ("model: standard", "mesh: liver.vtu", "liver.mesh", "does not exist", "check the path"),
    "fractions that do not fill the liver": ("model: standard", "model: standard\n  fractions: {V: 0.5}", "liver.fractions", "must sum to 1", "all eight"),
    "tumour nowhere": ("centre: [20 mm, 35 mm, 10 mm], ", "", "liver.tumours.0", "lies nowhere", "centre or its segment"),
    "tumour that is no point": ("[20 mm, 35 mm, 10 mm]", "[20 mm, 35 mm]", "liver.tumours.0.centre", "three coordinates", "'20 35 10 mm'"),
    "tumour larger than the liver": ("diameter: 30 mm", "diameter: 30 cm", "liver.tumours.0.diameter", "larger than the liver", "smaller"),
    "altitude and pressure": ("ambient_pressure: 101.3 kPa", "ambient_pressure: 101.3 kPa, altitude: 100 m", "patient.altitude", "the same twice", "keep one"),
    "dose and concentration": ("concentration: 5 mg/mL", "concentration: 5 mg/mL, dose: 0.12 mg/kg/day", "pump.fill.dose", "the same twice", "keep one"),
    "gas pump with a programme": ("model: intera-3000 ", "programme: [{from: 0 h, rate: 1 mL/day}]\n  model: intera-3000 ", "pump.programme", "cannot be programmed", "peristaltic"),
    "propellant without pressure": ("model: intera-3000 ", "propellant: {boiling_point: 40 degC}\n  model: intera-3000 ", "pump.propellant", "does not exceed", "boils lower"),
    "output rarer than the run": ("output_every: 1 h", "output_every: 30 d", "run.output_every", "longer than the run", "shorten"),
    "output without end": ("output_every: 1 h", "output_every: 1 ms", "run.output_every", "over 1000000 times", "less often"),
    "months by the pulse": ("clock: therapy", "clock: pulse", "run.duration", "up to an hour", "therapy"),
    "unknown clock": ("clock: therapy", "clock: therapeutic", "33:14: run.clock", "not one of the choices", "therapy or pulse"),
    "sweep": ("run: {clock", "sweep: {catheter.length: [40 cm, 50 cm]}\nrun: {clock", "33:1: sweep", "not run by this version", "--set"),
    "pump without a catheter": ("catheter:\n  model", "x_catheter:\n  model", "4:1: pump", "the pump needs the catheter", "add 'catheter:'"),
    "a part that is text": ("patient: {mass: 70 kg, temperature: 37 degC, ambient_pressure: 101.3 kPa}", "patient: me", "22:10: patient", "mapping of keys", "key: value"),
    "a part that is empty": ("patient: {mass: 70 kg, temperature: 37 degC, ambient_pressure: 101.3 kPa}", "patient:", "patient", "has no value", "delete the line"),
    "events that are no list": ("  - {at: 14 d, refill: {drug: saline, volume: 30 mL}}", "  at: 14 d", "schedule", "is a list", "'- '"),
    "yes is no boolean": ("position: ostium", "position: ostium, closed_end: yes", "catheter.tip.closed_end", "true or false", "true or false"),
    "closed end without holes": ("position: ostium", "position: ostium, closed_end: true", "catheter.tip.closed_end", "lets nothing out", "side_holes"),
    "key of another part": ("model: standard", "model: standard\n  x: 1", "liver.x", "unknown key", "use one of"),
}  # fmt: skip

NETWORKS = {
    "same node": ("parent: {from: root, to: fork", "parent: {from: root, to: root", "parent.to", "ends where it starts", "two different"),
    "unknown node": ("gut: {from: fork, to: gut", "gut: {from: frok, to: gut", "gut.from", "no such node", "did you mean 'fork'?"),
    "disconnected": ("gut: {from: fork, to: gut", "gut: {from: stub2, to: gut", "vessels.gut", "disconnected", "connect it"),
    "dead end": ("      stub: {kind: reflection, coefficient: 1}\n", "", "vessels.stub", "dead end: neither inlet nor outlet", "one inlet"),
    "loop without an outlet": ("    inlet:", "      la: {from: fork, to: lx, length: 1 cm, diameter: 2 mm, wave_speed: 8 m/s}\n      lb: {from: lx, to: ly, length: 1 cm, diameter: 2 mm, wave_speed: 8 m/s}\n      lc: {from: ly, to: lz, length: 1 cm, diameter: 2 mm, wave_speed: 8 m/s}\n      ld: {from: lz, to: lx, length: 1 cm, diameter: 2 mm, wave_speed: 8 m/s}\n    inlet:", "vessels.la", "a loop without an outlet", "add an outlet"),
    "outlet at the inlet": ("      stub: {kind: reflection, coefficient: 1}", "      root: {kind: reflection, coefficient: 1}", "outlets.root", "the inlet cannot be an outlet", "delete it"),
    "outlet at a fork": ("      stub: {kind: reflection, coefficient: 1}", "      fork: {kind: reflection, coefficient: 1}", "outlets.fork", "ends one vessel, here meet 4", "far end"),
    "bed given twice": ("flow: 100 mL/min", "flow: 100 mL/min, share: 0.3", "outlets.gut", "given more than once", "one of: share"),
    "bed not given": ("flow: 100 mL/min, ", "", "outlets.gut", "not determined", "one of: share"),
    "reflection of nothing": ("coefficient: 1}", "proximal: 1e9 Pa s/m3}", "outlets.stub", "needs its coefficient", "coefficient"),
    "feeds that do not sum": ("V: 70 %", "V: 80 %", "outlets.left.feeds", "must sum to 1", "adjust"),
    "feeds to no segment": ("V: 70 %", "IX: 70 %", "outlets.left.feeds.IX", "no such segment", "did you mean 'I'?"),
    "fed nothing": ("feeds: {V: 70 %, met: 0.3}", "drains: portal", "outlets.left", "not said what the outlet feeds", "feeds"),
    "fed and off target": ("off_target: duodenum", "feeds: {V: 1}, off_target: duodenum", "outlets.gut.off_target", "feeds the liver already", "keep"),
    "wall given twice": ("diameter: [5 mm, 4.5 mm], wave_speed: 7 m/s", "diameter: [5 mm, 4.5 mm], wave_speed: 7 m/s, young_modulus: 1 MPa", "parent.young_modulus", "given twice", "give wave_speed"),
    "diameter of three": ("diameter: [5 mm, 4.5 mm]", "diameter: [5 mm, 4.5 mm, 4 mm]", "parent.diameter", "one length or two", "'4 mm'"),
    "no length": ("stub: {from: fork, to: stub, length: 3 cm, ", "stub: {from: fork, to: stub, ", "vessels.stub", "has no length", "positions of its nodes"),
    "waveform out of order": ("times: [0, 0.3, 0.6]", "times: [0, 0.6, 0.3]", "waveform.times", "rise from 0", "in order"),
    "waveform uneven": ("values: [1, 2, 0.5]", "values: [1, 2]", "waveform.values", "3 times and 2 values", "each time"),
    "waveform backwards": ("values: [1, 2, 0.5]", "values: [-1, -2, -0.5]", "waveform.values", "mean of the shape must be positive", "sign"),
    "override of no vessel": ("vessels: {gut: {diameter", "vessels: {guts: {diameter", "arteries.vessels.guts", "no such vessel", "'gut'"),
    "segments that do not fill": ("length: 15 cm", "length: 14 cm", "catheter.segments", "segments sum to", "agree"),
    "kink off the catheter": ("at: 3 cm, severity", "at: 33 cm, severity", "catheter.kinks.0.at", "beyond the catheter's end", "between 0"),
    "side hole off the catheter": ("from_tip: 1 cm", "from_tip: 1 m", "catheter.side_holes.0.from_tip", "beyond the catheter's end", "between 0"),
    "side hole wider than the lumen": ("diameter: 0.3 mm", "diameter: 0.7 mm", "catheter.side_holes.0.diameter", "wider than the lumen", "smaller"),
    "programme out of order": ("{from: 20 h, rate: 0", "{from: 5 h, rate: 0", "pump.programme.1.from", "follow each other", "sort"),
    "programme beyond the day": ("{from: 20 h, rate: 0", "{from: 30 h, rate: 0", "pump.programme.1.from", "repeats each day", "below 24 h"),
    "bolus that outlasts the run": ("over: 20 s", "over: 20 d", "schedule.1.bolus.volume", "ends after the run", "faster"),
    "bolus stated twice": ("over: 20 s", "over: 20 s, rate: 1 mL/s", "schedule.1.bolus.over", "the same twice", "keep one"),
    "occluded tip that is closed": ("where: {side_hole: 2}", "where: {catheter: tip}", "faults.0.where.catheter", "closed by design", "side hole"),
    "drug half described": ("diffusivity: 5e-10 m2/s, ", "", "drugs.tracer.diffusivity", "the key is missing", "add 'diffusivity:'"),
    "half a person": ("mass: 82.5 kg", "mass: 82.5 mmHg", "patient.mass", "is a pressure", "e.g."),
}  # fmt: skip


def run(text, folder, capsys, *arguments):
    """``haiflow run`` of ``text`` with an output folder that exists and may be replaced; exit code, stdout, stderr."""
    (folder / "s.yaml").write_text(text)
    out = folder / "out"
    out.mkdir(exist_ok=True)
    (out / "run.json").write_text("{}")
    with pytest.raises(SystemExit) as ended:
        main(["run", str(folder / "s.yaml"), "-o", str(out), "--force", *arguments])
    said = capsys.readouterr()
    assert [path.name for path in out.iterdir()] == ["run.json"]
    assert sorted(path.name for path in folder.iterdir()) == ["out", "s.yaml"]
    return ended.value.code, said.out, said.err


def _refused(text, old, new, place, rule, remedy, folder, capsys):
    assert old in text
    code, out, err = run(text.replace(old, new, 1), folder, capsys)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    lines = err.strip().splitlines()
    told = [FOUR_PARTS.fullmatch(line.replace(str(folder) + "/", "")) for line in lines]
    assert all(told), err
    assert any(place in each["place"] and rule in each["rule"] and remedy in each["remedy"] for each in told), err
    return lines


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_refused(case, tmp_path, capsys):
    _refused(CONTRACT, *CONTRADICTIONS[case], tmp_path, capsys)


@pytest.mark.parametrize("case", NETWORKS)
def test_refused_in_a_scenario_with_everything(case, tmp_path, capsys):
    _refused(EVERYTHING, *NETWORKS[case], tmp_path, capsys)


def test_a_wall_without_stiffness(tmp_path, capsys):
    text = EVERYTHING.replace("  young_modulus: 0.35 MPa\n", "")
    change = ("to: stub, length: 3 cm, diameter: 3 mm, wave_speed: 8 m/s", "to: stub, length: 3 cm, diameter: 3 mm")
    _refused(text, *change, "vessels.stub", "no stiffness", "wave_speed", tmp_path, capsys)


def test_there_are_many():
    assert len(CONTRADICTIONS) + len(NETWORKS) >= 40


def test_a_near_miss_does_not_complain_of_its_missing_twin(tmp_path, capsys):
    lines = _refused(
        CONTRACT, "kind: leak, where:", "kind: leak, wher:", "faults.0.wher", "unknown key", "'where'", tmp_path, capsys
    )
    assert len(lines) == 1


def test_everything_wrong_is_told_in_the_order_of_the_file(tmp_path, capsys):
    text = CONTRACT
    for old, new in (
        ("onset: 12 d", "onset: 99 d"),
        ("length: 50 cm", "lenght: 50 cm"),
        ("400 mL/min", "400"),
        ("volume: 30 mL}\n\n", "volume: 60 mL}\n\n"),
    ):
        text = text.replace(old, new, 1)
    code, _, err = run(text, tmp_path, capsys)
    places = [FOUR_PARTS.fullmatch(line.replace(str(tmp_path) + "/", ""))["place"] for line in err.strip().splitlines()]
    assert code == 2
    assert [int(place.split(":")[1]) for place in places] == [6, 10, 16, 31]


FILES = {
    "nothing there": (None, "does not exist"),
    "empty": (b"", "empty"),
    "binary": (b"\x7fELF\x00\x01", "control characters"),
    "latin-1": ("name: é".encode("latin-1"), "not UTF-8"),
    "bomb": (b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(b"%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n" % ((98 + i, 98 + i) + (97 + i,) * 8) for i in range(12)), "too many values"),
    "deep": (b"a: " + b"[" * 100_000, "nested too deeply"),
    "wide": (b"#" * (17 * 2**20), "at most 16 MB"),
    "tag": (b"a: !!python/object/apply:os.system [id]", "tags are not read"),
    "duplicate": (b"haiflow: 1\nhaiflow: 1\n", "stands twice"),
    "list": (b"- 1\n", "mapping of keys"),
    "nothing to simulate": (b"haiflow: 1\n", "nothing to simulate"),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_files_that_are_no_scenario(case, tmp_path, capsys):
    content, message = FILES[case]
    if content is not None:
        (tmp_path / "s.yaml").write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        main(["run", str(tmp_path / "s.yaml"), "-o", str(tmp_path / "out")])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert message in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_a_folder_is_no_scenario(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["check", str(tmp_path)])
    assert ended.value.code == 2
    assert "a folder" in capsys.readouterr().err


def test_the_errors_of_several_scenarios_come_together(tmp_path, capsys):
    for name, old in (("a", "50 cm"), ("b", "400 mL/min")):
        (tmp_path / f"{name}.yaml").write_text(CONTRACT.replace(old, "5", 1))
    with pytest.raises(SystemExit) as ended:
        main(["run", str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"), "-o", str(tmp_path / "out")])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "a.yaml:10:11: catheter.length" in said
    assert "b.yaml:16:42: arteries.inflow.mean" in said
    assert not (tmp_path / "out").exists()


def test_json_says_it_on_standard_output_too(tmp_path, capsys):
    import json

    code, out, err = run(CONTRACT.replace("50 cm", "50", 1), tmp_path, capsys, "--json")
    assert code == 2
    told = json.loads(out)
    assert told["status"] == "bad input"
    assert set(told["errors"][0]) == {"place", "value", "rule", "remedy"}
    assert "needs a unit" in err
