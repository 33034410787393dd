"""What the drug does in one beat of the heart, and what is kept of it.

The drug follows the flow and never acts on it, so it is one step behind, in a thread of its own where a second one is
allowed: the same numbers as one after the other, in half the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from haiflow.junction.drug import DrugField
from haiflow.junction.march import Flow, State
from haiflow.junction.wall import WallShear, wall_shear
from haiflow.numerics.team import beside
from haiflow.ports import Floats

FRAMES = 24  # pictures over a beat


@dataclass(frozen=True)
class Frame:
    """The fields at a ``time`` (s) of the beat: velocity (n, 3) m/s, pressure (n,) Pa, drug (n, holes) share."""

    time: float
    velocity: NDArray[np.float32]
    pressure: NDArray[np.float32]
    drug: NDArray[np.float32]

    @classmethod
    def of(cls, time: float, state: State, drug: Floats, density: float) -> Frame:
        pressure = density * state.pressure
        return cls(time, state.velocity.astype(np.float32), pressure.astype(np.float32), drug.astype(np.float32))


@dataclass
class Beat:
    """Means over ``steps`` steps: ``leaving`` (outlets, holes) and ``blood`` (outlets,) m3/s, ``stay`` (holes,) m3.

    The last is undiluted infusate in ``near`` (n,) m3 of the control volumes.
    """

    drug: DrugField
    near: Floats
    density: float
    steps: int
    leaving: Floats = field(init=False)
    blood: Floats = field(init=False)
    stay: Floats = field(init=False)
    shear: WallShear = field(init=False)
    stray: float = 0.0  # how far the drug went out of its bounds
    frames: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        shape = len(self.drug.outlets), self.drug.inflow.shape[1]
        self.leaving, self.blood, self.stay = np.zeros(shape), np.zeros(shape[0]), np.zeros(shape[1])
        self.shear = WallShear(self.drug.region)

    def run(self, flow: Flow, state: State, c: Floats, tell: Callable[[float], None], threads: int = 0) -> State:
        """A beat from ``state`` and the drug ``c`` (n, holes), which is changed in place; returns the last state.

        ``threads``: 1 or 2; as many as :func:`haiflow.numerics.team.allowed` grants where it is 0.
        """
        with beside("drug", threads) as helper:
            follower = helper.submit(lambda: None)
            for number in range(self.steps):
                old, state = state, flow.advance(state)
                # A thinning blood's viscosity is overwritten by the next step.
                viscosity = self.density * flow.cell_viscosity
                follower.result()
                follower = helper.submit(self.follow, number, flow.step_size, old, state, viscosity, c)
                tell((number + 1) / self.steps)
            follower.result()
        return state

    def follow(self, number: int, dt: float, old: State, new: State, viscosity: Floats, c: Floats) -> None:
        """The drug over one step, on the mean of the fluxes at its ends."""
        region = self.drug.region
        flux, boundary = 0.5 * (old.flux + new.flux), 0.5 * (old.boundary_flux + new.boundary_flux)
        self.leaving += self.drug.step(c, flux, boundary, dt) / self.steps
        self.stray = max(self.stray, float(-c.min()), float(c.max() - 1.0))
        self.blood += np.array([new.boundary_flux[at].sum() for at in self.drug.outlets.values()]) / self.steps
        self.shear.add(wall_shear(region, new.velocity, viscosity))
        self.stay += self.near @ c / self.steps
        # Evenly over the beat, whatever the number of steps, and the last one at its end.
        if (number + 1) * FRAMES // self.steps > number * FRAMES // self.steps:
            self.frames.append(Frame.of((number + 1) * dt, new, c, self.density))
