"""``haiflow import``: what is written, what is said, exit codes, and whatever a deck holds a scenario or a message."""

import json
import random
import re

import pytest

from haiflow.cli import main
from haiflow.errors import InputError
from haiflow.scenario.imports.openbf import read as openbf
from haiflow.scenario.imports.scenario_file import imported
from haiflow.scenario.imports.svoned import read as svoned
from haiflow.scenario.imports.svzerod import read as svzerod
from haiflow.scenario.load import load
from haiflow.scenario.read import LARGEST_FILE

FOUR_PARTS = re.compile(r"(?P<place>\S.*?): (?P<value>.+?): (?P<rule>.+?); (?P<remedy>.+)")
ZERO_D = {
    "simulation_parameters": {"number_of_cardiac_cycles": 3, "number_of_time_pts_per_cardiac_cycle": 11},
    "boundary_conditions": [
        {"bc_name": "IN", "bc_type": "FLOW", "bc_values": {"t": [0.0, 0.3, 0.6, 1.0], "Q": [2.0, 8.0, 3.0, 2.0]}},
        {"bc_name": "OUT", "bc_type": "RCR", "bc_values": {"Rp": 100.0, "C": 1e-4, "Rd": 1000.0, "Pd": 0.0}},
    ],
    "junctions": [
        {"junction_name": "J", "junction_type": "NORMAL_JUNCTION", "inlet_vessels": [0], "outlet_vessels": [1]}
    ],
    "vessels": [
        {
            "vessel_id": 0,
            "vessel_name": "a",
            "zero_d_element_type": "BloodVessel",
            "boundary_conditions": {"inlet": "IN"},
            "vessel_length": 10.0,
            "zero_d_element_values": {"R_poiseuille": 13.0, "L": 37.0, "C": 1e-5},
        },
        {
            "vessel_id": 1,
            "vessel_name": "b",
            "zero_d_element_type": "BloodVessel",
            "boundary_conditions": {"outlet": "OUT"},
            "zero_d_element_values": {"R_poiseuille": 100.0, "stenosis_coefficient": 2.0},
        },
    ],
}


@pytest.fixture
def svzerod_deck(tmp_path):
    (tmp_path / "net.json").write_text(json.dumps(ZERO_D, indent=1))
    return tmp_path / "net.json"


