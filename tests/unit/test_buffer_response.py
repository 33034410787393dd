"""The artery makes up for the portal vein, in the law and in a whole run."""

import json

import pytest

from haiflow.errors import InputError
from haiflow.liver.regulation import buffer_response
from haiflow.scenario.load import loads
from haiflow.simulation.assemble import assemble

REFERENCE = 1100e-6 / 60.0


def test_the_law():
    assert buffer_response(REFERENCE) == 1.0
    assert buffer_response(0.5 * REFERENCE) == pytest.approx(1.0 + 0.01 * (0.0007102 * 2500 + 0.5492 * 50))
    assert buffer_response(1.2 * REFERENCE) < 1.0
    assert buffer_response(5.0 * REFERENCE) == buffer_response(2.0 * REFERENCE)


def tree(**liver):
    scenario = {
        "haiflow": 1, "name": "buffer", "arteries": {"anatomy": "michels-1", "ligated": []},
        "liver": {"model": "standard", **liver}, "run": {"duration": "1 h"},
    }  # fmt: skip
    return assemble(loads(json.dumps(scenario)).model).tree


def taken(tree):
    """Steady flow (m3/s) to the liver and elsewhere."""
    from haiflow.arteries.steady import steady

    flow = steady(tree, elastic=True).flow_rate
    ends = {node: abs(flow[tree.vessel(tree.terminal_vessel(node))]) for node in tree.terminals}
    liver = sum(rate for node, rate in ends.items() if tree.feeds.get(node))
    return liver, sum(ends.values()) - liver


def test_half_the_portal_flow_opens_the_artery_and_leaves_the_gut_alone():
    plain, off = taken(tree()), taken(tree(portal_flow="550 mL/min"))
    on = taken(tree(portal_flow="550 mL/min", buffer_response=True))
    assert off == plain
    assert on[0] / plain[0] == pytest.approx(buffer_response(550e-6 / 60.0), rel=1e-6)
    assert on[1] == pytest.approx(plain[1], rel=1e-6)


def test_it_needs_flows_that_it_can_scale():
    network = {
        "vessels": {"a": {"from": "r", "to": "s", "length": "30 mm", "diameter": "4 mm", "wave_speed": "7 m/s"}},
        "inlet": {"vessel": "a", "mean": "100 mL/min"},
        "outlets": {"s": {"distal": "6e9 Pa s/m3", "feeds": {"IV": 1}}},
    }
    scenario = {
        "haiflow": 1, "name": "own", "arteries": {"network": network},
        "liver": {"model": "standard", "buffer_response": True}, "run": {"duration": "1 h"},
    }  # fmt: skip
    with pytest.raises(InputError, match="resistances of its own"):
        loads(json.dumps(scenario))
