"""The line against closed forms: losses, side holes, the pulse; and the table of the catheter's cases."""

from __future__ import annotations

from math import pi

import numpy as np

from haiflow.catheter.hydraulics import inlet_pressure, rest_state
from haiflow.catheter.ingress import hole_waves, tip_ingress
from haiflow.catheter.line import Kink, Line, Segment, SideHole, Tip, build_line
from haiflow.faults.occlusion import occlude_hole
from haiflow.ports import Characteristic, Floats
from haiflow.verify import catheter_faults, lumen
from haiflow.verify.line import (
    ARTERY,
    BORE,
    DENSITY,
    DRIVE,
    GAS,
    LENGTH,
    RATE,
    RESTRICTOR,
    SALINE,
    WALL,
    catheter,
    root,
    steady,
    step,
)
from haiflow.verify.model import Case, Curve, Figure, Found, Plot, at_most, within


def basal() -> Found:
    """Hagen-Poiseuille, half of Sampson's term at the open end, and the jet, by hand."""
    line = catheter()
    flow = steady(line)
    resistance = RESTRICTOR + SALINE * (128 * LENGTH / (pi * BORE**4) + 12 / BORE**3)
    known = root(resistance, DENSITY / 2 / (pi / 4 * BORE**2) ** 2, DRIVE)
    return [
        within("flow out of the tip, m3/s", flow.hole_flow[0], known, 1e-9),
        within("pressure loss, Pa", flow.inlet_pressure - ARTERY, 1.656, 1e-3),
        within("transit, h", line.dead_volume / flow.hole_flow[0] / 3600.0, 2.61, 1e-3),
    ]


def any_cells() -> Found:
    """Tube, cone and kink in series, on 3, 64 and 400 cells."""
    parts = [Segment(0.4, 0.6e-3, 2.3e-3), Segment(0.1, 0.6e-3, 2.3e-3, 0.3e-3, 1.2e-3)]
    found = []
    for cells in (3, 64, 400):
        line = build_line(0.5, 0.6e-3, 2.3e-3, segments=parts, kinks=[Kink(0.2, 0.9, 0.01)], tip=Tip("x"),
                          n_cells=cells)  # fmt: skip
        cone = 128 * 0.1 / (3 * pi * 0.3e-3) * (0.3e-3**-3 - 0.6e-3**-3)
        tube, end = 128 * (0.4 + 0.01 * 99) / (pi * 0.6e-3**4), line.holes[0].diameter
        loss = RATE * SALINE * (cone + tube + 12 / end**3) + DENSITY / 2 * (RATE / (pi / 4 * end**2)) ** 2
        pressure = steady(line, source=Characteristic(1e9, 1e9 / RATE)).inlet_pressure - ARTERY
        note = "the source gives its rate to 1e-5"
        found.append(within(f"pressure loss on {cells} cells, Pa", pressure, loss, 2e-5, note))
    return found


def bolus() -> Found:
    """1 mL/s by hand: 110 kPa of friction, the jet beside it."""
    pressure = inlet_pressure(catheter(), 1e-6, artery_pressure=0.0, viscosity=np.full(64, SALINE), density=DENSITY)
    jet = DENSITY / 2 * (1e-6 / (pi / 4 * BORE**2)) ** 2
    friction = 1e-6 * SALINE * (128 * LENGTH / (pi * BORE**4) + 12 / BORE**3)
    return [
        within("pressure for 1 mL/s, kPa", 1e-3 * pressure, 1e-3 * (friction + jet), 1e-6),
        within("of which friction, against the rule of thumb, kPa", 1e-3 * (pressure - jet), 110.0, 0.01),
    ]


def side_holes() -> Found:
    """A closed tip with two holes a long way apart: the ladder by hand, creeping flow."""
    holes = [SideHole("near", 0.01, 0.2e-3), SideHole("far", 0.30, 0.2e-3)]
    line = build_line(LENGTH, BORE, BORE + 2 * WALL, side_holes=holes, tip=Tip("x", closed_end=True), n_cells=50)
    flow = steady(line, density=1e-9)
    between = SALINE * 128 * (line.hole_cells[0] - line.hole_cells[1]) * 0.01 / (pi * BORE**4)
    hole = SALINE * (128 * WALL / (pi * 0.2e-3**4) + 24 / 0.2e-3**3)
    near, far = flow.hole_flow
    return [
        within("near hole over far hole", near / far, hole / (hole + between), 1e-9),
        within("both, of the pump's", (near + far) / flow.pump_flow, 1.0, 1e-14),
        at_most("flow at the closed end, m3/s", flow.face_flow[-1], 0.0),
    ]


def pulse() -> Found:
    """The line follows the artery: a rise takes in compliance times its height, less what the pump gives meanwhile."""
    swing, line, period = 5.3e3, catheter(), 60 / 70
    wave = ARTERY + 0.5 * swing * np.sin(2 * pi * np.arange(100) / 100)
    found = tip_ingress(line, GAS, wave, period, np.full(64, SALINE))
    return [
        within("blood drawn into the tip a beat, uL", 1e9 * found, 1e9 * line.compliance.sum() * swing, 0.02),
        within("the same against the rule of thumb, uL", 1e9 * found, 0.8, 0.05),
        within("over what the pump gives in a beat", found / (RATE * period), 65.0, 0.1),
    ]


