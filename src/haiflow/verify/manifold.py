"""A plane tree of sixteen branches: a thread that is infused slowly stays in one of them, as in the glass model.

In a glass tree of sixteen outlets slow infusions stayed inhomogeneous to the end (Radiology 1989). In a plane the
answer is known: streamlines keep their order, so that what enters between two values of the stream function leaves by
the branches that lie between them, and by no other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haiflow.junction.drug import DrugField
from haiflow.junction.ends import Inflow, Outlet, Symmetry, Wall, lay
from haiflow.junction.march import Flow
from haiflow.junction.profiles import Profile
from haiflow.junction.releases import release
from haiflow.junction.steady import steady
from haiflow.mesh.region import Region
from haiflow.ports import Floats
from haiflow.verify.model import Figure
from haiflow.verify.shapes import crossed, layer, rectangle

WIDTHS = (16, 12, 10, 8, 6)  # of the channels, generation by generation, in cells: by Murray's law
REACH = (48, 24, 12, 6)  # from a channel's axis to those of its children
BRANCHES = 2 ** len(REACH)
REYNOLDS = 20.0  # on the root's width and mean velocity
THREAD = (-2.0 / WIDTHS[0], -1.0 / WIDTHS[0])  # of the inlet, -1/2 to 1/2: one cell


def _channels() -> NDArray[np.bool_]:
    """(192, k) which cells of the rectangle are fluid; the root comes in at the low end of the second axis."""
    boxes, axes, low = [], [96], 0
    for width, below, reach in zip(WIDTHS, WIDTHS[1:], REACH, strict=False):
        high = low + 2 * width
        boxes += [(axis - width // 2, axis + width // 2, low, high) for axis in axes]
        boxes += [(axis - reach - below // 2, axis + reach + below // 2, high, high + below) for axis in axes]
        axes, low = [axis + side * reach for axis in axes for side in (-1, 1)], high + below
    end = low + 3 * WIDTHS[-1]
    boxes += [(axis - WIDTHS[-1] // 2, axis + WIDTHS[-1] // 2, low, end) for axis in axes]
    fluid = np.zeros((192, end), bool)
    for left, right, first, last in boxes:
        fluid[left:right, first:last] = True
    return fluid


def tree() -> Region:
    """The tree, its root one wide: patches "inlet", "hole:thread", "out 1" to "out 16", "wall"."""
    fluid = _channels()
    plane, quads = rectangle(*(np.arange(n + 1.0) / WIDTHS[0] for n in fluid.shape))
    used, quads = np.unique(quads[fluid.ravel()], return_inverse=True)
    plane, triangles = crossed(plane[used] - [96 / WIDTHS[0], 0.0], quads.reshape(-1, 4))
    end, pitch = plane[:, 1].max(), 2.0 * WIDTHS[-1] / WIDTHS[0]
    named = {
        f"out {k + 1}": (lambda c, k=k: (c[:, 1] > end - 1e-9) & (np.floor(c[:, 0] / pitch + BRANCHES / 2) == k))
        for k in range(BRANCHES)
    }
    return layer(plane, triangles, 1.0 / WIDTHS[0], {
        "hole:thread": lambda c: (c[:, 1] < 1e-9) & (c[:, 0] > THREAD[0]) & (c[:, 0] < THREAD[1]),
        "inlet": lambda c: c[:, 1] < 1e-9, **named, "wall": lambda c: np.ones(len(c), bool),
    })  # fmt: skip


def stream_function(x: Floats) -> Floats:
    """Share of the inlet's flow left of ``x``: of a parabola on [-1/2, 1/2]."""
    return np.asarray(0.5 * (1.0 + 3.0 * x - 4.0 * x**3))


def sixteen_branches(tracers: int = 3000) -> list[Figure]:
    """A thread one sixteenth of the inlet wide, infused slowly into a tree that parts four times, each branch alike."""
    mesh = tree()
    holes, outs = ("hole:thread", "inlet"), tuple(f"out {k + 1}" for k in range(BRANCHES))
    ends = {name: Inflow(_parabola(mesh.points[mesh.on(name)])) for name in holes}
    share = 1.0 / BRANCHES / WIDTHS[0]
    flows = {name: Outlet(flow_rate=lambda _: share) for name in outs[:-1]}
    laid = lay(mesh, {**ends, **flows, outs[-1]: Outlet(pressure=lambda _: 0.0), "wall": Wall(), "side": Symmetry(2)})
    flow = Flow(mesh, laid, 1.0 / REYNOLDS, 1e-2)
    state = steady(flow, flow.resting(), most=3000).state
    entering = np.column_stack([-laid.through(name, state.velocity) for name in holes])
    field = DrugField(mesh, entering, {name: points for name, points, _ in laid.outlets}, diffusivity=0.0)
    _, leaving = field.steady(state.flux, state.boundary_flux)
    scalar = leaving[:, 0] / leaving[:, 0].sum()
    sent = release(mesh, holes, state.velocity, tracers)
    before = stream_function(sent.place[:, 0])
    sent.carry(0.0, 500.0, state.velocity, state.velocity, outs)
    branch = np.array([mesh.names.index(name) for name in outs])[(BRANCHES * before).astype(int).clip(0, BRANCHES - 1)]
    thread, told = sent.shares(2, outs)[0, :-1], "share of tracers that leave by the branch of their streamline"
    return [
        *(Figure(f"{told}, {name}", float(np.mean((sent.left_by == branch)[sent.hole == hole])), 0.94, 1.0, 1.0)
          for hole, name in enumerate(("thread", "all of the inlet"))),
        Figure("branches that a hundredth of the thread reaches, tracers", float((thread > 0.01).sum()), 2.0, 2.0, 2.0),
        Figure("the same, scalar", float((scalar > 0.01).sum()), 2.0, 9.0, 2.0, "its numerical diffusion adds some"),
        Figure("fullest branch over perfect mixing, scalar", float(BRANCHES * scalar.max()), 2.5, 16.0, 0.69 * 16,
               "by tracers it is 11"),
    ]  # fmt: skip


def _parabola(at: Floats) -> Profile:
    velocity = np.column_stack([0.0 * at[:, 0], 1.5 * (1.0 - 4.0 * at[:, 0] ** 2), 0.0 * at[:, 0]])
    return lambda _: velocity
