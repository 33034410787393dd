"""The body against closed forms: two compartments, clearance, and the advantage of the arterial route."""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm

from haiflow.body.exposure import area_under_curve, dedrick_advantage, exposure_ratio
from haiflow.body.model import Body, SystemicKinetics
from haiflow.body.model import transport as body_transport
from haiflow.liver.build import DEFAULT_FRACTIONS, TumourSpec, build_liver
from haiflow.liver.kinetics import DrugKinetics
from haiflow.liver.model import Liver
from haiflow.liver.perfusion import arterial_supply, portal_split
from haiflow.liver.transport import transport as liver_transport
from haiflow.numerics.joint import JointSystem
from haiflow.ports import Floats
from haiflow.verify.model import Case, Curve, Figure, Found, Plot, at_most, order, within

DRUG = SystemicKinetics("drug", 12e-3, 30e-3, 0.8e-3 / 60, 2.0e-3 / 60)
DOSE = 1e-4  # kg
ARTERIAL = 400e-6 / 60  # m3/s
INFUSED = 1e-9  # kg/s


def biexponential(t: Floats) -> Floats:
    """c_1(t) = D/V_1 [ (a - k21)/(a - b) exp(-a t) + (k21 - b)/(a - b) exp(-b t) ], a + b = k10 + k12 + k21,
    a b = k10 k21 (Gibaldi & Perrier 1982, eq. 2.18)."""
    k10, k12, k21 = (
        DRUG.total_clearance / DRUG.central_volume, DRUG.distribution_clearance / DRUG.central_volume,
        DRUG.distribution_clearance / DRUG.peripheral_volume,
    )  # fmt: skip
    total = k10 + k12 + k21
    root = np.sqrt(total**2 - 4 * k10 * k21)
    a, b = (total + root) / 2, (total - root) / 2
    fast, slow = (a - k21) / (a - b), (k21 - b) / (a - b)
    return np.asarray(DOSE / DRUG.central_volume * (fast * np.exp(-a * t) + slow * np.exp(-b * t)))


def _marched(steps: int, end: float) -> Floats:
    """(steps + 1,) central concentration by the solver's own steps."""
    system, c = JointSystem({"body": body_transport(Body(), DRUG, 0.0, 0.0)}), np.array([DOSE / 12e-3, 0.0])
    rows = [c[0]]
    for _ in range(steps):
        c = system.advance(c, end / steps, {}).c_new
        rows.append(c[0])
    return np.array(rows)


def bolus() -> Found:
    """An intravenous bolus: the equations by their matrix exponential, and the solver's steps over an hour."""
    balance = body_transport(Body(), DRUG, 0.0, 0.0)
    generator = balance.rate.toarray() / balance.volume[:, None]
    start, times = np.array([DOSE / DRUG.central_volume, 0.0]), np.array([60.0, 600.0, 3600.0, 4 * 3600.0])
    found, known = np.array([(expm(generator * t) @ start)[0] for t in times]), biexponential(times)
    errors = []
    for steps in (60, 120, 240):
        t, c = np.linspace(0.0, 3600.0, steps + 1), _marched(steps, 3600.0)
        errors.append(float(np.abs(c / biexponential(t) - 1.0).max()))
    long = np.linspace(0.0, 40 * 3600.0, 40_001)
    area = area_under_curve(long, biexponential(long)) * DRUG.total_clearance / DOSE
    return [
        at_most("the equations, largest relative error", np.abs(found / known - 1.0).max(), 1e-11),
        order("the steps over an hour, 120 to 240", errors, 2.0, 1.9, 2.0),
        at_most("the steps, largest relative error on 240", errors[-1], 1.2e-3),
        within("exposure, of dose over clearance", float(area), 1.0, 1e-4),
        Plot("An intravenous bolus in two compartments", "time / min", "plasma / (mg/L)",
             (Curve("haiflow, 240 steps", t / 60.0, 1e3 * c),
              Curve("exact", t / 60.0, 1e3 * biexponential(t), known=True)), log="y"),
    ]  # fmt: skip


