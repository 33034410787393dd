"""Dose-volume histogram and planar scan say what cells and pixels hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from haiflow.report import liver_figures, territories
from haiflow.results import Results


@pytest.fixture(scope="module")
def moving(sample: Any) -> Results:
    return sample.spatial()


def test_half_of_a_volume_has_what_its_larger_cells_have() -> None:
    values, volume = np.array([3.0, 1.0, 2.0]), np.array([2.0, 1.0, 1.0])
    rising, reached = territories.at_least(values, volume)
    assert list(rising) == [1.0, 2.0, 3.0]
    assert list(reached) == [1.0, 0.75, 0.5]
    assert territories.dose_to(0.5, values, volume) == 3.0
    assert territories.dose_to(0.75, values, volume) == 2.0
    assert territories.dose_to(0.95, values, volume) == 1.0


def test_even_segments_have_no_dose_volume_histogram(results: Results) -> None:
    assert results.liver is not None
    assert not territories.varies(results.liver, results.liver.cell_data["exposure_kg_s_per_m3"])
    assert liver_figures.dose_volume(results) is None
    assert liver_figures.scan(results) is None


def test_curves_are_those_of_the_cells(moving: Results) -> None:
    (axis,) = liver_figures.dose_volume(moving).axes
    lines = {str(line.get_label()): line for line in axis.lines}
    assert [name for name in lines if not name.startswith("_")][:10] == [
        "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "tumour 1", "whole liver",
    ]  # fmt: skip
    liver = moving.liver
    assert liver is not None
    ids = territories.cells(liver)["VI"]
    dose, volume = liver.cell_data["exposure_kg_s_per_m3"][ids] / 3.6, territories.volumes(liver)[ids]
    x, y = lines["VI"].get_data()
    level = np.median(dose)
    assert np.interp(level, x, y) == pytest.approx(100 * volume[dose >= level].sum() / volume.sum(), abs=0.5)
    (marker,) = [line for name, line in lines.items() if name.startswith("D95")]
    whole = liver.cell_data["exposure_kg_s_per_m3"] / 3.6
    covered = territories.volumes(liver)[whole >= marker.get_xdata()[0]].sum() / territories.volumes(liver).sum()
    assert covered == pytest.approx(0.95, abs=1e-3)
    assert covered >= 0.95


def test_the_scan_sums_to_the_whole_and_has_the_right_on_the_left(moving: Results) -> None:
    axis, bar = liver_figures.scan(moving).axes
    assert moving.scan is not None
    image = np.asarray(axis.collections[0].get_array())
    area = np.outer(np.diff(moving.scan.z), np.diff(moving.scan.x)) * 1e4
    assert float((image.reshape(area.shape) * area).sum()) == pytest.approx(100.0)
    places = {text.get_text(): text.get_position()[0] for text in axis.texts}
    assert places["R"] < places["L"]
    assert axis.get_xlim()[0] < axis.get_xlim()[1]  # x runs to the patient's left
    assert "%/cm" in bar.get_ylabel()


def test_the_outline_holds_the_liver(moving: Results) -> None:
    liver = moving.liver
    assert liver is not None
    x, z, shadow = liver_figures._shadow(liver)
    middle = liver.points[liver.tetra].mean(axis=1)
    column = np.round((middle[:, 0] - x[0]) / liver_figures.OUTLINE).astype(int)
    row = np.round((middle[:, 2] - z[0]) / liver_figures.OUTLINE).astype(int)
    assert shadow[row, column].all()
    assert 0.2 < shadow.mean() < 0.8


def test_an_empty_scan_is_not_drawn(moving: Results) -> None:
    assert moving.scan is not None
    empty = replace(moving.scan, image=0.0 * moving.scan.image)
    assert liver_figures.scan(replace(moving, scan=empty)) is None
