"""A liver from its volume, the shares of the Couinaud segments and the tumours that the scenario names."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from haiflow.errors import InputError, nearest
from haiflow.liver.model import SEGMENTS, Liver, Territory

Point = tuple[float, float, float]

# Shares of the liver's volume [assumed]; they keep the order VIII > VII > IV > V > III > VI > II > I and the median of
# VIII of 26 % found in 107 livers (HPB 2014, PMID 24033584).
DEFAULT_FRACTIONS: dict[str, float] = {
    "I": 0.035, "II": 0.075, "III": 0.095, "IV": 0.140, "V": 0.130, "VI": 0.090, "VII": 0.175, "VIII": 0.260,
}  # fmt: skip
DEFAULT_VOLUME = 1.5e-3  # m3
DEFAULT_PORTAL_FLOW = 1100e-6 / 60.0  # m3/s (George 1979: 70 to 75 % of 1.5 L/min)


@dataclass(frozen=True, slots=True)
class TumourSpec:
    """A spherical tumour as the scenario gives it: ``centre`` and ``diameter`` in m, or ``segment`` and ``diameter``.

    ``arterial_ratio``: arterial perfusion relative to normal tissue (clinical tracer scans: 1 to 5, median 2 to 3).
    ``portal_ratio``: portal perfusion relative to normal; metastases above a few mm draw over 95 % of their blood from
    the artery, hence 0.05. ``metabolism_ratio``: tumour tissue has no hepatocytes, hence 0. ``necrotic_fraction``: of
    the volume, its core.
    """

    diameter: float
    centre: Point | None = None
    segment: str | None = None
    name: str | None = None
    arterial_ratio: float = 3.0
    portal_ratio: float = 0.05
    metabolism_ratio: float = 0.0
    exchange_ratio: float = 1.0
    permeability_ratio: float = 1.0
    necrotic_fraction: float = 0.0

    @property
    def volume(self) -> float:
        return math.pi / 6.0 * self.diameter**3


def build_liver(
    *,
    volume: float = DEFAULT_VOLUME,
    fractions: Mapping[str, float] = DEFAULT_FRACTIONS,
    portal_flow: float = DEFAULT_PORTAL_FLOW,
    blood_fraction: float = 0.14,
    reference_perfusion: float = 1.0 / 60.0,
    tumours: Iterable[TumourSpec] = (),
    segment_at: Callable[[Point], str | None] | None = None,
    place: str = "liver",
) -> Liver:
    """A liver of ``volume`` (m3) with segments in the given ``fractions`` (they are scaled to sum to one).

    ``segment_at`` names the Couinaud segment that holds a point (m), None outside the liver; it is asked for tumours
    that have a centre and no segment (:func:`haiflow.mesh.read.segment_locator` makes one from a mesh). Raises
    :class:`InputError` for a tumour outside the liver, of a size that its segment cannot hold, or twice the same name.
    """
    total = sum(fractions.values())
    room = {name: volume * fractions.get(name, 0.0) / total for name in SEGMENTS}
    lesions: list[Territory] = []
    for index, tumour in enumerate(tumours):
        lesion = _lesion(
            tumour, index, segment_at, f"{place}.tumours[{index}]", {*SEGMENTS, *(t.name for t in lesions)}
        )
        room[lesion.segment] -= lesion.volume
        if room[lesion.segment] <= 0.0:
            raise InputError(
                f"{place}.tumours[{index}].diameter", f"{tumour.diameter:g} m",
                f"tumours fill the whole of segment {lesion.segment}", "make it smaller or place it in another segment",
            )  # fmt: skip
        lesions.append(lesion)
    normal = tuple(Territory(name, "segment", name, room[name]) for name in SEGMENTS if room[name] > 0.0)
    return Liver((*normal, *lesions), portal_flow, blood_fraction, reference_perfusion)


def _lesion(
    tumour: TumourSpec, index: int, segment_at: Callable[[Point], str | None] | None, place: str, taken: set[str]
) -> Territory:
    name = tumour.name or f"tumour_{index + 1}"
    if name in taken:
        raise InputError(f"{place}.name", name, "this name is taken", "give every tumour a name of its own")
    segment = tumour.segment or _located(tumour, segment_at, place)
    if segment not in SEGMENTS:
        raise InputError(f"{place}.segment", segment, "not a Couinaud segment", nearest(str(segment), SEGMENTS))
    return Territory(
        name, "tumour", segment, tumour.volume, tumour.arterial_ratio, tumour.portal_ratio, tumour.metabolism_ratio,
        tumour.exchange_ratio, tumour.permeability_ratio, tumour.necrotic_fraction, tumour.centre, tumour.diameter,
    )  # fmt: skip


def _located(tumour: TumourSpec, segment_at: Callable[[Point], str | None] | None, place: str) -> str:
    if tumour.centre is None or segment_at is None:
        raise InputError(place, tumour.name or "tumour", "it has no segment", "give `segment`, or `centre` with a mesh")
    segment = segment_at(tumour.centre)
    if segment is None:
        millimetres = ", ".join(f"{1e3 * value:g} mm" for value in tumour.centre)
        raise InputError(
            f"{place}.centre", f"[{millimetres}]", "it lies outside the liver", "move it inside, or give `segment`"
        )
    return segment
