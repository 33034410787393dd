"""The neutral network between a reader and the scenario: SI numbers, and which of haiflow's keys each becomes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from haiflow.errors import InputError
from haiflow.scenario.imports.findings import Findings
from haiflow.scenario.imports.waveforms import Cycle
from haiflow.units import format_quantity

Point = tuple[float, float, float]
LONGEST_NAME = 80
DECIMALS = 12  # of a share of the cycle
FINEST, COARSEST = 1e-3, 4e-3  # m, of cells
PARABOLA = 2.0  # exponent of Poiseuille's velocity profile
PERIODIC = 1e-4  # a peer's network is compared with the peer: closer to the limit than haiflow's usual 1e-3


@dataclass
class DraftVessel:
    """A vessel from ``start`` to ``end``; its wall is a ``wave_speed``, or a ``modulus`` with ``thickness``."""

    name: str
    start: str
    end: str
    length: float  # m
    diameter: tuple[float, float]  # m
    wave_speed: float | None = None  # m/s
    modulus: float | None = None  # Pa
    thickness: tuple[float, float] | None = None  # m
    reference_pressure: float | None = None  # gauge Pa
    wall_viscosity: float | None = None  # Pa s
    linear_loss: float = 0.0  # Pa s/m3
    quadratic_loss: float = 0.0  # Pa s2/m6
    loss_at: str = "both"  # or "start", "end"
    path: tuple[Point, ...] = ()  # m
    lumped: bool = False  # stands for an element without a geometry


@dataclass
class DraftOutlet:
    """What lies behind a terminal node; ``kind`` and the keys are haiflow's own."""

    kind: str
    proximal: float | None = None  # Pa s/m3
    distal: float | None = None
    compliance: float | None = None  # m3/Pa
    coefficient: float | None = None
    venous_pressure: float = 0.0  # gauge Pa
    flow: float | None = None  # m3/s
    share: float | None = None


@dataclass
class Draft:
    """A whole network; ``driven`` is "flow" (``cycle`` in m3/s) or "pressure" (Pa)."""

    name: str
    source: str
    inlet: str
    cycle: Cycle
    driven: str = "flow"
    vessels: list[DraftVessel] = field(default_factory=list)
    outlets: dict[str, DraftOutlet] = field(default_factory=dict)
    positions: dict[str, Point] = field(default_factory=dict)
    density: float = 1060.0
    viscosity: float = 3.8e-3
    velocity_profile: float = 2.0
    cell_length: float | None = None


def as_document(draft: Draft) -> dict[str, Any]:
    """The scenario as keys and texts."""
    arteries: dict[str, Any] = {
        "network": {
            "name": "imported",
            "source": draft.source,
            "nodes": _nodes(draft),
            "vessels": {vessel.name: _vessel(vessel) for vessel in draft.vessels},
            "inlet": {"node": draft.inlet},
            "outlets": {node: _outlet(outlet) for node, outlet in draft.outlets.items()},
        },
        "inflow": _inflow(draft),
        "blood": {
            "density": format_quantity(draft.density, "density"),
            "viscosity": format_quantity(draft.viscosity, "viscosity"),
        },
        "ligated": [],
    }
    numerics: dict[str, Any] = {"velocity_profile": draft.velocity_profile, "periodic_tolerance": PERIODIC}
    numerics |= _quantities(("cell_length", draft.cell_length, "length"))
    run = {"clock": "pulse", "duration": format_quantity(draft.cycle.period, "time"), "numerics": numerics}
    return {"haiflow": 1, "name": draft.name[:200], "arteries": arteries, "run": run}


def _nodes(draft: Draft) -> dict[str, Any]:
    names = dict.fromkeys(node for vessel in draft.vessels for node in (vessel.start, vessel.end))
    return {
        name: {"position": [format_quantity(value, "length") for value in draft.positions[name]]}
        if name in draft.positions
        else {}
        for name in names
    }


def _pair(both: tuple[float, float]) -> str | list[str]:
    texts = [format_quantity(value, "length") for value in both]
    return texts[0] if texts[0] == texts[1] else texts


def _quantities(*given: tuple[str, float | None, str]) -> dict[str, str]:
    """Key -> text, of (key, SI value, dimension); what is None is left out."""
    return {key: format_quantity(value, dimension) for key, value, dimension in given if value is not None}


