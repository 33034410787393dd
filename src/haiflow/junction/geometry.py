"""The shape of the region: a parent artery with its branches, and a catheter's tip in it.

The branches leave at the origin; the parent's blood flows along +z towards it. A catheter comes either along the
parent's lumen or through the ostium of a side branch that is tied off behind it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from haiflow.errors import InputError
from haiflow.ports import Floats

SHAPES = ("square", "bevelled", "rounded", "closed")
RECESS = 0.25  # of a hole's diameter: how deep its face lies, where the infusate comes in
RIM = 0.8  # of the wall's thickness: radius of an open end's rounded edge
CLEAR = 0.05  # of the vessel's diameter: what a shaft in the lumen leaves free at the wall at least
STEEPEST = np.radians(70.0)  # bevel; a face that is steeper outruns the shaft's stock
WIDTH = "catheter.outer_diameter"  # where it is given
THINNEST = 0.04  # of the vessel's diameter: a thinner catheter would need a mesh of millions of cells


@dataclass(frozen=True)
class Branch:
    """``angle`` (rad) from the parent's direction in the plane of x, to +x; ``elevation`` (rad) out of it to +y."""

    name: str
    diameter: float  # m
    angle: float
    elevation: float = 0.0
    length: float | None = None  # m; None: three diameters beyond the crotch

    @property
    def direction(self) -> Floats:
        a, e = self.angle, self.elevation
        return np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])


@dataclass(frozen=True)
class Hole:
    """An opening: in the tip's face where ``from_tip`` is None, else in the wall at ``azimuth`` (rad from +x')."""

    name: str
    diameter: float
    from_tip: float | None = None
    azimuth: float = 0.0


@dataclass(frozen=True)
class Tip:
    """The last piece of a catheter. ``place`` (3,) is the middle of its face, ``direction`` (3,) points out of it.

    Without a hole in its face the end is closed, whatever its ``shape``; "closed" is a square one.
    """

    outer_diameter: float
    holes: tuple[Hole, ...]
    place: tuple[float, float, float]
    direction: tuple[float, float, float] = (0.0, 0.0, 1.0)
    shape: str = "square"
    bevel: float = np.pi / 4.0  # rad between the face and a square one

    @property
    def frame(self) -> Floats:
        """(3, 3): rows x', y', z' of the tip; z' points out of the face."""
        z = np.asarray(self.direction) / np.linalg.norm(self.direction)
        x = np.array([1.0, 0.0, 0.0]) if abs(z[0]) < 0.9 else np.array([0.0, 0.0, 1.0])
        x = x - (x @ z) * z
        x /= np.linalg.norm(x)
        return np.array([x, np.cross(z, x), z])

    @property
    def rounding(self) -> float:
        """Radius (m) of the face's round edge: a closed end is half a ball, an open one keeps a rim about its hole."""
        if self.shape != "rounded":
            return 0.0
        front = [0.5 * hole.diameter for hole in self.holes if hole.from_tip is None]
        return RIM * (0.5 * self.outer_diameter - max(front)) if front else 0.5 * self.outer_diameter

    def starts(self, hole: Hole) -> float:
        """How far behind ``place`` (m) the shaft's straight wall starts, over all the width of a hole in it."""
        if self.shape != "bevelled":
            return self.rounding
        radius = 0.5 * self.outer_diameter
        half = float(np.arcsin(min(0.5 * hole.diameter / radius, 1.0)))
        turn = abs(float(np.angle(np.exp(1j * hole.azimuth))))
        return radius * float(np.tan(self.bevel) * np.cos(max(turn - half, 0.0)))


@dataclass(frozen=True)
class Ostium:
    """A side branch, tied off ``length`` behind the parent's wall; ``distance`` upstream of the bifurcation."""

    diameter: float
    distance: float
    direction: tuple[float, float, float]
    length: float


@dataclass(frozen=True)
class Shape:
    """The whole region, lengths in m; ``cells`` is how many cells lie across the smallest vessel."""

    parent_diameter: float
    parent_length: float
    end_diameter: float
    branches: tuple[Branch, ...]
    tip: Tip | None = None
    ostium: Ostium | None = None
    cells: float = 12.0

    @property
    def size(self) -> float:
        """Edge of a cell away from walls and tip (m)."""
        return min(self.end_diameter, *(branch.diameter for branch in self.branches)) / self.cells

    def reach(self, branch: Branch) -> float:
        """Length of a branch from the origin (m)."""
        return branch.length or 0.5 * self.end_diameter + 4.0 * branch.diameter


