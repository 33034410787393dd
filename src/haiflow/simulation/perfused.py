"""The liver resolved in 3D: regions on its mesh, arterial ends grown into it, and how it joins the compartments."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from haiflow.arteries.gravity import column_at_nodes
from haiflow.arteries.growth import grow
from haiflow.arteries.periodic import Cycle
from haiflow.arteries.subtree import SubTree, nearest_terminal, widened, with_demand
from haiflow.arteries.tree import Tree
from haiflow.errors import InputError
from haiflow.liver.field import PORTAL, PerfusedLiver, artery
from haiflow.liver.model import SEGMENTS, Liver
from haiflow.liver.pieces import cut
from haiflow.liver.sinusoids import SINUSOID_DROP, VENOUS_PRESSURE, Sinusoids, drain_conductance
from haiflow.mesh.field import Sphere, mark_tumours
from haiflow.mesh.model import TetraMesh
from haiflow.numerics.field import FieldSystem
from haiflow.numerics.joint import Connection, JointSystem
from haiflow.ports import Floats, LinearTransport
from haiflow.scenario import model as given
from haiflow.simulation.parts import Parts, Substance, without_line
from haiflow.simulation.routes import portal_flows
from haiflow.simulation.shared import Shared


def resolve(parts: Parts, cycle: Cycle, mesh: TetraMesh, wanted: given.Liver) -> Parts:
    """The parts with their liver in 3D: arterial ends are grown from the tree, ``cycle`` is its undisturbed one."""
    tree, liver = parts.tree, parts.liver
    assert tree is not None
    assert liver is not None
    liver = on_mesh(liver, mesh)
    region, territory, dead = regions(mesh, liver)
    draw = np.array([item.arterial_ratio for item in liver.territories])[territory[region]]
    demand = np.where(dead[region], 0.0, mesh.volumes * draw)
    ground = _Ground(mesh, liver, territory[region], demand)
    flow = {node: rate for node, rate in cycle.outlet_flow.items() if tree.feeds.get(node) and rate > 0.0}
    nodes, total = tuple(node for node in tree.terminals if node in flow), sum(flow.values())
    if not nodes:
        raise InputError("liver.resolve", "3d", "no artery brings blood to the liver", "give an outlet 'feeds:'")
    grown = {
        node: _grown(tree, node, ground, max(1, round(wanted.terminals * flow[node] / total)), wanted.seed)
        for node in nodes
    }
    arterial, grown, terminal_of = _supplied(grown, ground, tree, cycle)
    portal = sum(portal_flows(parts, cycle.outlet_flow).values())
    pieces = cut(mesh.tetra, mesh.volumes, region)
    permeability = np.array([item.permeability_ratio for item in liver.territories])[territory[region]]
    field = PerfusedLiver(
        liver=liver,
        sinusoids=Sinusoids(
            mesh.points, pieces, wanted.permeability / tree.blood.viscosity * permeability, np.zeros(0)
        ),
        nodes=nodes,
        arterial=arterial,
        portal=_portal(liver, mesh, territory[region], dead[region]),
        territory=territory,
        dead=dead,
        terminal_of=terminal_of,
    )
    healthy = field.supply(node_flows(field, cycle.outlet_flow), portal)
    sinusoids = replace(field.sinusoids, conductance=drain_conductance(healthy), solved={})
    return replace(parts, liver=liver, perfused=replace(field, sinusoids=sinusoids), grown=grown)


def shared_liver(parts: Parts, cycle: Cycle, mesh: TetraMesh, wanted: given.Liver, shared: Shared) -> Parts:
    """The same, grown once for all runs that agree in all but pump and line; flows that a run finds stay its own."""

    def grow_once() -> Parts:
        found = resolve(parts, cycle, mesh, wanted)
        assert found.perfused is not None
        _ = found.perfused.sinusoids.solver  # set up before it is shared
        return found

    flows = (cycle.mean_flow_rate, cycle.outlet_flow, cycle.inlet_flow)
    key = pickle.dumps((without_line(parts), flows, wanted, mesh.points, mesh.tetra, mesh.couinaud_segment))
    found = shared.large(key, grow_once)
    assert found.perfused is not None
    sinusoids = copy(found.perfused.sinusoids)  # with what it has set up
    object.__setattr__(sinusoids, "solved", {})
    return replace(
        parts, liver=found.liver, perfused=replace(found.perfused, sinusoids=sinusoids), grown=found.grown
    )


def regions(mesh: TetraMesh, liver: Liver) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """Region of each cell (m,); territory of each region; whether a region is a necrotic core.

    The first regions are the territories in their order; a tumour's core, where it has one, comes behind.
    """
    names, tumours = liver.names, [item for item in liver.territories if item.kind == "tumour"]
    of_segment = np.zeros(9, dtype=np.int32)
    for number, segment in enumerate(SEGMENTS, start=1):
        of_segment[number] = names.index(segment) if segment in names else 0
    region = of_segment[mesh.couinaud_segment]
    territory = list(range(len(names)))
    spheres = [Sphere(item.name, item.segment, item.diameter or 0.0, item.centre) for item in tumours]
    marks = mark_tumours(mesh, spheres)
    for number, item in enumerate(tumours, start=1):
        inside = np.flatnonzero(marks == number)
        region[inside] = names.index(item.name)
        core = _core(mesh, inside, item.necrotic_fraction)
        if core.size:
            region[core] = len(territory)
            territory.append(names.index(item.name))
    dead = np.arange(len(territory)) >= len(names)
    return region.astype(np.int32), np.array(territory, dtype=np.int32), dead


def _core(mesh: TetraMesh, cells: NDArray[np.intp], fraction: float) -> NDArray[np.intp]:
    """The innermost of a tumour's ``cells`` that make up ``fraction`` of its volume."""
    if fraction <= 0.0 or cells.size == 0:
        return cells[:0]
    middle = np.average(mesh.centres[cells], axis=0, weights=mesh.volumes[cells])
    order = cells[np.argsort(np.linalg.norm(mesh.centres[cells] - middle, axis=1), kind="stable")]
    filled = np.cumsum(mesh.volumes[order]) / mesh.volumes[order].sum()
    return order[filled <= fraction]


