"""Pressure loss of a narrowed vessel: viscous and expansion terms of Young & Tsai (1973, J Biomech 6:395 and 547).

``dp = Kv mu / D0 U + Kt rho / 2 (A0 / As - 1)^2 U |U|`` with ``Kv = 32 (0.83 Ls + 1.64 Ds) / D0 (A0 / As)^2`` and
``Kt = 1.52`` (Ds, As: diameter and area of the throat, U: mean velocity in the open vessel, Ls: length of the throat).
A vessel of the network already has its own friction, so the viscous term is taken less its value at ``As = A0``: the
loss vanishes with the severity. The inertance of the throat is left out. The loss sits at the vessel's start; a vessel
of severity 1 is shut there, exactly.

A vessel may also have a lumped loss ``dp = linear Q + quadratic Q |Q|`` of its own (``loss:`` in the scenario): a share
of it (a half where nothing else is said) sits at the start, the rest at the end, and the pressures of its inlet and
outlet are those outside of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from haiflow.arteries.tree import Tree
from haiflow.ports import Floats

EXPANSION = 1.52
SHUT = 1.0


def severity(tree: Tree) -> Floats:
    """(n_vessels,) occluded fraction of the lumen area."""
    return np.zeros(len(tree.vessels)) if tree.severity is None else np.asarray(tree.severity, dtype=float)


def is_shut(tree: Tree) -> np.ndarray:
    """(n_vessels,) whether a vessel is totally occluded."""
    return severity(tree) >= SHUT


def loss_coefficients(tree: Tree) -> tuple[Floats, Floats]:
    """Viscous (Pa s/m3) and turbulent (Pa s2/m6) coefficient of ``dp = viscous Q + turbulent Q |Q|``, a vessel each.

    Of the stenosis and the lumped loss together.
    """
    viscous, turbulent = stenosis_loss(tree)
    linear, quadratic = lumped_loss(tree)
    return viscous + linear, turbulent + quadratic


def end_losses(tree: Tree) -> tuple[Floats, Floats]:
    """The same at each vessel end, (2 n_vessels,): the stenosis at the start, the lumped loss where it sits."""
    at_ends = []
    for own, lumped in zip(stenosis_loss(tree), lumped_loss(tree), strict=True):
        at_start = loss_at_start(tree) * lumped
        at_ends.append(np.stack([own + at_start, lumped - at_start], axis=1).ravel())
    return at_ends[0], at_ends[1]


def loss_at_start(tree: Tree) -> Floats:
    """(n_vessels,) share of the lumped loss that sits at the vessel's start."""
    return np.full(len(tree.vessels), 0.5) if tree.loss_at_start is None else tree.loss_at_start


def lumped_loss(tree: Tree) -> tuple[Floats, Floats]:
    """Linear (Pa s/m3) and quadratic (Pa s2/m6) coefficient of each vessel's own lumped loss."""
    none = np.zeros(len(tree.vessels))
    return (none if tree.loss_linear is None else tree.loss_linear,
            none if tree.loss_quadratic is None else tree.loss_quadratic)  # fmt: skip


def lumped_drop(tree: Tree, flow_rate: Floats, vessel: Any = slice(None)) -> Floats:
    """(..., 3) Pa: by how much pressures outside of a vessel's own lumped loss are above those inside, at its inlet,
    middle and outlet, for flow rates (..., 3) m3/s there of one ``vessel`` or of all."""
    linear, quadratic = (each[vessel] for each in lumped_loss(tree))
    before = loss_at_start(tree)[vessel]
    share = np.stack([before, 0.0 * before, before - 1.0], axis=-1)
    loss = np.asarray(linear)[..., None] + np.asarray(quadratic)[..., None] * np.abs(flow_rate)
    return np.asarray(share * (loss * flow_rate))


def stenosis_loss(tree: Tree) -> tuple[Floats, Floats]:
    """The coefficients of the stenosis alone.

    Both are zero where the severity is zero, and left zero where the vessel is shut (there the flow rate is zero).
    """
    occluded = np.where(is_shut(tree), 0.0, severity(tree))
    diameter = 2.0 * tree.radius_start
    area = np.pi * tree.radius_start**2
    length = 2.0 * diameter if tree.stenosis_length is None else np.asarray(tree.stenosis_length, dtype=float)
    open_share = 1.0 - occluded
    narrowed = (0.83 * length + 1.64 * diameter * np.sqrt(open_share)) / open_share**2
    viscous = 32.0 * tree.blood.viscosity / (diameter**2 * area) * (narrowed - (0.83 * length + 1.64 * diameter))
    turbulent = 0.5 * EXPANSION * tree.blood.density / area**2 * (1.0 / open_share - 1.0) ** 2
    return viscous, turbulent
