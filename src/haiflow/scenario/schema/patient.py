"""``liver:`` and ``patient:``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from haiflow.scenario.schema import fields as f
from haiflow.scenario.schema.pump import ARTERIAL_PRESSURE
from haiflow.units import parse

SegmentName = Literal["I", "II", "III", "IV", "V", "VI", "VII", "VIII"]
# [assumed]; the order VIII > VII > IV > V > III > VI > II > I and the median of VIII are of HPB 2014, PMID 24033584.
FRACTIONS: dict[SegmentName, float] = {
    "I": 0.035, "II": 0.075, "III": 0.095, "IV": 0.14, "V": 0.13, "VI": 0.09, "VII": 0.175, "VIII": 0.26,
}  # fmt: skip


class Tumour(f.Part):
    """A spherical tumour: where (a centre, or a segment), how large, its arterial supply relative to normal liver."""

    name: f.Name | None = None
    centre: f.Point | None = None
    segment: SegmentName | None = None
    diameter: f.Length
    arterial_ratio: f.Number = 3.0
    """arterial perfusion relative to normal liver"""
    portal_ratio: f.Number = 0.05
    """assumed: metastases above some mm live on the artery"""
    metabolism_ratio: f.Number = 0.0
    """clearance per volume relative to normal liver; a tumour has no hepatocytes"""
    exchange_ratio: f.Number = 1.0
    """exchange between blood and tissue per volume relative to normal liver"""
    permeability_ratio: f.PositiveNumber = 1.0
    """to blood in the sinusoids, relative to normal liver; with resolve: 3d"""
    necrotic_fraction: f.ProperShare = 0.0
    """of the volume, its core: neither perfused nor taking up; with resolve: 3d"""


class Liver(f.Part):
    """The liver: ``model: standard``, or a ``mesh`` of tetrahedra with cell data couinaud_segment."""

    model: Literal["standard"] | None = None
    mesh: f.Text | None = None
    mesh_unit: Literal["m", "mm"] = "m"
    """of the mesh's points: the file does not say it"""
    labels: dict[str, SegmentName] = Field(default_factory=dict)
    """groups or numbers of the mesh's cells -> segment, where it has no cell data couinaud_segment"""
    volume: f.Volume | None = None
    """left out: 1.5 L, or the mesh's"""
    portal_flow: f.BloodFlowOrNone = parse("1100 mL/min", "flow_rate")
    buffer_response: f.Flag = False
    """the artery makes up for a portal flow that is not 1100 mL/min; its stated inflow is that at 1100"""
    fractions: dict[SegmentName, f.Share] = Field(default_factory=lambda: dict(FRACTIONS))
    """of the volume, by segment; with resolve: 3d they are those of the mesh"""
    resolve: Literal["segments", "3d"] = "segments"
    """each segment and tumour well mixed, or perfusion and drug in every cell of the mesh"""
    terminals: Annotated[int, Strict(), Field(ge=1, le=5000)] = 1000
    """arterial ends grown into the liver; with resolve: 3d"""
    seed: Annotated[int, Strict(), Field(ge=0, le=2**31 - 1)] = 1
    """of the grown arteries; with resolve: 3d"""
    permeability: f.Permeability = 1.56e-14
    """of the sinusoids to blood (Debbaut 2012 [wk?]); with resolve: 3d"""
    tumours: Annotated[tuple[Tumour, ...], Field(max_length=200)] = ()


class Patient(f.Part):
    """Who carries the implant, and where."""

    mass: f.BodyMass = 70.0
    temperature: f.BodyTemperature = 310.15
    ambient_pressure: f.AmbientPressure = 101_325.0
    altitude: f.Altitude | None = None
    """instead of the ambient pressure: standard atmosphere"""
    arterial_pressure: f.GaugePressure = ARTERIAL_PRESSURE
    """mean, at the tip, where no arteries are modelled"""


class PatientChange(f.Part):
    """From an event on."""

    temperature: f.BodyTemperature | None = None
    ambient_pressure: f.AmbientPressure | None = None
    altitude: f.Altitude | None = None
