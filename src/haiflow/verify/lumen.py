"""Dispersion in the lumen against the exact solution of advection-dispersion with Taylor and Aris's coefficient."""

from __future__ import annotations

import numpy as np
from scipy.special import erfc, erfcx

from haiflow.catheter.lumen import LumenTransport
from haiflow.ports import Floats
from haiflow.verify.model import Curve, Found, Plot, at_most, order, within

LENGTH, RADIUS, FLOW, DIFFUSIVITY = 0.5, 0.3e-3, 1.3e-6 / 86400.0, 7e-10
AREA = np.pi * RADIUS**2
SPEED = FLOW / AREA
TAYLOR_ARIS = DIFFUSIVITY + (RADIUS * SPEED) ** 2 / (48.0 * DIFFUSIVITY)


def lumen(n: int, diffusivity: float = DIFFUSIVITY) -> LumenTransport:
    return LumenTransport(np.full(n, LENGTH / n), np.full(n, AREA), 1, np.array([diffusivity]))


def push(line: LumenTransport, dt: float) -> float:
    """One step of steady flow with liquid of concentration one; mass (kg) that leaves by the tip."""
    n, volume = line.n_cells, line.area * line.cell_length
    exchange = line.advance(
        dt, np.full(n + 1, FLOW), volume, volume, np.array([n - 1], np.int32), np.array([FLOW]), np.ones(1),
        np.zeros((1, 1)), 0,
    )  # fmt: skip
    return float(exchange.hole_mass[0, 0])


def residence(n: int = 400, n_out: int = 1500) -> Found:
    """Mean and variance in a closed vessel: tau and tau^2 (2 / Pe - 2 / Pe^2 (1 - exp(-Pe)))."""
    line, dt = lumen(n), 2.2 * LENGTH / SPEED / n_out
    out = np.array([push(line, dt) for _ in range(n_out)]) / (FLOW * dt)
    t = np.asarray((np.arange(n_out) + 0.5) * dt, float)
    transit, peclet = LENGTH / SPEED, SPEED * LENGTH / TAYLOR_ARIS
    mean = np.sum(1.0 - out) * dt
    variance = 2.0 * np.sum(t * (1.0 - out)) * dt - mean**2
    known = transit**2 * (2.0 / peclet - 2.0 / peclet**2 * (1.0 - np.exp(-peclet)))
    return [
        within("mean, h", mean / 3600.0, transit / 3600.0, 1e-6),
        within("variance, h2", variance / 3600.0**2, known / 3600.0**2, 0.01),
        Plot("What leaves by the tip", "time / h", "concentration, of what enters",
             (Curve("haiflow", t / 3600.0, np.asarray(out)),)),
    ]  # fmt: skip


def front(x: Floats, t: float) -> Floats:
    """Resident concentration behind a continuous inflow, flux condition at x = 0 (Lindstrom et al. 1967)."""
    k, v = TAYLOR_ARIS, SPEED
    spread = 2.0 * np.sqrt(k * t)
    back = erfcx((x + v * t) / spread) * np.exp(-(((x - v * t) / spread) ** 2))  # exp(v x / k) erfc(...), no overflow
    bell = np.sqrt(v * v * t / (np.pi * k)) * np.exp(-(((x - v * t) / spread) ** 2))
    return np.asarray(0.5 * erfc((x - v * t) / spread) + bell - 0.5 * (1.0 + v * x / k + v * v * t / k) * back)


def front_profile() -> Found:
    """The front at 0.6 transits on 100, 200 and 400 cells."""
    time, errors = 0.6 * LENGTH / SPEED, []
    for n in (100, 200, 400):
        line = lumen(n)
        push(line, time)
        x = (np.arange(n) + 0.5) * LENGTH / n
        errors.append(float(np.abs(line.c[0] - front(x, time)).mean()))
    worst = np.abs(line.c[0] - front(x, time)).max()
    return [
        at_most("largest error of the profile on 400 cells, of its height", worst, 0.01),
        order("the profile in L1, 200 to 400 cells", errors, 2.0, 1.5, 2.0),
        Plot("A front in the lumen at 0.6 transits", "distance from the pump / cm", "concentration, of what enters",
             (Curve("haiflow, 400 cells", 100 * x, line.c[0].copy()),
              Curve("exact", 100 * x, front(x, time), known=True))),
    ]  # fmt: skip


def convection(n: int = 800) -> Found:
    """Variance of the front 2 K t with K = v^2 tau / 3, tau the line's transit; without diffusion, or hardly any."""
    figures = []
    for diffusivity in (0.0, 1e-16):
        line, time = lumen(n, diffusivity), 0.002 * LENGTH / SPEED
        line.c[0, : n // 2] = 1.0
        push(line, time)
        x = (np.arange(n) + 0.5) * LENGTH / n
        density = -np.diff(line.c[0, 100:700], prepend=1.0)
        centre = np.sum(density * x[100:700]) / density.sum()
        variance = float(np.sum(density * (x[100:700] - centre) ** 2) / density.sum())
        known = 2.0 * (SPEED**2 * (LENGTH / SPEED) / 3.0) * time
        figures.append(within(f"variance of a front, diffusivity {diffusivity:g} m2/s, mm2", 1e6 * variance,
                              1e6 * known, 1e-3))  # fmt: skip
    return figures
