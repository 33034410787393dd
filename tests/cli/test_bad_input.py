"""Bad input: exit code 2, four parts for each thing that is wrong, no traceback, and the output folder as it was."""

import re
from pathlib import Path

import pytest
import yaml

from haiflow.cli import main

CONTRACT = (Path(__file__).parent / "scenarios" / "contract.yaml").read_text()
EVERYTHING = (Path(__file__).parent / "scenarios" / "everything.yaml").read_text()
FOUR_PARTS = re.compile(r"(?P<place>\S+?:\d+:\d+(: [\w.+ -]+)?): (?P<value>.+?): (?P<rule>.+?); (?P<remedy>.+)")

CASES = yaml.safe_load((Path(__file__).parent / "bad_input.yaml").read_text())


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


@pytest.mark.parametrize("case", CASES["contract"])
def test_refused(case, tmp_path, capsys):
    _refused(CONTRACT, *CASES["contract"][case].values(), tmp_path, capsys)


@pytest.mark.parametrize("case", CASES["everything"])
def test_refused_in_a_scenario_with_everything(case, tmp_path, capsys):
    _refused(EVERYTHING, *CASES["everything"][case].values(), tmp_path, capsys)


def test_a_wall_without_stiffness(tmp_path, capsys):
    text = EVERYTHING.replace("  young_modulus: 0.35 MPa\n", "")
    change = ("to: stub, length: 3 cm, diameter: 3 mm, wave_speed: 8 m/s", "to: stub, length: 3 cm, diameter: 3 mm")
    _refused(text, *change, "vessels.stub", "no stiffness", "wave_speed", tmp_path, capsys)


def test_there_are_many():
    assert sum(len(cases) for cases in CASES.values()) >= 100


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


LINKS = [f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(8 * ['*' + chr(97 + i)])}]" for i in range(12)]
BOMB = "\n".join(["a: &a [x, x, x, x, x, x, x, x, x]", *LINKS]).encode()
FILES = {
    "nothing there": (None, "does not exist"),
    "empty": (b"", "empty"),
    "binary": (b"\x7fELF\x00\x01", "control characters"),
    "latin-1": ("name: é".encode("latin-1"), "not UTF-8"),
    "bomb": (BOMB, "too many values"),
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


def test_a_folder_is_no_network(tmp_path, capsys):
    text = "haiflow: 1\narteries: {file: ..}\nrun: {duration: 1 h}\n"
    code, _, err = run(text, tmp_path, capsys)
    assert code == 2
    assert "s.yaml:2:18: arteries.file: '..': a folder: a network is a YAML file; give the path of the file" in err


def test_a_negative_wall_viscosity(tmp_path, capsys):
    old = "wall_thickness: 0.4 mm}"
    _refused(EVERYTHING, old, "wall_thickness: 0.4 mm, wall_viscosity: -5 Pa s}", "vessels.left.wall_viscosity",
             "must be above zero", "'3000 Pa s', or leave the key out: an elastic wall", tmp_path, capsys)  # fmt: skip


@pytest.mark.parametrize("words", [
    ["run", "s.yaml", "-o", ""], ["verify", "-o", ""], ["mesh", "build", "standard", "-o", " "],
    ["mesh", "convert", "s.yaml", ""], ["new", ""], ["view", "out", "--html", ""], ["compare", "out", "--html", ""],
    ["import", "openbf", "s.yaml", "-o", ""],
])  # fmt: skip
def test_an_empty_name_is_nothing_to_write(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "the name is empty; give a name" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


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
