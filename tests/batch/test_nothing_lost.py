"""Killed, interrupted, out of disk, without its cluster: what is complete stays, the rest is run, nothing differs."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DISASTERS = [pytest.param(n, marks=[] if n < 3 else [pytest.mark.slow]) for n in range(20)]


def workers_of(process):
    """Process numbers of the workers of a run."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in children]


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


@pytest.mark.parametrize("seed", DISASTERS)
def test_killed_at_any_moment_it_goes_on(seed, sweep, undisturbed, same):
    draw = random.Random(seed)
    process = sweep.start("--workers", "2", "--quiet")
    if seed % 2:  # from the first variant on, else anywhere: also before there is a folder
        wait_for(lambda: sweep.variants() or process.poll() is not None)
    time.sleep(draw.uniform(0.0, 0.8 if seed % 2 else 3.0))
    process.kill()
    process.communicate()
    before = sweep.variants()
    code, said = sweep.run("--workers", "2", "--resume")
    assert code == 4, said
    after = sweep.variants()
    assert {name: after[name] for name in before} == before  # none was run again
    assert same(sweep.out) == undisturbed
    wait_for(lambda: not list((sweep.out / ".batch" / "partial").iterdir()), 5.0)


def test_workers_that_are_killed_are_replaced(sweep, undisturbed, same):
    process = sweep.start("--workers", "2", "--quiet")
    for _ in range(2):
        wait_for(lambda: process.poll() is None and workers_of(process))
        number = len(sweep.variants())
        os.kill(workers_of(process)[0], signal.SIGKILL)
        wait_for(lambda number=number: len(sweep.variants()) > number or process.poll() is not None)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 4, said
    assert same(sweep.out) == undisturbed


def test_a_variant_that_kills_its_worker_fails_alone_and_is_tried_again(sweep, spoilt, undisturbed, same):
    code = (
        "one = Bench.one\nBench.one = lambda self, index, name: os._exit(9) if index == 3 else one(self, index, name)"
    )
    assert sweep.run("--workers", "2", env=spoilt(code))[0] == 4
    record = json.loads((sweep.out / ".batch" / "failed" / "0004.json").read_text())
    assert record["cause"] == "worker"
    assert "0004" not in sweep.variants()
    assert len(sweep.variants()) == 15
    assert sweep.run("--resume")[0] == 4
    assert same(sweep.out) == undisturbed


def test_interrupted_it_stops_within_seconds(sweep, undisturbed, same):
    process = sweep.start("--workers", "2")
    wait_for(lambda: len(sweep.variants()) > 1)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert time.monotonic() - begun < 8.0  # well below a second where the machine is not busy
    assert process.returncode == 130
    assert "--resume goes on" in said
    assert not list((sweep.out / ".batch" / "partial").iterdir())
    assert sweep.run("--resume", "--workers", "2")[0] == 4
    assert same(sweep.out) == undisturbed


def test_a_full_disk_stops_the_batch_and_no_variant_is_blamed(sweep, spoilt, undisturbed, same):
    code = """
import errno
import haiflow.batch.variant as variant
write = variant.write_into
def full(results, folder, timed=True):
    write(results, folder, timed)
    if int(folder.name.split("~")[0]) > 5:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
variant.write_into = full
"""
    code, said = sweep.run("--workers", "1", env=spoilt(code))
    assert code == 3
    assert "No space left" in said
    assert "--resume" in said
    assert 1 <= len(sweep.variants()) <= 5  # the last ones may still wait for the disk
    assert not list((sweep.out / ".batch" / "failed").iterdir())
    assert sweep.run("--resume", "--workers", "2")[0] == 4
    assert same(sweep.out) == undisturbed


def test_two_runs_do_not_work_on_one_batch(sweep):
    process = sweep.start("--workers", "1", "--quiet")
    wait_for(lambda: sweep.variants())
    process.send_signal(signal.SIGSTOP)
    try:
        code, said = sweep.run("--resume")
        assert code == 2
        assert "another haiflow run is at work" in said
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def cluster(tmp_path):
    """A scheduler and two workers, each a process of its own; ``address`` and the scheduler's process."""
    pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    begin = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen([*begin, "--no-dashboard", "--scheduler-file", str(file)], **quiet)
    join = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file), "--nthreads", "1"]
    workers = [
        subprocess.Popen([*join, "--no-dashboard", "--no-nanny", "--local-directory", str(tmp_path)], **quiet)
        for _ in range(2)
    ]
    wait_for(lambda: file.exists() and file.read_text().endswith("}"))
    yield json.loads(file.read_text())["address"], scheduler
    for process in (*workers, scheduler):
        process.kill()
        process.wait()


def test_on_a_cluster_it_is_the_same(sweep, cluster, undisturbed, same):
    code, said = sweep.run("--scheduler", cluster[0])
    assert code == 4, said
    assert same(sweep.out) == undisturbed


def test_without_its_scheduler_it_stops_and_goes_on_elsewhere(sweep, cluster, undisturbed, same):
    process = sweep.start("--scheduler", cluster[0])
    wait_for(lambda: sweep.variants())
    cluster[1].kill()
    _, said = process.communicate(timeout=90)
    assert process.returncode in (3, 4), said  # 4: it was done before
    assert "Traceback" not in said
    assert sweep.run("--resume", "--workers", "2")[0] == 4
    assert same(sweep.out) == undisturbed


def test_no_cluster_at_the_address(sweep):
    pytest.importorskip("distributed")
    shutil.rmtree(sweep.out, ignore_errors=True)
    for address, word in (("nonsense", "not an address"), ("tcp://127.0.0.1:1", "no cluster there")):
        code, said = sweep.run("--scheduler", address)
        assert code == 2
        assert word in said
