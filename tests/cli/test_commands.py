"""The commands: what they print, what they write, and their exit codes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

import haiflow
from haiflow.cli import main
from haiflow.errors import SolverStopped
from haiflow.scenario.json_schema import json_schema
from haiflow.scenario.load import load

SCENARIOS = Path(__file__).parent / "scenarios"
CONTRACT = SCENARIOS / "contract.yaml"


def command(capsys, *arguments):
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def test_help_and_version(capsys):
    code, out, _ = command(capsys, "--help")
    assert code == 0
    assert {"run", "check", "new", "view", "compare", "schema", "library", "doctor"} <= set(out.split())
    assert "Not for clinical use" in out
    assert command(capsys, "--version")[1].strip() == f"haiflow {haiflow.__version__}"


@pytest.mark.parametrize("arguments", [[], ["rum"], ["run"], ["check"], ["run", "x.yaml", "--frce"], ["new"]])
def test_commands_that_are_none(capsys, arguments):
    code, out, err = command(capsys, *arguments)
    assert "Traceback" not in err
    assert code == (2 if arguments else code)
    assert "Usage" in out + err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["view", "."], "no summary.json in it: a folder of results has summary.json"),
        (["view", "absent"], "absent: No such file or directory"),
        (["mesh", "info", "nope.msh"], "nope.msh: nothing there: the file does not exist; check the path"),
        (["run", CONTRACT, "--shard", "0/0"], "--shard: 0/0: it is of a sweep, and no scenario here has one; leave it"),
        (["run", CONTRACT, "--workers", "-1"], "--workers: -1: it is of a sweep"),
        (["run", CONTRACT, "--scheduler", "local"], "--scheduler: local: it is of a sweep"),
        (["check", CONTRACT, "--set", "catheter.length=−5 cm"], "--set catheter.length: '−5 cm'"),
        (["check", CONTRACT, "--set", "catheter.length=−5 cm"], "looks like a minus: type '-'"),
        (["check", CONTRACT, "--set", "liver={mesh: no_mesh.txt}"], "liver.mesh: 'no_mesh.txt': cannot be read as"),
        (["check", CONTRACT, "--set", "liver={mesh: no_mesh.txt}"], "give one of .vtu"),
    ],
)
def test_what_is_said_of_it(capsys, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    scenario = tmp_path / "contract.yaml"
    scenario.write_text(CONTRACT.read_text())
    (tmp_path / "no_mesh.txt").write_text("text")
    code, out, err = command(capsys, *(scenario if each == CONTRACT else each for each in arguments))
    assert (code, out) == (2, "")
    assert said in err
    assert not list(tmp_path.glob("runs"))


def test_check_prints_the_plan_and_writes_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = command(capsys, "check", CONTRACT)
    assert (code, err) == (0, "")
    for part in (
        "intera-3000, gas driven, 1.3 mL/day",
        "150 mg of floxuridine in 30 mL",
        "tip in gastroduodenal at ostium",
        "400 mL/min into common_hepatic",
        "8 segments, 1 tumour",
        "gastroduodenal, right_gastric tied off",
        "leak at 12 cm of the catheter, 0.1 mm",
        "occlusion of right_hepatic, severity 0.8, linear over 2 d",
        "refill: 30 mL of saline",
        "therapy clock, 28 d, 673 outputs",
        "estimated: about",
    ):
        assert part in out, part
    assert list(tmp_path.iterdir()) == []


def test_check_says_what_is_left_out_and_takes_settings(capsys):
    code, out, _ = command(capsys, "check", SCENARIOS / "contract.yaml", "--set", "liver=", "--json")
    assert code == 2  # an empty part is an error, not a part left out
    code, out, _ = command(capsys, "check", Path(haiflow.__file__).parent / "library/templates/pump-and-catheter.yaml")
    assert code == 0
    assert "left out:  arteries, liver" in out
    assert "constant 95 mmHg" in out


def test_check_as_json(capsys):
    code, out, _ = command(capsys, "check", CONTRACT, "--set", "run.duration=15 d", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["plans"][0]["duration_s"] == 15 * 86400
    assert told["plans"][0]["cells"]["arteries"] > 100
    assert len(told["plans"][0]["events"]) == 5


@pytest.mark.parametrize("template", ["baseline", "arteries", "pump-and-catheter", "scan-agent"])
def test_new_writes_a_scenario_that_is_sound(capsys, tmp_path, template):
    file = tmp_path / "new.yaml"
    assert command(capsys, "new", "--template", template, file)[0] == 0
    assert "#" in file.read_text()
    load(file)
    code, _, err = command(capsys, "new", file)
    assert code == 2
    assert "exists" in err
    assert command(capsys, "new", file, "--force")[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["new.yaml"]


def test_new_lists_templates_and_refuses_others(capsys, tmp_path):
    listed = command(capsys, "new", "--list")[1]
    assert [line.split()[0] for line in listed.splitlines()] == [
        "arteries",
        "baseline",
        "pump-and-catheter",
        "scan-agent",
    ]
    code, _, err = command(capsys, "new", "--template", "baselin", tmp_path / "x.yaml")
    assert code == 2
    assert "did you mean 'baseline'?" in err
    code, _, err = command(capsys, "new", tmp_path / "none" / "x.yaml")
    assert code == 2
    assert "cannot be written" in err
    (tmp_path / "folder").mkdir()
    code, _, err = command(capsys, "new", tmp_path / "folder", "--force")
    assert code == 2
    assert "a folder: a scenario is a file" in err
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_library(capsys):
    code, out, _ = command(capsys, "library")
    assert code == 0
    assert {"pumps", "intera-3000", "floxuridine", "michels-10", "R-11", "saline"} <= set(out.split())
    out = command(capsys, "library", "drug", "floxuridine")[1]
    assert "hepatic_extraction: 0.95  [found]" in out
    assert "Ensminger 1978" in out
    entry = json.loads(command(capsys, "library", "pumps", "intera-3000", "--json")[1])["pumps"]["intera-3000"]
    assert entry["values"]["reservoir_volume"] == {
        "value": "30 mL",
        "source": "reservoir 30 mL (J&J patient page: about 1 oz)",
        "mark": "found",
    }
    assert "common_hepatic" in command(capsys, "library", "anatomies", "michels-1")[1]
    code, _, err = command(capsys, "library", "pmps")
    assert code == 2
    assert "did you mean 'pumps'?" in err
    code, _, err = command(capsys, "library", "pumps", "intera")
    assert code == 2
    assert "did you mean 'intera-3000'?" in err


def test_schema_describes_every_key_and_holds_for_the_contracts_scenario(capsys):
    code, out, _ = command(capsys, "schema")
    schema = json.loads(out)
    assert code == 0
    assert schema == json_schema()
    fill = schema["$defs"]["Fill"]["properties"]
    assert "mg/kg/day" in fill["dose"]["description"]
    assert "required" not in schema["$defs"]["Pump"]
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(yaml.safe_load(CONTRACT.read_text()), schema)


def test_every_key_of_the_schema_has_its_model_described():
    for name, definition in json_schema()["$defs"].items():
        assert definition.get("description"), name


def test_doctor(capsys):
    code, out, _ = command(capsys, "doctor", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["packages"]["numpy"][0].isdigit()
    assert found["kernels"].split(":")[0] in ("x86_64_v3", "portable")
    assert "blood1d" in found["kernels"]
    assert "3D pictures" in found["drawing"]
    assert "GiB free" in found["disk"]


def test_doctor_tells_what_is_missing(capsys, monkeypatch):
    from haiflow import doctor

    monkeypatch.setattr(doctor, "PACKAGES", ("numpy", "no-such-package"))
    monkeypatch.setattr(doctor, "DRAW", "import os; os._exit(139)")
    found = doctor.examine()
    assert found["packages"]["no-such-package"] == "not installed"
    assert "ended with 139" in found["drawing"]
    assert "libegl1" in found["drawing"]


class FakeResults:
    """Stands in for results where only the command's own behaviour is looked at."""

    verdict = ()

    def __init__(self, status):
        self.summary = {"status": status}
        self.saved, self.provenance = [], {}

    def save(self, folder, force=False):
        folder.mkdir(parents=True)
        self.saved.append(folder)


