"""Streaming at a bench: how far from even a catheter feeds two equal branches (van den Hoven et al. 2015).

The bench found the catheter off the middle of its vessel in 71 % of runs and a deviation from the even split of 40.85
(interquartile range 22.76) for a standard microcatheter. Here tracers are released all over the inlet of the symmetric
channel that parts in two; a catheter feeds those that start within its mouth. Where it lies, how wide its stream is and
what "in the middle" means are distributions.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm, uniform

from haiflow.junction.releases import release
from haiflow.ports import Floats
from haiflow.verify.model import Curve, Figure, Found, Plot, Rival
from haiflow.verify.spread import compared, sampled
from haiflow.verify.streaming import tee

WAYS = ("to_left", "to_right")
MIXED = Rival("drug that is perfectly mixed before the branches", 0.0)
OFF_CENTRE, MEASURED, DEVIATION = 0.71, 40.85, 22.76 / 1.349  # a normal's standard deviation from its quartiles
INPUTS = {
    "chance": uniform(0.0, 1.0),
    "middle": norm(0.0, 0.04),  # place of a catheter in the middle, of the vessel's width
    "side": uniform(0.12, 0.25),  # and of one that is not, left or right
    "width": uniform(0.10, 0.20),  # of the stream
}


def by_place(count: int = 3000) -> tuple[Floats, Floats]:
    """Where each tracer starts across the inlet (-0.5 to 0.5), and whether it leaves to the left."""
    mesh, _, state = tee(0.5)
    sent = release(mesh, ("hole:0", "hole:1"), state.velocity, count)
    start = sent.place[:, 0].copy()
    sent.carry(0.0, 500.0, state.velocity, state.velocity, WAYS)
    gone = sent.left_by >= 0
    order = np.argsort(start[gone])
    return start[gone][order], (sent.left_by[gone] == mesh.names.index("to_left")).astype(float)[order]


def off_centre_catheter(count: int = 2000) -> Found:
    """Deviation from the even split in percentage points, over the distribution of the catheter's place."""
    start, left = by_place()
    drawn = sampled(INPUTS, count)
    side = np.where(np.arange(count) % 2 == 0, 1.0, -1.0) * drawn["side"]
    place = np.where(drawn["chance"] < OFF_CENTRE, side, drawn["middle"])
    shares = np.array([_fed(start, left, at, width) for at, width in zip(place, drawn["width"], strict=True)])
    off = 100.0 * np.abs(shares - 0.5)
    across = np.linspace(-0.4, 0.4, 81)
    curve = np.array([_fed(start, left, at, 0.15) for at in across])
    known = np.clip(0.5 - across / 0.15, 0.0, 1.0)
    return [
        compared("deviation from the even split, percentage points", off, MEASURED, DEVIATION, MIXED),
        Figure("the same of a catheter in the middle", float(np.median(off[drawn["chance"] >= OFF_CENTRE])), 0.0, 25.0,
               rivals=(MIXED,)),
        Plot("A stream off the middle of its vessel", "place of the catheter, of the vessel's width",
             "share to the left branch",
             (Curve("haiflow, stream 0.15 wide", across, curve),
              Curve("parted in the middle", across, known, known=True))),
    ]  # fmt: skip


def _fed(start: Floats, left: Floats, at: float, width: float) -> float:
    """Share of a stream of ``width`` round ``at`` that goes to the left."""
    first, last = np.searchsorted(start, (at - 0.5 * width, at + 0.5 * width))
    return float(left[first:last].mean()) if last > first else float(at < 0.0)