def on_mesh(liver: Liver, mesh: TetraMesh) -> Liver:
    """The liver with the volumes that the mesh gives to its territories; a segment that the mesh lacks is left out.

    Raises InputError for a tumour without a cell of its own: others lie over it.
    """
    region, territory, _ = regions(mesh, liver)
    volume = np.bincount(territory[region], weights=mesh.volumes, minlength=len(liver.territories))
    for item, size in zip(liver.territories, volume, strict=True):
        if item.kind == "tumour" and size == 0.0:
            raise InputError(
                "liver.tumours", item.name, "another tumour lies all over it", "move or delete one of them"
            )
    kept = zip(liver.territories, volume, strict=True)
    return replace(liver, territories=tuple(replace(item, volume=float(size)) for item, size in kept if size > 0.0))


@dataclass(frozen=True)
class _Ground:
    """What the tissue demands: ``demand`` (m,) of each cell, the ``territory`` (m,) it lies in, and the liver."""

    mesh: TetraMesh
    liver: Liver
    territory: NDArray[np.int32]
    demand: Floats

    def fed_by(self, feeds: Mapping[str, float]) -> Floats:
        """(m,) demand weighted so that each fed segment or tumour has its share."""
        weight = np.zeros(self.demand.size)
        for name, share in feeds.items():
            own = np.where(self._cells(name), self.demand, 0.0)
            weight += share * own / own.sum() if own.any() else 0.0
        return weight if weight.any() else self.demand

    def _cells(self, name: str) -> NDArray[np.bool_]:
        if name in SEGMENTS:
            return np.asarray(self.mesh.couinaud_segment == SEGMENTS.index(name) + 1)
        index = self.liver.names.index(name) if name in self.liver.names else -1
        return np.asarray(self.territory == index)


def _grown(tree: Tree, node: str, ground: _Ground, terminals: int, seed: int) -> SubTree:
    """The sub-tree of one terminal, into the segments that it feeds."""
    weight = ground.fed_by(tree.feeds[node])
    index = tree.vessel(tree.terminal_vessel(node))
    at_end = tree.nodes[tree.end[index]] == node
    radius = float((tree.radius_end if at_end else tree.radius_start)[index])
    root = tree.position[tree.node(node)]
    return grow(root, ground.mesh.centres, weight, terminals, root_radius=radius, seed=seed)


