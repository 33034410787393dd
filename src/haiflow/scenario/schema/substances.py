"""``drugs:`` and ``infusates:`` what is dissolved, and in what; the library's entries have the same form."""

from __future__ import annotations

from typing import Literal

from haiflow.scenario.schema import fields as f


class Drug(f.Part):
    """A drug, dye or scan agent: what liver, body and lumen do with it."""

    kind: Literal["drug", "scan_agent", "dye"] = "drug"
    """for information"""
    molar_mass: f.MolarMass | None = None
    """for information"""
    diffusivity: f.Diffusivity
    """in the infusate at body temperature"""
    protein_binding: f.Share = 0.0
    """for information: extraction and clearance are those of the whole drug, bound or free"""
    hepatic_extraction: f.ProperShare = 0.0
    """at the liver's reference flow of 1.5 L/min"""
    trapped_fraction: f.Share = 0.0
    """lodges in the first bed it meets (particles)"""
    half_saturation: f.Concentration | None = None
    """Km in tissue; left out: linear uptake"""
    tissue_partition: f.PositiveNumber = 1.0
    """tissue to blood at equilibrium"""
    exchange: f.ExchangeRate | None = None
    """permeability times surface per volume of liver; left out: flow-limited"""
    total_clearance: f.Clearance = 0.0
    """of the whole body, the liver included"""
    half_life: f.Duration | None = None
    """in plasma; for information"""
    central_volume: f.Volume
    peripheral_volume: f.VolumeOrNone = 0.0
    distribution_clearance: f.Clearance = 0.0


class Infusate(f.Part):
    """The liquid that carries the drug, at body temperature."""

    density: f.Density
    viscosity: f.Viscosity
    heparin: f.Potency = 0.0
    """for information"""
