"""The arterial network as a frozen value: nodes, vessels, one inlet, outlets.

Vessels run from a start node to an end node; any number of vessels meet at a node, so a network may have loops
(anastomoses). A fault is a function ``Tree -> Tree`` (see :mod:`haiflow.faults`); nothing changes a tree in place.
All numbers SI.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from haiflow.ports import Floats, Fluid

BLOOD = Fluid(density=1060.0, viscosity=3.8e-3)


@dataclass(frozen=True)
class Inlet:
    """Blood enters at ``node``: a periodic ``flow_rate`` (m3/s) or ``pressure`` (gauge Pa) over one ``period`` (s).

    ``values``: (n,) samples at equal steps over [0, period), interpolated periodically.
    """

    node: str
    kind: str  # "flow_rate" | "pressure"
    period: float
    values: Floats

    @property
    def mean(self) -> float:
        return float(np.mean(self.values))


@dataclass(frozen=True)
class Outlet:
    """Three-element Windkessel at a terminal: ``proximal`` and ``distal`` resistance (Pa s/m3), ``compliance`` (m3/Pa).

    ``distal = 0`` makes a pure resistance; ``reflection`` in [-1, 1], where given, replaces all three by a reflection
    coefficient (1 is a closed end: no flow). ``venous_pressure`` (gauge Pa) lies behind the resistances.
    """

    proximal: float = 0.0
    distal: float = 0.0
    compliance: float = 0.0
    venous_pressure: float = 0.0
    reflection: float | None = None

    @property
    def resistance(self) -> float:
        """Resistance to steady flow (Pa s/m3); infinite for a closed end."""
        return np.inf if self.reflection == 1.0 else self.proximal + self.distal


CLOSED = Outlet(reflection=1.0)


def _found(index: dict[str, int], name: str) -> int:
    if name not in index:
        raise ValueError(f"{name!r} is not in the tree")
    return index[name]


@dataclass(frozen=True)
class Tree:
    """A network of elastic arteries.

    Arrays have one entry per vessel unless said otherwise. The tube law is
    ``p = beta / A0 * (sqrt(A) - sqrt(A0))`` with ``A0(x)`` from the linear radius, ``beta`` (Pa m) linear from start
    to end, and external pressure zero; a Kelvin-Voigt wall adds ``wall_viscosity / (A0 sqrt(A)) dA/dt`` (Pa s m).
    """

    vessels: tuple[str, ...]
    nodes: tuple[str, ...]
    start: NDArray[np.int32]  # node index
    end: NDArray[np.int32]
    length: Floats  # m
    radius_start: Floats  # m, at the reference pressure zero
    radius_end: Floats
    beta_start: Floats  # Pa m
    beta_end: Floats
    position: Floats  # (n_nodes, 3) m
    inlet: Inlet
    outlets: dict[str, Outlet]  # by terminal node name
    blood: Fluid = BLOOD
    wall_viscosity: Floats | None = None
    velocity_profile: float = 9.0  # exponent zeta: friction 2 (zeta + 2) pi mu u, alpha = (zeta + 2) / (zeta + 1)
    severity: Floats | None = None  # occluded fraction of the lumen area, [0, 1]; 1 is total
    stenosis_length: Floats | None = None  # m; where not given two diameters
    loss_linear: Floats | None = None  # Pa s/m3, lumped loss besides friction, at the ends: see stenosis.py
    loss_quadratic: Floats | None = None  # Pa s2/m6
    loss_at_start: Floats | None = None  # share of it at the vessel's start; where not given a half
    feeds: dict[str, dict[str, float]] = field(default_factory=dict)  # terminal node -> {segment: share}; sums to 1
    off_target: tuple[str, ...] = ()  # terminal vessels that feed something else than the liver
    paths: dict[str, Floats] = field(default_factory=dict)  # vessel -> (k, 3) m, centre line, both ends included
    gravity: Floats | None = None  # (3,) m/s2, in the axes of the positions; None where the blood has no weight

    def vessel(self, name: str) -> int:
        """Its index; raises ValueError for a name that no vessel has."""
        return _found(self.vessel_index, name)

    def node(self, name: str) -> int:
        """Its index; raises ValueError for a name that no node has."""
        return _found(self.node_index, name)

    @cached_property
    def vessel_index(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.vessels)}

    @cached_property
    def node_index(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.nodes)}

    @property
    def terminals(self) -> tuple[str, ...]:
        """Names of the terminal nodes (with an outlet), in node order."""
        return tuple(name for name in self.nodes if name in self.outlets)

    def terminal_vessel(self, node: str) -> str:
        """The vessel that ends in the terminal ``node``."""
        return self.vessels[self._vessel_at[self.node(node)]]

    @cached_property
    def _vessel_at(self) -> NDArray[np.int64]:
        """(n_nodes,) the first vessel that touches each node."""
        first = np.full(len(self.nodes), len(self.vessels))
        for side in (self.start, self.end):
            np.minimum.at(first, side, np.arange(len(side)))
        return first

    def digest(self) -> str:
        """A content hash of all that decides the blood flow."""
        digest = hashlib.sha256()
        unused = ("feeds", "off_target", *(("paths", "position") if self.gravity is None else ()))
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name in unused or (item.name == "gravity" and value is None):
                continue
            if item.name == "paths":
                value = [(name, path.tolist()) for name, path in value.items()]
            if isinstance(value, np.ndarray):
                digest.update(np.ascontiguousarray(value).tobytes())
            elif isinstance(value, Inlet):
                digest.update(f"{value.node}{value.kind}{value.period!r}".encode() + value.values.tobytes())
            else:
                digest.update(repr(value).encode())
        return digest.hexdigest()
