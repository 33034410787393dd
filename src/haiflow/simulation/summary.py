"""The figures of a run: summary.json, in SI, every name with its unit."""

from __future__ import annotations

from typing import Any

import numpy as np

from haiflow import __version__
from haiflow.arteries.periodic import Cycle
from haiflow.catheter.ingress import tip_ingress
from haiflow.ports import Floats
from haiflow.pump.accuracy import trumpet_curve
from haiflow.simulation.averages import cycles, left_pump, mean_flow_and_pressure, mean_outlet_flow
from haiflow.simulation.blood import BloodFlow, tip_pressure
from haiflow.simulation.circulation import injection_of
from haiflow.simulation.clock import Trajectory
from haiflow.simulation.infusion import CLOSED_PUMP
from haiflow.simulation.ledger import ACCOUNTS, imbalance
from haiflow.simulation.parts import Parts
from haiflow.simulation.routes import targets
from haiflow.simulation.territories import Territories

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
        if run.timeline.base.planned_rate > 0.0 and run.end > 0.0:
            summary["pump"]["trumpet"] = _trumpet(run)
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


def _trumpet(run: Trajectory) -> list[dict[str, Any]]:
    """Largest and smallest relative error of what the pump gave, by length of the window it is looked at in."""
    time, rate = run.recorder.series("time"), run.recorder.series("pump_flow_rate")
    replanned = any(change.key == "pump rate" for change in run.timeline.changes)
    if len(time) < 2 or replanned:
        return []
    curve = trumpet_curve(time, rate[1:], run.timeline.base.planned_rate)
    rows = zip(curve.windows.tolist(), curve.lowest.tolist(), curve.highest.tolist(), strict=True)
    return [
        {"window_s": window, "lowest_error": low, "highest_error": high}
        for window, low, high in rows
        if np.isfinite(low) and window >= float(np.diff(time).max())
    ]


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
    return tip_ingress(
        line, drive, tip_pressure(cycle, tree, line.tip), cycle.period, viscosity, parts.infusate.density
    )


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
        {"hole": hole.name, "source": source, "fractions": shares}
        for hole in parts.line.holes
        if hole.outside == "artery"
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
    return {
        name: rate / total for name, rate in leaving.items() if total > 0.0 and rate >= 0.0 and outward[name] >= 0.0
    }


def _arteries(run: Trajectory, flow: BloodFlow) -> dict[str, Any]:
    """Each vessel's mean flow rate and pressure over the run, and the extremes of pressure in any of its cycles."""
    weights = cycles(run, flow)
    mean_flow, pressure = mean_flow_and_pressure(run, flow)
    mean_pressure = pressure[:, MIDDLE]
    drug = run.blood is not None and len(run.timeline.base.substances) > 1
    carried = run.blood.carried[1] if run.blood is not None and drug else np.zeros(len(flow.base.vessels))
    highest = np.max([cycle.pressure.max(axis=(0, 2)) for cycle, _ in weights], axis=0)
    lowest = np.min([cycle.pressure.min(axis=(0, 2)) for cycle, _ in weights], axis=0)
    return {
        name: {
            "mean_flow_rate_m3_per_s": float(mean_flow[i]),
            "mean_pressure_pa": float(mean_pressure[i]),
            "max_pressure_pa": float(highest[i]),
            "min_pressure_pa": float(lowest[i]),
            "drug_carried_kg": float(carried[i]),
        }
        for i, name in enumerate(flow.base.vessels)
    }


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
    """Exposure of the arterial blood that enters the liver (drug over flow rate) over that of the body's blood."""
    if run.timeline.base.liver is None or systemic <= 0.0 or run.blood is None:
        return None
    rates, into_liver = (
        mean_outlet_flow(run, flow),
        [
            sum(share for target, share in shares.items() if target.startswith("liver."))
            for shares in targets(run.timeline.base).values()
        ],
    )
    arrived = float(np.dot(into_liver, run.blood.arrived[1]))
    rate = float(np.dot(into_liver, list(rates.values())))
    return arrived / rate / systemic if rate > 0.0 else None
