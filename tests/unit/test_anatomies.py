"""The ten anatomies: one connected tree each, every segment fed, shares that sum, arteries that end where they feed."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

import haiflow
from haiflow.mesh.read import segment_locator
from haiflow.mesh.standard import standard_liver
from haiflow.scenario.model import Network

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(haiflow.__file__).parent / "library" / "anatomies"  # of the one that is tested, installed or not
SEGMENTS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")
SHARES = dict(zip(SEGMENTS, (0.035, 0.075, 0.095, 0.14, 0.13, 0.09, 0.175, 0.26), strict=True))
NUMBERS = range(1, 11)
# (where the vessel named first arises, for the types that differ from I)
ORIGIN = {
    2: {"replaced_left_hepatic": "left_gastric"},
    3: {"replaced_right_hepatic": "superior_mesenteric"},
    4: {"replaced_left_hepatic": "left_gastric", "replaced_right_hepatic": "superior_mesenteric"},
    5: {"accessory_left_hepatic": "left_gastric", "left_hepatic": "proper_hepatic_distal"},
    6: {"accessory_right_hepatic": "superior_mesenteric", "right_hepatic": "proper_hepatic_distal"},
    7: {"accessory_left_hepatic": "left_gastric", "accessory_right_hepatic": "superior_mesenteric"},
    8: {"replaced_right_hepatic": "superior_mesenteric", "accessory_left_hepatic": "left_gastric"},
    9: {"common_hepatic": "superior_mesenteric"},
    10: {"common_hepatic": "left_gastric"},
}


def network(number: int) -> Network:
    given = yaml.safe_load((FOLDER / f"michels-{number}.yaml").read_text())
    del given["inlet"]["waveform"]  # a name, looked up when a scenario is loaded
    return Network.model_validate(given)


def parent(tree: Network, vessel: str) -> str | None:
    return next((name for name, other in tree.vessels.items() if other.end == tree.vessels[vessel].start), None)


@pytest.fixture(params=NUMBERS)
def number(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def test_it_is_one_tree_from_its_root(number: int) -> None:
    tree = network(number)
    root = tree.vessels[tree.inlet.vessel].start
    ends = [vessel.end for vessel in tree.vessels.values()]
    assert len(ends) == len(set(ends)), "two arteries end in one node"
    reached, front = {root}, [root]
    while front:
        node = front.pop()
        after = [vessel.end for vessel in tree.vessels.values() if vessel.start == node]
        reached |= set(after)
        front += after
    assert reached == set(tree.nodes)
    leaves = set(ends) - {vessel.start for vessel in tree.vessels.values()}
    assert leaves == set(tree.outlets)
    assert 19 <= len(tree.vessels) <= 32


def test_outlets_take_the_whole_inflow(number: int) -> None:
    tree = network(number)
    assert sum(outlet.share for outlet in tree.outlets.values()) == pytest.approx(1.0, abs=1e-12)
    assert all(outlet.share > 0.0 for outlet in tree.outlets.values())


def test_every_segment_is_fed_by_its_share_of_300_ml_per_min(number: int) -> None:
    tree = network(number)
    fed = dict.fromkeys(SEGMENTS, 0.0)
    for name, outlet in tree.outlets.items():
        assert bool(outlet.feeds) != bool(outlet.off_target), name
        assert not outlet.feeds or sum(outlet.feeds.values()) == pytest.approx(1.0)
        for segment, share in outlet.feeds.items():
            fed[segment] += share * outlet.share * tree.inlet.mean
    liver = 300e-6 / 60
    assert fed == pytest.approx({name: liver * share for name, share in SHARES.items()}, rel=1e-9, abs=0.0)
    for k, name in enumerate(SEGMENTS, start=1):
        assert tree.outlets[f"segment_{k}"].feeds == {name: 1.0}


def test_off_target_arteries_say_where_their_blood_goes(number: int) -> None:
    tree = network(number)
    away = {name: outlet for name, outlet in tree.outlets.items() if outlet.off_target}
    assert {"gastroduodenal", "right_gastric"} <= set(away)
    assert tree.vessels["gastroduodenal"].start == tree.vessels["common_hepatic"].end
    assert all(
        outlet.drains == ("systemic" if name == "aorta_abdominal" else "portal") for name, outlet in away.items()
    )
    gut = sum(outlet.share for outlet in away.values() if outlet.drains == "portal") * tree.inlet.mean
    assert gut < 1100e-6 / 60, "the gut's arteries bring more than the portal vein carries"


def test_arteries_end_in_the_segment_that_they_feed(number: int) -> None:
    tree, locate = network(number), segment_locator(standard_liver())
    for name, outlet in tree.outlets.items():
        inside = locate(tree.nodes[name].position)
        assert inside == (next(iter(outlet.feeds)) if outlet.feeds else None), name


def test_sizes_are_sane(number: int) -> None:
    tree = network(number)
    for name, vessel in tree.vessels.items():
        start, end = vessel.diameter
        assert start >= end > 1e-3, name
        assert 4.9 <= vessel.wave_speed <= 10.0, name
        above = parent(tree, name)
        assert above is None or start <= tree.vessels[above].diameter[1] * 1.2, f"{name} is wider than {above}"
        daughters = [other for other in tree.vessels.values() if other.start == vessel.end]
        if daughters:
            murray = sum(other.diameter[0] ** 3 for other in daughters) / end**3
            assert 0.5 < murray < 2.0, f"{name}: cubes of the daughters' diameters over its own: {murray:.2f}"


def test_lengths_follow_the_drawn_course(number: int) -> None:
    tree = network(number)
    for name, vessel in tree.vessels.items():
        ends = np.array([tree.nodes[vessel.start].position, tree.nodes[vessel.end].position])
        path = np.array(vessel.path) if vessel.path else ends
        np.testing.assert_allclose(path[[0, -1]], ends, atol=1e-9, err_msg=name)
        drawn = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
        assert vessel.length == pytest.approx(drawn, abs=1e-4), name
        assert vessel.length <= 1.6 * np.linalg.norm(ends[1] - ends[0]), f"{name} is a detour"


def test_hepatic_lengths_are_surgical() -> None:
    length = {name: vessel.length for name, vessel in network(1).vessels.items()}
    assert 0.030 <= length["common_hepatic"] <= 0.066
    assert 0.020 <= length["proper_hepatic"] + length["proper_hepatic_distal"] <= 0.040
    assert 0.020 <= length["right_hepatic"] <= 0.040
    assert 0.020 <= length["left_hepatic"] <= 0.040
    assert 0.030 <= length["gastroduodenal"] <= 0.050


def test_type_one_begins_at_the_common_hepatic() -> None:
    tree = network(1)
    assert tree.inlet.vessel == "common_hepatic"
    assert tree.inlet.mean == pytest.approx(400e-6 / 60, rel=1e-12, abs=0.0)
    assert not any(name.startswith(("replaced", "accessory", "aorta")) for name in tree.vessels)


@pytest.mark.parametrize("number", range(2, 11))
def test_each_type_has_its_own_origins(number: int) -> None:
    tree = network(number)
    assert tree.inlet.vessel == "aorta"
    for vessel, origin in ORIGIN[number].items():
        assert parent(tree, vessel) == origin
    for kind in ("replaced", "accessory"):
        found = {name for name in tree.vessels if name.startswith(kind)}
        assert found == {name for name in ORIGIN[number] if name.startswith(kind)}
    for side in ("left", "right"):
        assert (f"{side}_hepatic" in tree.vessels) != (f"replaced_{side}_hepatic" in tree.vessels)


def test_the_files_are_what_their_script_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "meshes"))
    spec = importlib.util.spec_from_file_location("make_anatomies", ROOT / "meshes" / "make_anatomies.py")
    assert spec is not None
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "make_anatomies", script)
    spec.loader.exec_module(script)
    for kind in script.KINDS:
        assert (FOLDER / f"michels-{kind.number}.yaml").read_text() == script.written(kind)
