"""Occlusion, dislodgement, stall and growth: a part in, an altered part out."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest

from haiflow.arteries.stenosis import stenosis_loss
from haiflow.arteries.tree import CLOSED, Inlet, Tree
from haiflow.catheter.hydraulics import advance, rest_state
from haiflow.catheter.line import Pocket, SideHole, Tip, build_line
from haiflow.faults.dislodgement import dislodge
from haiflow.faults.growth import LAWS, severity
from haiflow.faults.leak import leak
from haiflow.faults.occlusion import occlude_hole, occlude_line, occlude_vessel
from haiflow.faults.stall import stall
from haiflow.ports import Characteristic, Surroundings
from haiflow.pump.drives import calibrated_gas_drive
from haiflow.pump.model import Pump

RATE = 1.3e-6 / 86_400.0
ARTERY = 12.7e3
RESTRICTOR = 45e3 / RATE
GAS = Characteristic(ARTERY + 45e3, RESTRICTOR, 0.0)
LINE = build_line(0.5, 0.6e-3, 2.3e-3, side_holes=[SideHole("a", 0.02, 0.3e-3)], tip=Tip("gastroduodenal", "ostium"))
PLAIN = build_line(0.5, 0.6e-3, 2.3e-3, tip=Tip("gastroduodenal", "ostium"))


def steady(line):
    return advance(
        line,
        rest_state(line, ARTERY),
        inf,
        characteristic=GAS,
        artery_pressure=ARTERY,
        viscosity=np.full(line.n_cells, 0.7e-3),
        density=1004.0,
    )[1]


@pytest.mark.parametrize("occlude", [lambda s: occlude_hole(PLAIN, "tip", s), lambda s: occlude_line(PLAIN, 0.3, s)])
def test_an_occlusion_shows_only_when_nearly_total(occlude):
    flows = np.array([steady(occlude(s)).pump_flow for s in (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0)]) / RATE
    assert np.all(np.diff(flows) <= 0.0)
    assert flows[2] > 0.9999
    assert flows[3] > 0.998
    assert 0.8 < flows[4] < 0.96
    assert flows[5] < 0.2
    assert flows[6] == pytest.approx(0.0, abs=1e-8)


def test_a_blocked_tip_leaves_the_side_hole():
    flow = steady(occlude_hole(LINE, "tip", 1.0))
    assert flow.hole_flow[0] == 0.0 == flow.face_flow[-1]
    assert flow.hole_flow[1] == pytest.approx(RATE, rel=1e-3, abs=0.0)
    blocked = steady(occlude_hole(LINE, "a", 1.0))
    assert blocked.hole_flow[1] == 0.0
    assert blocked.hole_flow[0] == pytest.approx(RATE, rel=1e-3, abs=0.0)


def test_the_worse_of_two_occlusions_of_a_hole_holds():
    twice = occlude_hole(occlude_hole(LINE, "tip", 0.9), "tip", 0.5)
    assert twice.holes[0].open_fraction == pytest.approx(0.1, rel=1e-12, abs=0.0)
    assert LINE.holes[0].open_fraction == 1.0


def test_a_longer_plug_resists_more():
    short, long = (steady(occlude_hole(PLAIN, "tip", 0.9995, length)).pump_flow for length in (1e-3, 5e-3))
    assert long < 0.6 * short


def one_vessel():
    one = np.array([1.0])
    return Tree(
        vessels=("artery", "branch"), nodes=("root", "end"), start=np.zeros(2, np.int32), end=np.ones(2, np.int32),
        length=0.05 * np.ones(2), radius_start=np.array([2e-3, 1e-3]), radius_end=np.array([2e-3, 1e-3]),
        beta_start=np.ones(2), beta_end=np.ones(2), position=np.zeros((2, 3)),
        inlet=Inlet("root", "pressure", 1.0, one), outlets={"end": CLOSED},
    )  # fmt: skip


def test_an_occluded_vessel_is_another_tree():
    tree = one_vessel()
    narrow = occlude_vessel(tree, "branch", 0.8)
    assert tree.severity is None
    np.testing.assert_array_equal(narrow.severity, [0.0, 0.8])
    assert narrow.stenosis_length is None
    assert narrow.digest() != tree.digest()
    np.testing.assert_array_equal(occlude_vessel(narrow, "branch", 0.5).severity, [0.0, 0.8])
    long = occlude_vessel(narrow, "artery", 1.0, 0.03)
    np.testing.assert_array_equal(long.severity, [1.0, 0.8])
    np.testing.assert_allclose(long.stenosis_length, [0.03, 2 * 2e-3])


def test_the_length_of_one_narrowing_leaves_another_vessels_loss_as_it_was():
    """Also where the other one tapers: its stenosis is two diameters of its start long, said or not."""
    tree = replace(one_vessel(), radius_end=np.array([1e-3, 0.5e-3]))
    alone = occlude_vessel(tree, "branch", 0.8)
    both = occlude_vessel(alone, "artery", 0.5, 0.03)
    for before, after in zip(stenosis_loss(alone), stenosis_loss(both), strict=True):
        assert after[1] == before[1] > 0.0
        assert after[0] > before[0] == 0.0


@pytest.mark.parametrize("fault", [occlude_hole, occlude_line, occlude_vessel])
def test_severity_is_a_fraction(fault):
    part, where = {occlude_hole: (LINE, "tip"), occlude_line: (LINE, 0.1), occlude_vessel: (one_vessel(), "branch")}[
        fault
    ]
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="severity"):
            fault(part, where, wrong)


def test_dislodged_into_another_vessel_or_out_of_the_artery():
    line = leak(LINE, 0.1, 0.05e-3)
    other = dislodge(line, "common_hepatic", 0.02)
    assert (other.tip.vessel, other.tip.position) == ("common_hepatic", 0.02)
    assert [hole.outside for hole in other.holes] == ["artery", "artery", "pocket"]
    out = dislodge(line, None)
    assert out.tip.vessel is None
    assert [hole.outside for hole in out.holes] == ["pocket", "pocket", "pocket"]
    assert line.tip.vessel == "gastroduodenal"


def test_a_tip_in_tissue_fills_its_pocket_at_the_tissue_pressure():
    out = dislodge(PLAIN, None, pocket=Pocket(absorption=0.0))
    state, flow = rest_state(out, 0.0), None
    for _ in range(24):
        state, flow = advance(
            out,
            state,
            3600.0,
            characteristic=GAS,
            artery_pressure=ARTERY,
            viscosity=np.full(64, 0.7e-3),
            density=1004.0,
        )
    # freed of the arterial pressure the pump runs at 57.7 kPa
    assert flow.hole_flow[0] == pytest.approx(RATE * 57.7 / 45.0, rel=0.01, abs=0.0)
    assert state.pocket_volume[0] == pytest.approx(86_400.0 * flow.pump_flow, rel=0.005, abs=0.0)
    assert flow.pocket_pressure[0] == pytest.approx(state.pocket_volume[0] / 5e-9, rel=1e-12, abs=0.0)


def test_a_stalled_pump_gives_nothing():
    pump = Pump(calibrated_gas_drive(RATE, 30e-6), 30e-6)
    stopped = stall(pump)
    assert not pump.stalled
    assert stopped.characteristic(20e-6, Surroundings(), 0.7e-3).flow_rate(-1e5) == 0.0


@pytest.mark.parametrize("law", LAWS)
def test_growth_starts_at_the_onset_and_ends_at_the_final_severity(law):
    grown = [severity(t, onset=10.0, over=5.0, law=law, final=0.8) for t in np.linspace(0.0, 20.0, 401)]
    assert all(value == 0.0 for value in grown[:200])
    assert all(value == 0.8 for value in grown[300:])
    assert np.all(np.diff(grown) >= 0.0)


def test_growth_laws_by_hand():
    assert severity(12.5, onset=10.0, over=5.0, law="linear") == 0.5
    assert severity(12.5, onset=10.0, over=5.0, law="logistic") == pytest.approx(0.5, rel=1e-12, abs=0.0)
    assert severity(11.0, onset=10.0, over=5.0, law="logistic") == pytest.approx(
        (1 / (1 + np.exp(3)) - 1 / (1 + np.exp(5))) / (1 / (1 + np.exp(-5)) - 1 / (1 + np.exp(5))), rel=1e-12, abs=0.0
    )
    assert severity(10.0, onset=10.0, over=5.0, law="step") == 1.0
    assert (
        severity(10.0, onset=10.0, over=5.0, law="linear")
        == 0.0
        == severity(10.0, onset=10.0, over=5.0, law="logistic")
    )
    assert severity(10.0, onset=10.0, law="linear") == 1.0  # no time to grow: a step
    with pytest.raises(KeyError):
        severity(11.0, onset=10.0, over=5.0, law="cubic")
