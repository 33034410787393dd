"""What the body's equations are made of; their solution is a case of ``haiflow verify body``."""

import numpy as np
import pytest

from haiflow.body.beds import Bed
from haiflow.body.exposure import exposure_ratio
from haiflow.body.model import Body, SystemicKinetics, systemic_clearance, transport


def test_no_systemic_exposure_is_an_infinite_advantage() -> None:
    assert exposure_ratio(1.0, 0.0) == np.inf


def test_a_bed_of_unknown_size_holds_its_bloods_residence_time() -> None:
    assert Bed("gut", 2e-6).distribution_volume == pytest.approx(120e-6, rel=1e-12, abs=0.0)
    assert Bed("gut", 2e-6, residence_time=30.0).distribution_volume == pytest.approx(60e-6, rel=1e-12, abs=0.0)
    assert Bed("gut", 2e-6, volume=5e-6).distribution_volume == 5e-6
    assert Bed("gut", 0.0).distribution_volume == 1e-6


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
