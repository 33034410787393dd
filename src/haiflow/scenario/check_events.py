"""Contradictions in what happens: events and faults after the end, at places or to parts that do not exist."""

from __future__ import annotations

from typing import Any

from haiflow.errors import nearest
from haiflow.scenario import check_line
from haiflow.scenario.model import Catheter, Event, Leak, Network, Occlusion
from haiflow.scenario.problems import Problems
from haiflow.scenario.read import KeyPath
from haiflow.scenario.schema.run import Run
from haiflow.units import format_quantity

ACTIONS = ("refill", "bolus", "patient", "pump")


def schedule(problems: Problems, sound: dict[str, Any]) -> None:
    """Every event is one action within the run."""
    duration = sound.get("run", Run()).duration
    refilled: dict[float, int] = {}
    for index, event in sound.get("schedule", {}).items():
        path: KeyPath = ("schedule", index)
        given = [key for key in ACTIONS if getattr(event, key) is not None]
        if len(given) != 1:
            rule = "an event does one thing" if given else "the event does nothing"
            problems.add(
                path, ", ".join(given) or "at", rule, f"give one of: {', '.join(ACTIONS)}; repeat 'at' for more"
            )
        _within(problems, (*path, "at"), event.at, duration)
        _actions(problems, path, event, sound, duration)
        if event.refill is not None and refilled.setdefault(event.at, index) != index:
            _add(
                problems,
                (*path, "at"),
                f"the reservoir is refilled then already (schedule.{refilled[event.at]})",
                "keep one",
            )


def _actions(problems: Problems, path: KeyPath, event: Event, sound: dict[str, Any], duration: float) -> None:
    pump = sound.get("pump")
    for key in ("refill", "bolus", "pump"):
        if getattr(event, key) is not None and "pump" not in problems.document.root:
            _add(problems, (*path, key), "there is no pump", "add 'pump:' or delete the event", key=True)
            return
    if event.refill is not None:
        check_line.fill(problems, (*path, "refill"), event.refill, pump)
    if event.bolus is not None:
        check_line.bolus(problems, (*path, "bolus"), event.bolus, duration)
    if event.patient is not None:
        altitude_or_pressure(problems, (*path, "patient"), event.patient)
        if not event.patient.model_fields_set:
            _add(
                problems,
                (*path, "patient"),
                "nothing changes",
                "give temperature, ambient_pressure or altitude",
                key=True,
            )
    if event.pump is not None:
        _reprogramming(problems, (*path, "pump"), event, pump)


def _reprogramming(problems: Problems, path: KeyPath, event: Event, pump: Any) -> None:
    if pump is not None and pump.drive == "gas":
        _add(
            problems,
            path,
            "a gas-driven pump cannot be programmed",
            "delete the event, or use 'drive: peristaltic'",
            key=True,
        )
    if event.pump is not None and event.pump.programme is not None:
        check_line.programme(problems, (*path, "programme"), tuple(step.start for step in event.pump.programme))
    if event.pump is not None and not event.pump.model_fields_set:
        _add(problems, path, "nothing changes", "give basal_rate or programme", key=True)


def altitude_or_pressure(problems: Problems, path: KeyPath, given: Any) -> None:
    """Not both."""
    if given.altitude is not None and {"altitude", "ambient_pressure"} <= given.model_fields_set:
        rule = "altitude and ambient_pressure say the same twice"
        _add(problems, (*path, "altitude"), rule, "keep one of them", key=True)


def faults(problems: Problems, sound: dict[str, Any], network: Network | None) -> None:
    """Every fault starts within the run, at a place that exists."""
    duration = sound.get("run", Run()).duration
    for index, fault in sound.get("faults", {}).items():
        path: KeyPath = ("faults", index)
        _within(problems, (*path, "onset"), fault.onset, duration)
        needed = _needed_part(fault)
        if needed not in problems.document.root:
            _add(problems, path, f"there is no part '{needed}' that could fail", f"add '{needed}:' or delete the fault")
        elif fault.kind == "occlusion":
            _occlusion(problems, path, fault, sound.get("catheter"), network)
        elif fault.kind == "leak" and sound.get("catheter") is not None:
            _leak(problems, path, fault, sound["catheter"])
        elif fault.kind == "dislodgement" and not isinstance(fault.to, str):
            _dislodgement(problems, path, fault, sound.get("catheter"), network)


