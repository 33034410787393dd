"""Intrinsic clearance: closed forms of the well-mixed pair, weak exchange, particles, saturation."""

import numpy as np
import pytest

from haiflow.liver.build import TumourSpec, build_liver
from haiflow.liver.kinetics import DrugKinetics, calibrate
from haiflow.liver.perfusion import portal_supply
from haiflow.liver.transport import blood, tissue, tissue_concentration, transport

PERFUSION = 1 / 60


def extracted(exchange: float, clearance: float, flow: float) -> float:
    effective = exchange * clearance / (exchange + clearance)
    return effective / (flow + effective)


@pytest.mark.parametrize("ratio", [0.0, 0.15, 0.5, 0.95, 0.99])
@pytest.mark.parametrize("exchange", [None, 5.0])
def test_calibration_gives_the_extraction_ratio(ratio: float, exchange: float | None) -> None:
    found = calibrate(DrugKinetics("drug", ratio, permeability_surface=exchange), PERFUSION)
    assert found.remarks == ()
    assert extracted(found.permeability_surface, found.intrinsic_clearance, PERFUSION) == pytest.approx(
        ratio, abs=1e-14
    )


def test_exchange_too_weak_is_raised_and_said() -> None:
    found = calibrate(DrugKinetics("floxuridine", 0.95, permeability_surface=3 * PERFUSION), PERFUSION)
    assert found.permeability_surface > 19 * PERFUSION
    ratio = extracted(found.permeability_surface, found.intrinsic_clearance, PERFUSION)
    assert ratio == pytest.approx(0.95, rel=1e-13, abs=0.0)
    assert len(found.remarks) == 1
    assert "floxuridine" in found.remarks[0]


@pytest.mark.parametrize("ratio", [-0.1, 1.0, np.nan])
def test_impossible_extraction_is_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match="extraction ratio"):
        calibrate(DrugKinetics("drug", ratio), PERFUSION)


def test_clearance_halves_at_half_saturation() -> None:
    liver = build_liver()
    drug = DrugKinetics("drug", 0.5, half_saturation=2e-3)
    arterial = dict.fromkeys(liver.names, 1e-06)
    low = transport(liver, drug, arterial)
    high = transport(liver, drug, arterial, np.full(len(low.names), 2e-3))
    np.testing.assert_allclose(high.loss[1::2], 0.5 * low.loss[1::2], rtol=1e-14)
    assert np.all(low.loss[1::2] > 0.0)


def test_a_tumours_exchange_is_its_share_of_the_livers() -> None:
    """As in 3D: what goes from a unit of its blood to its tissue is ``exchange_ratio`` times normal tissue's."""
    tumour = TumourSpec(0.03, segment="V", name="tumour", exchange_ratio=0.2)
    liver = build_liver(tumours=[tumour])
    balance = transport(liver, DrugKinetics("drug", 0.5), dict.fromkeys(liver.names, 1e-6))
    rate, volume = balance.rate.toarray(), {item.name: item.volume for item in liver.territories}
    at = balance.names.index
    across = {name: rate[at(tissue(name)), at(blood(name))] for name in ("V", "tumour")}
    assert across["V"] > 0.0
    assert across["tumour"] / volume["tumour"] == pytest.approx(0.2 * across["V"] / volume["V"], rel=1e-12)
    np.testing.assert_allclose(rate.sum(axis=0), -balance.outlet.toarray()[0] - balance.loss, atol=1e-18)


def test_particles_stay_where_they_lodge() -> None:
    liver = build_liver()
    agent = DrugKinetics("macroaggregates", trapped_fraction=0.93)
    balance = transport(liver, agent, dict.fromkeys(liver.names, 1e-06))
    entry = balance.gain.toarray()[:, balance.inlets.index("artery:V")]
    assert entry[balance.names.index(tissue("V"))] == pytest.approx(0.93)
    assert entry[balance.names.index(blood("V"))] == pytest.approx(0.07)
    lodged = balance.names.index(tissue("V"))
    assert np.all(balance.rate.toarray()[:, lodged] == 0.0)
    assert balance.loss[lodged] == 0.0


def test_tissue_holds_partition_times_the_blood_equivalent() -> None:
    liver = build_liver()
    drug = DrugKinetics("drug", partition=4.0)
    balance = transport(liver, drug, {})
    volume = np.array([item.volume for item in liver.territories])
    amount = balance.volume * np.tile([0.0, 2.0], len(liver.names))
    solid = tissue_concentration(drug, np.tile([0.0, 2.0], len(liver.names)))
    np.testing.assert_allclose(amount[1::2], solid * (1 - liver.blood_fraction) * volume, rtol=1e-14)


def test_bad_flows_are_refused() -> None:
    liver = build_liver()
    with pytest.raises(ValueError, match="negative"):
        transport(liver, DrugKinetics("drug"), {"V": -1e-9})
    with pytest.raises(ValueError, match="negative"):
        transport(liver, DrugKinetics("drug"), {"V": np.nan})
    with pytest.raises(ValueError, match="does not have"):
        transport(liver, DrugKinetics("drug"), {"IX": 1e-9})


def test_given_portal_flow_replaces_the_livers_own() -> None:
    liver = build_liver()
    twice = {name: 2 * flow for name, flow in portal_supply(liver).items()}
    out = transport(liver, DrugKinetics("drug"), {}, portal_flow=twice).outlet.toarray()
    np.testing.assert_allclose(out.sum(), 2 * liver.portal_flow, rtol=1e-14)
