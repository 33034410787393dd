"""The joined balances close to round-off: stiff rates, long and short steps, losses that change."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from haiflow.numerics.joint import Connection, JointSystem, unit_connections
from haiflow.ports import LinearTransport


def part(rng, n, spread):
    rate = (rng.random((n, n)) < 0.3) * 10.0 ** rng.uniform(-spread, spread, (n, n))
    np.fill_diagonal(rate, 0.0)
    outlet = (rng.random((3, n)) < 0.3) * 10.0 ** rng.uniform(-spread, spread, (3, n))
    loss = rng.random(n) * (rng.random(n) < 0.5)
    rate -= np.diag(rate.sum(axis=0) + outlet.sum(axis=0) + loss)
    return LinearTransport(
        tuple(f"k{i}" for i in range(n)), 10.0 ** rng.uniform(-2, 2, n), csr_array(rate), ("in0", "in1"),
        csr_array(rng.dirichlet(np.ones(n), 2).T), ("out0", "out1", "out2"), csr_array(outlet), loss,
    )


def joint(rng, spread=3.0, scheme="sdirk2"):
    share = rng.random()
    parts = {"a": part(rng, 20, spread), "b": part(rng, 12, spread)}
    links = unit_connections("a", "out1", {"b.in0": share, "b.in1": 1.0 - share})
    links.append(Connection("b", "out0", "a", "in1"))
    return JointSystem(parts, links, scheme=scheme)


def imbalance(system, c, dt, sources):
    step = system.advance(c, dt, sources)
    moved = sum(sources.values()) * dt - step.outflow[system.is_sink].sum() - step.lost.sum()
    change = system.volume @ step.c_new - system.volume @ c
    return step, abs(change - moved) / (system.volume @ c + sum(sources.values()) * dt)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from([1e-4, 1.0, 64.0, 1e5]), st.sampled_from(["sdirk2", "backward_euler"])
)
def test_mass_closes(seed, dt, scheme):
    rng = np.random.default_rng(seed)
    system = joint(rng, scheme=scheme)
    c, sources = rng.uniform(0, 1, system.n), {"a.in0": 0.3, "b.in1": 1.0}
    for _ in range(4):
        step, left = imbalance(system, c, dt, sources)
        assert left <= 1e-12
        c = step.c_new
        if scheme == "backward_euler":
            assert c.min() >= 0.0
            assert step.exposure.min() >= 0.0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 1e4]))
def test_a_loss_that_changes_closes_too_and_is_a_rebuilt_system(seed, dt):
    rng = np.random.default_rng(seed)
    parts = {"a": part(rng, 15, 2.0), "b": part(rng, 10, 2.0)}
    extra = np.zeros(25)
    extra[[3, 18, 24]] = rng.uniform(0.0, 2.0, 3)
    more = {}
    for name, where in (("a", slice(0, 15)), ("b", slice(15, 25))):
        old, added = parts[name], extra[where]
        more[name] = LinearTransport(
            old.names, old.volume, csr_array(old.rate.toarray() - np.diag(added)), old.inlets, old.gain, old.outlets,
            old.outlet, old.loss + added,
        )
    links = [Connection("a", "out0", "b", "in0")]
    changed, rebuilt = JointSystem(parts, links).with_loss(extra), JointSystem(more, links)
    c, sources = rng.uniform(0, 1, 25), {"a.in0": 1.0}
    step, left = imbalance(changed, c, dt, sources)
    assert left <= 1e-12
    want = rebuilt.advance(c, dt, sources)
    np.testing.assert_allclose(step.c_new, want.c_new, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(step.lost, want.lost, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(changed.steady(sources), rebuilt.steady(sources), rtol=1e-9)
    by_name = JointSystem(parts, links).with_loss({"a.k3": extra[3], "b.k3": extra[18], "b.k9": extra[24]})
    np.testing.assert_array_equal(by_name.advance(c, dt, sources).c_new, step.c_new)


def test_what_a_connection_takes_arrives():
    rng = np.random.default_rng(5)
    system = joint(rng)
    assert [name for name, sink in zip(system.outlets, system.is_sink, strict=True) if not sink] == ["a.out1", "b.out0"]
    np.testing.assert_allclose(
        system.rate.toarray().sum(axis=0) + system.outlet.toarray()[system.is_sink].sum(axis=0) + system.loss, 0.0,
        atol=1e-12 * np.abs(system.rate.toarray()).max(),
    )
    assert system.part_slice("b") == slice(20, 32)
    assert system.names[system.index("b.k4")] == "b.k4"
    assert system.outlets[system.outlet_index("b.out2")] == "b.out2"


@pytest.mark.parametrize(("links", "message"), [
    ([Connection("a", "out0", "b", "in0", 0.9)], "sum to 1"),
    ([Connection("a", "out0", "b", "in0", 1.2), Connection("a", "out0", "b", "in1", -0.2)], ">= 0"),
    ([Connection("a", "out0", "b", "in0", float("nan"))], "sum to 1"),
    ([Connection("a", "out9", "b", "in0")], "no outlet 'a.out9'"),
    ([Connection("a", "out0", "c", "in0")], "no inlet 'c.in0'"),
])
def test_wrong_connections_are_refused(links, message):
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match=message):
        JointSystem({"a": part(rng, 4, 1.0), "b": part(rng, 4, 1.0)}, links)


def test_wrong_calls_are_refused():
    system = joint(np.random.default_rng(1))
    c = np.zeros(system.n)
    for call in (
        lambda: system.advance(c, 0.0), lambda: system.advance(c[1:], 1.0), lambda: system.advance(c, np.nan),
        lambda: system.advance(c, 1.0, {"a.nothing": 1.0}), lambda: system.advance(c, 1.0, np.ones(3)),
        lambda: JointSystem(system.parts, scheme="euler"), lambda: system.advance(c, 1.0, scheme="euler"),
    ):
        with pytest.raises(ValueError):
            call()


def test_compartments_without_a_way_out_have_no_steady_state():
    trap = LinearTransport(("open", "shut"), np.ones(2), csr_array(np.diag([-1.0, 0.0])), ("open", "shut"),
                           csr_array(np.eye(2)), ("out",), csr_array(np.array([[1.0, 0.0]])), np.zeros(2))
    system = JointSystem({"p": trap})
    np.testing.assert_array_equal(system.steady({"p.open": 2.0}), [2.0, 0.0])
    np.testing.assert_array_equal(system.steady({"p.shut": 2.0}), [0.0, np.inf])
