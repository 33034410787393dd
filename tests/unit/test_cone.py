"""Means along a cone against quadrature."""

import numpy as np
import pytest
from scipy.integrate import quad

from haiflow.numerics.cone import inverse_fourth_slope, mean_inverse_fourth, mean_square


@pytest.mark.parametrize(("a", "b"), [(2e-3, 2e-3), (2e-3, 1.1e-3), (0.3e-3, 1.2e-3)])
@pytest.mark.parametrize(("mean", "power"), [(mean_square, 2), (mean_inverse_fourth, -4)])
def test_a_mean_along_a_cone_is_its_integral_over_its_length(mean, power, a, b):
    expected = quad(lambda share: (a + (b - a) * share) ** power, 0.0, 1.0, epsrel=1e-12)[0]
    assert mean(a, b) == pytest.approx(expected, rel=1e-12, abs=0.0)
    np.testing.assert_array_equal(mean(np.array([a]), np.array([b])), [mean(a, b)])


@pytest.mark.parametrize(("a", "b"), [(2e-3, 2e-3), (2e-3, 1.1e-3), (0.3e-3, 1.2e-3)])
def test_slope_of_the_mean_inverse_fourth_is_its_difference_quotient(a, b):
    step = 1e-5 * a
    quotient = (mean_inverse_fourth(a + step, b) - mean_inverse_fourth(a - step, b)) / (2.0 * step)
    assert inverse_fourth_slope(a, b) == pytest.approx(quotient, rel=1e-8)
