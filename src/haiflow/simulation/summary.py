"""The figures of a run: summary.json, in SI, every name with its unit."""

from __future__ import annotations

from typing import Any

import numpy as np

from haiflow import __version__
from haiflow.arteries.periodic import Cycle
from haiflow.catheter.ingress import tip_ingress
from haiflow.liver.model import Liver
from haiflow.liver.perfusion import ML_PER_MIN_PER_100ML, portal_supply
from haiflow.ports import Floats
from haiflow.simulation.blood import BloodFlow, tip_pressure
from haiflow.simulation.circulation import injection_of
from haiflow.simulation.clock import Trajectory
from haiflow.simulation.infusion import CLOSED_PUMP
from haiflow.simulation.ledger import ACCOUNTS, imbalance
from haiflow.simulation.parts import Parts
from haiflow.simulation.routes import targets

MIDDLE = 1  # station of a vessel


def summarise(run: Trajectory, flow: BloodFlow | None, *, name: str, sha256: str, clock: str) -> dict[str, Any]:
    """All figures of one run but its detection table, its twin and its timing."""
    summary: dict[str, Any] = {
        "scenario": {"name": name, "sha256": sha256},
        "haiflow": {"version": __version__},
        "clock": clock,
        "duration_s": run.end,
        "status": "complete" if run.stopped is None else "stopped",
        "drugs": [substance.name for substance in run.timeline.base.substances[1:]],
        "ledger": _ledger(run),
    }
    if run.stopped is not None:
        summary["stopped"] = {"time_s": run.stopped.time_s, "where": run.stopped.where, "reason": run.stopped.reason}
    if run.infusion is not None:
        summary["pump"] = _pump(run)
        summary["catheter"] = _catheter(run, flow)
        if flow is not None:
            summary["split"] = _split(run.timeline.parts_at(0.0), flow)
    if flow is not None:
        summary["arteries"] = _arteries(run, flow)
        base = flow.cycle(flow.base)
        summary["arteries_periodic"] = {"cycles": base.cycles, "residual": base.residual}
        summary["off_target"] = _off_target(run, flow)
    if run.timeline.base.liver is not None and run.blood is not None and flow is not None:
        summary |= Territories(run, flow, run.timeline.base.liver).tables()
    if run.blood is not None and run.timeline.base.body is not None and flow is not None:
        summary["body"] = _body(run, flow)
    return summary


def _ledger(run: Trajectory) -> dict[str, Any]:
    """The books: the therapy's own drug, the carrier liquid, and any further drug by name."""
    relative = imbalance(run.balance)
    names = [substance.name for substance in run.timeline.base.substances]
    books: dict[str, Any] = {}
    if len(names) > 1:
        books["drug"] = {
            "name": names[1], **_book(run.balance[1], "kg"),
            "eliminated_in_liver_kg": 0.0 if run.blood is None else float(run.blood.metabolised[1]),
            "relative_imbalance": float(relative[1]),
        }  # fmt: skip
    carrier = _book(run.balance[0], "m3") | {"relative_imbalance": float(relative[0])}
    if run.infusion is not None:
        carrier |= {"blood_drawn_in_m3": run.infusion.blood_in, "blood_lost_m3": run.infusion.blood_lost}
    books["carrier"] = carrier
    for index, name in enumerate(names[2:], start=2):
        books.setdefault("further_drugs", {})[name] = {
            **_book(run.balance[index], "kg"), "relative_imbalance": float(relative[index])
        }  # fmt: skip
    return books


def _book(row: Floats, unit: str) -> dict[str, float]:
    return {f"{account}_{unit}": float(value) for account, value in zip(ACCOUNTS, row, strict=True)}


def _pump(run: Trajectory) -> dict[str, Any]:
    infusion = run.infusion
    assert infusion is not None
    return {
        "mean_flow_rate_m3_per_s": infusion.pump_volume / run.end if run.end > 0.0 else 0.0,
        "infused_volume_m3": infusion.pump_volume,
        "bolus_volume_m3": infusion.bolus_volume,
        "residual_volume_m3": infusion.reservoir.volume,
        "max_pressure_pa": infusion.max_pump_pressure,
        "stalled_at_s": run.pump_stopped_at,
    }


