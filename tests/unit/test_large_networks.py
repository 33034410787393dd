"""What a run of a large network costs besides its blood flow: work and memory in proportion to the vessels."""

from __future__ import annotations

import csv
import io
import json
import pickle
import sys
import tracemalloc
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from scipy.sparse import csr_array

from haiflow.arteries import pulsatile
from haiflow.arteries.grid import make_grid
from haiflow.arteries.periodic import periodic
from haiflow.arteries.simple import murray_tree, network, pulsating
from haiflow.arteries.tree import CLOSED, Tree
from haiflow.cli_run import Progress
from haiflow.numerics import implicit, joint
from haiflow.numerics.joint import JointSystem
from haiflow.ports import LinearTransport
from haiflow.report import detail, handed, pack, page, scene
from haiflow.results import Network, Results, netcdf
from haiflow.results.store import write_into
from haiflow.results.vtk import read_network, write_network
from haiflow.scenario.load import loads
from haiflow.simulation.arterial_tree import build_tree
from haiflow.simulation.diagram import fan
from haiflow.simulation.run import run_scenario

SMALL, LARGE = 101, 401


def scenario(vessels: int) -> str:
    """A binary tree as a user writes it, without places."""
    tree = murray_tree(vessels, pulsating(80e-6, 1.0), total_length=0.06 * vessels)
    lines = ["haiflow: 1", f"name: tree of {vessels}", "arteries:"]
    lines += ["  inflow: {node: n0, mean: 80 mL/s, heart_rate: 60 /min}", "  network:", "    inlet: {node: n0}"]
    lines.append("    vessels:")
    for v, name in enumerate(tree.vessels):
        size = f"length: {tree.length[v] * 1e3:.3f} mm, diameter: {tree.radius_start[v] * 2e3:.4f} mm"
        ends = f"from: {tree.nodes[tree.start[v]]}, to: {tree.nodes[tree.end[v]]}"
        lines.append(f"      {name}: {{{ends}, {size}, wave_speed: 8 m/s}}")
    lines.append("    outlets:")
    lines += [f"      {node}: {{share: {1.0 / len(tree.outlets)!r}}}" for node in tree.outlets]
    lines.append("run: {clock: pulse, duration: 20 ms, numerics: {cell_length: 50 mm, periodic_tolerance: 0.1}}")
    return "\n".join(lines) + "\n"


def run(size: int) -> Results:
    return run_scenario(loads(scenario(size)), pictures=False)