def _vessel(vessel: DraftVessel) -> dict[str, Any]:
    found: dict[str, Any] = {
        "from": vessel.start,
        "to": vessel.end,
        "length": format_quantity(vessel.length, "length"),
        "diameter": _pair(vessel.diameter),
    }
    found |= _quantities(
        ("wave_speed", vessel.wave_speed, "velocity"),
        ("young_modulus", vessel.modulus, "pressure"),
        ("reference_pressure", vessel.reference_pressure, "pressure"),
        ("wall_viscosity", vessel.wall_viscosity, "viscosity"),
    )
    if vessel.thickness is not None:
        found["wall_thickness"] = _pair(vessel.thickness)
    loss = _quantities(
        ("linear", vessel.linear_loss or None, "hydraulic_resistance"),
        ("quadratic", vessel.quadratic_loss or None, "quadratic_resistance"),
    )
    if loss and vessel.loss_at != "both":
        loss["at"] = vessel.loss_at
    found |= {"loss": loss} if loss else {}
    if vessel.path:
        found["path"] = [" ".join(f"{1e3 * value:.6g}" for value in point) + " mm" for point in vessel.path]
    return found


def _outlet(outlet: DraftOutlet) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": outlet.kind}
    found |= _quantities(
        ("proximal", outlet.proximal, "hydraulic_resistance"),
        ("distal", outlet.distal, "hydraulic_resistance"),
        ("compliance", outlet.compliance, "compliance"),
        ("flow", outlet.flow, "flow_rate"),
        ("venous_pressure", outlet.venous_pressure, "pressure"),
    )
    if outlet.coefficient is not None:
        found["coefficient"] = outlet.coefficient
    if outlet.share is not None:
        found["share"] = outlet.share
    return found


def _inflow(draft: Draft) -> dict[str, Any]:
    cycle, flow = draft.cycle, draft.driven == "flow"
    key, dimension = ("mean", "flow_rate") if flow else ("pressure", "pressure")
    if not cycle.values:  # the deck has none: haiflow's own waveform and heart rate
        return {key: format_quantity(cycle.mean, dimension)}
    return {
        key: format_quantity(cycle.mean, dimension),
        "heart_rate": format_quantity(1.0 / cycle.period, "frequency"),
        "waveform": {
            "times": [round(time / cycle.period, DECIMALS) for time in cycle.times],
            "values": [float(f"{value:.12g}") for value in cycle.shape],
        },
    }


def safe_names(labels: Iterable[str], findings: Findings, key: str) -> dict[str, str]:
    """Label -> a name of letters, digits and a few signs, no two alike; a changed one is told."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    reached: dict[str, int] = {}  # numbers given out to what is plain alike: each goes on from the last
    for label in labels:
        plain = re.sub(r"[^A-Za-z0-9_ .+-]", "_", label.strip())[: LONGEST_NAME - 8]  # room for v and a number
        plain = plain if re.match(r"[A-Za-z0-9]", plain) else f"v{plain}"
        name = plain
        while name in taken:
            reached[plain] = reached.get(plain, 1) + 1
            name = f"{plain}-{reached[plain]}"
        if name != label:
            findings.add(key, label, f"a name in haiflow has letters, digits, spaces and . _ + -: it is '{name}'")
        names[label] = name
        taken.add(name)
    return names


def bounded_profile(exponent: float, key: str, findings: Findings) -> float:
    """A velocity profile no more pointed than a parabola; a sharper one is told."""
    if exponent >= PARABOLA:
        return exponent
    findings.add(key, exponent, "a parabola (2) instead: haiflow has none more pointed, and its friction is higher")
    return PARABOLA


def common_cell_length(wanted: Iterable[float]) -> float:
    """The length (m) of all cells: the least of what a deck's vessels ask for, within bounds."""
    return min(max(min(wanted), FINEST), COARSEST)


def positive_mean(cycle: Cycle, place: str, what: str) -> Cycle:
    """The cycle where its mean is positive; raises :class:`InputError` otherwise."""
    if cycle.mean > 0.0:
        return cycle
    rule = f"the mean of the {what} over the cycle must be positive"
    raise InputError(place, f"{cycle.mean:.6g}", rule, "turn its sign, or let blood in where it enters")


def no_directed_cycle(edges: Mapping[str, tuple[str, str]], place: str) -> None:
    """Raise :class:`InputError` where vessels lead from a node back to itself along their own direction."""
    leaving: dict[str, list[str]] = {}
    entering: dict[str, int] = {}
    for start, end in edges.values():
        leaving.setdefault(start, []).append(end)
        entering[end] = entering.get(end, 0) + 1
        entering.setdefault(start, entering.get(start, 0))
    ready = [node for node, count in entering.items() if count == 0]
    while ready:
        for end in leaving.get(ready.pop(), ()):
            entering[end] -= 1
            if entering[end] == 0:
                ready.append(end)
    left = [name for name, (start, end) in edges.items() if entering[start] > 0 and entering[end] > 0]
    if left:
        rule = "the vessels lead in a circle, back to where they start"
        raise InputError(place, ", ".join(left[:6]), rule, "turn the vessel that closes it, or delete it")
