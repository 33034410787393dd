"""The liver in 3D: limits in which it must be the compartments, uptake by drug and by route, books, and sums."""

import json

import numpy as np
import pytest

from haiflow.liver.kinetics import DrugKinetics
from haiflow.scenario.load import loads
from haiflow.verify.uptake import field
from haiflow.verify.uptake_published import ratios, uptake

SEGMENTS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")

def test_floxuridine_reaches_a_tumour_by_the_artery_and_the_liver_by_either_way():
    """Sigurdson 1987, 2 to 5 min after injection: tumour 12.4 +- 12.2 nmol/g by the artery and 0.8 +- 0.7 by the portal
    vein, 15.5 times; liver 23.9 +- 11.4 and 18.4 +- 14.5, 1.3 times. No parameter is fitted to it, but the ratio falls
    within the study's window, as the tumour keeps nothing and blood comes round (16 at 2 min, 2 at 5 min), and depends
    on the volume that blood mixes into; a tumour that keeps the drug as liver does stays near 8 to 13."""
    (tumour_artery, liver_artery), (tumour_portal, liver_portal) = uptake("artery", 2)[-1], uptake("portal", 2)[-1]
    assert 10.0 <= tumour_artery / tumour_portal <= 25.0
    assert (23.9 - 11.4) / (18.4 + 14.5) <= liver_artery / liver_portal <= (23.9 + 11.4) / (18.4 - 14.5)
    assert (12.4 - 12.2) / (23.9 + 11.4) <= tumour_artery / liver_artery <= (12.4 + 12.2) / (23.9 - 11.4)
    assert 0.9 <= liver_artery / liver_portal <= 1.3
    late = ratios(5)[-1, 0]
    assert 1.0 < late < 4.0
    keeps = [ratios(t, metabolism=1.0)[-1, 0] for t in (2, 5)]
    assert 11.0 < keeps[0] < 15.0
    assert 6.5 < keeps[1] < 9.0


FAULTS = [
    {"kind": "leak", "where": {"catheter": "12 cm"}, "orifice_diameter": "12 um", "onset": "4 h"},
    {"kind": "occlusion", "where": {"vessel": "right"}, "severity": 1.0, "onset": "8 h"},
]


@pytest.fixture(scope="module")
def faulty(chain, run):
    tumours = [{"name": "core", "segment": "VI", "diameter": "35 mm", "necrotic_fraction": 0.3}]
    return run(chain(faults=FAULTS, liver__resolve="3d", liver__tumours=tumours, liver__terminals=200))


def test_books_close_and_every_sum_over_cells_is_the_segments_figure(faulty):
    summary, liver = faulty.summary, faulty.liver
    assert abs(summary["ledger"]["drug"]["relative_imbalance"]) <= 1e-10
    assert summary["solver"]["liver"]["worst_imbalance"] <= 1e-8
    corners = liver.points[liver.tetra]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6.0
    labels = [liver.cell_data["couinaud_segment"] == number for number in range(1, 9)] + [
        liver.cell_data["tumour"] == 1
    ]
    rows = [summary["segments"][name] for name in SEGMENTS] + [summary["tumours"]["core"]]
    for cells, row in zip(labels, rows, strict=True):
        sums = {name: float(volume[cells] @ values[cells]) for name, values in liver.cell_data.items()}
        size = float(volume[cells].sum())
        assert size == pytest.approx(row["volume_m3"], rel=1e-12, abs=0.0)
        assert sums["exposure_kg_s_per_m3"] / size == pytest.approx(row["exposure_kg_s_per_m3"], rel=1e-12)
        assert sums["drug_delivered_kg_per_m3"] == pytest.approx(row["drug_delivered_kg"], rel=1e-12, abs=0.0)
        for name in ("arterial_perfusion", "perfusion"):
            name = f"{name}_ml_per_min_per_100ml"
            assert sums[name] / size == pytest.approx(row[name], rel=1e-12)
    names = faulty.history_coords["segment"]
    last = dict(zip(names, faulty.history_series["segment_tissue_concentration"].values[-1, 0], strict=True))
    for number, name in enumerate(SEGMENTS, start=1):
        cells = (liver.cell_data["couinaud_segment"] == number) & (liver.cell_data["tumour"] == 0)
        mean = np.average(liver.cell_data["drug_concentration_kg_per_m3"][cells], weights=volume[cells])
        assert last[name] == pytest.approx(mean, rel=1e-12, abs=0.0)


