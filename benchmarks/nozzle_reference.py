"""FDA's nozzle as an axisymmetric flow, by another method than haiflow's: the velocities in ``haiflow.verify.nozzle``.

Steady Navier-Stokes in (z, r) by Taylor-Hood elements (quadratic velocity, linear pressure; Taylor & Hood 1973, Comput
Fluids 1:73) and Newton's method, the linear systems solved directly:

    ((u.grad) u, v) + nu ((grad u, grad v) + (u_r, v_r) / r^2) - (p, div v) - (q, div u) = 0,   measure r dr dz.

Parabolic inflow, no slip, u_r = 0 on the axis, no traction at the end, which lies behind the jet's reattachment. Run
``python -m benchmarks.nozzle_reference``: it prints the velocity on the axis on three meshes and how far they differ.
"""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.linalg import splu

from haiflow.ports import Floats
from haiflow.verify.nozzle import FLOW_RATE, INNER, OUTER, PLACES, VISCOSITY

Ints = NDArray[np.int_]
END = 0.35  # m
SIDES = ((0, 1), (1, 2), (2, 0))


def graded(start: float, end: float, n: int, ratio: float) -> Floats:
    """(n + 1,) places; the last step is ``ratio`` times the first."""
    steps = np.geomspace(1.0, ratio, n)
    return start + (end - start) * np.concatenate([[0.0], np.cumsum(steps) / steps.sum()])


def nozzle(fine: float) -> tuple[Floats, Ints]:
    """Points (n, 2) as (z, r) and triangles (m, 3); finer towards throat and lip by ``fine``."""
    levels = np.unique(np.concatenate([
        graded(-0.075, -0.062685, round(8 * fine), 0.7), graded(-0.062685, -0.04, round(30 * fine), 0.4),
        graded(-0.04, 0.0, round(50 * fine), 0.08), graded(0.0, 0.03, round(40 * fine), 16.0),
        graded(0.03, END, round(90 * fine), 6.0),
    ]).round(12))  # fmt: skip
    inside = graded(0.0, INNER, round(12 * fine), 0.3)
    across = np.concatenate([inside, graded(INNER, OUTER, round(14 * fine), 5.0)[1:]])
    z, r = np.meshgrid(levels, across, indexing="ij")
    number = np.arange(z.size).reshape(z.shape)
    quads = np.stack([number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]], axis=-1)
    kept = (levels[:-1, None] >= 0.0) | (across[None, :-1] < INNER - 1e-12)
    quads = quads[kept]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    used, triangles = np.unique(triangles, return_inverse=True)
    points = np.column_stack([z.ravel(), r.ravel()])[used]
    widening = np.interp(points[:, 0], [-0.062685, -0.04], [OUTER / INNER, 1.0])
    points[:, 1] *= np.where(points[:, 0] < 0.0, widening, 1.0)
    return points, triangles.reshape(-1, 3)


def quadratic(points: Floats, triangles: Ints) -> tuple[Floats, Ints]:
    """With the middles of sides: points, and (m, 6) numbers."""
    sides = np.sort(np.stack([triangles[:, list(side)] for side in SIDES], axis=1), axis=2)
    once, number = np.unique(sides.reshape(-1, 2), axis=0, return_inverse=True)
    middles = points[once].mean(axis=1)
    return np.concatenate([points, middles]), np.column_stack([triangles, len(points) + number.reshape(-1, 3)])


def rule() -> tuple[Floats, Floats]:
    """Barycentric points (12, 3) and weights of the rule of degree 6 (Dunavant 1985, Int J Numer Meth Eng 21:1129)."""
    a, b, c, d = 0.249286745170910, 0.063089014491502, 0.310352451033785, 0.053145049844816
    first = [(1 - 2 * x, x, x) for x in (a, b)]
    at = [np.roll(p, k) for p in first for k in range(3)]
    e = 1 - c - d
    at += [np.array(p) for p in ((c, d, e), (d, e, c), (e, c, d), (d, c, e), (c, e, d), (e, d, c))]
    return np.array(at), np.repeat([0.116786275726379, 0.050844906370207, 0.082851075618374], [3, 3, 6])


