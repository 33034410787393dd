"""The liver extracts what the library says, to round-off, at the reference flow; off it by the closed form.

Steady state of V dc/dt = rate c + gain m_in with all inflow at one concentration, solved directly; the extraction ratio
is 1 - (what leaves by the hepatic veins) / (what enters).
"""

import numpy as np
import pytest
from scipy.sparse.linalg import spsolve

from haiflow.liver.build import DEFAULT_FRACTIONS, build_liver
from haiflow.liver.kinetics import DrugKinetics
from haiflow.liver.model import Liver
from haiflow.liver.perfusion import arterial_supply, perfusion
from haiflow.liver.transport import transport
from haiflow.scenario import library
from haiflow.scenario.model import Drug

REFERENCE_ARTERIAL = 400e-6 / 60


def extraction(liver: Liver, drug: DrugKinetics, arterial: dict[str, float]) -> float:
    balance = transport(liver, drug, arterial)
    flows = perfusion(liver, arterial)
    inflow = np.concatenate([flows.arterial_flow, flows.portal_flow])  # concentration one
    c = spsolve(balance.rate.tocsc(), -(balance.gain @ inflow))
    return 1.0 - float((balance.outlet @ c)[0]) / inflow.sum()


def uniform(liver: Liver, flow: float) -> dict[str, float]:
    return arterial_supply(liver, {name: flow * share for name, share in DEFAULT_FRACTIONS.items()})


@pytest.mark.parametrize("name", library.names("drugs"))
def test_library_drugs_at_the_reference_flow(name: str) -> None:
    given = Drug.model_validate(library.entry("drugs", name).values)
    drug = DrugKinetics(name, given.hepatic_extraction, given.tissue_partition, given.exchange)
    liver = build_liver()
    found = extraction(liver, drug, uniform(liver, REFERENCE_ARTERIAL))
    assert found == pytest.approx(given.hepatic_extraction, abs=1e-12)


def test_floxuridine_is_almost_wholly_extracted() -> None:
    """Ensminger 1978: 94 to 99 %."""
    assert 0.94 <= Drug.model_validate(library.entry("drugs", "floxuridine").values).hepatic_extraction <= 0.99


@pytest.mark.parametrize("ratio", [0.15, 0.35, 0.5, 0.95])
@pytest.mark.parametrize("volume", [0.9e-3, 1.5e-3])
def test_reference_flow_in_a_liver_of_any_size(ratio: float, volume: float) -> None:
    size = volume / 1.5e-3
    liver = build_liver(volume=volume, portal_flow=1100e-6 / 60 * size)
    found = extraction(liver, DrugKinetics("drug", ratio), uniform(liver, REFERENCE_ARTERIAL * size))
    assert found == pytest.approx(ratio, abs=1e-12)


@pytest.mark.parametrize("factor", [0.25, 3.0])
def test_off_the_reference_flow(factor: float) -> None:
    """E = CLe / (Q + CLe) with CLe of the reference flow: less is extracted when blood runs faster."""
    liver = build_liver(portal_flow=1100e-6 / 60 * factor)
    found = extraction(liver, DrugKinetics("drug", 0.6), uniform(liver, REFERENCE_ARTERIAL * factor))
    assert found == pytest.approx(1.5 / (factor + 1.5), abs=1e-12)