def _catheter(run: Trajectory, flow: BloodFlow | None) -> dict[str, Any]:
    infusion = run.infusion
    assert infusion is not None
    return {
        "tip_flow_rate_m3_per_s": infusion.tip_volume / run.end if run.end > 0.0 else 0.0,
        "leaked_volume_m3": infusion.leaked_volume,
        "leaked_drug_kg": float(infusion.leaked[1]) if infusion.n > 1 else 0.0,
        "max_pressure_pa": infusion.max_line_pressure,
        "tip_ingress_m3_per_cycle": _ingress(run, flow),
        "dead_volume_m3": infusion.line.dead_volume,
        "blood_fraction_at_end": infusion.blood_fraction(),
    }


def _ingress(run: Trajectory, flow: BloodFlow | None) -> float | None:
    """Blood that the pulse carries into the tip in a beat, as the line is at the start."""
    parts = run.timeline.parts_at(0.0)
    line, tree = parts.line, parts.tree
    if flow is None or line is None or tree is None or line.tip.vessel is None:
        return None
    cycle = flow.cycle(tree)
    drive = CLOSED_PUMP
    if parts.pump is not None and 0.0 in run.timeline.refills:
        volume = run.timeline.refills[0.0].volume
        drive = parts.pump.characteristic(volume, parts.surroundings, parts.infusate.viscosity, 0.0)
    viscosity = np.full(line.n_cells, parts.infusate.viscosity)
    return tip_ingress(line, drive, tip_pressure(cycle, tree, line.tip), cycle.period, viscosity, parts.infusate.density)


def _split(parts: Parts, flow: BloodFlow) -> list[dict[str, Any]]:
    """A row per hole into the artery: the fraction of its drug by branch at the tip's junction."""
    if parts.line is None or parts.tree is None:
        return []
    cycle = flow.cycle(parts.tree)
    injection = injection_of(parts, cycle)
    if injection is None:
        return []
    shares = dict(parts.split) or _mixed(parts, cycle, injection.vessel, injection.position)
    source = "given" if parts.split else "mixed"
    return [
        {"hole": hole.name, "source": source, "fractions": shares} for hole in parts.line.holes if hole.outside == "artery"
    ]


def _mixed(parts: Parts, cycle: Cycle, vessel: str, position: float | str) -> dict[str, float]:
    """Perfect mixing: branches take the drug as they take the blood."""
    tree = parts.tree
    assert tree is not None
    index = tree.vessel(vessel)
    node = tree.start[index] if position == "ostium" else tree.end[index]
    outward = {
        name: float(cycle.mean_flow_rate[i]) if tree.start[i] == node else -float(cycle.mean_flow_rate[i])
        for i, name in enumerate(tree.vessels)
        if node in (tree.start[i], tree.end[i])
    }
    leaving = {name: max(rate, 0.0) for name, rate in outward.items()}
    total = sum(leaving.values())
    return {name: rate / total for name, rate in leaving.items() if total > 0.0 and rate >= 0.0 and outward[name] >= 0.0}


def _weights(run: Trajectory) -> list[tuple[Parts, float]]:
    """Each epoch's parts with its share of the run's time."""
    spans = [(epoch.parts, min(epoch.end, run.end) - epoch.start) for epoch in run.epochs]
    total = sum(span for _, span in spans)
    return [(parts, span / total) for parts, span in spans if total > 0.0 and span > 0.0]


def _cycles(run: Trajectory, flow: BloodFlow) -> list[tuple[Cycle, float]]:
    """Each epoch's cycle with its share of the run's time."""
    found = [(flow.cycle(parts.tree), share) for parts, share in _weights(run) if parts.tree is not None]
    return found or [(flow.cycle(flow.base), 1.0)]


