"""The state of the blood flow at one instant, and states to start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from haiflow.arteries import tube_law
from haiflow.arteries.grid import Grid
from haiflow.arteries.junctions import WINDKESSEL, join
from haiflow.arteries.steady import steady
from haiflow.arteries.stenosis import end_losses, is_shut
from haiflow.errors import InputError
from haiflow.ports import Floats


@dataclass(frozen=True)
class State:
    """Area and flow rate of every cell, pressure of every Windkessel's capacitor; a run restarts from it."""

    area: Floats  # (n_cells,) m2
    flow_rate: Floats  # (n_cells,) m3/s
    charge: Floats  # (n_nodes,) Pa, zero without a Windkessel; with gravity that at the inlet's height
    phase: float = 0.0  # time since the last start of a cycle, in periods


def at_rest(grid: Grid, pressure: float = 0.0) -> State:
    """No flow, the same pressure everywhere, which is that at the inlet's height where the blood has weight."""
    area = np.asarray(tube_law.area(pressure - grid.column, grid.A0, grid.beta))
    kind = join(grid.tree).kind
    return State(area, np.zeros(grid.n_cells), np.where(kind == WINDKESSEL, pressure, 0.0))


def from_steady(grid: Grid) -> State:
    """The steady network's flow, pressure linear along each vessel, Windkessels charged to suit."""
    tree = grid.tree
    flow = steady(tree, elastic=True)
    viscous, turbulent = (each.reshape(-1, 2).T for each in end_losses(tree))
    loss = (viscous + turbulent * np.abs(flow.flow_rate)) * flow.flow_rate
    right = flow.pressure[tree.end] + loss[1]
    left = np.where(is_shut(tree), right, flow.pressure[tree.start] - loss[0])
    vessel = grid.vessel_of_cell
    share = grid.x / tree.length[vessel]
    pressure = left[vessel] * (1.0 - share) + right[vessel] * share
    area = np.asarray(tube_law.area(pressure - grid.column, grid.A0, grid.beta))
    return State(area, flow.flow_rate[vessel], charge_for(grid, flow.pressure))


def charge_for(grid: Grid, node_pressure: Floats) -> Floats:
    """(n_nodes,) capacitor pressure in steady flow: venous pressure plus its share of the drop."""
    tree, kind = grid.tree, join(grid.tree).kind
    charge = np.zeros(len(tree.nodes))
    for name, outlet in tree.outlets.items():
        node = tree.node(name)
        if kind[node] == WINDKESSEL:
            share = outlet.distal / outlet.resistance if np.isfinite(outlet.distal) else 1.0
            charge[node] = outlet.venous_pressure + share * (node_pressure[node] - outlet.venous_pressure)
    return charge


def check_state(grid: Grid, state: State) -> None:
    """Raise :class:`InputError` where a state does not belong to the grid."""
    shapes = (state.area.shape, state.flow_rate.shape, state.charge.shape)
    wanted = ((grid.n_cells,), (grid.n_cells,), (len(grid.tree.nodes),))
    if shapes != wanted:
        rule = f"a state for this grid has shapes {wanted}"
        raise InputError("arteries.state", shapes, rule, "start without a state")
    if not (np.all(state.area > 0.0) and np.all(np.isfinite(state.flow_rate)) and np.all(np.isfinite(state.charge))):
        raise InputError("arteries.state", "area, flow_rate or charge", "areas are positive and all values finite",
                         "start without a state")
