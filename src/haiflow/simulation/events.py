"""Schedule and faults of a scenario as changes on a timeline.

A growing fault is followed in levels that are equal steps of severity, and denser towards full closure, where the
resistance of what is left open rises without bound; each level holds from the time at which the law reaches it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from haiflow.catheter.line import Line, Pocket
from haiflow.faults import dislodgement, growth, leak, occlusion, stall
from haiflow.ports import Floats, Fluid, Surroundings
from haiflow.pump.drives import PeristalticDrive
from haiflow.scenario import model as given
from haiflow.simulation import assemble
from haiflow.simulation.parts import Change, Parts, Refill, SidePortFlow
from haiflow.simulation.timeline import Timeline

CLOSING = (0.97, 0.99, 0.997, 0.999)  # further levels of an occlusion that closes all the way
BISECTIONS = 60


def build_timeline(model: given.ScenarioModel, base: Parts) -> Timeline:
    """All that the scenario makes happen to ``base``."""
    names = [substance.name for substance in base.substances]
    changes: list[Change] = []
    refills: dict[float, Refill] = {}
    if model.pump is not None:
        refills[0.0] = _refill(model, model.pump.fill, names, base.surroundings.temperature)
    for number, event in enumerate(model.schedule):
        changes += _event(model, event, number, names)
        if event.refill is not None:
            refills[event.at] = _refill(model, event.refill, names, base.surroundings.temperature)
    for number, fault in enumerate(model.faults):
        changes += fault_changes(fault, number, model)
    return Timeline(base, model.run.duration, tuple(changes), refills)


def fault_key(number: int) -> str:
    """The key of the scenario's fault ``number`` (from 0) among the timeline's changes."""
    return f"fault {number + 1}"


def fault_name(fault: given.Fault) -> str:
    """A fault in a few words: what and where."""
    if isinstance(fault, given.Dislodgement):
        return "dislodgement out of the artery" if fault.to == "tissue" else f"dislodgement into {fault.to.vessel}"
    if isinstance(fault, given.Stall):
        return "stall of the pump"
    if isinstance(fault, given.Leak):
        return f"{'torn line' if fault.torn else 'leak'} at {_spot(fault.where.catheter)}"
    where = fault.where
    if where.vessel is not None:
        return f"occlusion of {where.vessel}"
    return (
        f"occlusion of side hole {where.side_hole}"
        if where.side_hole is not None
        else f"occlusion at {_spot(where.catheter)}"
    )


def _spot(spot: str | float | None) -> str:
    return f"the {spot}" if isinstance(spot, str) else f"{100.0 * float(spot or 0.0):.3g} cm"


def concentrations(names: list[str], drug: str | None, concentration: float) -> Floats:
    """(n_substances,) of a liquid that is all carrier and holds one drug."""
    values = np.zeros(len(names))
    values[0] = 1.0
    if drug is not None:
        values[names.index(drug)] = concentration
    return values


def _refill(model: given.ScenarioModel, fill: given.Fill, names: list[str], temperature: float) -> Refill:
    assert fill.volume is not None
    liquid = assemble.infusate(model, fill.infusate, temperature)
    return Refill(fill.volume, concentrations(names, fill.drug, fill.concentration), liquid)


def _event(model: given.ScenarioModel, event: given.Event, number: int, names: list[str]) -> Iterator[Change]:
    if event.refill is not None:
        fill = event.refill
        yield Change(event.at, "infusate", "refill", lambda parts: replace(
            parts, infusate=assemble.infusate(model, fill.infusate, parts.surroundings.temperature)))  # fmt: skip
    if event.patient is not None:
        yield Change(event.at, f"patient {number}", patient_label(event.patient), _patient(event.patient))
    if event.pump is not None:
        yield Change(event.at, "pump rate", "new pump rate", _rate(model, event.pump))
    if event.bolus is not None:
        yield from _bolus(model, event.at, event.bolus, f"bolus {number}", names)


def _bolus(model: given.ScenarioModel, at: float, bolus: given.Bolus, key: str, names: list[str]) -> Iterator[Change]:
    """Its start and its end; two at a time go through the port together."""
    end = at + bolus.volume / bolus.rate
    # Late in a run the end is rounded to some 1e-10 s: the rate takes that up, and the volume stays what was asked for.
    liquid = assemble.infusate(model, bolus.infusate, model.patient.temperature)
    side = SidePortFlow(bolus.volume / (end - at), concentrations(names, bolus.drug, bolus.concentration), liquid)
    yield Change(at, key, "bolus", lambda parts: replace(parts, side_port=_together(parts.side_port, side)))
    yield Change(end, key, "", lambda parts: parts)


def _together(running: SidePortFlow | None, side: SidePortFlow) -> SidePortFlow:
    """What flows through the side port when a second injection joins one that is under way."""
    if running is None:
        return side
    total = running.flow_rate + side.flow_rate
    mixed = (running.flow_rate * running.concentration + side.flow_rate * side.concentration) / total
    first, second = running.flow_rate / total, side.flow_rate / total
    liquid = Fluid(
        first * running.liquid.density + second * side.liquid.density,
        running.liquid.viscosity**first * side.liquid.viscosity**second,
    )
    return SidePortFlow(total, mixed, liquid)


def patient_label(change: given.PatientChange) -> str:
    """A change of the patient in a few words."""
    said = []
    if change.temperature is not None:
        said.append(f"body at {change.temperature - 273.15:.3g} degC")
    if change.ambient_pressure is not None:
        said.append(f"air at {1e-3 * change.ambient_pressure:.3g} kPa")
    return ", ".join(said) or "patient"


def _patient(change: given.PatientChange) -> Callable[[Parts], Parts]:
    def altered(parts: Parts) -> Parts:
        now = parts.surroundings
        new = Surroundings(
            now.temperature if change.temperature is None else change.temperature,
            now.ambient_pressure if change.ambient_pressure is None else change.ambient_pressure,
        )
        viscosity = (
            parts.infusate.viscosity * assemble.viscosity_at(new.temperature) / assemble.viscosity_at(now.temperature)
        )
        return replace(parts, surroundings=new, infusate=replace(parts.infusate, viscosity=viscosity))

    return altered


def _rate(model: given.ScenarioModel, change: given.PumpChange) -> Callable[[Parts], Parts]:
    assert model.pump is not None
    pump = model.pump
    before = pump.nominal_rate if pump.basal_rate is None else pump.basal_rate
    basal = before if change.basal_rate is None else change.basal_rate
    steps = assemble.programme(change.programme or (), basal)

    def altered(parts: Parts) -> Parts:
        if parts.pump is None or not isinstance(parts.pump.drive, PeristalticDrive):
            return parts
        return replace(parts, pump=replace(parts.pump, drive=replace(parts.pump.drive, programme=steps)))

    return altered


def fault_changes(fault: given.Fault, number: int, model: given.ScenarioModel) -> Iterator[Change]:
    """One change for a fault that is there at once, one for each level of a fault that grows."""
    key, label = fault_key(number), fault_name(fault)
    if isinstance(fault, given.Occlusion | given.Leak):
        final = fault.severity if isinstance(fault, given.Occlusion) else 1.0
        for index, (time, level) in enumerate(levels(fault, final, model.run.numerics.growth_levels)):
            yield Change(time, key, label if index == 0 else "", _at_level(fault, level, number))
    elif isinstance(fault, given.Dislodgement):
        yield Change(fault.onset, key, label, lambda parts: replace(parts, line=_dislodged(fault, parts)))
    else:
        yield Change(
            fault.onset, key, label, lambda parts: replace(parts, pump=stall.stall(parts.pump) if parts.pump else None)
        )


def levels(fault: given.Growing, final: float, n: int) -> list[tuple[float, float]]:
    """(time, severity) of each level, in time's order; one level for a fault that does not grow."""
    if fault.over == 0.0 or fault.law == "step":
        return [(fault.onset, final)]
    wanted = [final * (index + 1) / n for index in range(n)]
    if final == 1.0:
        wanted = sorted({*wanted, *CLOSING})
    return [(_reached(fault, final, level), level) for level in wanted]


