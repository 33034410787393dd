"""What a tip in 3D costs is told before it is meshed, and what would change nothing is told too."""

from dataclasses import replace

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from haiflow.cli_mesh import mesh
from haiflow.errors import InputError
from haiflow.junction.case import Case
from haiflow.junction.cell_count import across_for, expected
from haiflow.junction.outline import build
from haiflow.junction.thread import look_ahead
from haiflow.scenario.load import loads
from haiflow.scenario.plan import plan
from haiflow.scenario.tip_region import tip_region

BASE = """
haiflow: 1
pump: {model: intera-3000, fill: {drug: floxuridine, dose: 0.12 mg/kg/day, volume: 30 mL}}
catheter: {model: intera-straight, outer_diameter: 1.2 mm}
arteries: {anatomy: michels-1, ligated: [gastroduodenal, right_gastric]}
run: {clock: therapy, duration: 1 d}
"""
LUMEN = {"vessel": "proper_hepatic_distal", "position": "8 mm", "resolve": "3d"}
OSTIUM = {"vessel": "gastroduodenal", "resolve": "3d"}
CLOSED = {"closed_end": True}
HOLES = {"side_holes": [{"from_tip": "1.2 mm", "diameter": "0.4 mm", "count": 2}]}


def text_of(tip, **more):
    document = yaml.safe_load(BASE)
    document["catheter"] |= {"tip": tip, **more}
    return yaml.safe_dump(document)


def shape_of(text):
    model = loads(text).model
    return tip_region(model.arteries, model.catheter).shape


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("cells", "tip", "more"),
    [
        (6, LUMEN, {}),
        (6, OSTIUM | {"shape": "bevelled"}, {}),
        (6, LUMEN | CLOSED, HOLES),
        (6, OSTIUM, {"outer_diameter": "0.8 mm", "inner_diameter": "0.4 mm"}),
        (9, LUMEN | {"shape": "bevelled", "offset": "0.5 mm"}, {}),
        pytest.param(9, OSTIUM | CLOSED, HOLES, marks=SLOW),
        pytest.param(13, LUMEN, {}, marks=SLOW),
        pytest.param(13, OSTIUM | {"shape": "bevelled"}, {}, marks=SLOW),
        pytest.param(13, LUMEN | CLOSED, HOLES, marks=SLOW),
    ],
)
def test_cells_of_a_region_are_told_before_it_is_meshed(cells, tip, more):
    pytest.importorskip("gmsh", exc_type=(ImportError, OSError))
    shape = shape_of(text_of(tip | {"cells": cells}, **more))
    assert expected(shape) == pytest.approx(len(build(shape).tetra), rel=0.15)


@pytest.mark.parametrize(
    ("cells", "tip", "more"),
    [
        (6, OSTIUM | {"shape": "bevelled"}, {}),
        pytest.param(6, LUMEN | CLOSED, HOLES, marks=SLOW),
        pytest.param(9, LUMEN | {"shape": "bevelled", "offset": "0.5 mm"}, {}, marks=SLOW),
        pytest.param(8, OSTIUM | CLOSED, HOLES, marks=SLOW),
    ],
)
def test_a_plan_tells_the_cells_along_the_thread_too(cells, tip, more):
    pytest.importorskip("gmsh", exc_type=(ImportError, OSError))
    text = text_of(tip | {"cells": cells}, **more)
    shape, flow = shape_of(text), 5e-6
    shares = {branch.name: np.array([1.0]) for branch in shape.branches}
    infusion = {hole.name: 1e-11 for hole in shape.tip.holes}
    meshed = build(shape, look_ahead(Case(np.array([flow]), shares, infusion, shape=shape).passive()))
    assert plan(loads(text)).cells["tip"] == pytest.approx(len(meshed.tetra), rel=0.15)


def test_a_number_of_cells_is_turned_into_cells_across():
    shape = shape_of(text_of(LUMEN))
    for wished in (60_000, 400_000):
        assert expected(replace(shape, cells=across_for(shape, wished))) == pytest.approx(wished, rel=0.01)
    for absurd in (-3, 5, 10**9):
        with pytest.raises(InputError, match="this region has from about") as caught:
            across_for(shape, absurd)
        assert caught.value.place == "--cells"


def test_a_mesh_of_millions_of_cells_has_its_price_told():
    assert plan(loads(text_of(LUMEN))).costly == []
    told = plan(loads(text_of(LUMEN | {"cells": 40})))
    (line,) = told.costly
    assert line.startswith("catheter.tip.cells: 40 makes about")
    assert "GB of memory" in line
    assert line in told.text()


def build_junction(tmp_path, text, *options):
    (tmp_path / "tip.yaml").write_text(text)
    out = tmp_path / "tip.msh"
    return CliRunner().invoke(mesh, ["build", "junction", str(tmp_path / "tip.yaml"), "-o", str(out), *options])


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (("--cells", "5"), "this region has from about"),
        (("--edge", "1 mm"), "it changes nothing"),
        (("--unit", "mm"), "it changes nothing"),
        (("--segments", "standard"), "it changes nothing"),
    ],
)
def test_options_that_a_region_cannot_follow_are_refused(tmp_path, options, rule):
    done = build_junction(tmp_path, text_of(LUMEN), *options)
    assert isinstance(done.exception, InputError)
    assert options[0] in done.exception.place
    assert rule in str(done.exception)
    assert not (tmp_path / "tip.msh").exists()


@pytest.mark.parametrize(
    ("source", "options", "rule"),
    [
        ("standard", ("--unit", "mm"), "only a surface"),
        ("standard", ("--edge", "4 mm", "--cells", "9000"), "one of both"),
        ("standard", ("tip.yaml",), "only a junction has a scenario"),
    ],
)
def test_options_that_a_liver_cannot_follow_are_refused(tmp_path, source, options, rule):
    done = CliRunner().invoke(mesh, ["build", source, "-o", str(tmp_path / "liver.vtu"), *options])
    assert isinstance(done.exception, InputError)
    assert rule in str(done.exception)


def test_a_mesh_is_as_large_as_is_asked_and_tells_what_changed_nothing(tmp_path):
    pytest.importorskip("gmsh", exc_type=(ImportError, OSError))
    text = text_of({**LUMEN, "resolve": "mixed", "bevel": "30 deg", "depth": "1 mm", "cells": 7})
    done = build_junction(tmp_path, text, "--cells", "45000")
    assert done.exception is None, done.output
    assert int(done.output.partition(": ")[2].split()[0]) == pytest.approx(45_000, rel=0.15)
    for key in ("bevel", "depth", "cells"):
        assert f"catheter.tip.{key} changes nothing" in done.output
    assert "resolve: 3d" not in done.output  # a mesh is drawn whether or not the scenario uses it


@pytest.mark.parametrize(
    ("tip", "key"),
    [
        ({"shape": "bevelled", "bevel": "-10 deg"}, "bevel"),
        ({"angles": {"right_hepatic": "0 deg", "left_hepatic": "0 deg"}}, "angles"),
        ({"cells": -1}, "cells"),
        ({"cells": 1000}, "cells"),
    ],
)
def test_values_that_no_tip_can_have_are_refused_with_their_key(tip, key):
    with pytest.raises(InputError) as caught:
        loads(text_of(LUMEN | tip))
    assert f"catheter.tip.{key}" in str(caught.value)
    assert caught.value.remedy
