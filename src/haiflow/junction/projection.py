"""The pressure's correction that leaves every control volume free of divergence, with the outlets' laws met exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from haiflow.junction.ends import Ends
from haiflow.kernels import kernel
from haiflow.mesh.region import Region
from haiflow.numerics.elliptic import EllipticSolver
from haiflow.ports import Floats

flow3d = kernel("flow3d")

STRENGTH = 0.08  # of couplings in multigrid: 10 iterations where heeding all of them takes 14


@dataclass
class Projection:
    """``-div(weight grad phi) = source`` with phi given on outlets; ``weight`` (m,) s of each cell, set once.

    An outlet whose pressure follows from its flow has one more unknown, its own phi; its share in the solution is a
    potential known beforehand, so that a small dense system closes it.
    """

    region: Region
    ends: Ends
    weight: Floats
    iterations: int = 0

    @cached_property
    def given(self) -> NDArray[np.intp]:
        """The points where phi is given: those of the outlets, else any one holds the level of pressure."""
        points = [at for _, at, _ in self.ends.outlets]
        return np.unique(np.concatenate(points)).astype(np.intp) if points else np.zeros(1, np.intp)

    @cached_property
    def unknown(self) -> NDArray[np.intp]:
        """The points where it is not."""
        return np.delete(np.arange(len(self.region.points)), self.given)

    @cached_property
    def _system(self) -> tuple[csr_array, EllipticSolver]:
        """Rows (given, n) of the stiffness matrix, and the solver for the others: the whole is not kept."""
        d, mesh = self.region.dual, self.region
        n = len(mesh.points)
        off, edge = np.empty(len(d.column)), np.empty(len(d.ends))
        flow3d.laplacian(off, self.weight, mesh.tetra, d.tetra_edge, d.slot, d.shape, d.cell_volume, edge)
        rows = csr_array((off, d.column, d.row), shape=(n, n))
        whole = csr_array(rows - diags_array(rows.sum(axis=1)))
        rim, inner = csr_array(whole[self.given]), csr_array(whole[self.unknown][:, self.unknown])
        del off, edge, rows, whole  # multigrid's own set-up needs the room
        return rim, EllipticSolver(inner, where="junction, pressure", strength=STRENGTH)

    def release(self) -> None:
        """Give the room of the system back; it is set up again when it is next needed."""
        for name in ("_system", "potentials", "response"):
            self.__dict__.pop(name, None)

    @cached_property
    def following(self) -> list[int]:
        """The outlets whose pressure is not given."""
        return [k for k, (_, _, end) in enumerate(self.ends.outlets) if end.pressure is None]

    @cached_property
    def potentials(self) -> list[Floats]:
        """(n,) of each of them: one on it, zero on the others."""
        found = []
        for k in self.following:
            phi = np.zeros(len(self.region.points))
            phi[self.ends.outlets[k][1]] = 1.0
            found.append(self._filled(phi, np.zeros_like(phi), 1e-11))
        return found

    @cached_property
    def response(self) -> Floats:
        """The flows that each potential drives out of all of them."""
        rim, _ = self._system
        return np.array([[self._outflow(k, -(rim @ phi)) for phi in self.potentials] for k in self.following])

    def _outflow(self, outlet: int, balance: Floats) -> float:
        """What leaves by an outlet, from what the given points' control volumes receive (minus their divergence)."""
        return float(balance[np.searchsorted(self.given, self.ends.outlets[outlet][1])].sum())

    def _filled(
        self, phi: Floats, source: Floats, tolerance: float, absolute: float = 0.0, guess: Floats | None = None
    ) -> Floats:
        rim, solver = self._system
        # The matrix is symmetric: the given points' columns are their rows.
        right = (source - phi[self.given] @ rim)[self.unknown]
        start = None if guess is None else guess[self.unknown]
        found = solver.solve(right, start, tolerance=tolerance, absolute=absolute)
        self.iterations += found.iterations
        out = phi.copy()
        out[self.unknown] = found.x
        return out

    def solve(
        self,
        divergence: Floats,
        pressure: Floats,
        time: float,
        *,
        tau: float = 1.0,
        tolerance: float = 0.0,
        absolute: float = 0.0,
        guess: Floats | None = None,
    ) -> Floats:
        """phi (n,) that takes ``tau weight grad(phi)`` from the predicted fluxes, which leave ``divergence`` (n,) m3/s.

        Boundary fluxes are part of the divergence; its residual is at most ``absolute`` (m3/s) or ``tolerance`` of the
        whole.
        """
        divergence = divergence / tau
        phi = np.zeros_like(pressure)
        for _, points, end in self.ends.outlets:
            if end.pressure is not None:
                phi[points] = end.pressure(time) - pressure[points]
        phi = self._filled(phi, -divergence, tolerance, absolute / tau, guess)
        if not self.following:
            return phi
        left = -(divergence[self.given] + self._system[0] @ phi)
        for share, potential in zip(self._shares(tau * left, tau, pressure, time), self.potentials, strict=True):
            phi += share * potential
        return phi

    def fill(self, divergence: Floats, absolute: float) -> Floats:
        """phi (n,) zero on the outlets for the ``divergence`` (n,) elsewhere."""
        return self._filled(np.zeros_like(divergence), -divergence, 0.0, absolute)

    def _shares(self, left: Floats, tau: float, pressure: Floats, time: float) -> Floats:
        """Outlet by outlet the phi that gives it its flow, or the pressure that its resistance asks for."""
        a, b = tau * self.response, np.empty(len(self.following))
        for at, k in enumerate(self.following):
            _, points, end = self.ends.outlets[k]
            now = self._outflow(k, left)
            if end.flow_rate is not None:
                b[at] = end.flow_rate(time) - now
            else:
                assert end.resistance is not None
                a[at] = end.resistance * a[at]
                a[at, at] -= 1.0
                b[at] = pressure[points].mean() - end.resistance * now
        return np.asarray(np.linalg.solve(a, b))

    def fluxes(self, phi: Floats) -> Floats:
        """(e,) m3/s: ``weight grad(phi) . s`` through every dual face."""
        d, mesh = self.region.dual, self.region
        out = np.empty(len(d.ends))
        flow3d.gradient_fluxes(out, phi, self.weight, mesh.tetra, d.tetra_edge, d.shape, d.cell_volume)
        return out
