"""The steady state: steps with a time step of their own in every control volume, mixed by Anderson's method.

One step is that of :mod:`haiflow.junction.march` to first order in time, each control volume at ``COURANT`` times the
time in which it is flushed. Anderson mixing (Anderson 1965, J ACM 12:547; Walker & Ni 2011, SIAM J Numer Anal 49:1715)
of velocities, pressures and fluxes makes it converge several times faster; mixed fluxes stay free of divergence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import SolverStopped
from haiflow.junction.case import Case, conditions
from haiflow.junction.march import Flow, State
from haiflow.junction.projection import Projection
from haiflow.kernels import kernel
from haiflow.mesh.region import Region
from haiflow.ports import Floats

flow3d = kernel("flow3d")
Singles = NDArray[np.float32]

COURANT = 4.0
REFRESH = (0, 4, 12, 30, 60)  # steps after which the local time steps, and with them the matrix, are set anew
LOOSE = 0.05  # of the residual, left by the linear solvers on the way


@dataclass(frozen=True)
class Steady:
    """A steady ``state``, the steps taken, and the momentum residual over what convection and friction carry."""

    state: State
    steps: int
    residual: float


def steady(flow: Flow, state: State, *, tolerance: float = 1e-5, most: int = 600, depth: int = 6) -> Steady:
    """Solve from ``state``; raises SolverStopped where ``most`` steps leave more than ``tolerance``."""
    mixing, projection, residual = Mixing(flow, depth), flow.projection, np.inf
    for count in range(most):
        if count in REFRESH:
            projection.release()  # room for the next one before that is set up
            mixing.forget()
            local, projection = _local_steps(flow, state)
        new, residual = _step(flow, state, local, projection)
        if count and residual < tolerance:
            return Steady(_closed(flow, new, projection), count + 1, residual)
        state = mixing.mixed(state, new)
    reason = f"the steady flow stands at a residual of {residual:.2g} after {most} steps; it may not be steady at all"
    raise SolverStopped(0.0, "junction", reason)


def of_mean_flow(case: Case, region: Region) -> tuple[Flow, Steady]:
    """The steady state of a case's mean flow, and what solved it."""
    calm = replace(case, inflow=np.array([case.mean_flow]), period=0.0)
    flow = Flow(region, conditions(calm, region), case.thinning or case.kinematic, 1.0)
    return flow, steady(flow, flow.resting())


def _local_steps(flow: Flow, state: State) -> tuple[Floats, Projection]:
    flow.momentum.set_matrix(state.flux, state.boundary_flux)
    local = COURANT * flow.region.dual.volume / np.maximum(flow.momentum.rate, 1e-300)
    return local, Projection(flow.region, flow.ends, local[flow.region.tetra].mean(axis=1))


def _step(flow: Flow, state: State, local: Floats, projection: Projection) -> tuple[State, float]:
    """One step, and the residual of the state that it starts from."""
    d, m, mesh = flow.region.dual, flow.momentum, flow.region
    inertia = d.volume / local
    slope = flow.slope(state.pressure).copy()
    right = -d.volume[:, None] * slope
    if flow.force is not None:
        right += d.volume[:, None] * flow.force(state.time, mesh.points)
    flow.load_momentum(state.velocity, right, state.flux, state.boundary_flux)
    steady_part = flow.ends.free * right - m.product(state.velocity)
    scale = np.linalg.norm(flow.ends.free * (m.rate[:, None] * state.velocity)) or 1.0
    residual = float(np.linalg.norm(steady_part) / scale)
    m.add_inertia(inertia)
    velocity = m.correct(state.velocity, right + inertia[:, None] * state.velocity, LOOSE)
    new = replace(
        state, velocity=velocity, flux=np.empty_like(state.flux), boundary_flux=flow.ends.inflow_fluxes(velocity)
    )
    flow.predict_fluxes(new.flux, velocity, state.pressure, slope)
    left = flow.divergence_of(new.flux) + new.boundary_flux
    phi = projection.solve(left, state.pressure, state.time, tolerance=LOOSE)
    new.flux -= projection.fluxes(phi)
    new.velocity -= local[:, None] * flow.ends.free * flow.slope(phi)
    new.pressure = state.pressure + phi
    flow.close(new)
    return new, residual if np.isfinite(residual) else np.inf


def _closed(flow: Flow, state: State, projection: Projection) -> State:
    """The fluxes made free of divergence to the flow's own tolerance."""
    left = flow.divergence_of(state.flux) + state.boundary_flux
    at = flow.ends.outlet_points
    left[at] = 0.0
    phi = projection.fill(left, absolute=flow.small(state))
    state.flux -= projection.fluxes(phi)
    flow.close(state)
    return state


class Mixing:
    """Anderson's method on (velocity, pressure, fluxes), distances measured in velocities."""

    def __init__(self, flow: Flow, depth: int) -> None:
        self.weight = np.sqrt(flow.region.dual.volume)[:, None] * flow.ends.free
        self.depth = depth
        self.forget()

    def forget(self) -> None:
        """Start anew: the step itself has changed."""
        self.move: Floats | None = None  # of the velocity in the last step, weighted
        self.end: State | None = None  # where that led to
        # From one step to the next, in single precision: what they are off by is small beside themselves.
        self.moves: list[Singles] = []
        self.ends: list[tuple[Singles, ...]] = []

    def mixed(self, old: State, new: State) -> State:
        """The next state to step from."""
        move = (self.weight * (new.velocity - old.velocity)).ravel()
        if self.move is not None and self.end is not None:
            self.moves = [*self.moves[1 - self.depth :], (move - self.move).astype(np.float32)]
            self.ends = [*self.ends[1 - self.depth :], _apart(self.end, new)]
        self.move, self.end = move, new
        if not self.moves:
            return new
        moves = np.array(self.moves, dtype=float)  # products of single precision would drown the slowest modes
        factor, *_ = np.linalg.lstsq(moves @ moves.T, moves @ move, rcond=1e-10)
        out = new.copy()
        for share, apart in zip(factor, self.ends, strict=True):
            for field, less in zip(_fields(out), apart, strict=True):
                field -= share * less
        return out


def _fields(state: State) -> tuple[Floats, ...]:
    return state.velocity, state.pressure, state.flux, state.boundary_flux


def _apart(before: State, after: State) -> tuple[Singles, ...]:
    return tuple((b - a).astype(np.float32) for a, b in zip(_fields(before), _fields(after), strict=True))
