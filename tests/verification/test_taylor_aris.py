"""Dispersion in the lumen against the exact solution of advection-dispersion with Taylor and Aris's coefficient."""

import numpy as np
import pytest
from scipy.special import erfc, erfcx

from haiflow.catheter.lumen import LumenTransport

LENGTH, RADIUS, FLOW, DIFFUSIVITY = 0.5, 0.3e-3, 1.3e-6 / 86400.0, 7e-10
AREA = np.pi * RADIUS**2
SPEED = FLOW / AREA
TAYLOR_ARIS = DIFFUSIVITY + (RADIUS * SPEED) ** 2 / (48.0 * DIFFUSIVITY)


def lumen(n, diffusivity=DIFFUSIVITY, area=AREA):
    return LumenTransport(np.full(n, LENGTH / n), np.full(n, area), 1, np.array([diffusivity]))


def push(line, dt, flow=FLOW):
    """One step of steady flow with liquid of concentration one; mass that leaves by the tip."""
    n = line.n_cells
    volume = line.area * line.cell_length
    exchange = line.advance(
        dt, np.full(n + 1, flow), volume, volume, np.array([n - 1], np.int32), np.array([flow]), np.ones(1),
        np.zeros((1, 1)), 0,
    )
    return exchange.hole_mass[0, 0]


def breakthrough(n, n_out=1500):
    """Times and relative concentration of what leaves, over 2.2 transits."""
    line, dt = lumen(n), 2.2 * LENGTH / SPEED / n_out
    out = np.array([push(line, dt) for _ in range(n_out)]) / (FLOW * dt)
    return (np.arange(n_out) + 0.5) * dt, out


def test_transit_and_its_spread():
    """Mean and variance of the residence time of a closed vessel: tau and tau^2 (2 / Pe - 2 / Pe^2 (1 - exp(-Pe))).

    Levenspiel & Smith 1957, Chem. Eng. Sci. 6:227.
    """
    t, out = breakthrough(400)
    dt = t[1] - t[0]
    transit, peclet = LENGTH / SPEED, SPEED * LENGTH / TAYLOR_ARIS
    mean = np.sum(1.0 - out) * dt
    variance = 2.0 * np.sum(t * (1.0 - out)) * dt - mean**2
    assert mean / 3600.0 == pytest.approx(2.61, rel=1e-3)
    assert mean == pytest.approx(transit, rel=1e-6)
    exact = transit**2 * (2.0 / peclet - 2.0 / peclet**2 * (1.0 - np.exp(-peclet)))
    assert variance == pytest.approx(exact, rel=0.01)


def front(x, t):
    """Resident concentration behind a continuous inflow, flux condition at x = 0 (Lindstrom et al. 1967)."""
    k, v = TAYLOR_ARIS, SPEED
    root = 2.0 * np.sqrt(k * t)
    back = erfcx((x + v * t) / root) * np.exp(-(((x - v * t) / root) ** 2))  # exp(v x / k) erfc(...), no overflow
    bell = np.sqrt(v * v * t / (np.pi * k)) * np.exp(-(((x - v * t) / root) ** 2))
    return 0.5 * erfc((x - v * t) / root) + bell - 0.5 * (1.0 + v * x / k + v * v * t / k) * back


def test_profile():
    n = 400
    line, time = lumen(n), 0.6 * LENGTH / SPEED
    push(line, time)
    x = (np.arange(n) + 0.5) * LENGTH / n
    assert np.abs(line.c[0] - front(x, time)).max() < 0.01


def test_dispersion_is_pure_convection_where_there_is_no_time_to_diffuse():
    """Variance of the front 2 K t with K = v^2 tau / 3 (Gill & Sankarasubramanian 1970), tau the line's transit."""
    n, slow = 800, 1e-16
    for diffusivity in (0.0, slow):
        line, time = lumen(n, diffusivity, area=AREA), 0.002 * LENGTH / SPEED
        line.c[0, : n // 2] = 1.0
        push(line, time)
        x = (np.arange(n) + 0.5) * LENGTH / n
        density = -np.diff(line.c[0, 100:700], prepend=1.0)
        centre = np.sum(density * x[100:700]) / density.sum()
        variance = np.sum(density * (x[100:700] - centre) ** 2) / density.sum()
        expected = 2.0 * (SPEED**2 * (LENGTH / SPEED) / 3.0) * time
        assert variance == pytest.approx(expected, rel=0.01, abs=0.0)
