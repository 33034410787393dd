"""Contradictions in the arterial network: walls, connection, outlets, the inlet, what is tied off."""

from __future__ import annotations

from collections.abc import Iterable

from haiflow.errors import nearest
from haiflow.scenario.model import Arteries, Catheter, Inflow, Liver, Network, Outlet, Vessel, Waveform
from haiflow.scenario.network import root_node
from haiflow.scenario.problems import Problems
from haiflow.scenario.read import KeyPath
from haiflow.scenario.topology import blind_parts, neighbours, unreachable

NETWORK: KeyPath = ("arteries", "network")
SUM_TOLERANCE = 1e-6
SHARE_TOLERANCE = 1e-3


def arteries(problems: Problems, given: Arteries, network: Network) -> None:
    """Everything about the arteries alone. ``network`` is the one with overrides applied."""
    for name, vessel in network.vessels.items():
        _vessel(problems, name, vessel, given)
    _known_nodes(problems, given.network)
    root = _inlet(problems, given, network)
    meeting = neighbours(network)
    for name, outlet in network.outlets.items():
        _outlet(problems, name, outlet, meeting, root)
    _shares(problems, network)
    if root is not None:
        _connected(problems, network, root)
    _named_vessels(problems, given, network, root)
    _placed(problems, given, network)


def _vessel(problems: Problems, name: str, vessel: Vessel, arteries: Arteries) -> None:
    path: KeyPath = (*NETWORK, "vessels", name)
    if vessel.start == vessel.end:
        problems.add((*path, "to"), vessel.end, "the vessel ends where it starts", "give it two different nodes")
    if not vessel.length:
        problems.add(path, name, "the vessel has no length", "add 'length:', or positions of its nodes")
    given = arteries.network.vessels[name]
    if given.wave_speed is not None and given.young_modulus is not None:
        problems.add(
            (*path, "young_modulus"), name, "the wall is given twice", "give wave_speed, or modulus and thickness"
        )
    if vessel.wave_speed is None and vessel.young_modulus is None:
        remedy = "add 'wave_speed: 8 m/s', or young_modulus and wall_thickness"
        problems.add(path, name, "the vessel's wall has no stiffness", remedy)
    if vessel.wall_viscosity is not None and vessel.young_modulus is None:
        rule = "the viscosity of a wall needs the wall's thickness"
        problems.add((*path, "wall_viscosity"), name, rule, "give young_modulus and wall_thickness, not wave_speed")
    if vessel.young_modulus is not None and vessel.wall_thickness is not None and vessel.reference_pressure:
        _carries(problems, path, vessel, vessel.young_modulus, vessel.wall_thickness)


def _carries(
    problems: Problems, path: KeyPath, vessel: Vessel, modulus: float, thickness: tuple[float, float]
) -> None:
    """The wall carries the pressure at which its diameter is given: its radius at zero pressure is positive."""
    most = min(8.0 / 3.0 * modulus * h / d for h, d in zip(thickness, vessel.diameter, strict=True))
    if vessel.reference_pressure is not None and vessel.reference_pressure >= most:
        rule = f"a wall this soft carries less than {most:.4g} Pa"
        problems.add((*path, "reference_pressure"), vessel.reference_pressure, rule, "lower it, or stiffen the wall")


def _known_nodes(problems: Problems, network: Network) -> None:
    """Where nodes are listed, vessels use those only, and all of them."""
    if not network.nodes:
        return
    used = set()
    for name, vessel in network.vessels.items():
        for key, node in (("from", vessel.start), ("to", vessel.end)):
            used.add(node)
            if node not in network.nodes:
                path = (*NETWORK, "vessels", name, key)
                problems.add(path, node, "no such node", nearest(node, network.nodes))
    for node in network.nodes:
        if node not in used:
            problems.add(
                (*NETWORK, "nodes", node), node, "no vessel meets this node", "delete it, or connect it", key=True
            )