def calls(work: Callable[[int], Any], size: int) -> int:
    """Functions called, of Python and of C, while ``work`` is done on a tree of ``size`` vessels."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work(size)
    finally:
        sys.setprofile(before)
    return count


@pytest.fixture(scope="module")
def runs() -> dict[int, Results]:
    return {size: run(size) for size in (SMALL, LARGE)}


def test_reading_and_running_call_in_proportion_to_the_vessels() -> None:
    """Everything around the kernels: the reader, the checks, the calibration, the run, its figures and pictures."""
    run(5)  # what is loaded once
    one, more = (calls(run, size) for size in (SMALL, LARGE))
    assert more < 1.15 * one * LARGE / SMALL


def uneven(vessels: int) -> tuple[str, dict[str, float]]:
    """The same with a share of its own for each outlet, some off target; and the flow (m3/s) of each vessel."""
    text, tree = scenario(vessels), murray_tree(vessels, pulsating(80e-6, 1.0), total_length=0.06 * vessels)
    ends = [v for v in range(vessels) if tree.nodes[tree.end[v]] in tree.outlets]
    share = {v: 2.0 * (rank + 1) / (len(ends) * (len(ends) + 1)) for rank, v in enumerate(ends)}
    for v in ends:
        more = ", off_target: bowel" if v in ends[::17] else ""
        node = tree.nodes[tree.end[v]]
        text = text.replace(
            f"      {node}: {{share: {1.0 / len(ends)!r}}}\n", f"      {node}: {{share: {share[v]!r}{more}}}\n")
    behind = {v: sum(part for w, part in share.items() if _ancestor(w, v)) for v in range(vessels)}
    return text.replace("periodic_tolerance: 0.1", "periodic_tolerance: 0.01"), {
        name: 80e-6 * behind[v] for v, name in enumerate(tree.vessels)}


def test_a_large_network_is_solved_by_branches_and_told_in_the_order_of_its_file(tmp_path: Path) -> None:
    """By name and by row alike: vessels.csv, cycle.nc, history.nc, network.vtp and the summary."""
    text, flow = uneven(SMALL)
    loaded, expected = loads(text), np.array(list(flow.values()))
    names = list(flow)
    solved = build_tree(loaded.model.arteries, loaded.model.run.numerics)
    assert list(solved.vessels) != names
    write_into(run_scenario(loaded, pictures=False), tmp_path)
    with (tmp_path / "vessels.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [row["vessel"] for row in table] == names
    rate = [float(value) for row in table for key, value in row.items() if key.startswith("mean_flow_rate")]
    np.testing.assert_allclose(np.array(rate) / rate[0], expected / expected[0], rtol=0.02)
    cycle, places = netcdf.read(tmp_path / "cycle.nc")
    assert list(places["vessel"]) == names
    np.testing.assert_allclose(cycle["flow_rate"].values[:-1, :, 1].mean(axis=0), expected, rtol=0.02)
    history, places = netcdf.read(tmp_path / "history.nc")
    assert list(places["terminal"]) == [node for node in loaded.model.arteries.network.nodes if node in solved.outlets]
    of_terminal = [flow[solved.terminal_vessel(str(node))] for node in places["terminal"]]
    np.testing.assert_allclose(history["terminal_flow_rate"].values[-1], of_terminal, rtol=0.02)
    drawn = read_network(tmp_path / "network.vtp")
    assert list(drawn.vessel_names) == names
    assert [int(drawn.vessel[drawn.line(line)[0]]) for line in range(drawn.n_lines)] == list(range(SMALL))
    at_line = [float(drawn.flow_rate[drawn.line(line)[0]]) for line in range(drawn.n_lines)]
    np.testing.assert_allclose(at_line, expected, rtol=0.02)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [*summary["arteries"]] == names
    assert [*summary["off_target"]] == [name for name in names if name in solved.off_target]
    assert len(summary["off_target"]) == 3


def _ancestor(vessel: int, above: int) -> bool:
    while vessel > above:
        vessel = (vessel - 1) // 2
    return vessel == above


def test_no_vessel_asks_for_the_whole_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash of a tree goes through all of it: it is asked for as often whatever the number of vessels."""
    asked: list[int] = []
    plain = Tree.digest

    def counted(tree: Tree) -> str:
        asked.append(len(tree.vessels))
        return plain(tree)

    monkeypatch.setattr(Tree, "digest", counted)
    for size in (SMALL, LARGE):
        run(size)
    assert asked.count(LARGE) == asked.count(SMALL) < 30


def test_writing_calls_in_proportion_to_the_vessels(runs: dict[int, Results], tmp_path: Path) -> None:
    def written(size: int) -> None:
        (tmp_path / str(size)).mkdir(exist_ok=True)
        write_into(runs[size], tmp_path / str(size))
        page.write(runs[size], tmp_path / str(size))

    written(SMALL)
    one, more = (calls(written, size) for size in (SMALL, LARGE))
    assert more < 1.15 * one * LARGE / SMALL


def test_memory_of_figures_and_pictures_follows_the_vessels(tmp_path: Path) -> None:
    """The peak of a whole run, its fields included."""
    peaks = []
    for size in (SMALL, LARGE):
        given = loads(scenario(size))
        tracemalloc.start()
        run_scenario(given, pictures=False)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.15 * peaks[0] * LARGE / SMALL


def test_drawing_processes_are_handed_what_they_draw(runs: dict[int, Results]) -> None:
    """The pulse of six vessels, whatever their number; and the same figure comes of it."""
    small, large = (len(pickle.dumps(handed.to_figures(runs[size]).cycle_series)) for size in (SMALL, LARGE))
    assert small == large
    whole, part = runs[LARGE], handed.to_figures(runs[LARGE])
    names = [whole.cycle_coords["vessel"][index] for index in handed.busiest(whole)]
    assert [part.cycle_coords["vessel"][index] for index in handed.busiest(part)] == names
    chosen = part.cycle_series["flow_rate"].values[:, handed.busiest(part)]
    assert np.array_equal(chosen, whole.cycle_series["flow_rate"].values[:, handed.busiest(whole)])
    assert not handed.to_scene(whole).cycle_series
    assert handed.to_scene(whole).network is whole.network


def hairy(lines: int) -> Network:
    """Straight arteries of three points side by side, the widest last."""
    points = np.array([[0.01 * i, 0.0, 0.01 * k] for i in range(lines) for k in range(3)])
    ones = np.ones(len(points))
    return Network(
        points, np.arange(len(points), dtype=np.int32), np.arange(0, len(points) + 1, 3, dtype=np.int32),
        np.full(len(points), 2, np.int32), np.repeat(np.arange(lines, dtype=np.int32), 3),
        tuple(f"v{i}" for i in range(lines)), np.repeat(1e-4 * (1.0 + np.arange(lines)), 3), 1e-6 * ones, 1e4 * ones,
        0.0 * ones,
    )  # fmt: skip


