"""What the liver takes up: extraction of each drug, saturation, and floxuridine by artery and by portal vein."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
from scipy.integrate import solve_ivp
from scipy.sparse import csr_array
from scipy.sparse.linalg import spsolve

from haiflow.body.model import SystemicKinetics
from haiflow.liver.build import DEFAULT_FRACTIONS, build_liver
from haiflow.liver.field import PerfusedLiver
from haiflow.liver.kinetics import DrugKinetics
from haiflow.liver.model import Liver, Territory
from haiflow.liver.perfusion import arterial_supply, perfusion
from haiflow.liver.pieces import cut
from haiflow.liver.regulation import buffer_response
from haiflow.liver.sinusoids import Sinusoids, drain_conductance
from haiflow.liver.transport import transport
from haiflow.mesh.field import Sphere, mark_tumours
from haiflow.mesh.standard import standard_liver
from haiflow.numerics.joint import JointSystem
from haiflow.ports import Floats
from haiflow.scenario.library import names as library_names
from haiflow.scenario.load import loads
from haiflow.simulation.assemble import substance
from haiflow.simulation.parts import Substance
from haiflow.simulation.routes import joint_step
from haiflow.verify.model import Curve, Figure, Found, Plot, at_most, within

ARTERIAL = 400e-6 / 60  # m3/s
PERFUSION = 1.0 / 60.0  # 1/s: 1.5 L/min in 1.5 L
SEGMENTS = tuple(DEFAULT_FRACTIONS)


def _drugs() -> Iterator[tuple[str, DrugKinetics]]:
    scenario = {"haiflow": 1, "pump": {"model": "synchromed-ii-40"}, "catheter": {"model": "intera-straight"}}
    for name in library_names("drugs"):
        fill = {"drug": name, "concentration": "1 mg/L", "volume": "30 mL"}
        text = json.dumps({**scenario, "pump": {"model": "synchromed-ii-40", "fill": fill}})
        yield name, substance(name, loads(text).model.drugs[name]).liver


@cache
def drugs() -> dict[str, DrugKinetics]:
    """Every drug of the library as the liver takes it."""
    return dict(_drugs())


def extracted(liver: Liver, drug: DrugKinetics, arterial: dict[str, float]) -> float:
    """Steady state of V dc/dt = rate c + gain m_in with all inflow at one concentration, solved directly."""
    balance, flows = transport(liver, drug, arterial), perfusion(liver, arterial)
    inflow = np.concatenate([flows.arterial_flow, flows.portal_flow])
    c = spsolve(balance.rate.tocsc(), -(balance.gain @ inflow))
    return 1.0 - float((balance.outlet @ c)[0]) / float(inflow.sum())


def uniform(liver: Liver, flow: float) -> dict[str, float]:
    return arterial_supply(liver, {name: flow * share for name, share in DEFAULT_FRACTIONS.items()})


def compartments() -> Found:
    """The library's ratio at the reference flow in a liver of any size; E = CLe / (Q + CLe) off it."""
    figures = []
    for name, drug in drugs().items():
        if drug.trapped_fraction == 0.0:
            ratio = extracted(build_liver(), drug, uniform(build_liver(), ARTERIAL))
            figures.append(at_most(f"{name}: extraction less the library's", ratio - drug.extraction_ratio, 1e-12))
    small = build_liver(volume=0.9e-3, portal_flow=1100e-6 / 60 * 0.6)
    off = extracted(small, DrugKinetics("drug", 0.35), uniform(small, 0.6 * ARTERIAL)) - 0.35
    figures.append(at_most("the same in a liver of 0.9 L", off, 1e-12))
    factors, found = np.array([0.25, 0.5, 1.0, 2.0, 3.0]), []
    for factor in factors:
        liver = build_liver(portal_flow=1100e-6 / 60 * factor)
        found.append(extracted(liver, DrugKinetics("drug", 0.6), uniform(liver, ARTERIAL * factor)))
    known = 1.5 / (factors + 1.5)
    figures.append(at_most("extraction off the reference flow, largest error", np.abs(found - known).max(), 1e-12))
    curves = (Curve("haiflow", factors, np.array(found)), Curve("exact", factors, known, known=True))
    return [*figures, Plot("Extraction against blood flow", "blood flow, of the reference", "extraction ratio", curves)]


def field(
    tumours: tuple[tuple[Territory, Sphere], ...] = (), perfused: float = PERFUSION, arterial: float = 0.27
) -> tuple[PerfusedLiver, Floats]:
    """A liver in 3D fed alike everywhere but in its tumours, by one artery and one portal vein; and its supply."""
    mesh = standard_liver()
    territories = [Territory(name, "segment", name, 1.0) for name in SEGMENTS] + [t for t, _ in tumours]
    marks = mark_tumours(mesh, [sphere for _, sphere in tumours])
    region = np.where(marks > 0, len(SEGMENTS) + marks - 1, mesh.couinaud_segment - 1).astype(np.int32)
    size = np.bincount(region, weights=mesh.volumes)
    liver = Liver(
        tuple(replace(t, volume=float(v)) for t, v in zip(territories, size, strict=True)),
        portal_flow=(1.0 - arterial) * perfused * mesh.volume,
    )
    draw = [mesh.volumes * np.array([getattr(t, f"{way}_ratio") for t in territories])[region]
            for way in ("arterial", "portal")]  # fmt: skip
    shares, pieces = [each / each.sum() for each in draw], cut(mesh.tetra, mesh.volumes, region)
    made = PerfusedLiver(
        liver, Sinusoids(mesh.points, pieces, np.full(len(region), 1.56e-14 / 3.8e-3), np.zeros(0)), ("hilum",),
        csr_array(shares[0][:, None]), shares[1], np.arange(len(territories), dtype=np.int32),
        np.zeros(len(territories), dtype=bool), np.zeros(len(region), np.int32),
    )  # fmt: skip
    supply = made.supply(np.array([arterial * perfused * mesh.volume]), liver.portal_flow)
    sinusoids = replace(made.sinusoids, conductance=drain_conductance(supply), solved={})
    return replace(made, sinusoids=sinusoids), supply


