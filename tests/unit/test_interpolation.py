"""The velocity that tracers follow: no cell gains or loses volume, walls let nothing through, eddies keep theirs."""

import numpy as np
import pytest

from haiflow.junction.interpolation import Balance
from haiflow.junction.tracers import Tracers
from haiflow.mesh.extrude import extruded, region
from haiflow.mesh.region import FACES
from haiflow.verify.shapes import grid, jittered


def box(n=8, thin=3):
    side = np.linspace(0.0, 1.0, n + 1)
    plane, triangles = grid(side, side)
    points, tetra = extruded(jittered(plane, 0.2), triangles, np.linspace(0.0, 0.3, thin + 1))
    return region(points, tetra, [
        ("in", lambda c: c[:, 0] < 1e-9), ("out", lambda c: c[:, 0] > 1.0 - 1e-9),
        ("wall", lambda c: np.ones(len(c), bool)),
    ])  # fmt: skip


def through_faces(mesh, velocity, more):
    """(m, 4) m3/s out of each cell through the face opposite to each corner: of points' velocity, and of the sum."""
    corners = mesh.points[mesh.tetra]
    middle = corners.mean(axis=1)
    plain, whole = np.empty((2, len(mesh.tetra), 4))
    for corner, face in enumerate(FACES):
        a, b, c = corners[:, face].transpose(1, 0, 2)
        area, at = 0.5 * np.cross(b - a, c - a), (a + b + c) / 3.0
        u = velocity[mesh.tetra[:, face]].mean(axis=1)
        w = more[:, :3] + more[:, 3:] * (at - middle)
        plain[:, corner], whole[:, corner] = (np.einsum("kd,kd->k", field, area) for field in (u, u + w))
    return plain, whole


@pytest.fixture(scope="module")
def mesh():
    return box()


@pytest.fixture(scope="module")
def velocity(mesh):
    """Anything that is zero at walls, and lets in as much as it likes."""
    u = np.random.default_rng(3).normal([1.0, 0.0, 0.0], 1.0, (len(mesh.points), 3))
    u[mesh.on("wall")] = 0.0
    return u


def test_no_cell_gains_or_loses_volume(mesh, velocity):
    plain, whole = through_faces(mesh, velocity, Balance(mesh, ("out",)).of(velocity))
    assert np.abs(plain.sum(axis=1)).max() > 1e-3
    assert np.abs(whole.sum(axis=1)).max() < 1e-8 * np.abs(plain).max()


def test_what_leaves_a_cell_enters_its_neighbour_and_nothing_goes_through_walls(mesh, velocity):
    plain, whole = through_faces(mesh, velocity, Balance(mesh, ("out",)).of(velocity))
    cell, corner = np.nonzero(mesh.beyond >= 0)
    other = mesh.beyond[cell, corner]
    back = np.argmax(mesh.beyond[other] == cell[:, None], axis=1)
    assert whole[other, back] == pytest.approx(-whole[cell, corner], abs=1e-12)
    for name in ("wall", "in"):
        held = mesh.beyond == -1 - mesh.names.index(name)
        assert whole[held] == pytest.approx(plain[held], abs=1e-12)
    assert whole[mesh.beyond == -1 - mesh.names.index("out")] != pytest.approx(
        plain[mesh.beyond == -1 - mesh.names.index("out")], abs=1e-6
    )


def test_a_linear_velocity_without_divergence_is_left_alone(mesh):
    x, y, z = mesh.points.T
    stretched = np.column_stack([1.0 + x - y, 2.0 * z - 3.0 * y, 2.0 * z + x])
    assert np.abs(Balance(mesh, ("out",)).of(stretched)).max() < 1e-11


def test_half_the_potential_is_the_correction_of_half_the_velocity(mesh, velocity):
    balance = Balance(mesh, ("out",))
    whole = balance.correction(balance.potential(velocity).astype(np.float32))
    assert balance.of(0.5 * velocity) == pytest.approx(0.5 * whole, abs=1e-5 * np.abs(whole).max())


def eddies(mesh):
    """Four in a closed box, without slip: the curl of sin^2(2 pi x) sin^2(2 pi y)."""
    x, y, _ = 2.0 * np.pi * mesh.points.T
    u = np.column_stack([np.sin(x) ** 2 * np.sin(2.0 * y), -np.sin(2.0 * x) * np.sin(y) ** 2, np.zeros_like(x)])
    u[mesh.on("in")] = u[mesh.on("out")] = 0.0
    return u


def unevenness(corrected, **spread):
    """Chi squared, of 63 degrees of freedom (63 +- 11), of what filled closed eddies evenly and has turned in them."""
    mesh, random = box(16, 2), np.random.default_rng(4)
    u, cells = eddies(mesh), np.arange(len(mesh.tetra), dtype=np.int32)
    chosen = random.choice(cells, 3000, p=mesh.dual.cell_volume / mesh.dual.cell_volume.sum()).astype(np.int32)
    weights = random.dirichlet(np.ones(4), len(chosen))
    place = np.einsum("ka,kad->kd", weights, mesh.points[mesh.tetra[chosen]])
    n = len(place)
    sent = Tracers(mesh, place, chosen, np.zeros(n, np.int32), np.full(n, -1, np.int32), np.zeros(n),
                   np.zeros((n, 0, 3)), np.zeros(n, np.int32), diffusivity=0.0, **spread)  # fmt: skip
    more = Balance(mesh, ()).of(u) if corrected else np.zeros((len(cells), 4))
    sent.carry(0.0, 40.0, u, u, (), (more, more))
    assert np.all(sent.left_by == -1)
    count = np.histogram2d(place[:, 0], place[:, 1], 8, ((0.0, 1.0), (0.0, 1.0)))[0].ravel()
    return ((count - n / 64.0) ** 2).sum() / (n / 64.0)


def test_what_fills_closed_eddies_evenly_still_does_after_many_turns():
    assert unevenness(corrected=True) < 110.0


def test_without_the_correction_it_gathers_in_sinks_that_are_not_there():
    assert unevenness(corrected=False) > 200.0


def test_what_strays_farther_where_it_is_fast_does_not_gather_where_it_is_slow():
    assert unevenness(corrected=True, straying=0.2) < 110.0
