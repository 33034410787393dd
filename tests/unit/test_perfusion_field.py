"""Cell arrays of perfusion.vtu: values by segment, tumours marked as spheres."""

import numpy as np
import pytest

from haiflow.mesh.field import Sphere, mark_tumours, perfusion_field
from haiflow.mesh.model import NUMERALS
from haiflow.mesh.standard import standard_liver

VALUES = {name: float(k) for k, name in enumerate(NUMERALS, start=1)}


def test_values_follow_the_segments() -> None:
    mesh = standard_liver()
    arrays = perfusion_field(mesh, {"perfusion_ml_per_min_per_100ml": VALUES})
    np.testing.assert_array_equal(arrays["perfusion_ml_per_min_per_100ml"], mesh.couinaud_segment)
    np.testing.assert_array_equal(arrays["couinaud_segment"], mesh.couinaud_segment)
    assert not arrays["tumour"].any()


def test_tumours_have_their_own_values_and_about_their_volume() -> None:
    mesh = standard_liver()
    tumour = Sphere("lesion", "VII", 0.04, (-0.05, 0.03, 0.015))
    arrays = perfusion_field(mesh, {"exposure_kg_s_per_m3": {**VALUES, "lesion": 99.0}}, [tumour])
    inside = arrays["tumour"] == 1
    np.testing.assert_array_equal(arrays["exposure_kg_s_per_m3"] == 99.0, inside)
    assert mesh.volumes[inside].sum() == pytest.approx(np.pi / 6 * 0.04**3, rel=0.1, abs=0.0)
    assert np.linalg.norm(mesh.centres[inside] - tumour.centre, axis=1).max() <= 0.02


def test_a_tumour_without_a_centre_lies_in_its_segment() -> None:
    mesh = standard_liver()
    for name in NUMERALS:
        marks = mark_tumours(mesh, [Sphere("lesion", name, 0.01)])
        assert NUMERALS[mesh.couinaud_segment[marks == 1][0] - 1] == name


def test_a_tumour_smaller_than_a_cell_is_still_marked() -> None:
    tumours = [Sphere("a", "VII", 1e-4, (-0.0503, 0.0307, 0.0151)), Sphere("b", "II", 1e-4)]
    marks = mark_tumours(standard_liver(), tumours)
    assert np.bincount(marks)[1:].tolist() == [1, 1]


def test_a_territory_without_a_value_is_refused() -> None:
    with pytest.raises(KeyError):
        perfusion_field(standard_liver(), {"exposure_kg_s_per_m3": VALUES}, [Sphere("lesion", "V", 0.02)])
