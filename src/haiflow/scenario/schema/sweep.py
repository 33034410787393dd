"""``sweep:`` many variants of one scenario: lists, pairs, named ones, samples, faults at places, patients."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Strict, Tag

from haiflow.scenario.schema import fields as f

MOST_VALUES = 100_000
Given = str | float | int
"""A quantity with its unit, or a number, as the swept key takes it."""
Key = Annotated[str, Field(min_length=1, max_length=200)]
Values = Annotated[list[Any], Field(min_length=1, max_length=MOST_VALUES)]
Count = Annotated[int, Strict(), Field(ge=1, le=1_000_000)]
Seed = Annotated[int, Strict(), Field(ge=0, le=2**31 - 1)]


class Uniform(f.Part):
    """Anything between two values is as likely."""

    model_config = ConfigDict(populate_by_name=True)
    kind: Literal["uniform"]
    from_: Given = Field(alias="from")
    to: Given


class Triangular(f.Part):
    """Between two values, most likely in between: what a drawing's tolerance is often taken for."""

    model_config = ConfigDict(populate_by_name=True)
    kind: Literal["triangular"]
    from_: Given = Field(alias="from")
    mode: Given
    to: Given


class Normal(f.Part):
    """Gauss's, with mean and standard deviation; cut off where bounds are given."""

    kind: Literal["normal"]
    mean: Given
    sd: Given
    at_least: Given | None = None
    at_most: Given | None = None


class Lognormal(f.Part):
    """Of positive quantities of the body: median and coefficient of variation; cut off where bounds are given."""

    kind: Literal["lognormal"]
    median: Given
    cv: f.PositiveNumber
    """standard deviation over mean"""
    at_least: Given | None = None
    at_most: Given | None = None


class Choice(f.Part):
    """One of several values, each with its weight; a list where all weigh the same."""

    kind: Literal["choice"]
    of: dict[str, f.Number] | Values


Distribution = Annotated[Uniform | Triangular | Normal | Lognormal | Choice, Field(discriminator="kind")]
Distributions = Annotated[dict[Key, Distribution], Field(min_length=1, max_length=100)]


class Correlation(f.Part):
    """Two sampled keys that go together, by the correlation of their normal scores (a Gaussian copula)."""

    between: tuple[Key, Key]
    of: Annotated[float, Strict(), Field(gt=-1.0, lt=1.0)]


class Sample(f.Part):
    """``n`` random designs: key -> distribution."""

    n: Count
    method: Literal["sobol", "lhs", "halton", "random"] = "sobol"
    """low-discrepancy points (scrambled), a Latin hypercube, or plain random ones"""
    of: Distributions
    correlated: Annotated[tuple[Correlation, ...], Field(max_length=100)] = ()


class Sensitivity(f.Part):
    """The design of a sensitivity study: Sobol' indices by Saltelli's scheme, n (d + 2) variants, or Morris' elementary
    effects, n (d + 1) variants of d keys."""

    method: Literal["sobol", "morris"] = "sobol"
    n: Annotated[int, Strict(), Field(ge=2, le=1_000_000)]
    """base points (a power of two for sobol), or trajectories"""
    of: Distributions


class Campaign(f.Part):
    """Each fault at each place, a variant each: a list in any key of a fault means each of its items."""

    each: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1000)] = Field(alias="each of")
    """faults as under faults:, with lists, e.g. {kind: occlusion, where: {vessel: [a, b]}, severity: [0.5, 1]}"""
    sound: f.Flag = False
    """a further variant without any of them"""


class Population(f.Part):
    """Patients drawn at random: anatomy by its frequency, body mass, and with it the liver's volume and blood flows."""

    n: Count
    method: Literal["sobol", "lhs", "halton", "random"] = "sobol"
    anatomies: dict[f.Name, f.Number] = Field(default_factory=dict)
    """anatomy -> frequency; left out: Michels' types as Covey 2002 found them"""
    mass: Distribution | None = None
    """left out: lognormal, median 75 kg, 20 %, from 40 to 140 kg"""
    liver_scatter: f.ProperShare = 0.15
    """standard deviation of the liver's volume about 191.8 mL + 18.51 mL/kg (Vauthey 2002)"""
    flow_scatter: f.ProperShare = 0.25
    """of the arterial inflow about the anatomy's own at 1.5 L of liver, in proportion to the volume; assumed"""
    portal_scatter: f.ProperShare = 0.2
    """of the portal flow about 1100 mL/min at 1.5 L; assumed"""
    heart_rate: Distribution | None = None
    """left out: normal, 70 /min, 10 /min, from 45 to 120 /min"""


def _campaign_or_lists(given: Any) -> str:
    return "lists" if isinstance(given, list | tuple) else "campaign"


FaultSweep = Annotated[
    Annotated[Campaign, Tag("campaign")] | Annotated[Values, Tag("lists")], Discriminator(_campaign_or_lists)
]


class Sweep(f.Part):
    """The product of all that is given here. Any key of the scenario by its path with a list of values is an axis:
    ``catheter.inner_diameter: [0.4 mm, 0.6 mm]``."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
    __pydantic_extra__: dict[str, Values]

    zip: Annotated[dict[Key, Values], Field(min_length=1)] | None = None
    """lists of one length that go together, key by key"""
    variants: Annotated[dict[f.Name, dict[Key, Any]], Field(min_length=1, max_length=MOST_VALUES)] | None = None
    """name -> keys and values"""
    sample: Sample | None = None
    sensitivity: Sensitivity | None = None
    faults: FaultSweep | None = None
    population: Population | None = None
    seed: Seed = 1
    """of everything that is drawn at random; recorded"""
    outputs: Literal["figures", "full"] = "figures"
    """figures: tables, history and a page without pictures; full: as a single run writes"""

    @property
    def products(self) -> dict[str, list[Any]]:
        """The keys that are axes of their own."""
        return dict(self.__pydantic_extra__ or {})
