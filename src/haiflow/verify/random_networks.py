"""Random networks of arteries: anastomoses, tapers, every kind of outlet, occlusions, viscous walls.

A seed gives the same network each time. Whatever is conserved or bounded must be so on all of them.
"""

from __future__ import annotations

import numpy as np

from haiflow.arteries.simple import network
from haiflow.arteries.tree import CLOSED, Inlet, Outlet, Tree
from haiflow.faults.occlusion import occlude_vessel
from haiflow.ports import Floats

WALLS = (0.2, 0.7, 1.35, 3.0)  # Pa s m: an artery of 10 mm has some 0.6, of 0.5 mm some 2
OUTLETS = (Outlet(2e8, 2e9, 1e-10), Outlet(3e9), CLOSED, Outlet(reflection=0.3, venous_pressure=8000.0))


def random_network(
    seed: int, n_vessels: int, loops: int, occluded: bool, kind: str, swing: float = 0.3, phase: float = 0.0
) -> Tree:
    """A random tree with anastomoses between its nodes, random sizes, directions, outlets and occlusions.

    The inflow (m3/s) or pressure (Pa) of ``kind`` swings by ``swing`` of its mean; beyond 1 it turns round.
    """
    rng = np.random.default_rng(seed)
    links = [(0, 1)] + [(int(rng.integers(1, end)), end) for end in range(2, n_vessels + 1)]
    degree = np.bincount(np.array(links).ravel())
    outlets = {f"n{i}": OUTLETS[rng.integers(4)] for i in range(1, n_vessels + 1) if degree[i] == 1}
    outlets[next(iter(outlets))] = OUTLETS[0]
    inner = [i for i in range(1, n_vessels + 1) if degree[i] > 1]
    for _ in range(loops if len(inner) > 1 else 0):
        a, b = rng.choice(inner, 2, replace=False)
        links.append((int(a), int(b)))
    links = [links[0]] + [link if rng.random() < 0.5 else link[::-1] for link in links[1:]]
    count = len(links)
    severity = np.where(rng.random(count) < 0.25, rng.choice([0.6, 1.0], count), 0.0) if occluded else np.zeros(count)
    severity[0] = min(severity[0], 0.6)
    radius = rng.uniform(0.8e-3, 3e-3, count)
    mean = 5e-6 if kind == "flow_rate" else 12_000.0
    wave = mean * (1.0 + swing * np.sin(2.0 * np.pi * (np.arange(16) / 16 + phase)))
    return network(links, rng.uniform(0.01, 0.05, count), radius, rng.uniform(5.0, 10.0, count),
                   Inlet("n0", kind, 0.8, wave), outlets, radius_end=radius * rng.uniform(0.7, 1.2, count),
                   severity=severity, wall_viscosity=walls(seed, count))  # fmt: skip


def walls(seed: int, count: int) -> Floats | None:
    """(count,) Pa s m: every other network has viscous walls, of four strengths; in one of four not in all vessels."""
    if seed % 2 == 0:
        return None
    wall = np.full(count, WALLS[seed // 2 % 4])
    wall[1::2] *= seed // 8 % 4 > 0
    return wall


def leaves_open(tree: Tree) -> bool:
    """Whether the inlet's blood has a way out."""
    severity = np.zeros(len(tree.vessels)) if tree.severity is None else tree.severity
    reached, frontier = set(), [tree.node(tree.inlet.node)]
    while frontier:
        node = frontier.pop()
        reached.add(node)
        for start, end, occluded in zip(tree.start, tree.end, severity, strict=True):
            if occluded < 1.0 and node in (start, end):
                frontier += [int(other) for other in (start, end) if other not in reached]
    return any(tree.nodes[i] in tree.outlets and tree.outlets[tree.nodes[i]].reflection != 1.0 for i in reached)


def any_network(seed: int, swings: tuple[float, float] = (0.3, 0.3)) -> Tree:
    """The network of a seed, of 2 to 9 vessels and up to 3 loops, that has a way out; swings of flow rate, pressure."""
    rng = np.random.default_rng([seed, 1])
    while True:
        kind = int(rng.integers(2))
        tree = random_network(int(rng.integers(10_000)), int(rng.integers(2, 10)), int(rng.integers(4)),
                              bool(rng.integers(2)), ("flow_rate", "pressure")[kind], swings[kind],
                              float(rng.random()))  # fmt: skip
        if leaves_open(tree):
            return tree


def stricken(tree: Tree, seed: int) -> Tree:
    """The tree with one vessel narrowed or shut, as a fault does it, so that blood still has a way out."""
    rng = np.random.default_rng([seed, 2])
    while True:
        severity = float(rng.choice([0.5, 0.9, 0.99, 1.0]))
        struck = occlude_vessel(tree, tree.vessels[rng.integers(len(tree.vessels))], severity)
        assert struck.severity is not None
        if leaves_open(struck) and struck.severity[0] < 1.0:
            return struck
