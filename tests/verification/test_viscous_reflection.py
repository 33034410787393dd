"""A reflecting outlet behind a viscous wall answers to the whole pressure, elastic and viscous."""

import numpy as np
import pytest

from haiflow.arteries import tube_law
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import single_vessel
from haiflow.arteries.steady import steady
from haiflow.arteries.tree import Inlet, Outlet
from haiflow.verify import arteries_exact, arteries_wall

WALL = np.array([0.6])  # Pa s m: waves lose a third on their way
BEAT = Inlet("n0", "flow_rate", 0.4, 4e-6 * (1.0 + 0.8 * np.sin(2.0 * np.pi * np.arange(64) / 64)))


def beating(reflection, base=9e3):
    tree = single_vessel(0.3, 3e-3, 6.0, BEAT, Outlet(reflection=reflection, venous_pressure=base),
                         wall_viscosity=WALL)  # fmt: skip
    flow = PulsatileFlow(tree)
    for _ in range(6):
        flow.advance(flow.steps_in_cycle)
    return tree, flow


@pytest.mark.parametrize("viscosity", [100.0, 400.0])
def test_small_waves_in_a_fork_are_those_of_the_line_equations(viscosity):
    coarse, fine = (arteries_wall.error(viscosity, True, cells)[0] for cells in (30, 60))
    assert fine < 3e-4
    assert np.log2(coarse / fine) > 1.85


@pytest.mark.parametrize("reflection", [-0.4, 0.0, 0.4])
def test_a_large_pulse_keeps_the_order_of_the_step_behind_strong_walls(reflection):
    """What the outlet takes of a head changes with it by a half: the stiff wall must be told."""
    ends = Outlet(reflection=reflection), Outlet(reflection=reflection)
    wall = float(tube_law.wall_viscosity(3000.0, 5e-4))
    tree = arteries_exact.bifurcation(arteries_exact.pulse_inlet("flow_rate", 3e-5), ends, wall)
    assert arteries_exact.shorter_steps(tree, 60, (2400, 4800, 9600)).order > 1.85


@pytest.mark.parametrize("reflection", [-0.5, 0.0, 0.5])
def test_flow_out_is_what_the_whole_pressure_drives(reflection):
    tree, flow = beating(reflection)
    pressure, out, area = flow.sample_cycle(200).stations[:, 0, 2].T
    root = np.sqrt(np.pi) * 3e-3
    b, rho = tree.beta_end[0] / (np.pi * 3e-3**2), tree.blood.density
    base = root + 9e3 / b

    def driven(by):
        whole = root + by / b
        speed = np.sqrt(b / (2.0 * rho)) * (np.sqrt(whole) - np.sqrt(base))
        return (1.0 - reflection) / (1.0 + reflection) * 4.0 * whole**2 * speed

    np.testing.assert_allclose(out, driven(pressure), rtol=1e-6, atol=1e-12)
    of_the_elastic = driven(b * (np.sqrt(area) - root))
    assert np.abs(out - of_the_elastic).max() > 5e-3 * out.max()
    assert flow.fallbacks == 0


def test_all_sent_back_upside_down_is_a_pressure_held():
    _, flow = beating(-1.0)
    samples = flow.sample_cycle(200)
    np.testing.assert_allclose(samples.node_pressure[:, 1], 9e3, rtol=1e-9)
    np.testing.assert_allclose(samples.stations[:, 0, 2, 0], 9e3, rtol=1e-9)


def test_steady_flow_does_not_know_the_walls_viscosity():
    tree = single_vessel(0.2, 3e-3, 6.0, Inlet("n0", "flow_rate", 0.4, np.array([4e-6])),
                         Outlet(reflection=0.3, venous_pressure=9e3), wall_viscosity=WALL)  # fmt: skip
    flow = PulsatileFlow(tree)
    for _ in range(20):
        flow.advance(flow.steps_in_cycle)
    pressure = flow.sample_cycle(200).node_pressure[-1, 1]
    assert pressure == pytest.approx(steady(tree, elastic=True).pressure[1], rel=1e-6)


@pytest.mark.parametrize("radius", [3e-3, 1e-3, 0.5e-3])
def test_nowhere_along_a_vessel_does_steady_flow_know_the_walls_viscosity(radius):
    """The outlet's pressure follows from the flow alone: inlet and middle, area and flow rate tell more."""
    found = []
    for wall in (None, np.array([0.6 + 0.75e-3 / radius])):
        inlet = Inlet("n0", "flow_rate", 0.4, np.array([1e-6 * (radius / 1e-3) ** 3]))
        tree = single_vessel(0.1, radius, 8.0, inlet, Outlet(reflection=0.3, venous_pressure=9e3), wall_viscosity=wall)
        flow = PulsatileFlow(tree)
        for _ in range(20):
            flow.advance(flow.steps_in_cycle)
        found.append(flow.sample_cycle(200).stations[-1])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)


def test_volume_is_kept_to_round_off():
    _, flow = beating(0.2)
    before, moved = flow.volume, flow.end_volume.copy()
    flow.advance(flow.steps_in_cycle)
    through = (flow.end_volume - moved).reshape(-1, 2)
    assert flow.volume - before == pytest.approx(float(through[0, 0] - through[0, 1]), rel=0.0, abs=1e-12 * before)
