"""Fully developed flow through a patch of any shape: steady, or Womersley's for every harmonic of a flow rate.

In a long straight tube of that cross-section the velocity w obeys ``dw/dt = nu lap(w) + g(t)`` with w = 0 on the rim.
For each angular frequency ``(i omega / nu - lap) w = 1`` is solved by linear elements on the patch's own triangles and
scaled to unit flow; a circle gives Poiseuille's and Womersley's profiles (Womersley 1955, J Physiol 127:553).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu

from haiflow.mesh.region import Region
from haiflow.ports import Floats

Profile = Callable[[float], Floats]


def developed(region: Region, name: str, flow_rate: float, *, flat: bool = True) -> Profile:
    """Steady flow of ``flow_rate`` (m3/s) into the region by the patch ``name``; ``flat``: refuse a curved one."""
    into, shape = _unit_flow(region, name, 0.0, flat)
    velocity = flow_rate * shape.real[:, None] * into
    return lambda _: velocity


def womersley(
    region: Region, name: str, samples: Floats, period: float, viscosity: float, highest: int = 12
) -> Profile:
    """Periodic flow into the region: ``samples`` (k,) m3/s at equal steps over one ``period`` (s).

    Their Fourier series is kept up to the harmonic ``highest``.
    """
    harmonics = np.fft.rfft(samples)[: highest + 1] / len(samples)
    weight = np.where(np.arange(len(harmonics)) == 0, 1.0, 2.0)
    if len(samples) % 2 == 0 and len(harmonics) == len(samples) // 2 + 1:
        weight[-1] = 1.0
    kept = [k for k, value in enumerate(harmonics) if k == 0 or abs(value) > 1e-9 * abs(harmonics).max()]
    omega = 2.0 * np.pi / period
    found = [_unit_flow(region, name, k * omega / viscosity) for k in kept]
    into = found[0][0]
    waves = np.array([weight[k] * harmonics[k] * shape for k, (_, shape) in zip(kept, found, strict=True)])
    turns = omega * np.array(kept)
    return lambda time: np.real(np.exp(1j * turns * time) @ waves)[:, None] * into


def _unit_flow(region: Region, name: str, rate: float, flat: bool = True) -> tuple[Floats, NDArray[np.complex128]]:
    """Direction into the region, and the profile (k,) 1/m2 of unit flow on the patch's sorted points."""
    triangles, points = region.triangles(name), region.on(name)
    corner = np.searchsorted(points, triangles)
    normals = region.wall_area[region.patch == region.names.index(name)]
    size = np.linalg.norm(normals, axis=1)
    out = normals.sum(axis=0) / np.linalg.norm(normals.sum(axis=0))
    if flat and np.linalg.norm(normals.sum(axis=0)) < 0.999 * size.sum():
        raise ValueError(f"patch '{name}' is not plane: a developed profile needs a plane cross-section")
    inner = np.setdiff1d(np.arange(len(points)), _rim(corner))
    if not len(inner):
        raise ValueError(f"patch '{name}' has no point inside its rim: its mesh is too coarse for a flow")
    stiff, mass = _elements(region.points[points], corner, size, out)
    matrix = csc_array((stiff + 1j * rate * mass)[inner][:, inner] if rate else stiff[inner][:, inner])
    shape = np.zeros(len(points), complex)
    shape[inner] = splu(matrix).solve(np.asarray(mass.sum(axis=0)).ravel()[inner].astype(matrix.dtype))
    through = np.einsum("kc,k->", shape[corner], normals @ out) / 3.0  # a curved face lets in what crosses its plane
    return -out, shape / through


def _rim(corner: NDArray[np.intp]) -> NDArray[np.intp]:
    """The points on the patch's edge: ends of the sides that one triangle alone has."""
    sides = np.sort(corner[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    alone, count = np.unique(sides, axis=0, return_counts=True)
    return np.unique(alone[count == 1])


def _elements(points: Floats, corner: NDArray[np.intp], size: Floats, normal: Floats) -> tuple[csc_array, csc_array]:
    """Stiffness and mass matrix of linear elements on triangles in space."""
    n, p = len(points), points[corner]
    slope = np.cross(normal, p[:, [2, 0, 1]] - p[:, [1, 2, 0]]) / (2.0 * size[:, None, None])  # grad of each corner's
    rows, columns = np.repeat(corner, 3, axis=1).ravel(), np.tile(corner, (1, 3)).ravel()
    stiff = np.einsum("kad,kbd,k->kab", slope, slope, size).ravel()
    mass = (size[:, None, None] * (np.ones((3, 3)) + np.eye(3)) / 12.0).ravel()
    return csc_array((stiff, (rows, columns)), shape=(n, n)), csc_array((mass, (rows, columns)), shape=(n, n))
