"""Benchmarks of Boileau et al. (2015, Int J Numer Methods Biomed Eng 31:e02732), imported from openBF's own decks,
against openBF's stored last cycle.

openBF starts from rest with empty capacitors and stops before its limit, in the slow bifurcation 1.3 % of the mean
pressure short of it. Marched through as many cycles from the same start, haiflow's curves are its own to 0.4 % of their
range, pressure and flow rate, means included; what is left is mostly a shift by 0.6 to 1 ms in time.
"""

from pathlib import Path

import numpy as np
import pytest

from haiflow.arteries.grid import make_grid
from haiflow.arteries.periodic import periodic
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.state import at_rest
from haiflow.scenario.imports.openbf import read
from haiflow.scenario.imports.scenario_file import imported
from haiflow.scenario.load import loads
from haiflow.simulation.arterial_tree import build_tree

DECKS = Path(__file__).parents[3] / "shared" / "reference" / "openbf"
pytestmark = pytest.mark.skipif(not DECKS.is_dir(), reason="the reference decks of openBF are not on this machine")
CYCLES = {"cca": 4, "ibif": 9}  # that openBF marched


def deck(name):
    """The deck as haiflow reads it: its tree and numerics."""
    model = loads(imported(DECKS / f"{name}.yaml", read, "openBF").text).model
    return build_tree(model.arteries, model.run.numerics), model.run.numerics


@pytest.mark.parametrize("name", CYCLES)
def test_mid_vessel_curves(name):
    tree, _ = deck(name)
    grid = make_grid(tree, 2e-3)
    flow = PulsatileFlow(tree, grid, at_rest(grid))
    for _ in range(CYCLES[name]):
        samples = flow.sample_cycle(200).stations
    stored = np.genfromtxt(DECKS / f"{name}_mid.csv", delimiter=",", names=True)
    phase, time = np.mod(stored["t_s"], tree.inlet.period), tree.inlet.period * np.arange(200) / 200
    labels = [label.removesuffix("_P_Pa") for label in stored.dtype.names if label.endswith("_P_Pa")]
    assert list(tree.vessels) == labels
    for vessel, label in enumerate(labels):
        for quantity, column in enumerate((f"{label}_P_Pa", f"{label}_Q_m3s")):
            curve = np.interp(phase, time, samples[:, vessel, 1, quantity], period=tree.inlet.period)
            assert np.sqrt(np.mean((curve - stored[column]) ** 2)) <= 0.005 * np.ptp(stored[column])
            assert curve.mean() == pytest.approx(stored[column].mean(), rel=0.002, abs=0.0)


@pytest.mark.parametrize("name", ["cca", "ibif", "uta"])
def test_mean_pressure_is_flow_times_resistance(name):
    tree, numerics = deck(name)
    cycle = periodic(tree, tolerance=1e-4, grid=make_grid(tree, numerics.cell_length, numerics.min_cells))
    for node, outlet in tree.outlets.items():
        exact = cycle.outlet_flow[node] * outlet.resistance
        assert cycle.node_pressure[:, tree.node(node)].mean() == pytest.approx(exact, rel=1e-3)
