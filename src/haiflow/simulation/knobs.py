"""What of a scenario is discretised, and the same scenario on coarser and finer cells, steps and levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from haiflow.scenario.load import Scenario
from haiflow.scenario.model import ScenarioModel

COARSER, FINER_ONLY = (2.0, 1.0, 0.5), (1.0, 0.5, 0.25)
LEAST_CELLS, LEAST_LINE, MOST_LINE = 2, 8, 4096  # what the schema allows
MOST_COURANT = 0.95
TIGHTER = 0.1  # of the tolerance of the periodic state
Change = Callable[[ScenarioModel, float], dict[str, Any]]


@dataclass(frozen=True)
class Family:
    """Knobs that are turned together. ``factors``: of size, coarse to fine, with 1.0 for the scenario's own;
    ``formal``: order of the scheme; ``knobs``: what is turned, in words."""

    name: str
    knobs: tuple[str, ...]
    formal: float
    factors: tuple[float, float, float]
    change: Change

    @property
    def level(self) -> int:
        return self.factors.index(1.0)


def families(model: ScenarioModel) -> list[Family]:
    """The families that this scenario has."""
    found = []
    numerics, line = model.run.numerics, model.catheter
    if model.arteries is not None or line is not None:
        coarse = (model.arteries is None or numerics.min_cells >= 2 * LEAST_CELLS) and (
            line is None or line.cells >= 2 * LEAST_LINE
        )
        knobs: tuple[str, ...] = () if line is None else ("catheter.cells",)
        knobs += ("run.numerics.cell_length", "run.numerics.min_cells") if model.arteries is not None else ()
        found.append(Family("cells", knobs, 2.0, COARSER if coarse else FINER_ONLY, _cells))
    if model.run.clock == "therapy":
        found.append(Family("macro step", ("run.numerics.macro_step",), 1.0, COARSER, _macro_step))
    elif model.arteries is not None:
        coarse = 2.0 * numerics.cfl <= MOST_COURANT
        found.append(Family("pulse step", ("run.numerics.cfl",), 2.0, COARSER if coarse else FINER_ONLY, _courant))
    if any(getattr(fault, "over", 0.0) for fault in model.faults):
        factors = COARSER if numerics.growth_levels >= 2 else FINER_ONLY
        found.append(Family("growth of faults", ("run.numerics.growth_levels",), 1.0, factors, _growth))
    return found


def untouched(model: ScenarioModel) -> list[str]:
    """What is discretised and was not varied, in words."""
    left = ["the first step after an event (10 s, doubled from there)"] if model.run.clock == "therapy" else [
        "exchanges between line and artery (a hundredth of a beat)"]  # fmt: skip
    if model.liver is not None and model.liver.resolve == "3d":
        left.append("the liver's mesh and the number of its arterial ends: run again with a finer liver.mesh")
    if model.catheter is not None and model.catheter.tip.resolve == "3d":
        left.append("the region round the tip: run again with catheter.tip.cells and catheter.tip.steps larger")
    if model.arteries is not None:
        left.append("samples of the inflow's waveform")
    return left


def turned(scenario: Scenario, family: Family, factor: float) -> Scenario:
    """The scenario with the knobs of ``family`` turned by ``factor``."""
    return _with(scenario, family.change(scenario.model, factor))


def tightened(scenario: Scenario) -> Scenario:
    """The scenario with the periodic state of the arteries found to a tenth of its tolerance."""
    numerics = scenario.model.run.numerics
    cycles = min(4 * numerics.max_cycles, 1000)
    return _with(scenario, {"periodic_tolerance": TIGHTER * numerics.periodic_tolerance, "max_cycles": cycles})


def _with(scenario: Scenario, changes: dict[str, Any]) -> Scenario:
    model = scenario.model
    line, output = changes.pop("catheter.cells", None), changes.pop("output_every", model.run.output_every)
    numerics = model.run.numerics.model_copy(update=changes)
    run = model.run.model_copy(update={"numerics": numerics, "output_every": output})
    update: dict[str, Any] = {"run": run}
    if line is not None and model.catheter is not None:
        update["catheter"] = model.catheter.model_copy(update={"cells": line})
    return replace(scenario, model=model.model_copy(update=update))


def _cells(model: ScenarioModel, factor: float) -> dict[str, Any]:
    numerics = model.run.numerics
    found: dict[str, Any] = {
        "cell_length": numerics.cell_length * factor, "min_cells": max(round(numerics.min_cells / factor), LEAST_CELLS),
    }  # fmt: skip
    if model.catheter is not None:
        found["catheter.cells"] = min(max(round(model.catheter.cells / factor), LEAST_LINE), MOST_LINE)
    return found


def _macro_step(model: ScenarioModel, factor: float) -> dict[str, Any]:
    """Steps land on outputs, so a longer step needs rarer ones."""
    every = model.run.output_every
    assert every is not None
    step = factor * (model.run.numerics.macro_step or every)
    return {"macro_step": step, "output_every": max(every, step)}


def _courant(model: ScenarioModel, factor: float) -> dict[str, Any]:
    return {"cfl": model.run.numerics.cfl * factor}


def _growth(model: ScenarioModel, factor: float) -> dict[str, Any]:
    return {"growth_levels": max(round(model.run.numerics.growth_levels / factor), 1)}
