"""Cameras: what a picture of the scene looks at, and where a point of space lands in it.

Axes are the body's: x to the left, y to the back, z up; parallel projection, so that sizes can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from haiflow.ports import Floats
from haiflow.results import LiverField, Network
from haiflow.results.record import CATHETER

SIZE = (1200, 1080)
CLOSE = 0.036  # m: half the height of the close-up


@dataclass(frozen=True)
class View:
    """A camera: what it looks at (3,), from which direction (3,), and half the height it sees (m)."""

    focus: Floats
    direction: Floats
    half_height: float


def overview(network: Network | None, liver: LiverField | None) -> View:
    """All of it, from the front, a little from above and the patient's left."""
    clouds = [item.points for item in (network, liver) if item is not None]
    if network is not None and network.pump is not None:
        clouds.append(network.pump.centre + network.pump.radius * np.array([[1, 0, 1], [-1, 0, -1.0]]))
    points = np.concatenate(clouds)
    low, high = points.min(axis=0), points.max(axis=0)
    half = 0.5 * max((high[2] - low[2]) / 0.74, (high[0] - low[0]) * SIZE[1] / SIZE[0] / 0.9)  # room for title and bars
    return View(0.5 * (low + high), np.array([0.22, -1.0, 0.20]), 1.05 * half)


def fitted(
    points: Floats, direction: Floats, up: tuple[float, float, float], size: tuple[int, int], fill: float
) -> View:
    """The view along ``direction`` in which ``points`` (n, 3) m fill a share ``fill`` of a picture of ``size``."""
    towards = direction / np.linalg.norm(direction)
    right = np.cross(up, towards)
    right /= np.linalg.norm(right)
    frame = np.stack([right, np.cross(towards, right), towards])
    low, high = (points @ frame.T).min(axis=0), (points @ frame.T).max(axis=0)
    half = 0.5 * max(high[1] - low[1], (high[0] - low[0]) * size[1] / size[0]) / fill
    return View(0.5 * (low + high) @ frame, direction, float(half))


def close_up(network: Network) -> View | None:
    """Round the catheter's tip; None where there is no catheter."""
    tips = [mark.position for mark in network.markers if mark.kind == "tip"]
    if not tips:
        ends = np.flatnonzero(network.part == CATHETER)
        if not len(ends):
            return None
        tips = [network.points[ends[-1]]]
    return View(np.asarray(tips[0]) + np.array([0.0, 0.0, -0.002]), np.array([0.15, -1.0, 0.12]), CLOSE)


def aim(plotter: Any, view: View, up: tuple[float, float, float] = (0.0, 0.0, 1.0)) -> None:
    """Puts the camera where ``view`` says (parallel projection: sizes can be compared)."""
    direction = view.direction / np.linalg.norm(view.direction)
    plotter.camera.position = tuple(view.focus + direction * 10.0 * view.half_height)
    plotter.camera.focal_point = tuple(view.focus)
    plotter.camera.up = up
    plotter.camera.parallel_projection = True
    plotter.camera.parallel_scale = view.half_height
    plotter.reset_camera_clipping_range()


def pixel(plotter: Any, size: tuple[int, int], point: Floats) -> tuple[float, float]:
    """Where a point (3,) m lands in the picture, from its top left."""
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    composed: vtkMatrix4x4 = plotter.camera.GetCompositeProjectionTransformMatrix(size[0] / size[1], -1, 1)
    x, y, _, w = composed.MultiplyPoint((*point, 1.0))
    return (0.5 + 0.5 * x / w) * size[0], (0.5 - 0.5 * y / w) * size[1]
