"""The arterial tree of a scenario: network, walls, waveform, ligatures, and outlets that draw as the patient's do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order

from haiflow.arteries.branch_order import by_branches
from haiflow.arteries.calibration import calibrated, matched
from haiflow.arteries.tree import CLOSED, Inlet, Outlet, Tree
from haiflow.arteries.tube_law import stiffness_from_wall, unloaded, unloaded_wall, wall_viscosity
from haiflow.arteries.waveforms import shaped_inlet
from haiflow.ports import Floats, Fluid
from haiflow.scenario import model as given

AT_START = {"both": 0.5, "start": 1.0, "end": 0.0}
SHARED = 60  # vessels from which on threads may share a network; a smaller one keeps the order of its file
DRAINS = {"portal": "portal", "systemic": "veins"}


def build_tree(arteries: given.Arteries, numerics: given.Numerics, liver_demand: float = 1.0) -> Tree:
    """The tree before any fault, its outlets calibrated to the target flows at the scenario's mean pressure.

    ``liver_demand``: factor on what the outlets that feed the liver take; the inflow grows with them.
    """
    network = arteries.network
    tree = _bare_tree(arteries, numerics)
    tree = tree if len(tree.vessels) < SHARED else by_branches(tree)
    matching = {
        node: matched(tree, node, outlet.distal, outlet.compliance)
        for node, outlet in network.outlets.items()
        if outlet.kind == "windkessel" and outlet.distal and outlet.proximal is None
    }
    tree = replace(tree, outlets={**tree.outlets, **matching})
    tree = _tied_off(tree, set(arteries.ligated or ()))
    open_ends = [node for node in tree.terminals if tree.outlets[node].reflection != 1.0]
    targets = {node: flow for node, flow in _target_flows(network, tree.inlet.mean).items() if node in open_ends}
    if not targets:
        return tree
    tree, targets = _demanded(tree, targets, liver_demand)
    return calibrated(
        tree,
        targets,
        arteries.mean_pressure,
        compliance={node: out.compliance for node, out in network.outlets.items() if out.compliance is not None},
        resistive={node for node, out in network.outlets.items() if out.kind == "resistance"},
    )


def _demanded(tree: Tree, targets: dict[str, float], factor: float) -> tuple[Tree, dict[str, float]]:
    """The targets with those of the liver's outlets times ``factor``, and the tree with the inflow that they need."""
    if factor == 1.0:
        return tree, targets
    wanted = {node: flow * (factor if tree.feeds.get(node) else 1.0) for node, flow in targets.items()}
    inflow = tree.inlet.values * (sum(wanted.values()) / sum(targets.values()))
    return replace(tree, inlet=replace(tree.inlet, values=inflow)), wanted


def _tied_off(tree: Tree, ligated: set[str]) -> Tree:
    """The tree with some vessels closed; an end that no open way leads to any more draws nothing either."""
    shut = [tree.vessel(name) for name in ligated]
    if not shut:
        return tree
    ends = [i for i in shut if tree.nodes[tree.end[i]] in tree.outlets]
    severity = np.zeros(len(tree.vessels))
    severity[[i for i in shut if i not in ends]] = 1.0
    way = np.flatnonzero(severity < 1.0)
    links = coo_array((np.ones(way.size), (tree.start[way], tree.end[way])), shape=(len(tree.nodes),) * 2)
    reached = set(
        breadth_first_order(links.tocsr(), tree.node(tree.inlet.node), directed=False, return_predecessors=False)
    )
    closed = {tree.nodes[tree.end[i]] for i in ends} | {node for node in tree.outlets if tree.node(node) not in reached}
    outlets = {node: CLOSED if node in closed else outlet for node, outlet in tree.outlets.items()}
    return replace(tree, outlets=outlets, severity=severity if severity.any() else None)


def drains(arteries: given.Arteries) -> dict[str, str]:
    """Off-target vessel -> "portal" or "veins"."""
    ends = {vessel.end: name for name, vessel in arteries.network.vessels.items()}
    return {
        ends[node]: DRAINS[outlet.drains]
        for node, outlet in arteries.network.outlets.items()
        if outlet.off_target is not None and node in ends
    }