def test_only_the_widest_of_very_many_arteries_are_tubes() -> None:
    tree = hairy(detail.TUBES + 500)
    tubes = detail.as_tubes(tree)
    assert tubes.sum() == detail.TUBES
    assert np.all(np.flatnonzero(tubes) >= 500)
    pack_ = pack.Pack(np.array([-0.1, -0.1, -0.1]), 1e-3, {"labels": []})
    pack._add_network(pack_, tree)
    assert len(pack_.header["network"]["curves"]) == detail.TUBES
    assert len(pack_.arrays["fine_lines"]) == 2 * 2 * 500  # two pieces each, two ends each
    ends = pack_.arrays["fine_lines"].reshape(-1, 2)
    points = pack_.arrays["fine_points"].reshape(-1, 3)
    assert np.all(points[ends[:, 0], 0] == points[ends[:, 1], 0])  # no piece leads from one artery to the next
    assert np.all(detail.as_tubes(hairy(20)))


def test_hairs_are_drawn_in_the_still_picture() -> None:
    pytest.importorskip("pyvista")
    curves = scene.curves(hairy(detail.TUBES + 500), (2,), "overview")
    assert curves.n_lines == detail.TUBES


def _crosses(a: Any, b: Any, c: Any, d: Any) -> bool:
    """Whether the open pieces a-b and c-d of the plane cut each other."""

    def side(p: Any, q: Any, r: Any) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, b, c) * side(a, b, d) < 0.0 and side(c, d, a) * side(c, d, b) < 0.0


@pytest.mark.parametrize("seed", range(6))
def test_a_tree_without_places_is_a_fan_that_keeps_lengths(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 40
    links = [(int(rng.integers(0, v + 1)), v + 1) if v else (0, 1) for v in range(count)]
    ones, lengths = np.ones(count), rng.uniform(0.01, 0.03, count)
    leaves = {end for _, end in links} - {start for start, _ in links}
    tree = network(links, lengths, 1e-3 * ones, 8.0 * ones, pulsating(1e-6), {f"n{leaf}": CLOSED for leaf in leaves})
    places = fan(tree)
    reach = np.zeros(count + 1)
    for (start, end), length in zip(links, lengths, strict=True):
        reach[end] = reach[start] + length
    assert np.allclose(np.linalg.norm(places, axis=1), reach)
    assert np.all(places[:, 1] == 0.0)
    flat = places[:, [0, 2]]
    apart = [pair for pair in combinations(links, 2) if not set(pair[0]) & set(pair[1])]
    assert not any(_crosses(flat[a], flat[b], flat[c], flat[d]) for (a, b), (c, d) in apart)  # in disorder: hundreds
    assert len(np.unique(np.round(places, 9), axis=0)) == count + 1


def test_loops_are_laid_out_too() -> None:
    ones = np.ones(5)
    ring = [(0, 1), (1, 2), (1, 3), (2, 4), (3, 4)]
    tree = network(ring, 0.02 * ones, 1e-3 * ones, 8.0 * ones, pulsating(1e-6), {"n4": CLOSED})
    places = fan(tree)
    assert np.all(np.isfinite(places))
    assert len(np.unique(np.round(places, 9), axis=0)) == 5


def test_a_diagram_says_that_it_is_one(runs: dict[int, Results], tmp_path: Path) -> None:
    drawn = runs[SMALL].network
    assert drawn is not None
    assert drawn.diagram
    assert np.ptp(drawn.points[:, 2]) > 0.1
    write_network(tmp_path / "network.vtp", drawn)
    again = read_network(tmp_path / "network.vtp")
    assert again is not None
    assert again.diagram
    assert "The arteries, as a diagram" in page.render(runs[SMALL], tmp_path)


def test_the_stages_after_the_run_are_timed_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    results = run_scenario(loads(scenario(5)), pictures=False, progress=lambda stage, share: told.append(stage))
    stages = list(dict.fromkeys(told))
    assert stages[:2] == ["arteries, heart beat 1", "arteries, heart beat 2"]
    assert stages[-3:] == ["arteries", "run", "results"]
    assert results.summary["timing"]["results_s"] > 0.0
    # Best of some: other work on the machine may come between two stages.
    again = (run_scenario(loads(scenario(5)), pictures=False).summary["timing"] for _ in range(20))
    assert any(sum(v for key, v in timing.items() if key != "total_s") > 0.9 * timing["total_s"] for timing in again)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_long_heart_beat_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch, threads: str) -> None:
    """Within the beat, not at its start alone; and what is heard changes nothing."""
    monkeypatch.setenv("HAIFLOW_THREADS", threads)
    monkeypatch.setattr(pulsatile, "CELLS_PER_THREAD", 100)
    monkeypatch.setattr(pulsatile, "PIECE", 10_000)
    monkeypatch.setattr(pulsatile, "TOLD_PIECE", 10_000)
    tree = murray_tree(SMALL, pulsating(80e-6, 1.0), total_length=0.06 * SMALL)
    grid = make_grid(tree, 0.01)
    told: list[tuple[int, float]] = []
    heard = periodic(tree, tolerance=0.1, grid=grid, told=lambda beat, share: told.append((beat, share)))
    for beat in range(1, heard.cycles + 1):
        shares = [share for number, share in told if number == beat]
        assert len(shares) > 10
        assert shares[0] == 0.0
        assert shares[-1] == 1.0
        assert max(np.diff(shares)) < 0.2
    monkeypatch.undo()
    alone = periodic(tree, tolerance=0.1, grid=grid)
    np.testing.assert_array_equal(heard.pressure, alone.pressure)
    np.testing.assert_array_equal(heard.flow_rate, alone.flow_rate)


