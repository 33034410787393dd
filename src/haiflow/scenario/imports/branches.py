"""Centre lines as branches: which vessel leads from where to where, from tracts, from lines that part, or from ends."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from haiflow.errors import InputError

TOGETHER = 0.2  # of the radius: lines nearer than this run in one vessel
SAME = 1e-3  # of the radius: ends nearer than this are one point
BESIDE = 3.0  # radii beyond a fork: daughters have parted there


@dataclass(frozen=True)
class Branch:
    """A vessel from node to node with all its points (n, 3) m and radii (n,) m."""

    name: str
    start: str
    end: str
    points: Any
    radius: Any

    @property
    def abscissa(self) -> Any:
        """(n,) m along the line."""
        return _along(self.points)


def _made(name: str, start: str, end: str, points: Any, radius: Any) -> Branch:
    """A branch without points that stand twice; raises :class:`InputError` for one without length."""
    apart = np.concatenate([[True], np.linalg.norm(np.diff(points, axis=0), axis=1) > 0.0])
    if apart.sum() < 2:
        raise InputError(name, "0 m", "the branch has no length", "cut it off the centre lines")
    return Branch(name, start, end, points[apart], radius[apart])


def by_groups(points: Any, radius: Any, lines: list[Any], tracts: dict[str, Any]) -> list[Branch] | None:
    """Branches of a split centre line: a vessel for each group that is not blanked, and the blanked way to it.

    A bifurcation's node lies where its parent ends; the blanked tract of each daughter is the daughter's own beginning.
    None where the tracts do not chain up to whole centre lines (merged ones do not).
    """
    chains = _chains(points, radius, lines, tracts)
    if chains is None:
        return None
    roots = {int(tracts["GroupIds"][chain[0]]) for chain in chains}
    if len(roots) > 1:
        raise InputError("GroupIds", f"{len(roots)} first groups", "blood enters at one place", "keep one source")
    found: dict[int, Branch] = {}
    for chain in chains:
        _follow(chain, points, radius, lines, tracts, found)
    return list(found.values())


def _chains(points: Any, radius: Any, lines: list[Any], tracts: dict[str, Any]) -> list[list[int]] | None:
    """The cells of each centre line, in order; None where they do not join end to start, or one has no points."""
    if not all(len(line) for line in lines):
        return None
    chains = []
    for number in np.unique(tracts["CenterlineIds"]):
        cells = np.flatnonzero(tracts["CenterlineIds"] == number)
        chain = [int(cell) for cell in cells[np.argsort(tracts["TractIds"][cells], kind="stable")]]
        for one, two in pairwise(chain):
            gap = np.linalg.norm(points[lines[one][-1]] - points[lines[two][0]])
            if gap > TOGETHER * radius[lines[one][-1]]:
                return None
        chains.append(chain)
    starts = np.array([points[lines[chain[0]][0]] for chain in chains])
    if np.linalg.norm(starts - starts[0], axis=1).max() > radius[lines[chains[0][0]][0]]:
        return None
    return chains


def _follow(
    chain: list[int], points: Any, radius: Any, lines: list[Any], tracts: dict[str, Any], found: dict[int, Branch]
) -> None:
    """Add the branches along one centre line that are not known yet; a blanked end belongs to the last of them."""
    node, way = "inlet", []
    open_tracts = [cell for cell in chain if not tracts["Blanking"][cell]]
    if not open_tracts:
        raise InputError("Blanking", "all", "every tract of a centre line is blanked", "split it anew")
    for place, cell in enumerate(chain):
        way.append(lines[cell])
        if tracts["Blanking"][cell]:
            continue
        group, last = int(tracts["GroupIds"][cell]), cell == open_tracts[-1]
        if last:
            way += [lines[rest] for rest in chain[place + 1 :]]
        if group not in found:
            order = np.concatenate(way)
            end = f"outlet_{group}" if last else f"after_{group}"
            found[group] = _made(f"branch_{group}", node, end, points[order], radius[order])
        if last:
            return
        node, way = found[group].end, []


def by_overlap(points: Any, radius: Any, lines: list[Any]) -> list[Branch] | None:
    """Branches of whole centre lines that leave one point together and part later; None where they do not."""
    ways = _from_one_point(points, radius, lines)
    if ways is None:
        return None
    shared = _shared(points, radius, ways)
    branches: list[Branch] = []
    waiting = [(list(range(len(ways))), 0.0, "inlet")]
    while waiting:
        group, begun, node = waiting.pop(0)
        way = ways[group[0]]
        along = _along(points[way])
        if len(group) == 1:
            line = _part(points[way], radius[way], along, begun, float(along[-1]))
            branches.append(_made(f"branch_{len(branches)}", node, f"outlet_{len(branches)}", *line))
            continue
        until = min(shared[a, b] for a in group for b in group if a != b)
        # Lines that part within a radius of the first to do so part at one fork.
        clusters = _clusters(group, shared, until + float(np.interp(until, along, radius[way])))
        if until > begun:
            end = f"after_{len(branches)}"
            line = _part(points[way], radius[way], along, begun, until)
            branches.append(_made(f"branch_{len(branches)}", node, end, *line))
            node = end
        elif node == "inlet":
            raise InputError("lines", f"{len(clusters)} lines", "they part at the inlet", "extend the inlet upstream")
        waiting += [(cluster, until, node) for cluster in clusters]
    return branches


def _part(points: Any, radius: Any, along: Any, start: float, end: float) -> tuple[Any, Any]:
    """Points and radii of a line from ``start`` to ``end`` (m along it), both included."""
    at = np.concatenate([[start], along[(along > start) & (along < end)], [end]])
    line = np.stack([np.interp(at, along, points[:, axis]) for axis in range(3)], axis=1)
    return line, np.interp(at, along, radius)


def _from_one_point(points: Any, radius: Any, lines: list[Any]) -> list[Any] | None:
    """The lines from their common end on, whichever way each was written; None where they have none."""
    for ways in (lines, [line[::-1] for line in lines]):
        if _leave(points, ways, TOGETHER * radius[ways[0][0]]):
            return ways
    for start in (lines[0][0], lines[0][-1]):
        ways = [min(line, line[::-1], key=lambda way: np.linalg.norm(points[way[0]] - points[start])) for line in lines]
        if _leave(points, ways, TOGETHER * radius[start]) and _run_together(points, ways, float(radius[start])):
            return ways
    return None


def _leave(points: Any, ways: list[Any], near: float) -> bool:
    """Whether all lines begin in one place."""
    first = np.array([points[way[0]] for way in ways])
    return bool(np.linalg.norm(first - first[0], axis=1).max() <= near)


def _run_together(points: Any, ways: list[Any], radius: float) -> bool:
    """Whether they are still near each other one radius on: single branches part where they meet."""
    on = []
    for way in ways:
        along = _along(points[way])
        on.append([np.interp(min(radius, float(along[-1])), along, points[way][:, axis]) for axis in range(3)])
    return bool(np.linalg.norm(np.array(on) - on[0], axis=1).max() <= TOGETHER * radius)


def _along(line: Any) -> Any:
    """(n,) m from the start of a line (n, 3) m."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])


