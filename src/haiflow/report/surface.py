"""The liver's outside, and the lines between its segments, out of tetrahedra (numpy only: page and scene share it)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haiflow.ports import Floats
from haiflow.results import LiverField

FACES = np.array([[1, 2, 3], [0, 3, 2], [0, 1, 3], [0, 2, 1]])  # outward where the tetrahedron is positive


@dataclass(frozen=True)
class Surface:
    """Triangles (m, 3) on points (n, 3) m, the tetrahedron under each triangle, and border lines (k, 2) of segments."""

    points: Floats
    triangles: NDArray[np.int32]
    cell: NDArray[np.int32]
    borders: NDArray[np.int32]


def outside(liver: LiverField) -> Surface:
    """The outer surface of ``liver``, triangles turned outwards, with the edges where two segments meet on it."""
    corners = liver.points[liver.tetra]
    volume = np.einsum(
        "ij,ij->i",
        corners[:, 1] - corners[:, 0],
        np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 0]),
    )
    faces = liver.tetra[:, FACES].reshape(-1, 3)
    keys = _keys(np.sort(faces, axis=1), len(liver.points))
    _, first, count = np.unique(keys, return_index=True, return_counts=True)
    lone = np.sort(first[count == 1])
    cell = (lone // 4).astype(np.int32)
    triangles = faces[lone]
    triangles = np.where((volume[cell] < 0.0)[:, None], triangles[:, ::-1], triangles)
    used, index = np.unique(triangles, return_inverse=True)
    triangles = index.reshape(-1, 3).astype(np.int32)
    segment = np.asarray(liver.cell_data.get("couinaud_segment", np.zeros(len(liver.tetra), int)))[cell]
    return Surface(liver.points[used], triangles, cell, _borders(triangles, segment, len(used)))


def _keys(rows: NDArray[np.int32], base: int) -> NDArray[np.int64]:
    """One integer per sorted row of point indices."""
    key = rows[:, 0].astype(np.int64)
    for column in range(1, rows.shape[1]):
        key = key * base + rows[:, column]
    return key


def _borders(triangles: NDArray[np.int32], segment: NDArray[np.int32], n_points: int) -> NDArray[np.int32]:
    """Edges (k, 2) between two triangles of different segments."""
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    owner = np.repeat(segment, 3)
    keys = _keys(edges, n_points)
    order = np.argsort(keys, kind="stable")
    keys, owner, edges = keys[order], owner[order], edges[order]
    meet = (keys[1:] == keys[:-1]) & (owner[1:] != owner[:-1])
    return edges[1:][meet].astype(np.int32)


def segment_centres(liver: LiverField) -> dict[int, Floats]:
    """Centroid (3,) m of each segment (1 to 8), weighted by volume."""
    corners = liver.points[liver.tetra]
    edges = corners[:, 1:] - corners[:, :1]
    volume = np.abs(np.linalg.det(edges))
    middle = corners.mean(axis=1)
    segment = np.asarray(liver.cell_data.get("couinaud_segment", []))
    return {
        int(number): np.average(middle[segment == number], axis=0, weights=volume[segment == number])
        for number in np.unique(segment)
        if number > 0
    }


def by_number(skin: Surface, number: NDArray[np.int32]) -> tuple[Surface, list[tuple[int, int, int]]]:
    """The triangles in the order of their ``number`` (m,), and (number, first, count) of each that occurs."""
    order = np.argsort(number, kind="stable")
    found, first, count = np.unique(number[order], return_index=True, return_counts=True)
    spans = [(int(a), int(b), int(c)) for a, b, c in zip(found, first, count, strict=True)]
    return Surface(skin.points, skin.triangles[order], skin.cell[order], skin.borders), spans


def normals(skin: Surface) -> Floats:
    """Unit normals (n, 3) at the points, outwards, weighted by the areas of the triangles."""
    a, b, c = (skin.points[skin.triangles[:, k]] for k in range(3))
    total = np.zeros_like(skin.points)
    np.add.at(total, skin.triangles, np.cross(b - a, c - a)[:, None, :])
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-300)


def smoothed_borders(skin: Surface, rounds: int = 12, lift: float = 8e-4) -> Floats:
    """The points of ``skin`` with those on a border between two segments drawn towards their neighbours along it.

    Borders follow the mesh in a zigzag; the points where three segments meet stay where they are. All are lifted
    (by ``lift`` m), because a smoothed line cuts below a curved skin.
    """
    points = skin.points.copy()
    start, end = skin.borders.T
    degree = np.bincount(skin.borders.ravel(), minlength=len(points))
    along = degree == 2
    for _ in range(rounds):
        total = np.zeros_like(points)
        np.add.at(total, start, points[end])
        np.add.at(total, end, points[start])
        points[along] = 0.5 * points[along] + 0.25 * total[along]
    return points + lift * normals(skin)


def at_points(skin: Surface, values: Floats) -> Floats:
    """Values (m,) or (..., m) of the triangles as means at the points: (n,) or (..., n)."""
    from scipy.sparse import csr_array

    corner, n = skin.triangles.ravel(), len(skin.points)
    share = 1.0 / np.maximum(np.bincount(corner, minlength=n), 1)
    triangle = np.repeat(np.arange(len(skin.triangles)), 3)
    mean = csr_array((share[corner], (corner, triangle)), shape=(n, len(skin.triangles)))
    return np.asarray((mean @ np.asarray(values, float).T).T)


def refined(points: Floats, pieces: int = 4) -> tuple[Floats, Floats]:
    """A polyline (k, 3) as a Catmull-Rom curve, ``pieces`` steps a piece, and where the new points lie."""
    k = len(points)
    if k < 3:
        return points, np.arange(float(k))
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    place = np.linspace(0.0, k - 1.0, (k - 1) * pieces + 1)
    piece = np.minimum(place.astype(int), k - 2)
    t = (place - piece)[:, None]
    a, b, c, d = (padded[piece + shift] for shift in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return curve, place


def rounded(points: Floats, triangles: NDArray[np.int32], rounds: int = 10) -> Floats:
    """Points of a small closed surface cut out of tetrahedra, smoothed and blown up again to the old mean radius."""
    n = len(points)
    edges = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    degree = np.maximum(np.bincount(edges[:, 0], minlength=n), 1)[:, None]
    smooth, middle = points.copy(), points.mean(axis=0)
    size = np.linalg.norm(points - middle, axis=1).mean()
    for _ in range(rounds):
        total = np.zeros_like(points)
        np.add.at(total, edges[:, 0], smooth[edges[:, 1]])
        smooth = 0.5 * smooth + 0.5 * total / degree
    shrunk = np.linalg.norm(smooth - middle, axis=1).mean()
    return middle + (smooth - middle) * (size / shrunk if shrunk > 0.0 else 1.0)