def test_a_run_tells_the_share_of_each_heart_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulsatile, "PIECE", 1_000)
    monkeypatch.setattr(pulsatile, "TOLD_PIECE", 1_000)
    told: list[tuple[str, float]] = []
    run_scenario(loads(scenario(5)), pictures=False, progress=lambda *how_far: told.append(how_far))
    shares = [share for stage, share in told if stage == "arteries, heart beat 1"]
    assert len(shares) > 5
    assert shares == sorted(shares)


def test_a_new_stage_is_told_at_once_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    heard, clock = io.StringIO(), iter([0.0, 2.0, 2.5, 2.6, 9.0])
    monkeypatch.setattr("haiflow.cli_run.time.perf_counter", lambda: next(clock))
    monkeypatch.setattr(click, "echo", lambda line, **given: heard.write(line + "\n"))
    progress = Progress("case", quiet=False)
    progress.terminal = False
    for stage, share in (("run", 0.5), ("run", 0.6), ("results", 0.0), ("results", 0.1)):
        progress(stage, share)
    assert [line.split(": ")[1] for line in heard.getvalue().splitlines()] == [
        "run 50 %, 2 s", "results 0 %, 3 s", "results 10 %, 9 s",
    ]  # fmt: skip


def test_a_large_balance_is_solved_as_a_sparse_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same steps, losses and steady state from sparse factors as from dense ones."""
    rng = np.random.default_rng(3)
    n = 60
    pairs = [(int(rng.integers(0, k)), k) for k in range(1, n)]
    rate = np.zeros((n, n))
    for (a, b), flow in zip(pairs, rng.uniform(0.5, 2.0, n - 1), strict=True):
        rate[a, a] -= flow
        rate[b, a] += flow
        rate[b, b] -= 0.1 * flow
        rate[a, b] += 0.1 * flow
    rate[-1, -1] -= 1.0
    outlet = np.zeros((1, n))
    outlet[0, -1] = 1.0
    gain = np.zeros((n, 1))
    gain[0, 0] = 1.0
    names = tuple(f"c{k}" for k in range(n))
    balance = LinearTransport(
        names=names, volume=rng.uniform(1.0, 3.0, n), rate=csr_array(rate), inlets=("in",), gain=csr_array(gain),
        outlets=("out",), outlet=csr_array(outlet), loss=np.zeros(n),
    )  # fmt: skip
    found = []
    for most in (n, n - 1):
        monkeypatch.setattr(implicit, "DENSE", most)
        monkeypatch.setattr(joint, "DENSE", most)
        system = JointSystem({"arteries": balance}).with_loss({"arteries.c5": 0.3})
        assert isinstance(system._cache.rate, np.ndarray) == (most == n)
        step = system.advance(np.ones(n), 0.7, {"arteries.in": 2.0})
        error = system.estimate_error(np.ones(n), 0.7, step, {"arteries.in": 2.0})
        steady = system.steady({"arteries.in": 2.0})
        found.append(np.concatenate([step.c_new, step.exposure, step.outflow, step.lost, [error], steady]))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-10)
    monkeypatch.setattr(implicit, "DENSE", 1)
    with pytest.raises(ValueError, match="singular balance"):
        implicit.FactorCache(np.zeros(n), csr_array((n, n))).factors(1.0)
