"""The liver as a frozen value: territories with their volumes and the supplies they draw.

A territory is a Couinaud segment's normal tissue or one tumour; a tumour's volume is taken out of the segment that
contains it. All numbers SI.
"""

from __future__ import annotations

from dataclasses import dataclass

SEGMENTS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")


@dataclass(frozen=True, slots=True)
class Territory:
    """One compartment of the liver.

    ``arterial_ratio`` and ``portal_ratio`` are perfusion per volume relative to the normal tissue of the same segment,
    ``metabolism_ratio`` the intrinsic clearance, ``exchange_ratio`` the exchange between blood and tissue and
    ``permeability_ratio`` the permeability to blood relative to normal tissue. ``necrotic_fraction`` of the volume, the
    core of a tumour, has none of these. ``centre`` (m) and ``diameter`` (m) belong to a tumour.
    """

    name: str
    kind: str  # "segment" | "tumour"
    segment: str  # the Couinaud segment it is or lies in
    volume: float  # m3
    arterial_ratio: float = 1.0
    portal_ratio: float = 1.0
    metabolism_ratio: float = 1.0
    exchange_ratio: float = 1.0
    permeability_ratio: float = 1.0
    necrotic_fraction: float = 0.0
    centre: tuple[float, float, float] | None = None
    diameter: float | None = None


@dataclass(frozen=True)
class Liver:
    """Territories (the segments in order, then the tumours), the portal vein's flow, and what a volume is made of.

    ``portal_flow`` (m3/s) is shared by volume times ``portal_ratio``. ``blood_fraction`` is the volume of sinusoidal
    and small-vessel blood in a unit of liver (0.12 to 0.15 [wk]). ``reference_perfusion`` (1/s), both supplies
    together, is the perfusion at which a drug's extraction ratio is meant (1500 mL/min in 1500 mL: George 1979).
    """

    territories: tuple[Territory, ...]
    portal_flow: float
    blood_fraction: float = 0.14
    reference_perfusion: float = 1.0 / 60.0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(territory.name for territory in self.territories)

    @property
    def volume(self) -> float:
        """Volume of the whole liver, tumours included (m3)."""
        return sum(territory.volume for territory in self.territories)

    def within(self, segment: str) -> tuple[Territory, ...]:
        """The territories of a Couinaud segment: its normal tissue first, then its tumours."""
        return tuple(territory for territory in self.territories if territory.segment == segment)
