"""The periodic state of the linearised network, to start the nonlinear march close to its limit.

About the steady flow each cell is an elastic line with inertia ``rho / A``, friction ``2 (zeta + 2) pi mu / A^2`` and
compliance ``dA/dp`` per length; for each harmonic of the inlet the lines are joined at the nodes and closed by the
outlets' impedances (Womersley 1957, WADC TR 56-614, with friction of a fixed profile). The slowest decay of the
network, taken as resistances and compliances only, tells how far a change between cycles is from the limit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import eigh

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
class _Lines:
    """Per length and cell: resistance, inertance, compliance of the linearised vessel."""

    resistance: Floats
    inertance: Floats
    compliance: Floats


def _lines(grid: Grid, state: State) -> _Lines:
    rho = grid.tree.blood.density
    return _Lines(
        rho * friction_coefficient(grid) / state.area**2, rho / state.area,
        np.asarray(tube_law.compliance(state.area, grid.A0, grid.beta)),
    )


def _start_resistance(grid: Grid, state: State) -> Floats:
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


def _cell_matrices(grid: Grid, lines: _Lines, omega: Floats) -> np.ndarray:
    """(n_cells, n_harmonics, 2, 2): pressure and flow at the end of half a cell from those at its start."""
    series = lines.resistance[:, None] + 1j * omega * lines.inertance[:, None]
    shunt = 1j * omega * lines.compliance[:, None]
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
    """(nh, n_nodes) complex pressures for the inlet's harmonics."""
    tree = grid.tree
    n = len(tree.nodes)
    matrix = np.zeros((len(omega), n, n), dtype=complex)
    right = np.zeros((len(omega), n), dtype=complex)
    for vessel, (a, b) in enumerate(zip(tree.start, tree.end, strict=True)):
        m = to_end[vessel]
        matrix[:, a, a] += -m[:, 0, 0] / m[:, 0, 1]  # flow into the vessel at its start
        matrix[:, a, b] += 1.0 / m[:, 0, 1]
        matrix[:, b, b] -= m[:, 1, 1] / m[:, 0, 1]  # less the flow that arrives at its end
        matrix[:, b, a] -= m[:, 1, 0] - m[:, 1, 1] * m[:, 0, 0] / m[:, 0, 1]
    for name, outlet in tree.outlets.items():
        node = tree.node(name)
        matrix[:, node, node] += outlet_admittance(grid, node, outlet, omega)
    node = tree.node(tree.inlet.node)
    if join(tree).kind[node] == PRESSURE_INLET:
        matrix[:, node, :] = 0.0
        matrix[:, node, node] = 1.0
    right[:, node] = inlet
    return np.linalg.solve(matrix, right[..., None])[..., 0]


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
    half = _cell_matrices(grid, _lines(grid, mean), omega)
    to_end, to_centre = _chains(grid, half, _start_resistance(grid, mean))
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


def slowest_decay(grid: Grid, state: State) -> float:
    """Factor by which the slowest change of the network's pressure shrinks in one period, in (0, 1).

    The network as resistances and compliances: half of each vessel's compliance at its two nodes, Windkessels in full.
    Parts from which no blood can leave keep their volume and are left out.
    """
    conductance, capacity = _lumped(grid, state)
    scale = 1.0 / np.sqrt(capacity)
    rates = eigh(conductance * scale[:, None] * scale, eigvals_only=True)
    moving = rates[rates > 1e-9 * rates.max()]
    return float(np.exp(-moving.min() * grid.tree.inlet.period)) if len(moving) else 0.0


def _lumped(grid: Grid, state: State) -> tuple[Floats, Floats]:
    tree, lines = grid.tree, _lines(grid, state)
    vessels = np.add.reduceat(lines.compliance * grid.cell_dx, grid.offset[:-1])
    resistance = np.add.reduceat(lines.resistance * grid.cell_dx, grid.offset[:-1]) + _start_resistance(grid, state)
    n = len(tree.nodes)
    capacitors = [(tree.node(name), outlet) for name, outlet in tree.outlets.items() if is_windkessel(outlet)]
    size = n + len(capacitors)
    capacity = np.zeros(size)
    capacity[:n] = 0.5 * (np.bincount(tree.start, vessels, n) + np.bincount(tree.end, vessels, n))
    matrix = np.zeros((size, size))
    for start, end, value in zip(tree.start, tree.end, 1.0 / resistance, strict=True):
        _link(matrix, start, end, value)
    for name, outlet in tree.outlets.items():
        if not is_windkessel(outlet):
            node = tree.node(name)
            matrix[node, node] += min(outlet_admittance(grid, node, outlet, np.zeros(1))[0].real, 1.0)
    for index, (node, outlet) in enumerate(capacitors, start=n):
        capacity[index] = outlet.compliance
        _link(matrix, node, index, 1.0 / max(outlet.proximal, 1e-3 * outlet.distal))
        matrix[index, index] += 1.0 / outlet.distal
    if tree.inlet.kind == "pressure":
        held = tree.node(tree.inlet.node)
        keep = np.arange(size) != held
        return matrix[np.ix_(keep, keep)], capacity[keep]
    return matrix, capacity


def _link(matrix: Floats, a: int, b: int, conductance: float) -> None:
    matrix[a, a] += conductance
    matrix[b, b] += conductance
    matrix[a, b] -= conductance
    matrix[b, a] -= conductance
