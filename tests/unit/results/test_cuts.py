"""Cuts through the liver show what the cells hold, and are drawn where values vary inside segments only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haiflow.report import camera, territories
from haiflow.report.child import Child
from haiflow.results import Results

pytest.importorskip("pyvista")
from haiflow.report import cuts


@pytest.fixture(scope="module")
def moving(sample: Any) -> Results:
    return sample.spatial()


def test_a_linear_field_is_cut_where_it_should_be(moving: Results) -> None:
    liver = moving.liver
    assert liver is not None
    middle = liver.points[liver.tetra].mean(axis=1)
    origin = cuts.centre(liver)
    piece = cuts.cut(liver, {"x": middle[:, 0]}, origin, cuts.AXES["coronal"])
    assert piece is not None
    points = np.asarray(piece.face.points)
    np.testing.assert_allclose(points[:, 1], origin[1], atol=1e-6)
    error = np.abs(np.asarray(piece.face["x"]) - points[:, 0])
    assert np.median(error) < 1e-3  # cells are some 7 mm wide
    assert error.max() < 8e-3
    assert len(piece.tumours) == 1
    assert set(piece.middles) <= {"I", "II", "III", "IV", "V", "VI", "VII", "VIII"}


def test_a_kept_half_is_the_half_asked_for(moving: Results) -> None:
    liver = moving.liver
    assert liver is not None
    origin = cuts.centre(liver)
    wall, floor = cuts.corner(liver, {"v": liver.cell_data["exposure_kg_s_per_m3"]})
    assert np.asarray(wall.face.points)[:, 2].min() >= origin[2] - 1e-6
    assert np.asarray(floor.face.points)[:, 1].max() <= origin[1] + 1e-6


def test_values_do_not_leak_over_a_tumours_border(moving: Results) -> None:
    liver = moving.liver
    assert liver is not None
    inside = (territories.tumours(liver) > 0).astype(float)
    piece = cuts.cut(liver, {"inside": inside}, cuts.centre(liver), cuts.AXES["axial"])
    assert piece is not None
    assert set(np.unique(np.round(piece.face["inside"], 9))) == {0.0, 1.0}


def test_the_camera_sees_all_of_the_liver(moving: Results) -> None:
    liver = moving.liver
    assert liver is not None
    view = camera.fitted(liver.points, np.array([0.22, -1.0, 0.62]), (0.0, 0.0, 1.0), (1200, 660), 0.8)
    towards = view.direction / np.linalg.norm(view.direction)
    right = np.cross([0.0, 0.0, 1.0], towards)
    right /= np.linalg.norm(right)
    spread = liver.points - view.focus
    assert np.abs(spread @ np.cross(towards, right)).max() <= 0.8001 * view.half_height
    assert np.abs(spread @ right).max() <= 0.8001 * view.half_height * 1200 / 660


@pytest.mark.parametrize("varied", [True, False])
def test_the_drawing_process_draws_cuts_where_values_vary(
    varied: bool, moving: Results, results: Results, tmp_path: Path
) -> None:
    child = Child("scene")
    child.give(moving if varied else results, tmp_path)
    answer = child.answer()
    if "failure" in answer:
        pytest.skip(answer["failure"])
    extra = ["scene_cut.png", "scene_perfusion.png"] if varied else []
    assert answer["files"] == ["scene.png", "scene_tip.png", *extra]
    assert all((tmp_path / name).stat().st_size > 20_000 for name in extra)