def _supplied(
    grown: dict[str, SubTree], ground: _Ground, tree: Tree, cycle: Cycle
) -> tuple[csr_array, dict[str, SubTree], NDArray[np.int32]]:
    """(m, n_nodes) the share of each terminal's flow that each cell gets, the sub-trees fitted to what is demanded of
    them, and the end (m,) that each cell belongs to."""
    of_tree, of_end = nearest_terminal(list(grown.values()), ground.mesh.centres)
    columns, fitted = [], {}
    for k, (node, subtree) in enumerate(grown.items()):
        mine = np.where(of_tree == k, ground.demand, 0.0)
        if not mine.any():  # crowded out by its neighbours: what it carries goes to all that it is meant to feed
            columns.append(ground.fed_by(tree.feeds[node]))
            fitted[node] = subtree
            continue
        own = of_tree == k
        wanted = np.asarray(np.bincount(of_end[own], mine[own], len(subtree.terminals)), dtype=float)
        fitted[node] = _fitted(subtree, wanted, node, tree, cycle)
        columns.append(mine)  # regulated arterioles: each end, and each cell of it, gets what it demands
    offset = np.concatenate([[0], np.cumsum([len(item.terminals) for item in grown.values()])])
    table = np.stack([column / column.sum() for column in columns], axis=1)
    return csr_array(table), fitted, (offset[of_tree] + of_end).astype(np.int32)


def _fitted(subtree: SubTree, wanted: Floats, node: str, tree: Tree, cycle: Cycle) -> SubTree:
    """The sub-tree with flows and radii for what is demanded at its ends, wide enough to leave them pressure.

    The blood's weight drives nothing through the liver: arteries and veins have the same column there, so what counts
    is the terminal's pressure brought to the height at which the veins' is given.
    """
    pressure = float(np.mean(cycle.node_pressure[:, tree.node(node)]) + column_at_nodes(tree)[tree.node(node)])
    return widened(
        with_demand(subtree, wanted, root_radius=float(subtree.radius[0])), tree.blood.viscosity,
        root_flow=cycle.outlet_flow[node], root_pressure=pressure, tissue_pressure=VENOUS_PRESSURE + SINUSOID_DROP,
    )  # fmt: skip


def _portal(liver: Liver, mesh: TetraMesh, territory: NDArray[np.int32], dead: NDArray[np.bool_]) -> Floats:
    """(m,) each cell's share of the portal vein's flow, by volume times the territory's portal ratio."""
    draw = np.array([item.portal_ratio for item in liver.territories])[territory]
    wanted = np.where(dead, 0.0, mesh.volumes * draw)
    return np.asarray(wanted / wanted.sum())


def node_flows(field: PerfusedLiver, outlet_flow: dict[str, float]) -> Floats:
    """(n_nodes,) m3/s of the terminals that feed the liver; what runs backwards feeds nothing."""
    return np.array([max(outlet_flow[node], 0.0) for node in field.nodes])


def joined(
    parts: Parts, substance: Substance, balances: dict[str, LinearTransport], links: Sequence[Connection],
    outlet_flow: dict[str, float], portal_flow: float,
) -> FieldSystem:  # fmt: skip
    """The compartments of one substance joined with its field in the liver."""
    field = parts.perfused
    assert field is not None
    flow = field.sinusoids.flow(field.supply(node_flows(field, outlet_flow), portal_flow))
    feeds = {
        (f"{passage}.{node}", artery(node)): 1.0
        for passage in ("first", "again")
        if passage in balances
        for node in field.nodes
    }
    feeds |= {(f"{part}.portal", PORTAL): 1.0 for part in ("beds", "body") if part in balances}
    return FieldSystem(
        JointSystem(balances, links), "liver", field.field_transport(substance.liver, flow), feeds,
        "body.veins" if "body" in balances else None,
    )  # fmt: skip


def territory_means(field: PerfusedLiver, system: FieldSystem, values: Floats) -> Floats:
    """(2 n_territories,) means over each territory, blood and tissue alternating, of the pieces' values (2 n,)."""
    n, size = system.field.n, np.array([item.volume for item in field.liver.territories])
    means = [field.by_territory(field.pieces.volume * own) / size for own in (values[:n], values[n:])]
    return np.stack(means, axis=1).ravel()
