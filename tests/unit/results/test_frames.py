"""The drug over time and the planar scan: written, read back, and opened by what others use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haiflow.errors import InputError
from haiflow.results import Results


@pytest.fixture(scope="module")
def moving(sample: Any) -> Results:
    """The sample with values that vary inside the segments, frames and a scan."""
    return sample.spatial()


@pytest.fixture(scope="module")
def folder(moving: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving.save(tmp_path_factory.mktemp("frames") / "run")


def test_frames_come_back_exactly(moving: Results, folder: Path) -> None:
    again = Results.open(folder).liver
    assert again is not None
    assert moving.liver is not None
    np.testing.assert_array_equal(again.times, moving.liver.times)
    np.testing.assert_array_equal(again.frames, moving.liver.frames)
    assert again.frames is not None
    assert again.frames.dtype == np.float32


def test_the_series_opens_where_vtk_is_read(moving: Results, folder: Path) -> None:
    pyvista = pytest.importorskip("pyvista")
    reader = pyvista.get_reader(str(folder / "perfusion.pvd"))
    liver = moving.liver
    assert liver is not None
    assert liver.frames is not None
    assert reader.time_values == list(liver.times)
    still = pyvista.read(folder / "perfusion.vtu")
    for index in (0, 7):
        reader.set_active_time_point(index)
        grid = reader.read()[0]
        np.testing.assert_array_equal(grid.points, still.points)
        np.testing.assert_array_equal(grid.cells_dict[10], still.cells_dict[10])
        np.testing.assert_array_equal(grid.cell_data["drug_concentration_kg_per_m3"], liver.frames[index])
        np.testing.assert_array_equal(grid.cell_data["couinaud_segment"], still.cell_data["couinaud_segment"])


def test_a_series_with_a_file_missing_is_refused(results: Results, sample: Any, tmp_path: Path) -> None:
    folder = sample.spatial().save(tmp_path / "run")
    (folder / "perfusion" / "0003.vtu").unlink()
    with pytest.raises(InputError, match="0003"):
        Results.open(folder)


def test_a_run_without_frames_has_no_series(results: Results, tmp_path: Path) -> None:
    folder = results.save(tmp_path / "run")
    assert not (folder / "perfusion.pvd").exists()
    assert not (folder / "scan.nc").exists()
    again = Results.open(folder)
    assert again.scan is None
    assert again.liver is not None
    assert again.liver.frames is None


def test_the_scan_comes_back_exactly(moving: Results, folder: Path) -> None:
    scan, wanted = Results.open(folder).scan, moving.scan
    assert scan is not None
    assert wanted is not None
    assert scan.agent == wanted.agent
    for name in ("image", "x", "z"):
        np.testing.assert_array_equal(getattr(scan, name), getattr(wanted, name))


def test_the_scan_is_labelled_for_xarray(moving: Results, folder: Path) -> None:
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(folder / "scan.nc") as data:
        assert data.amount.dims == ("agent", "z", "x")
        assert (data.amount.attrs["units"], data.x.attrs["units"], data.z.attrs["units"]) == ("kg", "m", "m")
        assert moving.scan is not None
        assert float(data.amount.sum()) == pytest.approx(moving.scan.image.sum(), rel=1e-14)
