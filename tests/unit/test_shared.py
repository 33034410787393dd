"""What runs have in common: the same run with it and without, what is at hand and what lies in the folder."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from haiflow.ports import Fluid
from haiflow.scenario.load import loads
from haiflow.simulation.run import run_scenario
from haiflow.simulation.shared import KEPT, Shared, pack, state_key, unpack

SCENARIO = """
haiflow: 1
pump: {model: intera-3000, fill: {drug: floxuridine, concentration: 5 mg/mL, volume: 30 mL}}
catheter: {model: intera-straight, tip: {vessel: gastroduodenal}}
arteries: {anatomy: michels-1}
liver: {model: standard}
run: {duration: 1 d, output_every: 12 h}
"""


def figures(shared=None):
    with threadpool_limits(limits=1):  # as a run alone and a batch's workers have it: two threads add in another order
        summary = run_scenario(loads(SCENARIO), pictures=False, fields=False, shared=shared).summary
    return {key: summary[key] for key in ("segments", "ledger", "pump", "catheter", "body")}


def test_a_run_with_what_others_computed_is_the_same_to_the_last_bit(tmp_path):
    alone, first = figures(), Shared(tmp_path)
    assert figures(first) == alone
    assert first.computed > 0
    assert figures(first) == alone  # from what is at hand
    other = Shared(tmp_path)
    assert figures(other) == alone  # from the folder
    assert other.computed == 0


def test_values_go_and_come_back_as_they_are():
    value = {"a": (1, 2.5, None), "b": [np.arange(3.0), "text"], "c": Fluid(1060.0, 4e-3), "d": np.float64(0.1)}
    found = unpack(pack(value))
    assert found["a"] == value["a"]
    assert found["c"] == value["c"]
    assert found["d"] == 0.1
    assert found["b"][1] == "text"
    np.testing.assert_array_equal(found["b"][0], value["b"][0])
    with pytest.raises(TypeError, match="set is not shared"):
        pack({1, 2})


@pytest.mark.parametrize("spoil", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"no archive"])
def test_a_spoilt_file_is_computed_anew(tmp_path, spoil):
    assert Shared(tmp_path).once("number", "one", lambda: 1.0) == 1.0
    (path,) = tmp_path.glob("*.npz")
    path.write_bytes(spoil(path.read_bytes()))
    again = Shared(tmp_path)
    assert again.once("number", "one", lambda: 2.0) == 2.0
    assert Shared(tmp_path).once("number", "one", lambda: 3.0) == 2.0  # and kept


def test_where_nothing_can_be_written_the_run_goes_on(tmp_path):
    (tmp_path / "file").write_text("in the way")
    shared = Shared(tmp_path / "file" / "folder")
    assert shared.once("number", "one", lambda: 1.0) == 1.0
    assert shared.once("number", "one", lambda: 2.0) == 1.0  # at hand all the same


def test_only_the_latest_are_at_hand():
    shared, built = Shared(), []
    for number in [*range(KEPT + 1), 0]:
        shared.once("number", str(number), lambda: float(len(built)))
        shared.system(str(number).encode(), lambda number=number: built.append(number))
    assert built == [*range(KEPT + 1), 0]
    assert shared.computed == KEPT + 2
    assert shared.large(b"one", lambda: "a") == shared.large(b"one", lambda: "b") == "a"
    assert shared.large(b"two", lambda: "c") == "c"
    assert shared.large(b"one", lambda: "d") == "d"


def test_no_state_is_a_key_too():
    assert state_key(None) == "none"
