"""Each example runs, its ledger closes, and it teaches what its first lines say."""

from math import pi
from pathlib import Path

import numpy as np
import pytest

from haiflow.pump.infusate import ambient_pressure, viscosity_at
from haiflow.pump.propellant import PROPELLANTS

FILES = sorted(path.stem for path in (Path(__file__).parents[2] / "examples").glob("*.yaml"))
DAY = 86400.0
ML_PER_DAY = 1e-6 / DAY
LEFT, RIGHT = ("I", "II", "III", "IV"), ("V", "VI", "VII", "VIII")
LESSONS = {}


def lesson(function):
    LESSONS[function.__name__.replace("_", "-")] = function
    return function


@pytest.mark.parametrize("name", FILES)
def test_example(name, run_example):
    results = run_example(name)
    books = results.summary["ledger"]
    assert results.summary["status"] == "complete"
    assert abs(books["carrier"]["relative_imbalance"]) <= 1e-10
    assert abs(books["drug"]["relative_imbalance"]) <= 1e-10
    for series in results.history_series.values():
        assert np.isfinite(series.values).all()
    LESSONS[name](results)


def series(results, name):
    return results.history_series[name].values


def at(results, name, time):
    """The value written down at ``time`` (s), which must be an output."""
    row = np.flatnonzero(np.isclose(results.history_coords["time"], time, rtol=1e-12, atol=1e-9))
    assert row.size, f"nothing written down at {time} s"
    return series(results, name)[row[0]]


def account(results, time, which):
    books = results.history_coords["account"]
    return at(results, "ledger", time)[0, books.index(which)]


def dose_fractions(summary, names):
    return sum(summary["segments"][name]["dose_fraction"] for name in names)


def gauge_drive(temperature, ambient, volume):
    """Pressure before the restrictor of the example's pump, after its propellant, Clausius-Clapeyron, and bellows."""
    gas = PROPELLANTS["R-11"]
    vapour = 101325.0 * np.exp(-gas.enthalpy / 8.314462618 * (1.0 / temperature - 1.0 / gas.boiling_point))
    full = 101325.0 * np.exp(-gas.enthalpy / 8.314462618 * (1.0 / 310.15 - 1.0 / gas.boiling_point))
    return vapour - ambient - 0.05 * (full - 101325.0 - 95.0 * 133.322387415) * (1.0 - volume / 30e-6)


@lesson
def baseline(results):
    summary = results.summary
    # From 95 mmHg into an empty pocket: Hagen-Poiseuille through 0.85 mm of wall, and Sampson's creeping entrance and
    # exit (24 mu Q / d^3), of heparin saline. The arteries up to the tip take half a percent of the pressure.
    resistance = 0.72e-3 * (128.0 * 0.85e-3 / (pi * (12e-6) ** 4) + 24.0 / (12e-6) ** 3)
    closed_form = 95 * 133.322 / resistance
    assert at(results, "catheter_leak_flow_rate", 5 * DAY + 3600.0) == pytest.approx(closed_form, rel=0.01, abs=0.0)
    assert at(results, "catheter_leak_flow_rate", 5 * DAY) == 0.0
    delivered = np.array([at(results, "segment_drug_delivered", day * DAY)[0] for day in (0, 5, 10, 14)])
    by_day = np.diff(delivered.sum(axis=1)) / (5, 5, 4)
    assert by_day[1] < 0.5 * by_day[0]  # the leak takes more than half
    names = results.history_coords["segment"]
    right = [names.index(name) for name in (*RIGHT, "metastasis")]
    share = [(delivered[k + 1] - delivered[k])[right].sum() for k in (0, 2)] / np.diff(delivered.sum(axis=1))[[0, 2]]
    nodes, flow = results.history_coords["terminal"], at(results, "terminal_flow_rate", 14 * DAY)
    into_right = flow[[nodes.index(f"segment_{number}") for number in (5, 6, 7, 8)]].sum() / flow.sum()
    assert share[1] < 0.65 * share[0]  # the stenosis starves the right side
    assert share[1] == pytest.approx(into_right, rel=2e-3)  # as it does of blood
    assert account(results, 28 * DAY, "withdrawn") > 0.0
    assert summary["twin"]["catheter"]["leaked_volume_m3"] == 0.0


