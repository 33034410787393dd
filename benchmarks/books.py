"""The ledger of every example and every kind of fault; a constant concentration that stays constant."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

import haiflow
from benchmarks.cases import ROOT, case
from benchmarks.table import Row, at_most, worst
from haiflow.arteries.grid import make_grid
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.transport import PulseTransport
from haiflow.catheter.lumen import LumenTransport
from haiflow.numerics.channels import ChannelTransport
from haiflow.simulation.run import run_scenario

LEDGER, CONSTANT = 1e-10, 1e-12
FAULTS: dict[str, list[dict[str, Any]]] = {
    "occluded lumen": [{"kind": "occlusion", "where": {"catheter": "20 cm"}, "severity": 1.0, "onset": "1 d"}],
    "occluded tip": [{"kind": "occlusion", "where": {"catheter": "tip"}, "severity": 1.0, "onset": "1 d"}],
    "occluded vessel": [{"kind": "occlusion", "where": {"vessel": "left_hepatic"}, "severity": 1.0, "onset": "1 d"}],
    "leak": [{"kind": "leak", "where": {"catheter": "30 cm"}, "orifice_diameter": "50 um", "onset": "1 d"}],
    "torn connector": [{"kind": "leak", "where": {"catheter": "connector"}, "torn": True, "onset": "1 d"}],
    "dislodged out of the artery": [{"kind": "dislodgement", "to": "tissue", "onset": "1 d"}],
    "stalled pump": [{"kind": "stall", "onset": "1 d"}],
}
FAULTS["all of these but the torn connector"] = [
    fault[0] | {"onset": f"{0.5 + 0.2 * number:.1f} d"}
    for number, fault in enumerate(fault for name, fault in FAULTS.items() if name != "torn connector")
]


def rows() -> Iterator[Row]:
    examples = sorted((ROOT / "examples").glob("*.yaml"))
    found = [imbalance(haiflow.load(path)) for path in examples]
    yield ledger_row(f"ledger, drug and carrier, {len(examples)} examples", found)
    base = ROOT / "examples" / "baseline.yaml"
    found = [imbalance(haiflow.load(base, {"faults": fault, "run.duration": "3 d", "schedule": []}))
             for fault in FAULTS.values()]
    yield ledger_row(f"ledger, {len(FAULTS)} sorts of faults", found)
    yield at_most("constant concentration, loop of arteries, pulse with reversal", constant_in_a_loop(), CONSTANT)
    yield at_most("constant concentration, random networks, random volumes", constant_in_networks(), CONSTANT)
    yield at_most("constant concentration, catheter that swells, with holes", constant_in_the_line(), CONSTANT)


def ledger_row(what: str, found: list[float]) -> Row:
    return at_most(what, worst(found), LEDGER)


def imbalance(scenario: haiflow.Scenario) -> float:
    """The larger relative imbalance of drug and carrier."""
    ledger = run_scenario(scenario, pictures=False).summary["ledger"]
    return worst(ledger[book]["relative_imbalance"] for book in ("drug", "carrier"))


def constant_in_a_loop() -> float:
    """Largest relative change of a constant over three cycles of a strong pulse on the tests' looped network."""
    grid = make_grid(case("conservation/test_pulse_transport").loop())
    blood, transport = PulsatileFlow(grid.tree, grid), PulseTransport(grid, 1)
    transport.c[0] = 0.7
    transport.volume = blood.area * grid.cell_dx
    for _ in range(3):
        transport.advance(blood.advance(blood.steps_in_cycle), np.array([0.7]))
    return float(np.abs(transport.c / 0.7 - 1.0).max())


def constant_in_networks(count: int = 20) -> float:
    """The same on random networks with loops, whose flow differs from face to face and reverses from step to step."""
    tests = case("conservation/test_channel_transport")
    return worst(_constant_in_network(tests, np.random.default_rng(seed)) for seed in range(count))


def _constant_in_network(tests: ModuleType, draw: np.random.Generator) -> float:
    network = tests.random_network(draw, 12, 3)
    c, volume = np.full((1, network.n_cells), 0.7), draw.uniform(1.0, 2.0, network.n_cells)
    flux = tests.random_flux(draw, network, 40)
    outside = np.full((1, network.n_external), 0.7)
    ChannelTransport(network).advance(c, volume, flux, tests.STEP, external_concentration=outside)
    return float(np.abs(c / 0.7 - 1.0).max())


def constant_in_the_line(count: int = 20) -> float:
    """The same in random lumens that swell and shrink, with holes, in flow of either direction."""
    return worst(_constant_in_line(seed) for seed in range(count))


def _constant_in_line(seed: int) -> float:
    lines = case("conservation/test_lumen_transport").Lines(seed, 40)
    given = np.array([0.7])
    lumen = LumenTransport(lines.dx, lines.area, 1, np.array([7e-10]), concentration=np.full((1, 40), 0.7))
    for _ in range(12):
        flow, start, end, holes = lines.step(30.0)
        lumen.advance(30.0, flow, start, end, lines.cells, holes, given, np.full((1, 3), 0.7), 0)
    return float(np.abs(lumen.c / 0.7 - 1.0).max())
