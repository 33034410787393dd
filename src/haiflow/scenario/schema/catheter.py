"""``catheter:`` the lumen from the pump to the tip, its wall, its holes, and where the tip lies."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from haiflow.scenario.schema import fields as f


class Segment(f.Part):
    """A length of tube; ``end_`` diameters make it taper."""

    length: f.Length
    inner_diameter: f.Length
    outer_diameter: f.Length
    end_inner_diameter: f.Length | None = None
    end_outer_diameter: f.Length | None = None
    wall_modulus: f.Modulus | None = None


class Kink(f.Part):
    """A narrowing: occluded share of the lumen's area at a distance from the pump."""

    at: f.Distance
    severity: f.Share
    length: f.Length | None = None


class SideHole(f.Part):
    """``count`` equal holes round the wall."""

    from_tip: f.Distance
    diameter: f.Length
    count: Annotated[int, Strict(), Field(ge=1, le=100)] = 1


class Tip(f.Part):
    """The vessel that the tip lies in, and where: at its ostium, a length or a share of its length from its start.

    With ``resolve: 3d`` the flow round the tip is solved in three dimensions and tells which branch gets which share of
    the drug; the keys below it describe the shape.
    """

    vessel: f.Name | None = None
    position: f.Position = "ostium"
    closed_end: f.Flag = False
    """delivers through side holes only"""
    resolve: Literal["mixed", "3d"] = "mixed"
    flow: Literal["pulsatile", "steady"] = "pulsatile"
    """of the blood in 3D: the whole cardiac cycle, or its mean (faster)"""
    blood: Literal["newtonian", "carreau-yasuda"] = "newtonian"
    """in 3D: of the arteries' viscosity, or thinning with shear towards it"""
    shape: Literal["square", "bevelled", "rounded"] = "square"
    """of the end in 3D, open or closed; a closed one that is rounded is half a ball"""
    bevel: f.Angle = 0.7853981633974483
    """between a bevelled face and a square one, 0 to 70 degrees"""
    offset: f.Distance = 0.0
    """of the tip from the axis of the vessel that its shaft lies in"""
    towards: f.Name | None = None
    """the branch that it is off the axis towards; left out: the first one"""
    depth: f.AnyLength = 0.0
    """of a tip at the ostium of a vessel that is tied off: how far it stands out into the blood; negative: withdrawn"""
    angles: dict[f.Name, f.Angle] = Field(default_factory=dict)
    """between a branch and its parent, instead of those of the network's course"""
    cells: Annotated[float, Field(ge=5, le=40)] = 8.0
    """across the narrowest vessel"""
    steps: Annotated[int, Strict(), Field(ge=50, le=20000)] = 400
    """in time, of a cardiac cycle; more are taken where the blood is fast"""
    mesh: f.Text | None = None
    """a file of one's own, in metres, with named patches: inlet, the branches, vessel, catheter, hole:tip, ..."""


class Pocket(f.Part):
    """Tissue round a leak or a dislodged tip: pressure = rest_pressure + volume / compliance."""

    compliance: f.Compliance = 5e-9
    """assumed: 63 mL reach arterial pressure"""
    rest_pressure: f.GaugePressure = 0.0
    """assumed"""
    absorption: f.Absorption = 1e-14
    """assumed: 11 mL/day at arterial pressure"""


class Catheter(f.Part):
    """A catheter; ``model`` takes its values from the library. Places on it are lengths from the pump."""

    model: f.Name | None = None
    length: f.CatheterLength
    inner_diameter: f.Length
    outer_diameter: f.Length
    tip_inner_diameter: f.Length | None = None
    """of the opening, where narrower than the lumen"""
    wall_modulus: f.Modulus = 3e6
    burst_pressure: f.Pressure = 400e3
    segments: tuple[Segment, ...] = ()
    """instead of one straight tube; their lengths sum to ``length``"""
    kinks: tuple[Kink, ...] = ()
    side_holes: tuple[SideHole, ...] = ()
    tip: Tip = Tip()
    pocket: Pocket = Pocket()
    cells: Annotated[int, Strict(), Field(ge=8, le=4096)] = 64