class Flow:
    """The discrete equations on one mesh: unknowns u_z, u_r at all points, p at corners."""

    def __init__(self, fine: float) -> None:
        self.viscosity = VISCOSITY
        corners, triangles = nozzle(fine)
        self.points, self.cells = quadratic(corners, triangles)
        self.n, self.m = len(self.points), len(corners)
        bary, weight = rule()
        x, y = corners[triangles].transpose(2, 0, 1)
        double = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
        slope = np.stack([np.roll(y, -1, 1) - np.roll(y, -2, 1), np.roll(x, -2, 1) - np.roll(x, -1, 1)], axis=2)
        slope /= double[:, None, None]  # (m, 3, 2) of the barycentric coordinates
        sides = [bary[:, i] * bary[:, j] for i, j in SIDES]
        self.shape = np.column_stack([*(bary * (2.0 * bary - 1.0)).T, *(4.0 * np.array(sides))])  # (q, 6)
        grads = [np.einsum("q,md->mqd", 4.0 * bary[:, k] - 1.0, slope[:, k]) for k in range(3)]
        grads += [4.0 * (np.einsum("q,md->mqd", bary[:, i], slope[:, j])
                         + np.einsum("q,md->mqd", bary[:, j], slope[:, i])) for i, j in SIDES]  # fmt: skip
        self.grad, self.linear = np.stack(grads, axis=2), bary  # (m, q, 6, 2), (q, 3)
        self.r = y @ bary.T
        self.weight = 0.5 * np.abs(double)[:, None] * weight * self.r
        self.held, self.given = self._conditions()

    def _conditions(self) -> tuple[Ints, Floats]:
        z, r = self.points.T
        wide = np.where(z < 0.0, INNER * np.interp(z, [-0.062685, -0.04], [OUTER / INNER, 1.0]), OUTER)
        lip = (np.abs(z) < 1e-12) & (r > INNER - 1e-12)
        wall, inlet, axis = (r > wide - 1e-10) | lip, z < -0.075 + 1e-10, r < 1e-12
        speed = np.where(inlet, 2.0 * FLOW_RATE / (np.pi * OUTER**2) * (1.0 - (r / OUTER) ** 2), 0.0)
        along, across = np.flatnonzero(wall | inlet), np.flatnonzero(wall | inlet | axis)
        return np.concatenate([along, self.n + across]), np.concatenate([speed[along], 0.0 * across])

    def newton_step(self, x: Floats) -> tuple[csr_matrix, Floats]:
        """Jacobian and residual at ``x``."""
        u = np.stack([x[: self.n], x[self.n : 2 * self.n]], axis=1)[self.cells]
        p = x[2 * self.n :][self.cells[:, :3]] @ self.linear.T
        phi, grad, w, r = self.shape, self.grad, self.weight, self.r
        value, slope = np.einsum("qa,mad->mqd", phi, u), np.einsum("mqaj,mad->mqdj", grad, u)
        stream = np.einsum("mqaj,mqj->mqa", grad, value)
        diffuse = self.viscosity * np.einsum("mq,mqaj,mqbj->mab", w, grad, grad)
        diffuse += np.einsum("mq,qa,mqb->mab", w, phi, stream)
        react = np.einsum("mq,qa,qb,mqdj->mdajb", w, phi, phi, slope, optimize=True)
        hoop = self.viscosity * np.einsum("mq,qa,qb->mab", w / r**2, phi, phi, optimize=True)
        divergence = grad.transpose(3, 0, 1, 2).copy()  # (2, m, q, 6)
        divergence[1] += phi / r[:, :, None]
        pressure = -np.einsum("mq,dmqa,qc->mdac", w, divergence, self.linear, optimize=True)
        matrix = np.zeros((len(u), 15, 15))
        matrix[:, :12, :12] = react.reshape(-1, 12, 12)
        matrix[:, :6, :6] += diffuse
        matrix[:, 6:12, 6:12] += diffuse + hoop
        matrix[:, :12, 12:] = pressure.reshape(-1, 12, 3)
        matrix[:, 12:, :12] = matrix[:, :12, 12:].transpose(0, 2, 1)
        inertia = np.einsum("mqdj,mqj->mqd", slope, value)
        inertia[:, :, 1] += self.viscosity * value[:, :, 1] / r**2
        local = np.zeros((len(u), 15))
        local[:, :12] = (
            np.einsum("mq,qa,mqd->mda", w, phi, inertia)
            + self.viscosity * np.einsum("mq,mqaj,mqdj->mda", w, grad, slope)
            - np.einsum("mq,dmqa,mq->mda", w, divergence, p)
        ).reshape(-1, 12)  # fmt: skip
        local[:, 12:] = -np.einsum("mq,mq,qc->mc", w, np.einsum("dmqa,mad->mq", divergence, u), self.linear)
        at = np.column_stack([self.cells, self.n + self.cells, 2 * self.n + self.cells[:, :3]])
        rows, columns = np.repeat(at, 15, axis=1), np.tile(at, (1, 15))
        size = 2 * self.n + self.m
        whole = coo_matrix((matrix.ravel(), (rows.ravel(), columns.ravel())), shape=(size, size))
        return whole.tocsr(), np.bincount(at.ravel(), local.ravel(), minlength=size)

    def solve(self, tell: bool = True) -> Floats:
        """(2 n + m,) velocities and pressures, by way of thicker liquids."""
        x = np.zeros(2 * self.n + self.m)
        x[self.held] = self.given
        free = np.setdiff1d(np.arange(len(x)), self.held)
        for factor in (10.0, 4.0, 2.0, 1.0):
            self.viscosity = factor * VISCOSITY
            for _ in range(12):
                matrix, rest = self.newton_step(x)
                change = splu(matrix[free][:, free].tocsc()).solve(-rest[free])
                x[free] += change
                size = float(np.abs(change[: len(free) - self.m]).max())
                if tell:
                    print(f"  viscosity x {factor:g}: change {size:.1e} m/s", file=sys.stderr)
                if size < (1e-3 if factor > 1.0 else 1e-9):
                    break
        return x

    def on_axis(self, x: Floats) -> Floats:
        """m/s at the places of the measurements, by the elements' own parabolas."""
        axis = np.flatnonzero(self.points[:, 1] < 1e-12)
        axis = axis[np.argsort(self.points[axis, 0])]
        z, u = self.points[axis, 0], x[axis]
        first = 2 * np.clip(np.searchsorted(z[::2], PLACES) - 1, 0, len(z) // 2 - 1)
        t = (PLACES - z[first]) / (z[first + 2] - z[first])
        return u[first] * (1 - t) * (1 - 2 * t) + u[first + 1] * 4 * t * (1 - t) + u[first + 2] * t * (2 * t - 1)


def main() -> None:
    """Three meshes, and their differences."""
    found = []
    for fine in (float(text) for text in (sys.argv[1:] or ("0.67", "1", "1.5"))):
        flow = Flow(fine)
        found.append(flow.on_axis(flow.solve()))
        print(fine, 2 * flow.n + flow.m, *(f"{value:.6f}" for value in found[-1]), flush=True)
    for one, other in pairwise(found):
        print("largest relative difference", f"{np.abs(one / other - 1.0).max():.1e}")


if __name__ == "__main__":
    main()
