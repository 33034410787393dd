"""Flow in time and to its steady state: one semi-implicit step, second order, that projects at its end.

Backward differences (BDF2) with extrapolated convecting fluxes, pressure corrected by increments (Van Kan 1986, SIAM J
Sci Stat Comput 7:870) in rotational form (Timmermans, Minev & Van De Vosse 1996, Int J Numer Methods Fluids 22:673;
Guermond & Shen 2004, Math Comp 73:1719). For the steady state the same step is taken with a time step of its own in
every control volume.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from haiflow.errors import SolverStopped
from haiflow.junction.ends import Ends
from haiflow.junction.momentum import ETA, Momentum
from haiflow.junction.projection import Projection
from haiflow.kernels import kernel
from haiflow.mesh.region import Region
from haiflow.ports import Floats

flow3d = kernel("flow3d")


@dataclass
class State:
    """Velocity (n, 3) m/s, pressure over density (n,) m2/s2, fluxes (e,) and outward boundary fluxes (n,) m3/s."""

    time: float
    velocity: Floats
    pressure: Floats
    flux: Floats
    boundary_flux: Floats

    def copy(self) -> State:
        return State(self.time, self.velocity.copy(), self.pressure.copy(), self.flux.copy(), self.boundary_flux.copy())


Force = Callable[[float, Floats], Floats]


@dataclass(frozen=True)
class CarreauYasuda:
    """Viscosity over density (m2/s) falling from ``at_rest`` to ``thin`` round the shear rate 1 / ``time``.

    ``thin + (at_rest - thin) (1 + (time rate)^power)^((index - 1) / power)`` (Bird, Armstrong & Hassager 1987).
    """

    at_rest: float
    thin: float
    time: float  # s
    power: float
    index: float


class Flow:
    """Steps of one size on one region. ``viscosity`` m2/s, or a law that thins; ``force(t, points)`` (n, 3) m/s2."""

    def __init__(
        self, region: Region, ends: Ends, viscosity: float | CarreauYasuda, step: float, *, force: Force | None = None,
        divergence: float = 3e-9, momentum: float = 1e-5, eta: float = ETA,
    ) -> None:  # fmt: skip
        self.region, self.ends, self.step_size, self.force = region, ends, step, force
        self.divergence, self.tolerance = divergence, momentum
        n, d = len(region.points), region.dual
        self.momentum = Momentum(region, ends, eta)
        self.law = viscosity if isinstance(viscosity, CarreauYasuda) else None
        self.cell_viscosity = np.full(len(region.tetra), self.law.thin if self.law else viscosity)
        self.momentum.set_viscosity(self.cell_viscosity)
        self._ones = np.ones(len(region.tetra))
        self.projection = Projection(region, ends, self._ones)
        self._inverse_volume = 1.0 / d.volume
        self._gradient_p, self._gradient_u = np.empty((n, 1, 3)), np.empty((n, 3, 3))
        self._direct = np.empty(len(d.ends))
        self.old: State | None = None
        self.phi: list[Floats] = []
        self.worst_divergence = 0.0

    def at_rest(self, time: float = 0.0) -> State:
        """The state of rest with the boundary's velocities."""
        n, d = len(self.region.points), self.region.dual
        velocity = np.zeros((n, 3))
        self.ends.set_velocity(velocity, time)
        return State(time, velocity, np.zeros(n), np.zeros(len(d.ends)), self.ends.inflow_fluxes(velocity))

    def resting(self) -> State:
        """Blood at rest but for what enters: its fluxes are free of divergence."""
        n = len(self.region.points)
        return self.start(np.zeros((n, 3)), np.zeros(n))

    def start(self, velocity: Floats, pressure: Floats, time: float = 0.0) -> State:
        """A state with the given fields, its fluxes made free of divergence."""
        d, state = self.region.dual, self.at_rest(time)
        state.velocity, state.pressure = velocity.copy(), pressure.copy()
        self.ends.set_velocity(state.velocity, time)
        flow3d.velocity_fluxes(state.flux, state.velocity, d.ends, d.area)
        left = state.boundary_flux + self.divergence_of(state.flux)
        phi = self.projection.solve(left, np.zeros_like(pressure), time, absolute=self.small(state))
        state.flux -= self.projection.fluxes(phi)
        self.close(state)
        return state

    def small(self, state: State) -> float:
        through = 0.5 * float(np.abs(state.boundary_flux).sum())
        size = through if through > 0.0 else float(np.abs(state.flux).max(initial=0.0)) or 1.0
        return self.divergence * size

    def divergence_of(self, flux: Floats) -> Floats:
        out = np.empty(len(self.region.points))
        flow3d.divergence(out, flux, self.region.dual.ends)
        return out

    def close(self, state: State) -> None:
        """Outlets let out what reaches them; the rest of the balance is the solver's remainder."""
        left = self.divergence_of(state.flux) + state.boundary_flux
        points = self.ends.outlet_points
        state.boundary_flux[points] -= left[points]
        left[points] = 0.0
        through = 0.5 * float(np.abs(state.boundary_flux).sum())
        self.worst_divergence = float(np.abs(left).max()) / through if through > 0.0 else 0.0

    def advance(self, state: State) -> State:
        """One step of ``step_size``."""
        dt, d, old = self.step_size, self.region.dual, self.old
        a0, a1, a2 = (1.0, -1.0, 0.0) if old is None else (1.5, -2.0, 0.5)
        time = state.time + dt
        guess = state.velocity.copy() if old is None else 2.0 * state.velocity - old.velocity
        flux = state.flux if old is None else 2.0 * state.flux - old.flux
        slope = self.slope(state.pressure).copy()
        right = -d.volume[:, None] * slope
        right -= (d.volume / dt)[:, None] * (a1 * state.velocity + (0.0 if old is None else a2 * old.velocity))
        if self.force is not None:
            right += d.volume[:, None] * self.force(time, self.region.points)
        self.ends.set_velocity(guess, time)
        self.load_momentum(guess, right, flux, state.boundary_flux)
        self.momentum.add_inertia(a0 * d.volume / dt)
        velocity = self.momentum.correct(guess, right, self.tolerance)
        new = self._project(state, velocity, slope, dt / a0, time)
        self.old = state
        return new

    def slope(self, pressure: Floats) -> Floats:
        """grad p (n, 3); overwritten by the next call."""
        d, mesh = self.region.dual, self.region
        flow3d.gradients(
            self._gradient_p, pressure[:, None], d.ends, d.area, mesh.wall, mesh.wall_area, self._inverse_volume
        )
        return self._gradient_p[:, 0]

    def load_momentum(self, velocity: Floats, right: Floats, flux: Floats, boundary_flux: Floats) -> None:
        """Set the matrix for the convecting ``flux``, and take from ``right`` what is known of convection."""
        d, mesh = self.region.dual, self.region
        flow3d.gradients(self._gradient_u, velocity, d.ends, d.area, mesh.wall, mesh.wall_area, self._inverse_volume)
        self.momentum.subtract_rest(right, self._gradient_u, flux)
        if self.law is not None:
            self._thin(self.law, velocity, right)
        self.momentum.set_matrix(flux, boundary_flux)

    def _thin(self, law: CarreauYasuda, velocity: Floats, right: Floats) -> None:
        """Viscosity from the shear of ``velocity``; what varies with it beside the Laplacian goes to ``right``."""
        d, mesh = self.region.dual, self.region
        flow3d.shear_rates(self.cell_viscosity, velocity, mesh.tetra, d.shape)
        flow3d.carreau_yasuda(
            self.cell_viscosity, self.cell_viscosity, law.at_rest, law.thin, law.time, law.power, law.index
        )
        self.momentum.set_viscosity(self.cell_viscosity)
        flow3d.transposed_stress(right, velocity, self.cell_viscosity - law.thin, mesh.tetra, d.shape, d.cell_volume)

    def predict_fluxes(
        self, flux: Floats, velocity: Floats, pressure: Floats, slope: Floats, inertia: Floats | float = 0.0
    ) -> None:
        """Fluxes of a velocity that is not yet free of divergence, with neighbouring pressures tied."""
        d, mesh = self.region.dual, self.region
        flow3d.velocity_fluxes(flux, velocity, d.ends, d.area)
        flow3d.gradient_fluxes(self._direct, pressure, self._ones, mesh.tetra, d.tetra_edge, d.shape, d.cell_volume)
        # The time in which a control volume forgets what it held, by flushing, friction or the step.
        local = d.volume / (self.momentum.rate + inertia)
        flow3d.add_damping(flux, slope, self._direct, local, d.ends, d.area)

    def _project(self, state: State, velocity: Floats, slope: Floats, tau: float, time: float) -> State:
        d = self.region.dual
        new = State(time, velocity, state.pressure, np.empty_like(state.flux), self.ends.inflow_fluxes(velocity))
        self.predict_fluxes(new.flux, velocity, state.pressure, slope, d.volume / tau)
        left = self.divergence_of(new.flux) + new.boundary_flux
        guess = None if len(self.phi) < 2 else 2.0 * self.phi[-1] - self.phi[-2]
        small = self.small(new if new.boundary_flux.any() else state)
        phi = self.projection.solve(left, state.pressure, time, tau=tau, absolute=small, guess=guess)
        self.phi = [*self.phi[-1:], phi]
        new.flux -= tau * self.projection.fluxes(phi)
        new.velocity -= tau * self.ends.free * self.slope(phi)
        new.pressure = state.pressure + phi
        if self.law is None:
            rotational = self.cell_viscosity[0] * left / d.volume
            rotational[self.ends.outlet_points] = 0.0
            new.pressure -= rotational
        self.close(new)
        if not np.all(np.isfinite(new.pressure)):
            raise SolverStopped(time, "junction", "velocity or pressure is not finite")
        return new
