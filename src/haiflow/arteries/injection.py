"""Where a catheter's holes lie in the arteries, and how what they inject at a node is shared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from haiflow.arteries.tree import Tree

Split = Mapping[str, Mapping[str, float]]  # node -> {vessel: fraction of what is injected at that node}


@dataclass(frozen=True, slots=True)
class Injection:
    """A catheter's hole in ``vessel`` at ``position`` (m from its start), or at its "ostium" (start node)."""

    name: str
    vessel: str
    position: float | str = "ostium"


def check_split(named: Mapping[str, float]) -> None:
    """Raise ValueError unless the fractions are not negative and sum to one at most."""
    if any(f < 0.0 for f in named.values()) or sum(named.values()) > 1.0 + 1e-9:
        raise ValueError(f"the fractions of a split are not negative and sum to one at most: {dict(named)}")


def vessel_of(tree: Tree, injection: Injection) -> int:
    """Index of an injection's vessel; ValueError if there is none."""
    if injection.vessel not in tree.vessels:
        raise ValueError(f"injection '{injection.name}': no vessel '{injection.vessel}'")
    return tree.vessel(injection.vessel)


def distance_along(tree: Tree, injection: Injection, vessel: int) -> float:
    """Position of an injection in m, checked against its vessel's length."""
    position = injection.position
    if isinstance(position, str) or not 0.0 <= position <= tree.length[vessel]:
        raise ValueError(f"injection '{injection.name}': position {position!r} is not on '{injection.vessel}'")
    return float(position)
