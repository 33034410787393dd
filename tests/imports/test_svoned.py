"""svOneDSolver: cards of a small deck become the tree, in SI; hand-computable pressures; what is not taken over."""

from math import pi, sqrt

import numpy as np
import pytest
from scipy.integrate import quad

from haiflow.errors import InputError
from haiflow.scenario.imports import cards
from haiflow.scenario.imports.draft import Draft, DraftOutlet, DraftVessel
from haiflow.scenario.imports.files import deck_text
from haiflow.scenario.imports.findings import Findings
from haiflow.scenario.imports.means import mean_pressures
from haiflow.scenario.imports.svoned import read as svoned
from haiflow.scenario.imports.waveforms import Cycle

TUBE = """MODEL tube
NODE 0 0.0 0.0 0.0
NODE 1 0.0 0.0 10.0
SEGMENT seg 0 10.0 20 0 1 1.0 1.0 0.0 M NONE 0.0 0 0 {bound}
DATATABLE IN LIST
0.0 {inlet}
10.0 {inlet}
ENDDATATABLE
DATATABLE OUT LIST
{rows}
ENDDATATABLE
SOLVEROPTIONS 0.001 10 1000 2 IN {kind} 1.0e-8 1 1
MATERIAL M OLUFSEN 1.06 0.04 0 2.0 0.0 -20 1.0e8
"""
POISEUILLE = 8.0 * pi * 0.04 * 10.0  # dyn s/cm5, of a tube of 10 cm and 1 cm2


def tube(tmp_path, bound="RESISTANCE OUT", rows="0.0 100.0", kind="FLOW", inlet="50.0"):
    (tmp_path / "tube.in").write_text(TUBE.format(bound=bound, rows=rows, kind=kind, inlet=inlet))
    return tmp_path / "tube.in"


def test_cards_in_si(svoned_deck, read, solve):
    model, _ = read(svoned_deck, svoned)
    tree, _ = solve(model, 1e-2)
    assert tree.vessels == ("trunk", "left", "right")
    np.testing.assert_allclose(tree.length, [0.08, 0.06, 0.06], rtol=1e-12)
    assert (tree.blood.density, tree.blood.viscosity, tree.velocity_profile) == (1060.0, 4e-3, 2.0)
    rcr, resistance = (tree.outlets[node] for node in ("node 2", "node 3"))
    assert (rcr.proximal, rcr.distal, rcr.venous_pressure) == pytest.approx((5e7, 2e9, 100.0), rel=1e-12)
    assert rcr.compliance == pytest.approx(2e-10, rel=1e-12, abs=0.0)
    assert resistance.resistance == pytest.approx(1.5e9, rel=1e-12)
    np.testing.assert_allclose(tree.position[tree.node("joint J1")], [0.0, 0.0, -0.08], rtol=1e-12)
    assert tree.inlet.mean == pytest.approx(12e-6, rel=1e-9, abs=0.0)


def test_a_linear_wall_has_its_area_and_stiffness_at_the_mean_pressure(svoned_deck, read, solve):
    """p = p_ref + k (1 - sqrt(A_ref / A)), k = 4/3 E h / r: svOneDSolver's law since November 2023."""
    model, warnings = read(svoned_deck, svoned)
    wall = model.arteries.network.vessels["right"]
    assert wall.wall_thickness[0] == pytest.approx(0.1 * wall.diameter[0], rel=1e-9)
    tree, _ = solve(model, 1e-2)
    right, at, k = tree.vessel("right"), wall.reference_pressure, 4.0 / 3.0 * 2e5
    for given, radius, beta in (
        (0.9e-4, tree.radius_start[right], tree.beta_start[right]),
        (0.8e-4, tree.radius_end[right], tree.beta_end[right]),
    ):
        strain = 1.0 - (at - 500.0) / k
        area, slope = given / strain**2, 0.5 * k * strain**3 / given
        per_root = beta / (pi * radius**2)
        assert per_root * (sqrt(area) - sqrt(pi) * radius) == pytest.approx(at, rel=1e-9)
        assert per_root / (2.0 * sqrt(area)) == pytest.approx(slope, rel=1e-9)
    assert "before, it took the number without the 4/3: give three quarters" in warnings


