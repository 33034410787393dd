"""The viscous wall's part in a step: tables and factors for the compiled time loop.

A Rosenbrock-W method (see ``ext/haiflow/kernels/blood1d_wall.pxi``) goes through ``1 - g dt J``, J being what the flow
rates do to themselves by the wall's viscosity. Its order asks nothing of J, its stability that J is no softer than the
truth by more than a factor of three, so J is that of the network at pressure zero: the compact diffusion

    Q_t = A / rho (k Q_x)_x,    k = wall / (A0 s),    ends half a cell away, at each node a common head.

An end's flow rate f follows the head h of its node by ``(R + Z) (Q - f) - losses f = h`` (towards the node), R being
2 k / dx, Z the characteristic impedance; at a node the sum of f is what its outlet takes of h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from scipy.linalg.lapack import dpttrf
from scipy.sparse import coo_array, csc_array
from scipy.sparse.linalg import splu

from haiflow.arteries.grid import Grid, reference_area
from haiflow.arteries.junctions import FLOW_INLET, JUNCTION, PRESSURE_INLET, REFLECTION, Nodes, end_nodes
from haiflow.ports import Floats

G = (3.0 + 3.0**0.5) / 6.0  # third order of the linear wall alone; J may be too soft by a factor of three
HELD = 1e9  # conductance of what holds a head, times that of its ends
JET = 1.0  # m/s at which a turbulent loss is taken as a resistance: more than the truth is safe

Ints = NDArray[np.int32]


@dataclass(frozen=True)
class WallFactors:
    """Rows of ``cells`` are those of ``blood1d_tables.pxi``; the sparse factors are by columns."""

    cells: Floats  # (6, n_slots): inertia, off, pivot, start, finish, soft
    ends: Floats  # (2 n_vessels, 4)
    node: Ints  # (2 n_vessels,)
    order: Ints  # (2, n_nodes): rows and columns
    lower: tuple[Ints, Ints, Floats]  # starts, rows, values
    upper: tuple[Ints, Ints, Floats]
    taken: Floats  # (2, n_nodes) m3/s that leaves a node for each Pa of its head; over G, where waves are sent back
    work: Floats  # (4, n_nodes)


def none() -> WallFactors:
    """Of a network without viscous walls, where nobody asks."""
    i, x = np.zeros(1, dtype=np.int32), np.zeros(1)
    return WallFactors(np.zeros((6, 1)), np.zeros((1, 4)), i, np.zeros((2, 1), dtype=np.int32), (i, i, x), (i, i, x),
                       np.zeros((2, 1)), np.zeros((4, 1)))  # fmt: skip


def cell_walls(grid: Grid) -> Floats:
    """(n_cells,) ``wall / (A0 dx)``, viscous pressure of a cell over its rate of swelling (m3/s) and sqrt(A)."""
    tree = grid.tree
    wall = np.zeros(len(tree.vessels)) if tree.wall_viscosity is None else np.asarray(tree.wall_viscosity)
    return np.asarray(wall[grid.vessel_of_cell] / (grid.A0 * grid.cell_dx))


def factorise(
    grid: Grid, nodes: Nodes, end_table: Floats, node_table: Floats, vessel_dt: Floats, slots: int
) -> WallFactors:
    """The factors of ``1 - g dt J`` for the steps ``vessel_dt`` (n_vessels,) s, in tables of ``slots``."""
    tree = grid.tree
    wall = np.asarray(tree.wall_viscosity, dtype=float)
    own = _impedance(end_table, tree.blood.density)
    inertia, off, diagonal, resist = _cells(grid, wall, own, vessel_dt)
    pushed = np.zeros((grid.n_cells, 2))
    first, last = grid.offset[:-1], grid.offset[1:] - 1
    pushed[first, 0], pushed[last, 1] = resist[0::2], resist[1::2]
    answer = solveh_banded(np.stack([np.append(0.0, off), diagonal]), pushed)
    pivot, lower, info = dpttrf(diagonal, off)
    assert info == 0, "inertia makes it definite"
    cells = np.zeros((6, slots))
    cells[[0, 2]] = 1.0
    cells[:, grid.slot] = [inertia, np.append(lower, 0.0), 1.0 / pivot, answer[:, 0], answer[:, 1],
                             _soft(grid, vessel_dt)]
    ends = _ends(nodes, np.maximum(resist, own), _losses(end_table), answer[first], answer[last])
    matrix, taken = _heads(nodes, end_nodes(tree), ends, _taken(nodes, node_table, own))
    ends[:, 2:] /= G  # the loop's heads are times g, as its cells' pressures are
    lu = splu(matrix / G, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0,
              options={"SymmetricMode": True})  # fmt: skip
    order = np.stack([lu.perm_r, lu.perm_c]).astype(np.int32)
    takes = np.stack([taken, _sent_back(nodes, node_table, taken)])
    return WallFactors(cells, ends, end_nodes(tree), order, _columns(lu.L), _columns(lu.U), takes,
                       np.zeros((4, len(tree.nodes))))  # fmt: skip


def _cells(grid: Grid, wall: Floats, own: Floats, vessel_dt: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Inertia, off-diagonal (n_cells - 1,), diagonal, and R + Z at the viscous vessels' ends (2 n_vessels,)."""
    tree, of_face = grid.tree, grid.vessel_of_face
    A0 = reference_area(tree, of_face, grid.face_x)
    stiff = wall[of_face] / (A0 * np.sqrt(A0) * grid.dx[of_face])
    for faces, side in ((grid.face_offset, 0), (grid.last_face, 1)):
        stiff[faces] = np.where(wall > 0.0, 2.0 * stiff[faces] + own[side::2], 0.0)
    left, right = stiff[grid.slot], stiff[grid.slot + 1]
    step = vessel_dt[grid.vessel_of_cell]
    moved = wall[grid.vessel_of_cell] > 0.0
    inertia = np.where(moved, tree.blood.density * grid.cell_dx / (G * step * grid.A0), 1.0)
    off = -right[:-1]
    off[grid.offset[1:-1] - 1] = 0.0
    resist = np.stack([stiff[grid.face_offset], stiff[grid.last_face]], axis=1).ravel()
    return inertia, off, inertia + left + right, resist


