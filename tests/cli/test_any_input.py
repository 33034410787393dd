"""Whatever a file says, it is a scenario or it is refused with a message: nothing else may come out."""

import copy
import random
from pathlib import Path

import pytest

from haiflow.errors import InputError, InputErrors
from haiflow.scenario.load import loads
from haiflow.scenario.plan import plan
from haiflow.scenario.read import read_text
from haiflow.scenario.write import as_yaml

SCENARIOS = [
    read_text(path.read_text(), path.name).root for path in (Path(__file__).parent / "scenarios").glob("*.yaml")
]
ODD = (
    None, True, False, 0, 1, -1, 2, 1e300, 0.5, "", "x", "no", "5 mm", "-5 mm", "0 mm", "30 d", "1 mL/day", "80 %",
    "1e-300 m", "tip", "tissue", "saline", "gas", "stall", "gastroduodenal", [], {}, [1], ["5 mm", "6 mm"], {"x": 1},
    [[]], [None], [{}],
)  # fmt: skip


def _places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*path, key))


def _holder(root, path):
    for step in path[:-1]:
        root = root[step]
    return root


def _changed(root, chance):
    """One place deleted, replaced by something odd, by what stands elsewhere, or renamed."""
    path = chance.choice([path for path in _places(root) if path])
    holder, key = _holder(root, path), path[-1]
    act = chance.choice(("delete", "odd", "odd", "odd", "copy", "rename"))
    if act == "delete":
        del holder[key]
    elif act == "odd":
        holder[key] = copy.deepcopy(chance.choice(ODD))
    elif act == "copy":
        other = chance.choice([path for path in _places(root) if path])
        holder[key] = copy.deepcopy(_holder(root, other)[other[-1]])
    elif isinstance(holder, dict):
        holder[f"{key}s"] = holder.pop(key)


@pytest.mark.parametrize("seed", range(300))
def test_a_scenario_or_a_message(seed):
    chance = random.Random(seed)
    root = copy.deepcopy(chance.choice(SCENARIOS))
    for _ in range(chance.randint(1, 3)):
        _changed(root, chance)
    try:
        scenario = loads(as_yaml(root, None))
    except InputError as error:
        for each in error.errors if isinstance(error, InputErrors) else (error,):
            assert each.place.startswith("scenario.yaml")
            assert each.rule
            assert each.remedy
        return
    plan(scenario).text()
    assert loads(scenario.resolved_yaml()).sha256 == scenario.sha256