def test_a_joint_of_three_branches(svoned_deck, read, solve):
    text = svoned_deck.read_text().replace("JOINTOUTLET OUTS 2 1 2", "JOINTOUTLET OUTS 3 1 2 3")
    text = text.replace("NODE 3 0.0", "NODE 4 3.0 0.0 -14.0\nNODE 3 0.0").replace("20 1 3 0.9", "20 1 4 0.9")
    third = "SEGMENT third 3 6.0 20 1 3 0.9 0.8 0.0 MAT NONE 0.0 0 0 RESISTANCE RDATA\nDATATABLE RCRDATA"
    svoned_deck.write_text(text.replace("DATATABLE RCRDATA", third))
    tree, cycle = solve(read(svoned_deck, svoned)[0], 1e-3)
    flow = dict(zip(tree.vessels, cycle.mean_flow_rate, strict=True))
    assert flow["left"] + flow["right"] + flow["third"] == pytest.approx(12e-6, rel=1e-9, abs=0.0)
    assert flow["third"] == pytest.approx(flow["right"], rel=1e-3, abs=0.0)


def test_olufsens_wall_has_its_area_and_stiffness_at_the_mean_pressure(svoned_deck, read, solve):
    text = svoned_deck.read_text().replace(
        "LINEAR 1.06 0.04 5000.0 2.0 2.0e6", "OLUFSEN 1.06 0.04 5000 2.0 2e7 -22.5 8e5"
    )
    svoned_deck.write_text(text)
    model, warnings = read(svoned_deck, svoned)
    tree, _ = solve(model, 1e-2)
    at = model.arteries.network.vessels["left"].reference_pressure
    beds = (12.0 + 1000.0 / 20500.0) / (1.0 / 20500.0 + 1.0 / 15000.0)  # dyn/cm2, both outlets side by side
    assert at == pytest.approx(0.1 * beds, rel=5e-3)
    given, r0 = 1e-4, sqrt(1.0 / pi)
    stiff = 4.0 / 3.0 * 0.1 * (2e7 * np.exp(-22.5 * r0) + 8e5)
    strain = 1.0 - (at - 500.0) / stiff
    area, slope = given / strain**2, 0.5 * stiff * strain**3 / given
    left, radius = tree.vessel("left"), tree.radius_start[tree.vessel("left")]
    per_root = tree.beta_start[left] / (pi * radius**2)
    assert per_root * (sqrt(area) - sqrt(pi) * radius) == pytest.approx(at, rel=1e-9)
    assert per_root / (2.0 * sqrt(area)) == pytest.approx(slope, rel=1e-9)
    assert "OLUFSEN" in warnings


@pytest.mark.parametrize(
    ("bound", "rows", "end", "behind"),
    [
        ("RESISTANCE OUT", "0.0 100.0", 5000.0, 0.0),
        ("RESISTANCE OUT", "0.0 100.0\n0.0 1000.0", 6000.0, 1000.0),
        ("RCR OUT", "0.0 40.0\n0.0 0.001\n0.0 60.0\n0.0 500.0", 5500.0, 500.0),
        ("PRESSURE OUT", "0.0 7000.0", 7000.0, 7000.0),
        ("PRESSURE_WAVE OUT", "0.0 6000.0\n0.5 8000.0\n1.0 6000.0", 7000.0, 7000.0),
        ("RESISTANCE_TIME OUT", "0.0 50.0\n0.5 150.0\n1.0 50.0", 5000.0, 0.0),
        ("CORONARY OUT", "-1 30\n-1 50\n-1 1e-4\n-1 1e-4\n-1 20\n-1 500\n0 9e4\n1 9e4", 5500.0, 500.0),
    ],
)
def test_poiseuille_and_the_outlet_make_the_pressures(tmp_path, read, solve, bound, rows, end, behind):
    tree, cycle = solve(read(tube(tmp_path, bound, rows), svoned)[0])
    pressure = cycle.pressure.mean(axis=0)[0] * 10.0  # dyn/cm2
    assert pressure[2] == pytest.approx(end, rel=1e-4)
    assert pressure[0] - pressure[2] == pytest.approx(50.0 * POISEUILLE, rel=2e-3)
    assert tree.outlets["node 1"].venous_pressure == pytest.approx(0.1 * behind)


