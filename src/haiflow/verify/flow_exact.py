"""The flow solver against exact solutions: order in space and time, pipe flow, steady and pulsatile."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import jv

from haiflow.junction.ends import End, Inflow, Outlet, Symmetry, Wall, lay
from haiflow.junction.march import Flow, State
from haiflow.junction.profiles import developed, womersley
from haiflow.junction.steady import steady
from haiflow.mesh.extrude import extruded, region
from haiflow.mesh.region import Region
from haiflow.ports import Floats
from haiflow.verify.model import Figure, within
from haiflow.verify.shapes import graded, grid, jittered, layer, pipe

Field = Callable[[float, Floats], Floats]
EVERYWHERE = {"rim": lambda c: np.ones(len(c), bool)}


def errors(mesh: Region, state: State, velocity: Field, pressure: Field) -> tuple[float, float]:
    """Root mean squares over the volume, of velocity and of pressure less its mean."""
    weight = mesh.dual.volume / mesh.dual.volume.sum()
    off = state.velocity - velocity(state.time, mesh.points)
    p = state.pressure - pressure(state.time, mesh.points)
    return float(np.sqrt((weight[:, None] * off**2).sum())), float(np.sqrt(weight @ (p - weight @ p) ** 2))


def _vortex(viscosity: float) -> tuple[Field, Field]:
    k = np.pi

    def velocity(time: float, x: Floats) -> Floats:
        size = np.exp(-2.0 * viscosity * k * k * time)
        return size * np.column_stack(
            [np.cos(k * x[:, 0]) * np.sin(k * x[:, 1]), -np.sin(k * x[:, 0]) * np.cos(k * x[:, 1]), 0.0 * x[:, 0]]
        )

    def pressure(time: float, x: Floats) -> Floats:
        size = np.exp(-4.0 * viscosity * k * k * time)
        return np.asarray(-0.25 * size * (np.cos(2 * k * x[:, 0]) + np.cos(2 * k * x[:, 1])))

    return velocity, pressure


def march_exact(mesh: Region, velocity: Field, pressure: Field, viscosity: float, steps: int, end: float,
                force: Field | None = None) -> State:  # fmt: skip
    """From the exact state to ``end`` with the exact velocity on the rim."""
    points = mesh.on("rim")
    conditions: dict[str, End] = {"rim": Inflow(lambda time: velocity(time, mesh.points[points]))}
    if "side" in mesh.names:
        conditions["side"] = Symmetry(2)
    flow = Flow(mesh, lay(mesh, conditions), viscosity, end / steps, force=force, momentum=1e-8)
    state = flow.start(velocity(0.0, mesh.points), pressure(0.0, mesh.points))
    for _ in range(steps):
        state = flow.advance(state)
    return state


def taylor_green() -> list[Figure]:
    """The decaying vortex on distorted tetrahedra, refined in space and time together."""
    viscosity, end = 0.01, 0.5
    velocity, pressure = _vortex(viscosity)
    found = []
    for n in (16, 32, 64):
        side = np.linspace(0.0, 1.0, n + 1)
        plane, triangles = grid(side, side)
        mesh = layer(jittered(plane, 0.2), triangles, 1.0 / n, EVERYWHERE)
        found.append(errors(mesh, march_exact(mesh, velocity, pressure, viscosity, n, end), velocity, pressure))
    (_, _), (u1, p1), (u2, p2) = found
    return [
        Figure("order of velocity, 32 to 64 cells a side", float(np.log2(u1 / u2)), 1.9, np.inf, 2.0),
        Figure("order of pressure, 32 to 64 cells a side", float(np.log2(p1 / p2)), 1.4, np.inf, 1.5),
        Figure("error of velocity at 64 cells a side, of the largest", u2, 0.0, 1e-3),
    ]


def taylor_green_box() -> list[Figure]:
    """The same vortex in a cube of tetrahedra: all three directions take part."""
    viscosity, end = 0.01, 0.3
    velocity, pressure = _vortex(viscosity)
    found = []
    for n in (8, 16, 24):
        side = np.linspace(0.0, 1.0, n + 1)
        plane, triangles = grid(side, side)
        points, tetra = extruded(jittered(plane, 0.2), triangles, side)
        mesh = region(points, tetra, [
            ("side", lambda c: (np.abs(c[:, 2]) < 1e-9) | (np.abs(c[:, 2] - 1.0) < 1e-9)),
            ("rim", EVERYWHERE["rim"]),
        ])  # fmt: skip
        found.append(errors(mesh, march_exact(mesh, velocity, pressure, viscosity, 3 * n, end), velocity, pressure))
    (_, _), (u1, p1), (u2, p2) = found
    order = np.log(24 / 16)
    return [
        Figure("order of velocity, 16 to 24 cells a side", float(np.log(u1 / u2) / order), 1.9, np.inf, 2.0),
        Figure("order of pressure, 16 to 24 cells a side", float(np.log(p1 / p2) / order), 1.4, np.inf, 1.5),
    ]


def order_in_time() -> list[Figure]:
    """A flow that is linear in space, so that only the time steps err: u = g(t) (x, -y, 0), p = h(t) (x + y / 2)."""
    g, h = lambda t: 1.0 + 0.5 * np.sin(6.0 * t), lambda t: np.cos(5.0 * t)

    def velocity(time: float, x: Floats) -> Floats:
        return g(time) * np.column_stack([x[:, 0], -x[:, 1], 0.0 * x[:, 0]])

    def pressure(time: float, x: Floats) -> Floats:
        return np.asarray(h(time) * (x[:, 0] + 0.5 * x[:, 1]))

    def force(time: float, x: Floats) -> Floats:
        rate = 3.0 * np.cos(6.0 * time) * np.column_stack([x[:, 0], -x[:, 1], 0.0 * x[:, 0]])
        carried = g(time) ** 2 * np.column_stack([x[:, 0], x[:, 1], 0.0 * x[:, 0]])
        return np.asarray(rate + carried + h(time) * np.array([1.0, 0.5, 0.0]))

    side = np.linspace(0.0, 1.0, 33)
    plane, triangles = grid(side, side)
    mesh = layer(jittered(plane, 0.2), triangles, 1.0 / 32, EVERYWHERE)

    def off(viscosity: float, steps: int) -> tuple[float, float]:
        return errors(mesh, march_exact(mesh, velocity, pressure, viscosity, steps, 0.5, force), velocity, pressure)

    found = [off(0.05, steps) for steps in (10, 20, 40)]
    return [
        # Where friction rules, the plain increment of pressure errs by 5.2e-3, its rotational form by 3.2e-3.
        Figure("error of pressure, 40 steps, ten times the viscosity", off(0.5, 40)[1], 0.0, 4e-3),
        Figure(
            "order of velocity in time, 20 to 40 steps", float(np.log2(found[1][0] / found[2][0])), 1.9, np.inf, 2.0
        ),
        Figure(
            "order of pressure in time, 20 to 40 steps", float(np.log2(found[1][1] / found[2][1])), 1.4, np.inf, 1.5
        ),
    ]


def poiseuille() -> list[Figure]:
    """Steady flow in a pipe: velocity on the axis, pressure drop, flow that is let out."""
    radius, length, viscosity, flow_rate = 2e-3, 16e-3, 3.6e-6, 5e-6
    mesh = pipe(8, 24, length, radius)
    ends = lay(mesh, {"inlet": Inflow(developed(mesh, "inlet", flow_rate)), "wall": Wall(),
                      "outlet": Outlet(pressure=lambda _: 0.0)})  # fmt: skip
    flow = Flow(mesh, ends, viscosity, 1e-3)
    state = steady(flow, flow.resting()).state
    axis = np.hypot(mesh.points[:, 0], mesh.points[:, 1]) < 1e-9
    middle = np.abs(mesh.points[:, 2] - 0.75 * length) < 1e-3
    inner = (mesh.points[:, 2] > 0.25 * length - 1e-6) & (mesh.points[:, 2] < 0.75 * length + 1e-6)
    slope = np.polyfit(mesh.points[inner, 2], state.pressure[inner], 1)[0]
    return [
        within("velocity on the axis (m/s)", float(state.velocity[axis & middle, 2].mean()),
               2.0 * flow_rate / (np.pi * radius**2), 0.02),
        within("pressure gradient over density (m/s2)", float(-slope),
               8.0 * viscosity * flow_rate / (np.pi * radius**4), 0.04, "16 cells across"),
        Figure("divergence of the worst control volume, of the flow", flow.worst_divergence, 0.0, 1e-9),
        within("flow let out (m3/s)", float(state.boundary_flux[mesh.on("outlet")].sum()), flow_rate, 2e-9),
    ]  # fmt: skip


def womersley_pipe() -> list[Figure]:
    """A pulsating flow in a pipe against Poiseuille's and Womersley's solutions, half way down.

    The mean keeps the blood going forwards: what would come back by an outlet brings no momentum.
    """
    radius, length, viscosity, period = 2e-3, 6e-3, 3.6e-6, 0.9
    alpha = radius * np.sqrt(2.0 * np.pi / period / viscosity)
    samples = 1e-6 * (3.0 + np.cos(2.0 * np.pi * np.arange(32) / 32))
    mesh = pipe(8, 12, length, radius)
    ends = lay(mesh, {"inlet": Inflow(womersley(mesh, "inlet", samples, period, viscosity)), "wall": Wall(),
                      "outlet": Outlet(pressure=lambda _: 0.0)})  # fmt: skip
    steps = 160
    flow = Flow(mesh, ends, viscosity, period / steps)
    state = flow.resting()
    middle = np.flatnonzero(np.abs(mesh.points[:, 2] - 0.5 * length) < 1e-6)
    r = np.hypot(*mesh.points[middle, :2].T) / radius
    k = 1j**1.5 * alpha
    shape = (1.0 - jv(0, k * r) / jv(0, k)) / (np.pi * radius**2 * (1.0 - 2.0 * jv(1, k) / (k * jv(0, k))))
    mean = 6e-6 * (1.0 - r * r) / (np.pi * radius**2)
    worst = 0.0
    for number in range(2 * steps):
        state = flow.advance(state)
        if number >= steps:
            exact = mean + np.real(1e-6 * shape * np.exp(2j * np.pi * state.time / period))
            worst = max(worst, float(np.abs(state.velocity[middle, 2] - exact).max()))
    return [Figure(f"largest error over the cycle, of the largest velocity (Womersley number {alpha:.2f})",
                   worst / float(mean.max()), 0.0, 0.03, 0.0, "16 cells across")]  # fmt: skip


def rest() -> list[Figure]:
    """No flow comes in: none arises."""
    side = graded(12, 1.0)
    mesh = layer(*grid(side, side), 0.1, EVERYWHERE)
    flow = Flow(mesh, lay(mesh, {"rim": Wall(), "side": Symmetry(2)}), 1e-3, 0.1)
    state = flow.at_rest()
    for _ in range(10):
        state = flow.advance(state)
    return [Figure("velocity (m/s)", float(np.abs(state.velocity).max()), 0.0, 1e-14, 0.0)]
