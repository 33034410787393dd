"""A drug in the liver resolved in 3D: blood and tissue in every piece, with the territory's own properties.

The balance of a piece is that of a well-mixed territory (:mod:`haiflow.liver.transport`) with the blood that flows on
to its neighbours; uptake is calibrated in the same way, so that the library's extraction ratio is true at the reference
perfusion. A necrotic core neither exchanges nor clears.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from haiflow.liver.kinetics import DrugKinetics, calibrate
from haiflow.liver.model import Liver
from haiflow.liver.pieces import Pieces
from haiflow.liver.sinusoids import SinusoidFlow, Sinusoids
from haiflow.numerics.field import FieldTransport
from haiflow.ports import Floats

PORTAL = "portal"


def artery(node: str) -> str:
    """Name of the inlet that an arterial terminal feeds."""
    return f"artery:{node}"


@dataclass(frozen=True)
class PerfusedLiver:
    """A liver in 3D.

    ``liver``: its territories, with the volumes that their cells have. ``nodes``: the arterial terminals that feed it;
    ``arterial`` (m, n_nodes) and ``portal`` (m,): the share of each terminal's flow, and of the portal vein's, that
    goes to each cell (columns sum to one). ``territory`` (n_regions,): which territory a region belongs to, ``dead``
    (n_regions,): whether it is a necrotic core. ``terminal_of`` (m,): the grown arterial end that each cell belongs to.
    """

    liver: Liver
    sinusoids: Sinusoids
    nodes: tuple[str, ...]
    arterial: csr_array
    portal: Floats
    territory: NDArray[np.int32]
    dead: NDArray[np.bool_]
    terminal_of: NDArray[np.int32]

    @property
    def pieces(self) -> Pieces:
        return self.sinusoids.pieces

    @cached_property
    def piece_territory(self) -> NDArray[np.intp]:
        """(n,) index of the territory that each piece lies in."""
        return self.territory[self.pieces.region].astype(np.intp)

    @cached_property
    def shares(self) -> tuple[csr_array, Floats]:
        """Shares of each terminal's (n, n_nodes) and of the portal vein's flow (n,) that go to each piece."""
        return self.pieces.matrix(self.arterial), self.pieces.gathered(self.portal)

    @cached_property
    def territory_shares(self) -> Floats:
        """(n_territories, n_nodes): the share of each terminal's flow that each territory gets."""
        cells = self.territory[self.pieces.cell_region]
        n = len(self.liver.territories)
        return np.stack([np.bincount(cells, weights=column, minlength=n) for column in self.arterial.toarray().T], 1)

    def supply(self, node_flow: Floats, portal_flow: float) -> Floats:
        """(n,) m3/s into each piece from the terminals' flow rates (n_nodes,) and the portal vein's, m3/s."""
        arterial, portal = self.shares
        return np.asarray(arterial @ node_flow) + portal_flow * portal

    def by_territory(self, values: Floats) -> Floats:
        """(n_territories,) sums of the pieces' values (n,)."""
        return np.asarray(np.bincount(self.piece_territory, values, len(self.liver.territories)), dtype=float)

    def field_transport(self, drug: DrugKinetics, flow: SinusoidFlow) -> FieldTransport:
        """The balance of ``drug`` with the sinusoids' ``flow``: inlets ``artery:<node>`` and ``portal``."""
        liver, volume = self.liver, self.pieces.volume
        alive = np.where(self.dead[self.pieces.region], 0.0, volume)
        calibration = calibrate(drug, liver.reference_perfusion)
        exchange, metabolism = (
            np.array([getattr(item, name) for item in liver.territories])[self.piece_territory]
            for name in ("exchange_ratio", "metabolism_ratio")
        )
        arterial, portal = self.shares
        gain = csr_array(hstack([arterial, csr_array(portal[:, None])]))
        return FieldTransport(
            graph=flow.graph,
            blood_volume=liver.blood_fraction * volume,
            tissue_volume=drug.partition * (1.0 - liver.blood_fraction) * volume,
            exchange=calibration.permeability_surface * exchange * alive,
            clearance=calibration.intrinsic_clearance * metabolism * alive,
            drain=flow.drain,
            inlets=(*map(artery, self.nodes), PORTAL),
            gain_blood=csr_array((1.0 - drug.trapped_fraction) * gain),
            gain_tissue=csr_array(drug.trapped_fraction * gain),
            half_saturation=drug.half_saturation,
        )
