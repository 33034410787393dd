"""The implicit momentum equation of one step: convection and viscosity, one matrix for three components."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse.linalg import LinearOperator, bicgstab

from haiflow.errors import SolverStopped
from haiflow.junction.ends import Ends
from haiflow.kernels import kernel
from haiflow.mesh.region import Region
from haiflow.ports import Floats

flow3d = kernel("flow3d")

ETA = 1.0 / 6.0  # kappa = 2/3: the lagged part of convection stays below a third of the implicit one at any step
MOST_ITERATIONS = 200
ROUND_OFF, SMALL = 1e-13, 1e-7  # of what the diagonal carries: not worth a step; still a solution


@dataclass
class Momentum:
    """Matrix and right-hand side on a region; arrays are allocated once."""

    region: Region
    ends: Ends
    eta: float = ETA
    iterations: int = 0
    off: Floats = field(init=False)
    diagonal: Floats = field(init=False)
    friction: Floats = field(init=False)
    rate: Floats = field(init=False)  # (n,) m3/s: how fast each control volume forgets

    def __post_init__(self) -> None:
        d, n = self.region.dual, len(self.region.points)
        self.off, self._bold = np.empty(len(d.column)), np.empty(len(d.column))
        self.diagonal, self._strong, self._inverse = np.empty(n), np.empty(n), np.empty(n)
        self.friction, self.rate = np.empty(len(d.ends)), np.empty(n)
        self._unit = 1.0  # m3/s, of the diagonal: with it the unknowns are of the order of one

    def set_viscosity(self, viscosity: Floats) -> None:
        """``viscosity`` (m,) m2/s of each cell."""
        d, mesh = self.region.dual, self.region
        # Rows of the Laplacian alone are no use here: they lie where set_matrix will write.
        flow3d.laplacian(self.off, viscosity, mesh.tetra, d.tetra_edge, d.slot, d.shape, d.cell_volume, self.friction)

    def set_matrix(self, flux: Floats, boundary_flux: Floats) -> None:
        """Convection by ``flux`` (e,) and viscosity; blood that comes back by an outlet is braked.

        None of its momentum comes with it (once its flux on the diagonal), and it is slowed as much again, which keeps
        energy from coming in (Esmaily Moghadam et al. 2011, Comput Mech 48:277, and measured to err least).
        """
        d = self.region.dual
        flow3d.momentum_matrix(
            self.off, self.diagonal, self._bold, self._strong, self.rate, flux, self.friction, d.ends, d.slot, self.eta
        )
        back = self.ends.outlet_points
        entering = np.maximum(-boundary_flux[back], 0.0)
        self.diagonal[back] += 2.0 * entering
        self._strong[back] += 2.0 * entering

    def add_inertia(self, weight: Floats) -> None:
        """``weight`` (n,) m3/s on the diagonal: control volume over time step."""
        self.diagonal += weight
        self._strong += weight
        np.divide(1.0, self._strong, out=self._inverse)
        self._unit = float(self._strong.mean())

    def subtract_rest(self, right: Floats, gradient: Floats, flux: Floats) -> None:
        """The lagged part of convection, from velocity gradients (n, 3, 3)."""
        flow3d.convection_rest(right, gradient, flux, self.region.dual.ends, self.region.points, self.eta)

    def product(self, x: Floats) -> Floats:
        """``A x`` (n, 3), zero where the velocity is given."""
        out = np.empty_like(x)
        d = self.region.dual
        flow3d.apply(out, self.off, self.diagonal, x, d.row, d.column, self.ends.free)
        return out

    def correct(self, velocity: Floats, right: Floats, tolerance: float) -> Floats:
        """``velocity`` with its free components moved until ``A u = right``; residual reduced by ``tolerance``."""
        n = len(velocity)
        residual = self.ends.free * right - self.product(velocity)
        wrap = lambda apply: LinearOperator((3 * n, 3 * n), matvec=apply, dtype=np.float64)  # noqa: E731
        count = 0

        def counted(_: Floats) -> None:
            nonlocal count
            count += 1

        scale = float(np.linalg.norm(self.diagonal[:, None] * velocity))
        size = float(np.linalg.norm(residual))
        if size <= ROUND_OFF * scale:
            return velocity.copy()
        # The library takes dot products below 1e-31 for a breakdown; those of small vessels in SI are no larger.
        residual /= size
        move, info = bicgstab(
            wrap(lambda x: self.product(x.reshape(n, 3)).ravel() / self._unit), residual.ravel(), rtol=tolerance,
            atol=ROUND_OFF * scale / size, M=wrap(lambda x: self._unit * self._smoothed(x.reshape(n, 3)).ravel()),
            maxiter=MOST_ITERATIONS, callback=counted,
        )  # fmt: skip
        self.iterations += count
        move = move.reshape(n, 3) / self._unit
        left = size * float(np.linalg.norm(residual - self.product(move)))
        if not left <= max(10.0 * tolerance * size, SMALL * scale):
            reason = f"the linear solver leaves {left / max(scale, 1e-300):.2g} of the momentum (info {info})"
            raise SolverStopped(0.0, "junction, momentum", reason)
        return np.asarray(velocity + size * move)

    def _smoothed(self, right: Floats) -> Floats:
        x, d = np.empty_like(right), self.region.dual
        flow3d.smooth(x, self._bold, self._inverse, right, d.row, d.column, self.ends.free, 1)
        return x