def test_a_shut_artery_starves_its_territory_and_no_other(faulty):
    segments = faulty.summary["segments"]
    for name in ("V", "VI", "VII", "VIII"):
        assert segments[name]["under_perfused_volume_m3"] >= 0.85 * segments[name]["volume_m3"]
    for name in ("II", "III"):
        assert segments[name]["under_perfused_volume_m3"] <= 0.05 * segments[name]["volume_m3"]
    pressure = faulty.liver.cell_data["sinusoid_pressure_pa"]
    starved = np.isin(faulty.liver.cell_data["couinaud_segment"], (5, 6, 7, 8))
    assert pressure[starved].mean() < 0.9 * pressure[~starved].mean()


def test_a_necrotic_core_gets_no_blood_and_hardly_any_drug(faulty):
    data = faulty.liver.cell_data
    mine = data["tumour"] == 1
    dead = mine & (data["arterial_perfusion_ml_per_min_per_100ml"] == 0.0)
    assert 0.15 <= dead.sum() / mine.sum() <= 0.35
    assert data["perfusion_ml_per_min_per_100ml"][dead].max() == 0.0  # nor any portal blood
    assert data["perfusion_ml_per_min_per_100ml"][mine & ~dead].min() > 0.0
    exposure = data["exposure_kg_s_per_m3"]
    assert exposure[dead].max() <= 1e-6 * exposure[mine & ~dead].min()


def prepared(chain, **changes):
    """The parts of a scenario with their liver in 3D."""
    from haiflow.simulation.run import _Job

    job = _Job(loads(json.dumps(chain(liver__resolve="3d", **changes))), lambda stage, share: None)
    job.resolve_liver()
    return job


@pytest.mark.parametrize("diameter", ["20 mm", "40 mm"])
def test_a_tumour_draws_by_its_ratios_and_healthy_tissue_evenly(chain, run, diameter):
    tumour = {"name": "spot", "segment": "VI", "diameter": diameter, "arterial_ratio": 3, "portal_ratio": 0.5}
    data = run(chain(liver__tumours=[tumour], liver__resolve="3d", liver__terminals=300, run__duration="2 h")).liver
    corners = data.points[data.tetra]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6.0
    inside = data.cell_data["tumour"] == 1
    arterial = data.cell_data["arterial_perfusion_ml_per_min_per_100ml"]
    portal = data.cell_data["perfusion_ml_per_min_per_100ml"] - arterial
    near = ~inside & np.isin(data.cell_data["arterial_territory"], data.cell_data["arterial_territory"][inside])
    means = [
        [np.average(each[cells], weights=volume[cells]) for cells in (inside, near)] for each in (arterial, portal)
    ]
    assert means[0][0] / means[0][1] == pytest.approx(3.0, rel=0.05)
    assert means[1][0] / means[1][1] == pytest.approx(0.5, rel=1e-9)
    healthy = arterial[~inside]
    assert healthy.std() < 0.1 * healthy.mean()  # arterioles are regulated; terminals' own shares differ a little


def test_a_tumour_smaller_than_a_cell_is_said(chain, run):
    tumours = [
        {"name": "speck", "segment": "VI", "diameter": "1 mm"},
        {"name": "mass", "segment": "II", "diameter": "4 cm"},
    ]
    found = run(chain(liver__tumours=tumours, liver__resolve="3d", liver__terminals=20, run__duration="1 h"))
    told = [note for note in found.provenance["warnings"] if "finer mesh" in note]
    assert len(told) == 1
    assert told[0].startswith("speck")


def test_ratios_of_a_tumour_change_what_they_name(chain):
    tumour = {"name": "spot", "segment": "VI", "diameter": "40 mm"}
    plain = {"exchange_ratio": 1.0, "permeability_ratio": 1.0, "metabolism_ratio": 1.0}
    found = {}
    for name in (None, *plain):
        own = plain | ({} if name is None else {name: 0.25})
        job = prepared(chain, liver__tumours=[tumour | own], liver__terminals=50, liver__permeability="3e-14 m2")
        field = job.base.perfused
        flow = field.sinusoids.flow(field.supply(np.ones(len(field.nodes)) * 1e-6, 1e-5))
        transport = field.field_transport(job.base.substances[1].liver, flow)
        inside = field.piece_territory == field.liver.names.index("spot")
        cells = field.territory[field.pieces.cell_region] == field.liver.names.index("spot")
        volume = field.pieces.volume
        found[name] = [
            (transport.exchange / volume)[inside].mean() / (transport.exchange / volume)[~inside].mean(),
            field.sinusoids.mobility[cells].mean() / field.sinusoids.mobility[~cells].mean(),
            (transport.clearance / volume)[inside].mean() / (transport.clearance / volume)[~inside].mean(),
        ]
        viscosity = job.base.tree.blood.viscosity
        np.testing.assert_allclose(field.sinusoids.mobility[~cells], 3e-14 / viscosity, rtol=1e-12)
    assert found[None] == pytest.approx([1.0, 1.0, 1.0])
    assert found["exchange_ratio"] == pytest.approx([0.25, 1.0, 1.0])
    assert found["permeability_ratio"] == pytest.approx([1.0, 0.25, 1.0])
    assert found["metabolism_ratio"] == pytest.approx([1.0, 1.0, 0.25])


