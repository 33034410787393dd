"""Steady flow in the network: Poiseuille resistances in tapered vessels, stenosis losses, outlets.

A vessel of radius ``r1 -> r2`` (linear) has ``R = 2 (zeta + 2) mu / pi * L (r1^2 + r1 r2 + r2^2) / (3 r1^3 r2^3)``,
the integral of ``2 (zeta + 2) mu / (pi r^4)``; ``zeta = 2`` is Poiseuille's ``8 mu L / (pi r^4)``. Flow rates
balance at every node; Newton's method on the node pressures takes care of stenoses, of reflecting outlets, and of radii
that follow the pressure. Where the blood has weight, pressures are those at the inlet's height
(:mod:`haiflow.arteries.gravity`).
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
from haiflow.numerics.cone import inverse_fourth_slope, mean_inverse_fourth
from haiflow.ports import Floats

MAX_ITERATIONS = 100
TOLERANCE = 1e-13
DAMPED = 0.3  # of a change of the logarithm of friction is gone in a sweep: whole ones swing about where walls are soft
CLOSE, SWEEPS = 0.1, 60  # the change from which on Newton takes over, and after how many sweeps at the latest
NEAR = 1e-8  # of the largest pressure: a step below it needs no search along its line
SHORTEST = 2.0**-20  # of Newton's step


@dataclass(frozen=True)
class SteadyFlow:
    """Flow rate of each vessel (start to end) and pressure at each node, with gravity that at the inlet's height."""

    flow_rate: Floats  # (n_vessels,) m3/s
    pressure: Floats  # (n_nodes,) Pa
    inlet_flow: float  # m3/s
    iterations: int


def resistance(tree: Tree) -> Floats:
    """(n_vessels,) resistance (Pa s/m3) of each vessel at its reference radius."""
    return _friction_per_shape(tree) * mean_inverse_fourth(tree.radius_start, tree.radius_end)


def _friction_per_shape(tree: Tree) -> Floats:
    return 2.0 * (tree.velocity_profile + 2.0) * tree.blood.viscosity / np.pi * tree.length


def loaded_resistance(tree: Tree, pressure: Floats) -> Floats:
    """The same at the radii that node pressures (n_nodes,) Pa give the vessels' ends."""
    there = pressure - column_at_nodes(tree)
    first, _ = _radius(there[tree.start], tree.radius_start, tree.beta_start)
    last, _ = _radius(there[tree.end], tree.radius_end, tree.beta_end)
    return resistance(replace(tree, radius_start=first, radius_end=last))


def _radius(pressure: Floats, reference: Floats, beta: Floats) -> tuple[Floats, Floats]:
    """Radius (m) at a pressure and its slope (m/Pa), which is zero below the collapse."""
    A0 = np.pi * reference**2
    area = tube_law.area(pressure, A0, beta)
    radius, shut = np.sqrt(area / np.pi), area <= tube_law.area(-np.inf, A0, beta)
    return radius, np.where(shut, 0.0, tube_law.compliance(area, A0, beta) / (2.0 * np.pi * radius))


def steady(tree: Tree, *, elastic: bool = False) -> SteadyFlow:
    """Solve the network for the mean of its inlet.

    With ``elastic`` the friction in a vessel is that at the radius which its pressure gives it (linear between the
    ends), otherwise at the reference radius; damped sweeps lead near it, Newton's method to it. The law of a stenosis
    is one of the reference radius in either case, and so is the wall at a reflecting outlet. A totally occluded vessel
    carries no flow, exactly. In a part cut off from inlet and outlets the pressure is zero at one node. Raises
    :class:`InputError` where blood has no way out, :class:`SolverStopped` where Newton fails.
    """
    nodes, friction = join(tree), resistance(tree)
    flow = _solve(_Network(tree, nodes, friction), np.zeros(len(tree.nodes)))
    if not elastic:
        return flow
    for _ in range(SWEEPS):
        change = np.where(is_shut(tree), 0.0, np.log(loaded_resistance(tree, flow.pressure) / friction))
        if np.abs(change).max() <= CLOSE:
            break
        friction = friction * np.exp(DAMPED * change)
        flow = _solve(_Network(tree, nodes, friction), flow.pressure)
    return _solve(_Network(tree, nodes), flow.pressure)


