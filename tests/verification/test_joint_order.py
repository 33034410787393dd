"""The implicit step of the joined balances against the exact exponential: order, damping, steady state."""

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.sparse import csr_array

from haiflow.numerics.joint import Connection, JointSystem
from haiflow.ports import LinearTransport


def part(rng, n, n_in=2, n_out=3, stiff=0.0):
    """A random conservative balance; rates spread over ``10**stiff``."""
    rate = rng.random((n, n)) * (rng.random((n, n)) < 0.4) * 10.0 ** rng.uniform(0.0, stiff, (n, n))
    np.fill_diagonal(rate, 0.0)
    outlet, loss = rng.random((n_out, n)) * (rng.random((n_out, n)) < 0.3), rng.random(n) * 0.1
    rate -= np.diag(rate.sum(axis=0) + outlet.sum(axis=0) + loss)
    gain = rng.dirichlet(np.ones(n), n_in).T
    return LinearTransport(
        tuple(f"k{i}" for i in range(n)), rng.uniform(0.5, 2.0, n), csr_array(rate),
        tuple(f"in{i}" for i in range(n_in)), csr_array(gain), tuple(f"out{i}" for i in range(n_out)),
        csr_array(outlet), loss,
    )


LINKS = (
    Connection("a", "out0", "b", "in0", 0.25), Connection("a", "out0", "b", "in1", 0.75),
    Connection("b", "out2", "a", "in1"), Connection("b", "out0", "b", "in0"),
)


def joint(seed=0, stiff=0.0, scheme="sdirk2"):
    rng = np.random.default_rng(seed)
    return JointSystem({"a": part(rng, 6, stiff=stiff), "b": part(rng, 5, stiff=stiff)}, LINKS, scheme=scheme)


def exact(system, c, time, source):
    """c and its integral over ``time``, from one exponential of the system with c, integral and source as unknowns."""
    n = system.n
    matrix = np.zeros((2 * n + 1, 2 * n + 1))
    matrix[:n, :n] = system.rate.toarray() / system.volume[:, None]
    matrix[:n, -1] = source / system.volume
    matrix[n : 2 * n, :n] = np.eye(n)
    out = expm(matrix * time) @ np.concatenate([c, np.zeros(n), [1.0]])
    return out[:n], out[n : 2 * n]


@pytest.mark.parametrize(("scheme", "order"), [("sdirk2", 2), ("backward_euler", 1)])
def test_order(scheme, order):
    system = joint(scheme=scheme)
    sources = {"a.in0": 0.7, "b.in1": 0.2}
    start = np.random.default_rng(3).uniform(0, 1, system.n)
    want, want_integral = exact(system, start, 1.0, system.source_vector(sources))
    errors, integrals = [], []
    for steps in (16, 32, 64, 128):
        c, integral = start, np.zeros(system.n)
        for _ in range(steps):
            step = system.advance(c, 1.0 / steps, sources)
            c, integral = step.c_new, integral + step.exposure
        errors.append(np.abs(c - want).max())
        integrals.append(np.abs(integral - want_integral).max())
    observed = np.log2(np.array([errors[:-1], integrals[:-1]]) / np.array([errors[1:], integrals[1:]]))
    assert observed.min() > order - 0.1
    assert observed.max() < order + 0.2


def test_stiff_parts_are_damped():
    """Rates of 1e6 per step: the fast compartments follow at once, without ringing."""
    system = joint(stiff=6.0)
    c = np.random.default_rng(3).uniform(0, 1, system.n)
    settled = system.steady({"a.in0": 1.0})
    for _ in range(6):
        c = system.advance(c, 1e3, {"a.in0": 1.0}).c_new
    np.testing.assert_allclose(c, settled, rtol=1e-6)


def test_a_step_may_have_a_scheme_of_its_own():
    c = np.random.default_rng(3).uniform(0, 1, 11)
    mixed = joint().advance(c, 0.01, scheme="backward_euler")
    plain = joint(scheme="backward_euler").advance(c, 0.01)
    np.testing.assert_array_equal(mixed.c_new, plain.c_new)
    assert joint().estimate_error(c, 0.01, mixed) == joint(scheme="backward_euler").estimate_error(c, 0.01, plain)


def test_steady_state_is_the_limit_of_the_march():
    system = joint()
    settled = system.steady({"a.in0": 1.0, "b.in0": 0.5})
    step = system.advance(settled, 50.0, {"a.in0": 1.0, "b.in0": 0.5})
    np.testing.assert_allclose(step.c_new, settled, rtol=1e-12)
    assert step.outflow[system.is_sink].sum() + step.lost.sum() == pytest.approx(1.5 * 50.0, rel=1e-12, abs=0.0)


@pytest.mark.parametrize("scheme", ["sdirk2", "backward_euler"])
def test_the_estimate_follows_the_true_local_error(scheme):
    system = joint(scheme=scheme)
    sources = {"a.in0": 0.7}
    c = np.random.default_rng(3).uniform(0, 1, system.n)
    estimates = []
    for dt in (0.02, 0.01, 0.005):
        step = system.advance(c, dt, sources)
        estimates.append(system.estimate_error(c, dt, step, sources))
        want, _ = exact(system, c, dt, system.source_vector(sources))
        true = system.volume @ np.abs(step.c_new - want) / (system.volume @ np.abs(want))
        assert estimates[-1] > 0.5 * true
    assert np.log2(estimates[0] / estimates[1]) == pytest.approx(2.0, abs=0.15)
    assert np.log2(estimates[1] / estimates[2]) == pytest.approx(2.0, abs=0.15)
