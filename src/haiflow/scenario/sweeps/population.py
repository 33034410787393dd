"""Patients drawn at random, each with what goes together in a body.

Anatomy by the frequency of Michels' types (Covey 2002, Radiology 224:542, 600 patients; shares of the ten types alone).
Body mass by a distribution; liver volume 191.8 mL + 18.51 mL/kg of it with scatter (Vauthey 2002, Liver Transpl 8:233,
292 adults); arterial inflow and portal flow in proportion to the liver's volume, as in the anatomy at 1.5 L, with
scatter of their own [assumed]; heart rate by a distribution. A dose per body mass follows the patient's mass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from haiflow.errors import nearest
from haiflow.scenario import library
from haiflow.scenario.problems import Problems
from haiflow.scenario.read import KeyPath
from haiflow.scenario.schema.sweep import Choice, Lognormal, Normal, Population
from haiflow.scenario.sweeps.axes import Cell, Column, Setting
from haiflow.scenario.sweeps.distributions import GAUSS, Drawn, ready
from haiflow.scenario.sweeps.samples import Sampled, Table
from haiflow.units import number_in

if TYPE_CHECKING:
    from haiflow.ports import Floats

PLACE: KeyPath = ("sweep", "population")
MICHELS = {
    "michels-1": 61.3, "michels-2": 3.8, "michels-3": 8.7, "michels-4": 0.5, "michels-5": 10.7, "michels-6": 1.5,
    "michels-7": 1.0, "michels-8": 3.0, "michels-9": 2.0,
}  # fmt: skip
MASS = Lognormal(kind="lognormal", median="75 kg", cv=0.2, at_least="40 kg", at_most="140 kg")
HEART_RATE = Normal(kind="normal", mean="70 /min", sd="10 /min", at_least="45 /min", at_most="120 /min")
LIVER_BASE, LIVER_BY_MASS = 191.8, 18.51  # mL, mL/kg
USUAL_LIVER, USUAL_PORTAL = 1500.0, 1100.0  # mL, mL/min: what the anatomies' flows are meant for
COLUMNS = (
    Column("arteries.anatomy"), Column("patient.mass", "kg"), Column("liver.volume", "mL"),
    Column("arteries.inflow.mean", "mL/min"), Column("liver.portal_flow", "mL/min"),
    Column("arteries.inflow.heart_rate", "/min"),
)  # fmt: skip


@dataclass(frozen=True)
class Patients:
    """A patient for each row of shares: anatomy, mass, liver, artery, portal vein, heart."""

    anatomy: Drawn
    mass: Drawn
    heart_rate: Drawn
    scatter: tuple[float, float, float]  # of liver volume, arterial flow, portal flow: coefficients of variation
    columns: tuple[Column, ...] = COLUMNS

    def values(self, shares: Floats) -> dict[str, Any]:
        """Key -> value."""
        anatomy, mass = str(self.anatomy.value(float(shares[0]))), self.mass.value(float(shares[1]))
        liver, artery, portal = (
            _scattered(cv, float(share)) for cv, share in zip(self.scatter, shares[2:5], strict=True)
        )
        volume = (LIVER_BASE + LIVER_BY_MASS * number_in(mass, "kg")) * liver
        size = volume / USUAL_LIVER
        inflow = number_in(library.entry("anatomies", anatomy).values["inlet"]["mean"], "mL/min")
        return {
            "arteries.anatomy": anatomy,
            "patient.mass": mass,
            "liver.volume": f"{volume:.8g} mL",
            "arteries.inflow.mean": f"{inflow * size * artery:.8g} mL/min",
            "liver.portal_flow": f"{USUAL_PORTAL * size * portal:.8g} mL/min",
            "arteries.inflow.heart_rate": self.heart_rate.value(float(shares[5])),
        }

    def settings(self, shares: Floats) -> list[Setting]:
        values = self.values(shares)
        inflow = {key.rpartition(".")[2]: values.pop(key) for key in list(values) if key.startswith("arteries.inflow.")}
        # The whole inflow: its vessel is that of the patient's own anatomy.
        values = {"arteries.anatomy": values.pop("arteries.anatomy"), "arteries.inflow": inflow, **values}
        return [Setting(key, value, PLACE) for key, value in values.items()]

    def cells(self, shares: Floats) -> dict[str, Cell]:
        values = self.values(shares)
        return {column.header: column.cell(values[column.key]) for column in self.columns}


def _scattered(cv: float, share: float) -> float:
    """A lognormal factor of mean one."""
    spread = math.sqrt(math.log1p(cv**2))
    return math.exp(spread * GAUSS.inv_cdf(min(max(share, 1e-12), 1.0 - 1e-12)) - 0.5 * spread**2)


def population_axis(problems: Problems, given: Population, seed: int) -> Sampled | None:
    """The axis of ``population:``; None where something is wrong with it."""
    known = library.names("anatomies")
    unknown = [name for name in given.anatomies if name not in known]
    for name in unknown:
        rule = "not one of the anatomies in the library"
        problems.add((*PLACE, "anatomies", name), name, rule, nearest(name, known), key=True)
    anatomy = ready(problems, (*PLACE, "anatomies"), Choice(kind="choice", of=given.anatomies or MICHELS))
    mass = ready(problems, (*PLACE, "mass"), given.mass or MASS)
    heart_rate = ready(problems, (*PLACE, "heart_rate"), given.heart_rate or HEART_RATE)
    if unknown or anatomy is None or mass is None or heart_rate is None:
        return None
    scatter = (given.liver_scatter, given.flow_scatter, given.portal_scatter)
    return Sampled(Table(given.method, given.n, 6, seed), Patients(anatomy, mass, heart_rate, scatter))
