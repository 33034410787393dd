"""The catheter as a frozen value: a line of cells from the pump to the tip, its holes, and where the tip lies.

Lumen: segments with linear taper. Cell quantities are exact for a cone: ``area`` is the mean lumen area (volume over
length), ``taper_factor`` the mean of ``r**-4`` times ``radius**4``, so that Hagen-Poiseuille over a cell is
``8 viscosity dx taper_factor resistance_factor / (pi radius**4)`` (White, *Viscous Fluid Flow*).

Wall: silicone is incompressible and the wall is thicker than the lumen, so the thin-tube law (2 pi a^3 / (E h) per
length) is wrong by a factor of five. Lame's thick tube with Poisson's ratio 1/2 (Timoshenko & Goodier, *Theory of
Elasticity*, the thick cylinder) gives, with inner radius a and outer radius b, the compliance per length

    d(pi a^2)/dp = 3 pi a^2 b^2 / (E (b^2 - a^2)),

the same for a line held at its ends (plane strain) and for one free to shorten. 50 cm, 0.6/2.3 mm and 3 MPa give
0.152 uL/kPa. YAML: ``catheter: {length: 50 cm, inner_diameter: 0.6 mm, outer_diameter: 2.3 mm, tip: {...}}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from haiflow.numerics.cone import mean_inverse_fourth, mean_square
from haiflow.ports import Floats

SILICONE_MODULUS = 3.0e6  # Pa
CLOSED_FRACTION = 1e-6  # of the area; what is left of a lumen then passes 1e-6 of a basal rate: taken as closed

HoleKind = Literal["tip", "side_hole", "leak"]
Outside = Literal["artery", "pocket"]


@dataclass(frozen=True, slots=True)
class Pocket:
    """Tissue round a leak or a tip out of its artery: ``p = rest_pressure + volume / compliance``.

    ``compliance`` (m3/Pa; ``inf`` keeps the pressure at rest), ``rest_pressure`` (gauge Pa), ``absorption``
    (m3/(s Pa)): fluid taken up by the body, ``absorption * (p - rest_pressure)``. The defaults are assumed: 63 mL of
    haematoma reach arterial pressure, and 11 mL/day are absorbed then.
    """

    compliance: float = 5.0e-9
    rest_pressure: float = 0.0
    absorption: float = 1.0e-14


@dataclass(frozen=True, slots=True)
class Hole:
    """One opening of the lumen: the tip, a side hole or a leak.

    ``diameter`` and channel ``length`` in m; ``open_fraction`` of its area is free. ``plug_length`` (m) is the length
    of channel that an occlusion narrows. The law is in :mod:`haiflow.catheter.orifice`.
    """

    name: str
    kind: HoleKind
    cell: int
    diameter: float
    length: float
    discharge_coefficient: float = 0.6
    open_fraction: float = 1.0
    outside: Outside = "artery"
    plug_length: float = 0.0
    pocket: Pocket = Pocket()


@dataclass(frozen=True, slots=True)
class Tip:
    """Where the line ends: in ``vessel`` (None: out of the artery, in tissue) at ``position`` (m from the vessel's
    start, or "ostium"). A ``closed_end`` delivers through side holes only."""

    vessel: str | None = None
    position: float | str = "ostium"
    closed_end: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A length of tube (m) with inner and outer diameters (m) that run linearly to their ``_end`` values if given."""

    length: float
    inner_diameter: float
    outer_diameter: float
    inner_diameter_end: float | None = None
    outer_diameter_end: float | None = None
    wall_modulus: float | None = None  # Pa; None: the line's


@dataclass(frozen=True, slots=True)
class SideHole:
    """A hole through the wall, ``from_tip`` (m) upstream of the line's end, ``diameter`` in m."""

    name: str
    from_tip: float
    diameter: float
    discharge_coefficient: float = 0.6


@dataclass(frozen=True, slots=True)
class Kink:
    """A narrowing ``at`` (m from the pump) over ``length`` (m; None: two diameters): occluded fraction ``severity``."""

    at: float
    severity: float
    length: float | None = None


