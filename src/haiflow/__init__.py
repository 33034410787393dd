"""haiflow: physics-based simulation of hepatic artery infusion, from the pump to the segments of the liver.

    scenario = haiflow.load("scenario.yaml", set={"catheter.inner_diameter": "0.8 mm"})
    results = haiflow.run(scenario)  # in memory; results.save(DIR)
    results = haiflow.open("DIR")

Names are loaded on first use (PEP 562), so that ``import haiflow`` and ``haiflow --help`` cost nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike

    from haiflow.errors import HaiflowError, InputError, InputErrors, SolverStopped
    from haiflow.results import Results
    from haiflow.scenario.load import Scenario, load
    from haiflow.simulation.run import run_scenario as run

    __version__: str

PLACES = {
    "load": ("haiflow.scenario.load", "load"),
    "Scenario": ("haiflow.scenario.load", "Scenario"),
    "run": ("haiflow.simulation.run", "run_scenario"),
    "HaiflowError": ("haiflow.errors", "HaiflowError"),
    "InputError": ("haiflow.errors", "InputError"),
    "InputErrors": ("haiflow.errors", "InputErrors"),
    "SolverStopped": ("haiflow.errors", "SolverStopped"),
}
__all__ = [
    "HaiflowError",
    "InputError",
    "InputErrors",
    "Scenario",
    "SolverStopped",
    "__version__",
    "load",
    "open",
    "run",
]


def open(folder: str | PathLike[str]) -> Results:
    """The results in an output folder. Raises :class:`haiflow.errors.InputError` where there are none."""
    from pathlib import Path

    from haiflow.report.presenter import Presenter
    from haiflow.results import Results

    return Results.open(Path(folder), presenter=Presenter(early=False))


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        globals()[name] = found = version("haiflow")  # looked up once
        return found
    if name not in PLACES:
        raise AttributeError(f"module 'haiflow' has no attribute '{name}'")
    module, attribute = PLACES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