def _inlet(problems: Problems, given: Arteries, network: Network) -> str | None:
    """The node where blood enters; None where that is not clear."""
    inflow: KeyPath = ("arteries", "inflow")
    for path, each in ((inflow, given.inflow), ((*NETWORK, "inlet"), network.inlet)):
        if not _known_inlet(problems, path, each, network):
            return None
    root = root_node(network, given.inflow)
    own = root_node(network.model_copy(update={"inlet": Inflow()}), given.inflow)
    if root is None:
        problems.add((*NETWORK, "inlet"), None, "blood enters nowhere", "add 'inlet: {vessel: ...}'")
        return None
    if own is not None and own != root:
        named = network.inlet.vessel or network.inlet.node
        rule = f"a network has one inlet, and this one's is {named}"
        problems.add(
            (*inflow, "vessel"), given.inflow.vessel or given.inflow.node, rule, f"use '{named}', or leave it out"
        )
        return None
    _driven(problems, given, network)
    for path, each in (((*inflow, "waveform"), given.inflow), ((*NETWORK, "inlet", "waveform"), network.inlet)):
        if each.waveform is not None:
            _waveform(problems, path, each.waveform)
    return root


def _driven(problems: Problems, given: Arteries, network: Network) -> None:
    """A mean flow or a mean pressure drives the blood; under a pressure no outlet's share of a flow is known."""
    inflow: KeyPath = ("arteries", "inflow")
    for path, each in ((inflow, given.inflow), ((*NETWORK, "inlet"), network.inlet)):
        if each.mean is not None and each.pressure is not None:
            problems.add((*path, "pressure"), each.pressure, "the inlet is driven twice", "give mean or pressure")
    if all(each.mean is None and each.pressure is None for each in (given.inflow, network.inlet)):
        problems.add(inflow, None, "the mean inflow is missing", "add 'inflow: {mean: 400 mL/min}'")
    if given.inflow.pressure is None and (network.inlet.pressure is None or given.inflow.mean is not None):
        return
    for name, outlet in network.outlets.items():
        for key in ("share", "flow"):
            if getattr(outlet, key) is not None:
                rule = "under a given inlet pressure the inflow is not known, and no outlet's flow either"
                remedy = "give 'distal' (with proximal), or a mean inflow"
                problems.add((*NETWORK, "outlets", name, key), getattr(outlet, key), rule, remedy, key=True)


def _known_inlet(problems: Problems, path: KeyPath, inflow: Inflow, network: Network) -> bool:
    """Whether what the inflow names exists, is one place, and is an end of the network."""
    if inflow.vessel is not None and inflow.vessel not in network.vessels:
        problems.add(
            (*path, "vessel"), inflow.vessel, "no such vessel in the arteries", nearest(inflow.vessel, network.vessels)
        )
        return False
    meeting = neighbours(network)
    if inflow.node is not None and inflow.node not in meeting:
        problems.add((*path, "node"), inflow.node, "no such node in the arteries", nearest(inflow.node, meeting))
        return False
    start = network.vessels[inflow.vessel].start if inflow.vessel is not None else inflow.node
    ends = (start, network.vessels[inflow.vessel].end) if inflow.vessel is not None else (start,)
    if inflow.node is not None and inflow.node not in ends:
        problems.add((*path, "node"), inflow.node, f"not an end of {inflow.vessel}", "name one of the two")
        return False
    return True


def _waveform(problems: Problems, path: KeyPath, given: Waveform) -> None:
    if len(given.times) != len(given.values):
        rule = f"{len(given.times)} times and {len(given.values)} values"
        problems.add((*path, "values"), len(given.values), rule, "give each time a value")
    elif given.times[0] != 0.0 or any(a >= b for a, b in zip(given.times[:-1], given.times[1:], strict=True)):
        problems.add(
            (*path, "times"), given.name, "times must rise from 0 to below 1", "give shares of the cycle in order"
        )
    elif sum(given.values) <= 0.0:
        problems.add((*path, "values"), given.name, "the mean of the shape must be positive", "turn its sign")


