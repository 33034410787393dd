"""Darcy flow in the sinusoids: order on tetrahedra, and how far a starved region draws from its neighbours."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, diags_array

from haiflow.liver.pieces import cut
from haiflow.liver.sinusoids import Sinusoids, drain_conductance
from haiflow.mesh.dual import conductances, diffusion_matrix, dual_volumes
from haiflow.mesh.region import Ints
from haiflow.mesh.standard import standard_liver
from haiflow.mesh.volumes import tetra_volumes
from haiflow.numerics.elliptic import EllipticSolver
from haiflow.ports import Floats
from haiflow.verify.model import Curve, Figure, Found, Plot, at_most, order

SOURCE = 1.3**2 + 0.9**2 - 0.5**2  # -laplace(exact) = SOURCE * exact
PATHS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
# Four points of degree two in a tetrahedron (Hammer, Marlowe & Stroud 1956): exact for what linear elements need.
INNER = 0.13819660112501052 + (0.5854101966249685 - 0.13819660112501052) * np.eye(4)


def cube(n: int, seed: int = 1) -> tuple[Floats, Ints]:
    """The unit cube in 6 n^3 tetrahedra (Kuhn's) whose inner points are shifted at random: nothing is regular."""
    axis = np.linspace(0.0, 1.0, n + 1)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    inner = np.all((points > 1e-9) & (points < 1.0 - 1e-9), axis=1)
    points[inner] += np.random.default_rng(seed).uniform(-0.18, 0.18, (inner.sum(), 3)) / n
    number = np.arange((n + 1) ** 3).reshape((n + 1,) * 3)
    corner = {bits: number[tuple(slice(b, n + b) for b in bits)].ravel() for bits in np.ndindex(2, 2, 2)}
    cells = []
    for path in PATHS:  # from corner to corner along the axes
        bits = np.zeros((4, 3), dtype=int)
        for step, axis_number in enumerate(path):
            bits[step + 1 :, axis_number] = 1
        cells.append(np.stack([corner[tuple(b)] for b in bits], axis=1))
    tetra = np.concatenate(cells).astype(np.int32)
    turned = tetra_volumes(points, tetra) < 0.0
    tetra[turned] = tetra[turned][:, [0, 2, 1, 3]]
    return points, tetra


def exact(points: Floats) -> Floats:
    x, y, z = points.T
    return np.asarray(np.sin(1.3 * x + 0.2) * np.cos(0.9 * y) * np.exp(0.5 * z))


def gradients(points: Floats, tetra: Ints, p: Floats) -> Floats:
    """(m, 3): slope of ``p`` (n,) in every tetrahedron."""
    corners = points[tetra]
    right = (p[tetra][:, 1:] - p[tetra][:, :1])[:, :, None]
    return np.asarray(np.linalg.solve(corners[:, 1:] - corners[:, :1], right)[:, :, 0])


def solved(n: int) -> Floats:
    """(2,) errors in L2 of pressure and gradient, with a drain of one."""
    points, tetra = cube(n)
    size = tetra_volumes(points, tetra)
    volume, wanted = dual_volumes(tetra, size, len(points)), exact(points)
    whole = csr_array(diffusion_matrix(conductances(points, tetra, np.ones(len(tetra)))) + diags_array(volume))
    rim = np.any((points < 1e-9) | (points > 1.0 - 1e-9), axis=1)
    inner = np.flatnonzero(~rim)
    right = (SOURCE + 1.0) * volume * wanted - whole[:, np.flatnonzero(rim)] @ wanted[rim]
    p = wanted.copy()
    p[inner] = EllipticSolver(csr_array(whole[inner][:, inner]), 1e-12).solve(right[inner]).x
    middle, h = points[tetra].mean(axis=1), 1e-5
    true = np.stack([(exact(middle + h * e) - exact(middle - h * e)) / (2 * h) for e in np.eye(3)], axis=1)
    off = ((gradients(points, tetra, p) - true) ** 2).sum(axis=1)
    return np.sqrt([volume @ (p - wanted) ** 2, size @ off])


def manufactured() -> Found:
    """sin(1.3 x + 0.2) cos(0.9 y) exp(0.5 z) on 6, 12 and 24 cells a side."""
    sides = np.array([6, 12, 24])
    errors = np.array([solved(int(n)) for n in sides])
    ends = sides[[0, -1]]
    slopes = [Curve(f"slope {k}", 1.0 / ends, errors[0, 2 - k] * (6.0 / ends) ** k, known=True) for k in (2, 1)]
    return [
        order("pressure, 12 to 24 cells a side", errors[:, 0].tolist(), 2.0, 1.9, 2.0),
        order("flux, 12 to 24 cells a side", errors[:, 1].tolist(), 2.0, 0.9, 1.0),
        Plot("Darcy on distorted tetrahedra", "cell size, of the cube's side", "error in L2",
             (Curve("pressure", 1.0 / sides, errors[:, 0]), Curve("flux", 1.0 / sides, errors[:, 1]), *slopes),
             log="xy"),
    ]  # fmt: skip


def against_linear_elements(n: int = 16) -> Found:
    """Error (L2) of the lumped source over that of linear finite elements, which integrate it."""
    points, tetra = cube(n)
    size = tetra_volumes(points, tetra)
    matrix = diffusion_matrix(conductances(points, tetra, np.ones(len(tetra))))
    volume, wanted = dual_volumes(tetra, size, len(points)), exact(points)
    inner = np.flatnonzero(np.all((points > 1e-9) & (points < 1.0 - 1e-9), axis=1))
    rim = np.setdiff1d(np.arange(len(points)), inner)
    at = np.stack([exact(place @ points[tetra]) for place in INNER], axis=1)
    shares = [SOURCE * size * (at * INNER[:, c]).mean(axis=1) for c in range(4)]
    integrated = np.sum([np.bincount(tetra[:, c], shares[c], len(points)) for c in range(4)], axis=0)
    errors = []
    for source in (SOURCE * volume * wanted, integrated):
        p = wanted.copy()
        right = source[inner] - matrix[inner][:, rim] @ wanted[rim]
        p[inner] = EllipticSolver(csr_array(matrix[inner][:, inner]), 1e-12).solve(right).x
        errors.append(float(np.sqrt(volume @ (p - wanted) ** 2)))
    return [at_most("error, of that of linear finite elements", errors[0] / errors[1], 1.03)]


def linear() -> Found:
    """A linear pressure is exact whatever the tetrahedra."""
    points, tetra = cube(5)
    inner = np.all((points > 1e-9) & (points < 1.0 - 1e-9), axis=1)
    net = diffusion_matrix(conductances(points, tetra, np.full(len(tetra), 3.0))) @ (points @ [1.0, -2.0, 0.5])
    return [at_most("net flow of the inner control volumes, largest", np.abs(net[inner]).max(), 1e-14)]


def starved_bar(n: int = 24) -> Found:
    """Along a bar with a step in supply the pressure falls as exp(-x / l), l = sqrt(mobility / drain per volume)."""
    points, tetra = cube(n)
    keep = np.flatnonzero((points[tetra][:, :, 1:].mean(axis=1) < 4.0 / n).all(axis=1))
    used, cells = np.unique(tetra[keep], return_inverse=True)
    points, tetra = points[used], cells.reshape(-1, 4).astype(np.int32)
    pieces = cut(tetra, tetra_volumes(points, tetra), np.zeros(len(tetra), np.int32))
    length, drain = 0.12, 1.0 / 400.0
    sinusoids = Sinusoids(points, pieces, np.full(len(tetra), length**2 * drain), drain * pieces.volume)
    fed = np.where(points[pieces.point][:, 0] < 0.5, 1.0, 0.0) * pieces.volume
    over = drain * (sinusoids.flow(fed).pressure - sinusoids.venous_pressure)

    def known(x: Floats) -> Floats:
        return np.where(x >= 0.5, 0.5 * np.exp(-(x - 0.5) / length), 1.0 - 0.5 * np.exp(-(0.5 - x) / length))

    x, along = points[:, 0], np.linspace(0.0, 1.0, 101)
    mirrored = np.exp(-0.5 / length)  # the ends are closed: the image of the step is this small
    bound = 0.5 * 0.18 / length / n + 2.0 * mirrored + 0.02
    sort = np.argsort(x)
    return [
        at_most("pressure, largest error, of the full one", np.abs(over - known(x)).max(), bound,
                "a cell's shift, the image beyond the closed ends, and 2 %"),
        Plot("A starved region draws from its neighbours", "along the bar", "pressure, of the full one",
             (Curve("haiflow", x[sort], over[sort]), Curve("exact", along, known(along), known=True))),
    ]  # fmt: skip


def balances() -> Found:
    """The standard liver with segment VI's supply taken away: every control volume's books, at three permeabilities."""
    mesh, rng = standard_liver(), np.random.default_rng(5)
    pieces = cut(mesh.tetra, mesh.volumes, (mesh.couinaud_segment - 1).astype(np.int32))
    healthy = pieces.gathered(mesh.volumes * rng.uniform(0.5, 1.5, len(mesh.tetra))) / 60.0
    supply, figures = np.where(pieces.region == 5, 0.0, healthy), []
    for permeability in (1.56e-14, 1e-10, 1e-8):
        mobility = np.full(len(mesh.tetra), permeability / 3.8e-3)
        flow = Sinusoids(mesh.points, pieces, mobility, drain_conductance(healthy)).flow(supply)
        left = supply + flow.graph.taken + flow.backflow - flow.graph.given - flow.drain
        worst = float(np.abs(left).max() / supply.sum())
        figures.append(Figure(f"worst imbalance at {permeability:g} m2, of the inflow", worst, 0.0, 1e-15, 0.0))
    return figures
