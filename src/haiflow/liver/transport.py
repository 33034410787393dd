"""Drug in the liver: the balance of blood and tissue in every territory.

For a territory with blood volume V_b, tissue distribution volume K V_t (concentrations of tissue are blood-equivalent:
the amount per volume of tissue is K c_t), flows Q_a and Q_p, exchange PS and intrinsic clearance CLi:

    V_b   dc_b/dt = m_artery + m_portal - (Q_a + Q_p) c_b - PS (c_b - c_t)
    K V_t dc_t/dt = PS (c_b - c_t) - CLi / (1 + c_t / Km) c_t

Two-compartment form of Goresky's sinusoid (1964, Am J Physiol 207:13), well mixed; saturation after Michaelis and
Menten, with the clearance frozen at the given estimate of c_t so that the balance stays linear.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.sparse import csr_array

from haiflow.liver.kinetics import Calibration, DrugKinetics, calibrate
from haiflow.liver.model import Liver
from haiflow.liver.perfusion import portal_supply
from haiflow.ports import Floats, LinearTransport


def blood(territory: str) -> str:
    """Name of a territory's blood compartment."""
    return f"{territory}:blood"


def tissue(territory: str) -> str:
    """Name of a territory's tissue compartment."""
    return f"{territory}:tissue"


def transport(
    liver: Liver,
    drug: DrugKinetics,
    arterial_flow: Mapping[str, float],
    concentration: Floats | None = None,
    *,
    portal_flow: Mapping[str, float] | None = None,
) -> LinearTransport:
    """The liver's balance of ``drug``: compartments blood and tissue of every territory, alternating.

    Parameters
    ----------
    arterial_flow: m3/s by territory (see :func:`haiflow.liver.arterial_supply`), none where missing.
    concentration: (2 n,) kg/m3, estimate at which saturable clearance is taken; zero where not given.
    portal_flow: m3/s by territory, where it is not the liver's own.

    Inlets ``artery:<territory>`` and ``portal:<territory>`` (n each), outlet ``hepatic_veins``; the loss is metabolism.
    Raises ``ValueError`` for a negative flow rate or a territory that does not exist.
    """
    names, n = liver.names, len(liver.names)
    flow = _flows(names, arterial_flow) + _flows(names, portal_supply(liver) if portal_flow is None else portal_flow)
    volume = np.array([item.volume for item in liver.territories])
    calibration = calibrate(drug, liver.reference_perfusion)
    ratio = np.array([item.exchange_ratio for item in liver.territories])
    exchange = calibration.permeability_surface * ratio * volume
    clearance = _clearance(liver, drug, calibration, np.zeros(2 * n) if concentration is None else concentration)
    return LinearTransport(
        names=tuple(name for item in names for name in (blood(item), tissue(item))),
        volume=_interleaved(liver.blood_fraction * volume, drug.partition * (1.0 - liver.blood_fraction) * volume),
        rate=_rate(flow, exchange, clearance),
        inlets=tuple(f"{route}:{name}" for route in ("artery", "portal") for name in names),
        gain=_gain(n, drug.trapped_fraction),
        outlets=("hepatic_veins",),
        outlet=csr_array(_interleaved(flow, np.zeros(n))[None, :]),
        loss=_interleaved(np.zeros(n), clearance),
    )


def metabolism(liver: Liver, drug: DrugKinetics, concentration: Floats) -> Floats:
    """The loss (2 n,) m3/s alone, with saturable clearance taken at ``concentration`` (2 n,) kg/m3."""
    clearance = _clearance(liver, drug, calibrate(drug, liver.reference_perfusion), concentration)
    return _interleaved(np.zeros(clearance.size), clearance)


def tissue_concentration(drug: DrugKinetics, concentration: Floats) -> Floats:
    """Drug per volume of tissue (kg/m3), (..., n) by territory, from the compartments' concentrations (..., 2 n)."""
    return drug.partition * np.asarray(concentration)[..., 1::2]


def _flows(names: tuple[str, ...], flow: Mapping[str, float]) -> Floats:
    unknown = set(flow) - set(names)
    values = np.array([flow.get(name, 0.0) for name in names])
    if unknown:
        raise ValueError(f"flow into territories that the liver does not have: {sorted(unknown)}")
    if not np.all(values >= 0.0):
        raise ValueError(
            f"flow into a territory must not be negative: {dict(zip(names, values.tolist(), strict=True))}"
        )
    return values


def _interleaved(first: Floats, second: Floats) -> Floats:
    return np.stack([first, second], axis=1).ravel()


def _clearance(liver: Liver, drug: DrugKinetics, calibration: Calibration, concentration: Floats) -> Floats:
    ratio = np.array([item.metabolism_ratio * item.volume for item in liver.territories])
    in_tissue = np.maximum(concentration[1::2], 0.0)
    return calibration.intrinsic_clearance * ratio / (1.0 + in_tissue / drug.half_saturation)


def _rate(flow: Floats, exchange: Floats, clearance: Floats) -> csr_array:
    at_blood = 2 * np.arange(flow.size)
    at_tissue = at_blood + 1
    row = np.concatenate([at_blood, at_blood, at_tissue, at_tissue])
    column = np.concatenate([at_blood, at_tissue, at_blood, at_tissue])
    value = np.concatenate([-(flow + exchange), exchange, exchange, -(exchange + clearance)])
    return csr_array((value, (row, column)), shape=(2 * flow.size, 2 * flow.size))


def _gain(n: int, trapped: float) -> csr_array:
    """Either inflow goes to blood, less the particles that lodge in tissue at once."""
    inlet, territory = np.arange(2 * n), np.tile(np.arange(n), 2)
    row = np.concatenate([2 * territory, 2 * territory + 1])
    value = np.repeat([1.0 - trapped, trapped], 2 * n)
    return csr_array((value, (row, np.tile(inlet, 2))), shape=(2 * n, 2 * n))
