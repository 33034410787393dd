"""A field joined with compartments against the same equations as one dense matrix, and its books."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from haiflow.errors import SolverStopped
from haiflow.numerics.field import FieldSystem, FieldTransport
from haiflow.numerics.joint import JointSystem
from haiflow.numerics.upwind import UpwindGraph
from haiflow.ports import LinearTransport

N = 40


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def graph_of(rng, n=N, against=0.05):
    """A random graph: most flow falls with the rank, some runs against it."""
    rank = rng.random(n)
    giver, taker = rng.integers(0, n, (2, 6 * n))
    keep = giver != taker
    giver, taker = giver[keep], taker[keep]
    down = rank[giver] > rank[taker]
    turn = ~down & (rng.random(giver.size) > against)
    giver[turn], taker[turn] = taker[turn], giver[turn].copy()
    size = rng.random(giver.size)
    return UpwindGraph(csr_array((size, (taker, giver)), shape=(n, n)), rank)


def field_of(rng, graph, half_saturation=np.inf, trapped=0.2):
    n = graph.rank.size
    gain = rng.random((n, 2))
    gain /= gain.sum(axis=0)
    return FieldTransport(
        graph=graph,
        blood_volume=rng.uniform(0.5, 1.5, n),
        tissue_volume=rng.uniform(2.0, 5.0, n),
        exchange=rng.uniform(0.0, 3.0, n),
        clearance=rng.uniform(0.0, 2.0, n),
        # what a control volume takes beyond what it gives must leave by the drain, or its balance is not one of blood
        drain=np.maximum(graph.taken - graph.given, 0.0) + rng.uniform(0.1, 1.0, n),
        inlets=("artery", "portal"),
        gain_blood=csr_array((1.0 - trapped) * gain),
        gain_tissue=csr_array(trapped * gain),
        half_saturation=half_saturation,
    )


def body():
    """Two compartments: ``veins`` in, ``artery`` and ``portal`` out, a loss."""
    return LinearTransport(
        names=("central", "other"),
        volume=np.array([5.0, 9.0]),
        rate=csr_array([[-2.0 - 3.0 - 0.5 - 1.0, 1.0], [1.0, -1.0]]),
        inlets=("veins",),
        gain=csr_array([[1.0], [0.0]]),
        outlets=("artery", "portal"),
        outlet=csr_array([[2.0, 0.0], [3.0, 0.0]]),
        loss=np.array([0.5, 0.0]),
    )


def system_of(field):
    feeds = {("body.artery", "artery"): 1.0, ("body.portal", "portal"): 1.0}
    return FieldSystem(JointSystem({"body": body()}), "liver", field, feeds, "body.veins")


def dense(system):
    """The whole rate matrix R of ``V dc/dt = R c + s``."""
    field, n = system.field, system.field.n
    blood = field.graph.inflow.toarray() - np.diag(field.graph.given + field.drain + field.exchange)
    own = np.block(
        [
            [blood, np.diag(field.exchange)],
            [np.diag(field.exchange), -np.diag(field.exchange + field.clearance)],
        ]
    )
    gain = np.concatenate([field.gain_blood.toarray(), field.gain_tissue.toarray()])
    central = system.joint.rate.toarray()
    into = gain @ system.joint.outlet.toarray()
    back = np.zeros((2, 2 * n))
    back[0, :n] = field.drain
    return np.block([[central, back], [into, own]])


@pytest.mark.parametrize("scheme", ["sdirk2", "backward_euler"])
def test_a_step_is_that_of_the_whole_matrix(rng, scheme):
    system = system_of(field_of(rng, graph_of(rng)))
    volume, rate = system.volume, dense(system)
    c = rng.random(system.n)
    source = system.source_vector({"body.veins": 0.3, "liver.artery": 0.7})
    dt = 0.37
    step = system.advance(c, dt, {"body.veins": 0.3, "liver.artery": 0.7}, scheme=scheme)
    if scheme == "backward_euler":
        wanted = np.linalg.solve(np.diag(volume) - dt * rate, volume * c + dt * source)
    else:
        gamma = 1.0 - np.sqrt(0.5)
        matrix = np.diag(volume) - gamma * dt * rate
        first = np.linalg.solve(matrix, volume * c + gamma * dt * source)
        later = volume * c + (1.0 - gamma) * dt * (rate @ first + source) + gamma * dt * source
        wanted = np.linalg.solve(matrix, later)
    np.testing.assert_allclose(step.c_new, wanted, rtol=1e-12)


@pytest.mark.parametrize("half_saturation", [np.inf, 0.3])
def test_books_close_step_by_step(rng, half_saturation):
    system = system_of(field_of(rng, graph_of(rng), half_saturation))
    c, put_in, lost = np.zeros(system.n), 0.0, 0.0
    for dt in (0.01, 0.5, 30.0, 30.0):
        step = system.advance(c, dt, {"liver.artery": 0.7, "liver.portal": 0.1})
        c, put_in, lost = step.c_new, put_in + 0.8 * dt, lost + step.lost.sum()
        assert system.volume @ c + lost == pytest.approx(put_in, rel=1e-13)
    assert not system.is_sink.any()  # nothing leaves: what is not held is lost


def test_saturated_clearance_is_that_of_the_steps_mean(rng):
    field = field_of(rng, graph_of(rng), 0.001)
    sources = {"liver.artery": 0.7}
    saturated, linear = (
        system_of(each).advance(np.zeros(2 + 2 * N), 2.0, sources)
        for each in (field, replace(field, half_saturation=np.inf))
    )
    tissue = saturated.exposure[-N:] / 2.0
    wanted = field.clearance / (1.0 + tissue / 0.001) * saturated.exposure[-N:]
    np.testing.assert_allclose(saturated.lost[-N:], wanted, rtol=1e-7)
    assert saturated.lost[-N:].sum() < 0.8 * linear.lost[-N:].sum()


def test_time_steps_are_of_second_order(rng):
    system = system_of(field_of(rng, graph_of(rng)))
    errors = []
    start = rng.random(system.n)

    def advanced(steps):
        c = start
        for _ in range(steps):
            c = system.advance(c, 1.0 / steps, {"body.veins": 0.2}).c_new
        return c

    exact = advanced(512)
    errors = [np.abs(advanced(steps) - exact).max() for steps in (16, 32)]
    assert np.log2(errors[0] / errors[1]) >= 1.85


def test_without_a_body_the_drain_is_a_sink(rng):
    field = field_of(rng, graph_of(rng))
    joint = JointSystem({"body": body()})
    system = FieldSystem(joint, "liver", field, {("body.artery", "artery"): 1.0, ("body.portal", "portal"): 1.0}, None)
    step = system.advance(np.ones(system.n), 0.5)
    left = system.volume @ (1.0 - step.c_new) - step.lost.sum()
    assert step.outflow[system.is_sink].sum() == pytest.approx(left, rel=1e-13)


def test_a_sweep_with_the_flow_needs_no_second(rng):
    graph = graph_of(rng, against=0.0)
    diagonal = graph.given + 1.0
    right = rng.random(N)
    c = graph.solve(diagonal, right, 1.0)
    np.testing.assert_allclose(np.diag(diagonal) @ c - graph.inflow @ c, right, rtol=1e-12)
    w = graph.solve_adjoint(diagonal, right, 1.0)
    np.testing.assert_allclose(np.diag(diagonal) @ w - graph.inflow.T @ w, right, rtol=1e-12)


def test_bad_shapes_feeds_and_singular_balances_are_refused(rng):
    graph = graph_of(rng)
    with pytest.raises(ValueError, match="expected"):
        graph.solve(np.ones(3), np.ones(N), 1.0)
    with pytest.raises(ValueError, match="negative"):
        UpwindGraph(csr_array(-np.eye(3)), np.ones(3))
    with pytest.raises(ValueError, match="sum to one"):
        FieldSystem(
            JointSystem({"body": body()}), "liver", field_of(rng, graph), {("body.artery", "artery"): 0.5}, None
        )
    with pytest.raises(SolverStopped):
        UpwindGraph(csr_array([[0.0, 1.0], [1.0, 0.0]]), np.zeros(2)).solve(np.ones(2), np.ones(2), 1.0)
    with pytest.raises(SolverStopped):
        graph.solve(graph.given + 1.0, np.full(N, np.nan), 1.0)


def test_what_is_not_a_number_is_no_solution():
    """Two control volumes that give to each other: sweeps end when they change nothing, and a NaN is no such end."""
    graph = UpwindGraph(csr_array([[0.0, 1.0], [1.0, 0.0]]), np.array([2.0, 1.0]))
    np.testing.assert_allclose(graph.solve(np.full(2, 3.0), np.ones(2), 1.0), 0.5, rtol=1e-12)
    with pytest.raises(SolverStopped, match="no solution after"):
        graph.solve(np.full(2, 3.0), np.array([1.0, np.nan]), 1.0)
