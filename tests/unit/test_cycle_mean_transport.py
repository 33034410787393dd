"""The arteries' balance on cycle-mean flows: columns close, constants stay, injections arrive where the flow goes."""

from dataclasses import replace

import numpy as np
import pytest

from haiflow.arteries.simple import binary_tree, network
from haiflow.arteries.transport import Injection, cycle_mean_transport
from haiflow.arteries.tree import Inlet, Outlet
from haiflow.numerics.joint import JointSystem

INLET = Inlet("n0", "flow_rate", 1.0, np.full(1, 1e-5))
OUT = Outlet(1e9)
OSTIUM = Injection("tip", "v1")


def loop(**more):
    """v0 into n1, which v1 and v2 join with n2; v3 and v4 leave from n2 and n1. v2 is drawn against the flow."""
    return network([(0, 1), (1, 2), (2, 1), (2, 3), (1, 4)], np.full(5, 0.05), np.full(5, 2e-3), np.full(5, 6.0), INLET,
                   {"n3": OUT, "n4": OUT}, radius_end=np.full(5, 1.5e-3), **more)


LOOP_FLOW = np.array([1e-5, 4e-6, -2e-6, 6e-6, 4e-6])


def assert_closed(balance):
    rate, outlet = balance.rate.toarray(), balance.outlet.toarray()
    left = rate.sum(axis=0) + outlet.sum(axis=0) + balance.loss
    assert np.abs(left).max() <= 4e-16 * np.abs(rate).max()
    np.testing.assert_allclose(balance.gain.toarray().sum(axis=0), 1.0, rtol=1e-15)
    assert (rate - np.diag(np.diag(rate))).min() >= 0.0


def steady(balance, **sources):
    return JointSystem({"a": balance}).steady({f"a.{name}": flow for name, flow in sources.items()})


@pytest.mark.parametrize("cells", [1, 4])
def test_a_constant_inlet_fills_a_loop_evenly(cells):
    balance = cycle_mean_transport(loop(), LOOP_FLOW, (OSTIUM,), cells)
    assert_closed(balance)
    np.testing.assert_allclose(steady(balance, inlet=3.0 * 1e-5), 3.0, rtol=1e-12)


def test_volumes_are_those_of_the_lumen():
    balance = cycle_mean_transport(loop(), LOOP_FLOW)
    frustum = np.pi / 3 * 0.05 * (2e-3**2 + 2e-3 * 1.5e-3 + 1.5e-3**2)
    np.testing.assert_allclose(balance.volume.reshape(5, 4).sum(axis=1), frustum, rtol=1e-14)
    assert balance.names[6] == "v1:2"


@pytest.mark.parametrize("seed", range(5))
def test_a_binary_tree_with_random_flows(seed):
    rng = np.random.default_rng(seed)
    tree = binary_tree(15, 0.03, INLET, OUT)
    flow = np.empty(15)
    flow[0] = 1e-5
    for parent in range(7):
        share = rng.choice([0.0, rng.random(), 1.0])
        flow[2 * parent + 1], flow[2 * parent + 2] = share * flow[parent], flow[parent] - share * flow[parent]
    balance = cycle_mean_transport(tree, flow, (Injection("tip", "v3"), Injection("side", "v2", 0.011)))
    assert_closed(balance)
    c = steady(balance, inlet=1e-5 * 0.4)
    alive = np.repeat(flow, 4) != 0.0
    np.testing.assert_allclose(c[alive], 0.4, rtol=1e-12)
    assert np.all(c[~alive] == 0.0)


def test_an_injection_mixes_into_what_its_node_feeds():
    balance = cycle_mean_transport(loop(), LOOP_FLOW, (OSTIUM,))
    gain = dict(zip(balance.names, balance.gain.toarray()[:, 1], strict=True))
    fed = {name: share for name, share in gain.items() if share}
    # v1 flows away from n1 at its start, v2 (against its direction) at its end, v4 at its start
    assert fed == pytest.approx({"v1:0": 0.4, "v2:3": 0.2, "v4:0": 0.4})
    c = steady(balance, tip=1e-9)
    outflow = balance.outlet @ c
    np.testing.assert_allclose(outflow, [0.6e-9, 0.4e-9], rtol=1e-12)


