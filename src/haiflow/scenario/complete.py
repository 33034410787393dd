"""From sound parts to the whole model: what follows from the rest is worked out and written down.

A dose becomes a concentration (:mod:`haiflow.pump.dose`), an altitude a pressure (ISO standard atmosphere), a share of
a vessel's length metres, overrides of vessels the vessels themselves, and defaults that depend on other keys are set.
"""

from __future__ import annotations

from typing import Any

from haiflow.scenario.model import (
    Bolus,
    Catheter,
    Event,
    Fault,
    Fill,
    Liver,
    Network,
    Patient,
    Pump,
    Run,
    ScenarioModel,
)
from haiflow.scenario.network import complete_arteries

DAY = 86_400.0


def complete(sound: dict[str, Any]) -> ScenarioModel:
    """The scenario's model from its sound parts (all of them must be)."""
    parts = dict(sound)
    patient = parts["patient"] = completed_patient(parts.get("patient", Patient()))
    pump, catheter = parts.get("pump"), parts.get("catheter")
    if parts.get("arteries") is not None:
        parts["arteries"] = complete_arteries(parts["arteries"], catheter)
    network = parts["arteries"].network if parts.get("arteries") is not None else None
    if pump is not None:
        parts["pump"] = pump = completed_pump(pump, patient)
    if catheter is not None and network is not None:
        parts["catheter"] = placed_catheter(catheter, network)
    if parts.get("liver") is not None:
        parts["liver"] = named_tumours(parts["liver"])
    parts["run"] = completed_run(parts.get("run", Run()))
    parts["schedule"] = tuple(_completed_event(event, pump, patient) for event in parts.get("schedule", {}).values())
    parts["faults"] = tuple(_placed_fault(fault, network) for fault in parts.get("faults", {}).values())
    parts["format"] = parts.pop("haiflow")
    return ScenarioModel.model_construct(**parts)


def completed_patient(patient: Any) -> Any:
    """A patient (or a change of one) with the pressure of the altitude."""
    if patient.altitude is None:
        return patient
    from haiflow.pump.infusate import ambient_pressure

    return patient.model_copy(update={"ambient_pressure": ambient_pressure(patient.altitude), "altitude": None})


def mean_rate(pump: Pump) -> float:
    """The flow rate (m3/s) that a dose is reckoned with: nominal, or the day's mean of a programme."""
    if pump.drive == "gas":
        return pump.nominal_rate
    basal = pump.nominal_rate if pump.basal_rate is None else pump.basal_rate
    starts = [0.0, *(step.start for step in pump.programme), DAY]
    rates = [basal, *(step.rate for step in pump.programme)]
    spans = zip(starts[:-1], starts[1:], rates, strict=True)
    return sum((end - start) * rate for start, end, rate in spans) / DAY


def completed_fill(fill: Fill, pump: Pump, patient: Patient) -> Fill:
    """A fill with its volume and the concentration that gives the dose."""
    update: dict[str, Any] = {"volume": pump.reservoir_volume if fill.volume is None else fill.volume, "dose": None}
    if fill.dose is not None and mean_rate(pump) > 0.0:
        from haiflow.pump.dose import fill_for_dose

        update["concentration"] = fill_for_dose(
            fill.dose, patient.mass, mean_rate(pump), update["volume"]
        ).concentration
    return fill.model_copy(update=update)


def completed_pump(pump: Pump, patient: Patient) -> Pump:
    """The pump with its basal rate, its side port and its fill."""
    update: dict[str, Any] = {"fill": completed_fill(pump.fill, pump, patient)}
    if pump.drive == "peristaltic" and pump.basal_rate is None:
        update["basal_rate"] = pump.nominal_rate
    return pump.model_copy(update=update)


def completed_bolus(bolus: Bolus) -> Bolus:
    """The bolus as concentration, volume and rate."""
    update: dict[str, Any] = {"amount": None, "over": None}
    if bolus.amount is not None:
        update["concentration"] = bolus.amount / bolus.volume
    if bolus.over is not None:
        update["rate"] = bolus.volume / bolus.over
    return bolus.model_copy(update=update)


def _completed_event(event: Event, pump: Pump | None, patient: Patient) -> Event:
    update: dict[str, Any] = {}
    if event.refill is not None and pump is not None:
        update["refill"] = completed_fill(event.refill, pump, patient)
    if event.bolus is not None:
        update["bolus"] = completed_bolus(event.bolus)
    if event.patient is not None:
        update["patient"] = completed_patient(event.patient)
    return event.model_copy(update=update)


def _metres(position: float | str, vessel: str | None, network: Network) -> float | str:
    """A position given as a share of the vessel's length, in metres from its start."""
    if isinstance(position, str) and position.endswith("%") and vessel in network.vessels:
        return float(position[:-1]) / 100 * float(network.vessels[vessel].length or 0.0)
    return position


def placed_catheter(catheter: Catheter, network: Network) -> Catheter:
    """A catheter whose tip lies at a number of metres, not at a share of its vessel."""
    position = _metres(catheter.tip.position, catheter.tip.vessel, network)
    return catheter.model_copy(update={"tip": catheter.tip.model_copy(update={"position": position})})


def _placed_fault(fault: Fault, network: Network | None) -> Fault:
    if fault.kind != "dislodgement" or isinstance(fault.to, str) or network is None:
        return fault
    position = _metres(fault.to.position, fault.to.vessel, network)
    return fault.model_copy(update={"to": fault.to.model_copy(update={"position": position})})


def named_tumours(liver: Liver) -> Liver:
    """Every tumour has a name."""
    tumours = tuple(
        tumour.model_copy(update={"name": tumour.name or f"tumour_{number}"})
        for number, tumour in enumerate(liver.tumours, 1)
    )
    return liver.model_copy(update={"tumours": tumours})


def completed_run(run: Run) -> Run:
    """The run with its output interval and largest step."""
    usual = 3600.0 if run.clock == "therapy" else 0.01
    every = min(usual, run.duration) if run.output_every is None else run.output_every
    step = every if run.numerics.macro_step is None else run.numerics.macro_step
    return run.model_copy(
        update={"output_every": every, "numerics": run.numerics.model_copy(update={"macro_step": step})}
    )
