"""The main job through the command line: every file of the output folder is there, opens, and says the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "baseline.yaml"
SEGMENTS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII"]
FILES = {
    "scenario.yaml", "summary.json", "segments.csv", "vessels.csv", "history.nc", "cycle.nc", "network.vtp",
    "perfusion.vtu", "report.html", "run.json", "figures",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("main") / "baseline"
    command = [sys.executable, "-m", "haiflow", "run", str(EXAMPLE), "-o", str(out), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["status"] == "complete"
    assert Path(said["runs"][0]["output"]) == out
    return out


@pytest.fixture(scope="module")
def summary(folder):
    return json.loads((folder / "summary.json").read_text())


def test_all_files_and_nothing_half_written(folder):
    assert {path.name for path in folder.iterdir()} >= FILES
    assert [path.name for path in folder.parent.iterdir()] == ["baseline"]
    assert len(list((folder / "figures").glob("*.png"))) >= 4


def test_summary_has_the_fixed_names(summary):
    assert summary["scenario"].keys() >= {"name", "sha256"}
    assert summary["haiflow"]["version"]
    assert (summary["clock"], summary["duration_s"], summary["status"]) == ("therapy", 28 * 86400.0, "complete")
    assert summary["pump"].keys() >= {
        "mean_flow_rate_m3_per_s", "infused_volume_m3", "residual_volume_m3", "max_pressure_pa", "stalled_at_s",
    }  # fmt: skip
    assert summary["catheter"].keys() >= {
        "tip_flow_rate_m3_per_s", "leaked_volume_m3", "max_pressure_pa", "tip_ingress_m3_per_cycle",
    }  # fmt: skip
    places = ("filled", "reservoir", "catheter", "leaked", "arteries", "liver", "off_target", "body", "eliminated")
    assert summary["ledger"]["drug"].keys() >= {f"{place}_kg" for place in places} | {"relative_imbalance"}
    assert summary["ledger"]["carrier"].keys() >= {f"{place}_m3" for place in places} | {"relative_imbalance"}
    assert summary["arteries"]["right_hepatic"].keys() >= {
        "mean_flow_rate_m3_per_s", "mean_pressure_pa", "max_pressure_pa", "min_pressure_pa",
    }  # fmt: skip
    assert summary["arteries_periodic"].keys() >= {"cycles", "residual"}
    segment_keys = {
        "volume_m3", "arterial_flow_m3_per_s", "portal_flow_m3_per_s", "arterial_perfusion_ml_per_min_per_100ml",
        "perfusion_ml_per_min_per_100ml", "drug_delivered_kg", "dose_fraction", "mean_tissue_concentration_kg_per_m3",
        "peak_tissue_concentration_kg_per_m3", "exposure_kg_s_per_m3",
    }  # fmt: skip
    assert list(summary["segments"]) == SEGMENTS
    assert all(row.keys() >= segment_keys for row in summary["segments"].values())
    assert summary["tumours"]["metastasis"].keys() >= segment_keys
    for row in summary["off_target"].values():
        assert row.keys() >= {"flow_rate_m3_per_s", "drug_delivered_kg", "dose_fraction"}
    assert summary["split"][0]["source"] == "mixed"
    assert sum(summary["split"][0]["fractions"].values()) == pytest.approx(1.0, rel=1e-12, abs=0.0)
    assert summary["body"].keys() >= {"peak_concentration_kg_per_m3", "exposure_kg_s_per_m3", "hepatic_advantage"}
    assert len(summary["detection"]) == 2
    assert summary["timing"]["total_s"] > 0.0
    assert summary["solver"]["arteries"].keys() >= {"cells", "steps", "kernel_s", "network_s"}


def test_books_of_the_written_summary_add_up(summary):
    for kind, unit in (("drug", "kg"), ("carrier", "m3")):
        book = summary["ledger"][kind]
        held = sum(
            value
            for key, value in book.items()
            if key.endswith(f"_{unit}")
            and key not in (f"filled_{unit}", "eliminated_in_liver_kg", "blood_drawn_in_m3", "blood_lost_m3")
        )
        assert held == pytest.approx(book[f"filled_{unit}"], rel=1e-10, abs=0.0)


def test_tables_open_with_pandas_and_carry_units(folder, summary):
    pandas = pytest.importorskip("pandas")
    segments, vessels = (pandas.read_csv(folder / f"{name}.csv") for name in ("segments", "vessels"))
    assert list(segments.iloc[:, 0])[:8] == SEGMENTS
    assert "metastasis" in list(segments.iloc[:, 0])
    for table in (segments, vessels):
        for column in table.select_dtypes("number").columns:
            assert any(unit in column for unit in ("_m3", "_kg", "_pa", "_per_", "fraction")), column
    written = segments.set_index(segments.columns[0])["drug_delivered_kg"]
    for name in SEGMENTS:
        assert written[name] == pytest.approx(summary["segments"][name]["drug_delivered_kg"], rel=1e-12, abs=0.0)
    assert set(vessels.iloc[:, 0]) == set(summary["arteries"])


def test_series_open_with_xarray(folder, summary):
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(folder / "history.nc", decode_times=False) as history:
        assert all("units" in variable.attrs for variable in history.data_vars.values())
        time = history["time"].values
        assert time[0] == 0.0
        assert time[-1] == 28 * 86400.0
        assert (np.diff(time) > 0.0).all()
        flow = history["pump_flow_rate"].values
        infused = summary["pump"]["infused_volume_m3"]
        assert float(flow[1:] @ np.diff(time)) == pytest.approx(infused, rel=1e-12, abs=0.0)
        books = history["ledger"].sel(account="filled") - history["ledger"].drop_sel(account="filled").sum("account")
        assert float(np.abs(books).max()) <= 1e-10 * summary["ledger"]["drug"]["filled_kg"]
    with xarray.open_dataset(folder / "cycle.nc", decode_times=False) as cycle:
        assert set(cycle.data_vars) >= {"pressure", "flow_rate", "velocity", "area"}
        assert cycle["pressure"].dims == ("time", "vessel", "station")
        assert list(cycle["station"].values) == ["inlet", "middle", "outlet"]
        assert float(cycle["time"][0]) == 0.0
        assert float(cycle["time"][-1]) == pytest.approx(60.0 / 70.0, rel=1e-9, abs=0.0)
        np.testing.assert_array_equal(cycle["pressure"][0], cycle["pressure"][-1])
        product = (cycle["velocity"] * cycle["area"]).values
        scale = np.abs(cycle["flow_rate"].values).max()
        np.testing.assert_allclose(product, cycle["flow_rate"].values, atol=1e-6 * scale)


def test_network_opens_with_pyvista(folder, summary):
    pyvista = pytest.importorskip("pyvista")
    network = pyvista.read(folder / "network.vtp")
    names = {
        "part", "vessel", "radius_m", "flow_rate_m3_per_s", "pressure_pa", "drug_concentration_kg_per_m3",
    }  # fmt: skip
    assert set(network.point_data.keys()) >= names
    assert set(np.unique(network.point_data["part"])) == {0, 1, 2}
    flow = network.point_data["flow_rate_m3_per_s"][network.point_data["part"] == 2]
    inflow = summary["arteries"]["common_hepatic"]["mean_flow_rate_m3_per_s"]
    assert flow.max() == pytest.approx(inflow, rel=1e-6, abs=0.0)


def test_liver_opens_with_meshio(folder, summary):
    import meshio

    liver = meshio.read(folder / "perfusion.vtu")
    data = {name: values[0] for name, values in liver.cell_data.items()}
    assert set(data) >= {
        "couinaud_segment", "tumour", "arterial_perfusion_ml_per_min_per_100ml", "perfusion_ml_per_min_per_100ml",
        "drug_concentration_kg_per_m3", "exposure_kg_s_per_m3",
    }  # fmt: skip
    assert liver.cells[0].type == "tetra"
    assert set(np.unique(data["couinaud_segment"])) == set(range(1, 9))
    for number, name in enumerate(SEGMENTS, 1):
        own = (data["couinaud_segment"] == number) & (data["tumour"] == 0)
        exposure = data["exposure_kg_s_per_m3"][own]
        assert np.ptp(exposure) <= 1e-12 * exposure.max()
        if name != "VIII":  # of segment VIII the tumour's exposure is a part
            assert exposure[0] == pytest.approx(summary["segments"][name]["exposure_kg_s_per_m3"], rel=1e-6)


def test_page_and_provenance(folder, summary):
    page = (folder / "report.html").read_text()
    assert "Floxuridine" in page
    assert 'src="http' not in page
    record = json.loads((folder / "run.json").read_text())
    assert record["timing"]["total_s"] > 0.0
    assert {event["kind"] for event in record["events"]} >= {"leak", "occlusion"}
    assert record["verdict"]


def test_reads_back(folder, summary):
    import haiflow

    results = haiflow.open(folder)
    assert results.summary == summary
    assert results.history["pump_flow_rate"].attrs["units"] == "m3/s"
    assert len(results.segments) == 9
