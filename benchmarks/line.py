"""The catheter: scales at basal rate, dispersion, the leak that takes everything, leak and occlusion in closed form."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, pi, sqrt

import numpy as np
from scipy.optimize import brentq

from benchmarks.cases import case
from benchmarks.table import Row, at_most, within
from haiflow.catheter.line import Pocket
from haiflow.faults.leak import leak
from haiflow.faults.occlusion import occlude_hole
from haiflow.pump.drives import restrictor_resistance


def rows() -> Iterator[Row]:
    tests = case("verification/test_catheter_hydraulics")
    line = tests.catheter()
    flow = tests.steady(line)
    yield within("50 cm, 0.6 mm, 1.3 mL/day: pressure loss", flow.inlet_pressure - tests.ARTERY, 1.656, 1e-3, " Pa")
    yield within("50 cm, 0.6 mm, 1.3 mL/day: transit", line.dead_volume / flow.hole_flow[0] / 3600, 2.61, 1e-3, " h")
    resistance = restrictor_resistance(45e3, tests.RATE)
    yield within("restrictor, 1.3 mL/day at 45 kPa", resistance, 2.991e15, 1e-3, " Pa s/m3")
    yield at_most("Taylor-Aris, variance of the residence time", 100 * residence_variance(), 1.0, " %")
    yield at_most("Taylor-Aris, profile of a front, share of its height", 100 * front_profile(), 1.0, " %")
    yield at_most("orifice leak against closed form", leak_error(), 1e-6)
    yield at_most("total occlusion: charging of the blocked line against closed form", charging_error(), 1e-6)
    yield at_most("total occlusion: flow that still passes the tip", abs(blocked_flow()), 0.0, " m3/s")
    yield at_most("tip at 99.9 % against closed form", occlusion_error(), 1e-6)
    leaks = case("faults/test_leaks")
    hole = brentq(lambda d: leaks.tip_flow(d), 5e-6, 50e-6, xtol=1e-12)
    yield within("hole that takes all of 1.3 mL/day, wall of 0.85 mm", 1e6 * hole, 13.0, 0.1, " um")
    backwards = float(leaks.tip_flow(1.2 * hole) / leaks.RATE)
    yield Row("a hole 20 % wider: flow at the tip, of the pump's", "< 0", f"{backwards:.3g}", backwards < 0, backwards)


def residence_variance() -> float:
    """Relative error of the variance of the residence time in a closed vessel (Levenspiel & Smith 1957)."""
    tests = case("verification/test_taylor_aris")
    time, out = tests.breakthrough(400)
    dt = time[1] - time[0]
    transit, peclet = tests.LENGTH / tests.SPEED, tests.SPEED * tests.LENGTH / tests.TAYLOR_ARIS
    mean = np.sum(1.0 - out) * dt
    variance = 2.0 * np.sum(time * (1.0 - out)) * dt - mean**2
    exact = transit**2 * (2.0 / peclet - 2.0 / peclet**2 * (1.0 - np.exp(-peclet)))
    return abs(variance / exact - 1.0)


def front_profile(n: int = 400) -> float:
    """Largest difference from the exact profile of a front at 0.6 transits."""
    tests = case("verification/test_taylor_aris")
    lumen, time = tests.lumen(n), 0.6 * tests.LENGTH / tests.SPEED
    tests.push(lumen, time)
    x = (np.arange(n) + 0.5) * tests.LENGTH / n
    return float(np.abs(lumen.c[0] - tests.front(x, time)).max())


def _root(resistance: float, loss: float, pressure: float) -> float:
    """The flow of ``resistance q + loss q^2 = pressure``."""
    return 2.0 * pressure / (resistance + sqrt(resistance**2 + 4.0 * loss * pressure))


def leak_error() -> float:
    """A stalled pump: blood from the artery, up the line and out of a hole of 0.3 mm into open tissue."""
    tests = case("verification/test_catheter_hydraulics")
    mu, rho, hole, bore = tests.SALINE, tests.DENSITY, 0.3e-3, 0.6e-3
    line = leak(tests.catheter(), 0.1, hole, pocket=Pocket(compliance=inf))
    at = line.holes[1].cell
    lumen = mu * (0.5 * line.resistance_per_viscosity[at] + line.resistance_per_viscosity[at + 1 :].sum())
    ends = mu * (12 / bore**3 + 128 * 0.85e-3 / (pi * hole**4) + 24 / hole**3)
    jets = rho / 2 * ((pi / 4 * bore**2) ** -2 + (0.6 * pi / 4 * hole**2) ** -2)
    found = tests.steady(line, source=tests.STALLED).hole_flow[1]
    return abs(found / _root(lumen + ends, jets, tests.ARTERY) - 1.0)


def charging_error(steps: int = 40, dt: float = 30.0) -> float:
    """The blocked line charges through the restrictor: what is left of the drive falls by 1 / (1 + dt / RC) a step.

    The fluid is made so thin that the lumen has one pressure; the closed form is backward Euler's own.
    """
    tests = case("verification/test_catheter_hydraulics")
    line = occlude_hole(tests.catheter(wall_modulus=3e6), "tip", 1.0)
    state, time_constant, error = tests.rest_state(line, tests.ARTERY), tests.RESTRICTOR * line.compliance.sum(), 0.0
    for step in range(1, steps + 1):
        state, _ = tests.step(line, state, dt, viscosity=1e-6)
        left = tests.DRIVE / (1.0 + dt / time_constant) ** step
        error = max(error, abs((tests.ARTERY + tests.DRIVE - state.pressure.mean()) / left - 1.0))
    return error


def blocked_flow() -> float:
    tests = case("verification/test_catheter_hydraulics")
    return float(tests.steady(occlude_hole(tests.catheter(), "tip", 1.0)).face_flow[-1])


def occlusion_error(free: float = 1e-3, bore: float = 0.6e-3) -> float:
    """99.9 % of the tip's area over two diameters, in series with line and restrictor."""
    tests = case("verification/test_catheter_hydraulics")
    mu = tests.SALINE
    plug = mu * (128 * 2 * bore * (free**-2 - 1) / (pi * bore**4) + 12 / (bore * free**0.5) ** 3)
    resistance = tests.RESTRICTOR + plug + mu * 128 * 0.5 / (pi * bore**4)
    jet = tests.DENSITY / 2 / (free * pi / 4 * bore**2) ** 2
    found = tests.steady(occlude_hole(tests.catheter(), "tip", 1.0 - free)).pump_flow
    return abs(found / _root(resistance, jet, tests.DRIVE) - 1.0)


