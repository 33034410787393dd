"""openBF: every key of a small deck ends up in the tree, or in a warning."""

from math import exp, pi, sqrt

import numpy as np
import pytest

from haiflow.errors import InputError
from haiflow.scenario.imports.openbf import read as openbf


def test_walls_lengths_and_outlets_are_the_decks(openbf_deck, read, solve):
    model, _ = read(openbf_deck, openbf)
    tree, cycle = solve(model, 1e-4)
    assert tree.vessels == ("parent", "left", "right")
    np.testing.assert_allclose(tree.length, [0.08, 0.06, 0.05], rtol=1e-12)
    np.testing.assert_allclose(tree.radius_start, [4e-3, 2.8e-3, 2.5e-3], rtol=1e-12)
    np.testing.assert_allclose(tree.radius_end, [3.5e-3, 2.8e-3, 2.5e-3], rtol=1e-12)
    wall = 4.0 / 3.0 * sqrt(pi) * np.array([500e3 * 0.6e-3, 700e3 * 0.4e-3, 700e3 * 0.4e-3])
    np.testing.assert_allclose(tree.beta_start, wall, rtol=1e-12)
    np.testing.assert_allclose(tree.beta_end, wall, rtol=1e-12)
    left, right = tree.outlets["n3"], tree.outlets["n4"]
    assert (left.proximal, left.distal, left.compliance, left.venous_pressure) == (3e8, 3e9, 1e-10, 0.0)
    assert (right.reflection, right.venous_pressure) == (0.6, 0.0)
    assert (tree.velocity_profile, tree.blood.density, tree.blood.viscosity) == (2.0, 1060.0, 4e-3)
    assert tree.inlet.mean == pytest.approx(1.2e-5, rel=1e-11, abs=0.0)
    mean = cycle.node_pressure[:, tree.node("n3")].mean()
    assert mean == pytest.approx(cycle.outlet_flow["n3"] * 3.3e9, rel=1e-3)


def test_the_inflow_follows_the_straight_lines_of_the_file(openbf_deck, read, solve):
    (openbf_deck.parent / "fork_inlet.dat").write_text("0 1e-5\n0.2 3e-5\n0.4 1e-5\n0.8 1e-5\n")
    tree, _ = solve(read(openbf_deck, openbf)[0], 1e-2)
    inlet = tree.inlet
    at = np.arange(len(inlet.values)) / len(inlet.values) * inlet.period
    lines = np.interp(at, [0.0, 0.2, 0.4, 0.8], [1e-5, 3e-5, 1e-5, 1e-5])
    assert inlet.period == pytest.approx(0.8)
    assert np.abs(inlet.values - lines).max() <= 2e-7
    assert inlet.mean == pytest.approx(1.5e-5, rel=1e-9, abs=0.0)


def test_every_key_that_is_not_taken_over_is_named(openbf_deck, read):
    text = openbf_deck.read_text().replace("M:", "").replace("h0: 0.6e-3", "h0: 0.6e-3, M: 100, to_save: true, odd: 7")
    text = text.replace("Rt: 0.6", "Rt: 0.6, initial_flow: 1e-6, gamma_profile: 9, Rc: 1e-3")
    openbf_deck.write_text(text + "write_results: [P]\noutput_directory: there\nHeart: {HR: 70}\n")
    _, warnings = read(openbf_deck, openbf)
    for key in (
        "Ccfl",
        "cycles",
        "jump",
        "convergence_tolerance",
        "M = 100",
        "to_save",
        "odd = 7",
        "write_results",
        "initial_flow",
        "gamma_profile = 9",
        "Rc",
        "output_directory",
        "Heart",
    ):
        assert key in warnings, key


