"""A mesh of one's own for the region round the tip: what cannot be it is refused before anything runs."""

from dataclasses import replace

import numpy as np
import pytest

import haiflow
from haiflow.errors import InputError
from haiflow.mesh.patches import read_region, write_region
from haiflow.scenario.plan import plan
from haiflow.verify.shapes import duct


def test_a_mesh_whose_openings_lost_triangles_is_refused(tmp_path):
    whole = duct(("right_hepatic", "left_hepatic"))
    write_region(tmp_path / "torn.msh", replace(whole, wall=whole.wall[60:], patch=whole.patch[60:]))
    with pytest.raises(InputError, match="60 of 1296 boundary triangles"):
        read_region(tmp_path / "torn.msh", "catheter.tip.mesh")


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ({"catheter.tip.mesh": "nothing.msh"}, "does not exist"),
        ({"catheter.tip.angles": "{nowhere: 30 deg}"}, "no branch of the tip's junction"),
        ({"arteries.split": "{right_hepatic: 0.5, left_hepatic: 0.5}"}, "given, and to be solved in 3D"),
    ],
)
def test_contradictions_are_found_before_the_first_step(scenario, tmp_path, setting, rule):
    scenario(tmp_path)
    with pytest.raises(InputError) as caught:
        haiflow.load(tmp_path / "tip.yaml", set=setting)
    assert rule in str(caught.value)


def inner_point(mesh):
    """A point that lies on no wall."""
    return int(np.setdiff1d(mesh.tetra, mesh.wall)[0])


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
    folded = whole.points.copy()
    apex = inner_point(whole)
    corner = whole.tetra[np.any(whole.tetra == apex, axis=1)][0]
    opposite = folded[corner[corner != apex]].mean(axis=0)
    folded[apex] = opposite + 0.7 * (opposite - folded[apex])  # beyond the face: that cell is inside out
    return {
        "folded": (replace(whole, points=folded), "folded over itself"),
        "in mm": (replace(whole, points=1e3 * whole.points), "no such artery"),
        "other branch": (duct(("right_hepatic", "somewhere")), "no patch named left_hepatic"),
        "one more": (replace(whole, names=tuple(name.replace("vessel", "hose") for name in whole.names)), "hose"),
        "two pieces": (twice, "in 2 pieces"),
        "small": (replace(whole, points=0.1 * whole.points), "its patch inlet is as wide as a circle of 0.33"),
        "flat cell": (replace(whole, points=flat), "flat cells"),
    }


@pytest.mark.parametrize("name", wrong_meshes())
def test_a_mesh_that_cannot_be_the_region_is_refused_before_anything_runs(scenario, tmp_path, name):
    mesh, rule = wrong_meshes()[name]
    scenario(tmp_path)
    write_region(tmp_path / "duct.msh", mesh)
    with pytest.raises(InputError, match=rule) as caught:
        haiflow.load(tmp_path / "tip.yaml")
    assert caught.value.place.endswith("catheter.tip.mesh")
    assert ".yaml:" in caught.value.place
    assert caught.value.remedy


def test_a_scenario_knows_its_own_mesh_by_its_content(scenario, tmp_path):
    given = scenario(tmp_path)
    assert plan(given).cells["tip"] == len(duct(("right_hepatic", "left_hepatic")).tetra)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "resolved.yaml").write_text(given.resolved_yaml())
    again = haiflow.load(tmp_path / "elsewhere" / "resolved.yaml")  # its mesh lies where it lay
    assert again.tip_mesh_path == (tmp_path / "duct.msh").resolve()
    assert again.sha256 == given.sha256
    write_region(tmp_path / "duct.msh", duct(("right_hepatic", "left_hepatic"), hole_at=(0.3, 0.25)))
    assert haiflow.load(tmp_path / "tip.yaml").sha256 != given.sha256
