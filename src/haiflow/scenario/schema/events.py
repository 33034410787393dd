"""``schedule:`` and ``faults:`` what happens when."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Strict, Tag

from haiflow.scenario.schema import fields as f
from haiflow.scenario.schema.catheter import Pocket
from haiflow.scenario.schema.patient import PatientChange
from haiflow.scenario.schema.pump import Fill, ProgrammeStep


class Bolus(f.Part):
    """An injection through the side port. An ``amount`` is turned into a concentration, ``over`` into a rate."""

    drug: f.Name | None = None
    agent: f.Name | None = None
    """the same as drug: a dye or a scan agent"""
    concentration: f.Concentration = 0.0
    amount: f.Mass | None = None
    volume: f.Volume
    rate: f.FlowRate = 0.1e-6
    """left out: 0.1 mL/s"""
    over: f.Duration | None = None
    infusate: f.Name = "saline"


class PumpChange(f.Part):
    """A new rate of a peristaltic pump for good: a day programme, or a basal rate alone, which ends the programme."""

    basal_rate: f.FlowRateOrNone | None = None
    programme: Annotated[tuple[ProgrammeStep, ...], Field(min_length=1)] | None = None


class Event(f.Part):
    """One thing at one time: a refill, a bolus, a change of the patient's surroundings or of the pump's rate."""

    at: f.Time
    refill: Fill | None = None
    bolus: Bolus | None = None
    patient: PatientChange | None = None
    pump: PumpChange | None = None


class Where(f.Part):
    """A place: a vessel; on the catheter ``tip``, ``connector`` or a length from the pump; or a side hole by number."""

    vessel: f.Name | None = None
    catheter: f.Spot | None = None
    side_hole: Annotated[int, Strict(), Field(ge=1)] | None = None


class CatheterPlace(f.Part):
    """A place on the catheter: ``connector`` or a length from the pump."""

    catheter: f.Spot


class Harbour(f.Part):
    """Where a dislodged tip ends up: in a vessel at a position."""

    vessel: f.Name
    position: f.Position = "ostium"


def _goes_to(given: Any) -> str:
    return "into a vessel" if isinstance(given, dict | Harbour) else "out of the artery"


Destination = Annotated[
    Annotated[Harbour, Tag("into a vessel")] | Annotated[Literal["tissue"], Tag("out of the artery")],
    Discriminator(_goes_to),
]
Law = Literal["linear", "logistic", "step"]


class Growing(f.Part):
    """A fault that starts at ``onset`` and is complete after ``over`` on the given law of growth."""

    onset: f.Time = 0.0
    over: f.Time = 0.0
    law: Law = "linear"


class Occlusion(Growing):
    """A lumen closes: ``severity`` is the occluded share of its area, 1 is total."""

    kind: Literal["occlusion"]
    where: Where
    severity: f.Share = 1.0
    length: f.Length | None = None
    """of the stenosis; left out: two diameters"""


class Leak(Growing):
    """A hole in the catheter's wall, or a torn tube or connection, into tissue."""

    kind: Literal["leak"]
    where: CatheterPlace
    orifice_diameter: f.Length | None = None
    """left out where torn: the lumen's own"""
    torn: f.Flag = False
    """the part beyond the tear carries no more infusate"""
    pocket: Pocket | None = None


class Dislodgement(f.Part):
    """The tip moves to another vessel, or out of the artery into ``tissue``."""

    kind: Literal["dislodgement"]
    to: Destination
    onset: f.Time = 0.0


class Stall(f.Part):
    """The pump stops."""

    kind: Literal["stall"]
    onset: f.Time = 0.0


Fault = Annotated[Occlusion | Leak | Dislodgement | Stall, Field(discriminator="kind")]