class _Network:
    """Flow rates and their derivatives for given node pressures; the ``friction`` follows these where none is given."""

    def __init__(self, tree: Tree, nodes: Nodes, friction: Floats | None = None) -> None:
        self.tree, self.n = tree, len(tree.nodes)
        self.column = column_at_nodes(tree)
        self.open = ~is_shut(tree)
        self.viscous, self.turbulent = loss_coefficients(tree)
        self.friction = friction
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

    def vessels(self, pressure: Floats) -> tuple[Floats, Floats, Floats]:
        """Flow rate, how it rises with the pressure at the start, and how it falls with that at the end."""
        friction, at_start, at_end = self._resistances(pressure)
        total = friction + self.viscous
        drop = np.where(self.open, pressure[self.tree.start] - pressure[self.tree.end], 0.0)
        root = np.sqrt(total**2 + 4.0 * self.turbulent * np.abs(drop))
        flow, slope = 2.0 * drop / (total + root), np.where(self.open, 1.0 / root, 0.0)
        return flow, slope * (1.0 - flow * at_start), slope * (1.0 + flow * at_end)

    def _resistances(self, pressure: Floats) -> tuple[Floats, Floats, Floats]:
        """Resistance of each vessel and its slopes in the pressures at start and end."""
        tree, there = self.tree, pressure - self.column
        if self.friction is not None:
            return self.friction, np.zeros(len(self.friction)), np.zeros(len(self.friction))
        a, a_slope = _radius(there[tree.start], tree.radius_start, tree.beta_start)
        b, b_slope = _radius(there[tree.end], tree.radius_end, tree.beta_end)
        whole = _friction_per_shape(tree)
        return (whole * mean_inverse_fourth(a, b), whole * inverse_fourth_slope(a, b) * a_slope,
                whole * inverse_fourth_slope(b, a) * b_slope)  # fmt: skip

    def outlet(self, node: int, outlet: Outlet, pressure: float) -> tuple[float, float]:
        if outlet.reflection is None:
            return (pressure - outlet.venous_pressure) / outlet.resistance, 1.0 / outlet.resistance
        above, base = self.column[node], outlet.venous_pressure - self.column[node]
        return _reflecting(self.tree, node, outlet.reflection, base, pressure - above)

    def balance(self, pressure: Floats) -> tuple[Floats, csc_array]:
        """Net inflow of each node and its Jacobian."""
        flow, rise, fall = self.vessels(pressure)
        start, end = self.tree.start, self.tree.end
        excess = self.source + np.bincount(end, flow, self.n) - np.bincount(start, flow, self.n)
        diagonal = -np.bincount(end, fall, self.n) - np.bincount(start, rise, self.n)
        for node, outlet in self.outlets:
            if node not in self.given:
                out, out_slope = self.outlet(node, outlet, pressure[node])
                excess[node] -= out
                diagonal[node] -= out_slope
        rows = np.concatenate([np.arange(self.n), start, end])
        columns = np.concatenate([np.arange(self.n), end, start])
        values = np.concatenate([diagonal, fall, rise])
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


def _solve(network: _Network, guess: Floats) -> SteadyFlow:
    tree, pressure = network.tree, guess.copy()
    best = np.inf
    for iteration in range(MAX_ITERATIONS):
        excess, jacobian = network.balance(pressure)
        step = -splu(jacobian).solve(excess)
        size = float(np.abs(step).max() / max(np.abs(pressure + step).max(), 1e-300))
        if network.friction is None and size > NEAR:
            step *= _share(network, pressure, step, excess)
        pressure += step
        if size <= TOLERANCE or (size < 1e-11 and size >= best):
            flow, *_ = network.vessels(pressure)
            return SteadyFlow(flow, pressure, _inlet_flow(tree, flow), iteration + 1)
        best = min(best, size)
    worst = tree.nodes[int(np.argmax(np.abs(step)))]
    raise SolverStopped(0.0, worst, f"the steady network did not settle; last relative change {size:.3g}")


def _share(network: _Network, pressure: Floats, step: Floats, excess: Floats) -> float:
    """How much of a step to take so that the flow rates at the nodes balance better: soft vessels bend the law."""
    free = np.ones(network.n, dtype=bool)
    free[list(network.given)] = False
    share, before = 1.0, float(np.linalg.norm(excess[free]))
    while share > SHORTEST:
        after = float(np.linalg.norm(network.balance(pressure + share * step)[0][free]))
        if after <= (1.0 - 1e-4 * share) * before:
            break
        share *= 0.5
    return share


def _inlet_flow(tree: Tree, flow: Floats) -> float:
    if tree.inlet.kind == "flow_rate":
        return tree.inlet.mean
    node = tree.node(tree.inlet.node)
    return float(flow[tree.start == node].sum() - flow[tree.end == node].sum())