def _shared(points: Any, radius: Any, ways: list[Any]) -> Any:
    """(n, n) m: how far along line a line b runs in the same vessel, at one of a's points, the lesser of both ways."""
    from scipy.spatial import cKDTree

    trees = [cKDTree(_dense(points[way], radius[way])) for way in ways]
    shared = np.full((len(ways), len(ways)), np.inf)
    for a, way in enumerate(ways):
        along = _along(points[way])
        for b in range(len(ways)):
            if a != b:
                distance, _ = trees[b].query(points[way])
                parted = np.flatnonzero(distance > TOGETHER * radius[way])
                shared[a, b] = along[max(parted[0] - 1, 0)] if parted.size else along[-1]
    return np.minimum(shared, shared.T)


def _dense(line: Any, radius: Any) -> Any:
    """Points on the line no farther apart than a part of its radius, so that spacing does not look like distance."""
    along = _along(line)
    count = max(int(np.ceil(along[-1] / (0.5 * TOGETHER * float(radius.min())))), 2)
    at = np.linspace(0.0, along[-1], min(count, 200_000))
    return np.stack([np.interp(at, along, line[:, axis]) for axis in range(3)], axis=1)


def _clusters(group: list[int], shared: Any, until: float) -> list[list[int]]:
    """Lines of a group that go on together beyond ``until``."""
    left, found = list(group), []
    while left:
        first = left[0]
        with_it = [other for other in left if other == first or shared[first, other] > until * (1.0 + 1e-9) + 1e-12]
        found.append(with_it)
        left = [other for other in left if other not in with_it]
    return found


