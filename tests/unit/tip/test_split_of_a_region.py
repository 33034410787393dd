"""One region, its case and its answer, no scenario: what leaves where, beats and frames, whose split is taken."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import active_count

import numpy as np
import pytest

from haiflow.junction.beat import Beat
from haiflow.junction.case import Case
from haiflow.junction.streaming import Streaming, Work, solve
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
        beat = Beat(work.drug, mesh.dual.volume, case.density, 12)
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
    beat = Beat(work.drug, mesh.dual.volume, case.density, steps)
    beat.run(work.flow, state, work.drug.steady(state.flux, state.boundary_flux)[0], lambda _: None)
    times, step = np.array([frame.time for frame in beat.frames]), case.period / steps
    assert work.n_steps == steps
    assert len(times) == 24
    assert times[-1] == pytest.approx(case.period, rel=1e-12)
    assert np.abs(np.diff(times, prepend=0.0) - case.period / 24).max() <= step
    # What stands at a time is the flow of that time: the inlet's, as it was given.
    inlet = np.unique(mesh.triangles("inlet"))
    fastest = [np.linalg.norm(frame.velocity[inlet], axis=1).max() for frame in beat.frames]
    assert times[np.argmax(fastest)] == pytest.approx(0.25 * case.period, abs=0.1 * case.period)


def answer(tracers, straight=None, held=0.0, branches=("a", "b"), mixed=0.1):
    """The scalar's share by the first branch is 0.8; ``mixed``: of the infusate in the blood."""
    mesh, nothing = duct(("a", "b"), fine=2), np.zeros(0)
    parts = 0.8, tracers, tracers if straight is None else straight
    one, two, three = (np.array([[share, 1.0 - share]]) for share in parts)
    return Streaming(mesh, ("hole:tip",), branches, one, two, three, np.array([held]), one[0], nothing, nothing,
                     nothing, (), nothing, nothing.astype(np.int32), {"mixed_share": mixed})  # fmt: skip


@pytest.mark.parametrize(("held", "by"), [(0.0, "tracers"), (0.09, "tracers"), (0.11, "scalar")])
def test_the_tree_takes_the_tracers_split_unless_many_are_still_inside(held, by):
    assert tip_room.taken(answer(0.9, held=held)) == by


@pytest.mark.parametrize(
    ("tracers", "straight", "held", "by", "doubt"),
    [
        (0.85, 0.82, 0.0, "tracers", 0.06), (0.85, 1.0, 0.0, "tracers", 0.3), (0.85, 0.82, 0.09, "tracers", 0.09),
        (0.85, 0.85, 0.0, "tracers", 0.0), (0.95, 0.95, 0.12, "scalar", 0.15), (0.85, 0.85, 0.2, "scalar", 0.2),
        (0.85, 0.1, 0.0, "tracers", 1.0),
    ],
)  # fmt: skip
def test_doubt_is_what_straying_or_what_is_inside_makes_of_the_split(tracers, straight, held, by, doubt):
    resolved = tip_room.ResolvedTip(None, answer(tracers, straight, held), np.ones(1), by)
    assert resolved.doubt == pytest.approx(doubt)
    assert resolved.disagreement == pytest.approx(tracers - 0.8)


@pytest.mark.parametrize(("tracers", "straight", "doubt"), [(0.6, 0.55, 0.4), (0.97, 1.0, 0.06), (0.4, 0.0, 0.8)])
def test_a_thin_thread_that_parts_may_go_one_way_as_a_whole(tracers, straight, doubt):
    thin, wide = (
        tip_room.ResolvedTip(None, answer(tracers, straight, mixed=share), np.ones(1), "tracers").doubt
        for share in (1e-5, 0.1)
    )
    assert thin == pytest.approx(doubt)
    assert wide == pytest.approx(2.0 * abs(tracers - straight))


def test_what_goes_back_by_the_inlet_is_out_of_the_split_and_the_doubt():
    """One branch and the inlet: all that goes on goes by the branch, whatever the scalar lets out upstream."""
    resolved = tip_room.ResolvedTip(None, answer(1.0, branches=("a", "inlet")), np.ones(1), "tracers")
    assert resolved.split.tolist() == [[1.0]]
    assert resolved.disagreement == 0.0
    assert resolved.upstream == pytest.approx(0.2)


def test_drug_that_the_blood_drives_back_in_part_of_a_beat_goes_on_in_the_next():
    """By the inlet tracers turn round; none is lost there, and all leave by the branches."""
    mesh, flow = duct(("a", "b"), fine=6), 3e-6
    wave = flow * (1.0 + 2.0 * np.sin(2.0 * np.pi * np.arange(32) / 32))
    case = Case(wave, {"a": 0.7 * wave, "b": 0.3 * wave}, {"hole:tip": 1e-3 * flow}, period=0.8, region=mesh)
    found = solve(case)
    assert case.refluxes
    assert found.branches[-1] == "inlet"
    assert found.held[0] <= 0.01
    assert found.by_tracers[0, -1] == 0.0
    assert found.by_tracers[0].sum() == pytest.approx(1.0, abs=1e-12)
