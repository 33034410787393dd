"""Sampling of inputs, and the comparison that takes their spread into account."""

import numpy as np
import pytest
from scipy.stats import norm, uniform

from haiflow.verify.model import Figure, order
from haiflow.verify.spread import compared, sampled
from haiflow.verify.table import wanted


def test_samples_have_their_distributions_and_are_the_same_each_time():
    inputs = {"a": norm(5.0, 2.0), "b": uniform(0.0, 1.0)}
    drawn = sampled(inputs, 1000)
    assert drawn["a"].mean() == pytest.approx(5.0, abs=0.01)
    assert drawn["a"].std() == pytest.approx(2.0, rel=0.02)
    assert np.histogram(drawn["b"], 100, (0.0, 1.0))[0].tolist() == [10] * 100  # one in every thousandth
    assert abs(np.corrcoef(drawn["a"], drawn["b"])[0, 1]) < 0.1
    np.testing.assert_array_equal(sampled(inputs, 1000)["a"], drawn["a"])


def test_a_comparison_holds_within_twice_the_root_of_both_spreads():
    simulated = np.array([9.0, 11.0])  # mean 10, deviation 1
    assert compared("x", simulated, 10.0 + 2.0 * np.hypot(1.0, 0.5) - 1e-9, 0.5).passed
    assert not compared("x", simulated, 10.0 + 2.0 * np.hypot(1.0, 0.5) + 1e-9, 0.5).passed
    assert not compared("x", np.array([10.0, 10.0]), 10.1, 0.0).passed


def test_order_and_error_of_a_figure():
    found = order("x", [1.0, 0.4, 0.1], 2.0, 1.9, 2.0)
    assert found.result == pytest.approx(2.0)
    assert found.is_order
    assert found.error is None
    assert Figure("x", 1.1, 0.0, 2.0, -1.0).error == pytest.approx(2.1)
    assert Figure("x", 1e-3, 0.0, 2.0, 0.0).error == 1e-3


def test_a_tolerance_is_told_as_one_and_an_interval_as_an_interval():
    assert wanted(0.99, 1.01, 1.0) == "± 1 %"
    assert wanted(-2.0 - 2e-9, -2.0 + 2e-9, -2.0) == "± 1e-09, relative"
    assert wanted(0.9, 1.2, 1.0) == "0.9 to 1.2"
    assert wanted(1.9, np.inf, 2.0) == "at least 1.9"
    assert wanted(0.0, 0.1, None) == "at most 0.1"
