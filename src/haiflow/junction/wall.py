"""Shear on the walls: its mean over the cycle, and how much it turns (oscillatory shear index)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from haiflow.mesh.region import Region
from haiflow.ports import Floats


def wall_shear(region: Region, velocity: Floats, viscosity: Floats) -> Floats:
    """(b, 3) Pa: tangential traction of the blood on each boundary triangle; ``viscosity`` (m,) Pa s of each cell."""
    cells, d = region.behind, region.dual
    slope = np.einsum("kac,kad->kcd", velocity[region.tetra[cells]], d.shape[cells])  # d u_c / d x_d
    normal = region.wall_area / np.linalg.norm(region.wall_area, axis=1, keepdims=True)
    traction = viscosity[cells, None] * np.einsum("kcd,kd->kc", slope + slope.transpose(0, 2, 1), normal)
    return -(traction - np.einsum("kc,kc->k", traction, normal)[:, None] * normal)


@dataclass
class WallShear:
    """Sums over steps of equal length."""

    region: Region
    steps: int = 0
    vector: Floats = field(init=False)
    size: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.vector, self.size = np.zeros((len(self.region.wall), 3)), np.zeros(len(self.region.wall))

    def add(self, shear: Floats) -> None:
        """One step's (b, 3)."""
        self.vector += shear
        self.size += np.linalg.norm(shear, axis=1)
        self.steps += 1

    @property
    def mean(self) -> Floats:
        """(b,) Pa: time average of the shear's size."""
        return self.size / max(self.steps, 1)

    @property
    def oscillatory_index(self) -> Floats:
        """(b,) from 0 (one direction) to 0.5 (to and fro alike); Ku et al. 1985, Arteriosclerosis 5:293."""
        along = np.linalg.norm(self.vector, axis=1)
        return 0.5 * (1.0 - np.divide(along, self.size, out=np.ones_like(along), where=self.size > 0.0))


def at_points(region: Region, value: Floats) -> Floats:
    """(n,) area-weighted mean of a boundary value (b,) at the boundary's points, zero inside."""
    area = np.linalg.norm(region.wall_area, axis=1)
    n = len(region.points)
    total = np.bincount(region.wall.ravel(), np.repeat(area * value, 3), n)
    weight = np.bincount(region.wall.ravel(), np.repeat(area, 3), n)
    return np.asarray(np.divide(total, weight, out=np.zeros(n), where=weight > 0.0))