def mean_flow_and_pressure(run: Trajectory, flow: BloodFlow) -> tuple[Floats, Floats]:
    """Flow rate (n_vessels,) m3/s and pressure (n_vessels, 3 stations) gauge Pa, mean over cycle and run."""
    weights = _cycles(run, flow)
    rate = np.sum([share * cycle.mean_flow_rate for cycle, share in weights], axis=0)
    return rate, np.sum([share * cycle.pressure.mean(axis=0) for cycle, share in weights], axis=0)


def _arteries(run: Trajectory, flow: BloodFlow) -> dict[str, Any]:
    """Each vessel's mean flow rate and pressure over the run, and the extremes of pressure in any of its cycles."""
    weights = _cycles(run, flow)
    mean_flow, pressure = mean_flow_and_pressure(run, flow)
    mean_pressure = pressure[:, MIDDLE]
    highest = np.max([cycle.pressure.max(axis=(0, 2)) for cycle, _ in weights], axis=0)
    lowest = np.min([cycle.pressure.min(axis=(0, 2)) for cycle, _ in weights], axis=0)
    return {
        name: {
            "mean_flow_rate_m3_per_s": float(mean_flow[i]),
            "mean_pressure_pa": float(mean_pressure[i]),
            "max_pressure_pa": float(highest[i]),
            "min_pressure_pa": float(lowest[i]),
        }
        for i, name in enumerate(flow.base.vessels)
    }


def mean_outlet_flow(run: Trajectory, flow: BloodFlow) -> dict[str, float]:
    """m3/s by terminal node, mean over the run."""
    total: dict[str, float] = {}
    for parts, share in _weights(run) or [(run.timeline.base, 1.0)]:
        assert parts.tree is not None
        for node, rate in flow.cycle(parts.tree).outlet_flow.items():
            total[node] = total.get(node, 0.0) + share * rate
    return total


def left_pump(run: Trajectory) -> float:
    """Drug (kg) of the therapy that entered the line, by pump or side port."""
    return float(run.infusion.left_pump[1]) if run.infusion is not None and run.infusion.n > 1 else 0.0


def _off_target(run: Trajectory, flow: BloodFlow) -> dict[str, Any]:
    rates, dose = mean_outlet_flow(run, flow), left_pump(run)
    tree = flow.base
    rows = {}
    for index, node in enumerate(tree.terminals):
        vessel = tree.terminal_vessel(node)
        if vessel not in tree.off_target:
            continue
        drug = float(run.blood.delivered[1, index]) if run.blood is not None and dose > 0.0 else 0.0
        rows[vessel] = {
            "flow_rate_m3_per_s": rates[node],
            "drug_delivered_kg": drug,
            "dose_fraction": drug / dose if dose > 0.0 else None,
        }
    return rows


def _body(run: Trajectory, flow: BloodFlow) -> dict[str, Any]:
    """Systemic blood of the therapy's drug, and the advantage of the route."""
    blood = run.blood
    assert blood is not None
    if len(run.timeline.base.substances) < 2 or not blood.at("body", 1).size:
        return {}
    systemic = float(blood.exposure_of("body", 1)[0])
    return {
        "peak_concentration_kg_per_m3": float(run.recorder.peak["body"][1, 0]),
        "exposure_kg_s_per_m3": systemic,
        "hepatic_advantage": _advantage(run, flow, systemic),
    }


def _advantage(run: Trajectory, flow: BloodFlow, systemic: float) -> float | None:
    """Exposure of the arterial blood that enters the liver (drug arrived over flow rate) over that of systemic blood."""
    if run.timeline.base.liver is None or systemic <= 0.0 or run.blood is None:
        return None
    rates, into_liver = mean_outlet_flow(run, flow), [
        sum(share for target, share in shares.items() if target.startswith("liver.")) for shares in targets(run.timeline.base).values()
    ]
    arrived = float(np.dot(into_liver, run.blood.arrived[1]))
    rate = float(np.dot(into_liver, list(rates.values())))
    return arrived / rate / systemic if rate > 0.0 else None


