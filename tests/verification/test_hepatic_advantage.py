"""The coupled liver and body against the law of Dedrick and Collins, R_d = 1 + CL_TB / (Q_HA (1 - E)).

R_d is the ratio of hepatic arterial to systemic concentration at steady state with the infusion into the artery, over
the same with an infusion into a vein (where it is one). CL_TB counts the liver: CL_s + E (Q_HA + Q_PV). The circle of
body, artery, portal vein and liver is solved directly.
"""

import numpy as np
import pytest

from haiflow.body.exposure import dedrick_advantage, exposure_ratio
from haiflow.body.model import Body, SystemicKinetics
from haiflow.body.model import transport as body_transport
from haiflow.liver.build import DEFAULT_FRACTIONS, TumourSpec, build_liver
from haiflow.liver.kinetics import DrugKinetics
from haiflow.liver.model import Liver
from haiflow.liver.perfusion import arterial_supply, portal_split
from haiflow.liver.transport import transport as liver_transport

ARTERIAL = 400e-6 / 60
INFUSED = 1e-9  # kg/s


def steady(
    liver: Liver, drug: DrugKinetics, systemic: SystemicKinetics, *, into_artery: bool
) -> tuple[float, float, float]:
    """Hepatic arterial and systemic concentration (kg/m3), and what is eliminated (kg/s)."""
    supply = arterial_supply(liver, {name: ARTERIAL * share for name, share in DEFAULT_FRACTIONS.items()})
    lv, bd = liver_transport(liver, drug, supply), body_transport(Body(), systemic, ARTERIAL, liver.portal_flow)
    n, total = len(bd.names), len(bd.names) + len(lv.names)
    artery = np.array([supply.get(name, 0.0) / ARTERIAL for name in liver.names])
    portal = np.array([portal_split(liver)[name] for name in liver.names])
    into_liver = lv.gain.toarray() @ np.concatenate([artery, np.zeros_like(portal)])
    matrix = np.zeros((total, total))
    matrix[:n, :n], matrix[n:, n:] = bd.rate.toarray(), lv.rate.toarray()
    matrix[n:, :n] += np.outer(into_liver, bd.outlet.toarray()[0])
    from_portal = lv.gain.toarray() @ np.concatenate([np.zeros_like(artery), portal])
    matrix[n:, :n] += np.outer(from_portal, bd.outlet.toarray()[1])
    matrix[:n, n:] += np.outer(bd.gain.toarray()[:, 0], lv.outlet.toarray()[0])
    source = np.zeros(total)
    if into_artery:
        source[n:] = INFUSED * into_liver
    else:
        source[0] = INFUSED
    c = np.linalg.solve(matrix, -source)
    eliminated = float(np.concatenate([bd.loss, lv.loss]) @ c)
    return c[0] + (INFUSED / ARTERIAL if into_artery else 0.0), float(c[0]), eliminated


@pytest.mark.parametrize(
    ("ratio", "clearance_l_per_min"), [(0.95, 4.0), (0.95, 25.0), (0.35, 2.0), (0.15, 1.5), (0.0, 0.4)]
)
def test_advantage_of_the_arterial_route(ratio: float, clearance_l_per_min: float) -> None:
    liver, drug = build_liver(), DrugKinetics("drug", ratio)
    clearance = clearance_l_per_min * 1e-3 / 60
    systemic = SystemicKinetics("drug", 12e-3, 20e-3, 1e-5, clearance, ratio)
    artery, blood, eliminated = steady(liver, drug, systemic, into_artery=True)
    vein_artery, vein_blood, _ = steady(liver, drug, systemic, into_artery=False)
    assert eliminated == pytest.approx(INFUSED, rel=1e-10, abs=0.0)
    assert vein_blood == pytest.approx(INFUSED / clearance, rel=1e-10, abs=0.0)
    advantage = exposure_ratio(artery, blood) / exposure_ratio(vein_artery, vein_blood)
    assert advantage == pytest.approx(dedrick_advantage(clearance, ARTERIAL, ratio), rel=1e-9)


def test_a_tumour_that_does_not_metabolise_lowers_what_the_liver_takes() -> None:
    """So the law is an upper bound for a liver with tumours, by the part of the arterial flow that they take."""
    systemic = SystemicKinetics("drug", 12e-3, 20e-3, 1e-5, 4e-3 / 60, 0.95)
    sick = build_liver(tumours=[TumourSpec(0.05, segment="VIII", arterial_ratio=3.0)])
    artery, blood, eliminated = steady(sick, DrugKinetics("drug", 0.95), systemic, into_artery=True)
    assert eliminated == pytest.approx(INFUSED, rel=1e-10, abs=0.0)
    assert exposure_ratio(artery, blood) < dedrick_advantage(4e-3 / 60, ARTERIAL, 0.95)


def test_no_systemic_exposure_is_an_infinite_advantage() -> None:
    assert exposure_ratio(1.0, 0.0) == np.inf
