"""Drug that is handed over to tracers: what comes back counts once, what leaves at once counts, nothing is lost."""

import numpy as np
import pytest

from haiflow.junction.case import Case
from haiflow.junction.releases import _spread, hand_over, rim
from haiflow.junction.streaming import Work, mean_carried, shares
from haiflow.mesh.extrude import extruded, region
from haiflow.verify.shapes import duct, grid, jittered

WAYS = ("up", "down")


def channel(n=24):
    """A box of 2 by 1 (m), its far end in two: "up" beyond y = 0.5, "down" below."""
    side = np.linspace(0.0, 1.0, n + 1)
    plane, triangles = grid(side, side)
    points, tetra = extruded(jittered(plane, 0.1) * [2.0, 1.0], triangles, np.linspace(0.0, 0.2, 4))
    return region(points, tetra, [
        ("inlet", lambda c: c[:, 0] < 1e-9), ("up", lambda c: (c[:, 0] > 2.0 - 1e-9) & (c[:, 1] > 0.5)),
        ("down", lambda c: c[:, 0] > 2.0 - 1e-9), ("side", lambda c: np.ones(len(c), bool)),
    ])  # fmt: skip


def sent(mesh, near, count=4000):
    """Blood that carries drug everywhere along x at 1 m/s: a flow of 0.2 m3/s."""
    velocity = np.tile([1.0, 0.0, 0.0], (len(mesh.points), 1))
    edges = rim(mesh, near)
    carried = mesh.dual.area[edges] @ [[1.0], [0.0], [0.0]]
    made = hand_over(mesh, near, edges, carried, velocity, count)
    started = made.place.copy(), made.cell.copy()
    made.carry(0.0, 5.0, velocity, velocity, WAYS)
    return made, *started


def test_drug_that_comes_back_to_the_surroundings_counts_once():
    """The surroundings are all below x = 0.5, and a piece on the way of the upper half: its drug crosses the rim three
    times. Weighted by all that goes out it would have two thirds of the drug."""
    mesh = channel()
    x, y, _ = mesh.points.T
    made, _, _ = sent(mesh, (x < 0.5) | ((x > 1.0) & (x < 1.5) & (y > 0.5)))
    assert made.weight.sum() > 0.3  # half as much again goes out, and what goes to and fro over the rim's teeth
    carried = made.by_outlet(1, WAYS)[0]
    assert carried.sum() == pytest.approx(0.2, rel=0.01)
    assert carried[:2] == pytest.approx([0.1, 0.1], rel=0.02)
    assert made.shares(1, WAYS)[0] == pytest.approx([0.5, 0.5, 0.0], abs=0.005)
    back = made.left_by == made.returned
    assert made.weight[back].sum() == pytest.approx(made.weight.sum() - 0.2, rel=0.02)
    at_piece = back & (made.place[:, 0] > 0.8)
    assert made.weight[at_piece].sum() > 0.1
    assert np.all(made.place[at_piece, 1] > 0.45)


def test_tracers_start_just_outside_of_the_rim_and_where_blood_goes_out():
    mesh = channel()
    near = np.linalg.norm(mesh.points - [0.5, 0.5, 0.1], axis=1) < 0.3
    made, place, cell = sent(mesh, near)
    away = np.einsum("kad,kd->ka", mesh.dual.shape[cell], place - mesh.points[mesh.tetra[cell, 0]])
    away[:, 0] += 1.0
    assert away.min() > -1e-9
    largest = mesh.tetra[cell, np.argmax(away, axis=1)]
    assert not near[largest].any()
    two = np.sort(away, axis=1)[:, 2:]
    assert np.abs(two[:, 1] - two[:, 0]).max() < 3e-3  # on dual faces
    assert np.mean(place[:, 0] > 0.4) > 0.7  # the lee side, and teeth of the rim on the other
    # Blood that goes by the teeth comes back in between; what enters on the other side goes out here.
    assert made.by_outlet(1, WAYS).sum() == pytest.approx(2 * 0.3 * 0.2, rel=0.08)


def test_what_leaves_within_the_surroundings_is_in_the_split():
    """The whole of one branch lies in the tip's surroundings: what goes there is in no tracer."""
    mesh = duct(("a", "b"))
    flow = 1e-6
    case = Case(np.array([flow]), {"a": np.array([0.5 * flow]), "b": np.array([0.5 * flow])}, {"hole:tip": 1e-5 * flow},
                region=mesh, near=((-1.0, 1.5e-3, 1.5e-3), 1.0 + 0.75e-3), tracers=1000)  # fmt: skip
    work = Work(case, mesh)
    assert work.near[mesh.on("a")].all()
    assert not work.near[mesh.on("b")].any()
    answer = work.steady_answer(work.settle())
    assert answer.figures["tracer_balance"] < 0.04
    assert 0.2 < answer.split[0, 0] < 0.8
    assert answer.by_tracers == pytest.approx(answer.split, abs=0.01)


def test_drug_that_comes_in_beside_the_surroundings_is_not_lost():
    """Surroundings that cut the hole in two: all of the hole belongs to them."""
    mesh = duct(("a", "b"))
    flow = 1e-6
    case = Case(np.array([flow]), {"a": np.array([0.5 * flow]), "b": np.array([0.5 * flow])}, {"hole:tip": 1e-5 * flow},
                region=mesh, near=((0.0, 1.5e-3, 0.0), 0.2e-3))  # fmt: skip
    work = Work(case, mesh)
    state = work.settle()
    c, _ = work.drug.steady(state.flux, state.boundary_flux)
    outwards = np.where(work.near[mesh.dual.ends[work.rim, 0]], 1.0, -1.0)
    assert work.near[mesh.on("hole:tip")].all()
    assert outwards @ work.drug.carried(c, state.flux)[work.rim] == pytest.approx(work.entering, rel=2e-3)


def test_tracers_share_what_did_not_leave_at_once():
    mesh = channel(6)
    made, _, _ = sent(mesh, mesh.points[:, 0] < 1.0, 100)
    carried = mean_carried([made], 1, WAYS)
    assert carried[0].sum() == pytest.approx(0.2, rel=0.01)
    assert shares(carried, np.zeros((1, 2)))[0] == pytest.approx([0.5, 0.5, 0.0], abs=0.02)
    assert shares(carried, np.array([[0.4, 0.0]]))[0] == pytest.approx([0.7, 0.3, 0.0], abs=0.02)
    assert shares(np.zeros((1, 3)), np.array([[0.4, 0.0]]))[0].tolist() == [0.4, 0.0, 0.6]


@pytest.mark.parametrize("flow", [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 3.0, 1.0], [0.0, 1.0, 1.0]])
def test_places_on_a_face_are_as_dense_as_the_flow(flow):
    """First and second moments of the coordinates, of a density that is linear in the triangle."""
    at, count = _spread(np.tile(flow, (200_000, 1))), np.sum(flow)
    assert at.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert at.mean(axis=0) == pytest.approx((np.array(flow) + count) / (4.0 * count), abs=1e-3)
    assert (at**2).mean(axis=0) == pytest.approx((2.0 * np.array(flow) + count) / (10.0 * count), abs=1e-3)
