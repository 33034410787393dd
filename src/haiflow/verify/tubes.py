"""What the arterial cases share: ideal blood, marching to an instant, small pulses, observed orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from haiflow.arteries import tube_law
from haiflow.arteries.grid import Grid, make_grid
from haiflow.arteries.plan import wave_speeds
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import DENSITY
from haiflow.arteries.state import State, at_rest
from haiflow.arteries.tree import Inlet, Tree
from haiflow.ports import Floats, Fluid
from haiflow.verify.model import Figure

IDEAL = Fluid(DENSITY, 0.0)
FLAT = 1e12  # exponent of a velocity profile with alpha = 1
COURANT = 0.6  # cells that the fastest wave crosses in a step
SMALL = 5e-3  # Pa: a pulse of this height is linear to 1e-7 of itself


def march(
    tree: Tree, grid: Grid, state: State, time: float, fastest: float = 0.0, courant: float = COURANT
) -> PulsatileFlow:
    """The flow at ``time`` (s), reached in whole steps of ``courant`` cells from a steady inflow.

    ``fastest`` (m/s): a wave that the start does not show yet.
    """
    if len(tree.inlet.values) > 1:
        raise ValueError("the inflow changes: its period is not free")
    held = replace(tree, inlet=Inlet(tree.inlet.node, tree.inlet.kind, time, tree.inlet.values))
    grid = replace(grid, tree=held)
    rate = np.maximum(wave_speeds(grid, state.area, state.flow_rate), fastest) / grid.cell_dx
    flow = PulsatileFlow(held, grid, state, steps=int(np.ceil(time * float(rate.max()) / courant)))
    flow.advance(flow.steps_in_cycle)
    return flow


def profile_constants(tree: Tree) -> tuple[float, float]:
    """``alpha`` and friction ``K`` (m2/s, dQ/dt = -K Q / A); written out again: a wrong one in the solver shows."""
    zeta = tree.velocity_profile
    return (zeta + 2.0) / (zeta + 1.0), 2.0 * (zeta + 2.0) * np.pi * tree.blood.viscosity / tree.blood.density


def fixed_grid(tree: Tree, cells: int, length: float) -> Grid:
    """``cells`` in ``length`` (m), and as near to that in every vessel."""
    return make_grid(tree, length / cells)


def pulse(grid: Grid, vessel: int, centre: float, width: float, height: float = SMALL, direction: float = 1.0) -> State:
    """A small Gaussian of pressure in one vessel, moving one way only: u = +- p / (rho c)."""
    here = grid.vessel_of_cell == vessel
    pressure = np.where(here, height * np.exp(-(((grid.x - centre) / width) ** 2)), 0.0)
    area = np.asarray(tube_law.area(pressure, grid.A0, grid.beta))
    speed = tube_law.wave_speed(grid.A0, grid.A0, grid.beta, grid.tree.blood.density)
    return replace(at_rest(grid), area=area, flow_rate=direction * area * pressure / (grid.tree.blood.density * speed))


@dataclass(frozen=True)
class Study:
    """Errors on meshes, each twice as fine as the one before: (n_meshes, n_fields), relative."""

    errors: Floats

    @property
    def order(self) -> float:
        """The lowest order over the fields, between the last two meshes."""
        return float(np.log2(self.errors[-2] / self.errors[-1]).min())

    @property
    def last(self) -> float:
        return float(self.errors[-1].max())


def study(error: Callable[[int], Sequence[float]], meshes: Sequence[int]) -> Study:
    """``error(cells)`` on each of ``meshes``."""
    return Study(np.array([error(cells) for cells in meshes]))


def order_and_error(
    found: Study, what: str, cells: int, low: float, largest: float, expected: float = 2.0
) -> list[Figure]:
    """The two figures that most cases print."""
    return [
        Figure(f"order in L1, {what}", found.order, low, np.inf, expected),
        Figure(f"L1 error of the largest, {what}, {cells} cells", found.last, 0.0, largest, 0.0),
    ]


def relative_l1(found: Floats, exact: Floats) -> float:
    """Mean difference over the largest exact value."""
    return float(np.abs(found - exact).mean() / np.abs(exact).max())


def halved(fine: Floats) -> Floats:
    """Means of neighbouring cells, two by two."""
    return np.asarray(fine.reshape(-1, 2).mean(axis=1))
