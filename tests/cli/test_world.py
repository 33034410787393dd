"""Faults of the world: a full disk, no terminal, odd locales, kills, two runs at once, files of another time."""

import errno
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from haiflow.errors import InputError
from haiflow.results import Results, store

TEXT = """haiflow: 1
name: Übung – 試験
arteries: {anatomy: michels-1}
pump: {model: intera-3000, fill: {drug: floxuridine, concentration: 5 mg/mL, volume: 30 mL}}
catheter: {model: intera-straight, tip: {vessel: gastroduodenal}}
liver: {model: standard}
faults: [{kind: occlusion, where: {vessel: right_hepatic}, severity: 0.8, onset: 2 h}]
run: {duration: 6 h, output_every: 1 h}
"""
MAIN = """
import functools, sys
import haiflow.simulation.run as run
run.run_scenario = functools.partial(run.run_scenario, pictures=False)
from haiflow.cli import main
main(sys.argv[1:])
"""
DATA = ("scenario.yaml", "segments.csv", "vessels.csv", "history.nc", "cycle.nc", "network.vtp", "perfusion.vtu")


@pytest.fixture
def scenario(tmp_path):
    (tmp_path / "s.yaml").write_text(TEXT, encoding="utf-8")
    return tmp_path


def begin(folder, *arguments, env=None, **options):
    command = [sys.executable, "-c", MAIN, *map(str, arguments)]
    given = {**os.environ, **(env or {})}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | options
    return subprocess.Popen(command, cwd=folder, env=given, **streams)


def haiflow(folder, *arguments, **options):
    process = begin(folder, *arguments, **options)
    out, err = process.communicate(timeout=120)
    return process.returncode, (out or b"").decode("utf-8", "replace"), (err or b"").decode("utf-8", "replace")


