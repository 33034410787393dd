"""The scenario as the simulation reads it: one frozen tree of SI values, every library value and default filled in.

What :func:`haiflow.scenario.load.load` guarantees beyond the types:

- ``pump.fill.volume`` and every refill's volume are numbers, ``dose``, ``altitude``, ``amount``, ``agent`` and ``over``
  are None: they have become ``concentration``, ``ambient_pressure``, ``concentration``, ``drug`` and ``rate``;
- a ``drug`` is None (no drug) or a key of ``drugs``; an ``infusate`` is a key of ``infusates``;
- ``arteries.network`` holds the whole network, overrides applied: every vessel has a length and either a wave speed or
  modulus and thickness; ``arteries.inflow`` has node, vessel, mean, waveform and heart rate;
- ``arteries.ligated`` is a tuple, ``catheter.tip.position`` and ``to.position`` are "ostium" or metres from the
  vessel's start; ``run.output_every`` and ``run.numerics.macro_step`` are numbers; tumours have names.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from haiflow.scenario.schema import fields as f
from haiflow.scenario.schema.arteries import Arteries, Blood, VesselOverride
from haiflow.scenario.schema.catheter import Catheter, Kink, Pocket, Segment, SideHole, Tip
from haiflow.scenario.schema.events import (
    Bolus,
    CatheterPlace,
    Dislodgement,
    Event,
    Fault,
    Growing,
    Harbour,
    Leak,
    Occlusion,
    PumpChange,
    Stall,
    Where,
)
from haiflow.scenario.schema.network import Inflow, Loss, Network, Node, Outlet, Vessel, Waveform
from haiflow.scenario.schema.patient import Liver, Patient, PatientChange, Tumour
from haiflow.scenario.schema.pump import Fill, ProgrammeStep, Propellant, Pump, Reference, SidePort
from haiflow.scenario.schema.require import Requirements
from haiflow.scenario.schema.run import Numerics, Run
from haiflow.scenario.schema.substances import Drug, Infusate
from haiflow.scenario.schema.sweep import Sweep

__all__ = [
    "Arteries", "Blood", "Bolus", "Catheter", "CatheterPlace", "Dislodgement", "Drug", "Event", "Fault", "Fill",
    "Growing", "Harbour", "Inflow", "Infusate", "Kink", "Leak", "Liver", "Loss", "Network", "Node", "Numerics",
    "Occlusion", "Outlet", "Patient", "PatientChange", "Pocket", "ProgrammeStep", "Propellant", "Pump", "PumpChange",
    "Reference", "Run", "ScenarioModel", "Segment", "SideHole", "SidePort", "Stall", "Sweep", "Tip", "Tumour", "Vessel",
    "VesselOverride", "Waveform", "Where",
]  # fmt: skip


class ScenarioModel(f.Part):
    """A whole scenario. A part that is None was left out."""

    format: Literal[1] = Field(alias="haiflow")
    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: f.Text | None = None
    pump: Pump | None = None
    catheter: Catheter | None = None
    arteries: Arteries | None = None
    liver: Liver | None = None
    patient: Patient = Patient()
    drugs: dict[f.Name, Drug] = Field(default_factory=dict)
    infusates: dict[f.Name, Infusate] = Field(default_factory=dict)
    schedule: Annotated[tuple[Event, ...], Field(max_length=10_000)] = ()
    faults: Annotated[tuple[Fault, ...], Field(max_length=1000)] = ()
    run: Run = Run()
    require: Requirements = ()
    sweep: Sweep | None = None