@lesson
def tip_occlusion(results):
    summary = results.summary
    stopped = summary["pump"]["stalled_at_s"]
    assert 6 * DAY < stopped <= 9 * DAY + 2 * 3600.0
    found = at(results, "pump_reservoir_volume", 14 * DAY)
    assert at(results, "pump_outlet_pressure", 14 * DAY) == pytest.approx(
        gauge_drive(310.15, 101325.0, found), rel=1e-4
    )
    assert summary["pump"]["max_pressure_pa"] == pytest.approx(gauge_drive(310.15, 101325.0, 31.5e-6), rel=2e-3)
    assert account(results, 10 * DAY, "catheter") > 0.0
    late = series(results, "catheter_tip_flow_rate")[results.history_coords["time"] > 10 * DAY]
    assert np.abs(late).max() < 1e-6 * 1.3 * ML_PER_DAY
    row = summary["detection"][0]
    assert row["delivered_volume_at_refill_at_s"] == 14 * DAY


@lesson
def connector_leak(results):
    pump, tip = (series(results, name) for name in ("pump_flow_rate", "catheter_tip_flow_rate"))
    time = results.history_coords["time"]
    after = time > 4 * DAY + 6 * 3600.0
    assert (tip[after] < 0.0).all()  # blood runs backwards
    assert (tip[(time > 0) & (time < 4 * DAY)] > 0.99 * 1.2 * ML_PER_DAY).all()
    # All the infusate is lost: what leaks is what leaves the pump.
    lost, given = series(results, "leak_drug_rate")[after, 0], pump[after] * 6.4615e0
    assert np.median(lost / given) == pytest.approx(1.0, abs=2e-3)
    delivered = series(results, "segment_drug_delivered")[:, 0].sum(axis=1)
    assert delivered[-1] == pytest.approx(delivered[time == 4 * DAY + 6 * 3600.0][0], rel=1e-3, abs=0.0)
    # In the end the pocket is at the artery's pressure, and takes what the tissue absorbs.
    absorbed = 1e-14 * series(results, "pump_outlet_pressure")[-1]
    assert pump[-1] - tip[-1] == pytest.approx(absorbed, rel=0.02, abs=0.0)
    assert -tip[after].min() > 3.0 * -tip[-1]  # first a rush, then the pocket holds
    assert results.summary["detection"][0]["observable"] == "scan-agent distribution"
    assert results.summary["catheter"]["blood_fraction_at_end"] > 0.99


@lesson
def dislodgement(results):
    nodes = results.history_coords["terminal"]
    delivered = [at(results, "terminal_drug_delivered", day * DAY)[0] for day in (7, 8, 14)]
    before, after = delivered[0], delivered[2] - delivered[1]
    flow = at(results, "terminal_flow_rate", 14 * DAY)
    gut = nodes.index("gastroduodenal")
    assert before[gut] == 0.0
    assert after[gut] / after.sum() == pytest.approx(flow[gut] / flow.sum(), rel=1e-3)
    assert flow[gut] / flow.sum() == pytest.approx(0.22, abs=0.01)
    pump, planned = (each["pump"]["infused_volume_m3"] for each in (results.summary, results.summary["twin"]))
    assert pump == pytest.approx(planned, rel=0.01, abs=0.0)  # the pump knows nothing


@lesson
def replaced_right_hepatic(results):
    segments = results.summary["segments"]
    assert max(abs(segments[name]["drug_delivered_kg"]) for name in RIGHT) == 0.0
    assert dose_fractions(results.summary, LEFT) > 0.98
    assert min(segments[name]["arterial_flow_m3_per_s"] for name in RIGHT) > 0.0  # they have blood, and no drug


