"""Walls and losses of svOneDSolver's segments: the laws of OLUFSEN and LINEAR, and the loss of a STENOSIS.

Both laws are ``p = p_ref + 4/3 f (1 - sqrt(A_ref / A))``, f = E h / r a function of the radius (OLUFSEN) or a number
(LINEAR), as cvOneDMaterialLinear has it since November 2023. Until then LINEAR was ``p_ref + f (sqrt(A / A_ref) - 1)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, pi, sqrt

from haiflow.scenario.imports.cards import Card
from haiflow.scenario.imports.draft import Draft, DraftVessel
from haiflow.scenario.imports.findings import Findings
from haiflow.scenario.imports.means import mean_pressures, poiseuille
from haiflow.scenario.imports.units import CGS

THICKNESS = 0.1  # of the diameter: only the product with the modulus counts
LAWS = {
    "OLUFSEN": "haiflow's square-root law instead, with the same area and stiffness at the mean pressure",
    "LINEAR": "haiflow's square-root law instead, at the mean pressure of the area and stiffness of svOneDSolver since "
    "November 2023, p_ref + 4/3 E h / r (1 - sqrt(A_ref / A)); before, it took the number without the 4/3: give three "
    "quarters of the number of a deck that was fitted then",
}
EXPANSION = 1.52  # Young & Tsai 1973, J Biomech 6:395


@dataclass
class Segment:
    """A SEGMENT card with what it refers to: its vessel, its material, its areas (m2)."""

    card: Card
    vessel: DraftVessel
    material: Card
    areas: tuple[float, float]

    @property
    def stiffness(self) -> tuple[float, float]:
        """``E h / r0`` (Pa) at both ends."""
        first = self.material.number(6, "first parameter")
        if self.material.words[1].upper() == "LINEAR":
            return first * CGS.pressure, first * CGS.pressure
        k2, k3 = self.material.number(7, "k2"), self.material.number(8, "k3")
        start, end = (first * exp(k2 * sqrt(area / pi) / CGS.length) + k3 for area in self.areas)
        return start * CGS.pressure, end * CGS.pressure


def losses(draft: Draft, segments: list[Segment], findings: Findings) -> None:
    by_id = {segment.card.whole(1, "segment ID"): segment for segment in segments}
    for segment in segments:
        kind, name = segment.card.words[10].upper(), segment.vessel.name
        if kind == "STENOSIS":
            upstream = by_id.get(segment.card.whole(12, "upstream segment"))
            if upstream is None:
                raise segment.card.error(segment.card.words[12], "no such segment upstream", "give its ID")
            if upstream.vessel.end != segment.vessel.start:
                consequence = "the loss is reckoned with its area as in the deck, though it does not lead here"
                findings.add("SEGMENT upstream segment", segment.card.words[12], consequence, name)
            _stenosis(draft, segment, upstream, findings)
        elif kind != "NONE":
            findings.add("SEGMENT loss", kind, "not taken over: total pressure is common at a junction", name)


def _stenosis(draft: Draft, segment: Segment, upstream: Segment, findings: Findings) -> None:
    """Young and Tsai's loss less the segment's own friction; never below it."""
    vessel, narrow, wide = segment.vessel, segment.areas[0], upstream.areas[1]
    length = 0.83 * vessel.length + 1.64 * 2.0 * sqrt(narrow / pi)
    viscous = 8.0 * pi * draft.viscosity * length / narrow**2
    extra = viscous - poiseuille(vessel, draft.viscosity, draft.velocity_profile)
    if extra < 0.0:
        findings.add("SEGMENT loss", "STENOSIS", "its viscous part is below the segment's friction, which stays",
                     vessel.name)  # fmt: skip
    vessel.linear_loss = max(extra, 0.0)
    vessel.quadratic_loss = 0.5 * EXPANSION * draft.density * (wide / narrow - 1.0) ** 2 / wide**2


def walls(draft: Draft, segments: list[Segment], findings: Findings) -> None:
    """Modulus and thickness of each wall, at the pressure at which the deck's law is met."""
    pressures = mean_pressures(draft)
    for segment in segments:
        card, vessel = segment.material, segment.vessel
        reference = CGS.pressure * card.number(4, "reference pressure")
        radius = tuple(sqrt(area / pi) for area in segment.areas)
        product = tuple(stiff * r for stiff, r in zip(segment.stiffness, radius, strict=True))
        if min(product) <= 0.0:
            raise card.error(" ".join(card.words[6:]), "the wall has no stiffness", "make E h / r positive")
        at = 0.5 * (pressures[vessel.start] + pressures[vessel.end])
        strains = tuple(1.0 - (at - reference) / (4.0 / 3.0 * stiff) for stiff in segment.stiffness)
        if min(strains) <= 0.2:
            raise card.error(" ".join(card.words[6:9]), f"a wall this soft bursts at its mean of {at:.4g} Pa",
                             "check the parameters and the outlets")  # fmt: skip
        radius = tuple(r / strain for r, strain in zip(radius, strains, strict=True))
        findings.add("MATERIAL type", card.words[1], LAWS[card.words[1].upper()], card.words[0])
        reference = at
        vessel.diameter = (2.0 * radius[0], 2.0 * radius[1])
        vessel.reference_pressure = reference
        vessel.modulus = product[0] / (THICKNESS * vessel.diameter[0])
        vessel.thickness = (product[0] / vessel.modulus, product[1] / vessel.modulus)
        findings.add("MATERIAL parameters", " ".join(card.words[6:9]), "give E h only: the thickness is written as a "
                     "tenth of the diameter, and the modulus follows", card.words[0])  # fmt: skip
