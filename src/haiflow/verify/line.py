"""The line that the catheter's cases share: 50 cm of 0.6 mm, a pump of 45 kPa that gives 1.3 mL/day, saline."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import inf, log, sqrt
from typing import Any

import numpy as np

from haiflow.catheter.hydraulics import LineFlow, LineState, advance, rest_state
from haiflow.catheter.line import Line, Tip, build_line
from haiflow.ports import Characteristic

RATE = 1.3e-6 / 86_400.0  # m3/s
ARTERY, DRIVE = 12.7e3, 45e3  # Pa
RESTRICTOR = DRIVE / RATE
GAS = Characteristic(ARTERY + DRIVE, RESTRICTOR, 0.0)
STALLED = Characteristic(0.0, 1.0, 0.0, 0.0)
SALINE, DENSITY = 0.70e-3, 1004.0
LENGTH, BORE, WALL = 0.5, 0.6e-3, 0.85e-3  # m


def catheter(**changes: Any) -> Line:
    return build_line(LENGTH, BORE, BORE + 2.0 * WALL, tip=Tip("gastroduodenal"), **changes)


def step(
    line: Line, state: LineState, dt: float, source: Characteristic = GAS, viscosity: float = SALINE,
    density: float = DENSITY, artery: float = ARTERY, side: float | Characteristic = 0.0,
) -> tuple[LineState, LineFlow]:  # fmt: skip
    return advance(
        line, state, dt, characteristic=source, side_port_flow=side, artery_pressure=artery,
        viscosity=np.full(line.n_cells, viscosity), density=density,
    )  # fmt: skip


def steady(line: Line, **options: Any) -> LineFlow:
    return step(line, rest_state(line, ARTERY), inf, **options)[1]


def romberg(march: Callable[[float, int], float], end: float, first: int = 32, levels: int = 5) -> tuple[float, float]:
    """A quantity at ``end`` marched in 32, 64, ... steps and extrapolated, with the observed order of the raw ones."""
    rows = [march(end / (first << k), first << k) for k in range(levels)]
    order = log(abs((rows[-3] - rows[-2]) / (rows[-2] - rows[-1]))) / log(2.0)
    for k in range(1, levels):
        rows = [b + (b - a) / (2**k - 1) for a, b in pairwise(rows)]
    return rows[-1], order


def root(resistance: float, loss: float, pressure: float) -> float:
    """The flow of ``resistance q + loss q^2 = pressure``."""
    return 2.0 * pressure / (resistance + sqrt(resistance**2 + 4.0 * loss * pressure))
