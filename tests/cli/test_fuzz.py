"""A slice of the fuzzer's inputs (``python -m fuzz`` runs them all), and that it sees what it is there to see."""

import re

import pytest
from fuzz.inputs import KINDS, kind_of, make
from fuzz.pool import Worker, run
from fuzz.trial import FOUR_PARTS, attempt

FIRST = 600_000


def _nothing_found(outcomes):
    found = [
        f"python -m fuzz --only {each.number} --kind {each.kind}: {each.faults}" for each in outcomes if each.faults
    ]
    assert not found, "\n".join(found)


COUNTS = {"scenario": 120, "text": 60, "setting": 30, "words": 30, "mesh": 50, "meshed": 20, "lines": 40, "output": 12,
          "run": 8, "built": 3}  # fmt: skip


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
