"""The blood-flow kernel against plain numpy."""

from importlib import import_module

import numpy as np
import pytest
from scipy.optimize import fsolve

from haiflow.arteries import tube_law
from haiflow.arteries.grid import make_grid
from haiflow.arteries.local_steps import same_step
from haiflow.arteries.plan import make_plan
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import fork
from haiflow.arteries.state import State
from haiflow.arteries.tree import Inlet, Outlet
from haiflow.kernels import _is_built

BUILDS = [level for level in ("portable", "x86_64_v3") if _is_built(level)]


@pytest.fixture(params=BUILDS)
def blood1d(request):
    return import_module(f"haiflow.kernels.{request.param}.blood1d")


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def limited_half(w):
    left, right = np.diff(w)[:-1], np.diff(w)[1:]
    size = np.minimum(np.minimum(np.abs(left), np.abs(right)), 0.25 * np.abs(left + right))
    return np.concatenate([[0.0], np.where(left * right > 0.0, np.sign(left) * size, 0.0), [0.0]])


def twin_fluxes(p, u, hp, hu, s0, slack, k, alpha):
    s_l, s_r = s0[1:] + slack[1:] * (p + hp)[:-1], s0[1:] + slack[1:] * (p - hp)[1:]
    u_l, u_r = (u + hu)[:-1], (u - hu)[1:]
    a_l, a_r = s_l**2, s_r**2
    fastest = np.maximum(np.abs(u_l), np.abs(u_r))
    speed = alpha * fastest + np.sqrt(1.5 * k[1:] * np.maximum(s_l, s_r) + alpha * (alpha - 1) * fastest**2)
    mass = 0.5 * (u_l * a_l + u_r * a_r) - 0.5 * speed * (a_r - a_l)
    momentum = 0.5 * (alpha * u_l**2 * a_l + k[1:] * s_l**3 + alpha * u_r**2 * a_r + k[1:] * s_r**3)
    momentum -= 0.5 * speed * (u_r * a_r - u_l * a_l)
    return mass, momentum - k[1:] * s_l**3, momentum - k[1:] * s_r**3


def reconstructed(blood1d, *given):
    """(u, p, hu, hp) of as many cells as the given arrays have; they get the room that the passes want."""
    n = len(given[0])
    out = np.empty((4, n + 8))
    blood1d.reconstruct(*out, *(np.pad(array, (0, 8), constant_values=1.0) for array in given), n)
    return out[:, :n]


