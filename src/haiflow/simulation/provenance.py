"""Where a result comes from: inputs, versions, machine, and what the user should read beside the figures."""

from __future__ import annotations

import os
import platform
import time
from math import pi
from typing import Any

import numpy as np

import haiflow
from haiflow.body.model import systemic_clearance
from haiflow.kernels import LEVEL
from haiflow.scenario.check_tip import unheard
from haiflow.scenario.load import Scenario
from haiflow.scenario.write import file_name
from haiflow.simulation.clock import Trajectory
from haiflow.simulation.parts import Parts

COARSE_TUMOUR = 0.1  # of a tumour's volume: more is worth a word


def inputs(scenario: Scenario) -> list[dict[str, Any]]:
    """The resolved scenario as rows of name and value, for the report; networks are left to scenario.yaml."""
    rows: list[dict[str, Any]] = []

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), item)
        elif not isinstance(value, list) or len(value) <= 4:
            rows.append({"name": prefix, "value": value})

    for key, item in scenario.document.items():
        if key == "arteries" and isinstance(item, dict):
            item = {name: part for name, part in item.items() if name not in ("network",)}
        walk(key, item)
    return rows


def provenance(scenario: Scenario, run: Trajectory, base: Parts) -> dict[str, Any]:
    """Versions, machine and scenario hash; warnings that the user should read."""
    return {
        "haiflow": haiflow.__version__,
        "kernels": LEVEL,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scenario_file": None if scenario.path is None else file_name(scenario.path),
        "scenario_sha256": scenario.sha256,
        "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "solver": {"macro_steps": run.steps, "epochs": len(run.epochs)},
        "warnings": warnings(scenario, run, base),
    }


def warnings(scenario: Scenario, run: Trajectory, base: Parts) -> list[str]:
    """What the user should read beside the figures."""
    notes = []
    if scenario.default_ligation:
        tied = scenario.model.arteries.ligated if scenario.model.arteries is not None else None
        notes += [f"tied off with the catheter, as is usual: {', '.join(tied)}"] if tied else []
    if run.stopped is not None:
        notes.append(str(run.stopped))
    notes += unheard(scenario.model.catheter, scenario.model.arteries)
    notes += _fault_notes(scenario)
    notes += _scaling_notes(scenario)
    notes += _bolus_notes(run, base)
    notes += _burst_notes(run, scenario)
    notes += _cell_notes(base)
    if base.body is not None:
        for substance in base.substances[1:]:
            notes += systemic_clearance(base.body, substance.body).remarks
    return notes


def _fault_notes(scenario: Scenario) -> list[str]:
    """What is assumed of the faults in this run."""
    faults = scenario.model.faults
    notes = []
    if any(fault.kind == "leak" and fault.torn for fault in faults):
        notes.append("torn line: the piece beyond the tear is taken as clotted; blood lost through it is not modelled")
    if any(fault.kind == "occlusion" and fault.where.vessel is not None for fault in faults):
        notes.append(
            "an artery that narrows is driven by the pressure that the inlet had before: the inflow falls with it; "
            "no collaterals open"
        )
    return notes


def _scaling_notes(scenario: Scenario) -> list[str]:
    """Outlets whose stated flows do not make up the inflow: they are scaled, and that should be known."""
    arteries = scenario.model.arteries
    if arteries is None or arteries.inflow.mean is None:
        return []
    outlets = [out for node, out in arteries.network.outlets.items() if out.kind != "reflection"]
    stated = [out.flow for out in outlets if out.flow is not None]
    total = sum(stated)
    if len(stated) < len(outlets) or abs(total / arteries.inflow.mean - 1.0) < 1e-3:
        return []
    return [
        f"the outlets' flows sum to {6e7 * total:.4g} mL/min, the inflow is {6e7 * arteries.inflow.mean:.4g} mL/min: "
        "all are scaled alike to meet it"
    ]


def _cell_notes(base: Parts) -> list[str]:
    """Tumours that the mesh's cells draw coarsely."""
    if base.perfused is None:
        return []
    notes = []
    for item in base.perfused.liver.territories:
        sphere = pi / 6.0 * (item.diameter or 0.0) ** 3
        if item.kind == "tumour" and abs(item.volume - sphere) > COARSE_TUMOUR * sphere:
            notes.append(
                f"{item.name}: its cells make up {1e6 * item.volume:.3g} mL, a sphere of that diameter "
                f"has {1e6 * sphere:.3g} mL; a finer mesh draws it better (haiflow mesh build standard --cells N)"
            )
    return notes


def _burst_notes(run: Trajectory, scenario: Scenario) -> list[str]:
    """A line that was pressed beyond what its wall bears."""
    catheter = scenario.model.catheter
    if run.infusion is None or catheter is None or run.infusion.max_line_pressure <= catheter.burst_pressure:
        return []
    return [
        f"the lumen reached {1e-3 * run.infusion.max_line_pressure:.3g} kPa, beyond the catheter's burst pressure of "
        f"{1e-3 * catheter.burst_pressure:.3g} kPa: it would have burst, which is not modelled"
    ]


def _bolus_notes(run: Trajectory, base: Parts) -> list[str]:
    """A bolus that the side port's pressure limit held back."""
    if run.infusion is None or base.pump is None:
        return []
    asked = 0.0
    for epoch in run.epochs:
        if epoch.parts.side_port is not None:
            asked += epoch.parts.side_port.flow_rate * (min(epoch.end, run.end) - epoch.start)
    given = run.infusion.bolus_volume
    if asked <= 0.0 or given > asked * (1.0 - 1e-6):
        return []
    limit = base.pump.side_port.pressure_limit
    return [
        f"the side port's pressure limit of {1e-3 * limit:g} kPa held a bolus back: {1e6 * given:.3g} of "
        f"{1e6 * asked:.3g} mL went in; inject more slowly"
    ]