@dataclass(frozen=True)
class Thread:
    """Where drug runs: ``places`` (k, 3) m on its way; ``edge`` m of the cells within ``reach`` m of them."""

    places: Floats
    edge: float
    reach: float


def check(shape: Shape, place: str = "catheter.tip") -> None:
    """Raises InputError with ``place`` for a region that cannot be."""
    directions = [branch.direction for branch in shape.branches]
    if not shape.branches:
        raise InputError(place, "no branch", "a junction needs at least one branch", "name one")
    for k, (branch, one) in enumerate(zip(shape.branches, directions, strict=True)):
        if one[2] < -0.77:
            raise InputError(f"{place}.angles.{branch.name}", f"{np.degrees(branch.angle):.0f} degrees",
                             "a branch leaves at less than 140 degrees", "give a smaller angle")  # fmt: skip
        for other, two in zip(shape.branches[:k], directions[:k], strict=True):
            between = np.degrees(np.arccos(np.clip(one @ two, -1.0, 1.0)))
            if between < 20.0:
                rule = f"{between:.0f} degrees from {other.name}, and branches part by 20 degrees at least"
                raise InputError(f"{place}.angles.{branch.name}", f"{np.degrees(branch.angle):.0f} degrees", rule,
                                 "give other angles")  # fmt: skip
    if shape.tip is not None:
        _check_tip(shape, shape.tip, place)


def _check_tip(shape: Shape, tip: Tip, place: str) -> None:
    if tip.shape not in SHAPES:
        raise InputError(f"{place}.shape", tip.shape, f"one of {', '.join(SHAPES)}", "choose one of these")
    if not tip.holes:
        raise InputError(place, "no hole", "a catheter lets out by a hole at least", "open its end, or give side holes")
    _check_body(shape, tip, place)
    for hole in tip.holes:
        if hole.diameter >= 0.95 * tip.outer_diameter:
            raise InputError(place, f"{1e3 * hole.diameter:.3g} mm", "a hole is narrower than the catheter",
                             "check inner and outer diameter")  # fmt: skip
    if shape.ostium is not None:
        inside = 0.5 * shape.parent_diameter - float(np.hypot(*tip.place[:2]))
        if inside > 0.85 * shape.parent_diameter or float(np.hypot(*tip.place[:2])) > 2.0 * shape.parent_diameter:
            where = f"{1e3 * abs(inside):.3g} mm {'inside' if inside > 0.0 else 'outside'}"
            rule = f"the tip ends {where} the wall of a vessel of {1e3 * shape.parent_diameter:.3g} mm"
            raise InputError(f"{place}.depth", f"{1e3 * inside:.3g} mm", f"{rule}: it lies in or near the lumen",
                             "give a depth that is nearer to 0")  # fmt: skip
    if shape.ostium is None:
        aside = float(np.hypot(*tip.place[:2]))
        room = 0.5 * shape.parent_diameter - aside - 0.5 * tip.outer_diameter
        if room < CLEAR * shape.parent_diameter:
            widest = 0.5 * shape.parent_diameter * (1.0 - 2.0 * CLEAR) - 0.5 * tip.outer_diameter
            remedy = f"at most {1e3 * widest:.2g} mm off the axis" if widest >= 0.0 else "choose a thinner catheter"
            where, value = (f"{place}.offset", aside) if widest >= 0.0 else (WIDTH, tip.outer_diameter)
            raise InputError(where, f"{1e3 * value:.3g} mm",
                             f"a catheter of {1e3 * tip.outer_diameter:.3g} mm in a vessel of "
                             f"{1e3 * shape.parent_diameter:.3g} mm must not touch its wall", remedy)  # fmt: skip


def _check_body(shape: Shape, tip: Tip, place: str) -> None:
    if tip.shape == "bevelled" and not 0.0 <= tip.bevel <= STEEPEST:
        raise InputError(f"{place}.bevel", f"{np.degrees(tip.bevel):.3g} degrees",
                         f"a bevel is {np.degrees(STEEPEST):.0f} degrees from a square face at most, and not negative",
                         f"give an angle from 0 to {np.degrees(STEEPEST):.0f} degrees")  # fmt: skip
    thinnest = THINNEST * shape.parent_diameter
    if tip.outer_diameter < thinnest:
        raise InputError(WIDTH, f"{1e3 * tip.outer_diameter:.3g} mm",
                         f"a catheter to be resolved is no thinner than {1e3 * thinnest:.2g} mm in a vessel of "
                         f"{1e3 * shape.parent_diameter:.3g} mm",
                         "use 'resolve: mixed', or check outer_diameter")  # fmt: skip
