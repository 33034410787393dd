"""The one-dimensional blood flow against exact and linear theory."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from haiflow.arteries import tube_law
from haiflow.arteries.grid import make_grid
from haiflow.arteries.outlets import impedance
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import DENSITY, fork, network, single_vessel
from haiflow.arteries.state import State, at_rest
from haiflow.arteries.tree import CLOSED, Inlet, Outlet
from haiflow.ports import Fluid

NEARLY_INVISCID = Fluid(density=DENSITY, viscosity=1e-12)
WAYS_OUT = {
    "windkessel": Outlet(3e8, 1e9, 1e-10),
    "resistance": Outlet(1.2e9),
    "closed": CLOSED,
    "open to waves": Outlet(reflection=0.0),
    "partly reflecting": Outlet(reflection=-0.4),
}


def pulse_inlet(kind: str, height: float) -> Inlet:
    phase = np.arange(400) / 400
    return Inlet("n0", kind, 0.8, height * np.exp(-(((phase - 0.25) / 0.06) ** 2)))


def errors(make_tree, refinements) -> np.ndarray:
    """L1 differences (area, flow rate) between successive refinements, half a period after the start."""
    fields = []
    for n in refinements:
        tree = make_tree()
        grid = make_grid(tree, tree.length[0] / n)
        flow = PulsatileFlow(tree, grid, at_rest(grid), steps=20 * n)
        flow.advance(10 * n)
        assert flow.steps_in_cycle == 20 * n
        fields.append((flow.area, flow.flow_rate))
    return np.array([
        [np.mean(np.abs(fine[i].reshape(-1, 2).mean(axis=1) - coarse[i])) for i in range(2)]
        for coarse, fine in pairwise(fields)
    ])


@pytest.mark.parametrize("way_out", WAYS_OUT)
@pytest.mark.parametrize("inlet", [pulse_inlet("flow_rate", 3e-5), pulse_inlet("pressure", 3e3)], ids=lambda i: i.kind)
def test_smooth_pulse_converges_with_second_order(way_out, inlet):
    # A tapered, stiffening vessel with friction, both boundaries included: the order of the whole scheme.
    def make_tree():
        return single_vessel(0.6, 3e-3, 6.0, inlet, WAYS_OUT[way_out], radius_end=np.array([2.4e-3]),
                             wave_speed_end=np.array([7.0]), velocity_profile=9.0)

    error = errors(make_tree, (100, 200, 400, 800))
    order = np.log2(error[:-1] / error[1:])
    assert np.all(order[-1] >= 1.9), order


def test_smooth_pulse_through_a_viscous_wall_converges_with_second_order():
    def make_tree():
        return single_vessel(0.6, 3e-3, 6.0, pulse_inlet("flow_rate", 3e-5), WAYS_OUT["windkessel"],
                             wall_viscosity=np.array([tube_law.wall_viscosity(100.0, 5e-4)]))

    error = errors(make_tree, (50, 100, 200, 400))
    assert np.all(np.log2(error[-2] / error[-1]) >= 1.9), np.log2(error[:-1] / error[1:])


@pytest.mark.parametrize("pressure", [0.0, 12_000.0])
def test_fluid_at_rest_stays_at_rest(pressure):
    tree = single_vessel(0.5, 3e-3, 5.0, outlet=CLOSED, radius_end=np.array([1.2e-3]), wave_speed_end=np.array([12.0]))
    grid = make_grid(tree)
    flow = PulsatileFlow(tree, grid, at_rest(grid, pressure))
    flow.advance(3000)
    assert np.max(np.abs(flow.flow_rate / flow.area)) <= 1e-12
    assert np.ptp(flow.pressure) <= 1e-7


def test_fluid_at_rest_stays_at_rest_in_a_loop_of_unequal_vessels():
    links = [(0, 1), (1, 2), (1, 3), (2, 3), (3, 4), (2, 4), (4, 5)]
    size = np.array([3.0, 2.0, 1.5, 1.0, 2.0, 1.2, 2.5]) * 1e-3
    tree = network(links, np.linspace(0.02, 0.08, 7), size, np.linspace(5.0, 9.0, 7), single_vessel().inlet,
                   {"n5": CLOSED}, radius_end=0.8 * size, severity=np.array([0, 0.5, 0, 0, 1.0, 0, 0]))
    grid = make_grid(tree)
    flow = PulsatileFlow(tree, grid, at_rest(grid, 12_000.0))
    flow.advance(3000)
    assert np.max(np.abs(flow.flow_rate / flow.area)) <= 1e-12


def travelling_pulse(grid, vessel: int, centre: float, width: float, height: float, direction: float = 1.0) -> State:
    """A small pressure pulse in one vessel, moving one way only: u = +- p / (rho c)."""
    here = grid.vessel_of_cell == vessel
    pressure = np.where(here, height * np.exp(-(((grid.x - centre) / width) ** 2)), 0.0)
    area = tube_law.area(pressure, grid.A0, grid.beta)
    speed = tube_law.wave_speed(grid.A0, grid.A0, grid.beta, DENSITY)
    return replace(at_rest(grid), area=area, flow_rate=direction * area * pressure / (DENSITY * speed))


def pulse_in(flow: PulsatileFlow, vessel: int) -> tuple[float, float]:
    """Integral of pressure over a vessel (Pa m), and the centre of the pulse (m)."""
    here = flow.grid.vessel_of_cell == vessel
    weight = flow.pressure[here] * flow.grid.cell_dx[here]
    return float(weight.sum()), float((weight * flow.grid.x[here]).sum() / weight.sum())


def test_small_wave_travels_at_the_linear_speed():
    tree = single_vessel(2.0, 3e-3, 7.0, outlet=CLOSED, blood=NEARLY_INVISCID)
    grid = make_grid(tree)
    flow = PulsatileFlow(tree, grid, travelling_pulse(grid, 0, 0.5, 0.08, 5.0))
    _, before = pulse_in(flow, 0)
    steps = round(0.13 / flow.dt)
    flow.advance(steps)
    size, after = pulse_in(flow, 0)
    assert (after - before) / (steps * flow.dt) == pytest.approx(7.0, rel=0.005)
    assert size == pytest.approx(5.0 * 0.08 * np.sqrt(np.pi), rel=0.005)


@pytest.mark.parametrize("daughters", [[2.0e-3], [2.4e-3, 1.8e-3], [1.5e-3, 2.5e-3, 1.0e-3]])
def test_reflection_and_transmission_at_a_junction(daughters):
    radius = np.array([3e-3, *daughters])
    speed = np.array([6.0, 7.5, 8.0, 6.5][: len(radius)])
    tree = fork([1.2] + [1.0] * len(daughters), radius, speed, blood=NEARLY_INVISCID)
    grid = make_grid(tree)
    flow = PulsatileFlow(tree, grid, travelling_pulse(grid, 0, 0.7, 0.06, 5.0))
    incident, _ = pulse_in(flow, 0)
    flow.advance(round(0.15 / flow.dt))
    admittance = radius**2 / speed
    reflection = (admittance[0] - admittance[1:].sum()) / admittance.sum()
    assert pulse_in(flow, 0)[0] / incident == pytest.approx(reflection, rel=0.005)
    for daughter in range(1, len(radius)):
        # The pulse is stretched by the ratio of the wave speeds.
        transmitted = pulse_in(flow, daughter)[0] / incident * speed[0] / speed[daughter]
        assert transmitted == pytest.approx(1.0 + reflection, rel=0.005)


@pytest.mark.parametrize("reflection", [-0.7, 0.0, 0.5, 1.0])
def test_reflection_coefficient_of_an_outlet(reflection):
    tree = single_vessel(1.2, 3e-3, 6.0, outlet=Outlet(reflection=reflection), blood=NEARLY_INVISCID)
    grid = make_grid(tree)
    flow = PulsatileFlow(tree, grid, travelling_pulse(grid, 0, 0.7, 0.06, 5.0))
    incident, _ = pulse_in(flow, 0)
    block = flow.advance(round(0.15 / flow.dt))
    assert pulse_in(flow, 0)[0] / incident == pytest.approx(reflection, rel=0.005, abs=0.001)
    if reflection == 1.0:
        assert np.all(block.face_flux[:, grid.last_face[0]] == 0.0)


@pytest.mark.parametrize("outlet", [Outlet(3e8, 1.5e9, 2e-10, 600.0), Outlet(2e8, 1e9, 1e-14), Outlet(8e8)])
def test_windkessel_has_its_analytic_impedance(outlet):
    phase = np.arange(200) / 200
    flow_in = 6e-6 * (1.0 + 0.3 * sum(np.cos(2 * np.pi * k * (phase - 0.1 * k)) / k for k in range(1, 6)))
    tree = single_vessel(0.2, 3e-3, 6.0, Inlet("n0", "flow_rate", 0.9, flow_in), outlet)
    flow = PulsatileFlow(tree)
    for _ in range(15):
        flow.advance(flow.steps_in_cycle)
    block = flow.advance(flow.steps_in_cycle)
    pressure = np.fft.rfft(block.node_pressure[:, 1])
    leaving = np.fft.rfft(block.face_flux[:, flow.grid.last_face[0]])
    ratio = pressure[1:6] / leaving[1:6]
    exact = impedance(outlet, 2 * np.pi * np.arange(1, 6) / 0.9)
    np.testing.assert_allclose(np.abs(ratio - exact) / np.abs(exact), 0.0, atol=0.005)
    mean = (pressure[0].real / len(block.face_flux) - outlet.venous_pressure) / (leaving[0].real / len(block.face_flux))
    assert mean == pytest.approx(outlet.resistance, rel=0.005)


def test_total_occlusion_carries_nothing_on_either_side():
    inlet = Inlet("n0", "flow_rate", 0.9, 6e-6 * (1.0 + 0.5 * np.sin(2 * np.pi * np.arange(32) / 32)))
    tree = fork([0.1, 0.1, 0.1], [3e-3, 2e-3, 2e-3], [6.0, 7.0, 7.0], inlet, Outlet(3e8, 2e9, 1e-10),
                severity=np.array([0.0, 1.0, 0.0]))
    flow = PulsatileFlow(tree)
    block = flow.advance(2 * flow.steps_in_cycle)
    grid = flow.grid
    assert np.all(block.face_flux[:, grid.face_offset[1]] == 0.0)
    # The other daughter takes all that the parent brings.
    assert np.all(block.face_flux[:, grid.face_offset[2]] == block.face_flux[:, grid.last_face[0]])
    assert np.abs(block.face_flux[:, grid.face_offset[2]]).max() > 1e-6


def test_stenosis_costs_its_pressure_in_steady_flow():
    inlet = Inlet("n0", "flow_rate", 0.9, np.full(1, 5e-6))
    tree = network([(0, 1), (1, 2)], np.array([0.05, 0.05]), np.array([2e-3, 2e-3]), np.array([8.0, 8.0]), inlet,
                   {"n2": Outlet(1e9)}, severity=np.array([0.0, 0.8]))
    flow = PulsatileFlow(tree)
    for _ in range(20):
        flow.advance(flow.steps_in_cycle)
    samples = flow.sample_cycle(200).stations[-1]
    area, narrowing, diameter = np.pi * 4e-6, 5.0, 4e-3
    speed = 5e-6 / area
    viscous = 32 * (0.83 * 2 * diameter + 1.64 * diameter * np.sqrt(0.2)) / diameter * narrowing**2
    viscous -= 32 * (0.83 * 2 + 1.64)
    loss = viscous * tree.blood.viscosity * speed / diameter + 0.5 * 1.52 * DENSITY * (narrowing - 1.0) ** 2 * speed**2
    total = samples[:, :, 0] + 0.5 * DENSITY * (samples[:, :, 1] / samples[:, :, 2]) ** 2
    assert total[0, 2] - total[1, 0] == pytest.approx(loss, rel=1e-5)
    assert loss > 500.0


def test_viscous_wall_damps_a_wave_as_linear_theory_says():
    # A standing wave of a closed vessel: s^2 + s nu k^2 + c^2 k^2 = 0 with nu = wall / (rho sqrt(A0)).
    length, speed, radius = 0.4, 6.0, 3e-3
    wall = tube_law.wall_viscosity(400.0, 5e-4)
    tree = single_vessel(length, radius, speed, outlet=CLOSED, blood=NEARLY_INVISCID, wall_viscosity=np.array([wall]))
    grid = make_grid(tree, length / 200)
    wave = np.pi / length
    pressure = 2.0 * np.cos(wave * grid.x)
    area = tube_law.area(pressure, grid.A0, grid.beta)
    flow = PulsatileFlow(tree, grid, replace(at_rest(grid), area=area))
    steps = round(0.2 / flow.dt)
    flow.advance(steps)
    viscosity = wall / (DENSITY * np.sqrt(np.pi) * radius)
    decay = 0.5 * viscosity * wave**2
    angular = np.sqrt((speed * wave) ** 2 - decay**2)
    time = steps * flow.dt
    exact = 2.0 * np.exp(-decay * time) * (np.cos(angular * time) + decay / angular * np.sin(angular * time))
    found = 2.0 * np.mean(flow.pressure * np.cos(wave * grid.x))
    assert np.exp(-decay * time) < 0.8
    assert found == pytest.approx(exact, abs=0.005 * 2.0 * np.exp(-decay * time))