@pytest.fixture
def fake_run(monkeypatch):
    """Replaces the simulation by a function of one's own."""
    from haiflow.simulation import run as simulation

    return lambda behaviour: monkeypatch.setattr(simulation, "run_scenario", behaviour)


def test_a_complete_run_is_zero_and_one_object_on_standard_output(capsys, tmp_path, fake_run):
    fake_run(lambda scenario, *, progress: FakeResults("complete"))
    code, out, err = command(capsys, "run", CONTRACT, "-o", tmp_path / "out", "--json", "--quiet")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["status"] == told["runs"][0]["status"] == "complete"
    assert told["runs"][0]["output"] == str(tmp_path / "out")


def test_several_scenarios_get_a_folder_each(capsys, tmp_path, fake_run):
    fake_run(lambda scenario, *, progress: FakeResults("complete"))
    assert command(capsys, "run", CONTRACT, SCENARIOS / "everything.yaml", "-o", tmp_path / "out")[0] == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["contract", "everything"]
    code, _, err = command(capsys, "run", CONTRACT, CONTRACT, "-o", tmp_path / "twice")
    assert code == 2
    assert "two scenarios would write one folder" in err


def test_without_a_name_the_folder_is_called_after_the_file(capsys, tmp_path, monkeypatch, fake_run):
    fake_run(lambda scenario, *, progress: FakeResults("complete"))
    monkeypatch.chdir(tmp_path)
    assert command(capsys, "run", CONTRACT)[0] == 0
    assert (tmp_path / "runs" / "contract").is_dir()


