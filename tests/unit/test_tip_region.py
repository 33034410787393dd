"""From the network to the region round the tip: which vessels, which shape, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

import haiflow
from haiflow.errors import InputError
from haiflow.junction.geometry import Branch, Hole, Shape, Tip, check
from haiflow.junction.outline import build, hole_face
from haiflow.scenario.load import loads
from haiflow.scenario.plan import plan
from haiflow.scenario.tip_region import tip_region

BASE = """
haiflow: 1
name: Tip
pump: {model: intera-3000, fill: {drug: floxuridine, dose: 0.12 mg/kg/day, volume: 30 mL}}
catheter: {model: intera-straight, tip: {vessel: gastroduodenal}}
arteries: {anatomy: michels-1}
run: {clock: therapy, duration: 1 d}
"""
MM = 1e-3


def region_of(tmp_path, **settings):
    (tmp_path / "tip.yaml").write_text(BASE)
    changes = {key.replace("__", "."): value for key, value in settings.items()}
    model = haiflow.load(tmp_path / "tip.yaml", set=changes).model
    return tip_region(model.arteries, model.catheter)


def test_the_way_from_the_ostium_goes_on_to_where_blood_parts(tmp_path):
    found = region_of(tmp_path)
    assert found.node == "hepatic_bifurcation"
    assert found.feeder == "proper_hepatic_distal"
    assert set(found.branches) == {"right_hepatic", "left_hepatic"}
    assert found.shape.ostium.distance == pytest.approx(30.5 * MM)  # both pieces of the proper hepatic
    assert found.shape.parent_diameter == pytest.approx(4.2 * MM)
    assert found.shape.end_diameter == pytest.approx(2.9 * MM)
    check(found.shape)


def test_an_open_right_gastric_ends_the_region(tmp_path):
    found = region_of(tmp_path, arteries__ligated="[gastroduodenal]")
    assert found.node == "right_gastric_origin"
    assert set(found.branches) == {"right_gastric", "proper_hepatic_distal"}


def test_branch_angles_are_those_of_the_course_and_can_be_given(tmp_path):
    found = region_of(tmp_path)
    one, two = (branch.direction for branch in found.shape.branches)
    assert 90 < np.degrees(np.arccos(one @ two)) < 125
    given = region_of(tmp_path, catheter__tip__angles="{left_hepatic: 30 deg}")
    left = next(branch for branch in given.shape.branches if branch.name == "left_hepatic")
    assert abs(np.degrees(left.angle)) == pytest.approx(30.0)
    assert left.elevation == 0.0


def test_a_tip_along_the_lumen(tmp_path):
    found = region_of(
        tmp_path, catheter__tip__vessel="common_hepatic", catheter__tip__position="40 mm",
        catheter__outer_diameter="1.2 mm", catheter__tip__offset="1 mm", catheter__tip__towards="left_hepatic",
        arteries__ligated="[gastroduodenal, right_gastric]",
    )  # fmt: skip
    assert found.shape.ostium is None
    left = next(branch for branch in found.shape.branches if branch.name == "left_hepatic").direction[:2]
    place = np.array(found.shape.tip.place)
    assert place[:2] @ left / np.linalg.norm(left) == pytest.approx(1 * MM)
    assert -place[2] == pytest.approx((41.7 - 40 + 30.5) * MM)


def test_without_a_branching_there_is_nothing_to_resolve(tmp_path):
    with pytest.raises(InputError, match="there is no split"):
        region_of(tmp_path, catheter__tip__vessel="segment_6", catheter__tip__position="1 mm",
                  catheter__outer_diameter="0.7 mm")  # fmt: skip


INSIDE = {"catheter__tip__vessel": "proper_hepatic_distal", "catheter__tip__position": "4 mm",
         "catheter__outer_diameter": "1.2 mm", "arteries__ligated": "[gastroduodenal, right_gastric]"}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "place", "rule"),
    [
        ({"catheter__tip": "{vessel: common_hepatic}", "catheter__outer_diameter": "1.2 mm"},
         "catheter.tip.vessel", "no vessel feeds this ostium"),
        (INSIDE | {"catheter__tip__towards": "left_gastric"},
         "catheter.tip.towards", "no branch of the tip's junction"),
        (INSIDE | {"catheter__side_holes": "[{from_tip: 30 mm, diameter: 0.4 mm}]"},
         "catheter.side_holes[0].from_tip", "the hole lies beyond the region that is resolved"),
        (INSIDE | {"catheter__side_holes": "[{from_tip: 0.2 mm, diameter: 0.4 mm}]"},
         "catheter.side_holes[0].from_tip", "the hole lies over the tip's edge"),
    ],
)  # fmt: skip
def test_what_cannot_be_resolved_is_told_with_its_key_and_what_can_be_done(tmp_path, changes, place, rule):
    with pytest.raises(InputError, match=rule) as refused:
        region_of(tmp_path, **changes)
    assert refused.value.place == place
    assert refused.value.remedy


def bare(model, **directions):
    """The network without its course, or with straight ones of these vessels alone, 10 mm long."""
    network = model.arteries.network
    vessels = {
        name: each.model_copy(update={"path": [(0.0, 0.0, 0.0), tuple(1e-2 * np.array(directions[name]))]
                                      if name in directions else []})
        for name, each in network.vessels.items()
    }  # fmt: skip
    nodes = {name: each.model_copy(update={"position": None}) for name, each in network.nodes.items()}
    network = network.model_copy(update={"vessels": vessels, "nodes": nodes})
    return model.arteries.model_copy(update={"network": network})


def test_branches_without_a_course_part_evenly_and_one_that_goes_straight_on_has_a_frame(tmp_path):
    (tmp_path / "tip.yaml").write_text(BASE)
    changes = {key.replace("__", "."): each for key, each in INSIDE.items()}
    model = haiflow.load(tmp_path / "tip.yaml", set=changes).model
    one, two = tip_region(bare(model), model.catheter).shape.branches
    assert one.angle == -two.angle != 0.0
    assert one.elevation == two.elevation == 0.0
    outs = tip_region(bare(model), model.catheter).branches
    courses = {"proper_hepatic_distal": (0, 0, 1), outs[0]: (0, 0, 1), outs[1]: (0, 1, 0)}
    straight, aside = tip_region(bare(model, **courses), model.catheter).shape.branches
    np.testing.assert_allclose(straight.direction, (0.0, 0.0, 1.0), atol=1e-12)
    assert aside.direction[2] == pytest.approx(0.0, abs=1e-12)


HOLE = (Hole("hole:tip", 0.6 * MM),)
TWO = (Branch("left", 2.9 * MM, np.radians(-35)), Branch("right", 2.9 * MM, np.radians(35)))


def shape(tip, **more):
    return Shape(4.2 * MM, 14 * MM, 4.2 * MM, TWO, tip, cells=6.0, **more)


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (shape(Tip(1.2 * MM, HOLE, (1.5 * MM, 0.0, -6 * MM))), "must not touch its wall"),
        (shape(Tip(1.2 * MM, (), (0.0, 0.0, -6 * MM))), "lets out by a hole"),
        (shape(Tip(0.6 * MM, HOLE, (0.0, 0.0, -6 * MM))), "narrower than the catheter"),
        (shape(Tip(1.2 * MM, HOLE, (0.0, 0.0, -6 * MM), shape="pointed")), "one of square"),
        (replace(shape(None), branches=(TWO[0], replace(TWO[0], name="twin"))), "part by 20 degrees"),
        (replace(shape(None), branches=(replace(TWO[0], angle=2.6),)), "less than 140 degrees"),
    ],
)
def test_impossible_shapes(broken, rule):
    with pytest.raises(InputError, match=rule):
        check(broken)


SIDES = tuple(Hole(f"hole:side_hole_{k}", 0.4 * MM, 1.0 * MM, k * np.pi / 2) for k in range(2))
BEHIND = tuple(replace(hole, from_tip=1.2 * MM) for hole in SIDES)
TIPS = {
    "square": Tip(1.2 * MM, HOLE, (0.0, 0.0, -6 * MM)),
    "bevelled": Tip(1.2 * MM, HOLE, (0.5 * MM, 0.0, -6 * MM), shape="bevelled"),
    "rounded": Tip(1.2 * MM, HOLE, (0.0, 0.0, -6 * MM), shape="rounded"),
    "closed": Tip(1.2 * MM, SIDES, (0.0, 0.0, -6 * MM), shape="closed"),
    "rounded and closed": Tip(1.2 * MM, SIDES, (0.0, 0.0, -6 * MM), shape="rounded"),
    "bevelled and closed": Tip(1.2 * MM, BEHIND, (0.0, 0.0, -6 * MM), shape="bevelled"),
}


@pytest.mark.parametrize("name", TIPS)
def test_meshes_have_their_patches_and_holes_their_size(name):
    pytest.importorskip("gmsh", exc_type=(ImportError, OSError))
    tip = TIPS[name]
    made = build(shape(tip))
    assert set(made.names) == {"inlet", "left", "right", "catheter", "vessel", *(hole.name for hole in tip.holes)}
    for hole in tip.holes:
        middle, normal, _ = hole_face(tip, hole)
        mine = made.patch == made.names.index(hole.name)
        area = np.linalg.norm(made.wall_area[mine], axis=1).sum()
        wide = 1.0 / np.cos(tip.bevel) if name == "bevelled" else 1.0
        assert area == pytest.approx(np.pi / 4 * hole.diameter**2 * wide, rel=0.05)
        assert np.abs((made.points[made.on(hole.name)] - middle) @ normal).max() < 1e-8
        # The blood lies in front of the hole: the boundary's outward normal points back into the catheter.
        assert made.wall_area[mine].sum(axis=0) @ normal < 0.0
    volume = np.pi / 4 * 4.2**2 * 14 - np.pi / 4 * 1.2**2 * 8
    assert made.dual.volume.sum() * 1e9 > volume


def test_a_closed_end_is_whole_and_as_round_as_half_a_ball():
    """What the shaft takes of the lumen: that of a square end less the space round half a ball, pi r^3 / 3."""
    pytest.importorskip("gmsh", exc_type=(ImportError, OSError))
    radius, volume = 0.6 * MM, {}
    for name in ("closed", "rounded and closed", "bevelled and closed"):
        made = build(shape(TIPS[name]))
        volume[name] = made.dual.volume.sum()
        behind = made.points[made.on("catheter")] - [0.0, 0.0, -6 * MM]
        wall = np.abs(np.hypot(*behind[:, :2].T) - radius) < 1e-6
        if name == "rounded and closed":
            front = behind[behind[:, 2] > -0.99 * radius]
            assert len(front) > 50
            assert np.linalg.norm(front - [0.0, 0.0, -radius], axis=1) == pytest.approx(radius, rel=1e-3)
            assert behind[:, 2].max() == pytest.approx(0.0, abs=0.02 * radius)
        if name == "bevelled and closed":
            face = behind[(np.abs(behind[:, 0] + behind[:, 2]) < 1e-6) & ~wall]
            assert np.hypot(*face[:, :2].T).min() < 0.2 * radius  # there is no hole in its middle
    assert volume["rounded and closed"] - volume["closed"] == pytest.approx(np.pi / 3.0 * radius**3, rel=0.1)


@pytest.mark.parametrize(("tip", "from_tip", "holds"), [
    ("closed_end: true", "0.4 mm", True),
    ("closed_end: true, shape: rounded", "0.4 mm", False), ("closed_end: true, shape: rounded", "0.9 mm", True),
    ("shape: rounded", "0.6 mm", True), ("shape: rounded", "0.45 mm", False),
    ("closed_end: true, shape: bevelled", "0.8 mm", False), ("closed_end: true, shape: bevelled", "0.95 mm", True),
    ("shape: bevelled, bevel: 60 deg", "1 mm", False),
])  # fmt: skip
def test_side_holes_lie_in_the_straight_wall_behind_the_end(tmp_path, tip, from_tip, holds):
    given = HOLED | {
        "catheter__tip": f"{{vessel: proper_hepatic_distal, position: 4 mm, {tip}}}",
        "catheter__side_holes": f"[{{from_tip: {from_tip}, diameter: 0.4 mm, count: 2}}]",
    }
    if holds:
        check(region_of(tmp_path, **given).shape)
        return
    with pytest.raises(InputError, match="over the tip's edge") as raised:
        region_of(tmp_path, **given)
    assert raised.value.place == "catheter.side_holes[0].from_tip"


HOLED = {
    "catheter__tip": "{vessel: proper_hepatic_distal, position: 4 mm}",
    "catheter__outer_diameter": "1.2 mm",
    "arteries__ligated": "[gastroduodenal, right_gastric]",
}


@pytest.mark.parametrize(
    "holes",
    [
        "[{from_tip: 1 mm, diameter: 0.2 mm, count: 100}]",
        "[{from_tip: 1 mm, diameter: 0.4 mm}, {from_tip: 1.1 mm, diameter: 0.4 mm}]",
    ],
)
def test_side_holes_that_touch_are_refused_before_they_are_meshed(tmp_path, holes):
    with pytest.raises(InputError, match="side holes touch") as raised:
        region_of(tmp_path, **HOLED, catheter__side_holes=holes)
    assert raised.value.place.startswith("catheter.side_holes[")


def test_side_holes_with_wall_between_them_are_taken(tmp_path):
    holes = "[{from_tip: 1 mm, diameter: 0.4 mm, count: 4}, {from_tip: 1.6 mm, diameter: 0.4 mm, count: 4}]"
    assert len(region_of(tmp_path, **HOLED, catheter__side_holes=holes).shape.tip.holes) == 9


def test_a_bevel_that_outruns_the_shaft_and_a_thread_of_a_catheter_are_refused(tmp_path):
    shape = region_of(tmp_path, **HOLED).shape
    with pytest.raises(InputError, match="bevel"):
        check(replace(shape, tip=replace(shape.tip, shape="bevelled", bevel=np.radians(89.0))))
    check(replace(shape, tip=replace(shape.tip, shape="bevelled", bevel=np.radians(60.0))))
    thin = tuple(replace(hole, diameter=1e-5) for hole in shape.tip.holes)
    with pytest.raises(InputError, match="no thinner than"):
        check(replace(shape, tip=replace(shape.tip, outer_diameter=2e-5, holes=thin)))


LUMEN = {"vessel": "proper_hepatic_distal", "position": "8 mm", "resolve": "3d"}


@pytest.mark.parametrize(
    ("tip", "more", "named"),
    [
        ({"vessel": "gastroduodenal", "shape": "bevelled", "cells": 7}, {}, ["shape", "cells"]),  # mixed
        ({**LUMEN, "bevel": "30 deg"}, {}, ["bevel"]),
        ({**LUMEN, "shape": "bevelled", "bevel": "30 deg"}, {}, []),
        ({**LUMEN, "flow": "steady", "steps": 60}, {}, ["steps"]),
        ({**LUMEN, "depth": "1 mm", "towards": "left_hepatic"}, {}, ["towards", "depth"]),
        ({**LUMEN, "offset": "0.3 mm", "towards": "left_hepatic"}, {}, []),
        ({**LUMEN, "vessel": "gastroduodenal", "position": "ostium", "depth": "1 mm"}, {}, []),
        ({**LUMEN, "vessel": "gastroduodenal", "position": "ostium", "offset": "0.3 mm"}, {}, ["offset"]),
        (
            {**LUMEN, "closed_end": True, "shape": "rounded"},
            {"side_holes": [{"from_tip": "1 mm", "diameter": "0.3 mm"}]},
            [],
        ),
    ],
)
def test_keys_of_a_tip_that_change_nothing_are_named(tip, more, named):
    import yaml

    document = yaml.safe_load(BASE)
    document["catheter"] |= {"outer_diameter": "1.2 mm", "tip": tip, **more}
    document["arteries"]["ligated"] = ["gastroduodenal", "right_gastric"]
    told = plan(loads(yaml.safe_dump(document)))
    assert sorted(text.split()[0] for text in told.unheard) == sorted(f"catheter.tip.{key}" for key in named)
    assert all(text in told.text() for text in told.unheard)


@pytest.mark.parametrize(
    ("key", "typed", "rule"),
    [
        ("catheter.tip.offset", "1400 um", "must not touch its wall"),
        ("catheter.outer_diameter", "2860 um", "choose a thinner catheter"),
        ("catheter.tip.bevel", "1.4 rad", "a bevel is 70 degrees"),
        ("catheter.tip.angles", "{left_hepatic: 2.6 rad}", "leaves at less than 140 degrees"),
    ],
)
def test_what_is_wrong_is_shown_as_it_was_typed(tmp_path, key, typed, rule):
    (tmp_path / "tip.yaml").write_text(BASE)
    given = {"catheter.outer_diameter": "1.2 mm", "arteries.ligated": "[gastroduodenal, right_gastric]",
             "catheter.tip": "{vessel: proper_hepatic_distal, position: 8 mm, resolve: 3d, shape: bevelled}",
             key: typed}  # fmt: skip
    with pytest.raises(InputError, match=rule) as caught:
        haiflow.load(tmp_path / "tip.yaml", set=given)
    assert key in str(caught.value.place)
    assert typed.strip("{}").removeprefix("left_hepatic: ") in str(caught.value.value)
