"""The flow solver against published flows: cavity, step, bend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from haiflow.junction.ends import Inflow, Outlet, Symmetry, Wall, lay
from haiflow.junction.march import Flow
from haiflow.junction.profiles import developed
from haiflow.junction.steady import steady
from haiflow.verify.model import Figure, Rival, within
from haiflow.verify.shapes import graded, grid, layer, pipe

BOTELLA = {  # Botella & Peyret 1998, Comput Fluids 27:421, spectral: least u, largest and least v on the middle lines
    100: (-0.2140424, 0.1795728, -0.2538030),
    1000: (-0.3885698, 0.3769447, -0.5270771),
}
GHIA = {  # Ghia, Ghia & Shin 1982, J Comput Phys 48:387, tables I and II: the same extremes of their tables
    100: (-0.21090, 0.17527, -0.24533), 400: (-0.32726, 0.30203, -0.44993), 1000: (-0.38289, 0.37095, -0.51550)
}  # fmt: skip


def cavity_extremes(n: int, reynolds: int) -> tuple[float, float, float]:
    """Least u, largest and least v on the middle lines of a lid-driven cavity, n by n, finer at the walls."""
    side = graded(n, 1.2)
    mesh = layer(*grid(side, side), 1.0 / n, {"wall": lambda c: c[:, 1] < 1.0 - 1e-9, "lid": lambda c: c[:, 1] > 0.0})
    ends = lay(mesh, {"wall": Wall(), "lid": Wall((1.0, 0.0, 0.0)), "side": Symmetry(2)})
    flow = Flow(mesh, ends, 1.0 / reynolds, 1e-2)
    found = steady(flow, flow.resting(), tolerance=1e-6, most=4000).state.velocity
    x, y = mesh.points[:, 0], mesh.points[:, 1]
    u, v = found[np.abs(x - 0.5) < 1e-9, 0], found[np.abs(y - 0.5) < 1e-9, 1]
    return float(u.min()), float(v.max()), float(v.min())


def _cavity(n: int, reynolds: int, tolerance: float) -> list[Figure]:
    names = ("least u", "largest v", "least v")
    known, found = (BOTELLA.get(reynolds) or GHIA[reynolds]), cavity_extremes(n, reynolds)
    by = "Botella & Peyret" if reynolds in BOTELLA else "Ghia et al."
    figures = [within(f"{name}, Re {reynolds}, {n} x {n}, against {by}", value, reference, tolerance)
               for name, value, reference in zip(names, found, known, strict=True)]  # fmt: skip
    if reynolds == 1000:
        figures += [
            within(f"{name}, Re 1000, against Ghia et al.", value, reference, 0.04,
                   "their table is itself 1.5 to 2.2 % below the spectral values")
            for name, value, reference in zip(names, found, GHIA[1000], strict=True)
        ]  # fmt: skip
    return figures


def cavity() -> list[Figure]:
    """Re 100, 400 and 1000 on 64 by 64."""
    return [*_cavity(64, 100, 0.003), *_cavity(64, 400, 0.03), *_cavity(64, 1000, 0.02)]


def cavity_fine() -> list[Figure]:
    """Re 1000 on 128 by 128."""
    return _cavity(128, 1000, 0.01)


def backward_step() -> list[Figure]:
    """Reattachment behind a step of half of the channel's height, Re 100 and 200 on the channel's mean velocity."""
    known = {100: 2.922, 200: 4.982}  # Erturk 2008, Comput Fluids 37:633, in heights of the step
    return [within(f"reattachment length, Re {reynolds}, heights of the step", step_length(reynolds), value, 0.04)
            for reynolds, value in known.items()]  # fmt: skip


def step_length(reynolds: float, fine: int = 20) -> float:
    """Channel of height 2 behind the step of height 1 at x = 0; Re = 2 mean inlet velocity / viscosity."""
    x = np.concatenate([np.linspace(-4.0, 0.0, 2 * fine, endpoint=False),
                        np.linspace(0.0, 12.0, 8 * fine, endpoint=False),
                        np.linspace(12.0, 24.0, 3 * fine)])  # fmt: skip
    y = np.concatenate([graded(fine, 1.0) - 1.0, graded(fine, 1.0)[1:]])
    plane, triangles = grid(x, y)
    middle = plane[triangles].mean(axis=1)
    triangles = triangles[~((middle[:, 0] < 0.0) & (middle[:, 1] < 0.0))]
    used, triangles = np.unique(triangles, return_inverse=True)
    mesh = layer(plane[used], triangles.reshape(-1, 3), 0.05, {
        "inlet": lambda c: c[:, 0] < -4.0 + 1e-9, "outlet": lambda c: c[:, 0] > 24.0 - 1e-9,
        "wall": lambda c: np.ones(len(c), bool),
    })  # fmt: skip
    points = mesh.on("inlet")
    height = mesh.points[points, 1]
    profile = np.column_stack([6.0 * height * (1.0 - height), 0.0 * height, 0.0 * height])
    ends = lay(mesh, {"inlet": Inflow(lambda _: profile), "outlet": Outlet(pressure=lambda _: 0.0), "wall": Wall(),
                      "side": Symmetry(2)})  # fmt: skip
    flow = Flow(mesh, ends, 2.0 / reynolds, 1e-2)
    state = steady(flow, flow.resting(), tolerance=1e-6, most=4000).state
    floor = (np.abs(mesh.points[:, 1] - y[1]) < 1e-9) & (mesh.points[:, 0] > 0.5)
    order = np.argsort(mesh.points[floor, 0])
    along, u = mesh.points[floor, 0][order], state.velocity[floor, 0][order]
    turn = int(np.flatnonzero((u[:-1] < 0.0) & (u[1:] >= 0.0))[-1])
    return float(np.interp(0.0, u[turn : turn + 2], along[turn : turn + 2]))


def bend() -> list[Figure]:
    """Friction in a bent pipe over that in a straight one at Dean number 100 (White 1929, Proc R Soc A 123:645)."""
    radius, curve, reynolds = 1e-3, 7e-3, 265.0
    dean = reynolds * np.sqrt(radius / curve)
    viscosity = 3.6e-6
    speed = reynolds * viscosity / (2.0 * radius)
    length = 1.2 * np.pi * curve
    mesh = pipe(8, 90, length, radius, bend=curve)
    ends = lay(mesh, {"inlet": Inflow(developed(mesh, "inlet", speed * np.pi * radius**2)), "wall": Wall(),
                      "outlet": Outlet(pressure=lambda _: 0.0)})  # fmt: skip
    flow = Flow(mesh, ends, viscosity, 1e-3)
    state = steady(flow, flow.resting()).state
    turn = np.arctan2(mesh.points[:, 2], mesh.points[:, 0] + curve) % (2.0 * np.pi)
    sections = [np.average(state.pressure[np.abs(turn - at) < 0.02]) for at in (0.65 * np.pi, 1.05 * np.pi)]
    gradient = (sections[0] - sections[1]) / (0.4 * np.pi * curve)
    straight = 8.0 * viscosity * speed / radius**2
    law = 1.0 / (1.0 - (1.0 - (11.6 / dean) ** 0.45) ** 2.2)
    what, note = f"pressure gradient over the straight pipe's, Dean number {dean:.0f}", "White's law is a fit"
    rivals = (Rival("a straight pipe", 1.0), Rival("a bend that adds half of what it does", 0.5 + 0.5 * law))
    return [replace(within(what, float(gradient / straight), law, 0.06, note), rivals=rivals)]
