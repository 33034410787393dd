"""The blood's solver: order, rest, the steady network, the Windkessel, waves and their reflection."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.cases import case
from benchmarks.table import Row, at_least, at_most, worst
from haiflow.arteries.grid import make_grid
from haiflow.arteries.outlets import impedance
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import fork, single_vessel
from haiflow.arteries.state import at_rest
from haiflow.arteries.steady import steady
from haiflow.arteries.tree import CLOSED, Inlet, Outlet

MU = 3.8e-3


def rows() -> Iterator[Row]:
    yield at_least("order in L1, smooth 1D pulse with its boundaries, area and flow rate", order_of_pulse(), 1.9)
    yield at_least("order in L1, smooth advection, either direction", order_of_advection(), 1.9)
    yield at_least("order in L1, advection while volumes change and flow reverses", order_while_breathing(), 1.9)
    yield at_most("rest in a tapered, stiffening vessel", speed_at_rest(), 1e-12, " m/s")
    yield at_most("steady network against Poiseuille resistances by hand", steady_by_hand(), 1e-6)
    yield at_most("Windkessel, resistance and stiff outlets: impedance at 5 harmonics", 100 * impedances(), 0.5, " %")
    yield at_most("linear wave speed", 100 * abs(wave_speed() / 7.0 - 1.0), 0.5, " %")
    for count, radii in enumerate([[2.0e-3], [2.4e-3, 1.8e-3], [1.5e-3, 2.5e-3, 1.0e-3]], 1):
        yield at_most(f"reflection where {count + 1} vessels meet", 100 * reflection(radii), 0.5, " %")


def order_of_pulse() -> float:
    """The last observed order, the lower of area and flow rate, on a tapered, stiffening vessel with friction."""
    tests = case("verification/test_pulse_flow")
    inlet = tests.pulse_inlet("flow_rate", 3e-5)

    def tree():
        return single_vessel(0.6, 3e-3, 6.0, inlet, tests.WAYS_OUT["windkessel"], radius_end=np.array([2.4e-3]),
                             wave_speed_end=np.array([7.0]), velocity_profile=9.0)

    error = tests.errors(tree, (100, 200, 400, 800))
    return float(np.log2(error[-2] / error[-1]).min())


def _order(error_on, cells: tuple[int, ...] = (100, 200, 400)) -> float:
    errors = np.array([error_on(n) for n in cells])
    return float(np.log2(errors[:-1] / errors[1:]).min())


def order_of_advection() -> float:
    turn = case("verification/test_advection_order").error_after_one_turn
    return min(_order(lambda n, way=way: turn(n, "van_leer", way)) for way in (False, True))


def order_while_breathing() -> float:
    return _order(case("verification/test_advection_order").error_of_breathing_channel)


def speed_at_rest() -> float:
    """Largest velocity after 3000 steps at 12 kPa; the radius falls to 40 %, the wave speed rises from 5 to 12 m/s."""
    tree = single_vessel(0.5, 3e-3, 5.0, outlet=CLOSED, radius_end=np.array([1.2e-3]), wave_speed_end=np.array([12.0]))
    grid = make_grid(tree)
    flow = PulsatileFlow(tree, grid, at_rest(grid, 12_000.0))
    flow.advance(3000)
    return float(np.abs(flow.flow_rate / flow.area).max())


def steady_by_hand() -> float:
    """Largest relative error of flow split and node pressures of a fork of three Poiseuille resistances."""
    length, radius, bed, given = [0.1, 0.06, 0.09], [2e-3, 1.5e-3, 1.2e-3], 3e9, 6e-6
    inlet = Inlet("n0", "flow_rate", 1.0, np.array([given]))
    found = steady(fork(length, radius, [8.0] * 3, inlet, Outlet(2e9, 1e9), velocity_profile=2.0))
    lumen = [8 * MU * long / (np.pi * r**4) for long, r in zip(length, radius, strict=True)]
    first, second = lumen[1] + bed, lumen[2] + bed
    flow = given * np.array([1.0, second / (first + second), first / (first + second)])
    middle = flow[1] * first
    pressure = np.array([middle + given * lumen[0], middle, flow[1] * bed, flow[2] * bed])
    return worst([*(found.flow_rate / flow - 1.0), *(found.pressure / pressure - 1.0)])


def impedances() -> float:
    """Largest relative error of the impedance that the marched solver shows, over three outlets and five harmonics."""
    outlets = [Outlet(3e8, 1.5e9, 2e-10, 600.0), Outlet(2e8, 1e9, 1e-14), Outlet(8e8)]
    return worst(_impedance_error(outlet) for outlet in outlets)


def _impedance_error(outlet: Outlet, period: float = 0.9) -> float:
    phase = np.arange(200) / 200
    wave = 6e-6 * (1.0 + 0.3 * sum(np.cos(2 * np.pi * k * (phase - 0.1 * k)) / k for k in range(1, 6)))
    flow = PulsatileFlow(single_vessel(0.2, 3e-3, 6.0, Inlet("n0", "flow_rate", period, wave), outlet))
    for _ in range(15):
        flow.advance(flow.steps_in_cycle)
    block = flow.advance(flow.steps_in_cycle)
    leaving = np.fft.rfft(block.face_flux[:, flow.grid.last_face[0]])[1:6]
    ratio = np.fft.rfft(block.node_pressure[:, 1])[1:6] / leaving
    exact = impedance(outlet, 2 * np.pi * np.arange(1, 6) / period)
    return float(np.abs(ratio / exact - 1.0).max())


def wave_speed() -> float:
    """Speed (m/s) of a pulse of 5 Pa in a vessel of 7 m/s."""
    tests = case("verification/test_pulse_flow")
    tree = single_vessel(2.0, 3e-3, 7.0, outlet=CLOSED, blood=tests.NEARLY_INVISCID)
    grid = make_grid(tree)
    flow = PulsatileFlow(tree, grid, tests.travelling_pulse(grid, 0, 0.5, 0.08, 5.0))
    before = tests.pulse_in(flow, 0)[1]
    steps = round(0.13 / flow.dt)
    flow.advance(steps)
    return (tests.pulse_in(flow, 0)[1] - before) / (steps * flow.dt)


def reflection(daughters: list[float]) -> float:
    """Relative error of the reflected part of a small pulse, from the admittances A / (rho c)."""
    tests = case("verification/test_pulse_flow")
    radius = np.array([3e-3, *daughters])
    speed = np.array([6.0, 7.5, 8.0, 6.5][: len(radius)])
    tree = fork([1.2] + [1.0] * len(daughters), radius, speed, blood=tests.NEARLY_INVISCID)
    grid = make_grid(tree)
    flow = PulsatileFlow(tree, grid, tests.travelling_pulse(grid, 0, 0.7, 0.06, 5.0))
    incident = tests.pulse_in(flow, 0)[0]
    flow.advance(round(0.15 / flow.dt))
    admittance = radius**2 / speed
    exact = (admittance[0] - admittance[1:].sum()) / admittance.sum()
    return abs(tests.pulse_in(flow, 0)[0] / incident / exact - 1.0)
