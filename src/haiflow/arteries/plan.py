"""The tables that the compiled time loop reads: geometry, vessel ends and nodes of a grid, for one time step.

A slot is a cell and the face on its left; each vessel has one idle slot more for its last face (see
:class:`haiflow.arteries.grid.Grid`). Row and column order is that of ``ext/haiflow/kernels/blood1d_tables.pxi``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from haiflow.arteries import tube_law
from haiflow.arteries.gravity import column, column_at_nodes
from haiflow.arteries.grid import Grid, reference_area, stiffness
from haiflow.arteries.junctions import REFLECTION, WINDKESSEL, Nodes, end_nodes, join
from haiflow.arteries.local_steps import Steps, choose_steps, node_levels
from haiflow.arteries.outlets import implicit_weight
from haiflow.arteries.stenosis import end_losses, is_shut
from haiflow.arteries.tree import Inlet, Tree
from haiflow.arteries.wall_factors import WallFactors, cell_walls, factorise, none
from haiflow.errors import InputError, SolverStopped
from haiflow.ports import Floats

SPARE = 8  # slots beyond the last, which the kernel's passes may read
OPEN, SHUT, SEALED = range(3)  # how a vessel's end is closed: not at all, by a total occlusion, at a closed outlet
MOST_STEPS = 1_000_000  # in a cardiac cycle: far beyond what any artery needs


@dataclass(frozen=True)
class Plan:
    """Everything constant over the steps of one time loop."""

    nodes: Nodes
    cell_table: Floats  # (7, n_faces + SPARE)
    face_table: Floats  # (3, n_faces + SPARE)
    end_table: Floats  # (2 n_vessels, 9)
    node_table: Floats  # (n_nodes, 7)
    face: NDArray[np.int32]  # (2 n_vessels,)
    cell: NDArray[np.int32]
    inlet: Floats  # (fine steps in a cycle,)
    level: NDArray[np.int32]  # (n_vessels,)
    node_level: NDArray[np.int32]  # (n_nodes,)
    walls: WallFactors
    dtdx: Floats  # (n_vessels,) s/m, of each vessel's own step
    dt: float  # of a whole step
    fine_dt: float
    alpha: float
    friction: float  # m2/s: dQ/dt = -friction u
    viscous: bool
    sourced: bool


def momentum_correction(velocity_profile: float) -> float:
    """``alpha = (zeta + 2) / (zeta + 1)`` of the profile ``u (zeta + 2) / zeta (1 - (r / R)^zeta)``."""
    return (velocity_profile + 2.0) / (velocity_profile + 1.0)


def friction_coefficient(grid: Grid) -> float:
    """``2 (zeta + 2) pi mu / rho`` (m2/s)."""
    tree = grid.tree
    return 2.0 * (tree.velocity_profile + 2.0) * np.pi * tree.blood.viscosity / tree.blood.density


def is_viscous(tree: Tree) -> bool:
    """Whether any vessel has a viscous wall."""
    return tree.wall_viscosity is not None and bool(np.any(tree.wall_viscosity))


def wave_speeds(grid: Grid, area: Floats, flow_rate: Floats) -> Floats:
    """(n_cells,) fastest wave (m/s), ``alpha |u| + sqrt(c^2 + alpha (alpha - 1) u^2)``."""
    alpha = momentum_correction(grid.tree.velocity_profile)
    speed = tube_law.wave_speed(area, grid.A0, grid.beta, grid.tree.blood.density)
    velocity = np.abs(flow_rate / area)
    return alpha * velocity + np.sqrt(speed**2 + alpha * (alpha - 1.0) * velocity**2)


def steps_per_cycle(
    grid: Grid, area: Floats, flow_rate: Floats, courant: float, multiple: int, *, local: bool = True
) -> Steps:
    """Steps in one period so that waves cross at most ``courant`` cells a step and friction stays stable.

    Where it saves work, and ``local`` allows it, vessels take steps of their own; with viscous walls they do not, for a
    strong one would lose its second order where steps differ.
    """
    rate = wave_speeds(grid, area, flow_rate) / (courant * grid.cell_dx)
    rate = np.maximum(rate, 2.0 * friction_coefficient(grid) / area)
    least = grid.tree.inlet.period * np.maximum.reduceat(rate, grid.offset[:-1])
    if least.max() > MOST_STEPS:
        vessel = grid.tree.vessels[int(np.argmax(least))]
        reason = f"a cycle would take {least.max():.2g} steps: a wall too stiff, cells too short or blood too viscous"
        raise SolverStopped(0.0, vessel, reason)
    alone = local and not is_viscous(grid.tree)
    return choose_steps(grid, least if alone else np.full_like(least, least.max()), multiple)


def sample_inlet(inlet: Inlet, steps: int) -> Floats:
    """(steps,) boundary value at equal steps: periodic cubic spline through the samples, mean kept exactly."""
    values = np.asarray(inlet.values, dtype=float)
    if len(values) == 1 or np.ptp(values) == 0.0:
        return np.full(steps, values[0])
    knots = np.arange(len(values) + 1) / len(values)
    curve = CubicSpline(knots, np.append(values, values[0]), bc_type="periodic")
    table = curve(np.arange(steps) / steps)
    return table + (inlet.mean - table.mean())


def make_plan(grid: Grid, steps: Steps, source: Floats | None = None) -> Plan:
    """Tables for the ``steps`` of a cycle and, where given, a volume source (n_cells,) m2/s."""
    tree, nodes = grid.tree, join(grid.tree)
    dt = tree.inlet.period / steps.fine
    node_level = node_levels(grid, steps.level)
    vessel_dt, node_dt = (np.asarray(dt * 2.0**level, dtype=float) for level in (steps.level, node_level))
    end_table, face, cell = _end_table(grid, nodes)
    # The inlet's node knows its value at the steps that it takes, with their mean exact.
    span = 1 << int(node_level[tree.node(tree.inlet.node)])
    inlet = np.repeat(sample_inlet(tree.inlet, steps.fine // span), span)
    node_table, viscous = _node_table(grid, nodes, end_table, node_dt), is_viscous(tree)
    if viscous and steps.top > 0:
        rule = "vessels with viscous walls take common steps"
        raise InputError("arteries.steps", f"{steps.top + 1} levels", rule, "give one number of steps")
    walls = factorise(grid, nodes, end_table, node_table, vessel_dt, grid.n_faces + SPARE) if viscous else none()
    return Plan(
        nodes, _cell_table(grid, vessel_dt, source), _face_table(grid), end_table, node_table, face, cell, inlet,
        steps.level, node_level, walls,
        vessel_dt / grid.dx, tree.inlet.period / steps.whole, dt, momentum_correction(tree.velocity_profile),
        friction_coefficient(grid), viscous, source is not None,
    )


def _cell_table(grid: Grid, vessel_dt: Floats, source: Floats | None) -> Floats:
    table = np.zeros((7, grid.n_faces + SPARE))
    table[0] = table[1] = 1.0
    slot = grid.slot
    rho = grid.tree.blood.density
    table[0, slot] = np.sqrt(grid.A0) - grid.column * grid.A0 / grid.beta
    table[1, slot] = grid.beta / grid.A0
    table[2, slot] = (vessel_dt / grid.dx)[grid.vessel_of_cell]
    table[3, slot] = 0.0 if source is None else source
    table[4, slot] = grid.beta / (2.0 * rho * grid.A0)
    table[5, slot] = cell_walls(grid)
    table[6, slot] = (grid.A0 / grid.beta) ** 2 / 3.0
    return table


def _face_table(grid: Grid) -> Floats:
    tree, vessel = grid.tree, grid.vessel_of_face
    A0 = reference_area(tree, vessel, grid.face_x)
    beta = stiffness(tree, vessel, grid.face_x)
    rho = tree.blood.density
    root = np.sqrt(A0) - column(tree, vessel, grid.face_x) * A0 / beta
    rows = [root, A0 / beta, beta / (3.0 * rho * A0)]
    return np.ascontiguousarray(np.pad(np.stack(rows), ((0, 0), (0, SPARE))))


def _end_table(grid: Grid, nodes: Nodes) -> tuple[Floats, NDArray[np.int32], NDArray[np.int32]]:
    tree = grid.tree
    table = np.zeros((2 * len(tree.vessels), 9))
    face = np.stack([grid.face_offset, grid.last_face], axis=1).ravel().astype(np.int32)
    cell = np.stack([grid.face_offset, grid.last_face - 1], axis=1).ravel().astype(np.int32)
    A0 = np.pi * np.stack([tree.radius_start, tree.radius_end], axis=1).ravel() ** 2
    beta = np.stack([tree.beta_start, tree.beta_end], axis=1).ravel()
    rho = tree.blood.density
    table[0::2, 0], table[1::2, 0] = -1.0, 1.0
    table[:, 1] = beta / A0
    table[:, 2] = np.sqrt(A0) - column_at_nodes(tree)[end_nodes(tree)] * A0 / beta
    table[:, 3] = beta / (3.0 * rho * A0)
    table[:, 4] = np.sqrt(beta / (2.0 * rho * A0))
    table[:, 5], table[:, 6] = end_losses(tree)
    table[:, 7] = np.where(nodes.closed, SEALED, OPEN)
    table[0::2, 7][is_shut(tree)] = SHUT
    table[:, 8] = np.sqrt(A0)
    return table, face, cell


def _node_table(grid: Grid, nodes: Nodes, end_table: Floats, node_dt: Floats) -> Floats:
    tree = grid.tree
    table = np.zeros((len(tree.nodes), 7))
    several = np.diff(nodes.first) > 1
    several[tree.node(tree.inlet.node)] = True
    table[several, 6] = 0.5 * tree.blood.density
    for name, outlet in tree.outlets.items():
        node = tree.node(name)
        table[node, 4] = outlet.venous_pressure
        table[node, 5] = 0.0 if outlet.reflection is None else outlet.reflection
        table[node, 0] = outlet.proximal
        if nodes.kind[node] == WINDKESSEL:
            table[node, 1] = 1.0 / outlet.distal
            table[node, 2] = node_dt[node] / outlet.compliance
            table[node, 3] = implicit_weight(outlet, node_impedance(grid, nodes, end_table, node), node_dt[node])
        elif nodes.kind[node] != REFLECTION:
            table[node, 0] += 0.0 if np.isinf(outlet.distal) else outlet.distal
    return table


def node_impedance(grid: Grid, nodes: Nodes, end_table: Floats, node: int) -> float:
    """Characteristic impedance ``rho c / A`` (Pa s/m3) of the vessels at a node, side by side, at pressure zero."""
    ends = nodes.ends[nodes.first[node] : nodes.first[node + 1]]
    speed = end_table[ends, 4] * np.sqrt(end_table[ends, 8])
    return float(1.0 / np.sum(end_table[ends, 8] ** 2 / (grid.tree.blood.density * speed)))
