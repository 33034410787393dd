"""Arteries of Boileau et al. (2015, Int J Numer Methods Biomed Eng 31:e02732) against openBF's stored last cycle.

openBF starts from rest with empty capacitors and stops before its limit, in the slow bifurcation 1.3 % of the mean
pressure short of it. Marched through as many cycles from the same start, haiflow's curves are its own to 0.4 % of their
range, pressure and flow rate, means included; what is left is mostly a shift by 0.6 to 1 ms in time.
"""

from pathlib import Path

import numpy as np
import pytest

from haiflow.arteries.grid import make_grid
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.state import at_rest
from haiflow.verify.boileau import common_carotid, iliac_bifurcation

CURVES = Path(__file__).parents[3] / "shared" / "reference" / "openbf"
CASES = {
    "cca": (common_carotid, 4, ["common_carotid_artery"]), "ibif": (iliac_bifurcation, 9, ["parent", "d1", "d2"]),
}  # fmt: skip


@pytest.mark.skipif(not CURVES.is_dir(), reason="the reference curves of openBF are not on this machine")
@pytest.mark.parametrize("name", CASES)
def test_mid_vessel_curves(name):
    make, cycles, labels = CASES[name]
    tree = make()
    grid = make_grid(tree, 2e-3)
    flow = PulsatileFlow(tree, grid, at_rest(grid))
    for _ in range(cycles):
        samples = flow.sample_cycle(200).stations
    stored = np.genfromtxt(CURVES / f"{name}_mid.csv", delimiter=",", names=True)
    phase, time = np.mod(stored["t_s"], tree.inlet.period), tree.inlet.period * np.arange(200) / 200
    for vessel, label in enumerate(labels):
        for quantity, column in enumerate((f"{label}_P_Pa", f"{label}_Q_m3s")):
            curve = np.interp(phase, time, samples[:, vessel, 1, quantity], period=tree.inlet.period)
            assert np.sqrt(np.mean((curve - stored[column]) ** 2)) <= 0.005 * np.ptp(stored[column])
            assert curve.mean() == pytest.approx(stored[column].mean(), rel=0.002, abs=0.0)