def figures(folder):
    """All that a run found, to the last bit; not how long it took."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    summary.pop("timing")
    for key in ("kernel_s", "network_s"):
        summary["solver"]["arteries"].pop(key)
    return summary, {name: (folder / name).read_bytes() for name in DATA}


@pytest.mark.parametrize("blocks", [1, 16, 64, 256])
def test_a_file_that_cannot_grow_is_told_as_the_system_tells_it(scenario, blocks):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * blocks, 1024 * blocks))

    code, _, err = haiflow(scenario, "run", "s.yaml", "-o", "out", "--quiet", preexec_fn=limit)
    assert code == 2, err
    assert "the system refused" in err
    assert [path.name for path in scenario.iterdir()] == ["s.yaml"]


def test_a_full_disk(scenario, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], capture_output=True).returncode
    ):
        pytest.skip("no disk of its own may be mounted here")
    try:
        code, _, err = haiflow(scenario, "run", "s.yaml", "-o", "disk/out", "--quiet")
        assert code == 2, err
        assert "disk/out: No space left on device" in err
        assert "make room" in err
        assert not list(disk.iterdir())
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_folder_that_cannot_be_written(scenario):
    if not Path("/proc/self").exists():
        pytest.skip("needs /proc")
    code, _, err = haiflow(scenario, "run", "s.yaml", "-o", "/proc/out", "--quiet")
    assert code == 2
    assert "writable" in err or "cannot be written" in err


@pytest.mark.parametrize("env", [
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"LC_ALL": "de_DE.UTF-8"}, {"LC_ALL": "nonsense"},
    {"PYTHONIOENCODING": "ascii:strict"},
])  # fmt: skip
def test_whatever_the_locale_the_result_is_the_same(scenario, env):
    path = scenario / "Übung 試.yaml"
    shutil.copy(scenario / "s.yaml", path)
    code, _, err = haiflow(scenario, "check", path.name, env=env)
    assert code == 0, err
    code, _, err = haiflow(scenario, "run", path.name, "-o", "out", env=env)
    assert code == 0, err
    assert Results.open(scenario / "out").summary["scenario"]["name"] == "Übung – 試験"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_no_one_listens(scenario, unbuffered):
    with Path("/dev/full").open("wb") as full:
        code, _, err = haiflow(scenario, "check", "s.yaml", stdout=full, env={"PYTHONUNBUFFERED": unbuffered})
    assert code == 2
    assert "No space left" in err
    process = begin(scenario, "schema")
    process.stdout.close()
    assert process.wait(60) == 0
    assert b"Traceback" not in process.stderr.read()


def test_no_display(scenario):
    assert haiflow(scenario, "run", "s.yaml", "-o", "out", "--quiet")[0] == 0
    code, _, err = haiflow(scenario, "view", "out", env={"DISPLAY": "", "WAYLAND_DISPLAY": ""})
    assert code == 2
    assert "--screenshot" in err


def _killed_after(folder, seconds):
    process = begin(folder, "run", "s.yaml", "-o", "out", "--quiet", "--resume")
    time.sleep(seconds)
    process.kill()
    process.communicate()


@pytest.mark.parametrize("seed", [pytest.param(n, marks=[] if n < 1 else [pytest.mark.slow]) for n in range(8)])
def test_killed_at_any_moment_it_is_run_again_to_the_same_bit(scenario, seed):
    begun = time.monotonic()
    assert haiflow(scenario, "run", "s.yaml", "-o", "whole", "--quiet")[0] == 0
    lasts = time.monotonic() - begun
    draw = random.Random(seed)
    for _ in range(4):
        _killed_after(scenario, draw.uniform(0.3, 1.05) * lasts)
        assert not (scenario / "out").exists() or store.MARK in os.listdir(scenario / "out")
    for left in scenario.glob(".out.*"):  # as after some time
        os.utime(left, (1, 1))
    code, _, err = haiflow(scenario, "run", "s.yaml", "-o", "out", "--quiet", "--resume")
    assert code == 0, err
    assert figures(scenario / "out") == figures(scenario / "whole")
    if any(scenario.glob(".out.*")):  # it was complete before the last kill: the next run clears up
        assert haiflow(scenario, "run", "s.yaml", "-o", "out", "--quiet", "--force")[0] == 0
    assert not list(scenario.glob(".out.*"))


def test_what_a_killed_run_left_goes_and_what_is_at_work_stays(tmp_path):
    dead, busy = tmp_path / ".out.a.partial", tmp_path / ".out.b.partial"
    for folder in (dead, busy, tmp_path / ".outer.c.partial"):
        folder.mkdir()
        os.utime(folder, (1, 1))
    with store.held(busy):
        store.clear_stale(tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.b.partial", ".outer.c.partial"]


def test_two_runs_into_one_folder_leave_one_whole_result(scenario):
    assert haiflow(scenario, "run", "s.yaml", "-o", "alone", "--quiet")[0] == 0
    both = [begin(scenario, "run", "s.yaml", "-o", "out", "--quiet") for _ in range(2)]
    said = [process.communicate(timeout=120)[1].decode() for process in both]
    assert sorted(process.returncode for process in both) == [0, 2], said
    assert any("not overwritten" in text for text in said)
    assert figures(scenario / "out") == figures(scenario / "alone")
    assert not list(scenario.glob(".out.*"))


def test_a_clock_that_is_set_back_changes_nothing(scenario, monkeypatch):
    from haiflow.scenario.load import load
    from haiflow.simulation.run import run_scenario

    times = iter(range(10**9, 0, -86_400))
    monkeypatch.setattr(time, "time", lambda: float(next(times)))
    results = run_scenario(load(scenario / "s.yaml"), pictures=False)
    results.save(scenario / "out")
    summary = json.loads((scenario / "out" / "summary.json").read_text(encoding="utf-8"))
    assert all(seconds >= 0.0 for seconds in summary["timing"].values())


def test_a_folder_from_before_there_were_sums_is_opened_and_a_changed_file_is_not(scenario):
    assert haiflow(scenario, "run", "s.yaml", "-o", "out", "--quiet")[0] == 0
    record = json.loads((scenario / "out" / "run.json").read_text(encoding="utf-8"))
    assert set(record["files"]) >= {*DATA, "summary.json"}
    table = scenario / "out" / "segments.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("VIII", "VIIJ"), encoding="utf-8")
    with pytest.raises(InputError, match="not as haiflow wrote it"):
        Results.open(scenario / "out")
    code, _, err = haiflow(scenario, "run", "s.yaml", "-o", "out", "--resume")
    assert code == 2
    assert "segments.csv" in err
    del record["files"]
    (scenario / "out" / "run.json").write_text(json.dumps(record), encoding="utf-8")
    assert Results.open(scenario / "out").summary["status"] == "complete"


def test_a_scenario_of_another_format_is_refused(scenario):
    for number in ("0", "2", "'1'"):
        (scenario / "old.yaml").write_text(TEXT.replace("haiflow: 1", f"haiflow: {number}"), encoding="utf-8")
        code, _, err = haiflow(scenario, "check", "old.yaml")
        assert code == 2, number
        assert "old.yaml:1:" in err


def test_a_window_ends_when_it_is_told_to(monkeypatch):
    """What the system does at once no event loop can swallow."""
    from haiflow.report import view

    class Window:
        def show(self, **_):
            self.handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    window, before = Window(), {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setattr(view, "plotter", lambda _: window)
    try:
        view.show(Results(summary={}))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert window.handlers == [signal.SIG_DFL, signal.SIG_DFL]


def test_hdf5_on_a_full_disk_is_an_error_of_the_system(tmp_path):
    from haiflow.results.netcdf import _told_as_the_system_does

    with pytest.raises(OSError) as told, _told_as_the_system_does(tmp_path / "history.nc"):
        raise RuntimeError("NetCDF: HDF error")
    assert told.value.errno in (errno.EIO, errno.ENOSPC)
    assert told.value.filename == str(tmp_path / "history.nc")
