"""``tip: {resolve: 3d}`` from the scenario to files and back, on a mesh of one's own (no mesher needed)."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import active_count

import numpy as np
import pytest

import haiflow
from haiflow.errors import InputError, SolverStopped
from haiflow.junction.beat import Beat
from haiflow.junction.case import Case
from haiflow.junction.releases import hand_over, rim
from haiflow.junction.streaming import Streaming, Work, mean_carried, solve
from haiflow.junction.streaming import shares as sums_to_one
from haiflow.mesh.patches import read_region, write_region
from haiflow.numerics.team import Inline, beside
from haiflow.report.junction_scene import draw, frame, when
from haiflow.results import junction
from haiflow.scenario.plan import plan
from haiflow.simulation import tip as tip_room
from haiflow.simulation.assemble import assemble
from haiflow.verify.shapes import duct

SCENARIO = """
haiflow: 1
name: Tip in 3D
pump: {{model: intera-3000, fill: {{drug: floxuridine, dose: 0.12 mg/kg/day, volume: 30 mL, infusate: heparin-saline}}}}
catheter:
  model: intera-straight
  outer_diameter: 1.2 mm
  tip: {{vessel: proper_hepatic_distal, position: 8 mm, resolve: 3d, flow: {flow}, steps: 60, mesh: {mesh}}}
arteries:
  anatomy: michels-1
  ligated: [gastroduodenal, right_gastric]
  inflow: {{vessel: common_hepatic, mean: 300 mL/min, waveform: hepatic-artery, heart_rate: 70 /min}}
liver: {{model: standard}}
run: {{clock: {clock}, duration: {duration}, output_every: {every}}}
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HAIFLOW_CACHE", str(tmp_path / "cache"))


def scenario(tmp_path, clock="therapy", flow="steady", branches=("right_hepatic", "left_hepatic"), **hole):
    write_region(tmp_path / "duct.msh", duct(branches, **hole))
    every, duration = ("6 h", "1 d") if clock == "therapy" else ("1 s", "3 s")
    text = SCENARIO.format(flow=flow, mesh="duct.msh", clock=clock, duration=duration, every=every)
    (tmp_path / "tip.yaml").write_text(text)
    return haiflow.load(tmp_path / "tip.yaml")


def shares(results):
    return results.summary["split"][0]["fractions"]


def drug_in(results, vessel):
    """(n,) kg/m3 along a vessel of the scene, from its start."""
    network = results.network
    index = network.vessel_names.index(vessel)
    return network.concentration[(network.part == 2) & (network.vessel == index)]


def test_a_tip_off_the_middle_sends_its_drug_to_its_side(tmp_path):
    results = haiflow.run(scenario(tmp_path, hole_at=(-0.3, 0.25)))
    row = results.summary["split"][0]
    assert row["source"] == "3d"
    assert row["hole"] == "tip"
    assert shares(results)["right_hepatic"] > 0.9  # the hole lies on that side
    # The region's blood parts as the tree's does.
    arteries = results.summary["arteries"]
    flows = {name: arteries[name]["mean_flow_rate_m3_per_s"] for name in shares(results)}
    assert row["blood"]["right_hepatic"] == pytest.approx(flows["right_hepatic"] / sum(flows.values()), abs=2e-4)
    assert row["distance_from_mixing"] > 0.25
    unmixed = row["by_tracers_from_hole"]
    assert sum(unmixed.values()) == pytest.approx(1.0, abs=1e-12)
    assert unmixed["right_hepatic"] > 0.9
    assert 0.0 <= row["turns_behind_tip"] < 0.5
    assert results.summary["ledger"]["drug"]["relative_imbalance"] < 1e-10
    assert results.summary["junction"]["divergence"] < 1e-8
    assert results.summary["junction"]["drug_balance"] < 1e-3
    # Shear and pressure in Pa, of the size that friction in a duct of 3 mm at some 0.4 m/s has.
    field = results.junction
    walls = np.unique(field.wall[field.patch == field.names.index("vessel")])
    assert 1.0 < field.point_data["wall_shear_pa"][walls].mean() < 15.0
    ends = {name: np.unique(field.wall[field.patch == field.names.index(name)]) for name in ("inlet", *field.branches)}
    assert 20.0 < np.ptp([field.point_data["pressure_pa"][points].mean() for points in ends.values()]) < 500.0
    # What the region says is what the tree does: by mass, at first pass.
    carried = {name: results.summary["arteries"][name]["drug_carried_kg"] for name in shares(results)}
    assert carried["right_hepatic"] / sum(carried.values()) == pytest.approx(shares(results)["right_hepatic"], abs=1e-3)
    # It has come by the tip's own vessel, from the tip on.
    way = results.summary["arteries"]["proper_hepatic_distal"]["drug_carried_kg"]
    assert way == pytest.approx(sum(carried.values()), rel=1e-12)
    assert results.summary["arteries"]["proper_hepatic"]["drug_carried_kg"] == 0.0
    shown = {part: drug_in(results, part) for part in ("proper_hepatic_distal", "right_hepatic", "left_hepatic")}
    flow = arteries["proper_hepatic_distal"]["mean_flow_rate_m3_per_s"]
    mixed = sum(flows[name] * shown[name][-1] for name in flows) / flow
    assert shown["proper_hepatic_distal"][-1] == pytest.approx(mixed, rel=0.02)
    assert shown["proper_hepatic_distal"][0] < 0.1 * mixed


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


