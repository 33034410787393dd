"""Drug and tracers against known answers: turning shapes, a dividing streamline, a symmetric bifurcation."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from haiflow.junction.case import INLET, Case
from haiflow.junction.drug import DrugField
from haiflow.junction.ends import Inflow, Outlet, Symmetry, Wall, lay
from haiflow.junction.march import Flow, State
from haiflow.junction.releases import release
from haiflow.junction.steady import steady
from haiflow.junction.streaming import STRAYING, Streaming, solve
from haiflow.kernels import kernel
from haiflow.mesh.extrude import extruded, region
from haiflow.mesh.region import Ints, Region
from haiflow.ports import Floats
from haiflow.verify.model import Figure
from haiflow.verify.shapes import duct, graded, grid, jittered, layer

flow3d = kernel("flow3d")


FINE = 12  # cells across the channel that parts


def turning(n: int, levels: Floats) -> tuple[Region, Floats, Floats]:
    """A unit square (or a cube) that turns once in a unit of time: mesh, fluxes, boundary fluxes."""
    side = np.linspace(0.0, 1.0, n + 1)
    plane, triangles = grid(side, side)
    points, tetra = extruded(jittered(plane, 0.15), triangles, levels)
    mesh = region(points, tetra, [("rim", lambda c: np.ones(len(c), bool))])
    x = mesh.points
    velocity = 2.0 * np.pi * np.column_stack([0.5 - x[:, 1], x[:, 0] - 0.5, 0.0 * x[:, 0]])
    flux = np.empty(len(mesh.dual.ends))
    flow3d.velocity_fluxes(flux, velocity, mesh.dual.ends, mesh.dual.area)
    through = np.einsum("kcd,kd->kc", velocity[mesh.wall], mesh.wall_area)
    share = (5.0 * through + through.sum(axis=1, keepdims=True)) / 24.0
    return mesh, flux, np.asarray(np.bincount(mesh.wall.ravel(), share.ravel(), len(x)), float)


def turned(n: int, start: str, courant: float = 0.4) -> tuple[float, float, float, float]:
    """After one turn: L1 error over the amount, least and largest value, what the amount lost but not by the rim."""
    levels = np.linspace(0.0, 1.0, n + 1) if start == "ball" else np.array([0.0, 1.0 / n])
    mesh, flux, boundary = turning(n, levels)
    weight, c = mesh.dual.volume, SHAPES[start](mesh.points)[:, None]
    nothing, rim = np.zeros((len(mesh.points), 1)), {"rim": mesh.on("rim")}
    first, field, lost = c.copy(), DrugField(mesh, nothing, rim, diffusivity=0.0), 0.0
    steps = int(np.pi * n / courant)
    for _ in range(steps):
        lost += float(field.step(c, flux, boundary, 1.0 / steps)[0, 0]) / steps
    amount = float(weight @ first[:, 0])
    error = float(weight @ np.abs(c - first)[:, 0]) / amount
    return error, float(c.min()), float(c.max()), (float(weight @ (c - first)[:, 0]) + lost) / amount


def _cone(x: Floats) -> Floats:
    return np.asarray(np.maximum(0.0, 1.0 - np.hypot(x[:, 0] - 0.5, x[:, 1] - 0.75) / 0.15))


def _ball(x: Floats) -> Floats:
    r = np.minimum(np.linalg.norm(x - [0.5, 0.65, 0.5], axis=1) / 0.3, 1.0)
    return np.asarray(0.25 * (1.0 + np.cos(np.pi * r)) ** 2)


def _slotted(x: Floats) -> Floats:
    disc = np.hypot(x[:, 0] - 0.5, x[:, 1] - 0.75) < 0.15
    return np.asarray((disc & ~((np.abs(x[:, 0] - 0.5) < 0.025) & (x[:, 1] < 0.85))).astype(float))


SHAPES = {"cone": _cone, "slotted disc": _slotted, "ball": _ball}


def turning_shapes() -> list[Figure]:
    """Zalesak's slotted disc, a cone and a smooth ball carried round once (Zalesak 1979, J Comput Phys 31:335)."""
    cells = {"cone": 96, "slotted disc": 96, "ball": 30}
    found = {name: turned(n, name) for name, n in cells.items()}
    order = float(np.log(turned(20, "ball")[0] / found["ball"][0]) / np.log(30 / 20))
    figures = [
        Figure("order of the smooth ball, 20 to 30 cells a side", order, 1.4, np.inf, 2.0,
               "its top is clipped, as no new extremum may arise; 1.9 without the limits"),
        Figure("L1 error of the cone, 96 cells a side", found["cone"][0], 0.0, 0.12),
        Figure("L1 error of the slotted disc, 96 cells a side", found["slotted disc"][0], 0.0, 0.5),
    ]  # fmt: skip
    for name, (_, least, largest, change) in found.items():
        figures += [
            Figure(f"least value, {name}", least, -1e-12, np.inf, 0.0),
            Figure(f"largest value, {name}", largest, 0.0, 1.0 + 1e-12, 1.0),
            Figure(f"amount that neither stays nor leaves by the rim, {name}", abs(change), 0.0, 1e-12, 0.0),
        ]
    return figures


