"""One step's equations for the line, and their solution; :mod:`haiflow.catheter.hydraulics` says what they are.

Node 0 is the inlet, where pump and side port meet (no volume); node i + 1 is cell i. Pressures are taken against the
artery's. The holes' laws are linearised in the flow q: ``drop = head + slope q`` with ``slope = resistance +
2 loss |q|``, which is Newton on the mixed system of pressures and flows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import isinf, nan

import numpy as np
from scipy.linalg.lapack import dgtsv

from haiflow.catheter.line import Line
from haiflow.catheter.orifice import hole_flow, hole_terms, pocket_terms
from haiflow.errors import SolverStopped
from haiflow.ports import Characteristic, Floats

MAX_ITERATIONS = 60
DIGITS = 4.0 * float(np.finfo(np.float64).eps)
TOLERANCE = 1e-11  # of the largest hole flow; Newton converges quadratically, so the last error is far smaller
NO_FLOW = 1e-20  # m3/s, 1e-9 of a basal rate: what changes by less is at rest
LIMIT_MARGIN = 1e-13  # of a source's short-circuit flow: round-off of the solve must not switch a source to a limit
Modes = tuple[str, ...]  # of each source: "free" (on its line), "high" or "low" (at a limit)


@dataclass(frozen=True, slots=True)
class LineState:
    """Lumen pressure (n,) gauge Pa, and the volume (n_holes,) m3 beyond rest in each hole's pocket (0 in an artery)."""

    pressure: Floats
    pocket_volume: Floats


