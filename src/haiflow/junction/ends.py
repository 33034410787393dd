"""What holds on the patches of a region: walls, inflows, planes of symmetry and outlets, and which points they fix.

A point on several patches obeys the strictest: wall, then inflow, then symmetry, then outlet. Pressures here are over
density (m2/s2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haiflow.mesh.region import Ints, Region
from haiflow.ports import Floats

Wave = Callable[[float], float]


@dataclass(frozen=True)
class Wall:
    """A wall at ``velocity`` (m/s), zero as a rule."""

    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Inflow:
    """``profile`` gives velocities (k, 3) m/s at time t on the sorted points of the patch; its rim is the wall's."""

    profile: Callable[[float], Floats]


@dataclass(frozen=True)
class Symmetry:
    """A plane normal to ``axis`` (0, 1 or 2) that nothing crosses."""

    axis: int


@dataclass(frozen=True)
class Outlet:
    """One of three: ``pressure`` (m2/s2), ``flow_rate`` (m3/s out) over time, or ``resistance`` (1/(m s)) to zero."""

    pressure: Wave | None = None
    flow_rate: Wave | None = None
    resistance: float | None = None

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.pressure, self.flow_rate, self.resistance)) != 1:
            raise ValueError("an outlet has a pressure, a flow rate or a resistance")


End = Wall | Inflow | Symmetry | Outlet


@dataclass(frozen=True)
class Ends:
    """The patches' conditions laid on a region's points."""

    region: Region
    free: Floats  # (n, 3) 1 where the momentum equation rules, 0 where the velocity is given
    inflows: tuple[tuple[Ints, NDArray[np.bool_], Inflow], ...]  # points of the patch, which of them it rules
    walls: Floats  # (n, 3) velocities of the walls
    outlets: tuple[tuple[str, Ints, Outlet], ...]
    closure: Callable[[Floats], Floats]

    def through(self, name: str, velocity: Floats) -> Floats:
        """(n,) m3/s outwards through one patch with a given ``velocity`` (n, 3)."""
        held = self.region.patch == self.region.names.index(name)
        return _flux_through(self.region, held)(velocity)

    @property
    def outlet_points(self) -> Ints:
        return np.concatenate([points for _, points, _ in self.outlets]) if self.outlets else np.zeros(0, np.int32)

    def set_velocity(self, velocity: Floats, time: float) -> None:
        """Write what walls and inflows give at ``time`` into ``velocity`` (n, 3)."""
        velocity *= self.free
        velocity += self.walls
        for points, ruled, inflow in self.inflows:
            velocity[points[ruled]] = inflow.profile(time)[ruled]

    def inflow_fluxes(self, velocity: Floats) -> Floats:
        """(n,) m3/s outwards through walls and inflows; without an outlet their sum is spread away."""
        flux = self.closure(velocity)
        if not self.outlets:
            size = np.abs(flux)
            if size.sum() > 0.0:
                flux = flux - flux.sum() * size / size.sum()
        return flux


def lay(region: Region, conditions: Mapping[str, End]) -> Ends:
    """Raises ValueError for a patch without a condition, or a condition without a patch."""
    if set(conditions) != set(region.names):
        raise ValueError(f"patches {sorted(region.names)}, but conditions for {sorted(conditions)}")
    n = len(region.points)
    free, walls = np.ones((n, 3)), np.zeros((n, 3))
    outlet_of = np.zeros(n, dtype=bool)
    for name, end in conditions.items():
        if isinstance(end, Symmetry):
            free[region.on(name), end.axis] = 0.0
    ruled_by_wall = np.zeros(n, dtype=bool)
    for name, end in conditions.items():
        if isinstance(end, Wall):
            points = region.on(name)
            walls[points[~ruled_by_wall[points]]] = end.velocity
            ruled_by_wall[points] = True
    free[ruled_by_wall] = 0.0
    inflows, outlets = [], []
    for name, end in conditions.items():
        points = region.on(name)
        if isinstance(end, Inflow):
            ruled = ~ruled_by_wall[points]
            free[points] = 0.0
            inflows.append((points, ruled, end))
        if isinstance(end, Outlet):
            points = points[~outlet_of[points]]
            outlet_of[points] = True
            outlets.append((name, points, end))
    return Ends(region, free, tuple(inflows), walls, tuple(outlets), _closure(region, conditions))


def _closure(region: Region, conditions: Mapping[str, End]) -> Callable[[Floats], Floats]:
    """Flux (n,) through the given-velocity patches, each corner's third with the weights 6 : 1 : 1 of linear fields."""
    numbers = [region.names.index(name) for name, end in conditions.items() if isinstance(end, (Wall, Inflow))]
    return _flux_through(region, np.isin(region.patch, numbers))


def _flux_through(region: Region, held: NDArray[np.bool_]) -> Callable[[Floats], Floats]:
    triangles, areas = region.wall[held], region.wall_area[held]
    n = len(region.points)

    def flux(velocity: Floats) -> Floats:
        through = np.einsum("kcd,kd->kc", velocity[triangles], areas)
        share = (5.0 * through + through.sum(axis=1, keepdims=True)) / 24.0
        return np.asarray(np.bincount(triangles.ravel(), share.ravel(), n))

    return flux
