"""The reservoir mixes, gives in proportion, and a refill accounts for what it withdrew."""

import numpy as np
import pytest

from haiflow.pump.reservoir import draw, filled, refill


def test_drawing_takes_substances_in_proportion():
    full = filled(30e-6, np.array([6.4615, 1.0]))
    rest, taken = draw(full, 18.2e-6)
    assert rest.volume == pytest.approx(11.8e-6, rel=1e-12, abs=0.0)
    np.testing.assert_allclose(taken, 18.2e-6 * np.array([6.4615, 1.0]), rtol=1e-13)
    np.testing.assert_allclose(rest.concentrations, full.concentrations, rtol=1e-13)
    np.testing.assert_allclose(rest.amounts + taken, full.amounts, rtol=1e-15)
    assert full.volume == 30e-6  # frozen: drawing made a new one


def test_more_than_there_is_cannot_be_drawn():
    for volume in (31e-6, -1e-9):
        with pytest.raises(ValueError, match="cannot draw"):
            draw(filled(30e-6, np.array([1.0])), volume)


def test_a_refill_with_another_drug_keeps_the_residual_of_the_first():
    old = filled(11.8e-6, np.array([6.0, 0.0]))
    new, withdrawn = refill(old, 30e-6, np.array([0.0, 2.0]), residual_volume=1.5e-6)
    assert withdrawn.volume == pytest.approx(10.3e-6, rel=1e-12, abs=0.0)
    assert new.volume == pytest.approx(31.5e-6, rel=1e-12, abs=0.0)
    np.testing.assert_allclose(new.amounts, [1.5e-6 * 6.0, 30e-6 * 2.0], rtol=1e-12)
    np.testing.assert_allclose(new.amounts + withdrawn.amounts, old.amounts + np.array([0.0, 60e-6]), rtol=1e-14)


def test_a_refill_below_the_residual_withdraws_nothing():
    new, withdrawn = refill(filled(1e-6, np.array([6.0])), 20e-6, np.array([1.0]), residual_volume=1.5e-6)
    assert withdrawn.volume == 0.0
    assert new.volume == pytest.approx(21e-6, rel=1e-12, abs=0.0)


def test_an_empty_reservoir_has_no_concentration():
    np.testing.assert_array_equal(filled(0.0, np.array([3.0])).concentrations, [0.0])
