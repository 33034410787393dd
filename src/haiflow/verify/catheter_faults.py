"""Leaks and occlusions of the line in closed form."""

from __future__ import annotations

from math import exp, inf, log, pi

import numpy as np
from scipy.optimize import brentq

from haiflow.catheter.hydraulics import rest_state
from haiflow.catheter.line import Line, Pocket
from haiflow.faults.leak import CONNECTOR, leak
from haiflow.faults.occlusion import occlude_hole
from haiflow.ports import Characteristic
from haiflow.verify.line import (
    ARTERY,
    BORE,
    DENSITY,
    DRIVE,
    LENGTH,
    RATE,
    RESTRICTOR,
    SALINE,
    STALLED,
    WALL,
    catheter,
    romberg,
    root,
    steady,
    step,
)
from haiflow.verify.model import Curve, Figure, Found, Plot, at_most, within

OPEN_TISSUE = Pocket(compliance=inf, rest_pressure=0.0)
WIDE = 0.3e-3  # m: a hole through which the discharge loss matters


def charging() -> Found:
    """A blocked line charges through the restrictor: its slowest mode has beta tan(beta) = R_line / R_restrictor."""
    line = occlude_hole(catheter(), "tip", 1.0)
    compliance, lumen = line.compliance.sum(), SALINE * line.resistance_per_viscosity.sum()
    beta = brentq(lambda b: b * np.tan(b) - lumen / RESTRICTOR, 1e-8, 0.1, xtol=1e-16)
    constant = lumen * compliance / beta**2

    def march(dt: float, steps: int) -> float:
        state = rest_state(line, ARTERY)
        for _ in range(steps):
            state, _ = step(line, state, dt)
        return float(state.pressure.mean())

    found, observed = romberg(march, constant)
    return [
        Figure("order in time", observed, 0.98, 1.02, 1.0),
        within("pressure after one time constant, extrapolated, of the drive", (found - ARTERY) / DRIVE,
               1.0 - exp(-1.0), 1e-6),
        within("time constant, h (rule of thumb: C 45 kPa / Q)", constant / 3600.0, 0.13, 0.04),
    ]  # fmt: skip


def charging_by_steps(steps: int = 40, dt: float = 30.0) -> Found:
    """A fluid so thin that the lumen has one pressure: backward Euler leaves 1 / (1 + dt / RC) of the drive a step."""
    line = occlude_hole(catheter(wall_modulus=3e6), "tip", 1.0)
    state, constant = rest_state(line, ARTERY), RESTRICTOR * line.compliance.sum()
    left, pumped, through = [], [], 0.0
    for _ in range(steps):
        state, flow = step(line, state, dt, viscosity=1e-6)
        left.append((ARTERY + DRIVE - state.pressure.mean()) / DRIVE)
        pumped.append(flow.pump_flow / RATE)
        through = max(through, abs(flow.hole_flow[0]), abs(flow.face_flow[-1]))
    known = (1.0 + dt / constant) ** -np.arange(1, steps + 1)
    end, time = steady(line), np.asarray(dt * np.arange(1, steps + 1))
    return [
        at_most("pressure that is left, largest relative error", np.abs(left / known - 1.0).max(), 1e-6),
        at_most("pump's flow, largest relative error", np.abs(pumped / known - 1.0).max(), 1e-6),
        at_most("flow through the blocked tip, m3/s", through, 0.0),
        within("pressure in the end, Pa", end.inlet_pressure, ARTERY + DRIVE, 1e-8),
        Plot("A blocked line charges, and the pump stops", "time / min", "pump's flow, of its rate",
             (Curve("haiflow", time / 60.0, np.array(pumped)), Curve("closed form", time / 60.0, known, known=True))),
    ]  # fmt: skip


def roller_on_a_blocked_line() -> Found:
    """A constant rate into the line's compliance is a straight line, up to the stall pressure."""
    line = occlude_hole(catheter(), "tip", 1.0)
    roller = Characteristic(200e3, 0.05 * 200e3 / RATE, 0.0, RATE)
    state, compliance, error = rest_state(line, ARTERY), line.compliance.sum(), 0.0
    for k in range(1, 11):
        state, _ = step(line, state, 60.0, source=roller)
        error = max(error, abs((state.pressure.mean() - ARTERY) * compliance / (k * 60.0 * RATE) - 1.0))
    for _ in range(20):
        state, _ = step(line, state, 3600.0, source=roller)
    return [
        at_most("rise of the pressure, largest relative error", error, 1e-9),
        within("pressure after 20 h, Pa", state.pressure.mean(), 200e3, 1e-6),
    ]


def jets() -> float:
    """Discharge losses (Pa s2/m6) of tip and wide hole in series."""
    return DENSITY / 2 * ((pi / 4 * BORE**2) ** -2 + (0.6 * pi / 4 * WIDE**2) ** -2)


