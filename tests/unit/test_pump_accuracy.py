"""Start-up and trumpet curves of histories whose extremes are known by hand."""

import numpy as np
import pytest

from haiflow.pump.accuracy import DAY, HOUR, start_up_curve, trumpet_curve


def test_a_perfect_pump_has_a_flat_trumpet():
    trumpet = trumpet_curve(np.array([0.0, 28 * DAY]), np.array([1.5e-11]), 1.5e-11)
    np.testing.assert_allclose(trumpet.highest, 0.0, atol=1e-12)
    np.testing.assert_allclose(trumpet.lowest, 0.0, atol=1e-12)
    assert trumpet.overall == pytest.approx(0.0, abs=1e-14)


def test_one_stopped_day_in_ten():
    # Half a day at rest: a window P holds min(P, 0.5 day) of it at worst and none at best.
    times = np.array([0.0, 3.25, 3.75, 10.0]) * DAY
    trumpet = trumpet_curve(times, np.array([1.0, 0.0, 1.0]), 1.0, (HOUR, DAY, 7 * DAY, 14 * DAY))
    np.testing.assert_allclose(trumpet.lowest[:3], [-1.0, -0.5, -0.5 / 7], atol=1e-12)
    # A window of 7 days cannot avoid the pause (3.25 and 6.25 days are free of it).
    np.testing.assert_allclose(trumpet.highest[:3], [0.0, 0.0, -0.5 / 7], atol=1e-12)
    assert np.isnan(trumpet.highest[3])
    assert np.isnan(trumpet.lowest[3])
    assert trumpet.overall == pytest.approx(-0.05, rel=1e-12, abs=0.0)


def test_extremes_between_the_instants_of_the_history_are_found():
    # A bump of width 1 inside a window of 1.5 that starts on no instant's grid: brute force agrees.
    rng = np.random.default_rng(7)
    times = np.concatenate([[0.0], np.cumsum(rng.uniform(0.2, 2.0, 30))])
    rates = rng.uniform(0.0, 2.0, 30)
    trumpet = trumpet_curve(times, rates, 1.0, (1.5, 4.0))
    volume = np.concatenate([[0.0], np.cumsum(rates * np.diff(times))])
    for i, window in enumerate((1.5, 4.0)):
        starts = np.linspace(0.0, times[-1] - window, 200_001)
        error = (np.interp(starts + window, times, volume) - np.interp(starts, times, volume)) / window - 1.0
        assert trumpet.highest[i] >= error.max() - 1e-12
        assert trumpet.lowest[i] <= error.min() + 1e-12
        assert trumpet.highest[i] == pytest.approx(error.max(), abs=1e-4)
        assert trumpet.lowest[i] == pytest.approx(error.min(), abs=1e-4)


def test_start_up_curve_conserves_volume_across_uneven_instants():
    times = np.array([0.0, 0.5, 2.25, 4.0])
    ends, rate = start_up_curve(times, np.array([0.0, 1.0, 2.0]), 1.0)
    np.testing.assert_allclose(ends, [1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(rate, [0.5, 1.0, 0.25 + 1.5, 2.0], rtol=1e-13)


def test_a_history_must_be_one():
    with pytest.raises(ValueError, match="ascending"):
        trumpet_curve(np.array([0.0, 1.0]), np.array([1.0, 1.0]), 1.0)
    with pytest.raises(ValueError, match="ascending"):
        start_up_curve(np.array([0.0, 1.0, 1.0]), np.array([1.0, 1.0]), 1.0)
