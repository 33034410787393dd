"""Drug in the blood of a region: one passive scalar for every hole of the catheter, on the flow's own fluxes.

The scalar of a hole is the share of infusate from it in the blood: one in what enters by the hole, zero in all that
enters elsewhere. :meth:`DrugField.step` keeps it within [0, 1] and is second order where it is smooth (flux-corrected
transport, ``ext/haiflow/kernels/scalar_edges.pxi``). Where the contents of many control volumes pass in a step it is
never below zero, and above one as far as the passes of the correction have not converged; so is the state of
:meth:`DrugField.steady`. Molecular diffusion counts for little: at a Schmidt number of some thousand it spreads a
thread by 40 um in a second.
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
COURANT = 1e3  # of a step on the way to the steady state, in every control volume
STAGNANT = 1e-3  # of the mean flow through control volumes: those with less take longer steps
LIVE, AVERAGED = 20, 80  # steps with limits as they come; over which their mean is taken
PARTS = 4  # of a step at most, beyond which one implicit step costs less
PASSES = 60  # of the linear solver at most
ENOUGH = 1e-3  # of the drug, that a steady state may leave neither in nor out
NOTHING = 1e-10  # of what comes in by a hole; a hundred thousandth of what a slow infusion makes of all the blood
REMAINDER, ROUGH = 1e-9, 1e-5  # of the largest concentration, left by it; between the passes of a correction


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

    def step(self, c: Floats, flux: Floats, boundary_flux: Floats, dt: float, passes: int = 2) -> Floats:
        """Advance ``c`` by ``dt`` (s) in place, second order in time and space where nothing has to be limited.

        ``flux`` (e,), ``boundary_flux`` (n,): those in the middle of the step. ``passes``: of the correction. Explicit
        in a few parts where each then passes on no more than it holds, and strictly bounded; else implicit. Returns
        (outlets, q) m3/s: the mean over the step of what leaves by each outlet.
        """
        room = self.region.dual.volume / dt
        parts = int(np.ceil(max(np.max(self._leaves(flux, boundary_flux) / room), 1.0)))
        if parts > PARTS:
            return self._implicit(c, flux, boundary_flux, room, passes)
        left = [self._explicit(c, flux, boundary_flux, parts * room, passes) for _ in range(parts)]
        return np.asarray(np.mean(left, axis=0))

    def _explicit(self, c: Floats, flux: Floats, boundary_flux: Floats, room: Floats, passes: int) -> Floats:
        """The upwind step, and what fluxes of higher order add to it between the extremes that it leaves."""
        old, low_order, d = c.copy(), np.empty_like(c), self.region.dual
        scalar.upwind_step(low_order, old, self.inflow, flux, boundary_flux, self.friction, room, d.ends)
        np.copyto(c, low_order)
        for _ in range(passes):
            self._bound(low_order)
            taken = self._correct(0.5 * (old + c), old, low_order, flux, room)
            np.copyto(c, low_order - taken / room[:, None])
        return self.leaving(old, boundary_flux)

    def _implicit(self, c: Floats, flux: Floats, boundary_flux: Floats, room: Floats, passes: int) -> Floats:
        """Fluxes of the middle of the step, as far as no extremum of either end grows.

        What a correction brings is bounded by what passes through and what is held: limits as in a steady state
        (Kuzmin & Moeller 2005, in Flux-corrected transport, Springer), which do not tighten with the step. In a largest
        value nothing is brought, and the M-matrix has it no larger than its neighbours' or its own before.
        """
        old, out = c.copy(), np.maximum(boundary_flux, 0.0)
        passing = self._leaves(flux, boundary_flux) - out
        self._bound(old)
        low, high = self._low.copy(), self._high.copy()
        known, late = room[:, None] * old + self.inflow, np.zeros_like(c)
        self._set_matrix(flux, room + out)
        self._solve(c, known, ROUGH)
        for number in range(passes):
            self._bound(c)
            np.minimum(low, self._low, out=self._low)
            np.maximum(high, self._high, out=self._high)
            # By the outlets, too, the mean of both ends leaves.
            late = np.clip(0.5 * (c - old), c - self._high, c - self._low) * out[:, None]
            taken = self._correct(0.5 * (old + c), c, c, flux, passing + room)
            self._solve(c, known - taken + late, REMAINDER if number == passes - 1 else ROUGH)
        self._hold(c, known, late)
        return self.leaving(c, boundary_flux) - self._by_outlet(late)

    def _hold(self, c: Floats, known: Floats, late: Floats) -> None:
        """Solve again, without corrections at points below zero and round them, until there are none.

        Passes that have not converged leave some, in what hardly moves: minus a ten thousandth of what comes in by a
        hole is tens of times what there is downstream of it. Without corrections a point has the upwind step's value,
        which is positive where its neighbours' are; they stay off, so that this ends.
        """
        ends, off = self.region.dual.ends, np.zeros(c.shape, bool)
        while np.any(below := (c < -NOTHING) & ~off):
            scalar.bounds(self._low, self._high, below.astype(float), ends)
            plain = self._high > 0.0
            off |= plain
            late[plain] = 0.0
            np.copyto(self._gain, ~plain)
            scalar.limit_fluxes(self._taken, self._correction, self._gain, self._gain, ends)
            np.maximum(c, 0.0, out=c)
            self._solve(c, known - self._taken + late)

    def _bound(self, c: Floats) -> None:
        """Keep what comes to a point within the extremes of ``c`` round it."""
        scalar.bounds(self._low, self._high, c, self.region.dual.ends)

    def _set_matrix(self, flux: Floats, more: Floats) -> None:
        d = self.region.dual
        scalar.upwind_matrix(self._off, self._diagonal, flux, self.friction, d.ends, d.slot)
        self._diagonal += more

    def _leaves(self, flux: Floats, boundary_flux: Floats) -> Floats:
        """(n,) m3/s: what a control volume passes on at most."""
        if self._known is None or self._known[0] is not flux or self._known[1] is not boundary_flux:
            d = self.region.dual
            scalar.upwind_matrix(self._off, self._diagonal, flux, self.friction, d.ends, d.slot)
            self._known = flux, boundary_flux, self._diagonal + np.maximum(boundary_flux, 0.0)
        return self._known[2]

    def _solve(self, c: Floats, right: Floats, remainder: float = REMAINDER) -> None:
        d = self.region.dual
        for _ in range(PASSES):
            before = c.copy()
            scalar.relax_rows(c, self._off, self._diagonal, right, d.row, d.column)
            if np.abs(c - before).max() <= remainder * np.abs(c).max():
                return

    def _correct(self, middle: Floats, carried: Floats, c: Floats, flux: Floats, room: Floats) -> Floats:
        """(n, q) m3/s: what fluxes of higher order take from each point, beside the upwind ones of ``carried``, so that
        ``c`` stays within the bounds that are set."""
        self._high_order(middle, carried, flux)
        scalar.limit_shares(self._gain, self._loss, c, self._low, self._high, room)
        scalar.limit_fluxes(self._taken, self._correction, self._gain, self._loss, self.region.dual.ends)
        return self._taken

    def _high_order(self, middle: Floats, carried: Floats, flux: Floats) -> None:
        """Set the corrections of all faces, not limited yet, and their sums by point."""
        d, mesh = self.region.dual, self.region
        flow3d.gradients(self._slope, middle, d.ends, d.area, mesh.wall, mesh.wall_area, self._inverse_volume)
        scalar.correction_fluxes(
            self._correction, self._gain, self._loss, middle, carried, self._slope, flux, d.ends, mesh.points, ETA
        )

    def leaving(self, c: Floats, boundary_flux: Floats) -> Floats:
        """(outlets, q) m3/s: drug that ``boundary_flux`` (n,) takes out by each outlet."""
        return self._by_outlet(np.maximum(boundary_flux, 0.0)[:, None] * c)

    def _by_outlet(self, passing: Floats) -> Floats:
        """(outlets, q): sums of ``passing`` (n, q) over each outlet's points."""
        sums = [passing[at].sum(axis=0) for at in self.outlets.values()]
        return np.array(sums).reshape(len(self.outlets), passing.shape[1])

    def steady(
        self, flux: Floats, boundary_flux: Floats, c: Floats | None = None, *, tolerance: float = 1e-6, most: int = 1000
    ) -> tuple[Floats, Floats]:
        """Concentrations (n, q) and outflow (outlets, q) of the steady state on a frozen flow.

        Limits flip from one step to the next for ever, and what they do together is a diffusion. So after ``LIVE``
        steps a mean is taken, of the later ones the more, and after ``AVERAGED`` more it stays. What is left is a
        linear system, whose state is as bounded as that mean. It is found where the outflow is within ``tolerance`` of
        what enters and a step changes it by no more. Raises SolverStopped where it is not within ``ENOUGH`` of that
        after ``most`` steps.
        """
        passing = self._leaves(flux, boundary_flux) - np.maximum(boundary_flux, 0.0)
        room = np.maximum(passing, STAGNANT * passing.mean()) / COURANT
        self._set_matrix(flux, room + np.maximum(boundary_flux, 0.0))
        c = np.zeros_like(self.inflow) if c is None else c.copy()
        entering, before = self.inflow.sum(axis=0), self.leaving(c, boundary_flux)
        limits = np.zeros_like(self._gain), np.zeros_like(self._loss)
        for count in range(most):
            weight = 2.0 / max(count - LIVE + 2, 2) if count < LIVE + AVERAGED else 0.0
            self._solve(c, room[:, None] * c + self.inflow - self._limited(c, flux, passing, limits, weight))
            leaving = self.leaving(c, boundary_flux)
            missing = max(
                np.abs(leaving.sum(axis=0) / entering - 1.0).max(), np.abs((leaving - before) / entering).max()
            )
            if not weight and missing < tolerance and c.min() >= -NOTHING:
                return c, leaving
            if not weight:
                self._forbid(c, limits)
            before = leaving
        if missing < ENOUGH:
            return c, leaving
        raise SolverStopped(
            0.0, "junction, drug", f"after {most} steps {missing:.2g} of the drug is neither in nor out"
        )

    @staticmethod
    def _forbid(c: Floats, limits: tuple[Floats, Floats]) -> None:
        """Have no corrections where ``c`` is below zero: an upwind value is not."""
        below = c < -NOTHING
        for share in limits:
            share[below] = 0.0

    def _limited(
        self, c: Floats, flux: Floats, passing: Floats, limits: tuple[Floats, Floats], weight: float
    ) -> Floats:
        """What corrections take, by ``limits`` that are led towards those of ``c`` with a ``weight``."""
        self._high_order(c, c, flux)
        if weight:
            self._bound(c)
            scalar.limit_shares(self._gain, self._loss, c, self._low, self._high, passing)
            for mean, now in zip(limits, (self._gain, self._loss), strict=True):
                mean += weight * (now - mean)
        scalar.limit_fluxes(self._taken, self._correction, *limits, self.region.dual.ends)
        return self._taken