def by_shared_ends(points: Any, radius: Any, lines: list[Any]) -> list[Branch]:
    """Branches that meet at their ends only; the inlet is the widest free end, and each branch leads away from it."""
    node_of = _nodes(points, radius, lines)
    _refuse_side_by_side(points, radius, lines, node_of)
    meeting = defaultdict(list)
    for index, pair in enumerate(node_of):
        for node in pair:
            meeting[node].append(index)
    free = [node for node, here in meeting.items() if len(here) == 1]
    if not free:
        raise InputError(
            "lines", f"{len(lines)} lines", "no free end: blood can neither enter nor leave", "cut the loop"
        )
    width = {node: radius[lines[i][0 if node_of[i][0] == node else -1]] for node in free for i in meeting[node]}
    root = max(free, key=lambda node: width[node])
    branches, seen, waiting, used = [], {root}, [root], set()
    while waiting:
        node = waiting.pop(0)
        for index in meeting[node]:
            if index in used:
                continue
            used.add(index)
            way = lines[index] if node_of[index][0] == node else lines[index][::-1]
            other = node_of[index][1] if node_of[index][0] == node else node_of[index][0]
            first, second = (_named(n, root, meeting) for n in (node, other))
            branches.append(_made(f"branch_{index}", first, second, points[way], radius[way]))
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    if len(used) < len(lines):
        rule = "the lines are not connected to each other"
        raise InputError("lines", f"{len(lines) - len(used)} of {len(lines)}", rule, "keep one network")
    return branches


def _refuse_side_by_side(points: Any, radius: Any, lines: list[Any], node_of: list[tuple[int, int]]) -> None:
    """Raise where two lines leave a node and are still in one vessel some radii on: their way would count twice."""
    leaving = defaultdict(list)
    for line, pair in zip(lines, node_of, strict=True):
        for node, way in zip(pair, (line, line[::-1]), strict=True):
            leaving[node].append(points[way])
            far = BESIDE * float(radius[way[0]])
            if len(leaving[node]) > 1 and any(_beside(other, points[way], far) for other in leaving[node][:-1]):
                place = ", ".join(f"{1e3 * x:.4g}" for x in points[way[0]])
                raise InputError(
                    f"lines at ({place}) mm", "2 lines", "they run in one vessel beyond the place where they meet",
                    "cut lines where they part, all in one place, or give them whole",
                )


def _beside(one: Any, two: Any, far: float) -> bool:
    """Whether two ways are together ``far`` (m) on."""
    at: list[Any] = []
    for way in (one, two):
        along = _along(way)
        if along[-1] < far:
            return False
        at.append(np.array([np.interp(far, along, way[:, axis]) for axis in range(3)]))
    return bool(np.linalg.norm(at[0] - at[1]) <= TOGETHER * far / BESIDE)


def _named(node: int, root: int, meeting: dict[int, list[int]]) -> str:
    return "inlet" if node == root else f"outlet_{node}" if len(meeting[node]) == 1 else f"node_{node}"


def _nodes(points: Any, radius: Any, lines: list[Any]) -> list[tuple[int, int]]:
    """Node numbers of the two ends of each line; ends at one place share one."""
    places: list[Any] = []
    found = []
    for line in lines:
        pair = []
        for end in (line[0], line[-1]):
            tolerance = SAME * radius[end]
            known = next(
                (n for n, place in enumerate(places) if np.linalg.norm(place - points[end]) <= tolerance), None
            )
            if known is None:
                places.append(points[end])
                known = len(places) - 1
            pair.append(known)
        found.append((pair[0], pair[1]))
    return found