@pytest.mark.parametrize(("split", "expected"), [
    ({"v1": 0.7, "v4": 0.3}, {"v1:0": 0.7, "v4:0": 0.3}),
    ({"v1": 0.5}, {"v1:0": 0.5 + 0.5 * 0.4, "v2:3": 0.5 * 0.2, "v4:0": 0.5 * 0.4}),
    ({"v0": 0.5, "v4": 0.5}, {"v4:0": 1.0}),  # v0 flows in: its share goes to the other named
    ({"v0": 1.0}, {"v1:0": 0.4, "v2:3": 0.2, "v4:0": 0.4}),
])
def test_a_split_shares_what_is_injected(split, expected):
    balance = cycle_mean_transport(loop(), LOOP_FLOW, (OSTIUM,), split={"n1": split})
    assert_closed(balance)
    got = dict(zip(balance.names, balance.gain.toarray()[:, 1], strict=True))
    assert {name: share for name, share in got.items() if share} == pytest.approx(expected)


def test_an_injection_along_a_vessel_enters_its_cell():
    balance = cycle_mean_transport(loop(), LOOP_FLOW, (Injection("tip", "v1", 0.026), Injection("end", "v1", 0.05)))
    gain = balance.gain.toarray()
    assert balance.names[int(gain[:, 1].argmax())] == "v1:2"
    assert balance.names[int(gain[:, 2].argmax())] == "v1:3"


def test_an_occluded_vessel_keeps_what_is_in_it():
    flow = np.array([1e-5, 0.0, -4e-6, 4e-6, 6e-6])
    tree = replace(loop(), severity=np.array([0.0, 1.0, 0.0, 0.0, 0.0]))
    balance = cycle_mean_transport(tree, flow, (Injection("tip", "v1", 0.02),))
    assert_closed(balance)
    system = JointSystem({"a": balance})
    c = np.zeros(20)
    c[5] = 1.0
    step = system.advance(c, 3600.0, {"a.tip": 1e-9})
    assert step.c_new[4:8] == pytest.approx([0.0, 1.0 + 3.6e-6 / balance.volume[5], 0.0, 0.0], rel=1e-13)
    assert system.steady({"a.tip": 1e-9})[5] == np.inf


def test_a_terminal_that_flows_in_has_an_inlet_of_its_own():
    flow = np.array([1e-5, -0.6e-6, 0.4e-6, -1e-6, 1.1e-5])
    balance = cycle_mean_transport(loop(), flow)
    assert_closed(balance)
    assert balance.inlets == ("inlet", "return:n3")
    c = steady(balance, inlet=2.0 * 1e-5, **{"return:n3": 2.0 * 1e-6})
    np.testing.assert_allclose(c, 2.0, rtol=1e-12)


@pytest.mark.parametrize(("flow", "injection", "split", "message"), [
    ([1e-5, 4e-6, -3e-6, 6e-6, 4e-6], OSTIUM, None, "do not balance"),
    ([-1e-5, 4e-6, -2e-6, 6e-6, 4e-6], OSTIUM, None, "balance|inlet"),
    ([1e-5, 4e-6, -2e-6, 6e-6], OSTIUM, None, "one finite mean flow"),
    (LOOP_FLOW, Injection("tip", "v9"), None, "no vessel 'v9'"),
    (LOOP_FLOW, Injection("tip", "v1", 0.06), None, "not on 'v1'"),
    (LOOP_FLOW, Injection("inlet", "v1"), None, "two inlets"),
    (LOOP_FLOW, OSTIUM, {"n1": {"v1": 0.8, "v4": 0.4}}, "sum to one"),
])
def test_what_makes_no_sense_is_refused(flow, injection, split, message):
    with pytest.raises(ValueError, match=message):
        cycle_mean_transport(loop(), np.array(flow), (injection,), split=split)
