"""The output folder: all files with the same numbers, or nothing at all."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haiflow.errors import InputError
from haiflow.results import Results, Series, store, vtk


def no_leftovers(folder: Path) -> bool:
    return not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_every_file_of_the_contract_is_written(results: Results, tmp_path: Path) -> None:
    folder = results.save(tmp_path / "run")
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "scenario.yaml", "summary.json", "segments.csv", "vessels.csv", "history.nc", "cycle.nc", "network.vtp",
        "perfusion.vtu", "run.json",
    }  # fmt: skip
    assert no_leftovers(tmp_path)


def test_what_is_opened_is_what_was_saved(results: Results, tmp_path: Path) -> None:
    again = Results.open(results.save(tmp_path / "run"))
    assert again.summary == json.loads(json.dumps(store.plain(results.summary)))
    for name, item in (*results.history_series.items(), *results.cycle_series.items()):
        other = again.history_series.get(name) or again.cycle_series[name]
        assert other.dims == item.dims
        assert (other.unit, other.long_name) == (item.unit, item.long_name)
        np.testing.assert_array_equal(other.values, item.values)
    assert list(again.history_coords["segment"]) == list(results.history_coords["segment"])
    assert again.events == results.events
    assert again.verdict == results.verdict
    assert [row["drug_delivered_kg"] for row in again.segment_rows] == [
        row["drug_delivered_kg"] for row in results.segment_rows
    ]


def test_network_and_liver_come_back_exactly(results: Results, tmp_path: Path) -> None:
    again = Results.open(results.save(tmp_path / "run"))
    assert again.network is not None
    assert again.liver is not None
    for name in (
        "points",
        "connectivity",
        "offsets",
        "part",
        "vessel",
        "radius",
        "flow_rate",
        "pressure",
        "concentration",
    ):
        np.testing.assert_array_equal(getattr(again.network, name), getattr(results.network, name))
    assert again.network.vessel_names == results.network.vessel_names  # type: ignore[union-attr]
    assert [mark.name for mark in again.network.markers] == [mark.name for mark in results.network.markers]  # type: ignore[union-attr]
    np.testing.assert_array_equal(again.liver.tetra, results.liver.tetra)  # type: ignore[union-attr]
    for name, values in results.liver.cell_data.items():  # type: ignore[union-attr]
        np.testing.assert_array_equal(again.liver.cell_data[name], values)


def test_xarray_opens_the_history_without_being_told_anything(results: Results, tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    folder = results.save(tmp_path / "run")
    with xarray.open_dataset(folder / "history.nc") as history:
        assert history["pump_flow_rate"].attrs["units"] == "m3/s"
        assert history["time"].dtype == np.float64
        delivered = history["segment_drug_delivered"].sel(drug="floxuridine", segment="IV").values[-1]
    assert delivered == results.summary["segments"]["IV"]["drug_delivered_kg"]
    with xarray.open_dataset(folder / "cycle.nc") as cycle:
        assert cycle["pressure"].dims == ("time", "vessel", "station")
        assert list(cycle["station"].values) == ["inlet", "middle", "outlet"]


def test_pandas_and_xarray_from_memory(results: Results) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("xarray")
    assert results.segments.loc["IV", "drug_delivered_kg"] == results.summary["segments"]["IV"]["drug_delivered_kg"]
    assert results.history["pump_flow_rate"].attrs["units"] == "m3/s"
    assert results.cycle["area"].sizes["station"] == 3


def test_pyvista_reads_the_network(results: Results, tmp_path: Path) -> None:
    pyvista = pytest.importorskip("pyvista")
    assert results.network is not None
    vtk.write_network(tmp_path / "network.vtp", results.network)
    mesh = pyvista.read(tmp_path / "network.vtp")
    assert mesh.n_lines == results.network.n_lines
    np.testing.assert_array_equal(mesh["drug_concentration_kg_per_m3"], results.network.concentration)
    assert set(mesh["part"]) == {0, 1, 2}
    assert tuple(mesh.field_data["vessel_names"]) == results.network.vessel_names


def test_csv_columns_state_their_units(results: Results, tmp_path: Path) -> None:
    folder = results.save(tmp_path / "run")
    with (folder / "segments.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows[:8]] == ["I", "II", "III", "IV", "V", "VI", "VII", "VIII"]
    assert float(rows[3]["drug_delivered_kg"]) == results.summary["segments"]["IV"]["drug_delivered_kg"]
    assert "volume_m3" in rows[0]


def test_json_has_no_nan(results: Results, tmp_path: Path) -> None:
    results.summary["pump"]["stalled_at_s"] = float("nan")
    results.summary["body"]["hepatic_advantage"] = np.float64(np.inf)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    text = (results.save(tmp_path / "run") / "summary.json").read_text()
    summary = json.loads(text, parse_constant=refuse)
    assert summary["pump"]["stalled_at_s"] is None
    assert summary["body"]["hepatic_advantage"] is None


def test_a_run_with_arteries_only_is_saved(sample: Any, tmp_path: Path) -> None:
    folder = sample.bare().save(tmp_path / "run")
    assert not (folder / "history.nc").exists()
    assert not (folder / "perfusion.vtu").exists()
    again = Results.open(folder)
    assert again.liver is None
    assert again.vessel_rows


def test_an_existing_folder_is_refused_and_left_alone(results: Results, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "keep.txt").write_text("mine")
    with pytest.raises(InputError, match="--force"):
        results.save(tmp_path / "run")
    with pytest.raises(InputError, match="folder of results only"):
        results.save(tmp_path / "run", force=True)
    assert (tmp_path / "run" / "keep.txt").read_text() == "mine"
    assert no_leftovers(tmp_path)


def test_force_replaces_an_older_result(results: Results, tmp_path: Path) -> None:
    folder = results.save(tmp_path / "run")
    (folder / "old.txt").write_text("old")
    results.summary["status"] = "stopped"
    results.save(folder, force=True)
    assert not (folder / "old.txt").exists()
    assert json.loads((folder / "summary.json").read_text())["status"] == "stopped"
    assert no_leftovers(tmp_path)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_of_a_save_that_fails(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    folder = results.save(tmp_path / "run")
    before = (folder / "summary.json").read_bytes()

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(vtk, "write_liver", fail)
    with pytest.raises(error):
        results.save(folder, force=True)
    with pytest.raises(error):
        results.save(tmp_path / "other")
    assert (folder / "summary.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_the_presenter_is_stopped_when_saving_fails(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Watched:
        stopped = False

        def begin(self, *_: Any) -> None:
            raise ValueError

        def abandon(self) -> None:
            self.stopped = True

    watched = Watched()
    results.presenter = watched  # type: ignore[assignment]
    with pytest.raises(ValueError):
        results.save(tmp_path / "run")
    assert watched.stopped


def test_a_series_that_does_not_fit_its_axes_is_refused(results: Results, tmp_path: Path) -> None:
    results.history_series["wrong"] = Series(("time",), np.zeros(7), "m", "seven values on a longer axis")
    with pytest.raises(ValueError, match="wrong"):
        results.save(tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_opening_what_is_no_result_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"summary\.json"):
        Results.open(tmp_path)
