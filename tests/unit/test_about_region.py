"""``haiflow mesh info`` on a region round a tip: patches, quality, cells at the walls; and what is not ready."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from haiflow.cli_mesh import mesh
from haiflow.mesh.about_region import inspect, is_region, near_wall
from haiflow.mesh.patches import write_region
from haiflow.verify.shapes import duct


def told(*arguments):
    result = CliRunner().invoke(mesh, ["info", *map(str, arguments)], standalone_mode=False)
    return result.return_value, result.output


def test_patches_quality_and_cells_at_the_wall_are_told(tmp_path):
    whole = duct(("right", "left"))
    write_region(tmp_path / "duct.msh", whole)
    code, text = told(tmp_path / "duct.msh")
    assert code == 0
    assert "ready:     catheter: {tip: {resolve: 3d, mesh: duct.msh}}" in text
    code, output = told(tmp_path / "duct.msh", "--json")
    found = json.loads(output)  # nothing else is printed
    assert (code, found["kind"], found["tetrahedra"]) == (0, "junction", len(whole.tetra))
    assert found["patches"]["inlet"]["area_m2"] == pytest.approx(9e-6)  # a square of 3 mm
    assert found["patches"]["inlet"]["triangles"] == (whole.patch == whole.names.index("inlet")).sum()
    assert sum(about["triangles"] for about in found["patches"].values()) == len(whole.wall)
    # A regular grid: what lies behind the walls reaches one step of it.
    step = np.min(np.diff(np.unique(np.round(whole.points[:, 1], 9))))
    assert near_wall(whole, "vessel")["least"] == pytest.approx(step, rel=0.01)
    assert found["near_wall_m"]["vessel"]["least"] == pytest.approx(step, rel=0.01)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda r: replace(r, names=tuple(name.replace("hole:tip", "tip") for name in r.names)), "no patch hole:tip"),
        (lambda r: replace(r, patch=np.where(r.patch == r.names.index("left"), r.names.index("right"), r.patch)),
         "1 branches, two at least"),
        (lambda r: replace(r, points=1e3 * r.points), "no such artery"),
        (lambda r: replace(r, points=1e-3 * r.points), "no such artery"),
    ],
)  # fmt: skip
def test_what_is_not_ready_says_why(tmp_path, change, rule):
    write_region(tmp_path / "duct.msh", change(duct(("right", "left"))))
    code, text = told(tmp_path / "duct.msh")
    assert code == 2
    assert "NOT READY" in text
    assert rule in text


def test_a_mesh_in_millimetres_is_described_but_not_ready(tmp_path):
    whole = duct(("right", "left"))
    write_region(tmp_path / "mm.msh", replace(whole, points=1e3 * whole.points))
    found = inspect(tmp_path / "mm.msh", 1e-3)
    assert found["volume_m3"] == pytest.approx(whole.dual.volume.sum())
    assert "metres" in found["problem"]


def test_a_liver_is_none(tmp_path):
    assert not is_region(tmp_path / "nothing.vtu")
    write_region(tmp_path / "plain.vtu", duct(("right", "left")))  # numbers alone, no names
    assert not is_region(tmp_path / "plain.vtu")