def _outlet(problems: Problems, name: str, outlet: Outlet, meeting: dict[str, list[str]], root: str | None) -> None:
    path: KeyPath = (*NETWORK, "outlets", name)
    if name not in meeting:
        problems.add(path, name, "no such node in the arteries", nearest(name, meeting), key=True)
    elif name == root:
        problems.add(path, name, "the inlet cannot be an outlet", "delete it", key=True)
    elif len(meeting[name]) != 1:
        rule = f"an outlet ends one vessel, here meet {len(meeting[name])}"
        problems.add(path, name, rule, "put the outlet at the far end of a terminal vessel", key=True)
    _outlet_law(problems, path, name, outlet)
    if outlet.feeds and outlet.off_target is not None:
        problems.add(
            (*path, "off_target"), outlet.off_target, "the outlet feeds the liver already", "keep feeds or off_target"
        )
    if outlet.feeds and abs(sum(outlet.feeds.values()) - 1.0) > SUM_TOLERANCE:
        total = f"{sum(outlet.feeds.values()):.6g}"
        problems.add((*path, "feeds"), total, "the shares that an outlet feeds must sum to 1", "adjust them")


def _outlet_law(problems: Problems, path: KeyPath, name: str, outlet: Outlet) -> None:
    """The bed's resistance is given once, in one way."""
    if outlet.kind == "pressure":
        for key in ("flow", "share", "proximal", "distal", "compliance", "coefficient"):
            if getattr(outlet, key) is not None:
                rule = "an outlet of given pressure has none"
                problems.add((*path, key), getattr(outlet, key), rule, "delete it, or change the kind", key=True)
        return
    target = [key for key in ("flow", "share") if getattr(outlet, key) is not None]
    law = [key for key in ("proximal", "distal") if getattr(outlet, key) is not None]
    if outlet.kind == "reflection":
        if outlet.coefficient is None:
            problems.add(path, name, "a reflecting outlet needs its coefficient", "add 'coefficient: 0.5'", key=True)
        for key in ("flow", "share", "proximal", "distal", "compliance"):
            if getattr(outlet, key) is not None:
                problems.add((*path, key), getattr(outlet, key), "a reflecting outlet has none", "delete it", key=True)
        return
    if outlet.kind == "resistance" and outlet.compliance is not None:
        rule = "a pure resistance has no compliance"
        problems.add((*path, "compliance"), outlet.compliance, rule, "delete it, or use kind: windkessel", key=True)
    if outlet.coefficient is not None:
        problems.add((*path, "coefficient"), outlet.coefficient, "for 'kind: reflection' only", "delete it", key=True)
    if len(target) + bool(law) != 1:
        rule = (
            "the outlet's flow is not determined"
            if not (target or law)
            else "the outlet's flow is given more than once"
        )
        problems.add(
            path, ", ".join(target + law) or name, rule, "give one of: share, flow, distal (with proximal)", key=True
        )
    elif law and not (outlet.proximal or 0.0) + (outlet.distal or 0.0) > 0.0:
        problems.add(path, name, "the outlet has no resistance", "make proximal plus distal positive", key=True)


def _shares(problems: Problems, network: Network) -> None:
    """Shares of the inflow do not exceed it, and make it up where all outlets have one."""
    shares = [outlet.share for outlet in network.outlets.values() if outlet.share is not None]
    total, complete = sum(shares), len(shares) == len(network.outlets)
    if total > 1.0 + SHARE_TOLERANCE or (complete and total < 1.0 - SHARE_TOLERANCE):
        problems.add(
            (*NETWORK, "outlets"), f"{total:.6g}", "the outlets' shares of the inflow must sum to 1", "adjust them"
        )


