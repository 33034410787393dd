"""``run:`` which clock, how long, how often to write, and the numerics."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from haiflow.scenario.schema import fields as f


class Numerics(f.Part):
    """Steps, cells and tolerances; the defaults serve the examples."""

    cell_length: f.Length = 4e-3
    """of the arteries' cells"""
    min_cells: Annotated[int, Strict(), Field(ge=2, le=1000)] = 4
    """a vessel"""
    cfl: Annotated[float, Strict(), Field(gt=0.0, le=0.95)] = 0.65
    """cells that the fastest wave of the start crosses in a step of the pulsatile flow"""
    periodic_tolerance: Annotated[float, Strict(), Field(gt=0.0, le=0.1)] = 1e-3
    """relative change from one cardiac cycle to the periodic limit"""
    max_cycles: Annotated[int, Strict(), Field(ge=2, le=1000)] = 40
    macro_step: f.Duration | None = None
    """largest step of the therapy clock; left out: output_every"""
    growth_levels: Annotated[int, Strict(), Field(ge=1, le=200)] = 8
    """steps in which a growing fault is followed"""
    velocity_profile: Annotated[float, Strict(), Field(ge=2.0, le=100.0)] = 2.0
    """exponent: 2 is Poiseuille's parabola (Womersley numbers of hepatic arteries are 1 to 3), 9 is blunt"""


class Run(f.Part):
    """The ``therapy`` clock runs days to months, the ``pulse`` clock seconds to minutes."""

    clock: Literal["therapy", "pulse"] = "therapy"
    duration: f.Duration = 28 * 86400.0
    output_every: f.Duration | None = None
    """left out: an hour, or ten milliseconds"""
    numerics: Numerics = Numerics()
