"""Drug in the body: a central and a peripheral compartment that the liver's veins feed and the arteries drain.

    V_1 dc_1/dt = m_veins + m_absorption - (Q_artery + Q_portal) c_1 - CL_s c_1 - CL_d (c_1 - c_2)
    V_2 dc_2/dt = CL_d (c_1 - c_2)

The two-compartment model of Gibaldi & Perrier (Pharmacokinetics, 2nd ed., 1982, ch. 2) with the liver taken out of
total body clearance and put back as flow: blood leaves for the hepatic artery and the portal bed at the central
concentration and returns by the veins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from haiflow.ports import Floats, LinearTransport

LUNG_VOLUME = 1e-3  # m3 of lung tissue and blood [wk]


@dataclass(frozen=True, slots=True)
class SystemicKinetics:
    """A drug in the body: distribution volumes (m3), clearance between them and total body clearance (m3/s).

    ``hepatic_extraction`` in [0, 1) is the extraction ratio that the liver's model has at its reference flow; what the
    liver clears is taken out of ``total_clearance`` so that nothing is counted twice. ``trapped_fraction``: part of
    what the veins bring that lodges in the lungs for good (particles of a scan agent).
    """

    name: str
    central_volume: float
    peripheral_volume: float = 0.0
    distribution_clearance: float = 0.0
    total_clearance: float = 0.0
    hepatic_extraction: float = 0.0
    trapped_fraction: float = 0.0


@dataclass(frozen=True, slots=True)
class Body:
    """A patient's body: ``mass`` (kg) and the liver's reference flow (m3/s) by which hepatic clearance is reckoned."""

    mass: float = 70.0
    hepatic_flow: float = 1500e-6 / 60.0


@dataclass(frozen=True, slots=True)
class SystemicClearance:
    """Clearance outside the liver (m3/s), and what the sources disagree about."""

    value: float
    remarks: tuple[str, ...] = ()


def systemic_clearance(body: Body, drug: SystemicKinetics) -> SystemicClearance:
    """Total body clearance less the liver's ``E Q``, never negative; a remark where the two sources conflict."""
    hepatic = drug.hepatic_extraction * body.hepatic_flow
    rest = drug.total_clearance - hepatic
    if rest >= 0.0:
        return SystemicClearance(rest)
    remark = (
        f"{drug.name}: the liver alone clears {6e4 * hepatic:.3g} L/min at E = {drug.hepatic_extraction:g}, "
        f"more than the total body clearance of {6e4 * drug.total_clearance:.3g} L/min; none is left outside the liver"
    )
    return SystemicClearance(0.0, (remark,))


def transport(body: Body, drug: SystemicKinetics, arterial_inflow: float, portal_flow: float) -> LinearTransport:
    """The body's balance of ``drug``.

    ``arterial_inflow`` (m3/s) leaves by ``artery`` into the arterial root; ``portal_flow`` (m3/s) by ``portal`` is the
    portal vein's flow less what off-target beds already bring to it. Inlets are ``veins`` and ``absorption`` (what a
    tissue pocket gives back). Compartments: ``central``, ``peripheral`` where it has a volume, ``lungs`` where
    particles are trapped. Raises ``ValueError`` for a negative flow or a central volume that is not positive.
    """
    if not drug.central_volume > 0.0 or not min(arterial_inflow, portal_flow) >= 0.0:
        raise ValueError(f"{drug.name}: volumes must be positive and flows not negative")
    held = {"central": drug.central_volume}
    if drug.peripheral_volume > 0.0:
        held["peripheral"] = drug.peripheral_volume
    if drug.trapped_fraction > 0.0:
        held["lungs"] = LUNG_VOLUME
    names = tuple(held)
    clearance = systemic_clearance(body, drug).value
    central = np.eye(len(names))[0]
    rate = np.diag(-(arterial_inflow + portal_flow + clearance) * central)
    if "peripheral" in held:
        rate[:2, :2] += drug.distribution_clearance * np.array([[-1.0, 1.0], [1.0, -1.0]])
    return LinearTransport(
        names=names,
        volume=np.array(list(held.values())),
        rate=csr_array(rate),
        inlets=("veins", "absorption"),
        gain=csr_array(np.stack([_from_veins(names, drug.trapped_fraction), central], axis=1)),
        outlets=("artery", "portal"),
        outlet=csr_array(np.outer([arterial_inflow, portal_flow], central)),
        loss=clearance * central,
    )


def _from_veins(names: tuple[str, ...], trapped: float) -> Floats:
    """Shares (n,) of what the veins bring: venous blood meets the lungs before anything else."""
    return np.array([{"central": 1.0 - trapped, "lungs": trapped}.get(name, 0.0) for name in names])
