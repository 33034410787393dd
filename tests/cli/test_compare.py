"""What differs between runs, on a terminal, as JSON and as a page."""

import errno
import json
import os
from pathlib import Path

import pytest

from haiflow.cli import main
from haiflow.report.page import INTENDED_USE

SCENARIO = """haiflow: 1
name: {name}
pump: {{model: intera-3000, fill: {{drug: floxuridine, concentration: 5 mg/mL, volume: 30 mL}}}}
catheter: {{model: intera-straight, length: {length}, tip: {{vessel: gastroduodenal, position: ostium}}}}
arteries: {{anatomy: michels-1}}
liver: {{model: standard}}
run: {{duration: 1 d, output_every: 12 h}}
"""


def command(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    from haiflow.scenario.load import loads
    from haiflow.simulation.run import run_scenario

    found = []
    for name, length in (("short", "40 cm"), ("long", "60 cm")):
        folder = tmp_path_factory.mktemp("runs") / name
        results = run_scenario(loads(SCENARIO.format(name=name, length=length)), pictures=False)
        found.append(results.save(folder))
    return found


def test_what_went_in_and_what_came_out(capsys, folders):
    code, out, err = command(capsys, "compare", *folders)
    assert (code, err) == (0, "")
    assert "short" in out.splitlines()[0]
    length = next(line for line in out.splitlines() if line.startswith("  catheter.length"))
    assert length.split()[1:] == ["40", "cm", "60", "cm"]
    dead = next(line for line in out.splitlines() if "catheter.dead_volume_m3" in line)
    assert dead.rstrip().endswith("50 %")
    assert "catheter.outer_diameter" not in out


def test_as_json_and_as_a_page(capsys, folders, tmp_path):
    page = tmp_path / "page.html"
    code, out, err = command(capsys, "compare", *folders, "--json", "--html", page)
    assert code == 0, err
    told = json.loads(out)
    assert told["runs"] == ["short", "long"]
    assert any(row["key"] == "catheter.length" for row in told["inputs"])
    text = page.read_text()
    assert "on one colour scale" in text or "no picture" in text
    assert "What came out" in text
    assert INTENDED_USE in text
    assert "http://" not in text.replace("http://www.w3.org", "")


def test_a_page_on_a_full_disk_leaves_what_was_there(capsys, folders, tmp_path, monkeypatch):
    page = tmp_path / "differences.html"
    page.write_text("old")
    sound = Path.write_text

    def half(self, data, *rest, **more):
        if "<html" in data:
            sound(self, data[:1000], *rest, **more)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return sound(self, data, *rest, **more)

    monkeypatch.setattr(Path, "write_text", half)
    code, _, said = command(capsys, "compare", *folders, "--html", page)
    assert code == 2
    assert "differences.html" in said
    assert "No space left" in said
    assert [file.name for file in tmp_path.iterdir()] == ["differences.html"]
    assert page.read_text() == "old"


def test_the_same_run_does_not_differ(capsys, folders):
    told = json.loads(command(capsys, "compare", folders[0], folders[0], "--json")[1])
    assert (told["inputs"], told["outputs"]) == ([], [])


def test_refused(capsys, folders, tmp_path):
    for arguments, word in (
        ((folders[0],), "a comparison needs two"),
        ((folders[0], tmp_path), "summary.json"),
        ((*folders, "--html", tmp_path / "page.txt"), "ends in .html"),
    ):
        code, _, err = command(capsys, "compare", *arguments)
        assert (code, word in err) == (2, True), err


def test_resume_keeps_a_run_that_is_complete(capsys, tmp_path):
    file, out = tmp_path / "s.yaml", tmp_path / "out"
    file.write_text(SCENARIO.format(name="short", length="40 cm").replace("liver: {model: standard}\n", ""))
    assert command(capsys, "run", file, "-o", out, "--resume", "--quiet")[0] == 0
    before = (out / "run.json").stat().st_ino
    code, said, _ = command(capsys, "run", file, "-o", out, "--resume", "--json")
    assert code == 0
    assert json.loads(said)["runs"][0]["status"] == "complete"
    assert (out / "run.json").stat().st_ino == before
    code, _, err = command(capsys, "run", file, "-o", out, "--resume", "--set", "run.duration=2 d")
    assert code == 2
    assert "another scenario" in err
