"""The periodic state of the linearised network, to start the nonlinear march close to its limit.

About the steady flow each cell is an elastic line with inertia ``rho / A``, friction ``2 (zeta + 2) pi mu / A^2`` and
compliance ``dA/dp`` per length; for each harmonic of the inlet the lines are joined at the nodes and closed by the
outlets' impedances (Womersley 1957, WADC TR 56-614, with friction of a fixed profile).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu

from haiflow.arteries import tube_law
from haiflow.arteries.grid import Grid
from haiflow.arteries.junctions import PRESSURE_INLET, join
from haiflow.arteries.outlets import impedance, is_closed, is_windkessel
from haiflow.arteries.plan import friction_coefficient
from haiflow.arteries.state import State, from_steady
from haiflow.arteries.stenosis import is_shut, loss_coefficients
from haiflow.arteries.tree import Outlet
from haiflow.ports import Floats

HARMONICS = 24
SHORT_CIRCUIT = 1e30  # S, conductance that holds a node's pressure
BARRIER = 1e30  # Pa s/m3, resistance of a shut vessel


@dataclass(frozen=True)
class Lines:
    """Per length and cell: resistance, inertance, compliance of the linearised vessel."""

    resistance: Floats
    inertance: Floats
    compliance: Floats


def lines(grid: Grid, state: State) -> Lines:
    rho = grid.tree.blood.density
    return Lines(
        rho * friction_coefficient(grid) / state.area**2, rho / state.area,
        np.asarray(tube_law.compliance(state.area, grid.A0, grid.beta)),
    )


def start_resistance(grid: Grid, state: State) -> Floats:
    """(n_vessels,) of the stenosis at the vessel's start, linearised about the mean flow."""
    viscous, turbulent = loss_coefficients(grid.tree)
    flow = np.abs(state.flow_rate[grid.offset[:-1]])
    return np.where(is_shut(grid.tree), BARRIER, viscous + 2.0 * turbulent * flow)


def outlet_admittance(grid: Grid, node: int, outlet: Outlet, omega: Floats) -> np.ndarray:
    """Flow out per pressure (complex) of an outlet at angular frequencies."""
    if is_closed(outlet):
        return np.zeros(len(omega), dtype=complex)
    if outlet.reflection is None:
        whole = impedance(outlet, omega)
        return 1.0 / np.where(np.abs(whole) > 0.0, whole, 1.0 / SHORT_CIRCUIT)
    tree, reflection = grid.tree, outlet.reflection
    vessel = tree.vessel(tree.terminal_vessel(tree.nodes[node]))
    cell = grid.offset[vessel + 1] - 1 if tree.end[vessel] == node else grid.offset[vessel]
    speed = tube_law.wave_speed(grid.A0[cell], grid.A0[cell], grid.beta[cell], tree.blood.density)
    share = (1.0 - reflection) / max(1.0 + reflection, 1e-30)
    return np.full(len(omega), min(share * grid.A0[cell] / (tree.blood.density * speed), SHORT_CIRCUIT), dtype=complex)


def _cell_matrices(grid: Grid, line: Lines, omega: Floats) -> np.ndarray:
    """(n_cells, n_harmonics, 2, 2): pressure and flow at the end of half a cell from those at its start."""
    series = line.resistance[:, None] + 1j * omega * line.inertance[:, None]
    shunt = 1j * omega * line.compliance[:, None]
    angle = np.sqrt(series * shunt) * 0.5 * grid.cell_dx[:, None]
    ratio = np.sqrt(series / shunt)
    matrix = np.empty((*angle.shape, 2, 2), dtype=complex)
    matrix[..., 0, 0] = matrix[..., 1, 1] = np.cosh(angle)
    matrix[..., 0, 1] = -ratio * np.sinh(angle)
    matrix[..., 1, 0] = -np.sinh(angle) / ratio
    return matrix