def _bare_tree(arteries: given.Arteries, numerics: given.Numerics) -> Tree:
    network = arteries.network
    names, nodes = tuple(network.vessels), tuple(network.nodes)
    vessels, number = [network.vessels[name] for name in names], {node: index for index, node in enumerate(nodes)}
    blood = Fluid(arteries.blood.density, arteries.blood.viscosity)
    walls = np.array([_wall(vessel, arteries.mean_pressure, blood) for vessel in vessels])
    ends = {vessel.end: name for name, vessel in network.vessels.items()}
    off_target = tuple(
        ends[node] for node, outlet in network.outlets.items() if outlet.off_target is not None and node in ends
    )
    return Tree(
        vessels=names,
        nodes=nodes,
        start=np.array([number[vessel.start] for vessel in vessels], dtype=np.int32),
        end=np.array([number[vessel.end] for vessel in vessels], dtype=np.int32),
        length=np.array([vessel.length for vessel in vessels], dtype=float),
        radius_start=walls[:, 0],
        radius_end=walls[:, 1],
        beta_start=walls[:, 2],
        beta_end=walls[:, 3],
        position=_positions(network),
        inlet=_inlet(arteries.inflow),
        outlets={node: _outlet(network.outlets[node]) for node in nodes if node in network.outlets},
        blood=blood,
        velocity_profile=numerics.velocity_profile,
        wall_viscosity=_wall_viscosity(vessels),
        loss_linear=_lumped(vessels, "linear"),
        loss_quadratic=_lumped(vessels, "quadratic"),
        loss_at_start=_loss_at_start(vessels),
        feeds={node: dict(outlet.feeds) for node, outlet in network.outlets.items() if outlet.feeds},
        off_target=off_target,
        gravity=np.array(arteries.gravity) if arteries.gravity is not None and any(arteries.gravity) else None,
        paths={name: np.array(v.path, dtype=float) for name, v in network.vessels.items() if len(v.path) > 1},
    )


def _wall(vessel: given.Vessel, mean_pressure: float, blood: Fluid) -> tuple[float, float, float, float]:
    """Radii (m) and stiffness (Pa m) at start and end, for the tube law that is unloaded at pressure zero.

    A vessel with a wave speed has its diameter in the living, at mean pressure; one with a modulus at pressure zero;
    either at its reference pressure, where it has one.
    """
    ends, given_at = vessel.diameter, vessel.reference_pressure
    if vessel.wave_speed is not None:
        at = mean_pressure if given_at is None else given_at
        pairs = [unloaded(0.5 * d, vessel.wave_speed, at, blood.density) for d in ends]
    else:
        assert vessel.young_modulus is not None
        assert vessel.wall_thickness is not None
        stiff = [float(stiffness_from_wall(vessel.young_modulus, h)) for h in vessel.wall_thickness]
        pairs = [unloaded_wall(0.5 * d, beta, given_at or 0.0) for d, beta in zip(ends, stiff, strict=True)]
    return pairs[0][0], pairs[1][0], pairs[0][1], pairs[1][1]


def _wall_viscosity(vessels: list[given.Vessel]) -> Floats | None:
    """(n_vessels,) Kelvin-Voigt coefficient (Pa s m); None where every wall is elastic."""
    if all(vessel.wall_viscosity is None for vessel in vessels):
        return None
    thickness = [0.0 if v.wall_thickness is None else 0.5 * sum(v.wall_thickness) for v in vessels]
    values = [0.0 if v.wall_viscosity is None else v.wall_viscosity for v in vessels]
    return np.asarray(wall_viscosity(np.array(values), np.array(thickness)))


def _lumped(vessels: list[given.Vessel], part: str) -> Floats | None:
    """(n_vessels,) coefficients of the vessels' own losses; None where there are none."""
    values = np.array([0.0 if vessel.loss is None else getattr(vessel.loss, part) for vessel in vessels])
    return values if values.any() else None


def _loss_at_start(vessels: list[given.Vessel]) -> Floats | None:
    """(n_vessels,) share of each lumped loss at the vessel's start; None where every one is halved."""
    ends = ["both" if vessel.loss is None else vessel.loss.at for vessel in vessels]
    return None if set(ends) == {"both"} else np.array([AT_START[end] for end in ends])


def _positions(network: given.Network) -> Floats:
    """(n_nodes, 3) m; nodes without a place are laid out along x so that pictures still show the network."""
    points = []
    for number, node in enumerate(network.nodes.values()):
        points.append((0.02 * number, 0.0, 0.0) if node.position is None else tuple(node.position))
    return np.array(points, dtype=float)


def _inlet(inflow: given.Inflow) -> Inlet:
    assert inflow.node is not None
    assert inflow.waveform is not None
    assert inflow.heart_rate is not None
    kind, mean = ("flow_rate", inflow.mean) if inflow.pressure is None else ("pressure", inflow.pressure)
    assert mean is not None
    times, values = np.array(inflow.waveform.times), np.array(inflow.waveform.values)
    return shaped_inlet(inflow.node, kind, mean, inflow.heart_rate, times, values)


def _outlet(outlet: given.Outlet) -> Outlet:
    if outlet.kind == "reflection":
        return Outlet(venous_pressure=outlet.venous_pressure, reflection=outlet.coefficient)
    return Outlet(outlet.proximal or 0.0, outlet.distal or 0.0, outlet.compliance or 0.0, outlet.venous_pressure)


def _target_flows(network: given.Network, mean_inflow: float) -> dict[str, float]:
    """m3/s by terminal node, for the outlets that state a flow or a share instead of resistances."""
    targets = {}
    for node, outlet in network.outlets.items():
        if outlet.flow is not None:
            targets[node] = outlet.flow
        elif outlet.share is not None and outlet.distal is None:
            targets[node] = outlet.share * mean_inflow
    return targets
