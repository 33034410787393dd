"""Steady flow in the network: Poiseuille resistances in tapered vessels, stenosis losses, outlets.

A vessel of radius ``r1 -> r2`` (linear) has ``R = 2 (zeta + 2) mu / pi * L (r1^2 + r1 r2 + r2^2) / (3 r1^3 r2^3)``,
the integral of ``2 (zeta + 2) mu / (pi r^4)``; ``zeta = 2`` is Poiseuille's ``8 mu L / (pi r^4)``. Flow rates
balance at every node; Newton's method on the node pressures takes care of stenoses and reflecting outlets. Where the
blood has weight, pressures are those at the inlet's height (:mod:`haiflow.arteries.gravity`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array, csc_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from haiflow.arteries import tube_law
from haiflow.arteries.gravity import column_at_nodes
from haiflow.arteries.junctions import PRESSURE_INLET, Nodes, join
from haiflow.arteries.outlets import is_closed
from haiflow.arteries.stenosis import is_shut, loss_coefficients
from haiflow.arteries.tree import Outlet, Tree
from haiflow.errors import InputError, SolverStopped
from haiflow.numerics.cone import mean_inverse_fourth
from haiflow.ports import Floats

MAX_ITERATIONS = 100
TOLERANCE = 1e-13
ELASTIC_SWEEPS = 6


@dataclass(frozen=True)
class SteadyFlow:
    """Flow rate of each vessel (start to end) and pressure at each node, with gravity that at the inlet's height."""

    flow_rate: Floats  # (n_vessels,) m3/s
    pressure: Floats  # (n_nodes,) Pa
    inlet_flow: float  # m3/s
    iterations: int


def resistance(tree: Tree) -> Floats:
    """(n_vessels,) resistance (Pa s/m3) of each vessel at its reference radius."""
    shape = mean_inverse_fourth(tree.radius_start, tree.radius_end)
    return 2.0 * (tree.velocity_profile + 2.0) * tree.blood.viscosity / np.pi * tree.length * shape


def loaded_resistance(tree: Tree, pressure: Floats) -> Floats:
    """The same at the radii that node pressures (n_nodes,) Pa give the vessels' ends."""
    there = pressure - column_at_nodes(tree)

    def radius(node: np.ndarray, reference: Floats, beta: Floats) -> Floats:
        return np.sqrt(tube_law.area(there[node], np.pi * reference**2, beta) / np.pi)

    return resistance(replace(
        tree,
        radius_start=radius(tree.start, tree.radius_start, tree.beta_start),
        radius_end=radius(tree.end, tree.radius_end, tree.beta_end),
    ))  # fmt: skip


def steady(tree: Tree, *, elastic: bool = False) -> SteadyFlow:
    """Solve the network for the mean of its inlet.

    With ``elastic`` the friction in a vessel is that at the radius which its pressure gives it (linear between the
    ends), otherwise at the reference radius. The law of a stenosis is one of the reference radius in either case, and
    so is the wall at a reflecting outlet. A totally occluded vessel carries no flow, exactly. In a part cut off from
    inlet and outlets the pressure is zero at one node. Raises :class:`InputError` where blood has no way out,
    :class:`SolverStopped` where Newton fails.
    """
    flow = _solve(tree, join(tree), np.zeros(len(tree.nodes)), resistance(tree))
    for _ in range(ELASTIC_SWEEPS if elastic else 0):
        flow = _solve(tree, join(tree), flow.pressure, loaded_resistance(tree, flow.pressure))
    return flow


