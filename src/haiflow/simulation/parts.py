"""All the parts of one run, as one frozen value: what the timeline alters and the simulation couples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from haiflow.arteries.subtree import SubTree
from haiflow.arteries.tree import Tree
from haiflow.body.model import Body, SystemicKinetics
from haiflow.catheter.line import Line, Tip
from haiflow.liver.field import PerfusedLiver
from haiflow.liver.kinetics import DrugKinetics
from haiflow.liver.model import Liver
from haiflow.ports import Floats, Fluid, Surroundings
from haiflow.pump.model import Pump


@dataclass(frozen=True)
class Substance:
    """Something dissolved (or suspended) in the infusate that is followed from the reservoir to its end.

    The first substance of every run is the carrier liquid itself, its "concentration" being the volume fraction of
    infusate (m3/m3); all others are drugs or agents in kg/m3.
    """

    name: str
    diffusivity: float  # m2/s, in the lumen
    liver: DrugKinetics
    body: SystemicKinetics


@dataclass(frozen=True)
class SidePortFlow:
    """A bolus running through the side port: flow rate (m3/s), concentration (n_substances,) and the liquid itself."""

    flow_rate: float
    concentration: Floats
    liquid: Fluid


@dataclass(frozen=True)
class Streamed:
    """Where the drug from a ``tip`` comes into the tree, and how: at the node where ``vessel`` begins, ``shares`` of it
    by vessel. It holds as long as the tip is where it was."""

    tip: Tip
    vessel: str
    shares: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Parts:
    """Pump, line, tree, liver and body of one run with their surroundings; a part left out is None.

    ``drains``: off-target vessel -> "portal" or "veins". ``split``: share of the drug by vessel at the tip's junction,
    empty for perfect mixing. ``perfused``: the liver in 3D, None where its territories are well mixed; ``grown``: the
    arteries grown into it, by terminal node.
    """

    substances: tuple[Substance, ...]
    surroundings: Surroundings
    infusate: Fluid
    artery_pressure: float  # gauge Pa at the tip where no arteries are modelled
    blood_viscosity: float = 3.8e-3  # Pa s
    planned_rate: float = 0.0  # m3/s, what the label or the programme promises
    pump: Pump | None = None
    line: Line | None = None
    tree: Tree | None = None
    liver: Liver | None = None
    body: Body | None = None
    side_port: SidePortFlow | None = None
    drains: dict[str, str] = field(default_factory=dict)
    split: dict[str, float] = field(default_factory=dict)
    streamed: Streamed | None = None  # the tip in 3D
    perfused: PerfusedLiver | None = None
    grown: dict[str, SubTree] = field(default_factory=dict)


NOWHERE, NOTHING = Surroundings(310.15, 101_325.0), Fluid(1000.0, 1e-3)


def without_line(parts: Parts) -> Parts:
    """``parts`` without all that the blood does not know of: equal for runs that differ in pump and line alone."""
    return replace(
        parts, pump=None, line=None, side_port=None, substances=(), artery_pressure=0.0, planned_rate=0.0,
        surroundings=NOWHERE, infusate=NOTHING,
    )  # fmt: skip


@dataclass(frozen=True)
class Refill:
    """What a refill puts into the emptied reservoir: volume (m3), concentration (n_substances,), and the liquid."""

    volume: float
    concentration: Floats
    infusate: Fluid


@dataclass(frozen=True)
class Change:
    """From ``time`` (s) on, ``function`` alters the parts; a later change of the same ``key`` takes its place."""

    time: float
    key: str
    label: str
    function: Callable[[Parts], Parts]
