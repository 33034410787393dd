"""Blood in the sinusoids: Darcy flow between control volumes, fed by artery and portal vein, drained by hepatic veins.

    div(-k / mu grad p) = s_artery + s_portal - g (p - p_vein)

with sources per volume from the terminals' territories and a drain ``g`` to the central veins in every control volume:
a lobule (0.5 mm) is far smaller than a cell, so each cell holds portal fields and central veins of its own. ``g`` is
the undisturbed supply over the undisturbed pressure drop from sinusoid to vein: the healthy liver has one pressure, and
blood seeps from where supply is left to where it is missing, over a length ``sqrt(k / (mu g))`` (a third of a
millimetre with the permeability of one lobule; Debbaut et al. 2012, J Biomech Eng 134:011003).

Finite volumes on the median dual (:mod:`haiflow.mesh.dual`), which are linear finite elements with a lumped source:
second order in pressure, first in flux, conservative in every control volume.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array, triu

from haiflow.liver.pieces import Pieces
from haiflow.mesh.dual import conductances, diffusion_matrix
from haiflow.numerics.elliptic import EllipticSolver
from haiflow.numerics.upwind import UpwindGraph
from haiflow.ports import Floats

SINUSOID_DROP = 400.0  # Pa from sinusoid to hepatic vein: 3 mmHg of the 1 to 5 mmHg of HVPG [wk]
VENOUS_PRESSURE = 400.0  # Pa gauge in the hepatic veins: 3 mmHg of 2 to 5 [wk]


@dataclass(frozen=True)
class SinusoidFlow:
    """Flow in the sinusoids for one state of the arteries.

    ``pressure`` (n_points,) gauge Pa; ``graph``, ``drain`` and ``backflow`` (n_pieces,) m3/s: what a piece gives to the
    veins, and what it takes from them where obtuse edges let its pressure fall below theirs (blood without drug).
    ``imbalance``: the largest leftover, relative to the total inflow, of any piece's balance of the flows that carry
    the drug, and of any control volume's drain against what its pressure drains; ``iterations`` of the linear solver.
    """

    pressure: Floats
    graph: UpwindGraph
    drain: Floats
    backflow: Floats
    imbalance: float
    iterations: int


@dataclass(frozen=True)
class Sinusoids:
    """The bed of one liver.

    ``points`` (n_points, 3) m; ``mobility`` (m,) permeability over viscosity, m2/(Pa s); ``conductance`` (n_pieces,)
    m3/(Pa s) of the drain to the hepatic veins.
    """

    points: Floats
    pieces: Pieces
    mobility: Floats
    conductance: Floats
    venous_pressure: float = VENOUS_PRESSURE
    solved: dict[bytes, SinusoidFlow] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def links(self) -> csr_array:
        """(n, n) conductances between pieces, m3/(Pa s): those of a region's cells join its own pieces only."""
        return conductances(self.points[self.pieces.point], self.pieces.corner, self.mobility)

    @cached_property
    def _upper(self) -> coo_array:
        return coo_array(triu(self.links, 1))

    @cached_property
    def solver(self) -> EllipticSolver:
        point, n = self.pieces.point, self.pieces.n
        place = csr_array((np.ones(n), (np.arange(n), point)), shape=(n, self.pieces.n_points))
        joined = csr_array(place.T @ diffusion_matrix(self.links) @ place)
        drain = self.pieces.at_points(self.conductance)
        return EllipticSolver(csr_array(joined + diags_array(drain)))

    def flow(self, supply: Floats) -> SinusoidFlow:
        """The flow for a ``supply`` (n_pieces,) m3/s by artery and portal vein together; kept by content."""
        key = supply.tobytes()
        if key not in self.solved:
            self.solved[key] = self._solve(supply)
        return self.solved[key]

    def _solve(self, supply: Floats) -> SinusoidFlow:
        at_points = self.pieces.at_points(supply)
        found = self.solver.solve(at_points)
        over = found.x  # beyond the venous pressure
        total = float(supply.sum())
        graph, drain, backflow = self._routes(over, supply)
        pieces = supply + graph.taken + backflow - graph.given - drain
        veins = self.pieces.at_points(drain - backflow) - self.pieces.at_points(self.conductance) * over
        left = max(float(np.abs(pieces).max()), float(np.abs(veins).max()))
        imbalance = left / total if total > 0.0 else 0.0
        return SinusoidFlow(self.venous_pressure + over, graph, drain, backflow, imbalance, found.iterations)

    def _routes(self, over: Floats, supply: Floats) -> tuple[UpwindGraph, Floats, Floats]:
        """Who gives blood to whom, and what each piece drains, so that every piece's balance closes.

        A piece drains what it has too much. One that gives more than it gets (a starved rim, a dead core) takes the
        rest from the pieces of the same point, as the pressure that they share makes them.
        """
        pieces, upper = self.pieces, self._upper
        flow = upper.data * (over[pieces.point[upper.row]] - over[pieces.point[upper.col]])
        giver = np.where(flow >= 0.0, upper.row, upper.col)
        taker = np.where(flow >= 0.0, upper.col, upper.row)
        size = np.abs(flow)
        spare = (
            supply
            + np.bincount(taker, weights=size, minlength=pieces.n)
            - np.bincount(giver, weights=size, minlength=pieces.n)
        )
        plus, minus = np.maximum(spare, 0.0), np.maximum(-spare, 0.0)
        has, wants = pieces.at_points(plus), pieces.at_points(minus)
        # The share of each point's spare blood that goes to its own pieces in want; the rest is drained.
        inner = np.divide(np.minimum(wants, has), has, out=np.zeros_like(has), where=has > 0.0)
        missing = np.divide(wants - np.minimum(wants, has), wants, out=np.zeros_like(has), where=wants > 0.0)
        within = self._within(plus, minus, has, wants)
        inflow = csr_array(
            coo_array(
                (np.append(size, within.data), (np.append(taker, within.row), np.append(giver, within.col))),
                shape=(pieces.n, pieces.n),
            )
        )
        inflow.eliminate_zeros()
        # Pieces of one point: those with spare blood come first.
        rank = over[pieces.point] + np.where(spare >= 0.0, 1e-9, 0.0) * max(float(over.max(initial=0.0)), 1e-300)
        return UpwindGraph(inflow, rank), plus * (1.0 - inner[pieces.point]), minus * missing[pieces.point]

    def _within(self, plus: Floats, minus: Floats, has: Floats, wants: Floats) -> coo_array:
        """(taker, giver) flows among the pieces of the same point, in proportion to what is wanted and what is left."""
        point, n = self.pieces.point, self.pieces.n
        take, give = np.flatnonzero(minus > 0.0), np.flatnonzero(plus > 0.0)
        shape = (self.pieces.n_points, n)
        wanted = csr_array((minus[take], (point[take], take)), shape=shape)
        offered = csr_array((plus[give], (point[give], give)), shape=shape)
        # min(has, wants) is what changes hands at a point.
        size = np.divide(np.minimum(has, wants), has * wants, out=np.zeros_like(has), where=(has > 0.0) & (wants > 0.0))
        return coo_array(wanted.T @ diags_array(size) @ offered)


def drain_conductance(supply: Floats, drop: float = SINUSOID_DROP) -> Floats:
    """(n,) m3/(Pa s) that drain the undisturbed ``supply`` (n,) m3/s at the pressure ``drop`` (Pa) to the veins."""
    return supply / drop
