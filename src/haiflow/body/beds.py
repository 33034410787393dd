"""Off-target beds: the tissue behind an artery that does not feed the liver (stomach, duodenum, pancreas, ...).

Each bed is one well-mixed volume of blood and tissue in equilibrium, washed out by its flow:
``K V dc/dt = m_in - Q c``, into the portal vein (gut) or the systemic veins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag
from scipy.sparse import csr_array

from haiflow.ports import LinearTransport

DRAINS = ("portal", "veins")


@dataclass(frozen=True, slots=True)
class Bed:
    """The bed behind a terminal ``vessel`` with its ``flow_rate`` (m3/s) and distribution ``volume`` (m3).

    ``drains`` is ``portal`` or ``veins``. Where no volume is known one follows from ``residence_time`` (s) of blood in
    resting gut (1 mL/min per mL: 60 s [assumed]).
    """

    vessel: str
    flow_rate: float
    drains: str = "portal"
    tissue: str = ""
    volume: float | None = None
    residence_time: float = 60.0
    minimum_volume: float = 1e-6

    @property
    def distribution_volume(self) -> float:
        """Volume (m3); a bed whose artery is closed keeps a small one, so that what is in it stays defined."""
        return (
            self.volume if self.volume is not None else max(self.flow_rate * self.residence_time, self.minimum_volume)
        )


def bed_transport(beds: Iterable[Bed], trapped_fraction: float = 0.0) -> LinearTransport:
    """The beds' balance: a compartment a bed, inlets ``bed:<vessel>``, outlets ``portal`` and ``veins``.

    Of particles the ``trapped_fraction`` lodges for good in a second compartment a bed, ``bed:<vessel>:trapped``, which
    follow the first ones. Raises ``ValueError`` for a negative flow rate or an unknown drainage.
    """
    beds = tuple(beds)
    for bed in beds:
        if bed.drains not in DRAINS or not bed.flow_rate >= 0.0:
            raise ValueError(f"bed of {bed.vessel}: drains to {bed.drains!r} at {bed.flow_rate} m3/s")
    names = tuple(f"bed:{bed.vessel}" for bed in beds)
    flow = np.array([bed.flow_rate for bed in beds], dtype=float)
    volume = np.array([bed.distribution_volume for bed in beds], dtype=float)
    to = np.array([[bed.drains == drain for bed in beds] for drain in DRAINS], dtype=float).reshape(
        len(DRAINS), flow.size
    )
    washed, gain = np.diag(-flow), np.eye(flow.size)
    lodged = names if trapped_fraction > 0.0 else ()
    still = np.zeros((len(lodged), len(lodged)))
    if lodged:
        gain = np.vstack([(1.0 - trapped_fraction) * gain, trapped_fraction * gain])
    return LinearTransport(
        names=(*names, *(f"{name}:trapped" for name in lodged)),
        volume=np.concatenate([volume, volume[: len(lodged)]]),
        rate=csr_array(block_diag(washed, still)) if lodged else csr_array(washed),
        inlets=names,
        gain=csr_array(gain),
        outlets=DRAINS,
        outlet=csr_array(np.hstack([to * flow, np.zeros((len(DRAINS), len(lodged)))])),
        loss=np.zeros(flow.size + len(lodged)),
    )
