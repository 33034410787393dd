"""The mesh is fine where the thread of drug runs: which places count, how fine, how many cells, and what it gains."""

import numpy as np
import pytest

from haiflow.errors import SolverStopped
from haiflow.junction import thread as room
from haiflow.junction.case import Case
from haiflow.junction.cell_count import MORE, expected, with_thread
from haiflow.junction.geometry import Branch, Shape
from haiflow.junction.outline import build
from haiflow.junction.streaming import Work
from haiflow.junction.thread import look_ahead, undecided
from haiflow.verify.shapes import duct
from haiflow.verify.tip_in_y import BRANCHES, FRONT, MM, tip

FLOW = 4e-6


def case_of(end, cells=6.0):
    shape = Shape(4.2 * MM, 16.0 * MM, 4.2 * MM, BRANCHES, end, cells=cells)
    shares = {branch.name: np.array([0.5]) for branch in BRANCHES}
    return Case(np.array([FLOW]), shares, {FRONT[0].name: 1e-11}, shape=shape, tracers=400).passive()


def test_a_place_is_undecided_before_the_branches_and_in_two_of_them():
    shape = Shape(4.0, 20.0, 4.0, (Branch("one", 2.0, np.pi / 4), Branch("other", 2.0, -np.pi / 4)), cells=10.0)
    crotch = np.sqrt(2.0)  # where the branches' inner walls meet, on the axis
    axis = np.array([[0.0, 0.0, z] for z in (-5.0, 0.5, 0.9 * crotch, crotch + 1.0)])
    assert undecided(axis, shape).tolist() == [True, True, True, False]
    inside = 5.0 * shape.branches[0].direction
    assert undecided(np.array([inside, [5.0, 0.0, -1.0]]), shape).tolist() == [False, True]
    assert not undecided(axis[2:], Shape(4.0, 20.0, 4.0, shape.branches[:1])).any()


def test_cells_on_the_thread_are_as_fine_as_the_ones_allowed_to_it_make_them():
    region, size = duct(("a", "b"), fine=6), 5e-4
    places = np.array([region.points.mean(axis=0)])
    fine = room._edge(region, places, size, reach=1e-4)
    assert fine == room.FINEST * size  # one place: all that it may have is more than it needs
    everywhere = room._edge(region, region.points, size, reach=5e-3)
    # All of the region is thread: its cells are as many times more as they are finer.
    assert (size / everywhere) ** 3 == pytest.approx(1.0 + MORE, rel=1e-6)
    assert room._edge(region, np.empty((0, 3)), size, reach=1e-4) == size


def test_a_mesh_is_fine_along_the_thread_and_has_as_many_cells_as_are_told():
    pytest.importorskip("gmsh", exc_type=(ImportError, OSError))
    case = case_of(tip(0.2))
    thread = look_ahead(case)
    plain, fine = build(case.shape), build(case.shape, thread)
    assert len(plain.tetra) == pytest.approx(expected(case.shape), rel=0.15)
    assert len(fine.tetra) == pytest.approx(with_thread(case.shape), rel=0.15)
    # From the tip on it runs in the tip's shadow.
    on_way = thread.places[(thread.places[:, 2] > -7 * MM) & (thread.places[:, 2] < -3 * MM)]
    assert len(on_way) > 8
    assert np.hypot(*on_way.mean(axis=0)[:2]) < 0.25 * MM
    assert np.median(np.hypot(*on_way[:, :2].T)) < 0.6 * MM
    edge = {name: np.median(_edges(mesh, on_way)) for name, mesh in (("plain", plain), ("fine", fine))}
    assert thread.edge < 0.6 * case.shape.size
    assert edge["fine"] / edge["plain"] == pytest.approx(thread.edge / case.shape.size, rel=0.2)


def _edges(mesh, places):
    """Length (m) of the edges whose middles lie near ``places``."""
    ends = mesh.points[mesh.dual.ends]
    middle = ends.mean(axis=1)
    near = np.min(np.linalg.norm(middle[:, None] - places[None], axis=2), axis=1) < 0.2 * MM
    return np.linalg.norm(ends[near, 1] - ends[near, 0], axis=1)


def test_along_its_thread_a_fine_mesh_has_scalar_and_tracers_agree():
    pytest.importorskip("gmsh", exc_type=(ImportError, OSError))
    case = case_of(tip(shape="bevelled"))
    apart = []
    for thread in (None, look_ahead(case)):
        work = Work(case, build(case.shape, thread))
        found = work.steady_answer(work.settle())
        apart.append(np.abs(found.split - found.by_tracers).max())
    assert apart[1] < 0.5 * apart[0]


def test_what_is_too_coarse_to_be_meshed_is_looked_at_as_fine_as_it_was_asked_for(monkeypatch):
    seen = []

    def looked(case, coarse):
        seen.append(coarse.cells)
        if len(seen) == 1:
            raise SolverStopped(0.0, "junction", "not steady")
        return "found"

    monkeypatch.setattr(room, "_looked", looked)
    assert look_ahead(case_of(tip(), cells=9.0)) == "found"
    assert seen == [pytest.approx(6.0), 9.0]
