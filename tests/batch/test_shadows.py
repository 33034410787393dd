"""Files beside a scenario that are named as modules: the processes that a command starts see what it sees itself."""

import json
import os
import subprocess
import sys

import numpy as np

from haiflow import child
from haiflow.mesh.apart import read_apart
from haiflow.report.child import Child
from haiflow.results import Results

SHADOWS = ("json", "numpy", "yaml", "random", "matplotlib")


def shadowed(folder):
    for name in SHADOWS:
        (folder / f"{name}.py").write_text("raise SystemExit('this is not the module')\n")


def test_workers_take_no_modules_from_the_current_folder(sweep):
    shadowed(sweep.folder)
    begin = [sys.executable, "-P", "-m", "haiflow", "run", "s.yaml", "-o", "out", "--workers", "1"]  # as the command
    done = subprocess.run(begin, cwd=sweep.folder, capture_output=True, text=True, timeout=300)
    assert "not the module" not in done.stdout + done.stderr
    assert done.returncode == 4, done.stderr  # of the sweep's variants some are bad, in the test's own words
    assert len(sweep.variants()) > 0


def test_a_drawing_process_does_not_either(tmp_path, monkeypatch):
    shadowed(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place not in ("", os.getcwd())])
    drawing = Child("figures")
    drawing.give(Results(summary={}), tmp_path)
    assert "exit code" not in drawing.answer().get("failure", "")


def test_a_reader_in_a_process_of_its_own_does_not_either(tmp_path, monkeypatch):
    np.savez(tmp_path / "held.npz", places=np.arange(3.0))
    shadowed(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place not in ("", os.getcwd())])
    assert read_apart("numpy:load", tmp_path / "held.npz")["places"].tolist() == [0.0, 1.0, 2.0]


def test_a_folder_that_this_process_alone_has_on_its_path_is_there(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "brought.py").write_text("found = 'it'\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("mine")  # as a script's may be: not from the root
    code = "import brought, json; print(json.dumps(brought.found))"
    run = subprocess.run(child.python("-c", code), env=child.surroundings(), cwd="/", capture_output=True, text=True)
    assert json.loads(run.stdout) == "it", run.stderr


def test_the_rest_of_the_environment_stays(monkeypatch):
    monkeypatch.setenv("HAIFLOW_PROBE", "1")
    given = child.surroundings(OMP_NUM_THREADS="1")
    assert (given["HAIFLOW_PROBE"], given["OMP_NUM_THREADS"]) == ("1", "1")