def yielding_pump() -> Found:
    """A drive of small resistance on a stiff line: the pulse runs through the line into the pump, in phase."""
    swing = 2e3 * np.sin(2 * pi * np.arange(256) / 256)
    resistance = 1e11 + SALINE * (128 * LENGTH / (pi * BORE**4) + 12 / BORE**3)
    waves = hole_waves(catheter(wall_modulus=1e13), Characteristic(ARTERY, 1e11), ARTERY + swing, 0.8,
                       np.full(64, SALINE), 1e-9, np.zeros(1))  # fmt: skip
    error = np.abs(waves[0, ::4] * resistance / 2e3 + swing / 2e3).max()
    return [at_most("flow at the tip over the beat, largest error, of its amplitude", error, 2e-7)]


def _marched(line: Line, nt: int, period: float) -> tuple[Floats, Floats]:
    """Pressure in the artery and flow at the tip over the fifth beat, marched."""
    phase = 2 * pi * np.arange(nt) / nt
    wave = ARTERY + 2e3 * np.sin(phase) + 800.0 * np.cos(2 * phase)
    state, flows = rest_state(line, ARTERY), []
    for k in range(5 * nt):
        state, flow = step(line, state, period / nt, artery=wave[(k + 1) % nt])
        flows.append(flow.hole_flow[0])
    return wave, np.array(flows[-nt:])


def pulse_by_marching() -> Found:
    """Harmonics against steps through five beats, extrapolated; a constriction shifts phase and amplitude."""
    line, period = occlude_hole(catheter(), "tip", 0.98), 60 / 70
    marched = {nt: _marched(line, nt, period) for nt in (200, 400)}
    coarse, fine = (-np.minimum(flow, 0.0).sum() * period / nt for nt, (_, flow) in marched.items())
    wave, flow = marched[400]
    found = tip_ingress(line, GAS, wave, period, np.full(64, SALINE))
    harmonic = hole_waves(line, GAS, wave, period, np.full(64, SALINE), DENSITY, np.full(1, RATE))[0]
    clock = np.arange(1, 401) / 400
    return [
        Figure("ingress, of a line that follows the artery at once", found / (line.compliance.sum() * np.ptp(wave)),
               0.0, 0.8),
        within("ingress a beat, uL", 1e9 * found, 1e9 * (2 * fine - coarse), 4e-3, "the discharge loss is linearised"),
        Plot("The pulse at a narrowed tip", "beat", "flow out of the tip / (µL/s)",
             (Curve("harmonics", np.arange(len(harmonic)) / len(harmonic), 1e9 * (harmonic + RATE)),
              Curve("marched", clock, 1e9 * flow, known=True))),
    ]  # fmt: skip


CATHETER = (
    Case("basal", "loss and transit at 1.3 mL/day", "by hand (Poiseuille, Sampson)", basal),
    Case("any-cells", "tube, cone and kink on any cells", "by hand", any_cells),
    Case("bolus", "pressure of a bolus", "by hand", bolus),
    Case("side-holes", "share of two side holes", "by hand", side_holes),
    Case("pulse", "blood drawn into the tip by the pulse", "by hand", pulse),
    Case("pulse-marched", "the same by harmonics and by steps", "Richardson extrapolation", pulse_by_marching),
    Case("yielding-pump", "the pulse in a pump that yields", "exact", yielding_pump),
    Case("charging", "a blocked line charges", "exact (first mode)", catheter_faults.charging),
    Case("charging-by-steps", "the same step by step", "exact (backward Euler)", catheter_faults.charging_by_steps),
    Case("roller-blocked", "a roller on a blocked line", "exact", catheter_faults.roller_on_a_blocked_line),
    Case("leak", "a leak into open tissue", "exact", catheter_faults.leak_by_hand),
    Case("leak-pocket", "a leak into a pocket that fills", "exact", catheter_faults.leak_into_a_pocket),
    Case("leak-all", "the hole that takes all of the infusate", "by hand", catheter_faults.hole_that_takes_all,
         limits="the hole is round with a sharp edge; a tear is not"),
    Case("tip-closed", "a tip that is nearly closed", "by hand", catheter_faults.tip_nearly_closed,
         limits="a plug of fixed length; no clot's permeability"),
    Case("residence", "residence time and its spread", "Levenspiel & Smith 1957, Chem Eng Sci 6:227", lumen.residence),
    Case("front", "a front with dispersion", "Lindstrom et al. 1967; Taylor 1953; Aris 1956", lumen.front_profile),
    Case("convection", "dispersion before there is time to diffuse",
         "Gill & Sankarasubramanian 1970, Proc R Soc A 316:341", lumen.convection),
)  # fmt: skip