def tee(left: float, fine: int = FINE, cuts: tuple[float, ...] = (0.0,)) -> tuple[Region, Flow, State]:
    """A plane channel that meets a wall and parts to both sides; ``left``: share of the flow that goes to -x.

    Its inlet, from x = -1/2 to 1/2, is cut at the mesh's lines nearest to ``cuts`` into patches hole:0, hole:1, ...
    """
    arm = graded(fine, 1.0) - 0.5
    far = 0.5 + 4.0 * (np.linspace(0.0, 1.0, 2 * fine + 1)[1:]) ** 1.2
    x = np.concatenate([-far[::-1], arm, far])
    y = np.concatenate([graded(fine, 1.0), 1.0 + 2.0 * np.linspace(0.0, 1.0, fine + 1)[1:] ** 1.2])
    plane, triangles = grid(x, y, mirrored=True)
    middle = plane[triangles].mean(axis=1)
    triangles = triangles[(middle[:, 1] < 1.0) | (np.abs(middle[:, 0]) < 0.5)]
    used, triangles = np.unique(triangles, return_inverse=True)
    lines = [*(arm[np.abs(arm - cut).argmin()] for cut in cuts), 0.5]
    holes = {f"hole:{k}": partial(_of_inlet, beyond=end) for k, end in enumerate(lines)}
    mesh = layer(plane[used], triangles.reshape(-1, 3), 0.1, {
        **holes,
        "to_left": lambda c: c[:, 0] < x[0] + 1e-9, "to_right": lambda c: c[:, 0] > x[-1] - 1e-9,
        "wall": lambda c: np.ones(len(c), bool),
    })  # fmt: skip

    def parabola(points: Ints) -> Floats:
        x = mesh.points[points][:, 0]
        return np.column_stack([0.0 * x, -1.5 * (1.0 - 4.0 * x**2), 0.0 * x])

    def profile(name: str) -> Inflow:
        velocity = parabola(mesh.on(name))
        return Inflow(lambda _: velocity)

    # What the mesh lets in, between its points linear, is a little less than the parabola itself.
    over = np.isin(mesh.patch, [mesh.names.index(name) for name in holes])
    mean = parabola(mesh.wall[over].ravel()).reshape(-1, 3, 3).mean(axis=1)
    flow_rate = -float(np.einsum("kd,kd->", mean, mesh.wall_area[over]))
    ends = lay(mesh, {**{name: profile(name) for name in holes}, "wall": Wall(),
                      "side": Symmetry(2), "to_left": Outlet(flow_rate=lambda _: left * flow_rate),
                      "to_right": Outlet(pressure=lambda _: 0.0)})  # fmt: skip
    flow = Flow(mesh, ends, 1.0 / 100.0, 1e-2)
    return mesh, flow, steady(flow, flow.resting(), tolerance=1e-6, most=3000).state


def _of_inlet(c: Floats, beyond: float) -> NDArray[np.bool_]:
    """Triangles with the middles ``c`` in the inlet's plane, up to a line across it; the first that fits counts."""
    return np.asarray((c[:, 1] > 3.0 - 1e-9) & (c[:, 0] < beyond))


def splits(left: float, tracers: int = 2000, cuts: tuple[float, ...] = (0.0,), straying: float = 0.0) -> tuple[
    Floats, Floats
]:  # fmt: skip
    """Shares (parts of the inlet from the left on, 2 ways) by scalar and by tracers."""
    mesh, flow, state = tee(left, cuts=cuts)
    holes, ways = tuple(f"hole:{k}" for k in range(len(cuts) + 1)), ("to_left", "to_right")
    entering = np.column_stack([-flow.ends.through(name, state.velocity) for name in holes])
    field = DrugField(mesh, entering, {name: points for name, points, _ in flow.ends.outlets}, diffusivity=0.0)
    _, leaving = field.steady(state.flux, state.boundary_flux)
    sent = release(mesh, holes, state.velocity, tracers)
    sent.straying = straying
    sent.carry(0.0, 500.0, state.velocity, state.velocity, ways)
    by_tracers = sent.shares(len(holes), ways)[:, :2]
    return (leaving / leaving.sum(axis=0)).T, by_tracers / by_tracers.sum(axis=1, keepdims=True)


