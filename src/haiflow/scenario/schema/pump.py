"""``pump:`` the reservoir, its drive, what fills it, and the side port."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from haiflow.scenario.schema import fields as f
from haiflow.units import parse

ARTERIAL_PRESSURE = parse("95 mmHg", "pressure")


class Propellant(f.Part):
    """The liquid whose vapour pushes: its pressure follows Clausius-Clapeyron from the boiling point."""

    name: f.Name | None = None
    boiling_point: f.Temperature
    """at 101.325 kPa"""
    enthalpy: f.MolarEnergy
    """of vaporisation"""


class Reference(f.Part):
    """The conditions in which the nominal rate holds; the restrictor's resistance follows from them."""

    temperature: f.BodyTemperature = 310.15
    ambient_pressure: f.AmbientPressure = 101_325.0
    arterial_pressure: f.GaugePressure = ARTERIAL_PRESSURE
    viscosity: f.Viscosity = 0.70e-3


class SidePort(f.Part):
    """The port that feeds the catheter past the restrictor: a needle's resistance and the pressure allowed."""

    pressure_limit: f.Pressure = 200e3
    resistance: f.ResistanceOrNone = 1e10


class ProgrammeStep(f.Part):
    """From a time of day on (counted from the start of the run), a rate."""

    start: f.Time = Field(alias="from")
    rate: f.FlowRateOrNone


class Fill(f.Part):
    """What goes into the reservoir. A ``dose`` is turned into the concentration that gives it at the nominal rate."""

    drug: f.Name | None = None
    """a name of the drug library or of ``drugs:``; left out (or saline): no drug"""
    concentration: f.Concentration = 0.0
    dose: f.DoseRate | None = None
    """mg/kg/day, instead of a concentration"""
    volume: f.Volume | None = None
    """left out: the whole reservoir"""
    infusate: f.Name = "saline"


class Pump(f.Part):
    """An implanted pump; ``model`` takes its values from the library, any other key overrides one."""

    model: f.Name | None = None
    drive: Literal["gas", "peristaltic"]
    reservoir_volume: f.Volume
    residual_volume: f.VolumeOrNone = 0.0
    """cannot be delivered"""
    nominal_rate: f.FlowRate
    """gas: at the reference conditions; peristaltic: the rate where no programme is given"""
    rate_error: f.SignedShare = 0.0
    """this pump's own deviation from its nominal or programmed rate"""
    accuracy_band: f.Share = 0.145
    """peristaltic drive: the largest deviation that the maker allows (SynchroMed II: 14.5 %)"""
    propellant: Propellant | None = None
    """gas drive only"""
    bellows_fall: f.ProperShare = 0.0
    """gas drive: fall of the flow rate from full to empty"""
    reference: Reference = Reference()
    programme: tuple[ProgrammeStep, ...] = ()
    """peristaltic drive: rates in steps, repeated each day"""
    basal_rate: f.FlowRateOrNone | None = None
    """peristaltic drive: the rate before the day's first step; left out: the nominal rate"""
    stall_pressure: f.Pressure = 250e3
    """peristaltic drive: the rollers give no more"""
    tube_compliance: f.ComplianceOrNone = 0.0
    """peristaltic drive"""
    side_port: SidePort = SidePort()
    position: f.Point | None = None
    """for the pictures"""
    fill: Fill = Fill()
