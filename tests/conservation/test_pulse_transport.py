"""Species on the blood solver's own fluxes: constants stay, mass closes."""

import numpy as np
import pytest

from haiflow.arteries.grid import make_grid
from haiflow.arteries.pulsatile import FluxBlock, PulsatileFlow
from haiflow.arteries.simple import network, single_vessel
from haiflow.arteries.transport import Injection, PulseTransport
from haiflow.arteries.tree import Outlet
from haiflow.verify.arteries_drug import PULSE

WINDKESSEL = Outlet(5e8, 4e9, 2e-10)


def loop():
    return network([(0, 1), (1, 2), (2, 1), (2, 3), (1, 4)], np.array([0.06, 0.04, 0.05, 0.05, 0.04]),
                   np.array([3e-3, 2e-3, 2e-3, 2e-3, 2e-3]), np.full(5, 7.0), PULSE,
                   {"n3": WINDKESSEL, "n4": Outlet(1e9)})


def test_constant_stays_and_mass_closes_over_cycles():
    tree = loop()
    grid = make_grid(tree)
    blood = PulsatileFlow(tree, grid)
    transport = PulseTransport(grid, 3, (Injection("tip", "v1"), Injection("side", "v3", 0.02)),
                               split={"n1": {"v1": 0.5, "v2": 0.2}})
    transport.c[0], transport.c[1] = 5.0, np.random.default_rng(0).uniform(0, 1, grid.n_cells)
    inlet, injected = np.array([5.0, 0.5, 0.0]), np.array([[0, 0], [0, 0], [2e-8, 1e-8]], dtype=float)
    transport.volume = blood.area * grid.cell_dx
    start, elapsed, reversed_ends = transport.mass, 0.0, False
    moved = np.zeros(3)
    for _ in range(8):
        block = blood.advance(blood.steps_in_cycle // 3)
        did = transport.advance(block, inlet, injected)
        moved += did.inlet - did.outflow.sum(axis=1)
        elapsed += block.dt * block.face_flux.shape[0]
        reversed_ends |= bool((block.face_flux[:, grid.face_offset].min(axis=0) < 0).any())
    assert reversed_ends
    assert np.abs(transport.c[0] / 5.0 - 1.0).max() <= 1e-12
    balance = transport.mass - start - moved - elapsed * injected.sum(axis=1)
    assert np.abs(balance / np.maximum(start, transport.mass)).max() <= 1e-12
    assert 0.0 <= transport.c[1].min() <= transport.c[1].max() <= 1.0
    assert transport.c[2].min() >= 0.0
    np.testing.assert_allclose(transport.volume, blood.area * grid.cell_dx, rtol=1e-12)


def test_a_blood_step_longer_than_a_cell_holds_is_taken_in_pieces():
    # Where the blood's whole step is long, as local steps allow, what flows in one may be several cells' volumes.
    tree = single_vessel(0.1, 3e-3, 6.0, PULSE, WINDKESSEL)
    grid = make_grid(tree, 2e-3)
    transport, area = PulseTransport(grid, 2), grid.A0.copy()
    transport.c[0], transport.c[1] = 1.0, np.where(grid.x < 0.03, 1.0, 0.0)
    transport.volume = area * grid.cell_dx
    before, dt = transport.mass, 3.7 * grid.dx[0] * area[0] / 1e-5
    block = FluxBlock(dt, np.full((2, grid.n_faces), 1e-5), area, np.zeros((2, 2)))
    assert transport._steps_together(block, transport.volume) == (1, 4)
    did = transport.advance(block, np.array([1.0, 0.0]))
    assert np.abs(transport.c[0] - 1.0).max() <= 1e-12
    assert transport.c[1].min() >= 0.0
    assert transport.c[1].max() <= 1.0 + 1e-15
    np.testing.assert_allclose(transport.mass, before + did.inlet - did.outflow[:, 0], rtol=1e-13)
    # The front has moved by 7.4 cells.
    front = (transport.c[1] * grid.cell_dx).sum() + did.outflow[1, 0] / area[0]
    assert front == pytest.approx((before[1] / area[0]), rel=1e-12, abs=0.0)
    centre = (transport.c[1] * grid.x).sum() / transport.c[1].sum()
    assert centre == pytest.approx(0.015 + 7.4 * grid.dx[0], abs=0.2 * grid.dx[0])


def one_cycle(cell_length, size):
    """Concentration after one cycle of injection, in blocks of ``size`` blood steps, and the number of steps."""
    tree = single_vessel(0.3, 3e-3, 6.0, PULSE, WINDKESSEL)
    grid = make_grid(tree, cell_length)
    blood, transport = PulsatileFlow(tree, grid), PulseTransport(grid, 1, (Injection("tip", "v0", 0.1),))
    for done in range(0, blood.steps_in_cycle, size):
        block = blood.advance(min(size, blood.steps_in_cycle - done))
        transport.advance(block, np.zeros(1), np.array([[1e-9]]))
    return transport.c[0]


def test_blood_steps_taken_together_are_no_worse_than_one_by_one():
    together, single = one_cycle(3e-3, 10_000), one_cycle(3e-3, 1)
    fine = one_cycle(0.75e-3, 1).reshape(-1, 4).mean(axis=1)
    assert np.abs(together - single).mean() < 0.02 * single.mean()
    assert np.abs(together - fine).mean() <= np.abs(single - fine).mean()


def test_a_block_out_of_turn_is_refused():
    tree = single_vessel(0.3, 3e-3, 6.0, PULSE, WINDKESSEL)
    grid = make_grid(tree)
    blood, transport = PulsatileFlow(tree, grid), PulseTransport(grid, 1)
    transport.advance(blood.advance(40), np.ones(1))
    blood.advance(40)
    with pytest.raises(ValueError, match="does not begin"):
        transport.advance(blood.advance(40), np.ones(1))
