"""The standard liver: size, shares, soundness of its tetrahedra, and that the package carries the committed file."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from haiflow.liver.build import DEFAULT_FRACTIONS, TumourSpec, build_liver
from haiflow.mesh.read import segment_locator
from haiflow.mesh.standard import standard_liver
from haiflow.mesh.volumes import tetra_quality

COMMITTED = Path(__file__).resolve().parents[2] / "meshes" / "liver-standard.vtu"


def test_the_package_carries_the_committed_file() -> None:
    packaged = (files("haiflow") / "library" / "meshes" / "liver-standard.vtu").read_bytes()
    assert packaged == COMMITTED.read_bytes()
    assert len(packaged) < 1_000_000


def test_volume_and_shares() -> None:
    liver = standard_liver()
    assert liver.volume == pytest.approx(1.5e-3, rel=1e-12, abs=0.0)
    assert 15_000 <= len(liver.tetra) <= 30_000
    assert liver.fractions == pytest.approx(DEFAULT_FRACTIONS, rel=0.02)


def test_outline_of_an_adult_liver() -> None:
    """About 21 cm from side to side and 15 cm from front to back and from top to bottom."""
    extent = np.ptp(standard_liver().points, axis=0)
    np.testing.assert_allclose(extent, [0.21, 0.15, 0.15], rtol=0.05)


def test_tetrahedra_are_sound() -> None:
    liver = standard_liver()
    assert np.all(liver.volumes > 0.0)
    assert tetra_quality(liver.points, liver.tetra).min() > 0.15


def test_it_is_one_closed_body() -> None:
    """Every face has one or two cells; the skin is one closed surface without holes: V - E + F = 2."""
    tetra = standard_liver().tetra
    faces = np.sort(tetra[:, [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]].reshape(-1, 3), axis=1)
    unique, counts = np.unique(faces, axis=0, return_counts=True)
    assert set(counts.tolist()) == {1, 2}
    skin = unique[counts == 1]
    edges, shared = np.unique(
        np.sort(skin[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2), axis=1), axis=0, return_counts=True
    )
    assert set(shared.tolist()) == {2}
    assert np.unique(skin).size - len(edges) + len(skin) == 2


def test_segments_lie_as_the_surgeon_knows_them() -> None:
    """x to the patient's left, y to the back, z up."""
    liver = standard_liver()
    cells = [liver.couinaud_segment == k for k in range(1, 9)]
    x, y, z = np.array([np.average(liver.centres[k], axis=0, weights=liver.volumes[k]) for k in cells]).T
    assert max(x[4:8]) < x[3] < min(x[1:3])  # right liver, IV, left lateral section
    assert min(y[5:7]) > max(y[4], y[7])  # VI and VII behind V and VIII
    assert min(z[6:8]) > max(z[4:6])  # VII and VIII above V and VI
    assert y[1] > y[2]  # II behind III
    assert z[1] > z[2]
    assert y[0] > y[3]  # the caudate lobe behind IV


def test_scaling_keeps_the_shares() -> None:
    small = standard_liver(0.9e-3)
    assert small.volume == pytest.approx(0.9e-3, rel=1e-12, abs=0.0)
    assert small.fractions == pytest.approx(standard_liver().fractions, rel=1e-9, abs=0.0)


def test_a_tumour_finds_its_segment_in_the_mesh() -> None:
    locate = segment_locator(standard_liver())
    assert locate((-0.05, 0.035, 0.02)) == "VII"
    assert locate((0.3, 0.0, 0.0)) is None
    liver = build_liver(tumours=[TumourSpec(0.03, centre=(-0.05, 0.035, 0.02))], segment_at=locate)
    assert liver.territories[-1].segment == "VII"