def test_version_one_spellings(openbf_deck, read):
    old = (
        openbf_deck.read_text()
        .replace("project_name", "project name")
        .replace("inlet_file: fork_inlet.dat\n", "")
        .replace("gamma_profile", "gamma profile")
        .replace("Rp: 4.0e-3, Rd: 3.5e-3", "R0p: 4.0e-3, R0d: 3.5e-3")
        .replace("label: parent", "label: parent, inlet: Q, inlet number: 1, inlet file: fork_inlet.dat")
        .replace("R1: 3.0e8, R2: 3.0e9", "outlet: wk3, R1: 3.0e8, R2: 3.0e9")
        .replace("Rt: 0.6", "outlet: reflection, Rt: 0.6")
        .replace("convergence_tolerance", "convergence tolerance")
    )
    new = read(openbf_deck, openbf)[0]
    openbf_deck.write_text(old)
    assert read(openbf_deck, openbf)[0].arteries.network.vessels == new.arteries.network.vessels
    assert read(openbf_deck, openbf)[0].arteries.network.outlets == new.arteries.network.outlets


def test_the_profile_that_version_one_leaves_out_is_blunt(openbf_deck, read):
    openbf_deck.write_text(openbf_deck.read_text().replace(", gamma_profile: 2", ""))
    model, warnings = read(openbf_deck, openbf)
    assert model.run.numerics.velocity_profile == 2.0
    assert "taken as 2" in warnings
    text = openbf_deck.read_text().replace("label: parent", "label: parent, inlet: Q, inlet file: fork_inlet.dat")
    openbf_deck.write_text(text.replace("inlet_file: fork_inlet.dat\n", ""))
    assert read(openbf_deck, openbf)[0].run.numerics.velocity_profile == 9.0


def test_external_pressure_is_the_pressure_of_the_given_radius(openbf_deck, read, solve):
    openbf_deck.write_text(openbf_deck.read_text().replace("label: left", "label: left, Pext: 9000.0, Pout: 2000.0"))
    tree, _ = solve(read(openbf_deck, openbf)[0], 1e-2)
    area, radius = np.linspace(0.8, 1.4, 7) * pi * 2.8e-3**2, tree.radius_start[1]
    ours = tree.beta_start[1] / (pi * radius**2) * (np.sqrt(area) - np.sqrt(pi) * radius)
    theirs = 9000.0 + 4.0 / 3.0 * 700e3 * 0.4e-3 / 2.8e-3 * (np.sqrt(area / (pi * 2.8e-3**2)) - 1.0)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    assert tree.outlets["n3"].venous_pressure == 2000.0


def test_a_wall_without_thickness_has_that_of_its_radius(openbf_deck, read):
    openbf_deck.write_text(openbf_deck.read_text().replace(", h0: 0.6e-3", ""))
    model, warnings = read(openbf_deck, openbf)
    start, end = model.arteries.network.vessels["parent"].wall_thickness
    for radius, thickness in ((4e-3, start), (3.5e-3, end)):
        formula = radius * (0.2802 * exp(-505.3 * radius) + 0.1324 * exp(-11.14 * radius))
        assert thickness == pytest.approx(formula, rel=1e-12)
    assert "h0" in warnings


def test_waves_faster_or_slower_than_any_arterys_are_told(openbf_deck, read):
    """sqrt(2/3 E h / (rho R)) of the left vessel: 7.9 m/s as it is."""
    assert "wave speed" not in read(openbf_deck, openbf)[1]
    text = openbf_deck.read_text()
    for modulus, speed in (("700.0e5", 79.3), ("300.0e2", 1.64)):
        openbf_deck.write_text(text.replace("700.0e3, R0: 2.8e-3", f"{modulus}, R0: 2.8e-3"))
        warnings = read(openbf_deck, openbf)[1]
        assert f"wave speed = {speed:.3g} m/s (left): no artery's: waves run at 2 to 25 m/s" in warnings


def test_a_viscous_wall(openbf_deck, read, solve):
    openbf_deck.write_text(openbf_deck.read_text().replace("label: left", "label: left, phi: 3000.0"))
    tree, _ = solve(read(openbf_deck, openbf)[0], 1e-2)
    np.testing.assert_allclose(tree.wall_viscosity, [0.0, 2.0 / 3.0 * sqrt(pi) * 3000.0 * 0.4e-3, 0.0], rtol=1e-12)