def test_a_dead_core_neither_exchanges_nor_clears(chain):
    tumour = {"name": "spot", "segment": "VI", "diameter": "40 mm", "necrotic_fraction": 0.3, "metabolism_ratio": 0.5}
    job = prepared(chain, liver__tumours=[tumour], liver__terminals=50)
    field = job.base.perfused
    flow = field.sinusoids.flow(field.supply(np.ones(len(field.nodes)) * 1e-6, 1e-5))
    transport = field.field_transport(job.base.substances[1].liver, flow)
    dead = field.dead[field.pieces.region]
    rim = (field.piece_territory == field.liver.names.index("spot")) & ~dead
    assert dead.sum() > 5
    assert not transport.exchange[dead].any()
    assert not transport.clearance[dead].any()
    assert transport.clearance[rim].min() > 0.0


def test_covered_shares_and_starved_volume_by_hand():
    from haiflow.simulation.cells import Cells, covered

    values, volume = np.array([4.0, 1.0, 3.0, 2.0]), np.array([1.0, 1.0, 1.0, 7.0])
    assert [covered(values, volume, share) for share in (1.0, 0.95, 0.5, 0.2, 0.05)] == [1.0, 1.0, 2.0, 3.0, 4.0]
    cells = object.__new__(Cells)
    cells.volume, cells.dead = volume, np.array([False, True, False, False])
    cells.healthy, cells.final = np.ones(4), np.array([0.49, 0.0, 0.51, 0.2])
    cells.tissue = lambda exposure: values
    found = cells.unevenness(np.arange(4))
    assert found["under_perfused_volume_m3"] == 8.0  # the dead core counts for nothing
    assert (found["exposure_d95_kg_s_per_m3"], found["exposure_d5_kg_s_per_m3"]) == (2.0, 4.0)
    mean = (4.0 + 3.0 + 14.0) / 9.0
    spread = np.sqrt(((4.0 - mean) ** 2 + (3.0 - mean) ** 2 + 7.0 * (2.0 - mean) ** 2) / 9.0)
    assert found["exposure_coefficient_of_variation"] == pytest.approx(spread / mean)


def test_the_last_frame_is_the_end(faulty):
    liver = faulty.liver
    assert liver.times[0] == 0.0
    assert liver.times[-1] == pytest.approx(86400.0)
    np.testing.assert_allclose(liver.frames[-1], liver.cell_data["drug_concentration_kg_per_m3"], rtol=1e-6, atol=1e-20)
    assert liver.frames[0].max() == 0.0


def test_both_clocks_scan_alike_and_the_image_holds_what_lodged(chain, run):
    found, bolus = [], {"agent": "tc99m-maa", "amount": "0.5 mg", "volume": "0.5 mL", "over": "2 s"}
    for clock, every in (("pulse", "100 ms"), ("therapy", "1 s")):
        results = run(
            chain(
                pump__fill={"infusate": "saline", "volume": "30 mL"}, liver__resolve="3d", liver__terminals=60,
                schedule=[{"at": "0.5 s", "bolus": bolus}],
                run={"clock": clock, "duration": "10 s", "output_every": every},
            )
        )  # fmt: skip
        liver, drug = results.liver, results.summary["drugs"].index("tc99m-maa")
        assert drug == 0
        corners = liver.points[liver.tetra]
        volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6.0
        lodged = 0.86 * float(volume @ liver.cell_data["drug_concentration_kg_per_m3"])
        assert results.scan.agent == "tc99m-maa"
        assert results.scan.image.sum() == pytest.approx(lodged, rel=1e-10)
        assert volume @ liver.cell_data["agent_lodged_kg_per_m3"] == pytest.approx(lodged, rel=1e-12)
        assert lodged > 0.1 * results.summary["ledger"]["drug"]["filled_kg"]
        found.append(liver.cell_data["drug_delivered_kg_per_m3"] * volume)
    assert np.abs(found[0] - found[1]).sum() <= 0.1 * found[1].sum()


def test_a_drug_of_no_extraction_leaves_as_it_came():
    liver, supply = field()
    transport = liver.field_transport(DrugKinetics("carrier"), liver.sinusoids.flow(supply))
    blood = transport.graph.solve(transport.graph.given + transport.drain, supply, 1.0)
    np.testing.assert_allclose(blood, 1.0, rtol=1e-7)  # a constant stays constant, to the pressure's tolerance