def _reached(fault: given.Growing, final: float, level: float) -> float:
    """When the law of growth reaches ``level``, by bisection (the laws are monotone)."""
    low, high = fault.onset, fault.onset + fault.over
    if level >= final:
        return high
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        now = growth.severity(middle, onset=fault.onset, over=fault.over, law=fault.law, final=final)
        low, high = (middle, high) if now < level else (low, middle)
    return high


def _at_level(fault: given.Occlusion | given.Leak, level: float, number: int) -> Callable[[Parts], Parts]:
    def altered(parts: Parts) -> Parts:
        if isinstance(fault, given.Leak):
            return replace(parts, line=_leaking(fault, level, number, parts))
        if fault.where.vessel is not None:
            tree = parts.tree
            assert tree is not None
            return replace(parts, tree=occlusion.occlude_vessel(tree, fault.where.vessel, level, fault.length))
        return replace(parts, line=_occluded(fault, level, _line(parts)))

    return altered


def _line(parts: Parts) -> Line:
    if parts.line is None:
        raise ValueError("the fault is on a catheter, and there is none")
    return parts.line


def _at(line: Line, spot: str | float | None) -> float:
    """Distance from the pump (m) of a place on the line."""
    return 0.0 if spot == "connector" else line.length if spot == "tip" else float(spot or 0.0)


def _occluded(fault: given.Occlusion, level: float, line: Line) -> Line:
    where = fault.where
    if where.side_hole is not None:
        return occlusion.occlude_hole(line, f"side_hole_{where.side_hole}", level, fault.length)
    if where.catheter == "tip":
        return occlusion.occlude_hole(line, "tip", level, fault.length)
    return occlusion.occlude_line(line, _at(line, where.catheter), level, fault.length)


def _leaking(fault: given.Leak, level: float, number: int, parts: Parts) -> Line:
    line = _line(parts)
    around = assemble.pocket(fault.pocket) if fault.pocket is not None else _own_pocket(line)
    at = _at(line, fault.where.catheter)
    return leak.leak(
        line, at, fault.orifice_diameter, torn=fault.torn, severity=level, pocket=around, name=f"leak_{number + 1}"
    )


def _dislodged(fault: given.Dislodgement, parts: Parts) -> Line:
    line = _line(parts)
    if fault.to == "tissue":
        return dislodgement.dislodge(line, None, pocket=_own_pocket(line))
    return dislodgement.dislodge(line, fault.to.vessel, fault.to.position)


def _own_pocket(line: Line) -> Pocket:
    return line.holes[0].pocket if line.holes else Pocket()