def steady(
    liver: Liver, drug: DrugKinetics, systemic: SystemicKinetics, *, into_artery: bool
) -> tuple[float, float, float]:
    """Hepatic arterial and systemic concentration (kg/m3), and what is eliminated (kg/s): the circle of body, artery,
    portal vein and liver, solved directly."""
    supply = arterial_supply(liver, {name: ARTERIAL * share for name, share in DEFAULT_FRACTIONS.items()})
    lv, bd = liver_transport(liver, drug, supply), body_transport(Body(), systemic, ARTERIAL, liver.portal_flow)
    n, total = len(bd.names), len(bd.names) + len(lv.names)
    artery = np.array([supply.get(name, 0.0) / ARTERIAL for name in liver.names])
    portal = np.array([portal_split(liver)[name] for name in liver.names])
    into_liver = lv.gain.toarray() @ np.concatenate([artery, np.zeros_like(portal)])
    from_portal = lv.gain.toarray() @ np.concatenate([np.zeros_like(artery), portal])
    matrix, source = np.zeros((total, total)), np.zeros(total)
    matrix[:n, :n], matrix[n:, n:] = bd.rate.toarray(), lv.rate.toarray()
    matrix[n:, :n] += np.outer(into_liver, bd.outlet.toarray()[0]) + np.outer(from_portal, bd.outlet.toarray()[1])
    matrix[:n, n:] += np.outer(bd.gain.toarray()[:, 0], lv.outlet.toarray()[0])
    if into_artery:
        source[n:] = INFUSED * into_liver
    else:
        source[0] = INFUSED
    c = np.linalg.solve(matrix, -source)
    eliminated = float(np.concatenate([bd.loss, lv.loss]) @ c)
    return float(c[0] + (INFUSED / ARTERIAL if into_artery else 0.0)), float(c[0]), eliminated


def advantage() -> Found:
    """Hepatic arterial over systemic concentration by the artery, over the same by a vein:
    R_d = 1 + CL_TB / (Q_HA (1 - E)), where CL_TB counts the liver."""
    figures: list[Figure | Plot] = []
    ratios, known, eliminated = [], [], []
    for ratio, litres in ((0.95, 4.0), (0.95, 25.0), (0.35, 2.0), (0.15, 1.5), (0.0, 0.4)):
        liver, drug, clearance = build_liver(), DrugKinetics("drug", ratio), litres * 1e-3 / 60
        systemic = SystemicKinetics("drug", 12e-3, 20e-3, 1e-5, clearance, ratio)
        artery, blood, gone = steady(liver, drug, systemic, into_artery=True)
        vein_artery, vein_blood, _ = steady(liver, drug, systemic, into_artery=False)
        ratios.append(exposure_ratio(artery, blood) / exposure_ratio(vein_artery, vein_blood))
        known.append(dedrick_advantage(clearance, ARTERIAL, ratio))
        eliminated += [gone / INFUSED - 1.0, vein_blood * clearance / INFUSED - 1.0]
        figures.append(within(f"advantage at E = {ratio:g}, clearance {litres:g} L/min", ratios[-1], known[-1], 1e-9))
    sick = build_liver(tumours=[TumourSpec(0.05, segment="VIII", arterial_ratio=3.0)])
    systemic = SystemicKinetics("drug", 12e-3, 20e-3, 1e-5, 4e-3 / 60, 0.95)
    artery, blood, _ = steady(sick, DrugKinetics("drug", 0.95), systemic, into_artery=True)
    bound = exposure_ratio(artery, blood) / dedrick_advantage(4e-3 / 60, ARTERIAL, 0.95)
    return [
        *figures,
        at_most("infused less eliminated, largest, of the infused", np.abs(eliminated).max(), 1e-10),
        Figure("with a tumour that metabolises nothing, of the law (an upper bound)", bound, 0.0, 1.0 - 1e-9),
    ]


BODY = (
    Case("bolus", "two compartments, an intravenous bolus", "Gibaldi & Perrier 1982, eq. 2.18", bolus,
         limits="rates of distribution and clearance are the library's"),
    Case("advantage", "advantage of the arterial route", "Dedrick & Collins (Collins 1984, J Clin Oncol 2:498)",
         advantage, limits="steady state; measured advantages rest on clearances that vary tenfold"),
)  # fmt: skip
