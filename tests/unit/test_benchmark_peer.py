"""What the flow's peer is held against, and what the table says where it is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from haiflow.verify.shapes import pipe


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))


def test_reference_is_linear_in_its_cells_and_nearest_out_of_them():
    from benchmarks.pulse import Found, Reference

    mesh, slopes = pipe(2, 3, 6e-3, 2e-3), np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 4.0], [2.0, 0.5, 1.0]])
    reference = Reference(mesh, mesh.points @ slopes + 0.1, 0.5)
    inside = np.random.default_rng(3).uniform([-1e-3, -1e-3, 1e-3], [1e-3, 1e-3, 5e-3], (200, 3))
    assert np.allclose(reference.at(inside), inside @ slopes + 0.1, rtol=0.0, atol=1e-15)
    out = mesh.points[[0]] - [0.0, 0.0, 1e-5]
    assert np.allclose(reference.at(out), reference.at(mesh.points[[0]]), rtol=0.0, atol=1e-4)
    twice = Found(inside, 2.0 * reference.at(inside), np.ones(200), 0.5, 1.0)
    assert reference.error(twice) == pytest.approx(1.0, rel=1e-12)


def test_pulsating_pipe_carries_its_flow_and_moves_as_the_slope_drives_it():
    from benchmarks import womersley

    r = np.linspace(0.0, womersley.RADIUS, 4001)
    points = np.column_stack([r, 0.0 * r, 0.0 * r])
    for when in (0.0, 0.2, 0.7):
        u = womersley.exact(points, when)
        flow = np.trapezoid(2.0 * np.pi * r * u, r)
        wanted = womersley.MEAN + womersley.SWING * np.cos(2.0 * np.pi * when / womersley.PERIOD)
        assert flow == pytest.approx(wanted, rel=1e-6)
        step, near = 1e-5, 1e-5
        at = np.array([[x, 0.0, 0.0] for x in (1e-3 - near, 1e-3, 1e-3 + near)])
        low, here, high = womersley.exact(at, when)
        faster = (womersley.exact(at, when + step)[1] - womersley.exact(at, when - step)[1]) / (2.0 * step)
        bend = (high - 2.0 * here + low) / near**2 + (high - low) / (2.0 * near) / 1e-3
        assert faster == pytest.approx(womersley.slope(when) + womersley.VISCOSITY * bend, rel=1e-3)


def test_pictures_of_the_peer_come_in_the_order_of_their_times(tmp_path):
    from benchmarks import openfoam

    for name, value in (("0", 9.0), ("0.5", 1.0), ("10", 3.0), ("2", 2.0), ("constant", 0.0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "U").write_text(f"nonuniform List<vector>\n2\n(\n(0 {value} 1e-3)\n(1 2 3)\n)\n;\n")
    pictures = openfoam.pictures(tmp_path, "U")
    assert [when for when, _ in pictures] == [0.5, 2.0, 10.0]
    assert [float(each[0, 1]) for _, each in pictures] == [1.0, 2.0, 3.0]
    assert openfoam.cell_values(tmp_path, "U").tolist() == [[0.0, 3.0, 1e-3], [1.0, 2.0, 3.0]]


def test_missing_peer_is_a_row_that_says_so(monkeypatch):
    from benchmarks import openfoam, pulse

    monkeypatch.setattr(openfoam.shutil, "which", lambda _: None)
    (row,) = pulse.rows()
    assert (row.ok, row.value) == (None, None)
    assert "not installed" in row.reached
