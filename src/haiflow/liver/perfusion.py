"""How arterial and portal blood are shared among the territories, and perfusion in clinical units.

Within a segment arterial flow is shared by volume times ``arterial_ratio`` (normal tissue has ratio one), the portal
flow of the whole liver by volume times ``portal_ratio``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from haiflow.liver.model import Liver
from haiflow.ports import Floats

ML_PER_MIN_PER_100ML = 6000.0  # 1/s in mL/min/100 mL


@dataclass(frozen=True)
class Perfusion:
    """Flow rates (m3/s) and perfusions (mL/min per 100 mL) of the territories, in their order: (n,) each."""

    names: tuple[str, ...]
    volume: Floats
    arterial_flow: Floats
    portal_flow: Floats

    @property
    def arterial(self) -> Floats:
        return ML_PER_MIN_PER_100ML * self.arterial_flow / self.volume

    @property
    def total(self) -> Floats:
        return ML_PER_MIN_PER_100ML * (self.arterial_flow + self.portal_flow) / self.volume


def arterial_split(liver: Liver) -> dict[str, dict[str, float]]:
    """Share of a segment's arterial flow that goes to each of its territories: segment -> territory -> share."""
    split = {}
    for segment in dict.fromkeys(territory.segment for territory in liver.territories):
        draw = {item.name: item.volume * item.arterial_ratio for item in liver.within(segment)}
        split[segment] = {name: value / sum(draw.values()) for name, value in draw.items()}
    return split


def arterial_supply(liver: Liver, segment_flow: Mapping[str, float]) -> dict[str, float]:
    """Arterial flow rate (m3/s) of every territory from that of the segments (m3/s; a missing segment has none)."""
    unknown = set(segment_flow) - {territory.segment for territory in liver.territories}
    if unknown:
        raise ValueError(f"arterial flow for segments that the liver does not have: {sorted(unknown)}")
    return {
        name: share * segment_flow.get(segment, 0.0)
        for segment, shares in arterial_split(liver).items()
        for name, share in shares.items()
    }


def portal_split(liver: Liver) -> dict[str, float]:
    """Share of the portal vein's flow (and drug) that goes to each territory."""
    draw = {item.name: item.volume * item.portal_ratio for item in liver.territories}
    total = sum(draw.values())
    return {name: value / total for name, value in draw.items()}


def portal_supply(liver: Liver) -> dict[str, float]:
    """Portal flow rate (m3/s) of every territory."""
    return {name: share * liver.portal_flow for name, share in portal_split(liver).items()}


def perfusion(liver: Liver, arterial_flow: Mapping[str, float]) -> Perfusion:
    """Perfusion of every territory from its arterial flow rate (m3/s by territory)."""
    portal = portal_supply(liver)
    return Perfusion(
        names=liver.names,
        volume=np.array([item.volume for item in liver.territories]),
        arterial_flow=np.array([arterial_flow.get(name, 0.0) for name in liver.names]),
        portal_flow=np.array([portal[name] for name in liver.names]),
    )
