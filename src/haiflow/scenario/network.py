"""The arterial network made complete: lengths, overrides, walls, the inflow, and what is tied off."""

from __future__ import annotations

from itertools import pairwise
from math import dist
from typing import Any

from haiflow.scenario import library
from haiflow.scenario.model import Arteries, Catheter, Inflow, Network, Vessel, Waveform
from haiflow.scenario.resolve import DEFAULT_WAVEFORM

DEFAULT_HEART_RATE = 70 / 60
THICKNESS_RATIO = 0.1  # wall to mean lumen diameter, where a modulus is given without a thickness [assumed]
LIGATED_WITH_TIP = ("gastroduodenal", "right_gastric")  # Curley 1990: distal gastroduodenal and right gastric are tied


def complete_arteries(arteries: Arteries, catheter: Catheter | None) -> Arteries:
    """The arteries with everything in the network and the inflow, and nothing left to look up."""
    network = completed_network(arteries)
    inflow = completed_inflow(arteries.inflow, network)
    inlet = Inflow(node=inflow.node, vessel=inflow.vessel, mean=None, waveform=None, heart_rate=None)
    ligated = default_ligation(network, catheter) if arteries.ligated is None else arteries.ligated
    return arteries.model_copy(
        update={
            "anatomy": None,
            "file": None,
            "network": network.model_copy(update={"inlet": inlet}),
            "inflow": inflow,
            "ligated": ligated,
            "vessels": {},
            "young_modulus": None,
        }
    )


def completed_network(arteries: Arteries) -> Network:
    """Overrides applied; every vessel with its length and its wall."""
    network = arteries.network
    vessels = {name: _completed_vessel(name, vessel, arteries) for name, vessel in network.vessels.items()}
    nodes = {node for vessel in vessels.values() for node in (vessel.start, vessel.end)}
    missing = {name: _empty_node() for name in sorted(nodes - set(network.nodes))}
    return network.model_copy(update={"vessels": vessels, "nodes": {**network.nodes, **missing}})


def _empty_node() -> Any:
    from haiflow.scenario.model import Node

    return Node()


def _completed_vessel(name: str, vessel: Vessel, arteries: Arteries) -> Vessel:
    update: dict[str, Any] = {}
    if name in arteries.vessels:
        given = arteries.vessels[name]
        update |= {key: value for key in type(given).model_fields if (value := getattr(given, key)) is not None}
    if "young_modulus" not in update and arteries.young_modulus is not None:
        update["young_modulus"] = arteries.young_modulus
    if "wave_speed" in update:
        update |= {"young_modulus": None, "wall_thickness": None}
    elif "young_modulus" in update or vessel.young_modulus is not None:
        start, end = update.get("diameter", vessel.diameter)
        thickness = update.get("wall_thickness", vessel.wall_thickness)
        usual = THICKNESS_RATIO * (start + end) / 2
        update |= {"wave_speed": None, "wall_thickness": thickness or (usual, usual)}
    if update.get("length", vessel.length) is None:
        update["length"] = drawn_length(vessel, arteries.network)
    return vessel.model_copy(update=update)


def drawn_length(vessel: Vessel, network: Network) -> float | None:
    """The length (m) of the vessel's path, or from node to node; None where neither is known."""
    points: list[Any] = list(vessel.path)
    if not points:
        nodes = [network.nodes.get(name) for name in (vessel.start, vessel.end)]
        points = [node.position for node in nodes if node is not None and node.position is not None]
    return sum(dist(a, b) for a, b in pairwise(points)) if len(points) >= 2 else None


def root_node(network: Network, inflow: Inflow) -> str | None:
    """The node where blood enters: as named, or the start of the named vessel."""
    for given in (network.inlet, inflow):
        if given.node is not None:
            return given.node
        if given.vessel in network.vessels:
            return network.vessels[given.vessel].start
    return None


def completed_inflow(inflow: Inflow, network: Network) -> Inflow:
    """The scenario's inflow, with what it leaves out from the network's own inlet, then from the defaults."""
    own = network.inlet
    node = root_node(network, inflow)
    vessel = next((name for name, each in network.vessels.items() if node in (each.start, each.end)), None)
    shape = inflow.waveform or own.waveform or named_waveform(DEFAULT_WAVEFORM)
    rate = inflow.heart_rate or own.heart_rate or DEFAULT_HEART_RATE
    pressure = inflow.pressure or (own.pressure if inflow.mean is None else None)
    mean = (inflow.mean or own.mean) if pressure is None else None
    return Inflow.model_construct(
        vessel=vessel, node=node, mean=mean, pressure=pressure, waveform=shape, heart_rate=rate
    )


def named_waveform(name: str) -> Waveform:
    """A waveform of the library."""
    return Waveform.model_validate({"name": name, **library.entry("waveforms", name).values})


def default_ligation(network: Network, catheter: Catheter | None) -> tuple[str, ...]:
    """With the tip in the gastroduodenal, what the surgeon ties off, as far as the network has it and it ends there."""
    if catheter is None or catheter.tip.vessel != "gastroduodenal":
        return ()
    return tuple(name for name in LIGATED_WITH_TIP if name in network.vessels and is_terminal(name, network))


def is_terminal(vessel: str, network: Network) -> bool:
    """Whether the vessel ends in an outlet."""
    return any(node in network.outlets for node in (network.vessels[vessel].start, network.vessels[vessel].end))