def test_a_stopped_run_is_saved_and_three(capsys, tmp_path, fake_run):
    fake_run(lambda scenario, *, progress: FakeResults("stopped"))
    code, _, err = command(capsys, "run", CONTRACT, "-o", tmp_path / "out", "--quiet")
    assert code == 3
    assert "stopped" in err
    assert (tmp_path / "out").is_dir()


def test_a_solver_that_stops_before_anything_is_kept_is_three_too(capsys, tmp_path, fake_run):
    def stops(scenario, *, progress):
        raise SolverStopped(1.5, "vessel right_hepatic", "area is negative")

    fake_run(stops)
    code, _, err = command(capsys, "run", CONTRACT, "-o", tmp_path / "out")
    assert code == 3
    assert "t = 1.5 s in vessel right_hepatic" in err
    assert not (tmp_path / "out").exists()


def test_an_existing_folder_is_refused_before_anything_is_computed(capsys, tmp_path, fake_run):
    fake_run(lambda scenario, *, progress: pytest.fail("it ran"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    for more in ([], ["--force"]):  # --force replaces results only
        code, _, err = command(capsys, "run", CONTRACT, "-o", tmp_path / "out", *more)
        assert code == 2
        assert "--force" in err
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_a_bug_is_one_and_short(capsys, tmp_path, fake_run):
    def fails(scenario, *, progress):
        raise RuntimeError("index out of order")

    fake_run(fails)
    code, out, err = command(capsys, "run", CONTRACT, "-o", tmp_path / "out")
    assert (code, out) == (1, "")
    assert "a bug: RuntimeError: index out of order" in err
    assert "report it" in err
    assert "Traceback" not in err
    details = Path(err.strip().split()[-1])
    assert "Traceback" in details.read_text()
    details.unlink()


def test_a_full_disk_is_no_bug(capsys, tmp_path, fake_run):
    def full(scenario, *, progress):
        raise OSError(28, "No space left on device", "history.nc")

    fake_run(full)
    code, _, err = command(capsys, "run", CONTRACT, "-o", tmp_path / "out")
    assert code == 2
    assert "history.nc: No space left on device" in err
    assert "make room" in err


def test_an_interrupt_is_130(capsys, tmp_path, fake_run):
    def interrupted(scenario, *, progress):
        raise KeyboardInterrupt

    fake_run(interrupted)
    code, _, err = command(capsys, "run", CONTRACT, "-o", tmp_path / "out")
    assert code == 130
    assert "interrupted" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_real_interrupt_leaves_nothing_behind(tmp_path, number):
    arguments = [sys.executable, "-m", "haiflow", "run", str(CONTRACT), "-o", str(tmp_path / "out")]
    arguments += ["--set", "run.output_every=15 min"]  # long enough that the signal comes while it computes
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    told = ""
    while "%" not in told and time.monotonic() < deadline:  # it computes
        told = process.stderr.readline()
    os.kill(process.pid, number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_after_a_second_in_plain_lines(capsys, tmp_path, fake_run, monkeypatch):
    from haiflow import cli_run

    clock = iter(range(0, 1000, 6))
    monkeypatch.setattr(cli_run.time, "perf_counter", lambda: float(next(clock)))

    def slow(scenario, *, progress):
        for share in (0.1, 0.5, 1.0):
            progress("therapy", share)
        return FakeResults("complete")

    fake_run(slow)
    lines = command(capsys, "run", CONTRACT, "-o", tmp_path / "out")[2].splitlines()
    assert any("therapy 50 %" in line for line in lines)
    assert not any("\r" in line for line in lines)
    assert "%" not in command(capsys, "run", CONTRACT, "-o", tmp_path / "quiet", "--quiet")[2]


def test_a_misspelt_model_is_told_alone(capsys, tmp_path):
    fill = "{drug: floxuridine, concentration: 5 mg/mL}"
    text = f"haiflow: 1\npump: {{model: intera-3001, fill: {fill}}}\ncatheter: {{model: intera-straight}}\n"
    (tmp_path / "s.yaml").write_text(text)
    code, _, err = command(capsys, "check", tmp_path / "s.yaml")
    assert code == 2
    assert "did you mean 'intera-3000'" in err
    assert "missing" not in err
    (tmp_path / "s.yaml").write_text(text.replace("model: intera-3001", "modle: intera-3000"))
    code, _, err = command(capsys, "check", tmp_path / "s.yaml")
    assert code == 2
    assert "did you mean 'model'" in err
    assert "missing" not in err