def _chains(grid: Grid, half: np.ndarray, start_resistance: Floats) -> tuple[np.ndarray, np.ndarray]:
    """From each vessel's start node: (n_vessels, nh, 2, 2) to its end, (n_cells, nh, 2, 2) to each cell's centre."""
    to_end = np.empty((len(grid.cells), *half.shape[1:]), dtype=complex)
    to_centre = np.empty_like(half)
    for vessel in range(len(grid.cells)):
        chain = np.broadcast_to(np.array([[1.0, -start_resistance[vessel]], [0.0, 1.0]], dtype=complex), half.shape[1:])
        for cell in range(grid.offset[vessel], grid.offset[vessel + 1]):
            to_centre[cell] = half[cell] @ chain
            chain = half[cell] @ to_centre[cell]
        to_end[vessel] = chain
    return to_end, to_centre


def _node_pressures(grid: Grid, to_end: np.ndarray, omega: Floats, inlet: np.ndarray) -> np.ndarray:
    """(nh, n_nodes) complex pressures for the inlet's harmonics; the matrix is as sparse as the network."""
    tree = grid.tree
    n, node = len(tree.nodes), tree.node(tree.inlet.node)
    held = join(tree).kind[node] == PRESSURE_INLET
    start, end, diagonal = tree.start, tree.end, np.arange(n)
    outlets = np.zeros((n, len(omega)), dtype=complex)
    for name, outlet in tree.outlets.items():
        outlets[tree.node(name)] = outlet_admittance(grid, tree.node(name), outlet, omega)
    rows = np.concatenate([start, start, end, end, diagonal])
    columns = np.concatenate([start, end, end, start, diagonal])
    pressures = np.empty((len(omega), n), dtype=complex)
    for k in range(len(omega)):
        m = to_end[:, k]
        into = -m[:, 0, 0] / m[:, 0, 1], 1.0 / m[:, 0, 1]  # flow into the vessel at its start
        arrives = m[:, 1, 1] / m[:, 0, 1], m[:, 1, 0] - m[:, 1, 1] * m[:, 0, 0] / m[:, 0, 1]
        values = np.concatenate([*into, -arrives[0], -arrives[1], outlets[:, k]])
        if held:
            values = np.where(rows == node, 0.0, values)
            values[len(rows) - n + node] = 1.0
        right = np.where(diagonal == node, inlet[k], 0.0j)
        pressures[k] = splu(coo_array((values, (rows, columns)), shape=(n, n)).tocsc()).solve(right)
    return pressures


def _inlet_harmonics(grid: Grid) -> tuple[Floats, np.ndarray]:
    values = np.asarray(grid.tree.inlet.values, dtype=float)
    count = min(HARMONICS, (len(values) - 1) // 2)
    amplitude = 2.0 * np.fft.rfft(values)[1 : count + 1] / len(values)
    omega: Floats = 2.0 * np.pi / grid.tree.inlet.period * np.arange(1.0, count + 1.0)
    return omega, amplitude


def from_harmonics(grid: Grid) -> State:
    """State at the start of a cycle of the linearised network's periodic flow about the steady one."""
    mean = from_steady(grid)
    omega, inlet = _inlet_harmonics(grid)
    if len(omega) == 0 or not np.any(np.abs(inlet) > 0.0):
        return mean
    half = _cell_matrices(grid, lines(grid, mean), omega)
    to_end, to_centre = _chains(grid, half, start_resistance(grid, mean))
    node = _node_pressures(grid, to_end, omega, inlet)
    start, end = node[:, grid.tree.start].T, node[:, grid.tree.end].T
    flow = (end - to_end[..., 0, 0] * start) / to_end[..., 0, 1]
    entry = np.stack([start, flow], axis=-1)[grid.vessel_of_cell]
    pulse = np.einsum("chij,chj->ci", to_centre, entry).real
    pressure = tube_law.pressure(mean.area, grid.A0, grid.beta) + pulse[:, 0]
    area = np.asarray(tube_law.area(pressure, grid.A0, grid.beta))
    charge = mean.charge + _charges(grid, node, omega)
    return replace(mean, area=area, flow_rate=mean.flow_rate + pulse[:, 1], charge=charge)


def _charges(grid: Grid, node_pressure: np.ndarray, omega: Floats) -> Floats:
    charge = np.zeros(len(grid.tree.nodes))
    for name, outlet in grid.tree.outlets.items():
        if is_windkessel(outlet):
            node = grid.tree.node(name)
            charge[node] = np.sum(node_pressure[:, node] * (1.0 - outlet.proximal / impedance(outlet, omega))).real
    return charge