def parted(left: float, cuts: tuple[float, ...]) -> Floats:
    """Exact shares to the left of the inlet's parts between the lines ``cuts`` of :func:`tee`: what enters left of the
    dividing streamline goes there, and nothing else. Flows are those of the mesh, linear between its points."""
    arm = graded(FINE, 1.0) - 0.5
    speed = 1.0 - 4.0 * arm**2
    upto = np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]) * np.diff(arm))])
    lines = np.array([0.0, *(upto[np.abs(arm - cut).argmin()] for cut in cuts), upto[-1]])
    return np.asarray(np.clip((left * upto[-1] - lines[:-1]) / np.diff(lines), 0.0, 1.0))


APART = -0.45, -0.13, 0.13  # parts off the plane of symmetry, and one across it


def symmetric() -> list[Figure]:
    """Equal flows to both sides: each half of the inlet goes to its own side, and so does a hole off the plane that
    parts them; a hole across it is halved. The mesh is symmetric, so only what lies off the plane can be wrong."""
    scalar, tracers = splits(0.5)
    of_hole, by_tracers = splits(0.5, cuts=APART)
    spread = "it spreads over a cell or two"
    return [
        Figure("share to the left, by the scalar", float(scalar[:, 0].mean()), 0.495, 0.505, 0.5),
        Figure("share to the left, by tracers", float(tracers[:, 0].mean()), 0.495, 0.505, 0.5),
        Figure("left half's share to the left, by tracers", float(tracers[0, 0]), 0.98, 1.0, 1.0),
        Figure("left half's share to the left, by the scalar", float(scalar[0, 0]), 0.85, 1.0, 1.0, spread),
        Figure("scalar against tracers, whole inlet", float(abs(scalar[:, 0].mean() - tracers[:, 0].mean())), 0.0,
               0.01),
        Figure("a hole off the plane, by tracers", float(by_tracers[1, 0]), 0.995, 1.0, 1.0),
        Figure("a hole off the plane, by the scalar", float(of_hole[1, 0]), 0.95, 1.0, 1.0, spread),
        Figure("a hole at the wall, scalar against tracers", float(abs(of_hole[0, 0] - by_tracers[0, 0])), 0.0, 0.01),
        Figure("a hole across the plane, by tracers", float(by_tracers[2, 0]), 0.495, 0.505, 0.5),
        Figure("a hole across the plane, by the scalar", float(of_hole[2, 0]), 0.495, 0.505, 0.5),
    ]  # fmt: skip


def dividing_streamline() -> list[Figure]:
    """Three tenths of the flow go left: they come from the left side of the inlet, whatever the flow does between."""
    cuts = (-0.45, -0.25, 0.0, 0.13)
    scalar, tracers = splits(0.3)
    exact, known = parted(0.3, (0.0,)), parted(0.3, cuts)
    of_hole, by_tracers = splits(0.3, cuts=cuts)
    _, straying = splits(0.3, cuts=cuts, straying=STRAYING)
    return [
        Figure("left half's share to the left, by tracers", float(tracers[0, 0]), 0.585, 0.615, float(exact[0])),
        Figure("left half's share to the left, by the scalar", float(scalar[0, 0]), 0.54, 0.62, float(exact[0])),
        Figure("right half's share to the right, by tracers", float(tracers[1, 1]), 0.985, 1.0, 1.0),
        Figure("whole inlet's share to the left, by the scalar", float(scalar[:, 0].mean()), 0.297, 0.303, 0.3),
        Figure("a hole that the streamline cuts, by tracers less exact", float(by_tracers[2, 0] - known[2]), -0.015,
               0.015, 0.0),
        Figure("five holes, by tracers: the largest error", float(np.abs(by_tracers[:, 0] - known).max()), 0.0, 0.015),
        Figure("five holes, by tracers that stray: the largest error", float(np.abs(straying[:, 0] - known).max()),
               0.0, 0.03, note="by a tenth of a cell on a cell's length, as in a run"),
        Figure("five holes, by the scalar: the largest error", float(np.abs(of_hole[:, 0] - known).max()), 0.0, 0.12,
               note="it spreads over a cell or two"),
    ]  # fmt: skip


def reflux() -> list[Figure]:
    """An infusion of half the artery's flow stays downstream; of one and a half of it a third goes back, by balance."""
    flow = 3e-6
    shares = {"a": np.array([0.7 * flow]), "b": np.array([0.3 * flow])}

    def answer(ratio: float) -> Streaming:
        return solve(Case(np.array([flow]), shares, {"hole:tip": ratio * flow}, region=duct(("a", "b"), fine=6)))

    weak, strong = answer(0.5), answer(1.5)
    lost, back = float(weak.figures["drug_balance"]), float(strong.split[0, strong.branches.index(INLET)])
    larger = float(strong.split[0, 0] / (1.0 - back))
    return [
        Figure("half the artery's flow: drug that does not leave downstream", lost, 0.0, 2e-4, 0.0),
        Figure("one and a half of it: share that goes back upstream", back, 0.328, 0.339, 1.0 / 3.0),
        Figure("the same: larger branch's share downstream", larger, 0.697, 0.703, 0.7),
    ]