def test_holes_share_what_the_pump_gives(tmp_path):
    (tmp_path / "holes.yaml").write_text(
        SCENARIO.format(flow="steady", mesh="none", clock="therapy", duration="1 d", every="6 h")
        .replace("resolve: 3d, flow: steady, steps: 60, mesh: none", "resolve: mixed")
        .replace("outer_diameter: 1.2 mm", "side_holes: [{from_tip: 1 mm, diameter: 0.3 mm, count: 2}]")
        .replace("position: 8 mm", "position: 8 mm, closed_end: true")
        .replace("proper_hepatic_distal", "common_hepatic")
    )
    parts = assemble(haiflow.load(tmp_path / "holes.yaml").model)
    rates = tip_room.hole_rates(parts.line, 1e-11, 12e3, 7e-4, 1004.0)
    assert set(rates) == {"hole:side_hole_1", "hole:side_hole_2"}
    assert sum(rates.values()) == pytest.approx(1e-11, rel=1e-9)
    assert rates["hole:side_hole_1"] == pytest.approx(rates["hole:side_hole_2"], rel=1e-3)


def test_a_mesh_whose_openings_lost_triangles_is_refused(tmp_path):
    whole = duct(("right_hepatic", "left_hepatic"))
    write_region(tmp_path / "torn.msh", replace(whole, wall=whole.wall[60:], patch=whole.patch[60:]))
    with pytest.raises(InputError, match="60 of 1296 boundary triangles"):
        read_region(tmp_path / "torn.msh", "catheter.tip.mesh")


def test_both_clocks_take_the_split(tmp_path):
    results = haiflow.run(scenario(tmp_path, clock="pulse", hole_at=(0.3, 0.25)))
    assert shares(results)["left_hepatic"] > 0.9
    assert results.summary["split"][0]["source"] == "3d"
    way = results.summary["arteries"]["proper_hepatic_distal"]["drug_carried_kg"]
    beyond = [results.summary["arteries"][name]["drug_carried_kg"] for name in shares(results)]
    assert way == pytest.approx(sum(beyond), rel=1e-9)
    assert way > 0.0
    assert drug_in(results, "proper_hepatic_distal")[-1] > 2.0 * drug_in(results, "proper_hepatic_distal")[0]


def test_pulsatile_flow_repeats_itself_and_has_frames(tmp_path):
    results = haiflow.run(scenario(tmp_path, flow="pulsatile", hole_at=(-0.3, 0.25)))
    assert shares(results)["right_hepatic"] > 0.85
    assert results.summary["junction"]["cycles"] >= 2
    assert results.summary["junction"]["change_of_split"] < 5e-3
    flows = {name: results.summary["arteries"][name]["mean_flow_rate_m3_per_s"] for name in shares(results)}
    blood = results.summary["split"][0]["blood"]
    assert blood["right_hepatic"] == pytest.approx(flows["right_hepatic"] / sum(flows.values()), abs=2e-3)
    assert len(results.junction.times) > 10
    assert when(results.junction, "mean over") == "mean over a beat of 0.86 s"
    junction.write(tmp_path, results.junction)  # what is drawn from the files says so, too
    assert when(junction.read(tmp_path), "mean over") == "mean over a beat of 0.86 s"
    assert 0.0 <= results.summary["junction"]["drug_balance"] < 0.02


