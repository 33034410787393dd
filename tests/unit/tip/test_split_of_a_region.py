"""One region, its case and its answer, no scenario: what leaves where, beats and frames, whose split is taken."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import active_count

import numpy as np
import pytest

from haiflow.errors import SolverStopped
from haiflow.junction.beat import Beat
from haiflow.junction.case import Case
from haiflow.junction.releases import hand_over, rim
from haiflow.junction.streaming import Streaming, Work, mean_carried, solve
from haiflow.junction.streaming import shares as sums_to_one
from haiflow.numerics.team import Inline, beside
from haiflow.simulation import tip as tip_room
from haiflow.verify.shapes import duct


def test_where_all_blood_is_infusate_it_leaves_and_stays_as_the_blood_does():
    plain, flow = duct(("a", "b"), fine=6), 3e-6
    swapped = {"inlet": "hole:tip", "hole:tip": "inlet"}  # nearly all comes in by what is now the hole
    mesh = replace(plain, names=tuple(swapped.get(name, name) for name in plain.names))
    middle, radius = (0.0, 1.5e-3, 1.5e-3), 3.5e-3
    shares = {"a": np.array([0.7 * flow]), "b": np.array([0.3 * flow])}
    case = Case(np.array([(1.0 + 1e-6) * flow]), shares, {"hole:tip": flow}, region=mesh, near=(middle, radius))
    found = solve(case)
    assert not case.slow
    assert np.allclose(found.flow_split, [0.7, 0.3], atol=1e-4)
    assert np.allclose(found.split[0], [0.7, 0.3], atol=2e-3)
    assert np.allclose(found.by_tracers[0], [0.7, 0.3], atol=0.04)
    near = np.linalg.norm(mesh.points - middle, axis=1) < radius
    near[mesh.on("hole:tip")] = True  # where the drug comes in belongs to the tip's surroundings
    held = mesh.dual.volume[near].sum()
    assert found.residence[0] == pytest.approx(held / flow, rel=0.01)


def test_drug_beside_the_flow_is_drug_after_the_flow():
    mesh, flow_rate = duct(("a", "b"), fine=6), 3e-6
    wave = flow_rate * (1.0 + 0.5 * np.sin(2.0 * np.pi * np.arange(32) / 32))
    shares = {"a": 0.7 * wave, "b": 0.3 * wave}
    case = Case(wave, shares, {"hole:tip": 1e-3 * flow_rate}, period=0.8, region=mesh)
    found = []
    threads = []
    for count in (2, 1):
        work = Work(case, mesh)
        state = work.settle()
        c, _ = work.drug.steady(state.flux, state.boundary_flux)
        beat = Beat(work.drug, mesh.dual.volume, work.rim, case.density, 12, work.at_once)
        beat.run(work.flow, state, c, lambda _: threads.append(active_count()), threads=count)
        found.append((c, beat.leaving, beat.stay, beat.shear.mean, beat.frames[-1].drug))
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)
    assert max(threads[:12]) == max(threads[12:]) + 1


def test_a_beat_keeps_to_the_threads_that_are_allowed(monkeypatch):
    for wish, kind in (("1", Inline), ("2", ThreadPoolExecutor)):
        monkeypatch.setenv("HAIFLOW_THREADS", wish)
        assert type(beside("drug")) is kind
    with pytest.raises(ZeroDivisionError):
        Inline().submit(lambda: 1 / 0)


def test_frames_lie_evenly_over_the_beat_and_the_last_at_its_end():
    mesh, flow_rate, steps = duct(("a", "b"), fine=6), 3e-6, 310
    wave = flow_rate * (1.0 + 0.5 * np.sin(2.0 * np.pi * np.arange(32) / 32))
    case = Case(wave, {"a": 0.7 * wave, "b": 0.3 * wave}, {"hole:tip": 1e-3 * flow_rate}, period=0.8, region=mesh,
                steps=steps)  # fmt: skip
    work = Work(case, mesh)
    state = work.settle()
    beat = Beat(work.drug, mesh.dual.volume, work.rim, case.density, steps, work.at_once)
    beat.run(work.flow, state, work.drug.steady(state.flux, state.boundary_flux)[0], lambda _: None)
    times, step = np.array([frame.time for frame in beat.frames]), case.period / steps
    assert work.n_steps == steps
    assert len(times) == len(beat.carried) == 24
    assert times[-1] == pytest.approx(case.period, rel=1e-12)
    assert np.abs(np.diff(times, prepend=0.0) - case.period / 24).max() <= step
    # What stands at a time is the flow of that time: the inlet's, as it was given.
    inlet = np.unique(mesh.triangles("inlet"))
    fastest = [np.linalg.norm(frame.velocity[inlet], axis=1).max() for frame in beat.frames]
    assert times[np.argmax(fastest)] == pytest.approx(0.25 * case.period, abs=0.1 * case.period)


@pytest.mark.parametrize(
    ("held", "tracers", "branches", "by"),
    [
        (0.05, 0.8, ("a", "b"), "tracers"), (0.05, 0.95, ("a", "b"), "tracers"),
        (0.15, 0.85, ("a", "b"), "scalar"), (0.15, 0.97, ("a", "b"), "tracers"),  # scalar: 0.8
        (0.3, 0.2, ("a", "b"), "scalar"), (0.05, 0.8, ("a", "inlet"), "scalar"),
    ],
)  # fmt: skip
def test_the_tree_takes_the_split_with_the_smaller_doubt(held, tracers, branches, by):
    mesh, nothing = duct(("a", "b"), fine=2), np.zeros(0)
    both = [np.array([[share, 1.0 - share]]) for share in (0.8, tracers)]
    answer = Streaming(mesh, ("hole:tip",), branches, *both, np.array([held]), both[1], np.zeros(1), both[0][0],
                       nothing, nothing, nothing, (), nothing, nothing.astype(np.int32))  # fmt: skip
    assert tip_room.taken(answer) == by


def test_a_holes_tracers_are_not_trusted_for_what_another_hole_shows():
    mesh, nothing = duct(("a", "b"), fine=2), np.zeros(0)
    split, by_tracers = np.array([[0.8, 0.2], [0.8, 0.2]]), np.array([[0.8, 0.2], [0.3, 0.7]])
    answer = Streaming(mesh, ("one", "two"), ("a", "b"), split, by_tracers, np.array([0.24, 0.05]), by_tracers,
                       np.array([0.0, 0.9]), split[0], nothing, nothing, nothing, (), nothing,
                       nothing.astype(np.int32))  # fmt: skip
    assert tip_room.taken(answer) == "scalar"
    assert tip_room.taken(replace(answer, held=np.array([0.05, 0.24]))) == "tracers"


@pytest.mark.parametrize(
    ("from_hole", "behind", "doubt"), [(0.82, 0.0, 0.05), (1.0, 0.0, 0.15), (1.0, 0.8, 0.05), (0.55, 0.2, 0.24)]
)
def test_the_doubt_is_the_largest_of_three_ways(from_hole, behind, doubt):
    """Of tracers from the hole the part counts that leaves."""
    mesh, nothing = duct(("a", "b"), fine=2), np.zeros(0)
    split, by_tracers, unmixed = (np.array([[share, 1.0 - share]]) for share in (0.8, 0.85, from_hole))
    answer = Streaming(mesh, ("hole:tip",), ("a", "b"), split, by_tracers, np.zeros(1), unmixed, np.array([behind]),
                       split[0], nothing, nothing, nothing, (), nothing, nothing.astype(np.int32))  # fmt: skip
    resolved = tip_room.ResolvedTip(None, answer, np.ones(1), "tracers")
    assert resolved.disagreement == pytest.approx(doubt)


def test_a_hole_that_lets_nothing_out_at_any_release_has_all_its_tracers_inside():
    mesh = duct(("a", "b"), fine=6)
    edges = rim(mesh, mesh.points[:, 1] > np.median(mesh.points[:, 1]))
    carried = np.zeros((len(edges), 2))
    carried[:, 0] = 1.0
    still = np.zeros((len(mesh.points), 3))
    sent = hand_over(mesh, mesh.points[:, 1] > np.median(mesh.points[:, 1]), edges, carried, still, 50)
    sent.left_by[:] = mesh.names.index("a")
    found = sums_to_one(mean_carried([sent], 2, ("a", "b")), np.zeros((2, 2)))
    assert np.array_equal(found, [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def test_surroundings_that_hold_the_whole_mesh_are_refused_before_the_flow():
    mesh, flow = duct(("a", "b"), fine=6), 3e-6
    case = Case(np.array([flow]), {"a": np.array([flow / 2]), "b": np.array([flow / 2])}, {"hole:tip": 1e-3 * flow},
                region=mesh, near=(mesh.points.mean(axis=0), 1.0))  # fmt: skip
    with pytest.raises(SolverStopped, match="hold the whole mesh"):
        Work(case, mesh)
