"""Meshes of the cases: boxes, pipes, channels, all drawn out of plane triangulations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from haiflow.mesh.extrude import Fits, extruded, region
from haiflow.mesh.region import Region
from haiflow.ports import Floats

NEAR = 1e-9


def grid(x: Floats, y: Floats, mirrored: bool = False) -> tuple[Floats, NDArray[np.int_]]:
    """Points (n, 2) and triangles of a rectangle; ``mirrored``: diagonals turn over in the middle of x."""
    plane, quads = rectangle(x, y)
    a, b, c, d = quads.T
    halves = len(x) - 1
    flip = np.repeat(np.arange(halves) >= halves / 2, len(y) - 1) if mirrored else np.zeros(len(a), bool)
    first = np.where(flip[:, None], np.column_stack([a, b, d]), np.column_stack([a, b, c]))
    second = np.where(flip[:, None], np.column_stack([b, c, d]), np.column_stack([a, c, d]))
    return plane, np.concatenate([first, second])


def rectangle(x: Floats, y: Floats) -> tuple[Floats, NDArray[np.int_]]:
    """Points (n, 2) and quadrangles (k, 4), counter-clockwise, of a rectangle."""
    plane = np.column_stack([np.repeat(x, len(y)), np.tile(y, len(x))])
    corner = (np.arange(len(x) - 1)[:, None] * len(y) + np.arange(len(y) - 1)).ravel()
    return plane, np.column_stack([corner, corner + len(y), corner + len(y) + 1, corner + 1])


def crossed(plane: Floats, quads: NDArray[np.int_]) -> tuple[Floats, NDArray[np.int_]]:
    """Four triangles out of each of ``quads`` (k, 4), which meet in a new point in its middle."""
    middle = len(plane) + np.arange(len(quads))
    triangles = [np.column_stack([quads[:, side], quads[:, (side + 1) % 4], middle]) for side in range(4)]
    return np.concatenate([plane, plane[quads].mean(axis=1)]), np.concatenate(triangles)


def jittered(plane: Floats, share: float, seed: int = 0) -> Floats:
    """Inner points of a unit square moved at random by up to ``share`` of the spacing."""
    inner = np.all((plane > NEAR) & (plane < 1.0 - NEAR), axis=1)
    step = share / (np.sqrt(len(plane)) - 1.0)
    moved = plane.copy()
    moved[inner] += step * np.random.default_rng(seed).uniform(-1.0, 1.0, (int(inner.sum()), 2))
    return moved


def graded(n: int, strength: float) -> Floats:
    """(n + 1,) from 0 to 1, finer at both ends."""
    return np.asarray(0.5 * (1.0 + np.tanh(strength * (2.0 * np.linspace(0.0, 1.0, n + 1) - 1.0)) / np.tanh(strength)))


def layer(plane: Floats, triangles: NDArray[np.int_], depth: float, named: Mapping[str, Fits]) -> Region:
    """One layer of cells: a plane flow between two planes of symmetry called "side"."""
    points, tetra = extruded(plane, triangles, np.array([0.0, depth]))

    def sides(c: Floats) -> NDArray[np.bool_]:
        return np.asarray((np.abs(c[:, 2]) < NEAR) | (np.abs(c[:, 2] - depth) < NEAR))

    return region(points, tetra, [("side", sides), *named.items()])


def disc(n: int, towards_rim: float = 0.0) -> tuple[Floats, NDArray[np.int_]]:
    """A unit disc out of a square of 2 n by 2 n, smoothly mapped; the outermost points lie on the circle.

    ``towards_rim`` (0 to 0.4): how much finer it is there than in the middle.
    """
    side = np.linspace(-1.0, 1.0, 2 * n + 1)
    plane, triangles = grid(side, side)
    x, y = plane.T
    squircle = np.column_stack([x * np.sqrt(1.0 - 0.5 * y * y), y * np.sqrt(1.0 - 0.5 * x * x)])
    radius = np.hypot(*squircle.T)[:, None]
    return squircle * (1.0 + towards_rim * (1.0 - radius**2)), _corners_cut(plane, triangles)


def _corners_cut(plane: Floats, triangles: NDArray[np.int_]) -> NDArray[np.int_]:
    """Diagonals turned so that they point to the middle in every quarter."""
    quads = np.concatenate([triangles[: len(triangles) // 2], triangles[len(triangles) // 2 :, 2:]], axis=1)
    a, b, c, d = quads.T
    middle = plane[quads].mean(axis=1)
    along = middle[:, 0] * middle[:, 1] > 0.0
    first = np.where(along[:, None], np.column_stack([a, b, c]), np.column_stack([a, b, d]))
    second = np.where(along[:, None], np.column_stack([a, c, d]), np.column_stack([b, c, d]))
    return np.concatenate([first, second])


def pipe(n: int, layers: int, length: float, radius: float, bend: float = 0.0) -> Region:
    """A straight pipe along z, or one bent to the radius ``bend`` (m) of its axis; patches inlet, outlet, wall."""
    plane, triangles = disc(n)
    points, tetra = extruded(plane * radius, triangles, np.linspace(0.0, length, layers + 1))
    if not bend:
        return region(points, tetra, [
            ("inlet", lambda c: c[:, 2] < NEAR), ("outlet", lambda c: c[:, 2] > length - NEAR),
            ("wall", lambda c: np.ones(len(c), bool)),
        ])  # fmt: skip
    turn = points[:, 2] / bend
    reach = bend + points[:, 0]
    bent = np.column_stack([reach * np.cos(turn) - bend, points[:, 1], reach * np.sin(turn)])
    end = length / bend
    normal = np.array([-np.sin(end), 0.0, np.cos(end)])
    origin = np.array([bend * np.cos(end) - bend, 0.0, bend * np.sin(end)])
    return region(bent, tetra, [
        ("inlet", lambda c: np.abs(c[:, 2]) < NEAR), ("outlet", lambda c: np.abs((c - origin) @ normal) < NEAR),
        ("wall", lambda c: np.ones(len(c), bool)),
    ])  # fmt: skip


def duct(
    branches: tuple[str, str], fine: int = 6, width: float = 3e-3, hole_at: tuple[float, float] = (0.0, 0.0)
) -> Region:
    """A square duct that meets a wall and parts to both sides, with a hole in the side wall where the arms cross.

    ``hole_at``: the hole's middle off that of the crossing, in widths, along the arms and up the duct.
    """
    arm = graded(fine, 0.8) - 0.5
    far = 0.5 + 3.0 * np.linspace(0.0, 1.0, fine + 1)[1:]
    x = np.concatenate([-far[::-1], arm, far])
    y = np.concatenate([graded(fine, 0.8), 1.0 + 2.0 * np.linspace(0.0, 1.0, fine + 1)[1:]])
    plane, triangles = grid(x, y, mirrored=True)
    middle = plane[triangles].mean(axis=1)
    triangles = triangles[(middle[:, 1] < 1.0) | (np.abs(middle[:, 0]) < 0.5)]
    points, tetra = extruded(plane, triangles, graded(fine, 0.8))
    used, corners = np.unique(tetra, return_inverse=True)
    left, right = x[0], x[-1]
    made = region(points[used], corners.reshape(-1, 4).astype(np.int32), [
        ("inlet", lambda c: c[:, 1] > 3.0 - 1e-9),
        (branches[0], lambda c: c[:, 0] < left + 1e-9), (branches[1], lambda c: c[:, 0] > right - 1e-9),
        ("hole:tip", lambda c: (c[:, 2] < 1e-9) & (np.abs(c[:, 0] - hole_at[0]) < 0.2)
         & (np.abs(c[:, 1] - 0.5 - hole_at[1]) < 0.2)),
        ("vessel", lambda c: np.ones(len(c), bool)),
    ])  # fmt: skip
    return Region(made.points * width, made.tetra, made.wall, made.patch, made.names)