class Territories:
    """Segments and tumours of one run: flows, drug delivered, concentrations."""

    def __init__(self, run: Trajectory, flow: BloodFlow, liver: Liver) -> None:
        self.run, self.liver, self.dose = run, liver, left_pump(run)
        blood = run.blood
        assert blood is not None
        names = liver.names
        self.volume = np.array([item.volume for item in liver.territories])
        rates = mean_outlet_flow(run, flow)
        self.arterial, self.delivered = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
        drug = len(run.timeline.base.substances) > 1
        for index, (node, shares) in enumerate(targets(run.timeline.base).items()):
            for target, share in shares.items():
                territory = target.removeprefix("liver.artery:")
                if territory in self.arterial:
                    self.arterial[territory] += share * rates[node]
                    self.delivered[territory] += share * float(blood.delivered[1, index]) if drug else 0.0
        self.portal = portal_supply(liver)
        partition = run.timeline.base.substances[1].liver.partition if drug else 1.0
        zero = np.zeros(len(names))
        self.exposure = partition * blood.exposure_of("liver", 1)[1::2] if drug else zero
        self.peak = partition * run.recorder.peak["liver"][1, 1::2] if drug and "liver" in run.recorder.peak else zero
        self.segment_peak = partition * run.recorder.segment_peak() if drug and "liver" in run.recorder.peak else None

    def tables(self) -> dict[str, Any]:
        """``segments`` (each with its tumours) and ``tumours``."""
        order = list(dict.fromkeys(item.segment for item in self.liver.territories))
        peaks = self.segment_peak
        segments = {
            segment: self._row(
                [i for i, item in enumerate(self.liver.territories) if item.segment == segment],
                None if peaks is None else float(peaks[order.index(segment)]),
            )
            for segment in order
        }
        tumours = {
            item.name: self._row([i], None if peaks is None else float(self.peak[i]))
            for i, item in enumerate(self.liver.territories)
            if item.kind == "tumour"
        }
        return {"segments": segments, "tumours": tumours}

    def by_territory(self) -> dict[str, dict[str, float]]:
        """Array name of perfusion.vtu -> value by territory."""
        final = self.run.blood.at("liver", 1)[1::2] if self.run.blood is not None and self._has_drug() else np.zeros(len(self.volume))
        partition = self.run.timeline.base.substances[1].liver.partition if self._has_drug() else 1.0
        arterial = np.array(list(self.arterial.values()))
        portal = np.array([self.portal[name] for name in self.liver.names])
        delivered = np.array(list(self.delivered.values()))
        arrays = {
            "arterial_perfusion_ml_per_min_per_100ml": ML_PER_MIN_PER_100ML * arterial / self.volume,
            "perfusion_ml_per_min_per_100ml": ML_PER_MIN_PER_100ML * (arterial + portal) / self.volume,
            "drug_concentration_kg_per_m3": partition * final,
            "exposure_kg_s_per_m3": self.exposure,
            "drug_delivered_kg_per_m3": delivered / self.volume,
        }
        return {name: dict(zip(self.liver.names, map(float, values), strict=True)) for name, values in arrays.items()}

    def _has_drug(self) -> bool:
        return len(self.run.timeline.base.substances) > 1

    def _row(self, index: list[int], peak: float | None) -> dict[str, Any]:
        names = [self.liver.names[i] for i in index]
        volume = float(self.volume[index].sum())
        arterial = sum(self.arterial[name] for name in names)
        portal = sum(self.portal[name] for name in names)
        delivered = sum(self.delivered[name] for name in names)
        exposure = float(self.volume[index] @ self.exposure[index] / volume)
        return {
            "volume_m3": volume,
            "arterial_flow_m3_per_s": arterial,
            "portal_flow_m3_per_s": portal,
            "arterial_perfusion_ml_per_min_per_100ml": ML_PER_MIN_PER_100ML * arterial / volume,
            "perfusion_ml_per_min_per_100ml": ML_PER_MIN_PER_100ML * (arterial + portal) / volume,
            "drug_delivered_kg": delivered,
            "dose_fraction": delivered / self.dose if self.dose > 0.0 else None,
            "mean_tissue_concentration_kg_per_m3": exposure / self.run.end if self.run.end > 0.0 else 0.0,
            "peak_tissue_concentration_kg_per_m3": peak,
            "exposure_kg_s_per_m3": exposure,
        }
