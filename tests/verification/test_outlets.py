"""Outlets of a scenario become the Windkessels and resistances that their keys say, and draw what they are to draw."""

import json

import numpy as np
import pytest

from haiflow.arteries.grid import make_grid
from haiflow.arteries.periodic import periodic
from haiflow.arteries.steady import steady
from haiflow.scenario.load import loads
from haiflow.simulation.arterial_tree import build_tree

MMHG = 133.322387415
PRESSURE, VENOUS = 95.0 * MMHG, 5.0 * MMHG
INFLOW = 400e-6 / 60.0
DENSITY = 1060.0


@pytest.fixture
def tree_with(chain):
    """The chain's tree with some of the right outlet's keys."""

    def build(**outlet):
        scenario = chain()
        scenario["arteries"]["network"]["outlets"]["right"] = {"feeds": {"V": 1.0}, **outlet}
        model = loads(json.dumps(scenario)).model
        return build_tree(model.arteries, model.run.numerics)

    return build


def impedance_of_right():
    """rho c / A (Pa s/m3) at pressure zero of a vessel that has 3.2 mm and 8 m/s at 95 mmHg.

    From p = beta / A0 (sqrt A - sqrt A0) and c^2 = beta sqrt A / (2 rho A0): sqrt(A0 / A) = 1 - p / (2 rho c^2), and
    the wave speed at pressure zero is c (A0 / A)^(1/4).
    """
    shrunk = 1.0 - PRESSURE / (2.0 * DENSITY * 8.0**2)  # sqrt(A0 / A)
    return DENSITY * 8.0 * np.sqrt(shrunk) / (np.pi * 1.6e-3**2 * shrunk**2)


def drawn(tree, node):
    """Resistance (Pa s/m3) that draws its share, by the pressure at the terminal."""
    flow = steady(tree, elastic=True)
    rate = float(flow.flow_rate[tree.vessel(node)])
    return (float(flow.pressure[tree.node(node)]) - VENOUS) / rate, rate


def test_a_resistance_with_a_share_has_no_compliance(tree_with):
    tree = tree_with(kind="resistance", share="50 %")
    outlet = tree.outlets["right"]
    assert outlet.compliance == 0.0
    assert outlet.reflection is None
    resistance, rate = drawn(tree, "right")
    assert rate == pytest.approx(0.5 * INFLOW, rel=1e-6, abs=0.0)
    assert outlet.resistance == pytest.approx(resistance, rel=1e-6, abs=0.0)
    # All but the arteries' small drops from 95 mmHg down to the veins' 5.
    assert outlet.resistance == pytest.approx((PRESSURE - VENOUS) / (0.5 * INFLOW), rel=0.05, abs=0.0)


def test_a_resistance_follows_the_pulse_at_once(tree_with, chain):
    """Under a pulse its flow is (p - p_venous) / R at every instant; a Windkessel's is not."""
    lag = {}
    for kind in ("resistance", "windkessel"):
        scenario = chain(arteries__inflow={"waveform": "hepatic-artery"})
        scenario["arteries"]["network"]["outlets"]["right"] = {"feeds": {"V": 1.0}, "kind": kind, "share": "50 %"}
        model = loads(json.dumps(scenario)).model
        tree = build_tree(model.arteries, model.run.numerics)
        cycle = periodic(tree, grid=make_grid(tree, 8e-3, 4), tolerance=1e-2)
        pressure = cycle.node_pressure[:, tree.node("right")]
        rate = cycle.flow_rate[:, tree.vessel("right"), 2]
        lag[kind] = np.abs(rate - (pressure - VENOUS) / tree.outlets["right"].resistance).max() / rate.mean()
    assert lag["resistance"] < 0.02
    assert lag["windkessel"] > 0.1


@pytest.mark.parametrize("target", [{"share": "50 %"}, {"flow": "200 mL/min"}])
def test_a_windkessel_with_a_share_keeps_its_compliance(tree_with, target):
    tree = tree_with(compliance="3.3e-10 m3/Pa", **target)
    outlet = tree.outlets["right"]
    assert outlet.compliance == pytest.approx(3.3e-10, rel=1e-12, abs=0.0)
    assert outlet.proximal == pytest.approx(impedance_of_right(), rel=1e-9, abs=0.0)
    resistance, rate = drawn(tree, "right")
    assert rate == pytest.approx(0.5 * INFLOW, rel=1e-6, abs=0.0)
    assert outlet.resistance == pytest.approx(resistance, rel=1e-6, abs=0.0)


def test_a_windkessel_with_a_share_alone_has_the_usual_time_constant(tree_with):
    outlet = tree_with(share="50 %").outlets["right"]
    assert outlet.proximal == pytest.approx(impedance_of_right(), rel=1e-9, abs=0.0)
    assert outlet.distal * outlet.compliance == pytest.approx(0.227, rel=1e-12, abs=0.0)  # s: Blanco 2015


def test_a_distal_resistance_alone_has_a_matched_proximal_one(tree_with):
    outlet = tree_with(distal="3e9 Pa s/m3", compliance="2e-10 m3/Pa").outlets["right"]
    assert outlet.proximal == pytest.approx(impedance_of_right(), rel=1e-9, abs=0.0)
    assert outlet.distal == pytest.approx(3e9, rel=1e-12, abs=0.0)
    assert outlet.compliance == pytest.approx(2e-10, rel=1e-12, abs=0.0)


def test_all_three_given_are_taken_as_they_are(tree_with):
    outlet = tree_with(proximal="1e8 Pa s/m3", distal="3e9 Pa s/m3", compliance="2e-10 m3/Pa").outlets["right"]
    found = (outlet.proximal, outlet.distal, outlet.compliance)
    assert found == pytest.approx((1e8, 3e9, 2e-10), rel=1e-12, abs=0.0)
