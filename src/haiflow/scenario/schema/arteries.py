"""``arteries:`` which network, what flows in, what the surgeon tied off, and the blood."""

from __future__ import annotations

from pydantic import Field

from haiflow.scenario.schema import fields as f
from haiflow.scenario.schema.network import Inflow, Network
from haiflow.scenario.schema.pump import ARTERIAL_PRESSURE


class Blood(f.Part):
    """Newtonian blood."""

    density: f.Density = 1060.0
    viscosity: f.Viscosity = 3.8e-3


class VesselOverride(f.Part):
    """Values that replace those of one vessel of the network."""

    length: f.Length | None = None
    diameter: f.Taper | None = None
    wave_speed: f.Velocity | None = None
    young_modulus: f.Modulus | None = None
    wall_thickness: f.Taper | None = None


class Arteries(f.Part):
    """The arterial network: an ``anatomy`` of the library, a ``network`` written here, or one in a ``file``."""

    anatomy: f.Name | None = None
    file: f.Text | None = None
    network: Network
    inflow: Inflow = Inflow()
    mean_pressure: f.Pressure = ARTERIAL_PRESSURE
    """at the inlet; outlet resistances follow from it and the target flows"""
    blood: Blood = Blood()
    gravity: f.AccelerationVector | None = None
    """of the blood, along the axes of the nodes' positions, e.g. 0 0 -9.81 m/s2 for a patient who stands; pressures
    given for inlet and veins are those at the inlet's height; left out: none"""
    ligated: tuple[f.Name, ...] | None = None
    """vessels tied off; left out with the tip in the gastroduodenal: its distal part and the right gastric"""
    vessels: dict[f.Name, VesselOverride] = Field(default_factory=dict)
    young_modulus: f.Modulus | None = None
    """of every wall, instead of the network's own"""
    split: dict[f.Name, f.Share] = Field(default_factory=dict)
    """share of the drug from the tip that enters each vessel at the tip's junction; left out: mixed"""
