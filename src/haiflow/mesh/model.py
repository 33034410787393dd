"""The liver's mesh as a frozen value, and finding the cell that holds a point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from haiflow.mesh.volumes import tetra_centres, tetra_volumes
from haiflow.ports import Floats

NUMERALS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")


@dataclass(frozen=True)
class TetraMesh:
    """Tetrahedra of a liver: ``points`` (n, 3) m, ``tetra`` (m, 4), ``couinaud_segment`` (m,) from 1 to 8."""

    points: Floats
    tetra: NDArray[np.int32]
    couinaud_segment: NDArray[np.int32]

    @cached_property
    def volumes(self) -> Floats:
        """Volume of each cell (m,) in m3."""
        return tetra_volumes(self.points, self.tetra)

    @cached_property
    def centres(self) -> Floats:
        """Centroid of each cell (m, 3) in m."""
        return tetra_centres(self.points, self.tetra)

    @property
    def volume(self) -> float:
        """Volume of the liver (m3)."""
        return float(self.volumes.sum())

    @property
    def fractions(self) -> dict[str, float]:
        """Share of the volume that each Couinaud segment has; segments without a cell are left out."""
        held = np.bincount(self.couinaud_segment, weights=self.volumes, minlength=9)[1:9] / self.volume
        return {name: float(share) for name, share in zip(NUMERALS, held, strict=True) if share > 0.0}

    def scaled(self, volume: float) -> TetraMesh:
        """The same liver grown or shrunk about the origin (the porta hepatis) to ``volume`` (m3)."""
        return TetraMesh(self.points * (volume / self.volume) ** (1.0 / 3.0), self.tetra, self.couinaud_segment)


def cell_at(mesh: TetraMesh, point: tuple[float, float, float]) -> int | None:
    """The cell that holds ``point`` (m), None outside: its four barycentric coordinates are not negative."""
    target = np.asarray(point, dtype=float)
    corners = mesh.points[mesh.tetra]
    near = np.flatnonzero(((corners.min(axis=1) <= target) & (corners.max(axis=1) >= target)).all(axis=1))
    if near.size == 0:
        return None
    first = corners[near, 0]
    edges = (corners[near, 1:] - first[:, None]).transpose(0, 2, 1)
    weights = np.linalg.solve(edges, (target - first)[:, :, None])[:, :, 0]
    lowest = np.minimum(weights.min(axis=1), 1.0 - weights.sum(axis=1))
    best = int(np.argmax(lowest))
    return int(near[best]) if lowest[best] >= -1e-9 else None


def segment_locator(mesh: TetraMesh) -> Callable[[tuple[float, float, float]], str | None]:
    """A function that names the Couinaud segment at a point (m), None outside the liver."""

    def segment_at(point: tuple[float, float, float]) -> str | None:
        cell = cell_at(mesh, point)
        return None if cell is None else NUMERALS[int(mesh.couinaud_segment[cell]) - 1]

    return segment_at
