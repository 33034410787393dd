"""The blood's solver: the steady network by hand, and some of the arterial cases of ``haiflow verify``."""

from __future__ import annotations

from collections.abc import Iterator
from math import isinf

import numpy as np

from benchmarks.table import Row, at_least, at_most, worst
from haiflow.arteries.simple import fork
from haiflow.arteries.steady import steady
from haiflow.arteries.tree import Inlet, Outlet
from haiflow.verify.arteries import ARTERIES

MU = 3.8e-3


CASES = ("second-order", "smooth-waves", "drug-order", "still-blood", "windkessel-echo", "junction-waves")


def rows() -> Iterator[Row]:
    yield at_most("steady network against Poiseuille resistances by hand", steady_by_hand(), 1e-6)
    for each in ARTERIES:
        if each.name in CASES:
            for figure in each.run():
                what, value = f"{each.name}: {figure.quantity}", figure.result
                yield at_least(what, value, figure.low) if isinf(figure.high) else at_most(what, value, figure.high)


def steady_by_hand() -> float:
    """Largest relative error of flow split and node pressures of a fork of three Poiseuille resistances."""
    length, radius, bed, given = [0.1, 0.06, 0.09], [2e-3, 1.5e-3, 1.2e-3], 3e9, 6e-6
    inlet = Inlet("n0", "flow_rate", 1.0, np.array([given]))
    found = steady(fork(length, radius, [8.0] * 3, inlet, Outlet(2e9, 1e9), velocity_profile=2.0))
    lumen = [8 * MU * long / (np.pi * r**4) for long, r in zip(length, radius, strict=True)]
    first, second = lumen[1] + bed, lumen[2] + bed
    flow = given * np.array([1.0, second / (first + second), first / (first + second)])
    middle = flow[1] * first
    pressure = np.array([middle + given * lumen[0], middle, flow[1] * bed, flow[2] * bed])
    return worst([*(found.flow_rate / flow - 1.0), *(found.pressure / pressure - 1.0)])
