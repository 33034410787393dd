"""Random networks of arteries with random faults: the books of blood and drug, bounds, areas that stay positive."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from haiflow.arteries.grid import make_grid
from haiflow.arteries.injection import Injection
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.pulse_transport import PulseTransport
from haiflow.errors import SolverStopped
from haiflow.verify.model import Figure
from haiflow.verify.random_networks import any_network, stricken

NETWORKS, BLOCKS = 200, 60
SWINGS = (0.9, 0.3)  # of the inflow and of the pressure at the inlet: waves make the blood turn round
HARSH = (2.0, 1.5)  # the same, beyond what some of the networks can bear
CONSTANT, BOLUS, INJECTED = range(3)


@dataclass
class Worst:
    """The worst of what was seen over all networks and steps."""

    blood: float = 0.0
    drug: float = 0.0
    constant: float = 0.0
    beyond: float = 0.0
    steps: int = 0
    turned: set[int] = field(default_factory=set)


def books(seed: int, worst: Worst) -> None:
    """One network, struck by a fault half way: every block is weighed before and after."""
    tree = any_network(seed, SWINGS)
    flow = PulsatileFlow(tree, make_grid(tree))
    vessel = tree.vessels[seed % len(tree.vessels)]
    transport = PulseTransport(flow.grid, 3, (Injection("tip", vessel), Injection("side", vessel, 0.005)))
    transport.volume = flow.area * flow.grid.cell_dx
    transport.c[CONSTANT] = 1.0
    transport.c[BOLUS] = np.random.default_rng([seed, 3]).integers(0, 2, flow.grid.n_cells)
    for block in range(BLOCKS):
        if block == BLOCKS // 2:
            struck = stricken(tree, seed)
            flow = PulsatileFlow(struck, make_grid(struck), flow.state())
        weigh(flow, transport, (1, 2, 60)[block % 3], float(block % 4 > 1), seed, worst)


def weigh(flow: PulsatileFlow, transport: PulseTransport, steps: int, entering: float, seed: int, worst: Worst) -> None:
    """March ``steps``; what blood and drug have gained against what crossed the ends of the network."""
    before, held = transport.mass, flow.volume
    injected = np.array([[0.0, 0.0], [0.0, 0.0], [2e-8, 1e-8]])
    ends = flow.end_volume.copy()
    block = flow.advance(steps)
    did = transport.advance(block, np.array([1.0, entering, 0.0]), injected)
    time = block.dt * len(block.face_flux)
    moved = flow.end_volume - ends
    through = moved[0::2].sum() - moved[1::2].sum()  # into all vessels at their starts, less out at their ends
    worst.blood = max(worst.blood, abs(flow.volume - held - through) / held)
    gained = did.inlet - did.outflow.sum(axis=1) + time * injected.sum(axis=1)
    size = np.maximum(np.maximum(before, transport.mass), 1e-30)
    worst.drug = max(worst.drug, float(np.abs((transport.mass - before - gained) / size).max()))
    worst.constant = max(worst.constant, float(np.abs(transport.c[CONSTANT] - 1.0).max()))
    bolus = transport.c[BOLUS]
    worst.beyond = max(worst.beyond, float(-bolus.min()), float(bolus.max()) - 1.0, float(-transport.c[INJECTED].min()))
    worst.steps += len(block.face_flux)
    grid = flow.grid
    first = block.face_flux[:, grid.face_offset]
    if np.any((first.min(axis=0) < -1e-9) & (first.max(axis=0) > 1e-9)):
        worst.turned.add(seed)


def ledger(networks: int = NETWORKS) -> list[Figure]:
    """Random networks, random faults, blood that turns round: nothing is lost, nothing exceeds its bounds."""
    worst, stopped = Worst(), 0
    for seed in range(networks):
        try:
            books(seed, worst)
        except SolverStopped:  # its books were right so far
            stopped += 1
    return [
        Figure("blood, worst imbalance over 1, 2 or 60 steps, of the volume", worst.blood, 0.0, 1e-12, 0.0,
               f"{worst.steps} steps in all"),
        Figure("drug, the same, of the mass", worst.drug, 0.0, 1e-12, 0.0),
        Figure("constant concentration, largest change", worst.constant, 0.0, 1e-12, 0.0),
        Figure("bolus of sharp fronts, largest excess over its bounds", max(worst.beyond, 0.0), 0.0, 1e-13, 0.0),
        Figure("networks where blood turned round within a block, of all", len(worst.turned) / networks, 0.25, 1.0),
        Figure("networks that stopped early, of all", stopped / networks, 0.0, 0.0, 0.0),
    ]  # fmt: skip


def ledger_many() -> list[Figure]:
    return ledger(2000)


def hard_pressed(seed: int) -> tuple[bool, bool]:
    """Whether a network hard pressed keeps sound areas, and whether it stops early with place and time."""
    tree = any_network(seed, HARSH)
    flow = PulsatileFlow(tree, make_grid(tree))
    try:
        for block in range(8):
            if block == 4:
                tree = stricken(tree, seed)
                flow = PulsatileFlow(tree, make_grid(tree), flow.state())
            flow.advance(300)
            if not (np.all(flow.area > 0.0) and np.all(np.isfinite(flow.flow_rate))):
                return False, False
    except SolverStopped as stop:
        return False, stop.where in tree.vessels and stop.time_s >= 0.0
    return True, False


def positive(networks: int = NETWORKS) -> list[Figure]:
    """Suction, surges, occlusions on random networks: areas stay positive, or the run stops and says where and when."""
    found = np.array([hard_pressed(seed) for seed in range(networks)])
    return [
        Figure(f"neither sound nor stopped with vessel and time, of {networks}", float(np.sum(~found.any(axis=1))),
               0.0, 0.0, 0.0),
        Figure("networks that stayed sound, of all", float(found[:, 0].mean()), 0.8, 1.0),
    ]  # fmt: skip


def positive_many() -> list[Figure]:
    return positive(1000)
