"""What a network forgets slowly: pressures that decay over cycles while waves are long gone.

The network as resistances and compliances: half of each vessel's compliance at its two nodes, Windkessels in full.
Its slowest modes tell how far the state after a cycle is from the periodic limit: what a cycle changes in a mode that
shrinks by ``q`` a cycle goes on to change by ``q / (1 - q)`` of that. Parts from which no blood can leave keep their
volume; they have no such limit and are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import eigsh

from haiflow.arteries.grid import Grid
from haiflow.arteries.harmonics import lines, outlet_admittance, start_resistance
from haiflow.arteries.outlets import is_windkessel
from haiflow.arteries.state import State
from haiflow.ports import Floats

DENSE = 400  # nodes and capacitors: below, all modes at once
MODES = 24
STILL = 1e-9  # of the fastest rate: slower is not at all
WORST_DECAY = 0.98


@dataclass(frozen=True)
class SlowModes:
    """Modes of node pressures, orthonormal in ``capacity``, and the factor by which each shrinks in a period."""

    grid: Grid
    capacity: Floats  # (n_places,) m3/Pa: nodes, then capacitors
    capacitor_node: np.ndarray  # (n_capacitors,)
    vessel_capacity: Floats  # (n_cells,) m3/Pa
    decay: Floats  # (n_modes,)
    shape: Floats  # (n_places, n_modes)

    @property
    def slowest(self) -> float:
        """In [0, 1)."""
        return float(self.decay.max(initial=0.0))

    def still_to_come(self, pressure: Floats, charge: Floats) -> tuple[Floats, Floats]:
        """What the cycles after one that changed cell ``pressure`` and ``charge`` will yet add to both, in all (Pa)."""
        ahead = self.ahead(pressure, charge, np.zeros(1))[0]
        tree, nodes = self.grid.tree, len(self.grid.tree.nodes)
        vessel = self.grid.vessel_of_cell
        share = self.grid.x / tree.length[vessel]
        more = np.zeros(nodes)
        more[self.capacitor_node] = ahead[nodes:]
        return ahead[tree.start[vessel]] * (1.0 - share) + ahead[tree.end[vessel]] * share, more

    def ahead(self, pressure: Floats, charge: Floats, phase: Floats) -> Floats:
        """(n, n_places) Pa: the same for nodes and capacitors at phases (n,) of the cycles to come."""
        volume = np.concatenate([self._at_nodes(pressure), charge[self.capacitor_node]]) * self.capacity
        ratio = np.minimum(self.decay, WORST_DECAY)
        left = ratio / (1.0 - ratio) * (self.shape.T @ volume)
        return np.asarray((ratio ** phase[:, None] * left) @ self.shape.T)

    def _at_nodes(self, pressure: Floats) -> Floats:
        """Mean of the cells that lie nearer to each node than to the other one of their vessel."""
        tree, vessel = self.grid.tree, self.grid.vessel_of_cell
        near = np.where(self.grid.x < 0.5 * tree.length[vessel], tree.start[vessel], tree.end[vessel])
        n = len(tree.nodes)
        weight = np.bincount(near, self.vessel_capacity, n)
        return np.bincount(near, self.vessel_capacity * pressure, n) / np.maximum(weight, 1e-300)


def slow_modes(grid: Grid, state: State) -> SlowModes:
    """The slowest modes of the network about ``state``."""
    conductance, capacity, capacitor_node, free = _lumped(grid, state)
    scale = 1.0 / np.sqrt(capacity[free])
    rates, vectors = _slowest(conductance, free, scale)
    moving = rates > STILL * float((conductance.diagonal()[free] * scale**2).max())
    shape = np.zeros((len(capacity), int(moving.sum())))
    shape[free] = vectors[:, moving] * scale[:, None]
    decay = np.exp(-rates[moving] * grid.tree.inlet.period)
    return SlowModes(grid, capacity, capacitor_node, lines(grid, state).compliance * grid.cell_dx, decay, shape)


def _slowest(conductance: csc_array, free: np.ndarray, scale: Floats) -> tuple[Floats, Floats]:
    """Rates (1/s) and scaled vectors of the slowest modes, all where there are few."""
    matrix = diags_array(scale) @ conductance[free][:, free] @ diags_array(scale)
    if len(scale) <= DENSE:
        values, vectors = eigh(matrix.toarray())
        return values, vectors
    shift = -STILL * float(matrix.diagonal().max())  # a part without an outlet makes the matrix singular
    start = np.ones(len(scale))  # the same modes every time
    values, vectors = eigsh(matrix.tocsc(), k=MODES, sigma=shift, which="LM", v0=start)
    return values, vectors


def _lumped(grid: Grid, state: State) -> tuple[csc_array, Floats, np.ndarray, np.ndarray]:
    """Conductances, capacities, the nodes of the capacitors, and the places whose pressure is not given."""
    tree, line = grid.tree, lines(grid, state)
    vessels = np.add.reduceat(line.compliance * grid.cell_dx, grid.offset[:-1])
    resistance = np.add.reduceat(line.resistance * grid.cell_dx, grid.offset[:-1]) + start_resistance(grid, state)
    n = len(tree.nodes)
    outlets = [(tree.node(name), outlet) for name, outlet in tree.outlets.items()]
    beds = [(node, outlet) for node, outlet in outlets if is_windkessel(outlet)]
    capacity: Floats = np.zeros(n + len(beds))
    capacity[:n] = 0.5 * (np.bincount(tree.start, vessels, n) + np.bincount(tree.end, vessels, n))
    capacity[n:] = [outlet.compliance for _, outlet in beds]
    ground = np.zeros(len(capacity))
    for node, outlet in outlets:
        if not is_windkessel(outlet):
            ground[node] = min(outlet_admittance(grid, node, outlet, np.zeros(1))[0].real, 1.0)
    ground[n:] = [1.0 / outlet.distal for _, outlet in beds]
    beside = np.array([node for node, _ in beds], dtype=int)
    proximal = [1.0 / max(outlet.proximal, 1e-3 * outlet.distal) for _, outlet in beds]
    a = np.concatenate([tree.start, beside])
    b = np.concatenate([tree.end, np.arange(n, len(capacity))])
    matrix = _laplacian(a, b, np.concatenate([1.0 / resistance, proximal]), ground)
    free: np.ndarray = np.arange(len(capacity))
    if tree.inlet.kind == "pressure":
        free = free[free != tree.node(tree.inlet.node)]
    return matrix, capacity, beside, free


def _laplacian(a: np.ndarray, b: np.ndarray, conductance: Floats, ground: Floats) -> csc_array:
    size = len(ground)
    diagonal = ground + np.bincount(a, conductance, size) + np.bincount(b, conductance, size)
    rows, columns = np.concatenate([a, b, np.arange(size)]), np.concatenate([b, a, np.arange(size)])
    values = np.concatenate([-conductance, -conductance, diagonal])
    return coo_array((values, (rows, columns)), shape=(size, size)).tocsc()
