"""Means along a cone, a lumen whose radius (m) runs straight from ``a`` to ``b``: for volumes and resistances."""

from __future__ import annotations

from typing import TypeVar

from haiflow.ports import Floats

Radius = TypeVar("Radius", float, Floats)


def mean_square(a: Radius, b: Radius) -> Radius:
    """Mean of ``r**2`` (m2): times pi and the length, the volume."""
    return (a * a + a * b + b * b) / 3.0


def mean_inverse_fourth(a: Radius, b: Radius) -> Radius:
    """Mean of ``r**-4`` (1/m4): times ``8 viscosity length / pi``, the resistance of Hagen and Poiseuille."""
    return (a * a + a * b + b * b) / (3.0 * a**3 * b**3)


def inverse_fourth_slope(a: Radius, b: Radius) -> Radius:
    """Derivative of :func:`mean_inverse_fourth` in ``a`` (1/m5); that in ``b`` is the same with both changed round."""
    return -(3.0 * b * b + 2.0 * a * b + a * a) / (3.0 * a**4 * b**3)
