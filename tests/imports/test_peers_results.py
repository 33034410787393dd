"""The peers' own decks, imported and solved, against the results that the peers store beside them.

svZeroDSolver's are exact (lumped networks); so are svOneDSolver's of steady tubes. Its pulsating bifurcation stopped in
the second cycle, before the periodic state, and its wall follows Olufsen's law: it is compared to 2 % that far, and
to 5 % with the periodic state. openBF's curves: tests/regression/test_openbf_curves.py.
"""

import csv
import json

import numpy as np
import pytest

from haiflow.arteries.grid import make_grid
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.state import at_rest
from haiflow.scenario.imports.svoned import read as svoned
from haiflow.scenario.imports.svzerod import read as svzerod
from haiflow.simulation.arterial_tree import build_tree


@pytest.mark.parametrize("name", ["steadyFlow_bifurcationR_R1", "steadyFlow_stenosis_R", "pulsatileFlow_R_RCR"])
def test_svzerod(reference, read, solve, name):
    tree, cycle = solve(read(reference / "svzerod" / f"{name}.json", svzerod)[0], 1e-6)
    stored = json.loads((reference / "svzerod" / f"result_{name}.json").read_text())
    columns = {key: np.array(list(values.values())) for key, values in stored.items()}
    for index, vessel in enumerate(tree.vessels):
        rows = columns["name"] == vessel
        last = np.flatnonzero(rows)[columns["time"][rows] > columns["time"].max() - cycle.period - 1e-9]
        for field, ours, station in (
            ("pressure_in", 10.0 * cycle.pressure, 0),
            ("pressure_out", 10.0 * cycle.pressure, 2),
            ("flow_in", 1e6 * cycle.flow_rate, 0),
            ("flow_out", 1e6 * cycle.flow_rate, 2),
        ):
            theirs, at = columns[field][last], np.mod(columns["time"][last], cycle.period)
            curve = np.interp(at, cycle.time, ours[:, index, station], period=cycle.period)
            assert np.abs(curve - theirs).max() <= 2e-3 * np.abs(theirs).max(), field


def expected(reference, case):
    with (reference / "svoned" / "expected.csv").open() as stream:
        return [row for row in csv.DictReader(stream) if row["case"] == case]


@pytest.mark.parametrize("name", ["tube_r", "tube_rcr", "tube_stenosis_r"])
def test_svoned_steady(reference, read, solve, name):
    _, cycle = solve(read(reference / "svoned" / f"{name}.in", svoned)[0], 1e-6)
    fields = {"pressure": 10.0 * cycle.pressure, "flow": 1e6 * cycle.flow_rate, "area": 1e4 * cycle.area}
    for row in expected(reference, name):
        station = 0 if row["node"] == "0" else 2
        ours = fields[row["field"]].mean(axis=0)[int(row["segment"]), station]
        assert ours == pytest.approx(float(row["expected"]), rel=1e-4), row


def test_svoned_second_cycle_from_rest(reference, read):
    """As far as the stored result went: two cycles from rest, everything at the wall's reference pressure."""
    model = read(reference / "svoned" / "bifurcation_RCR.in", svoned)[0]
    tree = build_tree(model.arteries, model.run.numerics)
    grid = make_grid(tree, 4e-3, 4)
    flow = PulsatileFlow(tree, grid, at_rest(grid, 1e4))
    flow.sample_cycle(100)
    pressure = 10.0 * flow.sample_cycle(100).stations[..., 0]
    reduced = {"mean": np.mean, "max": np.max, "min": np.min}
    for row in expected(reference, "bifurcation_RCR"):
        if row["field"] == "pressure":
            ours = reduced[row["reduction"]](pressure[:, int(row["segment"]), 0 if row["node"] == "0" else 2])
            within = 0.015 if row["reduction"] == "mean" else 0.02
            assert ours == pytest.approx(float(row["expected"]), rel=within), row


def test_svoned_pulsating_bifurcation(reference, read, solve):
    tree, cycle = solve(read(reference / "svoned" / "bifurcation_RCR.in", svoned)[0])
    pressure = 10.0 * cycle.pressure
    for node, outlet in tree.outlets.items():
        exact = cycle.outlet_flow[node] * outlet.resistance
        assert cycle.node_pressure[:, tree.node(node)].mean() == pytest.approx(exact, rel=2e-3)
    wanted = {
        (row["segment"], row["node"], row["reduction"]): float(row["expected"])
        for row in expected(reference, "bifurcation_RCR")
        if row["field"] == "pressure"
    }
    for segment, node, station in (("0", "0", 0), ("1", "-1", 2), ("2", "-1", 2)):
        swing = wanted[segment, node, "max"] - wanted[segment, node, "min"]
        assert np.ptp(pressure[:, int(segment), station]) == pytest.approx(swing, rel=0.05)
        assert pressure[:, int(segment), station].mean() == pytest.approx(wanted[segment, node, "mean"], rel=0.05)
