"""Pressure and flow in the line: the pump's characteristic, the lumen, the holes and what lies outside, in one solve.

Cell i, of volume ``V_i = area dx + compliance p_i``, hands its neighbours ``(p_i - p_i+1) / R`` (quasi-steady laminar:
the Reynolds number is 0.04 in basal flow, the Womersley number below one) and loses ``q`` through its holes:

    dV_i/dt = F_i - F_i+1 - sum q_i,      p_i - p_out = resistance q + loss q |q|     (orifice.py)

One step is backward Euler. The holes' laws are linearised in q, not in p: Newton on the mixed system, which minimises
a convex function of the flows and so does not cycle as a square-root law does in p (Todini & Pilati, "A gradient
algorithm for the analysis of pipe networks", 1988). Each iteration is one tridiagonal solve; pressures are taken
against the artery's, for a lumen that is some Pa above it.

The flows of the faces are then summed up from the pump, so that volumes close to round-off. What the solve left over
(some 1e-16 of the largest flow) goes to the widest hole of each stretch of open lumen, never to the pump.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isinf, nan

import numpy as np

from haiflow.catheter.books import Step, close_books
from haiflow.catheter.line import Line
from haiflow.catheter.network import LineState, Network
from haiflow.catheter.orifice import pocket_terms
from haiflow.ports import Characteristic, Floats

__all__ = ["LineFlow", "LineState", "advance", "carry_over", "inlet_pressure", "rest_state"]

NO_PUMP = Characteristic(0.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class LineFlow:
    """What moved in one step, as means over the step (m3/s), and the volumes at its ends (m3).

    ``volume_end - volume_start = dt (face_flow[:-1] - face_flow[1:] - hole_flow of the cell's holes but the tip)`` to
    round-off, and ``face_flow[n]`` is the flow of the tip.
    """

    face_flow: Floats  # (n + 1,) towards the tip
    hole_flow: Floats  # (n_holes,) outwards
    volume_start: Floats  # (n,)
    volume_end: Floats  # (n,)
    pump_flow: float
    side_port_flow: float
    inlet_pressure: float  # gauge Pa at face 0, where pump and side port meet
    pocket_pressure: Floats  # (n_holes,) gauge Pa; nan for a hole into the artery
    absorbed: Floats  # (n_holes,) from the pocket to the body


def rest_state(line: Line, artery_pressure: float) -> LineState:
    """The line at arterial pressure (gauge Pa), its pockets empty."""
    return LineState(np.full(line.n_cells, artery_pressure), np.zeros(len(line.holes)))


def carry_over(state: LineState, before: Line, after: Line) -> LineState:
    """The state of a line after a fault changed its holes: pockets go with their hole's name, new ones are empty."""
    volumes = {hole.name: volume for hole, volume in zip(before.holes, state.pocket_volume, strict=True)}
    return LineState(state.pressure, np.array([volumes.get(hole.name, 0.0) for hole in after.holes]))


def advance(
    line: Line,
    state: LineState,
    dt: float,
    *,
    characteristic: Characteristic,
    side_port_flow: float | Characteristic = 0.0,
    artery_pressure: float,
    viscosity: Floats,
    density: float,
) -> tuple[LineState, LineFlow]:
    """One backward-Euler step of ``dt`` (s; ``inf`` for the steady state).

    ``side_port_flow`` (m3/s) is imposed, or is what a second characteristic (a syringe with a pressure limit) pushes
    at the inlet. ``artery_pressure`` gauge Pa at the holes, ``viscosity`` (n,) Pa s, ``density`` kg/m3. Raises
    SolverStopped when no flow satisfies the step (an imposed flow into a line that is closed and cannot swell).
    """
    if not dt > 0.0 or viscosity.shape != line.area.shape:
        raise ValueError("a step needs dt > 0 and one viscosity a cell")
    side = side_port_flow if isinstance(side_port_flow, Characteristic) else _imposed(side_port_flow)
    network = Network(line, state, dt, (characteristic, side), artery_pressure, viscosity, density)
    network.solve()
    return _result(network)


def _imposed(flow_rate: float) -> Characteristic:
    return Characteristic(0.0, 1.0, flow_rate, flow_rate)


def inlet_pressure(line: Line, flow_rate: float, *, artery_pressure: float, viscosity: Floats, density: float) -> float:
    """Pressure (gauge Pa) at the inlet while ``flow_rate`` (m3/s) is pushed through the side port for long enough.

    Add the port's own loss to have the syringe's. Raises SolverStopped for a closed line.
    """
    _, flow = advance(
        line,
        rest_state(line, artery_pressure),
        inf,
        characteristic=NO_PUMP,
        side_port_flow=flow_rate,
        artery_pressure=artery_pressure,
        viscosity=viscosity,
        density=density,
    )
    return flow.inlet_pressure


def _result(network: Network) -> tuple[LineState, LineFlow]:
    """The solved step with closed books."""
    line, old = network.line, network.state
    step = Step(
        dt=network.dt,
        sources=network.source_flows(),
        holes=np.array(network.flow),
        widths=np.array([0.0 if isinf(slope) else 1.0 / slope for slope in network.slopes]),
        swelling=line.compliance * (network.pressure[1:] - network.start[1:]),
        closed=network.conductance == 0.0,
    )
    books = close_books(line, step)
    volume_start = line.rest_volume + line.compliance * old.pressure
    pockets = np.array([_pocket(network, i, float(q)) for i, q in enumerate(books.holes)]).reshape(-1, 3)
    flow = LineFlow(
        face_flow=books.faces,
        hole_flow=books.holes,
        volume_start=volume_start,
        volume_end=volume_start + books.swelling,
        pump_flow=float(books.sources[0]),
        side_port_flow=float(books.sources[1]),
        inlet_pressure=float(network.pressure[0]) + network.artery,
        pocket_pressure=pockets[:, 1],
        absorbed=pockets[:, 2],
    )
    return LineState(old.pressure + books.swelling / line.compliance, pockets[:, 0]), flow


def _pocket(network: Network, index: int, flow: float) -> tuple[float, float, float]:
    """Volume, pressure and absorbed flow of one hole's pocket after the step; (0, nan, 0) in an artery."""
    hole, dt = network.line.holes[index], network.dt
    if hole.outside != "pocket":
        return 0.0, nan, 0.0
    volume, pocket = float(network.state.pocket_volume[index]), hole.pocket
    source, series = pocket_terms(pocket, volume, dt)
    # A pocket that absorbs nothing is in the steady state at the lumen's pressure.
    lumen = float(network.pressure[hole.cell + 1]) + network.artery
    pressure = lumen if isinf(series) else source + series * flow
    absorbed = pocket.absorption * (pressure - pocket.rest_pressure)
    if not isinf(dt):
        return volume + dt * (flow - absorbed), pressure, absorbed
    if isinf(pocket.compliance):
        return volume, pressure, absorbed
    return pocket.compliance * (pressure - pocket.rest_pressure), pressure, absorbed