@lesson
def right_hepatic_stenosis(results):
    summary, twin = results.summary, results.summary["twin"]
    right, left = (
        [summary["segments"][n]["drug_delivered_kg"] / twin["segments"][n]["drug_delivered_kg"] for n in side]
        for side in (RIGHT, LEFT)
    )
    assert max(right) < 0.95
    assert min(left) > 1.05
    assert dose_fractions(summary, RIGHT + LEFT) == pytest.approx(dose_fractions(twin, RIGHT + LEFT), rel=1e-4)
    # The tip's pressure rises by about 1 mmHg before the narrowing: -3.2 % of flow for 10 mmHg.
    assert summary["pump"]["infused_volume_m3"] == pytest.approx(
        twin["pump"]["infused_volume_m3"], rel=4e-3, abs=0.0
    )
    for name, segment in (("right metastasis", "VII"), ("left metastasis", "III")):
        lost = summary["tumours"][name]["drug_delivered_kg"] / twin["tumours"][name]["drug_delivered_kg"]
        own = summary["segments"][segment]["drug_delivered_kg"] / twin["segments"][segment]["drug_delivered_kg"]
        assert lost == pytest.approx(own, rel=1e-9, abs=0.0)
    assert summary["detection"][0]["observable"] == "scan-agent distribution"
    assert summary["detection"][0]["delivered_volume_at_refill_at_s"] is None


@lesson
def altitude_and_fever(results):
    time, volume = results.history_coords["time"], series(results, "pump_reservoir_volume")
    patient = {
        2: (310.15, 101300.0), 5: (312.15, 101300.0), 7: (310.15, 101300.0), 8.375: (310.15, 75000.0),
        12: (310.15, ambient_pressure(2000.0)),
    }  # fmt: skip
    law, found = [], []
    for day, (temperature, ambient) in patient.items():
        row = int(np.flatnonzero(np.isclose(time, day * DAY))[0])
        middle = 0.5 * (volume[row] + volume[row - 1])
        drop = gauge_drive(temperature, ambient, middle) - series(results, "pump_outlet_pressure")[row]
        law.append(drop / viscosity_at(temperature))
        found.append((volume[row - 1] - volume[row]) / (time[row] - time[row - 1]))
    np.testing.assert_allclose(np.array(found) / found[0], np.array(law) / law[0], rtol=1e-4)
    assert found[1] / found[0] == pytest.approx(1.0 + 2 * 0.14, rel=0.05)  # +12 %/K by pressure, +2 %/K by viscosity


@lesson
def peristaltic_day_profile(results):
    mean = (14 * 0.6 + 7 * 2.4 + 3 * 0.6) / 24 * ML_PER_DAY
    assert results.summary["pump"]["mean_flow_rate_m3_per_s"] == pytest.approx(mean, rel=1e-9, abs=0.0)
    for day in range(7):
        for hour, millilitres in ((13.5, 0.6), (14.5, 2.4), (21, 2.4), (21.5, 0.6)):
            found = at(results, "pump_flow_rate", day * DAY + hour * 3600.0)
            assert found == pytest.approx(millilitres * ML_PER_DAY, rel=1e-9, abs=0.0), (day, hour)
    assert results.summary["pump"]["stalled_at_s"] is None


@lesson
def refill_dose_adjustment(results):
    def concentration(time):
        return account(results, time, "reservoir") / at(results, "pump_reservoir_volume", time)

    first, step = concentration(0.0), 4 * 3600.0
    assert first == pytest.approx(0.12e-6 * 70 / 1.3e-6, rel=1e-9)
    saline = concentration(14 * DAY + step)
    assert saline == pytest.approx(first * 1.5 / 31.5, rel=1e-9, abs=0.0)  # the residual volume mixes in
    second = concentration(28 * DAY + step)
    assert second == pytest.approx((0.5 * first * 30.0 + saline * 1.5) / 31.5, rel=1e-9)
    delivered = np.array([at(results, "segment_drug_delivered", day * DAY)[0].sum() for day in (0, 14, 28, 42, 56)])
    by_fill = np.diff(delivered)
    assert by_fill[2] / by_fill[0] == pytest.approx(second / first, rel=0.02)
    assert by_fill[1] < 0.1 * by_fill[0]


