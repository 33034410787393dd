"""Small decks of each peer, written here, and what the tests do with them: read, check, run."""

import math
from pathlib import Path

import pytest

from haiflow.arteries.grid import make_grid
from haiflow.arteries.periodic import periodic
from haiflow.scenario.imports.scenario_file import imported
from haiflow.scenario.load import loads
from haiflow.simulation.arterial_tree import build_tree

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"

OPENBF = """project_name: fork
inlet_file: fork_inlet.dat
blood: {rho: 1060.0, mu: 4.0e-3}
solver: {Ccfl: 0.9, cycles: 10, jump: 100, convergence_tolerance: 1.0}
network:
  - {label: parent, sn: 1, tn: 2, L: 8.0e-2, E: 500.0e3, Rp: 4.0e-3, Rd: 3.5e-3, h0: 0.6e-3, gamma_profile: 2}
  - {label: left, sn: 2, tn: 3, L: 6.0e-2, E: 700.0e3, R0: 2.8e-3, h0: 0.4e-3, R1: 3.0e8, R2: 3.0e9, Cc: 1.0e-10}
  - {label: right, sn: 2, tn: 4, L: 5.0e-2, E: 700.0e3, R0: 2.5e-3, h0: 0.4e-3, Rt: 0.6}
"""

SVONED = """# a tube that forks, elastic
MODEL fork_
NODE 0 0.0 0.0 0.0
NODE 1 0.0 0.0 -8.0
NODE 2 0.0 -3.0 -14.0
NODE 3 0.0 3.0 -14.0
JOINT J1 1 INS OUTS
JOINTINLET INS 1 0
JOINTOUTLET OUTS 2 1 2
SEGMENT trunk 0 8.0 20 0 1 2.0 1.8 0.0 MAT NONE 0.0 0 0 NOBOUND NONE
SEGMENT left 1 6.0 20 1 2 1.0 1.0 0.0 MAT NONE 0.0 0 0 RCR RCRDATA
SEGMENT right 2 6.0 20 1 3 0.9 0.8 0.0 MAT NONE 0.0 0 0 RESISTANCE RDATA
DATATABLE RCRDATA LIST
0.0 500.0
0.0 2.0e-5
0.0 20000.0
0.0 1000.0
ENDDATATABLE
DATATABLE RDATA LIST
0.0 15000.0
ENDDATATABLE
DATATABLE FLOWDATA LIST
{flow}
ENDDATATABLE
SOLVEROPTIONS 0.001 10 1000 2 FLOWDATA FLOW 1.0e-8 1 1
MATERIAL MAT LINEAR 1.06 0.04 5000.0 2.0 2.0e6
OUTPUT TEXT
"""


def pulse(mean, points=40, period=1.0):
    """Times and values of a pulsating flow."""
    at = [period * i / points for i in range(points + 1)]
    return at, [mean * (1.0 + 0.6 * math.sin(2.0 * math.pi * t / period)) for t in at]


def table(mean, **more):
    return "\n".join(f"{t:.6g} {q:.10g}" for t, q in zip(*pulse(mean, **more), strict=True))


@pytest.fixture
def openbf_deck(tmp_path):
    (tmp_path / "fork_inlet.dat").write_text(table(1.2e-5))
    (tmp_path / "fork.yml").write_text(OPENBF)
    return tmp_path / "fork.yml"


@pytest.fixture
def svoned_deck(tmp_path):
    (tmp_path / "fork.in").write_text(SVONED.format(flow=table(12.0)))
    return tmp_path / "fork.in"


@pytest.fixture(scope="session")
def read():
    """``read(deck, reader)``: the model that haiflow makes of the imported scenario, and the warnings as one text."""

    def model_of(deck, reader):
        done = imported(Path(deck), reader, "peer")
        return loads(done.text).model, "\n".join(done.warnings)

    return model_of


@pytest.fixture(scope="session")
def solve():
    """``solve(model)``: tree and periodic cycle, close to the limit."""

    def cycle_of(model, tolerance=1e-5):
        numerics = model.run.numerics
        tree = build_tree(model.arteries, numerics)
        grid = make_grid(tree, numerics.cell_length, numerics.min_cells)
        return tree, periodic(tree, tolerance=tolerance, grid=grid)

    return cycle_of


@pytest.fixture(scope="session")
def reference():
    """The peers' own decks and results; the test is skipped where they are not on this machine."""
    if not REFERENCE.is_dir():
        pytest.skip("the peers' reference decks are not on this machine")
    return REFERENCE
