"""Richardson and the grid convergence index: values made with a known limit and order, and those that have neither."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haiflow.numerics.richardson import convergence


@given(
    st.floats(0.5, 3.0), st.floats(-50.0, 50.0).filter(lambda c: abs(c) > 1e-2), st.floats(1.3, 3.0),
    st.integers(0, 2),
)  # fmt: skip
def test_a_power_law_gives_back_its_order_and_limit(order, factor, ratio, level):
    values = [7.0 + factor * (ratio**-k) ** order for k in range(3)]
    found = convergence(values, level=level, ratio=ratio, formal=order)
    assert found.state == "asymptotic"
    assert found.order == pytest.approx(order, rel=1e-6)
    assert found.extrapolated == pytest.approx(7.0, rel=1e-6, abs=1e-6)
    assert found.uncertainty == pytest.approx(1.25 * abs(values[level] - 7.0), rel=1e-5)


def test_the_true_error_is_covered_when_there_are_two_orders():
    exact = [1.0 + 0.3 * h**2 + 0.1 * h**3 for h in (1.0, 0.5, 0.25)]
    for level in range(3):
        found = convergence(exact, level=level)
        assert found.state == "asymptotic"
        assert found.uncertainty >= abs(exact[level] - 1.0)


def test_a_low_order_is_not_called_asymptotic_and_a_high_one_is_not_trusted():
    slow = convergence([1.0 + h for h in (1.0, 0.5, 0.25)], formal=2.0)
    assert (slow.state, slow.order) == ("monotone, not asymptotic", 1.0)
    assert slow.uncertainty == pytest.approx(3.0 * 0.5, rel=1e-12)
    fast = convergence([1.0 + h**6 for h in (1.0, 0.5, 0.25)], formal=1.0)
    assert fast.order == pytest.approx(6.0)
    assert fast.extrapolated == pytest.approx(1.0 + 0.25**6 - (0.5**6 - 0.25**6), rel=1e-12)  # with order one, not six


@pytest.mark.parametrize(("values", "state", "uncertainty"), [
    ([1.0, 1.2, 1.1], "oscillating", 0.6),
    ([1.0, 1.1, 1.3], "not converging", 0.9),
    ([1.0, 1.1, 0.8], "not converging", 0.9),
    ([1.0, 1.0, 1.1], "not converging", 0.3),
    ([0.0, 0.0, 0.0], "does not change", 0.0),
])  # fmt: skip
def test_nothing_is_extrapolated_where_nothing_converges(values, state, uncertainty):
    found = convergence(values)
    assert (found.state, found.order, found.extrapolated) == (state, None, None)
    assert found.uncertainty == pytest.approx(uncertainty, rel=1e-12)


def test_changes_below_the_iterations_error_say_nothing_of_cells():
    found = convergence([1.04, 1.01, 1.0], noise=0.05)
    assert found.state == "below the iteration's error"
    assert found.order is None
    assert found.uncertainty == pytest.approx(0.12)


def test_a_missing_value_is_an_infinite_uncertainty():
    assert convergence([1.0, math.nan, 1.1]).uncertainty == math.inf