def test_a_solved_tip_is_found_again_at_another_rate_of_the_pump(tmp_path, monkeypatch):
    given = scenario(tmp_path)
    first = haiflow.run(given)

    def fail(*_):
        raise AssertionError("solved again")

    monkeypatch.setattr(tip_room, "solve", fail)
    again = haiflow.load(tmp_path / "tip.yaml", set={"pump.nominal_rate": "2.6 mL/day"})
    assert shares(haiflow.run(again)) == shares(first)
    for file in (tmp_path / "cache" / "junction").iterdir():  # a file that was cut short is as good as none
        file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(AssertionError, match="solved again"):
        haiflow.run(given)
    wider = haiflow.load(tmp_path / "tip.yaml", set={"arteries.inflow.mean": "350 mL/min"})
    with pytest.raises(AssertionError, match="solved again"):
        haiflow.run(wider)


def test_files_are_read_back(tmp_path):
    results = haiflow.run(scenario(tmp_path))
    results.save(tmp_path / "out")
    for name in ("junction.vtu", "tracers.vtp"):
        assert (tmp_path / "out" / name).stat().st_size > 1000
    back = junction.read(tmp_path / "out")
    known = results.junction
    assert np.allclose(back.points, known.points)
    assert np.array_equal(back.wall, known.wall)
    assert back.names == known.names
    assert back.branches == known.branches
    assert np.allclose(back.point_data["velocity_m_per_s"], known.point_data["velocity_m_per_s"])
    assert np.array_equal(back.trail_branch, known.trail_branch[(~np.isnan(known.trails[:, :, 0])).sum(axis=1) > 1])
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["solver"]["junction"]["unknowns"] == 4 * len(known.points)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "The tip in 3D" in page
    assert "The region round the tip" in page
    import meshio

    outer = meshio.read(tmp_path / "out" / "junction.vtu")
    assert {block.type for block in outer.cells} == {"tetra", "triangle"}
    assert when(back, "mean over") == "in steady blood of the beat's mean flow"


def test_pictures_show_a_mesh_in_any_frame_with_the_blood_from_left_to_right(tmp_path):
    """A duct along -y that parts to both sides of x, as it is and turned: the same frame of its own."""
    pyvista, image_of = pytest.importorskip("pyvista"), pytest.importorskip("matplotlib.image").imread
    field = haiflow.run(scenario(tmp_path)).junction
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    for turned in (np.eye(3), turn):
        up, towards, along = frame(replace(field, points=field.points @ turned + 0.1)) @ turned.T
        assert np.allclose(along, [0.0, -1.0, 0.0])
        assert np.allclose(up, [-1.0, 0.0, 0.0])  # to right_hepatic, the first branch
        assert np.allclose(towards, np.cross(along, up))
    draw(field, tmp_path, plotter := pyvista.Plotter(off_screen=True))
    plotter.close()
    for name in ("junction_thread.png", "junction_shear.png"):
        pixels = image_of(tmp_path / name)[100:560, :, :3]  # between title and legend
        drawn = np.abs(pixels - pixels[0, 0]).max(axis=2) > 0.05
        assert drawn.any(axis=0).mean() > 0.15  # arms run up and down, the duct across: 3 of 21 widths, were it end on
        assert drawn.any(axis=1).mean() > 0.9


