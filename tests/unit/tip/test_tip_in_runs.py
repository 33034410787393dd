"""``tip: {resolve: 3d}`` from the scenario to files and back, on a mesh of one's own (no mesher needed)."""

import json
from dataclasses import replace

import numpy as np
import pytest

import haiflow
from haiflow.errors import InputError
from haiflow.report.junction_scene import draw, frame, when
from haiflow.results import junction
from haiflow.simulation import tip as tip_room
from haiflow.simulation.assemble import assemble


def shares(results):
    return results.summary["split"][0]["fractions"]


def drug_in(results, vessel):
    """(n,) kg/m3 along a vessel of the scene, from its start."""
    network = results.network
    index = network.vessel_names.index(vessel)
    return network.concentration[(network.part == 2) & (network.vessel == index)]


def test_a_tip_off_the_middle_sends_its_drug_to_its_side(scenario, tmp_path):
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
    straight = row["by_straight_tracers"]
    assert sum(straight.values()) == pytest.approx(1.0, abs=1e-12)
    assert straight["right_hepatic"] > 0.99
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


def test_holes_share_what_the_pump_gives(scenario, tmp_path):
    scenario(tmp_path)
    given = {"catheter.tip": "{vessel: common_hepatic, position: 8 mm, closed_end: true}",
             "catheter.side_holes": "[{from_tip: 1 mm, diameter: 0.3 mm, count: 2}]"}  # fmt: skip
    parts = assemble(haiflow.load(tmp_path / "tip.yaml", set=given).model)
    rates = tip_room.hole_rates(parts.line, 1e-11, 12e3, 7e-4, 1004.0)
    assert set(rates) == {"hole:side_hole_1", "hole:side_hole_2"}
    assert sum(rates.values()) == pytest.approx(1e-11, rel=1e-9)
    assert rates["hole:side_hole_1"] == pytest.approx(rates["hole:side_hole_2"], rel=1e-3)


def test_both_clocks_take_the_split(scenario, tmp_path):
    results = haiflow.run(scenario(tmp_path, clock="pulse", hole_at=(0.3, 0.25)))
    assert shares(results)["left_hepatic"] > 0.9
    assert results.summary["split"][0]["source"] == "3d"
    way = results.summary["arteries"]["proper_hepatic_distal"]["drug_carried_kg"]
    beyond = [results.summary["arteries"][name]["drug_carried_kg"] for name in shares(results)]
    assert way == pytest.approx(sum(beyond), rel=1e-9)
    assert way > 0.0
    assert drug_in(results, "proper_hepatic_distal")[-1] > 2.0 * drug_in(results, "proper_hepatic_distal")[0]


def test_pulsatile_flow_repeats_itself_and_has_frames(scenario, tmp_path):
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


def test_a_solved_tip_is_found_again_at_another_rate_of_the_pump(scenario, tmp_path, monkeypatch):
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


def test_files_are_read_back(scenario, tmp_path):
    results = haiflow.run(scenario(tmp_path))
    results.save(tmp_path / "out")
    for name in ("junction.vtu", "tracers.vtp", "junction/0000.vtu"):
        assert (tmp_path / "out" / name).stat().st_size > 1000
    back = junction.read(tmp_path / "out")
    known = results.junction
    assert np.allclose(back.points, known.points)
    assert np.array_equal(back.wall, known.wall)
    assert back.names == known.names
    assert back.times.tolist() == [0.0]  # of a steady flow, for a reader that opens junction.pvd
    assert np.allclose(back.velocity[0], known.velocity[0])
    assert back.period == 0.0
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


def test_pictures_show_a_mesh_in_any_frame_with_the_blood_from_left_to_right(scenario, tmp_path):
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


def test_after_dislodgement_the_drug_mixes(scenario, tmp_path):
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


def test_an_infusion_that_turns_the_artery_is_refused(scenario, tmp_path):
    scenario(tmp_path)
    given = haiflow.load(tmp_path / "tip.yaml", set={"arteries.inflow.mean": "0.5 mL/day"})
    with pytest.raises(InputError, match="as strong as the artery's own flow") as caught:
        haiflow.run(given)
    assert "infuse slower" in str(caught.value)
