"""Exact solution of the Riemann problem of blood flow in area A and flow rate Q, flat velocity profile, no friction.

    A_t + Q_x = 0,    Q_t + (Q^2 / A)_x + A / rho p_x = 0,    p = beta / A0 (sqrt(A) - sqrt(A0))

Each of the two waves is a rarefaction, across which ``u +- 4 c`` is constant (``c^2 = beta sqrt(A) / (2 rho A0)``), or
a shock, across which mass and momentum balance with the momentum flux ``Q^2 / A + beta / (3 rho A0) A^(3/2)``. Where
the wall differs on the two sides the jump itself stands still between the waves, and flow rate and total pressure
``p + rho u^2 / 2`` are the same on both sides of it (Toro & Siviglia 2013, Commun Comput Phys 13:361). Exact as long as
the flow at the jump is subcritical.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq, root

from haiflow.arteries import tube_law
from haiflow.ports import Floats


@dataclass(frozen=True)
class Side:
    """A uniform state and its wall: area (m2), velocity (m/s), reference area (m2), beta (Pa m), density (kg/m3)."""

    area: float
    velocity: float
    A0: float
    beta: float
    density: float

    @property
    def speed(self) -> float:
        """Wave speed (m/s)."""
        return float(tube_law.wave_speed(self.area, self.A0, self.beta, self.density))

    @property
    def flow_rate(self) -> float:
        return self.area * self.velocity

    @property
    def force(self) -> float:
        """Momentum flux of the pressure (m4/s2)."""
        return self.beta / (3.0 * self.density * self.A0) * self.area**1.5

    @property
    def head(self) -> float:
        """Total pressure (Pa)."""
        return float(tube_law.pressure(self.area, self.A0, self.beta)) + 0.5 * self.density * self.velocity**2

    @property
    def same_wall(self) -> tuple[float, float]:
        return self.A0, self.beta


def _change(side: Side, area: float) -> float:
    """Velocity (m/s) that the wave between ``side`` and ``area`` takes from what moves towards it."""
    behind = replace(side, area=area)
    if area <= side.area:
        return 4.0 * (behind.speed - side.speed)
    return float(np.sqrt((behind.force - side.force) * (area - side.area) / (area * side.area)))


@dataclass(frozen=True)
class Solution:
    """States left and right of the middle, between the waves, and what they came from."""

    left: Side
    right: Side
    middle_left: Side
    middle_right: Side

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Speeds (m/s) of head and tail of the left wave, tail and head of the right one; a shock's two are equal."""
        return (*_edges(self.left, self.middle_left, -1.0), *_edges(self.right, self.middle_right, 1.0)[::-1])

    def sample(self, xi: Floats) -> tuple[Floats, Floats]:
        """Area and velocity at speeds ``xi = x / t`` (m/s)."""
        _, tail, head, _ = self.edges
        divide = 0.5 * (tail + head) if self.left.same_wall == self.right.same_wall else 0.0
        on_left, on_right = _wave(self.left, self.middle_left, -1.0, xi), _wave(self.right, self.middle_right, 1.0, xi)
        return np.where(xi < divide, on_left[0], on_right[0]), np.where(xi < divide, on_left[1], on_right[1])

    def means(self, edges: Floats, time: float, parts: int = 16) -> tuple[Floats, Floats]:
        """Mean area (m2) and flow rate (m3/s) of cells with the given ``edges`` (m from the jump)."""
        share = (np.arange(parts) + 0.5) / parts
        x = edges[:-1, None] + np.diff(edges)[:, None] * share
        area, velocity = self.sample(x / time)
        return area.mean(axis=1), (area * velocity).mean(axis=1)


def _edges(side: Side, middle: Side, sign: float) -> tuple[float, float]:
    if middle.area > side.area:
        shock = (middle.flow_rate - side.flow_rate) / (middle.area - side.area)
        return shock, shock
    return side.velocity + sign * side.speed, middle.velocity + sign * middle.speed


def _wave(side: Side, middle: Side, sign: float, xi: Floats) -> tuple[Floats, Floats]:
    """Area and velocity as this side's wave alone gives them; ``sign`` is that of its direction."""
    head, tail = _edges(side, middle, sign)
    speed = np.clip((sign * (xi - side.velocity) + 4.0 * side.speed) / 5.0, middle.speed, side.speed)
    stiff = side.beta / (2.0 * side.density * side.A0)
    fan_area, fan_velocity = (speed**2 / stiff) ** 2, side.velocity + 4.0 * sign * (speed - side.speed)
    outside, inside = sign * xi >= sign * head, sign * xi <= sign * tail
    area = np.where(outside, side.area, np.where(inside, middle.area, fan_area))
    return area, np.where(outside, side.velocity, np.where(inside, middle.velocity, fan_velocity))


def solve(left: Side, right: Side) -> Solution:
    """The exact solution; ValueError where the tube would fall dry, or a jump of the wall is met at wave speed."""
    if right.velocity - left.velocity >= 4.0 * (left.speed + right.speed):
        raise ValueError("the two states part faster than waves can follow: the tube falls dry")
    area_left, area_right = (
        _one_wall(left, right) if left.same_wall == right.same_wall else _two_walls(left, right)
    )  # fmt: skip
    middle_left = replace(left, area=area_left, velocity=left.velocity - _change(left, area_left))
    middle_right = replace(right, area=area_right, velocity=right.velocity + _change(right, area_right))
    found = Solution(left, right, middle_left, middle_right)
    if left.same_wall != right.same_wall and not found.edges[1] < 0.0 < found.edges[2]:
        raise ValueError("the flow is not subcritical where the wall changes")
    return found


def _one_wall(left: Side, right: Side) -> tuple[float, float]:
    def excess(area: float) -> float:
        return _change(left, area) + _change(right, area) + right.velocity - left.velocity

    low, high = 1e-12 * min(left.area, right.area), max(left.area, right.area)
    while excess(high) < 0.0:
        high *= 2.0
    area = float(brentq(excess, low, high, xtol=1e-22, rtol=1e-15))
    return area, area


def _two_walls(left: Side, right: Side) -> tuple[float, float]:
    size = np.array([left.area * left.speed, left.density * left.speed**2])

    def excess(logarithms: Floats) -> Floats:
        areas = np.exp(logarithms)
        a = replace(left, area=areas[0], velocity=left.velocity - _change(left, areas[0]))
        b = replace(right, area=areas[1], velocity=right.velocity + _change(right, areas[1]))
        return np.array([a.flow_rate - b.flow_rate, a.head - b.head]) / size

    found = root(excess, np.log([left.area, right.area]), tol=1e-14)
    if np.abs(excess(found.x)).max() > 1e-11:
        raise ValueError(f"no subcritical flow meets both sides of the jump: {found.message}")
    return float(np.exp(found.x[0])), float(np.exp(found.x[1]))