def test_a_visco_elastic_wall_has_openbfs_own_coefficient(openbf_deck, read, solve):
    """Kelvin-Voigt's coefficient ``b0 + b1 / (2 R)`` with R at the middle of the vessel, whatever the thickness."""
    text = openbf_deck.read_text().replace("label: parent", "label: parent, visco-elastic: true")
    openbf_deck.write_text(text.replace("label: left", "label: left, visco-elastic: true, phi: 500.0"))
    model, warnings = read(openbf_deck, openbf)
    assert "phi = 500 (left): not taken over" in warnings
    tree, _ = solve(model, 1e-2)
    wanted = [0.6 + 1.5e-3 / (2.0 * 3.75e-3), 0.6 + 1.5e-3 / (2.0 * 2.8e-3), 0.0]
    np.testing.assert_allclose(tree.wall_viscosity, wanted, rtol=1e-9)


def test_a_matched_impedance_is_that_of_the_outlets_end(openbf_deck, read):
    text = openbf_deck.read_text().replace("R0: 2.8e-3", "Rp: 3.2e-3, Rd: 2.4e-3")
    openbf_deck.write_text(text.replace("label: left", "label: left, inlet_impedance_matching: true"))
    outlet = read(openbf_deck, openbf)[0].arteries.network.outlets["n3"]
    area, speed = pi * 2.4e-3**2, sqrt(2.0 / 3.0 * 700e3 * 0.4e-3 / 2.4e-3 / 1060.0)
    assert outlet.proximal == pytest.approx(1060.0 * speed / area, rel=1e-12)
    assert outlet.proximal + outlet.distal == pytest.approx(3.3e9, rel=1e-12)


def test_two_elements_have_the_vessels_impedance_in_front(openbf_deck, read):
    openbf_deck.write_text(openbf_deck.read_text().replace("R1: 3.0e8, R2: 3.0e9", "R1: 3.0e9"))
    model, warnings = read(openbf_deck, openbf)
    outlet = model.arteries.network.outlets["n3"]
    area, speed = pi * 2.8e-3**2, sqrt(2.0 / 3.0 * 700e3 * 0.4e-3 / 2.8e-3 / 1060.0)
    assert outlet.proximal == pytest.approx(1060.0 * speed / area, rel=1e-12)
    assert outlet.proximal + outlet.distal == pytest.approx(3e9, rel=1e-12)
    assert "R1 = 3e+09" in warnings


def test_a_second_inlet_lets_its_mean_in(openbf_deck, read, solve):
    text = openbf_deck.read_text().replace("inlet_file: fork_inlet.dat\n", "")
    text = text.replace("label: parent", "label: parent, inlet: Q, inlet number: 1, inlet file: fork_inlet.dat")
    extra = "  - {label: other, sn: 7, tn: 2, L: 5.0e-2, E: 7.0e5, R0: 2.5e-3, h0: 4.0e-4, inlet: Q, inlet number: 2, "
    openbf_deck.write_text(text + extra + "inlet file: second.dat}\n")
    (openbf_deck.parent / "second.dat").write_text("0 4e-6\n1 4e-6\n")
    model, warnings = read(openbf_deck, openbf)
    _, cycle = solve(model, 1e-4)
    assert cycle.outlet_flow["n7"] == pytest.approx(-4e-6, rel=1e-4)
    assert cycle.outlet_flow["n3"] + cycle.outlet_flow["n4"] == pytest.approx(1.6e-5, rel=1e-4)
    assert "second inlet" in warnings


