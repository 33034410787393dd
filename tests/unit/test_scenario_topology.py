"""Networks that hang together, and those that do not."""

from itertools import pairwise

import pytest

from haiflow.scenario import check_network
from haiflow.scenario.load import loads
from haiflow.scenario.model import Network
from haiflow.scenario.topology import blind_parts, neighbours, unreachable


def network(edges, outlets):
    vessels = {
        f"{a}{b}": {"from": a, "to": b, "length": "1 cm", "diameter": "3 mm", "wave_speed": "8 m/s"} for a, b in edges
    }
    beds = {node: {"share": 1.0 / len(outlets)} for node in outlets}
    return Network.model_validate({"vessels": vessels, "outlets": beds, "inlet": {"node": edges[0][0]}})


@pytest.mark.parametrize(
    ("edges", "outlets", "blind"),
    [
        (["ab", "bc", "bd"], "cd", []),
        (["ab", "bc", "bd"], "c", [["bd"]]),
        (["ab", "bc", "cd", "de"], "b", [["bc", "cd", "de"]]),
        (["ab", "bc", "cd", "db", "be"], "e", []),  # a loop on the way round is fed and drained at b
        (["ab", "be", "bc", "cd", "dg", "gc"], "e", [["bc", "cd", "dg", "gc"]]),  # a loop behind a bridge
        (["ab", "bc", "bd", "cd", "de"], "e", []),  # an anastomosis
        (["ab", "bc", "cb", "cd"], "d", []),  # two vessels side by side
        (["ab", "bc", "bd", "df"], "c", [["bd", "df"]]),
    ],
)
def test_parts_that_blood_cannot_leave(edges, outlets, blind):
    assert blind_parts(network(edges, outlets), "a") == blind


def test_unreachable():
    assert unreachable(network(["ab", "xy", "yz"], "bz"), "a") == ["xy", "yz"]


def test_long_chains_need_no_recursion():
    names = [f"n{i}" for i in range(5000)]
    chain = network(list(pairwise(names)), [names[-1]])
    assert blind_parts(chain, "n0") == []
    assert unreachable(chain, "n0") == []


def test_a_check_walks_the_vessels_as_often_for_many_outlets_as_for_few(monkeypatch):
    def walks(leaves):
        count = []
        monkeypatch.setattr(check_network, "neighbours", lambda given: count.append(1) or neighbours(given))
        wall = "length: 1 cm, diameter: 3 mm, wave_speed: 8 m/s"
        vessels = "".join(f"      b{i}: {{from: m, to: n{i}, {wall}}}\n" for i in range(leaves))
        beds = "".join(f"      n{i}: {{share: {1.0 / leaves}}}\n" for i in range(leaves))
        loads(
            f"haiflow: 1\nname: star\narteries:\n  network:\n    vessels:\n      a: {{from: root, to: m, {wall}}}\n"
            f"{vessels}    inlet: {{node: root}}\n    outlets:\n{beds}  inflow: {{mean: 400 mL/min}}\n"
            "run: {clock: pulse, duration: 1 s}\n"
        )
        return len(count)

    assert walks(40) == walks(4) > 0