def _connected(problems: Problems, network: Network, root: str) -> None:
    """Every vessel is reached from the inlet and lies on a way to an outlet."""
    lost = unreachable(network, root)
    for name in lost:
        rule = f"the network is disconnected: no way from the inlet at {root}"
        problems.add((*NETWORK, "vessels", name), name, rule, "connect it, or delete it", key=True)
    if lost:
        return
    for part in blind_parts(network, root):
        rule = (
            "a dead end: neither inlet nor outlet"
            if len(part) == 1
            else "a loop without an outlet: blood cannot leave it"
        )
        remedy = "add an outlet there, or delete it; a network has one inlet"
        problems.add((*NETWORK, "vessels", part[0]), ", ".join(part), rule, remedy, key=True)


def _named_vessels(problems: Problems, given: Arteries, network: Network, root: str | None) -> None:
    """What is tied off or overridden exists."""
    for index, name in enumerate(given.ligated or ()):
        path: KeyPath = ("arteries", "ligated", index)
        if name not in network.vessels:
            problems.add(path, name, "no such vessel in the arteries", nearest(name, network.vessels))
        elif root in (network.vessels[name].start, network.vessels[name].end):
            problems.add(path, name, "tying off the inlet leaves no flow", "name another vessel")
    for name in given.vessels:
        if name not in network.vessels:
            path = ("arteries", "vessels", name)
            problems.add(path, name, "no such vessel in the arteries", nearest(name, network.vessels), key=True)


def _placed(problems: Problems, given: Arteries, network: Network) -> None:
    """Gravity acts on heights: every node has a place."""
    if given.gravity is None or not any(given.gravity):
        return
    lost = [name for name, node in network.nodes.items() if node.position is None]
    if lost:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        rule = f"gravity needs the heights of all nodes, and {lost[0]}{more} has no position"
        remedy = f"add 'nodes: {{{lost[0]}: {{position: 0 0 0 mm}}}}', or leave gravity out"
        problems.add(("arteries", "gravity"), problems.given(("arteries", "gravity")), rule, remedy)


def split(problems: Problems, given: Arteries, network: Network, catheter: Catheter) -> None:
    """The streaming split is over the vessels that meet at the tip, and whole."""
    if not given.split or catheter.tip.vessel not in network.vessels:
        return
    node = network.vessels[catheter.tip.vessel].start
    here = neighbours(network)[node]
    for name in given.split:
        if name not in here:
            rule = f"does not meet the tip's junction ({node})"
            problems.add(("arteries", "split", name), name, rule, nearest(name, here), key=True)
    total = sum(given.split.values())
    if abs(total - 1.0) > SUM_TOLERANCE:
        problems.add(("arteries", "split"), f"{total:.6g}", "the shares must sum to 1", "adjust them")
    if catheter.tip.position != "ostium":
        problems.add(("arteries", "split"), "split", "the tip is not at a junction", "use 'position: ostium'", key=True)


def feeds(problems: Problems, network: Network, liver: Liver) -> None:
    """Each outlet feeds segments (or tumours) that exist, or is off target; and something feeds the liver."""
    tumours = [tumour.name or f"tumour_{number}" for number, tumour in enumerate(liver.tumours, 1)]
    known: Iterable[str] = [*(name for name, share in liver.fractions.items() if share > 0), *tumours]
    for node, outlet in network.outlets.items():
        path: KeyPath = (*NETWORK, "outlets", node)
        closed = outlet.kind == "reflection" and outlet.coefficient == 1.0
        if not outlet.feeds and outlet.off_target is None and not closed:
            remedy = "add 'feeds: {V: 1.0}' or 'off_target: duodenum'"
            problems.add(path, node, "it is not said what the outlet feeds", remedy, key=True)
        for name in outlet.feeds:
            if name not in known:
                problems.add((*path, "feeds", name), name, "no such segment or tumour", nearest(name, known), key=True)
    if not any(outlet.feeds for outlet in network.outlets.values()):
        problems.add(
            (*NETWORK, "outlets"), "no feeds", "no outlet feeds the liver", "add 'feeds:' or leave the liver out"
        )