@dataclass(frozen=True, eq=False)
class Line:
    """A catheter of n cells from the pump (face 0) to the tip (face n). Arrays have one entry a cell unless said."""

    x: Floats  # (n + 1,) m, faces, from the pump
    radius: Floats  # m, of the mean lumen area
    wall_thickness: Floats  # m
    wall_modulus: Floats  # Pa
    area: Floats  # m2, mean lumen area at lumen pressure zero
    compliance: Floats  # m3/Pa
    taper_factor: Floats  # 1: mean(r**-4) * radius**4
    resistance_factor: Floats  # 1: >= 1 in a kink or occlusion, inf where the lumen is closed
    holes: tuple[Hole, ...]
    tip: Tip = field(default_factory=Tip)

    @property
    def n_cells(self) -> int:
        return self.area.size

    @property
    def length(self) -> float:
        """m"""
        return float(self.x[-1])

    @cached_property
    def dx(self) -> Floats:
        """(n,) m, cell lengths."""
        return np.diff(self.x)

    @cached_property
    def rest_volume(self) -> Floats:
        """(n,) m3, cell volumes at lumen pressure zero."""
        return self.area * self.dx

    @property
    def dead_volume(self) -> float:
        """m3, what the lumen holds at lumen pressure zero."""
        return float(self.rest_volume.sum())

    @cached_property
    def resistance_per_viscosity(self) -> Floats:
        """(n,) 1/m3: Hagen-Poiseuille resistance of each cell, over the viscosity; inf where closed."""
        return 8.0 * self.dx * self.taper_factor * self.resistance_factor / (np.pi * self.radius**4)

    @cached_property
    def hole_cells(self) -> NDArray[np.int32]:
        """(n_holes,) the cell that each hole opens."""
        return np.array([hole.cell for hole in self.holes], dtype=np.int32)

    @cached_property
    def tip_hole(self) -> int | None:
        """Index of the open end among the holes; None for a closed end."""
        return next((i for i, hole in enumerate(self.holes) if hole.kind == "tip"), None)

    def hole(self, name: str) -> int:
        """Index of the hole called ``name``; ValueError if there is none."""
        return [hole.name for hole in self.holes].index(name)

    def cell(self, at: float) -> int:
        """The cell that holds the distance ``at`` (m from the pump); ValueError outside the line."""
        if not 0.0 <= at <= self.length * (1.0 + 1e-12):
            raise ValueError(f"{at} m is not on the line of {self.length} m")
        return min(int(np.searchsorted(self.x, at, side="right")) - 1, self.n_cells - 1)


def build_line(
    length: float,
    inner_diameter: float,
    outer_diameter: float,
    *,
    segments: Sequence[Segment] = (),
    kinks: Sequence[Kink] = (),
    wall_modulus: float = SILICONE_MODULUS,
    side_holes: Sequence[SideHole] = (),
    tip: Tip | None = None,
    n_cells: int = 64,
) -> Line:
    """A line from its drawing: one uniform tube, or ``segments`` in order from the pump (their lengths sum to length).

    Lengths and diameters in m, modulus in Pa. Cells are shared out by length, at least one a segment, so that every
    end of a segment is a face. Raises ValueError for lengths or walls that do not fit.
    """
    parts = tuple(segments) or (Segment(length, inner_diameter, outer_diameter),)
    if abs(sum(part.length for part in parts) - length) > 1e-9 * length:
        raise ValueError("the segments' lengths do not sum to the line's")
    pieces = [_cells_of(part, max(1, round(n_cells * part.length / length)), wall_modulus) for part in parts]
    line = _tube(pieces, tip or Tip())
    line = replace(line, holes=_holes(line, side_holes))
    for kink in kinks:
        line = narrowed(line, kink.at, kink.severity, kink.length)
    return line


def _tube(pieces: Sequence[tuple[Floats, ...]], tip: Tip) -> Line:
    """The segments' cells joined into a line without holes."""
    dx, radius, outer, area, taper, modulus = (np.concatenate(column) for column in zip(*pieces, strict=True))
    if np.any(outer <= radius):
        raise ValueError("the outer diameter must be larger than the inner one")
    return Line(
        x=np.concatenate([[0.0], np.cumsum(dx)]),
        radius=radius,
        wall_thickness=outer - radius,
        wall_modulus=modulus,
        area=area,
        compliance=dx * tube_compliance(radius, outer, modulus),
        taper_factor=taper,
        resistance_factor=np.ones_like(dx),
        holes=(),
        tip=tip,
    )


