"""Who feeds whom beyond the arteries: terminals to territories and beds, beds and liver to the veins, body to portal.

Both clocks use the same routes; they differ in how the arteries themselves are advanced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from haiflow.arteries.tree import Tree
from haiflow.body.beds import Bed, bed_transport
from haiflow.body.model import transport as body_transport
from haiflow.liver.field import PerfusedLiver, artery
from haiflow.liver.model import Liver
from haiflow.liver.perfusion import arterial_split, portal_split
from haiflow.liver.transport import metabolism
from haiflow.liver.transport import transport as liver_transport
from haiflow.numerics.field import FieldSystem
from haiflow.numerics.joint import Connection, JointSystem, Step
from haiflow.ports import Floats, LinearTransport
from haiflow.simulation.parts import Parts, Substance

SATURATION_SWEEPS = 20
SATURATION_TOLERANCE = 1e-9  # relative change of the clearance


def targets(parts: Parts) -> dict[str, dict[str, float]]:
    """Terminal node -> {"liver.artery:<territory>" or "beds.bed:<vessel>": share}; empty where it leaves the model."""
    tree = _tree(parts)
    if parts.perfused is not None:
        return {node: _resolved_target(parts.perfused, tree, node) for node in tree.terminals}
    split = arterial_split(parts.liver) if parts.liver is not None else {}
    return {node: _target(tree, node, split) for node in tree.terminals}


def _resolved_target(perfused: PerfusedLiver, tree: Tree, node: str) -> dict[str, float]:
    vessel = tree.terminal_vessel(node)
    if vessel in tree.off_target or node not in perfused.nodes:
        return {f"beds.bed:{vessel}": 1.0} if vessel in tree.off_target else {}
    shares = perfused.territory_shares[:, perfused.nodes.index(node)]
    return {
        f"liver.artery:{name}": float(share)
        for name, share in zip(perfused.liver.names, shares, strict=True)
        if share > 0.0
    }


def inlets(parts: Parts) -> dict[str, dict[str, float]]:
    """Terminal node -> the inlet that it feeds: those of :func:`targets`, or its own where the liver is in 3D."""
    found = targets(parts)
    if parts.perfused is not None:
        found |= {node: {f"liver.{artery(node)}": 1.0} for node in parts.perfused.nodes}
    return found


def _target(tree: Tree, node: str, split: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    vessel = tree.terminal_vessel(node)
    if vessel in tree.off_target:
        return {f"beds.bed:{vessel}": 1.0}
    found: dict[str, float] = {}
    for name, share in tree.feeds.get(node, {}).items():
        for territory, part in split.get(name, {name: 1.0}).items():
            found[f"liver.artery:{territory}"] = found.get(f"liver.artery:{territory}", 0.0) + share * part
    return found if split else {}


def territory_flows(parts: Parts, outlet_flow: Mapping[str, float]) -> dict[str, float]:
    """Arterial flow rate (m3/s) into each territory from that of the terminals (m3/s by node)."""
    if parts.liver is None:
        return {}
    flows = dict.fromkeys(parts.liver.names, 0.0)
    for node, shares in targets(parts).items():
        for target, share in shares.items():
            if target.startswith("liver.artery:"):
                flows[target.removeprefix("liver.artery:")] += share * max(outlet_flow[node], 0.0)
    return flows


def bed_volumes(parts: Parts, outlet_flow: Mapping[str, float]) -> dict[str, float]:
    """Distribution volume (m3) of each off-target bed, by vessel, from its flow in the undisturbed tree."""
    tree = _tree(parts)
    flow = {tree.terminal_vessel(node): value for node, value in outlet_flow.items()}
    return {vessel: Bed(vessel, flow.get(vessel, 0.0)).distribution_volume for vessel in tree.off_target}


@dataclass(frozen=True)
class Downstream:
    """The balances of liver, beds and body for one substance, and the connections among them."""

    balances: dict[str, LinearTransport]
    connections: list[Connection]


def downstream(
    parts: Parts,
    substance: Substance,
    outlet_flow: Mapping[str, float],
    volumes: Mapping[str, float],
    arterial_inflow: float,
) -> Downstream:
    """Liver, beds and body behind the arteries.

    ``outlet_flow`` m3/s by terminal node, ``volumes`` m3 by bed, ``arterial_inflow`` m3/s that leaves the body's blood
    for the arterial root (zero where the caller moves that mass itself).
    """
    tree, liver = _tree(parts), parts.liver
    flow = {tree.terminal_vessel(node): max(value, 0.0) for node, value in outlet_flow.items()}
    beds = [Bed(name, flow[name], parts.drains[name], volume=volumes[name]) for name in tree.off_target]
    gut = sum(bed.flow_rate for bed in beds if bed.drains == "portal")
    balances: dict[str, LinearTransport] = {}
    connections: list[Connection] = []
    if beds:
        balances["beds"] = bed_transport(beds, substance.liver.trapped_fraction)
    portal = sum(portal_flows(parts, outlet_flow).values()) if liver is not None else gut
    if liver is not None and parts.perfused is None:
        venous = portal_flows(parts, outlet_flow)
        arterial = territory_flows(parts, outlet_flow)
        balances["liver"] = liver_transport(liver, substance.liver, arterial, portal_flow=venous)
        connections += _into_liver(parts, balances)
    if parts.body is not None:
        balances["body"] = body_transport(parts.body, substance.body, arterial_inflow, max(portal - gut, 0.0))
        connections += _through_body(parts, balances)
    return Downstream(balances, connections)


def portal_flows(parts: Parts, outlet_flow: Mapping[str, float]) -> dict[str, float]:
    """Portal flow rate (m3/s) into each territory: the vein carries at least what the modelled gut arteries bring."""
    if parts.liver is None:
        return {}
    tree = _tree(parts)
    gut = sum(
        max(outlet_flow[node], 0.0)
        for node in tree.terminals
        if parts.drains.get(tree.terminal_vessel(node)) == "portal" and tree.terminal_vessel(node) in tree.off_target
    )
    total = max(parts.liver.portal_flow, gut)
    if parts.perfused is not None:
        shares = parts.perfused.by_territory(parts.perfused.shares[1])
        return {name: float(share) * total for name, share in zip(parts.liver.names, shares, strict=True)}
    return {name: share * total for name, share in portal_split(parts.liver).items()}


def _into_liver(parts: Parts, balances: Mapping[str, LinearTransport]) -> list[Connection]:
    assert parts.liver is not None
    shares = portal_split(parts.liver)
    sources = (["beds"] if "beds" in balances else []) + (["body"] if parts.body is not None else [])
    return [
        Connection(source, "portal", "liver", f"portal:{territory}", share)
        for source in sources
        for territory, share in shares.items()
    ]


def _through_body(parts: Parts, balances: Mapping[str, LinearTransport]) -> list[Connection]:
    links = []
    if "beds" in balances:
        links.append(Connection("beds", "veins", "body", "veins"))
    if "liver" in balances:
        links.append(Connection("liver", "hepatic_veins", "body", "veins"))
    elif parts.liver is None:
        # Without a liver the portal blood comes straight back.
        links.append(Connection("body", "portal", "body", "veins"))
        if "beds" in balances:
            links.append(Connection("beds", "portal", "body", "veins"))
    return links


def joint_step(
    system: JointSystem | FieldSystem,
    substance: Substance,
    liver: Liver | None,
    c: Floats,
    dt: float,
    sources: Mapping[str, float],
    scheme: str = "sdirk2",
) -> Step:
    """One step of a joint system; saturable metabolism is taken at the step's own mean concentration, by sweeps."""
    step = system.advance(c, dt, sources, scheme=scheme)
    if isinstance(system, FieldSystem):
        return step
    if liver is None or "liver" not in system.parts or not np.isfinite(substance.liver.half_saturation):
        return step
    cut = system.part_slice("liver")
    linear, before = system.parts["liver"].loss, system.parts["liver"].loss
    for _ in range(SATURATION_SWEEPS):
        saturated = metabolism(liver, substance.liver, step.exposure[cut] / dt)
        if np.abs(saturated - before).max() <= SATURATION_TOLERANCE * before.max():
            break
        before = saturated
        extra = np.zeros(system.n)
        extra[cut] = saturated - linear
        step = system.with_loss(extra).advance(c, dt, sources, scheme=scheme)
    return step


def _tree(parts: Parts) -> Tree:
    if parts.tree is None:
        raise ValueError("these parts have no arteries")
    return parts.tree