def extracted_in_3d(drug: DrugKinetics) -> float:
    """Share of a steady inflow that a liver perfused alike everywhere does not let out again."""
    made, supply = field()
    flows = made.field_transport(drug, made.sinusoids.flow(supply))
    inflow = flows.gain_blood @ np.array([0.27, 0.73])
    total = flows.exchange + flows.clearance
    taken = np.divide(flows.exchange * flows.clearance, total, out=np.zeros_like(total), where=total > 0.0)
    blood = flows.graph.solve(flows.graph.given + flows.drain + taken, inflow, 1.0)
    return 1.0 - float(flows.drain @ blood)


def in_3d() -> Found:
    """What lodges never gets as far as the veins; of the rest the drug's own ratio is taken."""
    off = {
        name: extracted_in_3d(drug) - (drug.trapped_fraction or drug.extraction_ratio) for name, drug in drugs().items()
    }
    return [at_most(f"{name}: extraction less its own", error, 1e-9) for name, error in off.items()]


def calibrated(extraction: float) -> tuple[float, float]:
    """Exchange and intrinsic clearance per volume (1/s) of a flow-limited drug: CLe = q E / (1 - E), PS ten times."""
    effective = PERFUSION * extraction / (1.0 - extraction)
    exchange = 10.0 * max(PERFUSION, effective)
    return exchange, effective * exchange / (exchange - effective)


def fed_and_stopped(load: float) -> tuple[Floats, Floats, Floats]:
    """Times (n,) s, and blood and tissue (n, 2) kg/m3 of a territory of 0.3 L by haiflow and by Michaelis and Menten's
    equations: from empty, fed for 120 s with ``load`` of what the tissue can metabolise at most, then for 20 s not."""
    volume, portal, arterial, half, partition = 0.3e-3, 3e-6, 1e-6, 2e-3, 0.8
    exchange, intrinsic = (value * volume for value in calibrated(0.7))
    liver = Liver((Territory("V", "segment", "V", volume),), portal)
    kinetics = DrugKinetics("drug", extraction_ratio=0.7, partition=partition, half_saturation=half)
    taken = Substance("drug", 1e-9, kinetics, SystemicKinetics("drug", 0.013))
    system = JointSystem({"liver": transport(liver, kinetics, {"V": arterial})})
    volumes = np.array([0.14, partition * 0.86]) * volume

    def balance(_: float, c: Floats, entering: float) -> Floats:
        crossing, metabolised = exchange * (c[0] - c[1]), intrinsic * c[1] / (1.0 + c[1] / half)
        return np.array([entering - (portal + arterial) * c[0] - crossing, crossing - metabolised]) / volumes

    time, ours, exact = [0.0], [np.zeros(2)], [np.zeros(2)]
    for entering, span in ((load * intrinsic * half, 120.0), (0.0, 20.0)):
        steps = np.arange(1.0, span + 0.5)
        found = solve_ivp(balance, (0.0, span), exact[-1], args=(entering,), method="LSODA", rtol=1e-10, atol=1e-16,
                          t_eval=steps)  # fmt: skip
        exact += list(found.y.T)
        for _ in steps:
            ours.append(joint_step(system, taken, liver, ours[-1], 1.0, {"liver.artery:V": entering}).c_new)
        time += list(time[-1] + steps)
    return np.array(time), np.array(ours), np.array(exact)


def saturation() -> Found:
    """One territory of 0.3 L from empty, and after the drug is stopped, against Michaelis and Menten's equations."""
    figures: list[Figure | Plot] = []
    for load, most in ((0.2, 1e-3), (1.0, 2e-4), (5.0, 3e-5)):
        t, ours, theirs = fed_and_stopped(load)
        figures.append(at_most(f"tissue at the end, load {load:g}", ours[-1, 1] / theirs[-1, 1] - 1.0, most))
    curves = (
        Curve("haiflow", t, 1e3 * ours[:, 1]),
        Curve("ordinary differential equations", t, 1e3 * theirs[:, 1], known=True),
    )
    figures.append(Plot("Saturable uptake, five times the highest rate, stopped at 120 s", "time / s",
                        "concentration in tissue / (mg/L)", curves))  # fmt: skip
    return figures


def buffer() -> Found:
    """The published fit at a portal flow halved, and what it must be at rest."""
    rest = 1100e-6 / 60
    fall = np.linspace(0.0, 100.0, 21)
    fit = 0.0007102 * fall**2 + 0.5492 * fall
    found = np.array([100.0 * (buffer_response(rest * (1.0 - f / 100.0), rest) - 1.0) for f in fall])
    return [
        within("rise of the arterial flow at half the portal flow, %", float(found[10]), 29.2, 0.01),
        at_most("rise at rest, %", found[0], 1e-12),
        Plot("Arterial buffer response", "fall of the portal flow / %", "rise of the arterial flow / %",
             (Curve("haiflow", fall, found), Curve("published fit", fall, fit, known=True))),
    ]  # fmt: skip