class _Network:
    """Flow rates and their derivatives for given node pressures."""

    def __init__(self, tree: Tree, nodes: Nodes, friction: Floats) -> None:
        self.tree, self.n = tree, len(tree.nodes)
        self.column = column_at_nodes(tree)
        self.open = ~is_shut(tree)
        viscous, self.turbulent = loss_coefficients(tree)
        self.resistance = friction + viscous
        self.outlets = [(tree.node(name), outlet) for name, outlet in tree.outlets.items() if not is_closed(outlet)]
        self.given = {node: outlet.venous_pressure for node, outlet in self.outlets if _holds_pressure(outlet)}
        self.source = np.zeros(self.n)
        inlet = tree.node(tree.inlet.node)
        if nodes.kind[inlet] == PRESSURE_INLET:
            self.given[inlet] = tree.inlet.mean
        else:
            self.source[inlet] = tree.inlet.mean
        self._ground()

    def _ground(self) -> None:
        """Pin one node of each part that no pressure reaches."""
        start, end = self.tree.start[self.open], self.tree.end[self.open]
        graph = coo_array((np.ones(len(start)), (start, end)), shape=(self.n, self.n))
        count, part = connected_components(graph, directed=False)
        held = {int(part[node]) for node in [*self.given, *(node for node, _ in self.outlets)]}
        for lost in set(range(count)) - held:
            if np.any(self.source[part == lost] != 0.0):
                raise InputError(
                    "arteries", self.tree.inlet.node, "blood that enters here reaches no open outlet",
                    "open a vessel or an outlet, or impose a pressure",
                )
            pinned = int(np.flatnonzero(part == lost)[0])
            self.given[pinned] = float(self.column[pinned])

    def vessels(self, pressure: Floats) -> tuple[Floats, Floats]:
        drop = np.where(self.open, pressure[self.tree.start] - pressure[self.tree.end], 0.0)
        root = np.sqrt(self.resistance**2 + 4.0 * self.turbulent * np.abs(drop))
        return 2.0 * drop / (self.resistance + root), np.where(self.open, 1.0 / root, 0.0)

    def outlet(self, node: int, outlet: Outlet, pressure: float) -> tuple[float, float]:
        if outlet.reflection is None:
            return (pressure - outlet.venous_pressure) / outlet.resistance, 1.0 / outlet.resistance
        above, base = self.column[node], outlet.venous_pressure - self.column[node]
        return _reflecting(self.tree, node, outlet.reflection, base, pressure - above)

    def balance(self, pressure: Floats) -> tuple[Floats, csc_array]:
        """Net inflow of each node and its Jacobian."""
        flow, slope = self.vessels(pressure)
        start, end = self.tree.start, self.tree.end
        excess = self.source + np.bincount(end, flow, self.n) - np.bincount(start, flow, self.n)
        diagonal = -np.bincount(end, slope, self.n) - np.bincount(start, slope, self.n)
        for node, outlet in self.outlets:
            if node not in self.given:
                out, out_slope = self.outlet(node, outlet, pressure[node])
                excess[node] -= out
                diagonal[node] -= out_slope
        rows = np.concatenate([np.arange(self.n), start, end])
        columns = np.concatenate([np.arange(self.n), end, start])
        values = np.concatenate([diagonal, slope, slope])
        for node, value in self.given.items():
            values = np.where(rows == node, 0.0, values)
            values[node] = -1.0
            excess[node] = value - pressure[node]
        return excess, csc_array((values, (rows, columns)), shape=(self.n, self.n))


def _holds_pressure(outlet: Outlet) -> bool:
    return outlet.reflection == -1.0 or (outlet.reflection is None and outlet.resistance == 0.0)


def _reflecting(tree: Tree, node: int, reflection: float, base: float, pressure: float) -> tuple[float, float]:
    """Flow rate out and its slope at the pressure of a reflecting outlet."""
    vessel = tree.vessel(tree.terminal_vessel(tree.nodes[node]))
    at_end = tree.end[vessel] == node
    A0 = np.pi * (tree.radius_end if at_end else tree.radius_start)[vessel] ** 2
    beta = (tree.beta_end if at_end else tree.beta_start)[vessel]
    share = (1.0 - reflection) / (1.0 + reflection)
    area = tube_law.area(pressure, A0, beta)
    still = tube_law.wave_speed(tube_law.area(base, A0, beta), A0, beta, tree.blood.density)
    speed = tube_law.wave_speed(area, A0, beta, tree.blood.density)
    slope = tube_law.compliance(area, A0, beta) * share * (4.0 * (speed - still) + speed)
    return float(4.0 * share * area * (speed - still)), float(slope)


def _solve(tree: Tree, nodes: Nodes, guess: Floats, friction: Floats) -> SteadyFlow:
    network = _Network(tree, nodes, friction)
    pressure = guess.copy()
    best = np.inf
    for iteration in range(MAX_ITERATIONS):
        excess, jacobian = network.balance(pressure)
        step = -splu(jacobian).solve(excess)
        pressure += step
        size = float(np.abs(step).max() / max(np.abs(pressure).max(), 1e-300))
        if size <= TOLERANCE or (size < 1e-11 and size >= best):
            flow, _ = network.vessels(pressure)
            return SteadyFlow(flow, pressure, _inlet_flow(tree, flow), iteration + 1)
        best = min(best, size)
    raise SolverStopped(0.0, tree.vessels[0], f"the steady network did not settle; last relative change {size:.3g}")


def _inlet_flow(tree: Tree, flow: Floats) -> float:
    if tree.inlet.kind == "flow_rate":
        return tree.inlet.mean
    node = tree.node(tree.inlet.node)
    return float(flow[tree.start == node].sum() - flow[tree.end == node].sum())
