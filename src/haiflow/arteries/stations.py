"""Pressure at the stations of a vessel, inlet, middle and outlet, and between them."""

from __future__ import annotations

import numpy as np

from haiflow.arteries import tube_law
from haiflow.arteries.grid import Grid
from haiflow.arteries.periodic import Cycle
from haiflow.arteries.pulsatile import FluxBlock
from haiflow.arteries.stenosis import lumped_drop
from haiflow.arteries.tree import Tree
from haiflow.ports import Floats


def between(stations: Floats, share: float) -> Floats:
    """(n,) at a ``share`` in [0, 1] of a vessel's length, from values (n, 3) at its stations: linear between them."""
    first, middle, last = (stations[:, station] for station in range(3))
    if share < 0.5:
        return np.asarray(first + 2.0 * share * (middle - first))
    return np.asarray(middle + (2.0 * share - 1.0) * (last - middle))


def of_cycle(cycle: Cycle, tree: Tree, vessel: int) -> Floats:
    """(nt, 3) gauge Pa over the cycle, inside of the vessel's own lumped loss."""
    return np.asarray(cycle.pressure[:, vessel] - lumped_drop(tree, cycle.flow_rate[:, vessel], vessel))


def of_block(block: FluxBlock, grid: Grid, vessel: int) -> Floats:
    """(n_steps, 3) gauge Pa, mean over each step of a block, inside of the vessel's own lumped loss.

    A cell's area follows from the block's volume fluxes exactly, and with it the elastic and the viscous part of its
    pressure; at the ends they are those of the last two cells, extrapolated.
    """
    cells = slice(int(grid.offset[vessel]), int(grid.offset[vessel + 1]))
    flux = block.face_flux[:, grid.face_offset[vessel] : grid.last_face[vessel] + 1]
    growth = (flux[:, :-1] - flux[:, 1:]) / grid.dx[vessel]  # m2/s
    area = block.area_start[cells] + block.dt * (np.cumsum(growth, axis=0) - 0.5 * growth)
    A0, wall = grid.A0[cells], grid.tree.wall_viscosity
    pressure = np.asarray(tube_law.pressure(area, A0, grid.beta[cells]))
    if wall is not None:
        pressure = pressure + wall[vessel] / (A0 * np.sqrt(area)) * growth
    n = pressure.shape[1]
    middle = 0.5 * (pressure[:, (n - 1) // 2] + pressure[:, n // 2])
    first, last = (1.5 * pressure[:, k] - 0.5 * pressure[:, inner] for k, inner in ((0, 1), (-1, -2)))
    return np.stack([first, middle, last], axis=1)
