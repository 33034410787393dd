"""Order and sharpness of advection on channels with varying volumes, through a node."""

import numpy as np
import pytest

from haiflow.numerics.channels import Channels, ChannelTransport
from haiflow.verify.arteries_drug import ring_error


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("limiter", ["van_leer", "mc"])
def test_smooth_advection_is_second_order_in_l1(limiter, reverse):
    errors = np.array([ring_error(limiter, reverse, n)[0] for n in (50, 100, 200, 400)])
    assert np.log2(errors[:-1] / errors[1:]).min() >= 1.9
    assert errors[-1] < 1e-4


# A donor-cell front is 36 cells wide here.
@pytest.mark.parametrize(("limiter", "width"), [("minmod", 16), ("van_leer", 10), ("mc", 8)])
def test_front_stays_between_its_values_and_sharp(limiter, width):
    n = 200
    c, volume = np.zeros((1, n)), np.full(n, 1.0 / n)
    flux = np.concatenate([np.full((150, n + 1), 1.0), np.full((70, n + 1), -1.0), np.full((100, n + 1), 1.0)])
    ChannelTransport(Channels([0, n], [0], [1], [0, 1]), limiter=limiter).advance(
        c, volume, flux, 0.4 / n, external_concentration=np.array([[1.0, 0.0]])
    )
    assert c.min() >= 0.0
    assert c.max() <= 1.0 + 1e-14
    assert np.count_nonzero((c > 0.02) & (c < 0.98)) <= width
    assert np.sum(c * volume) == pytest.approx(180 * 0.4 / n, abs=1e-12)