def test_reconstruction(blood1d, rng):
    n = 203
    area, flow, s0, b = rng.uniform(1, 2, n), rng.normal(size=n), rng.uniform(0.9, 1.1, n), rng.uniform(1, 3, n)
    u, p, hu, hp = reconstructed(blood1d, area, flow, s0, b)
    np.testing.assert_allclose(u, flow / area, rtol=1e-15)
    np.testing.assert_allclose(p, b * (np.sqrt(area) - s0), rtol=1e-12, atol=1e-15)
    for found, given in ((hp, p), (hu, u)):
        np.testing.assert_allclose(found[1:-1], limited_half(given)[1:-1], rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(found[[0, -1]], 0.5 * np.diff(given)[[0, -1]], rtol=1e-12)
    assert np.any(hp == 0.0)
    assert np.any(hp != 0.0)


def test_fluxes(blood1d, rng):
    n = 203
    p, u = rng.normal(size=(2, n))
    hp, hu = 0.1 * rng.normal(size=(2, n))
    s0, slack, k = rng.uniform(0.5, 1.5, (3, n))
    s0 += 5.0
    given, out = (p, u, hp, hu, s0, slack, k), np.zeros((3, n + 8))
    blood1d.fluxes(*out, *(np.pad(array, (0, 8), mode="edge") for array in given), 1.1, n)
    for found, exact in zip(out[:, :n], twin_fluxes(*given, 1.1), strict=True):
        np.testing.assert_allclose(found[1:], exact, rtol=1e-11, atol=1e-11)


def test_update(blood1d, rng):
    n = 203
    area, flow, mass, to_left, to_right, hp, u, cubic = rng.uniform(0.5, 1.5, (8, n))
    area1, flow1, dtdx = *np.zeros((2, n)), rng.uniform(0.5, 1.5, n)
    blood1d.update(area1, flow1, area, flow, mass, to_left, to_right, hp, u, dtdx, cubic, 0.1, 0.3, 2.0)
    np.testing.assert_allclose(area1[:-1], area[:-1] - dtdx[:-1] * np.diff(mass), rtol=1e-13)
    force = to_left[1:] - to_right[:-1] + 2.0 / 2.0 * (hp * (area + cubic * hp**2))[:-1]
    np.testing.assert_allclose(flow1[:-1], flow[:-1] - dtdx[:-1] * force - 0.1 * 0.3 * u[:-1], rtol=1e-12)


def test_nan_is_noticed(blood1d, rng):
    n = 16
    area, flow, s0, b = rng.uniform(1, 2, (4, n))
    area[7] = np.nan
    area[11] = -1.0
    p = reconstructed(blood1d, area, flow, s0, b)[1]
    assert np.isnan(p[7])
    assert np.isnan(p[11])


class Twin:
    """One Heun step of a fork with a flow inlet and two Windkessels, node equations by scipy's fsolve."""

    def __init__(self, flow: PulsatileFlow) -> None:
        self.tree, self.grid, self.plan = flow.tree, flow.grid, flow.plan
        self.rho = self.tree.blood.density
        self.charge = flow.charge

    def rhs(self, area, flow, step, charge, stage):
        grid = self.grid
        ends, rates = {}, []
        inside = []
        for v in range(3):
            cells = slice(grid.offset[v], grid.offset[v + 1])
            p = np.asarray(tube_law.pressure(area[cells], grid.A0[cells], grid.beta[cells]))
            u = flow[cells] / area[cells]
            hp, hu = limited_half(p), limited_half(u)
            for h, w in ((hp, p), (hu, u)):
                h[0], h[-1] = 0.5 * (w[1] - w[0]), 0.5 * (w[-1] - w[-2])
            inside.append((p, u, hp, hu))
            ends[2 * v] = (p[0] - hp[0], -(u[0] - hu[0]))
            ends[2 * v + 1] = (p[-1] + hp[-1], u[-1] + hu[-1])
        states = self.nodes(ends, step, charge, stage)
        for v, (p, u, hp, hu) in enumerate(inside):
            rates.append(self.vessel(v, area, flow, p, u, hp, hu, states))
        outflow = [states[3][1] * states[3][0] ** 4, states[5][1] * states[5][0] ** 4]
        return [np.concatenate(part) for part in zip(*rates, strict=True)], outflow

    def vessel(self, v, area, flow, p, u, hp, hu, states):
        grid, plan = self.grid, self.plan
        cells = slice(grid.offset[v], grid.offset[v + 1])
        faces = slice(grid.face_offset[v], grid.last_face[v])
        table = plan.face_table[:, faces]
        mass, left, right = twin_fluxes(p, u, hp, hu, *table[:3], plan.alpha)
        (q0, v0), (q1, v1) = states[2 * v], states[2 * v + 1]
        t0, t1 = plan.end_table[2 * v], plan.end_table[2 * v + 1]
        s_in0, s_in1 = t0[2] + (p[0] - hp[0]) / t0[1], t1[2] + (p[-1] + hp[-1]) / t1[1]
        mass = np.concatenate([[-v0 * q0**4], mass, [v1 * q1**4]])
        first = plan.alpha * v0**2 * q0**4 + t0[3] * (q0**6 - s_in0**3)
        last = plan.alpha * v1**2 * q1**4 + t1[3] * (q1**6 - s_in1**3)
        inside = 2.0 / self.rho * hp * (area[cells] + (hp * grid.A0[cells] / grid.beta[cells]) ** 2 / 3.0)
        force = np.append(left, last) - np.append(first, right) + inside
        dx = grid.dx[v]
        return -np.diff(mass) / dx, -force / dx - plan.friction * flow[cells] / area[cells], mass

    def nodes(self, ends, step, charge, stage):
        plan, rho, a = self.plan, self.rho, self.plan.alpha
        waves = {}
        for e, (p, v) in ends.items():
            t = plan.end_table[e]
            q = np.sqrt(t[2] + p / t[1])
            c = t[4] * q
            kappa = (np.sqrt(c * c + a * (a - 1) * v * v) - (a - 1) * v) / c
            waves[e] = (t, q, v + 4 * kappa * c, 4 * kappa * t[4])

        def velocity(e, q):
            return waves[e][2] - waves[e][3] * q

        def head(e, q, kinetic):
            t = waves[e][0]
            return t[1] * (q * q - t[2]) + kinetic * velocity(e, q) ** 2

        found = {}
        scale = waves[0][1]
        inlet = plan.inlet[step % len(plan.inlet)]
        found[0] = fsolve(lambda x: (velocity(0, x[0] * scale) * (x[0] * scale) ** 4 + inlet) * 1e6, [1.0], xtol=1e-11)
        found[0] = found[0] * scale

        def junction(x):
            q = dict(zip((1, 2, 4), x * scale, strict=True))
            h = [head(e, q[e], 0.5 * rho) for e in q]
            return [sum(velocity(e, q[e]) * q[e] ** 4 for e in q) * 1e6, (h[1] - h[0]) / 1e4, (h[2] - h[0]) / 1e4]

        x = fsolve(junction, [waves[e][1] / scale for e in (1, 2, 4)], xtol=1e-11)
        found.update(zip((1, 2, 4), x[:, None] * scale, strict=True))
        for e, node in ((3, 2), (5, 3)):
            found[e] = scale * fsolve(lambda x, e=e, node=node: self.outlet(
                node, head(e, x[0] * scale, 0.0), velocity(e, x[0] * scale) * (x[0] * scale) ** 4, charge[node], stage
            ) / 1e4, [waves[e][1] / scale], xtol=1e-11)
        return {e: (float(q[0]), float(velocity(e, q[0]))) for e, q in found.items()}

    def outlet(self, node, pressure, outflow, charge, stage):
        outlet = self.tree.outlets[f"n{node}"]
        if stage == 1:
            charge = self.charged(node, charge, self.first_outflow[node - 2], outflow)
        return pressure - charge - outlet.proximal * outflow

    def charged(self, node, charge, first, second):
        outlet, theta = self.tree.outlets[f"n{node}"], self.plan.node_table[node, 3]
        step = self.plan.dt / outlet.compliance
        free = charge + step * ((1 - theta) * (first - charge / outlet.distal) + theta * second)
        return free / (1 + theta * step / outlet.distal)

    def step(self, area, flow, step):
        dt = self.plan.dt
        (da, dq, mass1), self.first_outflow = self.rhs(area, flow, step, self.charge, 0)
        area1, flow1 = area + dt * da, flow + dt * dq
        (_, dq, mass2), outflow = self.rhs(area1, flow1, step + 1, self.charge, 1)
        self.charge = np.array([0.0, 0.0] + [
            self.charged(node, self.charge[node], self.first_outflow[node - 2], outflow[node - 2]) for node in (2, 3)])
        mass = 0.5 * (mass1 + mass2)
        gained = np.delete(np.diff(mass), self.grid.last_face[:-1])
        return area - dt / self.grid.cell_dx * gained, 0.5 * (flow + flow1 + dt * dq), mass


@pytest.mark.filterwarnings("ignore:The iteration is not making good progress:RuntimeWarning")
@pytest.mark.parametrize("profile", [2.0, 9.0])
def test_whole_steps_of_a_fork(blood1d, rng, profile):
    inlet = Inlet("n0", "flow_rate", 0.8, 6e-6 * (1.0 + 0.5 * np.sin(2 * np.pi * np.arange(32) / 32)))
    tree = fork([0.04, 0.05, 0.03], [2.5e-3, 2e-3, 1.6e-3], [6.0, 7.0, 8.0], inlet, Outlet(3e8, 2e9, 1e-10),
                radius_end=np.array([2.2e-3, 1.5e-3, 1.6e-3]), velocity_profile=profile)
    grid = make_grid(tree)
    pressure = rng.uniform(9e3, 11e3, grid.n_cells)
    area = np.asarray(tube_law.area(pressure, grid.A0, grid.beta))
    start = State(area, area * rng.uniform(-0.3, 0.8, grid.n_cells), np.array([0.0, 0.0, 9e3, 9.5e3]))
    flow = PulsatileFlow(tree, grid, start, courant=0.5)
    flow._kernel = blood1d
    twin = Twin(flow)
    area, rate = start.area, start.flow_rate
    for step in range(3):
        area, rate, mass = twin.step(area, rate, step)
        block = flow.advance(1)
        np.testing.assert_allclose(block.face_flux[0], mass, rtol=1e-8, atol=1e-8 * np.abs(mass).max())
    np.testing.assert_allclose(flow.area, area, rtol=1e-10)
    np.testing.assert_allclose(flow.flow_rate, rate, rtol=1e-8, atol=1e-8 * np.abs(rate).max())
    np.testing.assert_allclose(flow.charge, twin.charge, rtol=1e-10)


def test_both_builds_agree():
    if len(BUILDS) < 2:
        pytest.skip("one build only on this machine")
    inlet = Inlet("n0", "flow_rate", 0.8, 6e-6 * (1.0 + 0.5 * np.sin(2 * np.pi * np.arange(32) / 32)))
    tree = fork([0.04, 0.05, 0.03], [2.5e-3, 2e-3, 1.6e-3], [6.0, 7.0, 8.0], inlet, Outlet(3e8, 2e9, 1e-10))
    areas = []
    for build in BUILDS:
        flow = PulsatileFlow(tree)
        flow._kernel = import_module(f"haiflow.kernels.{build}.blood1d")
        flow.advance(200)
        areas.append(flow.area)
    np.testing.assert_allclose(areas[0], areas[1], rtol=1e-11)


def _plan_of_a_fork():
    grid = make_grid(fork([0.04, 0.05], [2e-3, 2e-3], [6.0, 7.0], outlet=Outlet(1e9)))
    return make_plan(grid, same_step(grid, 400))


def test_the_plan_knows_what_the_kernel_reads():
    plan = _plan_of_a_fork()
    assert plan.cell_table.shape[0] == 7
    assert plan.face_table.shape[0] == 3
    assert plan.end_table.shape[1] == 9
    assert plan.node_table.shape[1] == 7
    assert plan.nodes.first.dtype == plan.face.dtype == plan.nodes.kind.dtype == np.int32