def leak_by_hand() -> Found:
    """A stalled pump; blood from the artery up the line and out through a wide hole: R q + k q^2 = p."""
    line = leak(catheter(), 0.1, WIDE, pocket=OPEN_TISSUE)
    at = line.holes[1].cell
    lumen = SALINE * (0.5 * line.resistance_per_viscosity[at] + line.resistance_per_viscosity[at + 1 :].sum())
    ends = SALINE * (12 / BORE**3 + 128 * WALL / (pi * WIDE**4) + 24 / WIDE**3)
    known = root(lumen + ends, jets(), ARTERY)
    flow = steady(line, source=STALLED)
    return [
        Figure("discharge loss, of the pressure (it matters here)", jets() * known**2 / ARTERY, 0.03, 1.0),
        within("flow out of the hole, m3/s", flow.hole_flow[1], known, 1e-9),
        within("flow into the tip, m3/s", -flow.hole_flow[0], known, 1e-9),
    ]


def leak_into_a_pocket() -> Found:
    """C d(R q + k q^2)/dt = -q, so t = C (R ln(q0 / q) + 2 k (q0 - q)) while the pocket fills to arterial pressure."""
    line = leak(catheter(wall_modulus=1e15), 0.1, WIDE, pocket=Pocket(compliance=5e-9, absorption=0.0))
    first = float(steady(leak(catheter(), 0.1, WIDE, pocket=OPEN_TISSUE), source=STALLED).hole_flow[1])
    resistance, q = ARTERY / first - jets() * first, 0.4 * first
    end = 5e-9 * (resistance * log(first / q) + 2 * jets() * (first - q))

    def march(dt: float, steps: int) -> float:
        state = rest_state(line, ARTERY)
        for _ in range(steps):
            state, _ = step(line, state, dt, source=STALLED)
        return float(state.pocket_volume[1])

    found, observed = romberg(march, end)
    known = 5e-9 * (ARTERY - resistance * q - jets() * q * q)
    return [
        Figure("order in time", observed, 0.97, 1.03, 1.0),
        within("volume of the pocket when the flow is down to 0.4, extrapolated, m3", found, known, 1e-6),
    ]


def tip_flow(diameter: float, at: float = CONNECTOR, pocket: Pocket = OPEN_TISSUE) -> float:
    """m3/s at the tip of a line with a hole."""
    line: Line = leak(catheter(), at, diameter, pocket=pocket)
    return float(steady(line).hole_flow[0])


def _through_a_hole(d: float) -> float:
    """m3/s that arterial pressure drives through a hole of diameter ``d`` (m): Hagen-Poiseuille and Sampson."""
    return ARTERY / (SALINE * (128 * WALL / (pi * d**4) + 24 / d**3))


def hole_that_takes_all() -> Found:
    """The smallest hole at which nothing leaves by the tip; beyond it blood is drawn backwards."""
    known = brentq(lambda d: _through_a_hole(d) - RATE, 5e-6, 50e-6, xtol=1e-12)
    found = {at: brentq(tip_flow, 5e-6, 50e-6, args=(at,), xtol=1e-12) for at in (CONNECTOR, 0.12, 0.49)}
    sizes = np.linspace(4e-6, 20e-6, 33)
    solved = np.array([tip_flow(d) for d in sizes]) / RATE
    by_hand = 1.0 - np.array([_through_a_hole(d) for d in sizes]) / RATE
    return [
        *(within(f"hole at {100 * (at or 0.0):g} cm, um", 1e6 * d, 1e6 * known, 1e-3) for at, d in found.items()),
        within("the same against the rule of thumb, um", 1e6 * found[CONNECTOR], 13.0, 0.04),
        Figure("flow at the tip with a hole 20 % wider, of the pump's", tip_flow(1.2 * known) / RATE, -np.inf, 0.0),
        Plot("A hole in the line", "diameter of the hole / µm", "flow out of the tip, of the pump's",
             (Curve("haiflow", 1e6 * sizes, solved), Curve("by hand", 1e6 * sizes, by_hand, known=True))),
    ]  # fmt: skip


def tip_nearly_closed(free: float = 1e-3) -> Found:
    """99.9 % of the area over two diameters, in series with line and restrictor: 128 mu (2 D) (f^-2 - 1) / (pi D^4),
    half of Sampson's term, and rho / 2 (q / (f A))^2 of the jet."""

    def by_hand(open_share: float) -> float:
        plug = 128 * 2 * BORE * (open_share**-2 - 1) / (pi * BORE**4) + 12 / (BORE * open_share**0.5) ** 3
        resistance = RESTRICTOR + SALINE * (plug + 128 * LENGTH / (pi * BORE**4))
        return root(resistance, DENSITY / 2 / (open_share * pi / 4 * BORE**2) ** 2, DRIVE)

    found = steady(occlude_hole(catheter(), "tip", 1.0 - free)).pump_flow
    shares = np.geomspace(1e-5, 1.0, 26)
    curve = np.array([steady(occlude_hole(catheter(), "tip", 1.0 - share)).pump_flow for share in shares]) / RATE
    known = np.array([by_hand(share) for share in shares]) / RATE
    return [
        within("pump's flow, tip closed by 99.9 %, m3/s", found, by_hand(free), 1e-9),
        at_most("pump's flow, tip open by 1e-5 to 1, largest error, of the rate", np.abs(curve - known).max(), 1e-9),
        Plot("An occlusion shows only when nearly total", "share of the tip that is open", "pump's flow, of its rate",
             (Curve("haiflow", shares, curve), Curve("closed form", shares, known, known=True)), log="x"),
    ]  # fmt: skip