def _needed_part(fault: Any) -> str:
    if fault.kind == "stall":
        return "pump"
    return "arteries" if fault.kind == "occlusion" and fault.where.vessel is not None else "catheter"


def _within(problems: Problems, path: KeyPath, time: float, duration: float) -> None:
    if time >= duration:
        end = format_quantity(duration, "time", digits=6)
        _add(problems, path, f"not before the end of the run at {end}", f"give a time below {end}, or run longer")


def _occlusion(
    problems: Problems, path: KeyPath, fault: Occlusion, catheter: Catheter | None, network: Network | None
) -> None:
    where = fault.where
    given = [key for key in ("vessel", "catheter", "side_hole") if getattr(where, key) is not None]
    if len(given) != 1:
        rule = "an occlusion is at one place"
        _add(problems, (*path, "where"), rule, "give one of: vessel, catheter, side_hole")
        return
    if where.vessel is not None and network is not None and where.vessel not in network.vessels:
        remedy = nearest(where.vessel, network.vessels)
        _add(problems, (*path, "where", "vessel"), "no such vessel in the arteries", remedy)
    if catheter is None:
        return
    if isinstance(where.catheter, float):
        check_line.on_catheter(problems, (*path, "where", "catheter"), where.catheter, catheter)
    if where.catheter == "tip" and catheter.tip.closed_end:
        rule = "the tip is closed by design"
        _add(problems, (*path, "where", "catheter"), rule, "name a side hole: 'where: {side_hole: 1}'")
    holes = sum(hole.count for hole in catheter.side_holes)
    if where.side_hole is not None and where.side_hole > holes:
        _add(problems, (*path, "where", "side_hole"), f"the catheter has {holes} side holes", "count from 1")


def _leak(problems: Problems, path: KeyPath, fault: Leak, catheter: Catheter) -> None:
    spot = (*path, "where", "catheter")
    if fault.where.catheter == "tip":
        _add(problems, spot, "the tip is open anyway", "give 'connector' or a length from the pump")
    elif isinstance(fault.where.catheter, float):
        check_line.on_catheter(problems, spot, fault.where.catheter, catheter)
        if fault.where.catheter == catheter.length:
            _add(problems, spot, "the tip is open anyway", "give a place before the tip")
    if fault.torn == (fault.orifice_diameter is not None):
        rule = "a torn lumen has the orifice of its bore" if fault.torn else "a leak has an orifice"
        remedy = "delete orifice_diameter" if fault.torn else "add 'orifice_diameter: 0.1 mm', or 'torn: true'"
        _add(problems, (*path, "orifice_diameter") if fault.torn else path, rule, remedy)
    elif fault.orifice_diameter is not None and fault.orifice_diameter > catheter.inner_diameter:
        rule = "the orifice is wider than the lumen"
        _add(problems, (*path, "orifice_diameter"), rule, "make it smaller, or use 'torn: true'")


def _dislodgement(
    problems: Problems, path: KeyPath, fault: Any, catheter: Catheter | None, network: Network | None
) -> None:
    if network is None:
        if "arteries" not in problems.document.root:
            _add(problems, (*path, "to"), "there are no arteries to move to", "use 'to: tissue', or add 'arteries:'")
        return
    if catheter is not None:
        check_line.lies_in(problems, (*path, "to"), fault.to.vessel, fault.to.position, catheter, network)


def _add(problems: Problems, path: KeyPath, rule: str, remedy: str, *, key: bool = False) -> None:
    given = problems.given(path)
    shown = (
        given if not isinstance(given, dict | list) else path[-1] if isinstance(path[-1], str) else f"item {path[-1]}"
    )
    problems.add(path, shown, rule, remedy, key=key)