@lesson
def scan_agent_bolus(results):
    summary = results.summary
    rows = [summary["segments"][name] for name in LEFT + RIGHT]
    delivered = np.array([row["drug_delivered_kg"] for row in rows])
    flow = np.array([row["arterial_flow_m3_per_s"] for row in rows])
    np.testing.assert_allclose(delivered / delivered.sum(), flow / flow.sum(), rtol=0.01)
    assert summary["pump"]["bolus_volume_m3"] == pytest.approx(0.8e-6, rel=1e-9, abs=0.0)
    assert summary["ledger"]["drug"]["filled_kg"] == pytest.approx(0.5e-6, rel=1e-9, abs=0.0)
    assert delivered.sum() > 0.99 * 0.5e-6  # the flush clears the line
    # 94 % lodge; the rest passes the liver's blood (a residence of half a minute), so some of it is still there.
    lodged = summary["ledger"]["drug"]["liver_kg"] / delivered.sum()
    assert 0.94 < lodged < 0.96
    tumour, segment = summary["tumours"]["metastasis"], summary["segments"]["VIII"]
    ratio = tumour["drug_delivered_kg"] / tumour["volume_m3"] / (segment["drug_delivered_kg"] / segment["volume_m3"])
    assert ratio == pytest.approx(3.0, rel=0.15)


def cells_of(results):
    """Volumes (m,) of the liver's cells, and the arrays on them."""
    corners = results.liver.points[results.liver.tetra]
    return np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6.0, results.liver.cell_data


@lesson
def liver_tumour_segment_six(results):
    volume, data = cells_of(results)
    inside = data["tumour"] == 1
    dead = inside & (data["arterial_perfusion_ml_per_min_per_100ml"] == 0.0)
    assert (data["couinaud_segment"][inside] == 6).mean() > 0.8  # a sphere may lie over a border
    assert volume[inside].sum() == pytest.approx(pi / 6.0 * 0.04**3, rel=0.05)
    assert volume[dead].sum() == pytest.approx(0.2 * volume[inside].sum(), rel=0.1)
    exposure = data["exposure_kg_s_per_m3"]
    rim, normal = inside & ~dead, ~inside & (data["couinaud_segment"] == 6)
    means = [np.average(exposure[cells], weights=volume[cells]) for cells in (rim, normal, dead)]
    assert means[0] > 10.0 * means[1]  # a tumour keeps no enzyme that clears the drug
    assert means[2] < 1e-6 * means[0]
    ratio = results.summary["tumours"]["segment six metastasis"]["arterial_perfusion_ml_per_min_per_100ml"]
    assert ratio / results.summary["segments"]["VI"]["arterial_perfusion_ml_per_min_per_100ml"] > 1.3


@lesson
def liver_right_hepatic_occluded(results):
    segments = results.summary["segments"]
    for name in RIGHT:
        assert segments[name]["under_perfused_volume_m3"] > 0.95 * segments[name]["volume_m3"]
    for name in ("II", "III"):
        assert segments[name]["under_perfused_volume_m3"] == 0.0
    last, early = results.liver.frames[-1], results.liver.frames[len(results.liver.frames) // 3]
    volume, data = cells_of(results)
    right = np.isin(data["couinaud_segment"], (5, 6, 7, 8))
    kept = [frame[right] @ volume[right] / (frame[~right] @ volume[~right]) for frame in (early, last)]
    assert kept[1] < 0.1 * kept[0]
    starved = right & (data["arterial_territory"] >= 0) & (last < 0.2 * early)
    assert volume[starved].sum() == pytest.approx(volume[right].sum(), rel=0.1)


@lesson
def liver_leak(results):
    summary = results.summary
    names = [*LEFT, *RIGHT]
    lost = [
        summary["segments"][name]["drug_delivered_kg"] / summary["twin"]["segments"][name]["drug_delivered_kg"]
        for name in names
    ]
    assert max(lost) - min(lost) < 1e-3  # all segments fade alike
    assert max(lost) < 0.65
    assert summary["liver"]["under_perfused_volume_m3"] == 0.0
    assert summary["tumours"]["segment six metastasis"]["drug_delivered_kg"] > 0.0