def test_a_pressure_at_the_inlet_drives_the_flow(tmp_path, read, solve):
    _, cycle = solve(read(tube(tmp_path, kind="PRESSURE_WAVE", inlet="10000.0"), svoned)[0])
    flow = cycle.inlet_flow * 1e6
    head = 0.5 * 1.06 * flow**2
    assert flow == pytest.approx((10000.0 - head) / (100.0 + POISEUILLE), rel=1e-3)


def test_a_stenosis_is_young_and_tsais_in_place_of_friction(tmp_path, read, solve):
    narrow = "SEGMENT mid 1 5.0 20 1 2 2.0 2.0 0.0 M STENOSIS 0.0 0 0 NOBOUND NONE\n"
    text = TUBE.format(bound="NOBOUND NONE", rows="0.0 100.0", kind="FLOW", inlet="50.0")
    text = text.replace("1.0 1.0 0.0 M", "4.0 4.0 0.0 M").replace(
        "NODE 1 0.0 0.0 10.0\n", "NODE 1 0 0 10\nNODE 2 0 0 15\nNODE 3 0 0 25\n"
    )
    text += narrow + "SEGMENT out 2 10.0 20 2 3 4.0 4.0 0.0 M NONE 0.0 0 0 RESISTANCE OUT\n"
    text += "JOINT A 1 I0 O0\nJOINTINLET I0 1 0\nJOINTOUTLET O0 1 1\n"
    text += "JOINT B 2 I1 O1\nJOINTINLET I1 1 1\nJOINTOUTLET O1 1 2\n"
    (tmp_path / "stenosis.in").write_text(text)
    _, cycle = solve(read(tmp_path / "stenosis.in", svoned)[0])
    pressure = cycle.pressure.mean(axis=0) * 10.0
    tubes = 2 * 8.0 * pi * 0.04 * 10.0 / 4.0**2 * 50.0
    viscous = 8.0 * pi * 0.04 * (0.83 * 5.0 + 1.64 * 2.0 * sqrt(2.0 / pi)) / 2.0**2 * 50.0
    turbulent = 0.5 * 1.52 * 1.06 * (4.0 / 2.0 - 1.0) ** 2 * (50.0 / 4.0) ** 2
    assert pressure[0, 0] == pytest.approx(5000.0 + tubes + viscous + turbulent, rel=1e-3)


@pytest.mark.parametrize("profile", [2.0, 7.0])
def test_mean_pressures_have_the_friction_of_the_profile(profile):
    """What the importer reckons a wall's pressure by is what the blood flow has: its drop along a taper."""
    draft = Draft("one", "", "", Cycle((0.0,), (1e-6,), 1.0, 1e-6), viscosity=4e-3, velocity_profile=profile)
    draft.vessels = [DraftVessel("v", "a", "b", 0.1, (4e-3, 2e-3)), DraftVessel("w", "b", "c", 0.2, (3e-3, 3e-3))]
    draft.inlet, draft.outlets = "a", {"c": DraftOutlet("resistance", distal=2e8, venous_pressure=500.0)}
    draft.vessels[1].linear_loss = 3e7
    found = mean_pressures(draft)
    taper = 2.0 * (profile + 2.0) * 4e-3 / pi * 1e-6 * quad(lambda x: (2e-3 - 1e-2 * x) ** -4, 0.0, 0.1)[0]
    tube = 2.0 * (profile + 2.0) * 4e-3 / pi * 1e-6 * 0.2 / 1.5e-3**4
    assert found["c"] == pytest.approx(700.0, rel=1e-9)
    assert found["b"] == pytest.approx(730.0 + tube, rel=1e-9)
    assert found["a"] == pytest.approx(730.0 + tube + taper, rel=1e-9)