def _soft(grid: Grid, vessel_dt: Floats) -> Floats:
    """(n_cells,) ``g dt b / (2 dx)``, elastic pressure that a cell's swelling brings.

    Of elastic vessels too: what they bring to a node drives the viscous ones there.
    """
    return np.asarray(G * vessel_dt[grid.vessel_of_cell] * grid.beta / (2.0 * grid.A0 * grid.cell_dx))


def _impedance(end_table: Floats, rho: float) -> Floats:
    """(n_ends,) Pa s/m3, ``rho c / A`` at pressure zero."""
    root = end_table[:, 8]
    return np.asarray(rho * end_table[:, 4] * np.sqrt(root) / root**2)


def _losses(end_table: Floats) -> Floats:
    """(n_ends,) slope of what stenoses and other losses at an end take of the head (Pa s/m3)."""
    return np.asarray(end_table[:, 5] + 2.0 * end_table[:, 6] * JET * end_table[:, 8] ** 2)


def _ends(nodes: Nodes, resist: Floats, losses: Floats, first: Floats, last: Floats) -> Floats:
    """(n_ends, 4) the flow rate at an end by what its first and last cell do, and the heads at both nodes."""
    shut = nodes.closed
    seen = resist + losses
    passed = (resist / seen).reshape(-1, 2)
    matrix = np.zeros((len(first), 2, 2))
    matrix[:, 0], matrix[:, 1] = -passed[:, :1] * first, -passed[:, 1:] * last
    matrix[:, 0, 0] += 1.0
    matrix[:, 1, 1] += 1.0
    drive = np.zeros((len(first), 2, 4))
    drive[:, 0, 0], drive[:, 1, 1] = passed.T
    drive[:, 0, 2], drive[:, 1, 3] = 1.0 / seen[0::2], -1.0 / seen[1::2]
    for side in (0, 1):
        matrix[shut[side::2], side], drive[shut[side::2], side] = np.eye(2)[side], 0.0
    return np.ascontiguousarray(np.linalg.solve(matrix, drive).reshape(-1, 4))


def _taken(nodes: Nodes, node_table: Floats, impedance: Floats) -> Floats:
    """(n_nodes,) flow rate that leaves a node for each Pa of its head; infinite where the head is given."""
    kind, resistance = nodes.kind, node_table[:, 0] + node_table[:, 3] * node_table[:, 2]
    for node in np.flatnonzero(kind == REFLECTION):
        back, own = node_table[node, 5], float(impedance[nodes.ends[nodes.first[node]]])
        resistance[node] = own * (1.0 + back) / (1.0 - back) if back < 1.0 else np.inf
    with np.errstate(divide="ignore"):
        taken = 1.0 / resistance
    taken[(kind == JUNCTION) | (kind == FLOW_INLET)] = 0.0
    taken[kind == PRESSURE_INLET] = np.inf
    return np.asarray(taken)


def _sent_back(nodes: Nodes, node_table: Floats, taken: Floats) -> Floats:
    """(n_nodes,) ``taken / G`` of outlets that reflect a part, whose flow is no straight line of the head; else 0."""
    part = (nodes.kind == REFLECTION) & (np.abs(node_table[:, 5]) < 1.0)
    return np.asarray(np.where(part, taken / G, 0.0))


def _heads(nodes: Nodes, node_of: Ints, ends: Floats, taken: Floats) -> tuple[csc_array, Floats]:
    """What leaves each node by its outlet and its vessels, of the heads; and by its outlet alone."""
    count, n = len(ends) // 2, len(taken)
    sign = np.tile([-1.0, 1.0], count)
    row = np.repeat(node_of, 2)
    column = np.repeat(node_of.reshape(-1, 2), 2, axis=0).ravel()
    value = -(sign[:, None] * ends[:, 2:]).ravel()
    own = np.bincount(row[row == column], value[row == column], n)
    own = np.where(own > 0.0, own, 1.0)
    held = np.where(taken < HELD * own, taken, HELD * own)
    stands = np.where(np.bincount(row, np.abs(value), n) > 0.0, held, 1.0)  # where all ends are shut
    matrix = coo_array((np.append(value, stands), (np.append(row, np.arange(n)), np.append(column, np.arange(n)))),
                       shape=(n, n)).tocsc()  # fmt: skip
    return matrix, stands


def _columns(factor: csc_array) -> tuple[Ints, Ints, Floats]:
    factor = csc_array(factor)
    factor.sort_indices()
    return factor.indptr.astype(np.int32), factor.indices.astype(np.int32), np.asarray(factor.data, dtype=float)
