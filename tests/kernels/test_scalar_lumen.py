"""The compiled lumen transport against a plain numpy twin: masses, dense solve for the dispersion."""

import numpy as np
import pytest

from haiflow.catheter.lumen import LumenTransport


def minmod(a, b):
    return np.where(a * b > 0, np.sign(a) * np.minimum(abs(a), abs(b)), 0.0)


def mc(a, b):
    return minmod(2 * minmod(a, b), (a + b) / 2)


def dispersion_matrix(flow, area, dx, diffusivity, length):
    n = dx.size
    matrix = np.zeros((n, n))
    for i in range(1, n):
        face = (area[i] + area[i - 1]) / 2
        a2, v = face / np.pi, abs(flow[i]) / face
        k = diffusivity
        if v > 0:
            k += a2 * v**2 / (48 * diffusivity) * (1 - np.exp(-16 * diffusivity * length / v / a2))
        g = k * face / ((dx[i] + dx[i - 1]) / 2)
        matrix[i - 1 : i + 1, i - 1 : i + 1] += g * np.array([[1, -1], [-1, 1]])
    return matrix


def twin(c, beyond, dx, area, diffusivity, dt, flow, start, end, cells, holes, inflow, outside, tip, steps):
    """One species through all its sub-steps; returns c, mass out of each hole, mass in at face 0."""
    c, volume, h = c.copy(), start.copy(), dt / steps
    n, mass, entered = c.size, np.zeros(holes.size), 0.0
    matrix = dispersion_matrix(flow, area, dx, diffusivity, dx.sum())
    side = np.array([j for j in range(holes.size) if j != tip], dtype=int)
    for _ in range(steps):
        left = inflow if flow[0] > 0 else c[0]
        right = outside[tip] if flow[n] < 0 else beyond
        ghost = 2 * right - c[-1] if flow[n] < 0 else right
        padded = np.concatenate([[2 * left - c[0]], c, [ghost]])
        s = mc(np.diff(padded)[:-1], np.diff(padded)[1:])
        s[0] = minmod(s[0], 2 * (c[0] - left))
        if flow[n] < 0:
            s[-1] = minmod(s[-1], 2 * (right - c[-1]))
        face = np.empty(n + 1)
        for i in range(1, n):
            up = i - 1 if flow[i] > 0 else i
            face[i] = c[up] + np.sign(flow[i]) * (1 - abs(flow[i]) * h / volume[up]) / 2 * s[up]
        face[0] = left
        face[n] = right if flow[n] < 0 else c[-1] + (1 - flow[n] * h / volume[-1]) / 2 * s[-1]
        new, amount = volume - h * np.diff(flow), volume * c - h * np.diff(flow * face)
        for j in side:
            value = c[cells[j]] if holes[j] > 0 else outside[j]
            new[cells[j]] -= h * holes[j]
            amount[cells[j]] -= h * holes[j] * value
            mass[j] += h * holes[j] * value
        if tip is not None:
            mass[tip] += h * flow[n] * face[n]
        entered += h * flow[0] * face[0]
        beyond = beyond + min(h / new[-1] * flow[n], 1.0) * (face[n] - beyond) if flow[n] > 0 else c[-1]
        volume = new
        c = np.linalg.solve(np.diag(volume) + h * matrix, amount)
    return c, mass, entered


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("tip", [0, None])
def test_kernel_is_its_twin(sign, tip):
    rng = np.random.default_rng(7)
    n, dt = 12, 500.0
    dx, area = rng.uniform(0.8e-2, 1.2e-2, n), rng.uniform(2e-7, 4e-7, n)
    diffusivity = np.array([7e-10, 2e-9])
    cells, holes = np.array([n - 1, 4, 8], np.int32), np.array([0.0, 1e-11, -2e-11])
    swelling = rng.uniform(-2e-13, 2e-13, n)
    side = np.bincount(cells[1:], holes[1:], n)
    flow = np.concatenate([[5e-11 * sign], 5e-11 * sign - np.cumsum(side + swelling)])
    if tip is None:  # closed end: the hole in cell 4 takes what would leave there
        holes[1] += flow[-1]
        flow[5:] -= flow[-1]
    holes[0] = flow[-1]
    start = area * dx
    end = start + dt * swelling
    c = rng.uniform(0, 1, (2, n))
    inflow, outside = np.array([1.0, 0.3]), rng.uniform(0, 1, (2, 3))
    lumen = LumenTransport(dx, area, 2, diffusivity, concentration=c)
    got = lumen.advance(dt, flow, start, end, cells, holes, inflow, outside, tip)
    assert got.sub_steps > 5
    for k in range(2):
        want, mass, entered = twin(c[k], c[k, -1], dx, area, diffusivity[k], dt, flow, start, end, cells, holes,
                                   inflow[k], outside[k], tip, got.sub_steps)
        np.testing.assert_allclose(lumen.c[k], want, rtol=1e-11)
        np.testing.assert_allclose(got.hole_mass[k], mass, rtol=1e-11, atol=1e-30)
        np.testing.assert_allclose(got.inlet_mass[k], entered, rtol=1e-11)
