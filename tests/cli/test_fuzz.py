"""A slice of the fuzzer's inputs (``python -m fuzz`` runs them all), and that it sees what it is there to see."""

import json
import random
import re

import pytest
import yaml
from fuzz import centrelines, decks
from fuzz.grammar import MOST_PARTS, repeated
from fuzz.inputs import KINDS, SETS, kind_of, make
from fuzz.pool import Worker, run
from fuzz.trial import FOUR_PARTS, attempt

from haiflow.cli import main

FIRST = 600_000


def _nothing_found(outcomes):
    found = [
        f"python -m fuzz --only {each.number} --kind {each.kind}: {each.faults}" for each in outcomes if each.faults
    ]
    assert not found, "\n".join(found)


COUNTS = {"scenario": 120, "text": 60, "setting": 30, "words": 30, "mesh": 50, "meshed": 20, "lines": 40, "output": 12,
          "run": 8, "built": 3, "openbf": 40, "svoned": 40, "svzerod": 40}  # fmt: skip


@pytest.mark.parametrize(("kind", "count"), COUNTS.items())
def test_whatever_it_is_given_it_ends_in_words(kind, count):
    if kind == "built":
        pytest.importorskip("gmsh", exc_type=ImportError)
        pytest.importorskip("nrrd")
        pytest.importorskip("nibabel")
    if kind == "lines":
        pytest.importorskip("pyvista")
    outcomes = list(run(range(FIRST, FIRST + count), kind))
    assert len(outcomes) == count
    _nothing_found(outcomes)


@pytest.mark.slow
def test_three_thousand_inputs():
    _nothing_found(run(range(700_000, 703_000)))


def test_the_same_number_is_the_same_input(tmp_path):
    def made(number, turn):
        folder = tmp_path / f"{turn}{number}"
        folder.mkdir()
        given = make(number, folder)
        return given.command, [path.read_bytes() for path in sorted(folder.rglob("*.yaml"))]

    for number in range(FIRST, FIRST + 30):
        if kind_of(number) != "output":
            assert made(number, "a") == made(number, "b")
    assert {kind_of(number) for number in range(300)} == set(KINDS)


def test_a_bug_is_found(monkeypatch):
    """The fuzzer's eyes: a command that raises, one that says nothing, and one that is slow."""
    import haiflow.scenario.load as load

    def broken(*_, **__):
        raise KeyError("made up")

    monkeypatch.setattr(load, "load", broken)
    monkeypatch.setattr("haiflow.scenario.sweeps.swept.read_swept", lambda *_: None)
    outcome = attempt(FIRST, "scenario")
    assert outcome.code == 1
    assert "exit code 1" in outcome.faults
    assert "made up" in outcome.said


def test_a_process_that_dies_is_found_and_replaced():
    worker = Worker("scenario")
    try:
        assert not worker.ask(FIRST).faults
        worker.process.kill()
        worker.process.join()
        assert re.search("died", worker.ask(FIRST).faults[0])
        assert not worker.ask(FIRST).faults
    finally:
        worker.end()


def test_what_counts_as_four_parts():
    assert FOUR_PARTS.search("s.yaml:1:2: a.b: '5': needs a unit; write '5 mm'")
    assert not FOUR_PARTS.search("something went wrong")
    assert not FOUR_PARTS.search("s.yaml: 'x': is wrong")


def test_decks_that_nothing_is_done_to_are_sound(tmp_path, monkeypatch):
    """What is changed is a deck that would be read: an import of every seed ends well."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inflow.dat").write_text(decks._table(1.2e-5))
    (tmp_path / "inflow.in").write_text(f"DATATABLE FLOWDATA LIST\n{decks._table(12.0)}ENDDATATABLE\n")
    texts = [("openbf", yaml.dump(deck, sort_keys=False)) for deck in decks.OPENBF]
    texts += [("svzerod", json.dumps(deck)) for deck in decks.SVZEROD] + [("svoned", deck) for deck in decks.SVONED]
    for number, (peer, text) in enumerate(texts):
        (tmp_path / "deck").write_text(text)
        with pytest.raises(SystemExit) as ended:
            main(["import", peer, "deck", "-o", f"{number}.yaml"])
        assert ended.value.code == 0, f"{peer}: {text[:80]}"


@pytest.mark.parametrize("lines", [centrelines.TUBE, centrelines.FORK, centrelines.TRACTS])
def test_centre_lines_that_nothing_is_done_to_are_sound(tmp_path, monkeypatch, lines):
    pytest.importorskip("pyvista")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(random.Random, "choice", lambda *_: lines)
    (tmp_path / "c.vtp").write_bytes(centrelines._file(*centrelines._made(random.Random())))
    with pytest.raises(SystemExit) as ended:
        main(["import", "vmtk", "c.vtp", "-o", "i.yaml"])
    assert ended.value.code == 0


def test_a_set_of_kinds_can_be_asked_for_and_its_inputs_repeated(tmp_path):
    kinds = [kind_of(number, "importers") for number in range(100)]
    assert set(kinds) == set(SETS["importers"])
    assert {kind_of(number, "svoned") for number in range(9)} == {"svoned"}
    made = []
    for turn in ("a", "b"):
        (tmp_path / turn).mkdir()
        given = make(7, tmp_path / turn, "importers")
        files = [path for path in (tmp_path / turn).iterdir() if not path.is_symlink()]
        made.append((given.kind, given.command, {path.name: path.read_bytes() for path in files}))
    assert made[0] == made[1]
    assert made[0][0] == kinds[7]


def test_long_lists_are_as_long_as_their_items_allow():
    lengths = {len(repeated(["5 mm"], random.Random(seed))) for seed in range(40)}
    assert lengths == {1_000, 10_000, 100_000}
    large = {"a": {str(k): k for k in range(1_000)}}
    found = max((repeated([large], random.Random(seed)) for seed in range(10)), key=len)
    assert 50 < len(found) < MOST_PARTS / 2_000
    assert found[0] == found[1]
    assert found[0] is not found[1]
    assert repeated([], random.Random(1)) == []
