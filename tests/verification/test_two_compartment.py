"""Systemic kinetics against the bi-exponential solution of an intravenous bolus.

c_1(t) = D/V_1 [ (a - k21)/(a - b) exp(-a t) + (k21 - b)/(a - b) exp(-b t) ], a + b = k10 + k12 + k21, a b = k10 k21
(Gibaldi & Perrier 1982, eq. 2.18).
"""

import numpy as np
import pytest
from scipy.linalg import expm

from haiflow.body.exposure import area_under_curve
from haiflow.body.model import Body, SystemicKinetics, systemic_clearance, transport

DRUG = SystemicKinetics("drug", 12e-3, 30e-3, 0.8e-3 / 60, 2.0e-3 / 60)
DOSE = 1e-4  # kg


def closed_form(t: np.ndarray) -> np.ndarray:
    k10, k12, k21 = (
        DRUG.total_clearance / DRUG.central_volume, DRUG.distribution_clearance / DRUG.central_volume,
        DRUG.distribution_clearance / DRUG.peripheral_volume,
    )  # fmt: skip
    total = k10 + k12 + k21
    root = np.sqrt(total**2 - 4 * k10 * k21)
    a, b = (total + root) / 2, (total - root) / 2
    fast, slow = (a - k21) / (a - b), (k21 - b) / (a - b)
    return DOSE / DRUG.central_volume * (fast * np.exp(-a * t) + slow * np.exp(-b * t))


def test_bolus_is_biexponential() -> None:
    balance = transport(Body(), DRUG, 0.0, 0.0)
    generator = balance.rate.toarray() / balance.volume[:, None]
    start = np.array([DOSE / DRUG.central_volume, 0.0])
    times = np.array([0.0, 60.0, 600.0, 3600.0, 4 * 3600.0])
    found = np.array([expm(generator * t) @ start for t in times])
    np.testing.assert_allclose(found[:, 0], closed_form(times), rtol=1e-11)


def test_exposure_is_dose_over_clearance() -> None:
    times = np.linspace(0.0, 40 * 3600.0, 40_001)
    assert area_under_curve(times, closed_form(times)) == pytest.approx(DOSE / DRUG.total_clearance, rel=1e-4)


def test_without_a_peripheral_volume_there_is_one_exponential() -> None:
    balance = transport(Body(), SystemicKinetics("drug", 10e-3, total_clearance=1e-5), 0.0, 0.0)
    assert balance.names == ("central",)
    assert balance.rate.toarray()[0, 0] == -1e-5


def test_the_livers_part_is_taken_out_of_total_clearance() -> None:
    body = Body(hepatic_flow=2.5e-5)
    drug = SystemicKinetics("drug", 0.01, total_clearance=4e-5, hepatic_extraction=0.8)
    assert systemic_clearance(body, drug).value == pytest.approx(2e-5, rel=1e-12, abs=0.0)
    assert systemic_clearance(body, drug).remarks == ()


def test_conflicting_clearances_are_said_and_never_negative() -> None:
    drug = SystemicKinetics("cisplatin", 0.01, total_clearance=0.4e-3 / 60, hepatic_extraction=0.5)
    found = systemic_clearance(Body(), drug)
    assert found.value == 0.0
    assert "cisplatin" in found.remarks[0]
    assert "0.4 L/min" in found.remarks[0]


@pytest.mark.parametrize(("arterial", "volume"), [(-1e-6, 0.01), (np.nan, 0.01), (1e-6, 0.0)])
def test_impossible_bodies_are_refused(arterial: float, volume: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        transport(Body(), SystemicKinetics("drug", volume), arterial, 1e-6)