def test_ends_at_one_node_meet_only_in_a_joint(svoned_deck, read):
    svoned_deck.write_text(svoned_deck.read_text().replace("SEGMENT right 2 6.0 20 1 3", "SEGMENT right 2 6.0 20 1 2"))
    model, warnings = read(svoned_deck, svoned)
    assert set(model.arteries.network.outlets) == {"node 2", "node 2 right"}
    assert "do not meet" in warnings


def test_a_profile_more_pointed_than_a_parabola_is_told(svoned_deck, read):
    svoned_deck.write_text(svoned_deck.read_text().replace("5000.0 2.0 2.0e6", "5000.0 1.0 2.0e6"))
    model, warnings = read(svoned_deck, svoned)
    assert model.run.numerics.velocity_profile == 2.0
    assert "MATERIAL exponent = 1" in warnings


def test_what_is_not_taken_over_is_named(svoned_deck, read):
    text = svoned_deck.read_text().replace("1.8 0.0 MAT NONE 0.0", "1.8 5.0 MAT BRANCH_SIDE_DIVIDING 30.0")
    svoned_deck.write_text(text + "COUPLING ON DIR 100\nJOINTINLET LOST 1 0\n")
    _, warnings = read(svoned_deck, svoned)
    for key in (
        "initial flow",
        "branch angle",
        "BRANCH_SIDE_DIVIDING",
        "COUPLING",
        "OUTPUT",
        "time step",
        "LOST",
        "steps between saves",
        "quadrature",
        "tolerance",
        "formulation",
        "stabilisation",
        "elements",
    ):
        assert key in warnings, key


def test_how_a_file_is_laid_out_does_not_matter(svoned_deck, read):
    plain = read(svoned_deck, svoned)[0].arteries
    text = svoned_deck.read_text()
    lines = text.replace("MODEL fork_", "model fork_ # a name").replace(
        "SEGMENT left 1 6.0 20", "Segment left, 1, 6.0,\t20"
    )
    lines = lines.replace("JOINTOUTLET OUTS 2 1 2", "JOINTOUTLET OUTS 2 \\\n 1 2")
    svoned_deck.write_bytes(b"\xef\xbb\xbf" + lines.replace("\n", "\r\n").encode())
    assert read(svoned_deck, svoned)[0].arteries == plain
    at = text.index("DATATABLE RCRDATA")
    (svoned_deck.parent / "tables.in").write_text(text[at:])
    svoned_deck.write_text(text[:at] + "INCLUDE tables.in TRUE\nINCLUDE absent.in FALSE\n")
    assert read(svoned_deck, svoned)[0].arteries == plain