def test_a_pressure_at_the_inlet(openbf_deck, read, solve):
    text = openbf_deck.read_text().replace("inlet_file: fork_inlet.dat\n", "").replace("Rt: 0.6", "R1: 4e9, Cc: 1e-10")
    openbf_deck.write_text(text.replace("label: parent", "label: parent, inlet: P, inlet file: fork_inlet.dat"))
    (openbf_deck.parent / "fork_inlet.dat").write_text("0 12000\n0.3 15000\n0.6 12500\n1 12000\n")
    tree, cycle = solve(read(openbf_deck, openbf)[0], 1e-4)
    assert tree.inlet.kind == "pressure"
    assert tree.inlet.mean == pytest.approx(13075.0, rel=1e-9)
    assert cycle.inlet_pressure.mean() == pytest.approx(13075.0, rel=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("L: 8.0e-2", "L: -8.0e-2", "above 0"),
        ("L: 8.0e-2", "L: long", "finite number"),
        ("L: 8.0e-2, ", "", "'L' is missing"),
        ("E: 500.0e3", "E: [1, 2]", "finite number"),
        ("sn: 1, tn: 2", "sn: 1, tn: 1", "ends where it starts"),
        ("sn: 1, tn: 2", "sn: 1.5, tn: 2", "whole number"),
        ("label: left", "label: left, M: 0", "above 0"),
        ("sn: 2, tn: 3", "sn: 2, tn: 1", "in a circle"),
        ("sn: 2, tn: 4", "sn: 8, tn: 9", "no inlet is given"),
        ("label: left", "label: parent", "two vessels"),
        ("fork_inlet.dat", "../fork_inlet.dat", "its own folder"),
        ("fork_inlet.dat", "/etc/hostname", "its own folder"),
        ("fork_inlet.dat", "absent.dat", "does not exist"),
        ("Rt: 0.6", "Rt: 1.6", "[-1, 1]"),
        ("R1: 3.0e8, R2: 3.0e9", "R2: 3.0e9", "without its first resistance R1"),
        ("R1: 3.0e8, R2: 3.0e9, Cc", "Cc", "without its first resistance R1"),
        ("rho: 1060.0", "rho: .inf", "finite number"),
        ("R0: 2.8e-3", "R0: 2.8e-3, Pext: 2.0e5", "cannot carry"),
        ("network:", "vessels:", "'network' is missing"),
        ("blood: {rho", "blood: {rho: [", "not valid YAML"),
        ("project_name: fork\n", "project_name: fork\nproject name: fork\n", "the same as"),
        ("network:\n", "network: []\nvessels:\n", "the network has no vessel"),
        ("Rp: 4.0e-3, Rd", "Rd", "Rp is missing"),
        ("Rt: 0.6", "Rt: 0.6, outlet: wk9", "an outlet is wk2, wk3 or reflection"),
        ("sn: 1, tn: 2", "sn: 1, tn: 2, inlet: V, inlet number: 1", "an inlet is Q or P"),
    ],
)
def test_a_bad_deck_is_refused_with_its_place(openbf_deck, read, old, new, rule):
    assert old in openbf_deck.read_text()
    openbf_deck.write_text(openbf_deck.read_text().replace(old, new, 1))
    with pytest.raises(InputError) as refused:
        read(openbf_deck, openbf)
    assert rule in str(refused.value)
    assert "fork" in refused.value.place


@pytest.mark.parametrize(
    "text",
    [
        "0 1\n0.5\n1 1\n",
        "0 1\n0.5 x\n1 1\n",
        "0 1\n0.5 2\n0.5 1\n1 1",
        "0 -1\n0.5 -2\n1 -1",
        "",
        "0 1\n0.5 2\n",
        "0 1\n50 2\n99 1\n",
    ],
)
def test_a_bad_inlet_file_is_refused(openbf_deck, read, text):
    (openbf_deck.parent / "fork_inlet.dat").write_text(text)
    with pytest.raises(InputError, match="fork_inlet"):
        read(openbf_deck, openbf)


def test_an_inflow_in_other_units_shows_in_the_pressure_that_it_needs(openbf_deck, read):
    inlet = openbf_deck.parent / "fork_inlet.dat"
    rows = [line.split() for line in inlet.read_text().splitlines()]
    inlet.write_text("".join(f"{at} {500.0 * float(flow):.12g}\n" for at, flow in rows))
    openbf_deck.write_text(openbf_deck.read_text().replace("Rt: 0.6", "R1: 3.0e8, R2: 3.0e9, Cc: 1.0e-10"))
    with pytest.raises(InputError, match="no artery bears the mean pressure"):
        read(openbf_deck, openbf)