def haiflow(capsys, *arguments):
    """Exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as ended:
        main([str(each) for each in arguments])
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


@pytest.mark.parametrize(
    ("peer", "fixture", "vessels"),
    [("openbf", "openbf_deck", 3), ("svoned", "svoned_deck", 3), ("svzerod", "svzerod_deck", 2)],
)
def test_a_deck_becomes_a_scenario_that_checks(request, capsys, tmp_path, peer, fixture, vessels):
    deck, file = request.getfixturevalue(fixture), tmp_path / "scenario.yaml"
    code, out, err = haiflow(capsys, "import", peer, deck, "-o", file, "--json")
    said = json.loads(out)
    assert (code, said["status"], said["vessels"]) == (0, "written", vessels)
    assert said["warnings"]
    text = " ".join(file.read_text().replace("\n#   ", " ").split())
    for warning in said["warnings"]:
        assert f"warning: {warning}" in err
        assert " ".join(warning.split()) in text
    assert load(file).model.arteries is not None
    assert haiflow(capsys, "check", file)[0] == 0


def test_a_scenario_that_was_imported_runs(capsys, openbf_deck, tmp_path):
    assert haiflow(capsys, "import", "openbf", openbf_deck, "-o", tmp_path / "s.yaml")[0] == 0
    code, _, err = haiflow(capsys, "run", tmp_path / "s.yaml", "-o", tmp_path / "out", "--quiet")
    assert code == 0, err
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["arteries"]["parent"]["mean_flow_rate_m3_per_s"] == pytest.approx(1.2e-5, rel=1e-3)


def test_an_existing_file_stays_without_force(capsys, openbf_deck, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("mine")
    code, _, err = haiflow(capsys, "import", "openbf", openbf_deck, "-o", file)
    assert code == 2
    assert "exists" in err
    assert file.read_text() == "mine"
    assert haiflow(capsys, "import", "openbf", openbf_deck, "-o", file, "--force")[0] == 0
    assert file.read_text() != "mine"


def test_the_deck_itself_is_never_overwritten(capsys, openbf_deck):
    before = openbf_deck.read_bytes()
    assert haiflow(capsys, "import", "openbf", openbf_deck, "-o", openbf_deck, "--force")[0] == 2
    assert openbf_deck.read_bytes() == before


def test_without_a_name_it_is_written_here(capsys, openbf_deck, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert haiflow(capsys, "import", "openbf", openbf_deck)[0] == 0
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["fork-haiflow.yaml"]


@pytest.mark.parametrize(
    ("peer", "fixture"), [(openbf, "openbf_deck"), (svoned, "svoned_deck"), (svzerod, "svzerod_deck")]
)
@pytest.mark.parametrize("absurd", ["1e308", "-1e308", "1e-308"])
def test_each_number_of_a_deck_may_be_absurd(request, peer, fixture, absurd):
    """Whichever it is, it is refused in four short parts, or it plays no part."""
    deck = request.getfixturevalue(fixture)
    text, told = deck.read_text(), []
    numbers = list(re.finditer(r"(?<![\w.])-?\d+(\.\d+)?(e[-+]?\d+)?(?![\w.])", text))
    for found in numbers[:: max(len(numbers) // 90, 1)]:
        deck.write_text(text[: found.start()] + absurd + text[found.end() :])
        try:
            imported(deck, peer, "peer")
        except InputError as error:
            told += str(error).splitlines()
    assert len(told) > 10
    assert [line for line in told if not FOUR_PARTS.fullmatch(line) or re.search(r"\d{30}", line)] == []


@pytest.mark.parametrize("peer", ["openbf", "svoned", "svzerod"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   \n",
        b"\x00\x01\x02\xff" * 50,
        b"name: \xe9\xff",
        b"{" * 5000,
        b"[[[",
        b"a: b\n- c",
        b"null",
        b"3",
        b"x" * (LARGEST_FILE + 1),
    ],
    ids=["empty", "blank", "binary", "latin", "braces", "brackets", "mixed", "null", "number", "huge"],
)
def test_what_is_no_deck_is_refused_in_four_parts(capsys, tmp_path, peer, content):
    deck, out = tmp_path / "deck.txt", tmp_path / "out.yaml"
    deck.write_bytes(content)
    code, _, err = haiflow(capsys, "import", peer, deck, "-o", out)
    assert code == 2
    assert "Traceback" not in err
    assert all(FOUR_PARTS.fullmatch(line) for line in err.strip().splitlines()), err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deck.txt"]


@pytest.mark.parametrize("peer", ["openbf", "svoned", "svzerod", "vmtk"])
def test_no_file_and_no_folder_to_write_to(capsys, tmp_path, peer):
    for deck, output in (
        ("absent.vtp", "a.yaml"),
        (".", "a.yaml"),
        ("absent.vtp", "no/such/folder.yaml"),
        ("absent.vtp", "."),
    ):
        code, _, err = haiflow(capsys, "import", peer, tmp_path / deck, "-o", tmp_path / output)
        assert code == 2
        assert FOUR_PARTS.fullmatch(err.strip()), err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value"), [("--inflow", "400"), ("--inflow", "-1 mL/min"), ("--wave-speed", "8 mm")]
)
def test_options_carry_their_units(capsys, tmp_path, option, value):
    code, _, err = haiflow(capsys, "import", "vmtk", tmp_path / "a.vtp", option, value)
    assert code == 2
    assert option in err


ODD = ("", "0", "-1", "1e300", "1e-300", "nan", "null", "true", "[]", "{}", '"x"', "#", "\\", "..", "9" * 40, "é")


def _changed(text, chance):
    """One word of the deck replaced, taken out or doubled, a line moved, or the end cut off."""
    act = chance.choice(("word", "word", "word", "drop", "double", "line", "cut"))
    if act == "cut":
        return text[: chance.randrange(len(text))]
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    words = re.findall(r"[\w.+-]+|[^\w.+-]+", lines[at])
    if act == "line" or not words:
        lines.insert(chance.randrange(len(lines)), lines.pop(at))
        return "\n".join(lines)
    word = chance.randrange(len(words))
    words[word : word + 1] = {"word": [chance.choice(ODD)], "drop": [], "double": [words[word]] * 2}[act]
    lines[at] = "".join(words)
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize(
    ("fixture", "reader"),
    [("openbf_deck", openbf), ("svoned_deck", svoned), ("svzerod_deck", svzerod)],
    ids=["openbf", "svoned", "svzerod"],
)
def test_a_scenario_or_a_message(request, read, fixture, reader, seed):
    deck, chance = request.getfixturevalue(fixture), random.Random(seed)
    text = deck.read_text()
    for _ in range(chance.randint(1, 3)):
        text = _changed(text, chance) or "x"
    deck.write_text(text)
    try:
        assert read(deck, reader)[0].arteries.network.vessels
    except InputError as error:
        told = [str(part) for part in (error.place, error.value, error.rule, error.remedy)]
        if not all(told):
            pytest.fail(f"a part is missing: {told}")
