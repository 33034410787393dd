"""What a run will do, said before it is done: ``haiflow check`` prints it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from haiflow.scenario.check_tip import unheard
from haiflow.scenario.load import Scenario
from haiflow.scenario.model import Arteries, Event, Fault, ScenarioModel
from haiflow.scenario.tip_cost import tip_cells, tip_seconds, told_cost
from haiflow.units import format_quantity

# Measured on two cores of a 2.5 GHz class machine; good to a factor of two.
START_AND_PICTURES = 3.0  # s
CELL_STEP = 25e-9  # s, one cell and time step of the 1D flow
CYCLES = 20  # to the periodic state
TRANSPORT_STEP = 1.5e-3  # s, one macro step of the therapy clock
TURN = 0.06  # s, an event of the schedule or a fault: balances anew, and short steps after it
GROWING = 1.2e-3  # s, one arterial end grown into the liver
FIELD_STEP = 9e-8  # s, one cell of a liver in 3D in a macro step, both substances and stages
PULSE_EXCHANGES, PULSE_TARGET = 100, 1.4e-3  # a cycle; s, the chain's way to an exchange or an output
LINE_EXCHANGES, LINE_TARGET = 200.0, 1e-4  # a second; s: of a line without arteries


@dataclass(frozen=True)
class Plan:
    """The parts that take part and those left out, cells, what happens when, choices made for the user, keys of the
    tip that change nothing, what costs much, the time."""

    name: str
    parts: dict[str, str]
    left_out: list[str]
    cells: dict[str, int]
    events: list[tuple[float, str]]
    decided: list[str]
    unheard: list[str]
    costly: list[str]
    clock: str
    duration_s: float
    outputs: int
    estimated_s: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def text(self) -> str:
        """A few lines for a terminal."""
        lines = [self.name]
        lines += [f"  {part + ':':<10} {what}" for part, what in self.parts.items()]
        lines += [f"  {'left out:':<10} {', '.join(self.left_out)}"] if self.left_out else []
        cells = ", ".join(f"{part} {count}" for part, count in self.cells.items())
        lines += [f"  {'cells:':<10} {cells}"] if cells else []
        lines += [f"  {_time(time):>10}  {what}" for time, what in self.events]
        lines += [f"  {'decided:':<10} {what}" for what in self.decided]
        lines += [f"  {'unheard:':<10} {what}" for what in self.unheard]
        lines += [f"  {'costly:':<10} {what}" for what in self.costly]
        lines += [f"  {'run:':<10} {self.clock} clock, {_time(self.duration_s)}, {self.outputs} outputs"]
        lines += [f"  {'estimated:':<10} about {self.estimated_s:.0f} s"]
        return "\n".join(lines)


def plan(scenario: Scenario) -> Plan:
    """The plan of a sound scenario."""
    model = scenario.model
    cells = {"arteries": artery_cells(model)} if model.arteries else {}
    cells |= {"catheter": model.catheter.cells} if model.catheter else {}
    field, tip = liver_cells(scenario), tip_cells(scenario)
    cells |= {"tip": tip} if tip else {}
    cells |= {"liver": field} if field else {}
    every = model.run.output_every or model.run.duration
    return Plan(
        name=scenario.name,
        parts=dict(_parts(model)),
        left_out=[part for part in ("pump", "catheter", "arteries", "liver") if getattr(model, part) is None],
        cells=cells,
        events=sorted(_events(model)),
        decided=list(_decided(scenario)),
        unheard=unheard(model.catheter, model.arteries),
        costly=told_cost(model, tip),
        clock=model.run.clock,
        duration_s=model.run.duration,
        outputs=ceil(model.run.duration / every - 1e-9) + 1,
        estimated_s=estimate(model, field) + tip_seconds(model, tip),
    )


def _time(seconds: float) -> str:
    return format_quantity(seconds, "time", digits=4)


def counted(number: int, thing: str) -> str:
    """``1 tumour``, ``2 tumours``"""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _length(metres: float) -> str:
    return format_quantity(metres, "length", digits=4)


def _parts(model: ScenarioModel) -> Iterator[tuple[str, str]]:
    pump, catheter, arteries, liver = model.pump, model.catheter, model.arteries, model.liver
    if pump is not None:
        rate = format_quantity(pump.nominal_rate, "flow_rate", "mL/day", digits=4)
        yield "pump", f"{pump.model or 'own values'}, {pump.drive} driven, {rate} nominal; {_fill(pump.fill)}"
    if catheter is not None:
        yield "catheter", f"{catheter.model or 'own values'}, {_length(catheter.length)}, {_tip(catheter.tip)}"
    if arteries is not None:
        network, inflow = arteries.network, arteries.inflow
        flow = (
            format_quantity(inflow.mean or 0.0, "flow_rate", "mL/min", digits=4)
            if inflow.pressure is None
            else format_quantity(inflow.pressure, "pressure", digits=4)
        )
        size = f"{counted(len(network.vessels), 'vessel')}, {counted(len(network.outlets), 'outlet')}"
        yield "arteries", f"{network.name or 'own network'}, {size}, {flow} into {inflow.vessel}"
    if liver is not None:
        size = f"{counted(len(liver.fractions), 'segment')}, {counted(len(liver.tumours), 'tumour')}"
        how = f"in 3D with {counted(liver.terminals, 'arterial end')}" if liver.resolve == "3d" else "well mixed each"
        yield "liver", f"{liver.mesh or 'standard'}, {size}, {how}"


def _fill(fill: Any) -> str:
    volume = format_quantity(fill.volume or 0.0, "volume", "mL", digits=4)
    if fill.drug is None:
        return f"{volume} of {fill.infusate}"
    amount = format_quantity(fill.concentration * (fill.volume or 0.0), "mass", "mg", digits=4)
    return f"{amount} of {fill.drug} in {volume} of {fill.infusate}"


def _tip(tip: Any) -> str:
    where = tip.position if isinstance(tip.position, str) else _length(tip.position)
    how = f", the {tip.flow} flow round it solved in 3D" if tip.resolve == "3d" else ""
    return f"tip in {tip.vessel} at {where}{how}" if tip.vessel else "tip in no vessel"


def _events(model: ScenarioModel) -> Iterator[tuple[float, str]]:
    for event in model.schedule:
        yield event.at, _event(event)
    for fault in model.faults:
        yield fault.onset, _fault(fault)


def _event(event: Event) -> str:
    if event.refill is not None:
        return f"refill: {_fill(event.refill)}"
    if event.bolus is not None:
        rate = format_quantity(event.bolus.rate, "flow_rate", "mL/s", digits=3)
        return f"bolus: {_fill(event.bolus)} at {rate}"
    if event.patient is not None:
        given = event.patient.model_dump(mode="json", exclude_none=True)
        return "patient: " + ", ".join(f"{key} {value}" for key, value in given.items())
    return "pump: new programme" if event.pump and event.pump.programme else "pump: new basal rate"


def _fault(fault: Fault) -> str:
    if fault.kind == "stall":
        return "pump stall"
    if fault.kind == "dislodgement":
        return f"dislodgement of the tip to {fault.to if isinstance(fault.to, str) else fault.to.vessel}"
    grows = f", {fault.law} over {_time(fault.over)}" if fault.over else ""
    if fault.kind == "leak":
        size = "torn" if fault.orifice_diameter is None else _length(fault.orifice_diameter)
        return f"leak at {_spot(fault.where.catheter)}, {size}{grows}"
    where = fault.where.vessel or (
        f"side hole {fault.where.side_hole}" if fault.where.side_hole else _spot(fault.where.catheter)
    )
    return f"occlusion of {where}, severity {fault.severity:g}{grows}"


def _spot(spot: float | str | None) -> str:
    return str(spot) if not isinstance(spot, float) else f"{_length(spot)} of the catheter"


def _decided(scenario: Scenario) -> Iterator[str]:
    """What the scenario left open and haiflow chose."""
    model = scenario.model
    if scenario.default_ligation and model.arteries is not None and model.arteries.ligated:
        tied = ", ".join(model.arteries.ligated)
        yield f"{tied} tied off, as the tip lies in the gastroduodenal ('ligated: []' to keep)"
    if model.arteries is None and model.catheter is not None:
        pressure = format_quantity(model.patient.arterial_pressure, "pressure", "mmHg", digits=4)
        yield f"the tip feels a constant {pressure} (patient.arterial_pressure), as there are no arteries"


def liver_cells(scenario: Scenario) -> int:
    """How many tetrahedra a liver in 3D has; 0 where each of its segments is well mixed."""
    liver, path = scenario.model.liver, scenario.mesh_path
    if liver is None or liver.resolve != "3d":
        return 0
    from haiflow.mesh.read import read_liver
    from haiflow.mesh.standard import standard_liver

    if path is None:
        return len(standard_liver().tetra)
    return len(read_liver(path, scenario.mesh_place, unit=liver.mesh_unit, labels=liver.labels).tetra)


def artery_cells(model: ScenarioModel) -> int:
    """How many cells the arteries will have."""
    numerics, arteries = model.run.numerics, model.arteries
    vessels = [] if arteries is None else list(arteries.network.vessels.values())
    return sum(max(numerics.min_cells, ceil((vessel.length or 0.0) / numerics.cell_length)) for vessel in vessels)


def estimate(model: ScenarioModel, field_cells: int = 0) -> float:
    """Seconds, roughly: the periodic flow of every distinct tree, the macro steps, and the pictures.

    ``field_cells`` of a liver in 3D are gone through once more for each fault and the run without any.
    """
    outputs = model.run.duration / float(model.run.output_every or model.run.duration)
    if model.arteries is None:
        pulse = model.run.clock == "pulse" and model.catheter is not None
        return START_AND_PICTURES + pulse * LINE_TARGET * (LINE_EXCHANGES * model.run.duration + outputs)
    beats = float(CYCLES * _trees(model))
    if model.run.clock == "pulse":
        beats += model.run.duration * float(model.arteries.inflow.heart_rate or 1.0)
    flow = beats * _steps_a_beat(model, model.arteries) * artery_cells(model) * CELL_STEP
    steps = model.run.duration / float(model.run.numerics.macro_step or model.run.duration)
    grown = GROWING * model.liver.terminals if model.liver is not None and field_cells else 0.0
    if model.run.clock == "pulse":
        exchanges = PULSE_EXCHANGES * model.run.duration * float(model.arteries.inflow.heart_rate or 1.0)
        chain = PULSE_TARGET * (exchanges + outputs) if model.catheter is not None else 0.0
        return START_AND_PICTURES + flow + chain + grown + exchanges * FIELD_STEP * field_cells
    runs = 2.0 if model.faults else 1.0  # the twin without faults
    field = runs * steps * FIELD_STEP * field_cells
    turns = TURN * (len(model.schedule) + len(model.faults))
    return START_AND_PICTURES + flow + grown + field + steps * TRANSPORT_STEP + turns


def _trees(model: ScenarioModel) -> int:
    """Networks to be solved: the sound one, and each level of an occluded vessel."""
    occluded = [fault for fault in model.faults if fault.kind == "occlusion" and fault.where.vessel is not None]
    return 1 + sum(model.run.numerics.growth_levels if fault.over else 1 for fault in occluded)


def _steps_a_beat(model: ScenarioModel, arteries: Arteries) -> float:
    """Time steps of one cardiac cycle, by the shortest cell and a wave speed of 10 m/s where none is given."""
    numerics = model.run.numerics
    shortest = min(
        float(vessel.length or 1.0) / max(numerics.min_cells, ceil(float(vessel.length or 1.0) / numerics.cell_length))
        for vessel in arteries.network.vessels.values()
    )
    fastest = max(vessel.wave_speed or 10.0 for vessel in arteries.network.vessels.values())
    return fastest / (numerics.cfl * shortest * float(arteries.inflow.heart_rate or 1.0))
