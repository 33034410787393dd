"""How a network hangs together: who meets where, what the inlet reaches, and parts that blood cannot leave."""

from __future__ import annotations

from haiflow.scenario.model import Network


def neighbours(network: Network) -> dict[str, list[str]]:
    """Node -> the vessels that start or end there."""
    meeting: dict[str, list[str]] = {}
    for name, vessel in network.vessels.items():
        for node in (vessel.start, vessel.end):
            meeting.setdefault(node, []).append(name)
    return meeting


def _other_end(network: Network, vessel: str, node: str) -> str:
    ends = network.vessels[vessel]
    return ends.end if ends.start == node else ends.start


def unreachable(network: Network, root: str) -> list[str]:
    """Vessels that no way leads to from ``root``, in the order of the network."""
    meeting, seen, waiting = neighbours(network), {root}, [root]
    while waiting:
        node = waiting.pop()
        for vessel in meeting.get(node, ()):
            other = _other_end(network, vessel, node)
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return [name for name, vessel in network.vessels.items() if vessel.start not in seen]


def blind_parts(network: Network, root: str) -> list[list[str]]:
    """Parts behind a single vessel that hold no outlet: its vessels, the outermost parts only.

    One depth-first walk: the vessel to a child is a bridge where nothing in the child's sub-tree leads back above it
    (Tarjan 1974, Inf Process Lett 2:160). Blood in a part behind a bridge without an outlet cannot go anywhere.
    """
    order, by_child, low = _walk(network, root)
    outlets = {node: int(node in network.outlets) for node in order}
    for node in reversed(order):
        if node in by_child:
            parent = by_child[node][1]
            outlets[parent] += outlets[node]
    rank = {node: number for number, node in enumerate(order)}
    blind = [node for node in order if node in by_child and low[node] > rank[by_child[node][1]] and outlets[node] == 0]
    tops = [node for node in blind if not any(_below(node, other, by_child) for other in blind if other != node)]
    return [_vessels_below(network, node, by_child) for node in tops]


def _walk(network: Network, root: str) -> tuple[list[str], dict[str, tuple[str, str]], dict[str, int]]:
    """Depth-first from ``root`` without recursion: nodes in order, child -> (vessel, parent), lowest rank reached."""
    meeting, rank, order = neighbours(network), {root: 0}, [root]
    by_child: dict[str, tuple[str, str]] = {}
    stack = [(root, iter(meeting.get(root, ())))]
    back: dict[str, int] = {root: 0}
    while stack:
        node, vessels = stack[-1]
        vessel = next(vessels, None)
        if vessel is None:
            stack.pop()
            if node in by_child:
                parent = by_child[node][1]
                back[parent] = min(back[parent], back[node])
            continue
        other = _other_end(network, vessel, node)
        if other not in rank:
            rank[other] = back[other] = len(order)
            order.append(other)
            by_child[other] = (vessel, node)
            stack.append((other, iter(meeting[other])))
        elif by_child.get(node, ("", ""))[0] != vessel:
            back[node] = min(back[node], rank[other])
    return order, by_child, back


def _below(node: str, top: str, by_child: dict[str, tuple[str, str]]) -> bool:
    while node in by_child:
        node = by_child[node][1]
        if node == top:
            return True
    return False


def _vessels_below(network: Network, top: str, by_child: dict[str, tuple[str, str]]) -> list[str]:
    """The bridge to ``top`` first, then every vessel of the part behind it."""
    inside = {node for node in by_child if node == top or _below(node, top, by_child)}
    bridge = by_child[top][0]
    behind = [name for name, vessel in network.vessels.items() if {vessel.start, vessel.end} <= inside]
    return [bridge, *behind]
