"""A velocity between the points that no cell gains or loses volume by: what tracers follow.

The points' velocity, linear in each tetrahedron, has a little divergence: of no account for the flow, but a slow
infusion's drug is less than that, and what follows such a velocity ends on walls and in sinks that are not there. The
correction is the gradient of a potential, discretely: one value a cell, and through each face the flux of their
difference, so that every cell's net outflow is zero. Within a cell it is the one field of lowest order of Raviart and
Thomas (1977, Lect. Notes Math. 606:292) with these fluxes, ``a + s (x - middle)``: its divergence is the opposite of
the interpolated one's, and the sum crosses every face with the same flux on both sides and no wall at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from haiflow.mesh.region import Region
from haiflow.numerics.elliptic import EllipticSolver
from haiflow.ports import Floats

TOLERANCE = 1e-9  # of the divergence, that is left


@dataclass(frozen=True)
class Balance:
    """Corrections of velocities in ``region`` that take the divergence out by the patches ``outlets``.

    Through every other patch the flux is that of the points' velocity: zero at walls, what is let in at an inlet.
    """

    region: Region
    outlets: tuple[str, ...]

    def potential(self, velocity: Floats) -> Floats:
        """(m,) m2/s that belongs to the points' ``velocity`` (n, 3); raises SolverStopped."""
        d = self.region.dual
        slope = np.einsum("kad,kad->k", d.shape, velocity[self.region.tetra])
        lacking = -d.cell_volume * slope
        if not np.any(self._open):  # all that enters leaves by no outlet: the mean is as it is
            lacking -= lacking.mean()
        return self._solver.solve(lacking).x

    def correction(self, potential: NDArray[np.floating]) -> Floats:
        """(m, 4): the velocity ``a`` (m/s) at a cell's middle and ``s`` (1/s)."""
        mesh, d = self.region, self.region.dual
        value = np.asarray(potential, float)
        beyond = np.where(mesh.beyond >= 0, value[np.maximum(mesh.beyond, 0)], 0.0)
        flux = self.conductance * (value[:, None] - beyond)
        out = np.empty((len(mesh.tetra), 4))
        corners = mesh.points[mesh.tetra]
        # Through the face opposite to corner p, w = g (x - p) / (3 V) has the flux g, through the others none.
        out[:, :3] = np.einsum("ka,kad->kd", flux, corners.mean(axis=1)[:, None] - corners)
        out[:, 3] = flux.sum(axis=1)
        out /= 3.0 * d.cell_volume[:, None]
        return out

    def of(self, velocity: Floats) -> Floats:
        """(m, 4): the :meth:`correction` of a velocity (n, 3)."""
        return self.correction(self.potential(velocity))

    @cached_property
    def conductance(self) -> Floats:
        """(m, 4) m: through the face opposite to each corner, area over the distance of the middles; walls have none.

        How the correction is spread is free; so it is spread as diffusion would be, and stays small and near by.
        """
        mesh, d = self.region, self.region.dual
        area = 3.0 * d.cell_volume[:, None] * np.linalg.norm(d.shape, axis=2)
        middle = mesh.points[mesh.tetra].mean(axis=1)
        apart = np.linalg.norm(middle[:, None] - middle[np.maximum(mesh.beyond, 0)], axis=2)
        to_face = 0.25 / np.linalg.norm(d.shape, axis=2)  # a quarter of the height
        inside = mesh.beyond >= 0
        distance = np.where(inside, apart, to_face)
        return np.where(inside | self._open, area / np.maximum(distance, 1e-3 * to_face), 0.0)

    @cached_property
    def _open(self) -> NDArray[np.bool_]:
        """(m, 4) whether the face opposite to a corner lies on an outlet."""
        lets_out = np.array([name in self.outlets for name in self.region.names])
        return np.asarray((self.region.beyond < 0) & lets_out[np.maximum(-1 - self.region.beyond, 0)])

    @cached_property
    def _solver(self) -> EllipticSolver:
        mesh, m = self.region, len(self.region.tetra)
        cell, corner = np.nonzero(mesh.beyond >= 0)
        weight = self.conductance[cell, corner]
        diagonal = self.conductance.sum(axis=1)
        if not np.any(self._open):
            diagonal[0] *= 2.0  # holds the potential, which is free but for a constant
        row, column = np.concatenate([cell, np.arange(m)]), np.concatenate([mesh.beyond[cell, corner], np.arange(m)])
        matrix = csr_array((np.concatenate([-weight, diagonal]), (row, column)), shape=(m, m))
        return EllipticSolver(matrix, TOLERANCE, where="junction, tracers")