RCR = "RCR RCRDATA\nSEGMENT right"
CORONARY = "CORONARY CDATA\nDATATABLE CDATA LIST\n0 10\n0 100\n0 1e-6\n0 -1e-6\n0 50\n0 100\nENDDATATABLE\n" + RCR[12:]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("SEGMENT trunk 0 8.0", "SEGMENT trunk 0 -8.0", "above 0"),
        ("SEGMENT trunk 0 8.0", "SEGMENT trunk 0 wide", "is a number"),
        ("SEGMENT trunk 0 8.0 20", "SEGMENT trunk 0 8.0", "words after its name"),
        ("2.0 1.8 0.0 MAT", "2.0 1.8 0.0 OTHER", "no such material"),
        ("RCR RCRDATA", "RCR ABSENT", "no such DATATABLE"),
        ("RCR RCRDATA", "IMPEDANCE RCRDATA", "does not have"),
        ("RCR RCRDATA", "NOBOUND NONE", "without a joint or an outlet"),
        ("JOINTOUTLET OUTS 2 1 2", "JOINTOUTLET OUTS 2 1 9", "no such segment"),
        ("JOINTOUTLET OUTS 2 1 2", "JOINTOUTLET OUTS 3 1 2", "has 2 segments"),
        ("JOINTOUTLET OUTS 2 1 2", "JOINTOUTLET OUTS 1 1", "at one node"),
        ("JOINTINLET INS 1 0", "JOINTINLET INS 2 0 1", "in a circle"),
        ("JOINT J1 1 INS OUTS", "JOINT J1 7 INS OUTS", "no such node"),
        ("JOINT J1 1 INS OUTS", "JOINT J1 1 INS NOWHERE", "no such JOINTOUTLET"),
        ("20 1 3 0.9", "20 1 8 0.9", "no such node"),
        ("SEGMENT right 2", "SEGMENT right 1", "two cards have this segment ID"),
        ("ENDDATATABLE\nSOLVEROPTIONS", "SOLVEROPTIONS", "holds numbers"),
        ("LINEAR", "RUBBER", "OLUFSEN"),
        ("2.0 2.0e6", "2.0 -2.0e6", "no stiffness"),
        ("2.0 2.0e6", "2.0 3.0e3", "bursts at its mean"),
        (RCR, CORONARY, "of a coronary bed are positive"),
        ("FLOWDATA FLOW", "FLOWDATA WAVE", "the inlet is"),
        ("OUTPUT TEXT", "INCLUDE ../tables.in TRUE", "its own folder"),
        ("OUTPUT TEXT", "INCLUDE fork.in TRUE", "includes itself"),
        ("OUTPUT TEXT", "ELEMENT 3", "no card"),
        ("NODE 2 0.0 -3.0", "NODE 2 1e308 -3.0", "no artery has such a coordinate (m): -100 to 100"),
        ("NODE 2 0.0 -3.0", "NODE 2 0.0 -1e5", "no artery has such a coordinate"),
        ("SEGMENT trunk 0 8.0", "SEGMENT trunk 1e308 8.0", "a whole number below"),
        ("MATERIAL MAT LINEAR 1.06 0.04 5000.0 2.0 2.0e6", "", "no MATERIAL"),
        ("MODEL fork_", "MODEL fork_\nMODEL fork_", "MODEL stands twice"),
        ("JOINTOUTLET OUTS 2 1 2", "JOINTOUTLET OUTS 2 1 1", "lies in two joints"),
        ("JOINT J1 1 INS OUTS\n", "", "blood enters at one node, here at 3"),
        ("0.0 2.0e-5\n0.0 20000.0\n0.0 1000.0\n", "", "the table of RCR holds Rp, C, Rd and perhaps Pd"),
        ("0.0 2.0e-5", "0.0 -2.0e-5", "resistances and compliance are positive"),
        ("0.0 15000.0", "0.0 -15000.0", "resistance"),
        ("0.9 0.8 0.0 MAT NONE 0.0 0", "0.9 0.8 0.0 MAT STENOSIS 0.0 9", "no such segment upstream"),
    ],
)
def test_a_bad_deck_is_refused_with_its_place(svoned_deck, read, old, new, rule):
    assert old in svoned_deck.read_text()
    svoned_deck.write_text(svoned_deck.read_text().replace(old, new, 1))
    with pytest.raises(InputError) as refused:
        read(svoned_deck, svoned)
    assert rule in str(refused.value)
    assert "fork.in" in refused.value.place


def test_links_that_lead_round_are_told(tmp_path):
    (tmp_path / "round.in").symlink_to("round.in")
    (tmp_path / "deck.in").write_text("INCLUDE round.in TRUE\n")
    for deck in ("deck.in", "round.in"):
        with pytest.raises(InputError) as caught:
            svoned(tmp_path / deck, Findings())
        assert "round.in" in str(caught.value)


def test_a_file_that_is_included_over_and_over_is_read_once(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(cards, "deck_text", lambda file, shown: given.append(file.name) or deck_text(file, shown))
    (tmp_path / "inner.in").write_text("MATERIAL M LINEAR 1.06 0.04 5000.0 2.0 2.0e6\n")
    (tmp_path / "deck.in").write_text("INCLUDE inner.in TRUE\n" * 30_000)
    with pytest.raises(InputError, match=r"deck.in:2: INCLUDE: 'inner.in': the file is included twice; delete one"):
        svoned(tmp_path / "deck.in", Findings())
    assert given == ["deck.in", "inner.in"]
