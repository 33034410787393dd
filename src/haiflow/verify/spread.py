"""What is not known of the inputs, carried through to a band of results; and a comparison that takes it into account.

Comparison after ASME V&V 20: the error E = S - D of a simulation S against data D is judged by u_val, the root of the
sum of the squares of what the inputs' spread makes of S and of the data's own standard deviation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import qmc

from haiflow.ports import Floats
from haiflow.verify.model import Figure, Rival

COVERAGE = 2.0  # standard deviations: 95 %
BAND = (5.0, 95.0)  # percent


def sampled(inputs: Mapping[str, Any], count: int, seed: int = 1) -> dict[str, Floats]:
    """(count,) values of every input, a Latin hypercube over its distribution (of scipy.stats)."""
    unit = qmc.LatinHypercube(len(inputs), rng=np.random.default_rng(seed)).random(count)
    return {name: np.asarray(each.ppf(unit[:, k])) for k, (name, each) in enumerate(inputs.items())}


def compared(quantity: str, simulated: Floats, measured: float, deviation: float, *rivals: Rival) -> Figure:
    """The mean of ``simulated`` against ``measured`` (standard ``deviation``): not refuted within twice u_val.

    The ``rivals``, wrong models, are held against the same interval: one that passes shows what it cannot tell.
    """
    mean, own = float(np.mean(simulated)), float(np.std(simulated))
    room = COVERAGE * float(np.hypot(own, deviation))
    low, high = np.percentile(simulated, BAND)
    note = (
        f"inputs' spread gives {low:.3g} to {high:.3g} (5 to 95 %), standard deviation of the data {deviation:.2g}; "
        f"E = {mean - measured:.2g}, 2 u_val = {room:.2g}"
    )
    return Figure(quantity, mean, measured - room, measured + room, measured, note, rivals)


def band(rows: Floats) -> tuple[Floats, Floats]:
    """Lower and upper edge of the band of curves (n, m) that samples gave."""
    low, high = np.percentile(rows, BAND, axis=0)
    return low, high