def tube_compliance(inner_radius: Floats, outer_radius: Floats, modulus: Floats) -> Floats:
    """Compliance per length (m2/Pa) of a thick incompressible tube; see the head of this file."""
    inner, outer = inner_radius**2, outer_radius**2
    return 3.0 * np.pi * inner * outer / (modulus * (outer - inner))


def with_inlet_compliance(line: Line, compliance: float) -> Line:
    """The line with the ``compliance`` (m3/Pa) of the tubing inside a pump lumped on its first cell."""
    values = line.compliance.copy()
    values[0] += compliance
    return replace(line, compliance=values)


def narrowed(line: Line, at: float, severity: float, length: float | None = None) -> Line:
    """The line with the fraction ``severity`` of its lumen area closed ``at`` (m from the pump) over ``length`` (m).

    A lumen of free area fraction f has f**-2 of the resistance (Hagen-Poiseuille, r**4 = area**2); a cell that the
    narrowing fills to the fraction w is multiplied by 1 + w (f**-2 - 1). ``severity`` 1 closes the cell for good.
    """
    if not 0.0 <= severity <= 1.0:
        raise ValueError(f"severity {severity} is not in [0, 1]")
    cell = line.cell(at)
    extent = 4.0 * line.radius[cell] if length is None else length
    low, high = np.maximum(line.x[:-1], at - 0.5 * extent), np.minimum(line.x[1:], at + 0.5 * extent)
    share = np.clip(high - low, 0.0, None) / line.dx
    factor = line.resistance_factor.copy()
    if 1.0 - severity <= CLOSED_FRACTION:
        factor[(share > 0.0) | (np.arange(line.n_cells) == cell)] = np.inf
    else:
        factor += share * ((1.0 - severity) ** -2 - 1.0)
    return replace(line, resistance_factor=factor)


def _cells_of(part: Segment, n: int, wall_modulus: float) -> tuple[Floats, ...]:
    """Cell lengths, mean radii, outer radii, mean areas, taper factors and moduli of one segment."""
    inner_end = part.inner_diameter if part.inner_diameter_end is None else part.inner_diameter_end
    outer_end = part.outer_diameter if part.outer_diameter_end is None else part.outer_diameter_end
    inner = 0.5 * np.linspace(part.inner_diameter, inner_end, n + 1)
    outer = 0.5 * np.linspace(part.outer_diameter, outer_end, n + 1)
    if part.length <= 0.0 or inner.min() <= 0.0:
        raise ValueError("a segment's length and diameters must be positive")
    a, b = inner[:-1], inner[1:]
    area = np.pi * mean_square(a, b)
    radius = np.sqrt(area / np.pi)
    taper = mean_inverse_fourth(a, b) * radius**4
    modulus = np.full(n, wall_modulus if part.wall_modulus is None else part.wall_modulus)
    return np.full(n, part.length / n), radius, 0.5 * (outer[:-1] + outer[1:]), area, taper, modulus


def _holes(line: Line, side_holes: Sequence[SideHole]) -> tuple[Hole, ...]:
    """The open end, if any, then the side holes."""
    outside: Outside = "pocket" if line.tip.vessel is None else "artery"
    last = line.n_cells - 1
    diameter = 2.0 * float(line.radius[last])
    # The open end is no channel, and what leaves it is a jet of the lumen's own width: coefficient one.
    end = Hole("tip", "tip", last, diameter, 0.0, 1.0, 1.0, outside, 2.0 * diameter)
    return (() if line.tip.closed_end else (end,)) + tuple(_side_hole(line, hole, outside) for hole in side_holes)


def _side_hole(line: Line, hole: SideHole, outside: Outside) -> Hole:
    cell = line.cell(line.length - hole.from_tip)
    wall = float(line.wall_thickness[cell])
    coefficient = hole.discharge_coefficient
    return Hole(hole.name, "side_hole", cell, hole.diameter, wall, coefficient, 1.0, outside, wall)
