"""``network:`` nodes, vessels, one inlet and outlets; the same form serves the anatomies of the library and ``file:``.

nodes:   {root: {position: 0 0 0 mm}, hilum: {position: 20 0 40 mm}, ...}
vessels: {common_hepatic: {from: root, to: hilum, length: 35 mm, diameter: [5 mm, 4.5 mm], wave_speed: 8 m/s}}
outlets: {right: {share: 0.6, feeds: {V: 0.3, VI: 0.2, VII: 0.3, VIII: 0.2}}, gut: {off_target: duodenum}}
inlet:   {vessel: common_hepatic}
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from haiflow.scenario.schema import fields as f
from haiflow.units import parse


class Waveform(f.Part):
    """A periodic shape: ``values`` (scaled to the mean) at ``times`` (shares of the cycle, from 0 to below 1)."""

    name: f.Name | None = None
    times: Annotated[tuple[f.ProperShare, ...], Field(min_length=1, max_length=10_000)]
    values: Annotated[tuple[f.AnyNumber, ...], Field(min_length=1, max_length=10_000)]


class Inflow(f.Part):
    """Blood enters at the start of ``vessel`` (or at ``node``): mean flow rate, shape over the cycle, heart rate."""

    vessel: f.Name | None = None
    node: f.Name | None = None
    mean: f.BloodFlow | None = None
    """left out: the network's own"""
    pressure: f.Pressure | None = None
    """mean of the total pressure held at the inlet, instead of a mean flow; the waveform is then the pressure's"""
    waveform: Waveform | None = None
    """a name of the library, or times and values; left out: hepatic-artery"""
    heart_rate: f.Frequency | None = None
    """left out: 70 /min"""


class Node(f.Part):
    """A point where vessels start, end or meet."""

    position: f.Point | None = None


class Loss(f.Part):
    """A lumped pressure loss besides friction, ``linear Q + quadratic Q |Q|``: a stent, a valve, a branch without
    geometry. The vessel's inlet and outlet pressures are those outside of it."""

    linear: f.ResistanceOrNone = 0.0
    quadratic: f.QuadraticResistanceOrNone = 0.0
    at: Literal["both", "start", "end"] = "both"
    """the vessel's end where it sits; both: a half at each"""


class Vessel(f.Part):
    """A linearly tapered vessel. With a wave speed, it and the diameter are those in the living, at mean pressure; with
    modulus and thickness of the wall the diameter is that at zero pressure; or both are those at
    ``reference_pressure``."""

    start: f.Name = Field(alias="from")
    end: f.Name = Field(alias="to")
    length: f.Length | None = None
    """left out: along the path, or from node to node"""
    diameter: f.Taper
    """lumen in vivo, at mean arterial pressure: one value, or [start, end]"""
    wave_speed: f.Velocity | None = None
    young_modulus: f.Modulus | None = None
    wall_thickness: f.Taper | None = None
    """one value, or [start, end]"""
    reference_pressure: f.GaugePressure | None = None
    """gauge pressure at which the vessel has its diameter (and wave speed)"""
    wall_viscosity: f.WallViscosity | None = None
    """of a Kelvin-Voigt wall; left out: elastic"""
    loss: Loss | None = None
    path: tuple[f.Point, ...] = ()
    """centre line for pictures, both ends included"""


class Outlet(f.Part):
    """The bed behind a terminal node. Resistances follow from ``flow`` or ``share`` where they are not given."""

    kind: Literal["windkessel", "resistance", "reflection", "pressure"] = "windkessel"
    """pressure: the vessel ends at the venous pressure itself"""
    proximal: f.ResistanceOrNone | None = None
    """left out: matched to the vessel's characteristic impedance"""
    distal: f.ResistanceOrNone | None = None
    compliance: f.ComplianceOrNone | None = None
    coefficient: f.SignedShare | None = None
    """of reflection; 1 is a closed end"""
    venous_pressure: f.GaugePressure = parse("5 mmHg", "pressure")
    flow: f.BloodFlow | None = None
    share: f.Share | None = None
    """of the inlet's mean flow"""
    feeds: dict[f.Name, f.Share] = Field(default_factory=dict)
    """Couinaud segments (or tumours) with their shares of this outlet's flow, which sum to one"""
    off_target: f.Name | None = None
    """the bed fed instead of the liver, e.g. duodenum"""
    drains: Literal["portal", "systemic"] = "portal"
    """where an off-target bed drains to"""


class Network(f.Part):
    """Nodes, vessels, inlet, outlets, and where the numbers come from."""

    name: f.Name | None = None
    title: f.Text | None = None
    source: f.Text | None = None
    mark: f.Text | None = None
    notes: f.Text | None = None
    nodes: dict[f.Name, Node] = Field(default_factory=dict)
    vessels: Annotated[dict[f.Name, Vessel], Field(min_length=1)]
    inlet: Inflow
    outlets: Annotated[dict[f.Name, Outlet], Field(min_length=1)]
