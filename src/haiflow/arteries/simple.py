"""Simple networks with known answers: one vessel, a fork, a regular binary tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from haiflow.arteries.tree import CLOSED, Inlet, Outlet, Tree
from haiflow.arteries.tube_law import stiffness_from_wave_speed
from haiflow.ports import Floats

DENSITY = 1060.0


def network(
    links: Sequence[tuple[int, int]], length: Floats, radius: Floats, wave_speed: Floats, inlet: Inlet,
    outlets: dict[str, Outlet], *, radius_end: Floats | None = None, wave_speed_end: Floats | None = None, **more: Any,
) -> Tree:
    """Vessels ``v0, v1, ...`` along ``links`` of nodes ``n0, n1, ...``; sizes in m, wave speed (m/s) at pressure zero.

    ``more`` goes to :class:`Tree` as it is.
    """
    start, end = (np.array(side, dtype=np.int32) for side in zip(*links, strict=True))
    first, last = np.broadcast_arrays(radius, radius if radius_end is None else radius_end)
    slow, fast = np.broadcast_arrays(wave_speed, wave_speed if wave_speed_end is None else wave_speed_end)
    count, nodes = len(links), int(max(start.max(), end.max())) + 1
    full = np.ones(count)
    return Tree(
        tuple(f"v{i}" for i in range(count)), tuple(f"n{i}" for i in range(nodes)), start, end, full * length,
        full * first, full * last, full * stiffness_from_wave_speed(slow, np.pi * first**2, DENSITY),
        full * stiffness_from_wave_speed(fast, np.pi * last**2, DENSITY), np.zeros((nodes, 3)), inlet, outlets, **more,
    )


def pulsating(mean: float, heart_rate: float = 70.0 / 60.0, node: str = "n0", samples: int = 100) -> Inlet:
    """A forward-only inflow of ``mean`` (m3/s) with a systolic peak of 1.7 times the mean, at ``heart_rate`` (1/s)."""
    angle = 2.0 * np.pi * np.arange(samples) / samples
    shape = 1.0 + 0.42 * np.sin(angle) + 0.15 * np.sin(2.0 * angle)
    shape -= 0.2 * np.cos(2.0 * angle) + 0.1 * np.cos(3.0 * angle)
    return Inlet(node, "flow_rate", 1.0 / heart_rate, mean * shape)


def still(period: float = 1.0, node: str = "n0") -> Inlet:
    """An inlet through which nothing flows."""
    return Inlet(node, "flow_rate", period, np.zeros(1))


def single_vessel(
    length: float = 0.5, radius: float = 3e-3, wave_speed: float = 6.0, inlet: Inlet | None = None,
    outlet: Outlet = CLOSED, **more: Any,
) -> Tree:
    """One vessel ``v0`` from ``n0`` to ``n1``."""
    return network([(0, 1)], np.array([length]), np.array([radius]), np.array([wave_speed]), inlet or still(),
                   {"n1": outlet}, **more)


def fork(
    length: Sequence[float], radius: Sequence[float], wave_speed: Sequence[float], inlet: Inlet | None = None,
    outlet: Outlet = CLOSED, **more: Any,
) -> Tree:
    """A parent ``v0`` (``n0`` to ``n1``) and as many daughters as further sizes, each with the same outlet."""
    daughters = range(2, len(length) + 1)
    return network([(0, 1), *((1, node) for node in daughters)], np.array(length), np.array(radius),
                   np.array(wave_speed), inlet or still(), {f"n{node}": outlet for node in daughters}, **more)


def binary_tree(
    n_vessels: int, length: Floats | float, inlet: Inlet, outlet: Outlet, *, radius: float = 2.5e-3, ratio: float = 0.8,
    wave_speed: Floats | float = 8.0, **more: Any,
) -> Tree:
    """Vessel ``v`` starts where ``(v - 1) // 2`` ends; radius falls by ``ratio`` a generation; outlets at the ends."""
    links = [(0 if v == 0 else (v - 1) // 2 + 1, v + 1) for v in range(n_vessels)]
    leaves = {end for _, end in links} - {start for start, _ in links}
    size = radius * ratio ** np.floor(np.log2(np.arange(n_vessels) + 1))
    return network(links, np.broadcast_to(length, n_vessels), size, np.full(n_vessels, wave_speed, dtype=float), inlet,
                   {f"n{leaf}": outlet for leaf in sorted(leaves)}, **more)


def murray_tree(
    n_vessels: int, inlet: Inlet, *, total_length: float, radius: float = 12e-3, pressure: float = 12.7e3,
    time_constant: float = 1.3, seed: int = 1, **more: Any,
) -> Tree:
    """A binary tree that keeps Murray's law (radius falls by 2^(-1/3) a generation), its vessels of uneven length.

    Lengths (m) add up to ``total_length``; waves speed up towards the arterioles, 5 to 14 m/s. The beds share the
    ``pressure`` (Pa) of the inlet's mean flow evenly and have one ``time_constant`` (s).
    """
    generation = np.floor(np.log2(np.arange(n_vessels) + 1))
    length = np.random.default_rng(seed).uniform(0.5, 1.5, n_vessels) / (1.0 + 0.15 * generation)
    bed = pressure / inlet.mean * ((n_vessels + 1) // 2)
    return binary_tree(
        n_vessels, total_length * length / length.sum(), inlet, Outlet(0.1 * bed, 0.9 * bed, time_constant / bed),
        radius=radius, ratio=2.0 ** (-1.0 / 3.0), wave_speed=np.minimum(5.0 * 2.0 ** (0.2 * generation), 14.0), **more,
    )  # fmt: skip
