"""Growing a tree of arteries into a territory: constrained constructive optimisation.

Ends are placed one by one; each joins that branch near it, at that point, which costs the least lumen volume
``sum(pi r^2 l)`` when radii keep Murray's law for the flows that result (Schreiner & Buxbaum 1993, IEEE Trans Biomed
Eng 40:482; Karch et al. 1999, Comput Biol Med 29:19). The ends fill the territory evenly: they are the means of equal
patches of it (Lloyd 1982, IEEE Trans Inf Theory 28:129).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haiflow.arteries.subtree import SubTree, with_demand
from haiflow.ports import Floats

NEAR = 16  # branches that a new end tries
LLOYD_ROUNDS = 6
SHORTEST = 1e-6  # m

# Where the branching point may lie, as shares of the branch's start, its end, and the new end.
_SHARES = np.array(
    [
        (a, b, 1.0 - a - b)
        for a in (0.05, 0.25, 0.45, 0.65, 0.85)
        for b in (0.05, 0.25, 0.45, 0.65, 0.85)
        if a + b < 0.99
    ]
)


def grow(
    root: Floats,
    points: Floats,
    weight: Floats,
    n_terminals: int,
    *,
    root_radius: float,
    exponent: float = 3.0,
    seed: int = 0,
) -> SubTree:
    """A tree from ``root`` (3,) m to ``n_terminals`` ends that fill the cloud ``points`` (m, 3) m evenly by ``weight``
    (m,), what the tissue at each point demands. The same ``seed`` gives the same tree.

    There are no more ends than points with a weight. Raises ValueError for a cloud without weight or with points that
    are not finite.
    """
    if not np.all(np.isfinite(points)) or not np.all(weight >= 0.0) or not np.any(weight > 0.0):
        raise ValueError("a territory needs finite points and weights that are not negative, one of them positive")
    cloud, weight = points[weight > 0.0], weight[weight > 0.0]
    ends, demand = _ends(np.asarray(root, float), cloud, weight, min(n_terminals, len(cloud)), seed)
    branches = _Branches(np.asarray(root, float), ends, demand, cloud, exponent)
    for end in range(1, len(ends)):
        branches.join(end)
    return with_demand(branches.tree(), demand, root_radius, exponent)


def _ends(root: Floats, cloud: Floats, weight: Floats, n: int, seed: int) -> tuple[Floats, Floats]:
    """Ends (n, 3) that fill the cloud evenly, coarse first, and the weight (n,) nearest to each."""
    from scipy.spatial import cKDTree

    random = np.random.default_rng(seed)
    chosen = random.choice(len(cloud), n, replace=False, p=weight / weight.sum()) if n < len(cloud) else np.arange(n)
    ends = cloud[chosen]
    for _ in range(LLOYD_ROUNDS):
        _, mine = cKDTree(ends).query(cloud)
        held = np.bincount(mine, weights=weight, minlength=n)
        means = np.stack([np.bincount(mine, weights=weight * axis, minlength=n) for axis in cloud.T], axis=1)
        ends = np.where(held[:, None] > 0.0, means / np.where(held > 0.0, held, 1.0)[:, None], ends)
    _, inside = cKDTree(cloud).query(ends)  # a mean may lie outside of a bent territory
    ends = cloud[np.unique(inside)]
    ends = ends[np.linalg.norm(ends - root, axis=1) > SHORTEST] if len(ends) > 1 else ends
    if len(ends) == 0 or np.linalg.norm(ends[0] - root) <= SHORTEST:
        ends = np.concatenate([ends[1:], root[None] + 10.0 * SHORTEST])  # the root lies on its only end
    ends = ends[_coarse_first(ends, root)]
    _, mine = cKDTree(ends).query(cloud)
    return ends, np.asarray(np.bincount(mine, weight, len(ends)), dtype=float)


def _coarse_first(ends: Floats, root: Floats) -> NDArray[np.intp]:
    """An order in which each end is the farthest from all before it, so that the tree spans the territory early."""
    distance = np.linalg.norm(ends - root, axis=1)
    order = np.empty(len(ends), dtype=np.intp)
    for k in range(len(ends)):
        order[k] = np.argmax(distance)
        distance = np.minimum(distance, np.linalg.norm(ends - ends[order[k]], axis=1))
        distance[order[k]] = -1.0
    return order


class _Branches:
    """A tree under way. Branch i runs from point ``start[i]`` to ``end[i]``, below branch ``parent[i]``."""

    def __init__(self, root: Floats, ends: Floats, demand: Floats, cloud: Floats, exponent: float) -> None:
        from scipy.spatial import cKDTree

        n = len(ends)
        self.ends, self.demand, self.power = ends, demand / demand.sum(), 2.0 / exponent
        self.points = np.concatenate([root[None], ends, np.zeros((n, 3))])
        self.start, self.end = np.zeros(2 * n, dtype=np.int32), np.zeros(2 * n, dtype=np.int32)
        self.parent, self.flow = np.full(2 * n, -1, dtype=np.int32), np.zeros(2 * n)
        self.n, self.n_points = 1, n + 1
        self.end[0], self.flow[0] = 1, self.demand[0]
        self.terminal = np.zeros(n, dtype=np.int32)  # the branch of each end
        self.cloud, self.span = cKDTree(cloud), float(np.linalg.norm(np.ptp(cloud, axis=0)))
        self.spacing = self.span / max(len(cloud), 1) ** (1.0 / 3.0)

    def join(self, end: int) -> None:
        """Place one more end."""
        target, q = self.ends[end], self.demand[end]
        a, b = self.points[self.start[: self.n]], self.points[self.end[: self.n]]
        near = np.argsort(_distance(target, a, b), kind="stable")[:NEAR]
        place = (
            _SHARES[:, 0, None, None] * a[near]
            + _SHARES[:, 1, None, None] * b[near]
            + _SHARES[:, 2, None, None] * target
        )
        own, more = self.flow[near] ** self.power, (self.flow[near] + q) ** self.power
        cost = (
            more * np.linalg.norm(place - a[near], axis=2)
            + own * np.linalg.norm(place - b[near], axis=2)
            + q**self.power * np.linalg.norm(place - target, axis=2)
            - own * np.linalg.norm(b[near] - a[near], axis=1)
            + np.array([self._upstream(branch, q) for branch in near])
        )
        cost = (
            cost + self._outside(place) * more
        )  # a branch through foreign tissue is as long as it is far from its own
        at, which = np.unravel_index(np.argmin(cost), cost.shape)
        self._split(int(near[which]), place[at, which], end, q)

    def _upstream(self, branch: int, q: float) -> float:
        """What a flow ``q`` more costs in the branches above."""
        cost, above = 0.0, self.parent[branch]
        while above >= 0:
            length = np.linalg.norm(self.points[self.end[above]] - self.points[self.start[above]])
            cost += length * ((self.flow[above] + q) ** self.power - self.flow[above] ** self.power)
            above = self.parent[above]
        return float(cost)

    def _outside(self, place: Floats) -> Floats:
        distance, _ = self.cloud.query(place)
        return np.maximum(np.asarray(distance) - self.spacing, 0.0)

    def _split(self, branch: int, place: Floats, end: int, q: float) -> None:
        """``branch`` ends at ``place``; from there one new branch goes on as it did, another to the new end."""
        middle, onward, side = self.n_points, self.n, self.n + 1
        self.points[middle] = place
        below = self.parent[: self.n] == branch
        self.parent[: self.n][below] = onward
        self.start[onward], self.end[onward], self.parent[onward] = middle, self.end[branch], branch
        self.start[side], self.end[side], self.parent[side] = middle, 1 + end, branch
        self.flow[onward], self.flow[side] = self.flow[branch], q
        self.terminal[:end][self.terminal[:end] == branch] = onward
        self.terminal[end], self.end[branch] = side, middle
        self.n, self.n_points = self.n + 2, self.n_points + 1
        while branch >= 0:
            self.flow[branch] += q
            branch = int(self.parent[branch])

    def tree(self) -> SubTree:
        n = self.n
        nothing = np.zeros(n)
        return SubTree(
            self.points[: self.n_points], self.parent[:n], self.start[:n], self.end[:n], nothing, nothing, self.terminal
        )


def _distance(point: Floats, a: Floats, b: Floats) -> Floats:
    """Distance of ``point`` (3,) from each of the straight lines a to b (n, 3)."""
    along = b - a
    t = np.clip(((point - a) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-300), 0.0, 1.0)
    return np.asarray(np.linalg.norm(a + t[:, None] * along - point, axis=1))