class Network:
    """The tridiagonal system of one step and the state of its iteration; :meth:`solve`, then read the attributes."""

    def __init__(
        self,
        line: Line,
        state: LineState,
        dt: float,
        sources: tuple[Characteristic, Characteristic],
        artery_pressure: float,
        viscosity: Floats,
        density: float,
    ) -> None:
        self.line, self.state, self.dt, self.sources, self.artery = line, state, dt, sources, artery_pressure
        half = 0.5 * line.resistance_per_viscosity * viscosity
        resistance = half.copy()
        resistance[1:] += half[:-1]
        self.conductance = 1.0 / resistance  # (n,) m3/(s Pa): between nodes i and i + 1; 0 where closed
        self.start = np.concatenate([state.pressure[:1], state.pressure]) - artery_pressure
        self.yielding = np.concatenate([[0.0], line.compliance / dt])
        self._assemble_line()
        self._assemble_holes(viscosity, density, float(half[-1]))
        self.pressure = self.start

    def _assemble_line(self) -> None:
        self.between = np.zeros(self.yielding.size)
        self.between[:-1] += self.conductance
        self.between[1:] += self.conductance
        self.known = self.yielding * self.start
        self.off = -self.conductance

    def _assemble_holes(self, viscosity: Floats, density: float, end_resistance: float) -> None:
        """``drop = resistance q + loss q |q|`` of each hole, from its cell's centre to ``outside`` (constant part)."""
        self.nodes = [hole.cell + 1 for hole in self.line.holes]
        self.resistance, self.loss, self.outside = [], [], []
        for hole, volume in zip(self.line.holes, self.state.pocket_volume, strict=True):
            resistance, loss = hole_terms(hole, float(viscosity[hole.cell]), density)
            outside = 0.0
            if hole.kind == "tip":
                resistance += end_resistance
            if hole.outside == "pocket":
                source, series = pocket_terms(hole.pocket, float(volume), self.dt)
                outside, resistance = source - self.artery, resistance + series
            self.resistance.append(resistance)
            self.loss.append(0.0 if isinf(resistance) else loss)
            self.outside.append(outside)
        laws = zip(self.nodes, self.outside, self.resistance, self.loss, strict=True)
        self.flow = [hole_flow(float(self.start[node]) - out, r, k) for node, out, r, k in laws]

    def solve(self) -> None:
        """Newton with an active set for the sources' limits, which a source leaves and enters through its free line."""
        modes = self._first_modes()
        for _ in range(MAX_ITERATIONS):
            settled = self._iterate(modes)
            new_modes = self._modes(modes)
            if settled and new_modes == modes:
                self.modes = modes
                return
            modes = new_modes
        raise SolverStopped(nan, "catheter", "pressures and flows of the line did not converge")

    def _first_modes(self) -> Modes:
        """A limited source may leave no way out (steady state, closed inlet): start from the free lines there."""
        free = tuple("low" if source.min_flow_rate == source.max_flow_rate else "free" for source in self.sources)
        return free if isinf(self.dt) or self.conductance[0] == 0.0 else self._modes(free)

    def _modes(self, modes: Modes) -> Modes:
        return tuple(self._mode(source, mode) for source, mode in zip(self.sources, modes, strict=True))

    def _mode(self, source: Characteristic, mode: str) -> str:
        if source.min_flow_rate == source.max_flow_rate:
            return "low"
        free = self._free_flow(source)
        margin = LIMIT_MARGIN * abs(source.pressure - self.artery) / source.resistance
        over, under = free > source.max_flow_rate + margin, free < source.min_flow_rate - margin
        wanted = "high" if over else "low" if under else "free"
        return wanted if mode in ("free", wanted) else "free"

    def _free_flow(self, source: Characteristic) -> float:
        return float((source.pressure - self.artery - self.pressure[0]) / source.resistance)

    def source_flow(self, source: Characteristic, mode: str) -> float:
        """m3/s"""
        if mode == "free":
            return min(max(self._free_flow(source), source.min_flow_rate), source.max_flow_rate)
        return source.max_flow_rate if mode == "high" else source.min_flow_rate

    def source_flows(self) -> Floats:
        """(2,) m3/s from the pump and the side port."""
        return np.array([self.source_flow(s, m) for s, m in zip(self.sources, self.modes, strict=True)])

    def _iterate(self, modes: Modes) -> bool:
        """One tridiagonal solve and the holes' new flows; whether they have settled."""
        self.slopes = [r + 2.0 * k * abs(q) for r, k, q in zip(self.resistance, self.loss, self.flow, strict=True)]
        heads = [out - k * q * abs(q) for out, k, q in zip(self.outside, self.loss, self.flow, strict=True)]
        self.pressure, before = self._pressure(*self._system(modes, heads)), self.flow
        self.flow = [
            (float(self.pressure[node]) - head) / slope
            for node, slope, head in zip(self.nodes, self.slopes, heads, strict=True)
        ]
        allowed = TOLERANCE * max(map(abs, self.flow), default=0.0) + NO_FLOW
        # A wide hole turns the last digit of the pressure into a flow: below that nothing can settle.
        last_digit = DIGITS * float(np.abs(self.pressure).max())
        return all(
            abs(new - old) <= allowed + last_digit / slope
            for new, old, slope in zip(self.flow, before, self.slopes, strict=True)
        )

    def _system(self, modes: Modes, heads: list[float]) -> tuple[Floats, Floats]:
        """Each node's conductance to the outside (wall, sources, holes) and right-hand side."""
        outward, known = self.yielding.copy(), self.known.copy()
        for source, mode in zip(self.sources, modes, strict=True):
            if mode == "free":
                outward[0] += 1.0 / source.resistance
                known[0] += (source.pressure - self.artery) / source.resistance
            else:
                known[0] += self.source_flow(source, mode)
        for node, slope, head in zip(self.nodes, self.slopes, heads, strict=True):
            outward[node] += 1.0 / slope
            known[node] += head / slope
        if isinf(self.dt) or self.conductance[0] == 0.0:
            self._anchor(outward, known, modes)
        return outward, known

    def _pressure(self, outward: Floats, known: Floats) -> Floats:
        """Solve, and once more for the residual: the diagonal drowns a restrictor of 3e-16 m3/(s Pa) in cells of 1e-9,
        which a residual summed from differences of pressure sees."""
        diagonal = self.between + outward
        pressure = self._tridiagonal(diagonal, known)
        flux = self.conductance * (pressure[:-1] - pressure[1:])
        residual = known - outward * pressure
        residual[:-1] -= flux
        residual[1:] += flux
        return pressure + self._tridiagonal(diagonal, residual)

    def _tridiagonal(self, diagonal: Floats, known: Floats) -> Floats:
        *_, solution, info = dgtsv(self.off, diagonal, self.off, known)
        if info != 0:
            raise SolverStopped(nan, "catheter", "the line's equations are singular")
        return solution

    def _anchor(self, outward: Floats, known: Floats, modes: Modes) -> None:
        """A stretch without volume or way out keeps its first pressure: every one in the steady state, and the inlet
        alone where the very first cell is closed."""
        held = [node for node, slope in zip(self.nodes, self.slopes, strict=True) if not isinf(slope)]
        if "free" in modes:
            held.append(0)
        bounds = [0, *(np.flatnonzero(self.conductance == 0.0) + 1).tolist(), outward.size]
        stretches = list(pairwise(bounds))
        for first, end in stretches if isinf(self.dt) else stretches[:1]:
            if any(first <= node < end for node in held):
                continue
            if first == 0 and any(self.source_flow(s, m) != 0.0 for s, m in zip(self.sources, modes, strict=True)):
                raise SolverStopped(nan, "catheter", "a flow is imposed on a closed line")
            weight = max(float(self.between[first]), 1e-9)
            outward[first] += weight
            known[first] += weight * self.start[first]
