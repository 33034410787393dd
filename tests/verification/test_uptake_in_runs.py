"""What the liver takes up within whole runs: saturation, partition, and the drug that each artery carries to it."""

import numpy as np
import pytest

from haiflow.body.model import SystemicKinetics
from haiflow.liver.kinetics import DrugKinetics
from haiflow.liver.model import Liver, Territory
from haiflow.liver.transport import transport
from haiflow.numerics.joint import JointSystem
from haiflow.simulation.parts import Substance
from haiflow.simulation.routes import joint_step
from haiflow.verify.uptake import calibrated, fed_and_stopped

DRUG = {
    "diffusivity": "9e-10 m2/s", "hepatic_extraction": 0.6, "tissue_partition": 3.0, "total_clearance": "2 L/min",
    "central_volume": "13 L",
}  # fmt: skip


def series(results, name):
    return results.history_series[name].values


# Saturation.


@pytest.mark.parametrize("load", [0.2, 1.0, 5.0])  # of what the tissue can metabolise at most
def test_saturable_uptake_follows_michaelis_and_menten(load):
    """Blood and tissue when the drug is stopped, and at the end."""
    time, found, exact = fed_and_stopped(load)
    assert [time[120], time[-1]] == [120.0, 140.0]
    for end in (120, -1):
        np.testing.assert_allclose(found[end], exact[end], rtol=2e-3)


@pytest.mark.parametrize("load", [0.3, 3.0])
def test_saturated_steady_state(load):
    """One long step to the plateau: extraction by the quadratic of Michaelis and Menten, no more of it by time."""
    volume, flow, half = 0.3e-3, 4e-6, 2e-3
    exchange, intrinsic = (value * volume for value in calibrated(0.7))
    liver = Liver((Territory("V", "segment", "V", volume),), flow)
    kinetics = DrugKinetics("drug", extraction_ratio=0.7, half_saturation=half)
    substance = Substance("drug", 1e-9, kinetics, SystemicKinetics("drug", 0.013))
    system = JointSystem({"liver": transport(liver, kinetics, {})})
    source = load * intrinsic * half
    # With blood c, tissue t: source = Q c + PS (c - t) and PS (c - t) = CLi t / (1 + t / Km), a quadratic in t.
    a = flow * exchange / (flow + exchange)
    inflow = source * exchange / (flow + exchange)
    tissue = np.roots([a / half, a + intrinsic - inflow / half, -inflow]).max()
    blood = (source + exchange * tissue) / (flow + exchange)
    c = np.array([blood, tissue])
    for _ in range(3):
        step = joint_step(system, substance, liver, c, 3600.0, {"liver.portal:V": source})
        c = step.c_new
    np.testing.assert_allclose(c, [blood, tissue], rtol=1e-6)
    assert step.lost.sum() / 3600.0 == pytest.approx(intrinsic * tissue / (1 + tissue / half), rel=1e-6, abs=0.0)


# Tissue.


@pytest.fixture(scope="module")
def bound(chain, run):
    """A run with a drug that binds to tissue threefold, without saturation."""
    fill = {"drug": "binder", "concentration": "5 mg/mL", "volume": "30 mL"}
    return run(chain(drugs={"binder": DRUG}, pump__fill=fill))


def test_exposure_of_tissue_is_what_was_metabolised_over_clearance(bound):
    """Drug per volume of tissue is K times the level c that the clearance sees: metabolised = CLi V int c dt."""
    _, intrinsic = calibrated(0.6)
    summary = bound.summary
    in_tissue = sum(row["volume_m3"] * row["exposure_kg_s_per_m3"] for row in summary["segments"].values())
    metabolised = summary["ledger"]["drug"]["eliminated_in_liver_kg"]
    assert intrinsic * in_tissue / 3.0 == pytest.approx(metabolised, rel=1e-9, abs=0.0)
    for row in summary["segments"].values():
        mean = row["exposure_kg_s_per_m3"] / summary["duration_s"]
        assert row["mean_tissue_concentration_kg_per_m3"] == pytest.approx(mean, rel=1e-12, abs=0.0)


def test_tissue_is_at_partition_times_what_blood_gives_it(bound):
    """In the end, and at the plateau's peak: PS (c_b - c) = CLi c, and K c per volume of tissue."""
    exchange, intrinsic = calibrated(0.6)
    blood = series(bound, "segment_blood_concentration")[-1, 0]
    expected = 3.0 * exchange / (exchange + intrinsic) * blood
    np.testing.assert_allclose(series(bound, "segment_tissue_concentration")[-1, 0], expected, rtol=1e-3)
    for name, level in zip(bound.history_coords["segment"], expected, strict=True):
        row = bound.summary["segments"][name]
        assert row["peak_tissue_concentration_kg_per_m3"] == pytest.approx(level, rel=0.01, abs=0.0)
    held = bound.summary["ledger"]["drug"]["liver_kg"]
    volume = np.array([bound.summary["segments"][name]["volume_m3"] for name in bound.history_coords["segment"]])
    assert held == pytest.approx(float(volume @ (0.14 * blood + 0.86 * expected)), rel=1e-3, abs=0.0)


# What the arteries carry there.


def carried(results):
    return {name: row["drug_carried_kg"] for name, row in results.summary["arteries"].items()}


def delivered(results):
    names = results.history_coords["terminal"]
    return dict(zip(names, series(results, "terminal_drug_delivered")[-1, 0], strict=True))


def test_a_terminal_artery_carries_what_its_terminal_delivers(bound):
    mass, ends = carried(bound), delivered(bound)
    for vessel in ("gut", "right", "left"):
        assert mass[vessel] == pytest.approx(ends[vessel], rel=1e-9, abs=0.0)
    # Less what the arteries hold, a few seconds' worth of a day.
    assert mass["trunk"] == pytest.approx(sum(ends.values()), rel=1e-3, abs=0.0)


def test_beat_by_beat_the_arteries_carry_as_much(chain, run):
    """A bolus and its flush on the pulse clock: all that came out of the tip has gone through the trunk."""
    bolus = {"agent": "tc99m-maa", "amount": "0.5 mg", "volume": "0.1 mL", "rate": "0.2 mL/s"}
    schedule = [{"at": "0.1 s", "bolus": bolus}, {"at": "0.7 s", "bolus": {"volume": "0.3 mL", "rate": "0.2 mL/s"}}]
    results = run(chain(
        pump__fill={"drug": "none", "volume": "30 mL"}, schedule=schedule,
        run={"clock": "pulse", "duration": "4 s", "output_every": "1 s"},
    ))  # fmt: skip
    mass, ends = carried(results), delivered(results)
    assert sum(ends.values()) > 0.9 * 0.5e-6
    for vessel in ("gut", "right", "left"):
        assert mass[vessel] == pytest.approx(ends[vessel], rel=0.01, abs=0.0)
    assert mass["trunk"] == pytest.approx(sum(ends.values()), rel=0.01, abs=0.0)
    # So has the mean level at the end of each, by its own blood.
    network = results.network
    for vessel in ("trunk", "right", "left"):
        blood = results.summary["arteries"][vessel]["mean_flow_rate_m3_per_s"] * results.summary["duration_s"]
        found = network.concentration[network.vessel == network.vessel_names.index(vessel)][-1]
        assert found == pytest.approx(mass[vessel] / blood, rel=0.02, abs=0.0)
