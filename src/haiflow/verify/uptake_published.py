"""Floxuridine by artery and by portal vein against patients' biopsies (Sigurdson 1987), with a band.

No parameter is fitted. The study sampled 2 to 5 min after the injection; when, into what volume blood mixes, how much
more arterial blood the tumour has and how fully it metabolises are not known, so they are distributions.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import loguniform, uniform

from haiflow.liver.model import Territory
from haiflow.mesh.field import Sphere
from haiflow.numerics.field import FieldSystem
from haiflow.numerics.joint import JointSystem
from haiflow.ports import Floats, LinearTransport
from haiflow.scenario.schema.patient import Tumour
from haiflow.verify.model import Curve, Figure, Found, Plot, Rival
from haiflow.verify.spread import band, sampled
from haiflow.verify.uptake import drugs, field

STEP, BOLUS = 5.0, 30.0  # s
FIRST = int(90.0 / STEP)  # step from which ratios are drawn: before, there is hardly any drug
BODY = 13e-3  # m3 that blood mixes into: 5 L and what exchanges with it
SPREAD = {
    "body": loguniform(5e-3, 20e-3),  # m3
    "arterial": uniform(1.5, 3.5),  # tumour over liver, of its arterial flow
    "metabolism": uniform(0.0, 1.0),  # of the liver's
    "minutes": uniform(2.0, 3.0),
}
_ALONE = "drug that stays where the first pass of blood takes it: no washing out, no uptake, no return"
BY_FLOW = {  # all of the liver's blood comes by both routes; of a tumour's the ratios say how much more
    "tumour": Rival(_ALONE, float(SPREAD["arterial"].median()) / Tumour.model_fields["portal_ratio"].default),
    "liver": Rival(_ALONE, 1.0),
}
TUMOUR, LIVER = (12.4, 12.2, 0.8, 0.7), (23.9, 11.4, 18.4, 14.5)  # artery, sd, portal vein, sd: nmol/g


def uptake(
    route: str, minutes: float, metabolism: float | None = None, body: float = BODY, arterial: float | None = None
) -> Floats:
    """(steps, 2): amount per volume in tumour and liver, of what was given in 30 s by one route."""
    usual = Tumour.model_validate({"diameter": "30 mm"})
    tumour = Territory(
        "metastasis", "tumour", "VIII", 1.0, usual.arterial_ratio if arterial is None else arterial, usual.portal_ratio,
        usual.metabolism_ratio if metabolism is None else metabolism,
    )  # fmt: skip
    made, supply = field(((tumour, Sphere("metastasis", "VIII", 30e-3)),))
    flows = made.field_transport(drugs()["floxuridine"], made.sinusoids.flow(supply))
    blood = LinearTransport(  # a fifth of the cardiac output goes to the liver
        ("central",), np.array([body]), csr_array([[-1.5e-3 / 60.0]]), ("veins",), csr_array([[1.0]]),
        ("artery", "portal"), csr_array([[0.405e-3 / 60.0], [1.095e-3 / 60.0]]), np.zeros(1),
    )  # fmt: skip
    inlets = flows.inlets
    feeds = {("body.artery", inlets[0]): 1.0, ("body.portal", "portal"): 1.0}
    system = FieldSystem(JointSystem({"body": blood}), "liver", flows, feeds, "body.veins")
    c, lost, rows = np.zeros(system.n), np.zeros(system.n), []
    inlet = f"liver.{inlets[0] if route == 'artery' else 'portal'}"
    size, tissue = np.array([each.volume for each in made.liver.territories]), slice(system.n - flows.n, system.n)
    for step in range(int(minutes * 60 / STEP)):
        given = {inlet: 1.0 / BOLUS} if step < BOLUS / STEP else {}
        done = system.advance(c, STEP, given, scheme="backward_euler")
        c, lost = done.c_new, lost + done.lost
        held = made.by_territory(flows.tissue_volume * c[tissue] + lost[tissue])
        rows.append((held[-1] / size[-1], held[:-1].sum() / size[:-1].sum()))
    return np.array(rows)


def ratios(minutes: float, **inputs: float) -> Floats:
    """(steps, 2): artery over portal vein in tumour and liver, over time."""
    return uptake("artery", minutes, **inputs) / uptake("portal", minutes, **inputs)


def _ratio_band(data: tuple[float, float, float, float], count: int = 20_000) -> tuple[float, float]:
    """5 and 95 % of the ratio of two means of lognormal measurements with these means and deviations."""
    rng, sides = np.random.default_rng(3), []
    for mean, deviation in (data[:2], data[2:]):
        width = np.sqrt(np.log(1.0 + (deviation / mean) ** 2))
        sides.append(rng.lognormal(np.log(mean) - 0.5 * width**2, width, count))
    low, high = np.percentile(sides[0] / sides[1], (5.0, 95.0))
    return float(low), float(high)


def sigurdson(count: int = 8) -> Found:
    """Ratios of uptake against those of the patients, each within the patients' own spread."""
    drawn = sampled(SPREAD, count)
    curves = [ratios(5.0, metabolism=float(m), body=float(v), arterial=float(a))
              for m, v, a in zip(drawn["metabolism"], drawn["body"], drawn["arterial"], strict=True)]  # fmt: skip
    every, time = np.array(curves), np.asarray(STEP / 60.0 * np.arange(1, int(300 / STEP) + 1))
    at = np.array([np.searchsorted(time, minute) for minute in drawn["minutes"]]).clip(max=len(time) - 1)
    figures: list[Figure | Plot] = []
    for place, (name, data) in enumerate({"tumour": TUMOUR, "liver": LIVER}.items()):
        low, high = _ratio_band(data)
        sample = every[np.arange(count), at, place]
        ours = np.percentile(sample, (5.0, 95.0))
        note = f"inputs' spread gives {ours[0]:.2g} to {ours[1]:.2g}; the interval is 90 % of the patients'"
        what = f"{name}, artery over portal vein, 2 to 5 min, median"
        figures.append(Figure(what, float(np.median(sample)), low, high, data[0] / data[2], note, (BY_FLOW[name],)))
        bottom, top = band(every[:, FIRST:, place])
        line, two = np.full(2, data[0] / data[2]), np.array([2.0, 5.0])
        known = Curve("Sigurdson 1987", two, line, known=True, low=np.full(2, low), high=np.full(2, high))
        middle = np.asarray(np.median(every[:, FIRST:, place], axis=0))
        computed = Curve("haiflow, median and band", time[FIRST:], middle, low=bottom, high=top)
        title = f"Floxuridine in the {name}: by artery over by portal vein"
        figures.append(Plot(title, "time after injection / min", "ratio of uptake", (computed, known), log="y"))
    return figures
