"""Order and sharpness of advection on channels with varying volumes, through a node."""

import numpy as np
import pytest

from haiflow.numerics.channels import Channels, ChannelTransport


def bulge(x):
    """Integral of the area 1 + 0.3 sin(2 pi x): the volume up to x, which is what is advected."""
    return x - 0.3 / (2 * np.pi) * np.cos(2 * np.pi * x)


def profile(y):
    """Integral of 1 + sin(2 pi y) / 2."""
    return y - 0.25 / np.pi * np.cos(2 * np.pi * y)


def error_after_one_turn(n, limiter, reverse):
    """L1 error of a ring of two channels after one turn, in the volume's coordinate an exact translation."""
    y = bulge(np.linspace(0.0, 1.0, n + 1))
    exact = np.diff(profile(y)) / np.diff(y)
    ring = Channels([0, n // 2, n], [0, 1], [1, 0], [-1, -1])
    volume, c = np.diff(y), exact[None].copy()
    steps = int(np.ceil(1.0 / (0.6 * volume.min())))
    flux = np.full((steps, n + 2), -1.0 if reverse else 1.0)
    ChannelTransport(ring, limiter=limiter).advance(
        c, volume.copy(), flux, 1.0 / steps, external_concentration=np.zeros((1, 0))
    )
    return np.sum(np.abs(c[0] - exact) * volume)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("limiter", ["van_leer", "mc"])
def test_smooth_advection_is_second_order_in_l1(limiter, reverse):
    errors = np.array([error_after_one_turn(n, limiter, reverse) for n in (50, 100, 200, 400)])
    assert np.log2(errors[:-1] / errors[1:]).min() >= 1.9
    assert errors[-1] < 1e-4


def error_of_breathing_channel(n):
    """Volumes that swell and shrink while the flow reverses: c is constant along dX/dt = Q / A, known exactly.

    A(x, t) = 1 + 0.2 sin(t) uniform, Q(x, t) = U(t) - x A'(t): xi = x A(t) - integral of U is a material coordinate.
    """
    x = np.linspace(0.0, 1.0, n + 1)
    area = lambda t: 1.0 + 0.2 * np.sin(t)  # noqa: E731
    pushed = lambda t: 0.3 * np.sin(2.0 * t)  # noqa: E731
    steps = 4 * n
    t = np.linspace(0.0, 2.0, steps + 1)
    h = t[1] - t[0]
    flux = np.diff(pushed(t))[:, None] / h - x * np.diff(area(t))[:, None] / h
    value = lambda xi: np.exp(-200.0 * (xi - 0.5) ** 2)  # noqa: E731
    mean = lambda time: value(((x[:-1] + x[1:]) / 2) * area(time) - pushed(time))  # noqa: E731
    c, volume = mean(0.0)[None].copy(), np.full(n, 1.0 / n)
    ChannelTransport(Channels([0, n], [0], [1], [0, 1])).advance(
        c, volume, flux, h, external_concentration=np.zeros((1, 2))
    )
    return np.abs(c[0] - mean(2.0)).mean()


def test_order_holds_while_volumes_change_and_flow_reverses():
    errors = np.array([error_of_breathing_channel(n) for n in (50, 100, 200, 400)])
    assert np.log2(errors[1:-1] / errors[2:]).min() >= 1.9


# A donor-cell front is 36 cells wide here.
@pytest.mark.parametrize(("limiter", "width"), [("minmod", 16), ("van_leer", 10), ("mc", 8)])
def test_front_stays_between_its_values_and_sharp(limiter, width):
    n = 200
    c, volume = np.zeros((1, n)), np.full(n, 1.0 / n)
    flux = np.concatenate([np.full((150, n + 1), 1.0), np.full((70, n + 1), -1.0), np.full((100, n + 1), 1.0)])
    ChannelTransport(Channels([0, n], [0], [1], [0, 1]), limiter=limiter).advance(
        c, volume, flux, 0.4 / n, external_concentration=np.array([[1.0, 0.0]])
    )
    assert c.min() >= 0.0
    assert c.max() <= 1.0 + 1e-14
    assert np.count_nonzero((c > 0.02) & (c < 0.98)) <= width
    assert np.sum(c * volume) == pytest.approx(180 * 0.4 / n, abs=1e-12)