def test_after_dislodgement_the_drug_mixes(tmp_path):
    given = scenario(tmp_path, hole_at=(-0.3, 0.25))
    text = (tmp_path / "tip.yaml").read_text()
    fault = "faults: [{kind: dislodgement, to: {vessel: common_hepatic, position: 10 mm}, onset: 12 h}]\n"
    (tmp_path / "moved.yaml").write_text(text + fault)
    still, moved = haiflow.run(given), haiflow.run(haiflow.load(tmp_path / "moved.yaml"))

    def right(results):
        carried = [results.summary["arteries"][name]["drug_carried_kg"] for name in ("right_hepatic", "left_hepatic")]
        return carried[0] / sum(carried)

    assert right(moved) < right(still) - 0.05
    assert any("dislodged" in note for note in moved.provenance["warnings"])


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ({"catheter.tip.mesh": "nothing.msh"}, "does not exist"),
        ({"catheter.tip.angles": "{nowhere: 30 deg}"}, "no branch of the tip's junction"),
        ({"arteries.split": "{right_hepatic: 0.5, left_hepatic: 0.5}"}, "given, and to be solved in 3D"),
    ],
)
def test_contradictions_are_found_before_the_first_step(tmp_path, setting, rule):
    scenario(tmp_path)
    with pytest.raises(InputError) as caught:
        haiflow.load(tmp_path / "tip.yaml", set=setting)
    assert rule in str(caught.value)


def wrong_meshes():
    """Name -> (what becomes of the sound mesh, the rule that refuses it)."""
    far = np.array([0.0, 0.0, 0.1])
    whole = duct(("right_hepatic", "left_hepatic"))
    n = len(whole.points)
    twice = replace(whole, points=np.concatenate([whole.points, whole.points + far]),
                    tetra=np.concatenate([whole.tetra, whole.tetra + n]), patch=np.tile(whole.patch, 2),
                    wall=np.concatenate([whole.wall, whole.wall + n]))  # fmt: skip
    flat = whole.points.copy()
    flat[whole.tetra[0, 0]] = flat[whole.tetra[0, 1:]].mean(axis=0)
    return {
        "other branch": (duct(("right_hepatic", "somewhere")), "no patch named left_hepatic"),
        "one more": (replace(whole, names=tuple(name.replace("vessel", "hose") for name in whole.names)), "hose"),
        "two pieces": (twice, "in 2 pieces"),
        "small": (replace(whole, points=0.1 * whole.points), "its patch inlet is as wide as a circle of 0.33"),
        "flat cell": (replace(whole, points=flat), "flat cells"),
    }


@pytest.mark.parametrize("name", wrong_meshes())
def test_a_mesh_that_cannot_be_the_region_is_refused_before_anything_runs(tmp_path, name):
    mesh, rule = wrong_meshes()[name]
    scenario(tmp_path)
    write_region(tmp_path / "duct.msh", mesh)
    with pytest.raises(InputError, match=rule) as caught:
        haiflow.load(tmp_path / "tip.yaml")
    assert caught.value.place.endswith("catheter.tip.mesh")
    assert ".yaml:" in caught.value.place
    assert caught.value.remedy


def test_a_scenario_knows_its_own_mesh_by_its_content(tmp_path):
    given = scenario(tmp_path)
    assert plan(given).cells["tip"] == len(duct(("right_hepatic", "left_hepatic")).tetra)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "resolved.yaml").write_text(given.resolved_yaml())
    again = haiflow.load(tmp_path / "elsewhere" / "resolved.yaml")  # its mesh lies where it lay
    assert again.tip_mesh_path == (tmp_path / "duct.msh").resolve()
    assert again.sha256 == given.sha256
    write_region(tmp_path / "duct.msh", duct(("right_hepatic", "left_hepatic"), hole_at=(0.3, 0.25)))
    assert haiflow.load(tmp_path / "tip.yaml").sha256 != given.sha256


def test_an_infusion_that_turns_the_artery_is_refused(tmp_path):
    scenario(tmp_path)
    given = haiflow.load(tmp_path / "tip.yaml", set={"arteries.inflow.mean": "0.5 mL/day"})
    with pytest.raises(InputError, match="as strong as the artery's own flow") as caught:
        haiflow.run(given)
    assert "infuse slower" in str(caught.value)


def test_surroundings_that_hold_the_whole_mesh_are_refused_before_the_flow():
    mesh, flow = duct(("a", "b"), fine=6), 3e-6
    case = Case(np.array([flow]), {"a": np.array([flow / 2]), "b": np.array([flow / 2])}, {"hole:tip": 1e-3 * flow},
                region=mesh, near=(mesh.points.mean(axis=0), 1.0))  # fmt: skip
    with pytest.raises(SolverStopped, match="hold the whole mesh"):
        Work(case, mesh)
