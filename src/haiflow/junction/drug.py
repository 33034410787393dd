"""Drug in the blood of a region: one passive scalar for every hole of the catheter, on the flow's own fluxes.

The scalar of a hole is the share of infusate from it in the blood: one in what enters by the hole, zero in all that
enters elsewhere. :meth:`DrugField.step` keeps it within [0, 1] and is second order where it is smooth (flux-corrected
transport, ``ext/haiflow/kernels/scalar_edges.pxi``); :meth:`DrugField.settle` is for long steps and the steady state:
conserved, bounded as far as its passes have converged. Molecular diffusion counts for little: at a
Schmidt number of some thousand it spreads a thread by 40 um in a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from haiflow.errors import SolverStopped
from haiflow.kernels import kernel
from haiflow.mesh.region import Ints, Region
from haiflow.ports import Floats

flow3d, scalar = kernel("flow3d"), kernel("scalar")

ETA = 1.0 / 6.0
COURANT = 4.0
PASSES = 60  # of the linear solver at most
EVERY = 20  # steps between looks at whether the state is steady
REMAINDER = 1e-9  # of the largest concentration, left by it


@dataclass
class DrugField:
    """``inflow`` (n, q) m3/s: what enters each control volume with concentration one, by substance.

    ``outlets``: name -> points. The concentration (n, q) is the caller's; steps change it in place.
    """

    region: Region
    inflow: Floats
    outlets: dict[str, Ints]
    diffusivity: float = 5e-10
    friction: Floats = field(init=False)

    def __post_init__(self) -> None:
        d, mesh, (n, q) = self.region.dual, self.region, self.inflow.shape
        self._off, self._diagonal, self.friction = np.empty(len(d.column)), np.empty(n), np.empty(len(d.ends))
        weight = np.full(len(mesh.tetra), self.diffusivity)
        flow3d.laplacian(self._off, weight, mesh.tetra, d.tetra_edge, d.slot, d.shape, d.cell_volume, self.friction)
        self._correction = np.empty((len(d.ends), q))
        self._gain, self._loss, self._low, self._high = (np.empty((n, q)) for _ in range(4))
        self._slope, self._taken = np.empty((n, q, 3)), np.empty((n, q))
        self._known: tuple[Floats, Floats, Floats] | None = None
        self._inverse_volume = 1.0 / d.volume

    def step(self, c: Floats, flux: Floats, boundary_flux: Floats, dt: float | Floats, passes: int = 1) -> Floats:
        """Advance ``c`` by ``dt`` (s; one for all, or (n,) on the way to the steady state).

        Returns (outlets, q) m3/s: what leaves by each outlet. ``passes``: of the correction; a second one sharpens
        steps in which much passes through a control volume.
        """
        room = np.broadcast_to(self.region.dual.volume / dt, len(c)).copy()
        old, low_order = c.copy(), c.copy()
        leaving = self._upwind(low_order, old, flux, boundary_flux, room)
        np.copyto(c, low_order)
        for _ in range(passes):
            np.copyto(c, low_order - self._correct(0.5 * (old + c), low_order, flux, room) / room[:, None])
        return leaving

    def _upwind(self, c: Floats, old: Floats, flux: Floats, boundary_flux: Floats, room: Floats) -> Floats:
        """The bounded step of first order into ``c``: explicit where nothing is emptied by it; returns what leaves."""
        d = self.region.dual
        if np.all(self._leaves(flux, boundary_flux) <= room):
            scalar.upwind_step(c, old, self.inflow, flux, boundary_flux, self.friction, room, d.ends)
            return self.leaving(old, boundary_flux)
        scalar.upwind_matrix(self._off, self._diagonal, flux, self.friction, d.ends, d.slot)
        self._diagonal += room + np.maximum(boundary_flux, 0.0)
        self._solve(c, room[:, None] * old + self.inflow)
        return self.leaving(c, boundary_flux)

    def _leaves(self, flux: Floats, boundary_flux: Floats) -> Floats:
        """(n,) m3/s: what a control volume passes on at most."""
        if self._known is None or self._known[0] is not flux or self._known[1] is not boundary_flux:
            d = self.region.dual
            scalar.upwind_matrix(self._off, self._diagonal, flux, self.friction, d.ends, d.slot)
            self._known = flux, boundary_flux, self._diagonal + np.maximum(boundary_flux, 0.0)
        return self._known[2]

    def _solve(self, c: Floats, right: Floats) -> None:
        d = self.region.dual
        for _ in range(PASSES):
            before = c.copy()
            scalar.relax_rows(c, self._off, self._diagonal, right, d.row, d.column)
            if np.abs(c - before).max() <= REMAINDER * np.abs(c).max():
                return

    def _correct(self, middle: Floats, upwind: Floats, flux: Floats, room: Floats) -> Floats:
        """(n, q) m3/s: what fluxes of higher order take from each point, limited by the extremes of ``upwind``."""
        d, mesh = self.region.dual, self.region
        flow3d.gradients(self._slope, middle, d.ends, d.area, mesh.wall, mesh.wall_area, self._inverse_volume)
        scalar.correction_fluxes(
            self._correction, self._gain, self._loss, middle, upwind, self._slope, flux, d.ends, mesh.points, ETA
        )
        scalar.bounds(self._low, self._high, upwind, d.ends)
        scalar.limit_shares(self._gain, self._loss, upwind, self._low, self._high, room)
        scalar.limit_fluxes(self._taken, self._correction, self._gain, self._loss, d.ends)
        return self._taken

    def settle(self, c: Floats, flux: Floats, boundary_flux: Floats, dt: float | Floats, passes: int = 1) -> Floats:
        """Advance ``c`` in place by steps in which many control volumes' contents pass: first order in time.

        In space the order is that of :meth:`step`, with limits that do not tighten with ``dt``: no extremum grows when
        what the correction brings is bounded by what passes through. Returns what leaves, (outlets, q) m3/s.
        """
        d = self.region.dual
        room = d.volume / dt
        scalar.upwind_matrix(self._off, self._diagonal, flux, self.friction, d.ends, d.slot)
        passing = self._diagonal.copy()
        self._diagonal += room + np.maximum(boundary_flux, 0.0)
        known = np.broadcast_to(room, len(c))[:, None] * c + self.inflow
        for _ in range(passes):
            self._solve(c, known - self._correct(c, c, flux, passing))
        return self.leaving(c, boundary_flux)

    def carried(self, c: Floats, flux: Floats) -> Floats:
        """(e, q) m3/s: drug through every dual face, as the steady state has it."""
        d = self.region.dual
        i, j = d.ends.T
        scalar.upwind_matrix(self._off, self._diagonal, flux, self.friction, d.ends, d.slot)
        self._correct(c, c, flux, self._diagonal)
        return np.where(flux[:, None] > 0.0, c[i], c[j]) * flux[:, None] + self._correction

    def leaving(self, c: Floats, boundary_flux: Floats) -> Floats:
        """(outlets, q) m3/s: drug that ``boundary_flux`` (n,) takes out by each outlet."""
        return np.array([
            (np.maximum(boundary_flux[at], 0.0)[:, None] * c[at]).sum(axis=0) for at in self.outlets.values()
        ]).reshape(len(self.outlets), c.shape[1])  # fmt: skip

    def steady(
        self,
        flux: Floats,
        boundary_flux: Floats,
        c: Floats | None = None,
        *,
        tolerance: float = 1e-3,
        most: int = 4000,
    ) -> tuple[Floats, Floats]:
        """Concentrations (n, q) and outflow (outlets, q) of the steady state on a frozen flow.

        Raises SolverStopped where the outflow does not come within ``tolerance`` of what enters.
        """
        d = self.region.dual
        passing = np.bincount(d.ends.ravel(), np.repeat(np.abs(flux), 2), len(d.volume)) + np.abs(boundary_flux)
        dt = COURANT * 2.0 * d.volume / np.maximum(passing, 1e-3 * passing.mean())
        c = np.zeros_like(self.inflow) if c is None else c.copy()
        entering, before = self.inflow.sum(axis=0), np.full((len(self.outlets), self.inflow.shape[1]), np.inf)
        for count in range(most):
            leaving = self.settle(c, flux, boundary_flux, dt)
            if count % EVERY == EVERY - 1:
                missing = np.abs(leaving.sum(axis=0) / entering - 1.0).max()
                if missing < tolerance and np.abs(leaving - before).max() < tolerance * entering.max():
                    return c, leaving
                before = leaving
        raise SolverStopped(
            0.0, "junction, drug", f"after {most} steps {missing:.2g} of the drug is neither in nor out"
        )
