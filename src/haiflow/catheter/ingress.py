"""How much blood the pulse carries into the tip: the periodic response of the compliant line.

Over a cardiac cycle the lumen and its wall are linear, so each harmonic of the arterial pressure is one complex
tridiagonal solve with cell admittance ``i omega compliance``. The holes' quadratic loss is replaced by the slope that
fits it best over the cycle, ``cov(loss q |q|, q) / var(q)``, found by repetition (equivalent linearisation, as Lorentz
1926 for the friction of tides): ``8 / (3 pi) loss q_max`` for a sine, ``2 loss |q|`` about a large mean. A line of
0.15 uL/kPa takes 0.8 uL of blood in a pulse of 5.3 kPa and gives it back, some 65 times what a pump of 1.3 mL/day
delivers in the same beat.
"""

from __future__ import annotations

from math import inf, isinf, pi

import numpy as np
from numpy.typing import NDArray

from haiflow.catheter.hydraulics import advance, rest_state
from haiflow.catheter.line import Hole, Line
from haiflow.catheter.orifice import hole_terms
from haiflow.ports import Characteristic, Floats

Complexes = NDArray[np.complex128]
MIN_SAMPLES = 1024  # of the flow over a cycle, for the area below zero
MAX_ROUNDS, TOLERANCE = 16, 1e-4  # of the holes' linearisation, whose error halves at least with each round


def tip_ingress(
    line: Line,
    characteristic: Characteristic,
    artery_pressure: Floats,
    period: float,
    viscosity: Floats,
    density: float = 1004.0,
    mean_hole_flow: Floats | None = None,
) -> float:
    """Volume (m3) of blood that enters through tip and side holes in one cardiac cycle.

    ``artery_pressure`` (nt,) gauge Pa at equal steps over ``period`` (s), ``viscosity`` (n,) Pa s. ``mean_hole_flow``
    (n_holes,) m3/s outwards is the flow of the epoch; without it, that of the steady state.
    """
    if mean_hole_flow is None:
        mean_hole_flow = _steady_flow(line, characteristic, float(artery_pressure.mean()), viscosity, density)
    waves = hole_waves(line, characteristic, artery_pressure, period, viscosity, density, mean_hole_flow)
    into_artery = [hole.outside == "artery" for hole in line.holes]
    return float(np.clip(-waves[into_artery], 0.0, None).sum() * period / waves.shape[1])


def hole_waves(
    line: Line,
    characteristic: Characteristic,
    artery_pressure: Floats,
    period: float,
    viscosity: Floats,
    density: float,
    mean_hole_flow: Floats,
) -> Floats:
    """(n_holes, samples) m3/s outwards, at equal steps over the cycle; arguments as in :func:`tip_ingress`."""
    harmonics = np.fft.rfft(artery_pressure)
    omega: Floats = 2.0 * pi / period * np.arange(1, harmonics.size, dtype=np.float64)
    samples = max(MIN_SAMPLES, 4 * artery_pressure.size)
    terms = [hole_terms(hole, float(viscosity[hole.cell]), density) for hole in line.holes]
    slopes = [loss * 2.0 * abs(q) for (_, loss), q in zip(terms, mean_hole_flow, strict=True)]
    half = 0.5 * line.resistance_per_viscosity * viscosity
    lumen = _up_to_holes(line, half, *_lumen(line, characteristic, omega, half))
    for _ in range(MAX_ROUNDS):
        resistances = [resistance + slope for (resistance, _), slope in zip(terms, slopes, strict=True)]
        spectrum = np.zeros((len(terms), harmonics.size), dtype=np.complex128)
        spectrum[:, 1:] = _response(line, lumen, omega, half, resistances) * harmonics[1:]
        waves = np.fft.irfft(spectrum, samples) * (samples / artery_pressure.size) + mean_hole_flow[:, None]
        before, slopes = slopes, [_slope(k, q, s) for (_, k), q, s in zip(terms, waves, slopes, strict=True)]
        # A closed hole's resistance is infinite and allows any change.
        if all(abs(b - a) <= TOLERANCE * r for a, b, r in zip(before, slopes, resistances, strict=True)):
            break
    return waves


def _slope(loss: float, wave: Floats, before: float) -> float:
    """The linear resistance (Pa s/m3) that stands for ``loss q |q|`` over the flow ``wave`` (m3/s), half way from the
    one before: the full way, where the loss is all quadratic, would swing about the answer for ever."""
    swing = wave - wave.mean()
    power = float(swing @ swing)
    return 0.5 * (before + loss * float(swing @ (wave * np.abs(wave))) / power) if power > 0.0 else before


def _steady_flow(
    line: Line, characteristic: Characteristic, artery_pressure: float, viscosity: Floats, density: float
) -> Floats:
    _, flow = advance(
        line,
        rest_state(line, artery_pressure),
        inf,
        characteristic=characteristic,
        artery_pressure=artery_pressure,
        viscosity=viscosity,
        density=density,
    )
    return flow.hole_flow


def _up_to_holes(
    line: Line, half: Floats, diagonal: Complexes, known: Complexes
) -> tuple[int, Floats, Complexes, Complexes]:
    """The lumen's equations with the cells before the first hole eliminated: no hole plays a part in them, whatever it
    lets through. Gives the first hole's cell, and from there on the couplings, diagonal and right-hand side."""
    first, off = int(min(line.hole_cells)), -1.0 / (half[:-1] + half[1:])
    for i in range(1, first + 1):
        _eliminate(off, diagonal, known, i)
    return first, off[first:], diagonal[first:], known[first:]


def _response(
    line: Line,
    lumen: tuple[int, Floats, Complexes, Complexes],
    omega: Floats,
    half: Floats,
    resistances: list[float],
) -> Complexes:
    """(n_holes, n_omega) m3/(s Pa): outward flow of each hole for a unit of arterial pressure.

    Unknown is the lumen pressure less the arterial one, so that a line in step with its artery loses no digits.
    """
    first, off = lumen[:2]
    diagonal, known = lumen[2].copy(), lumen[3].copy()
    admittances, drives = [], []
    for i, hole in enumerate(line.holes):
        end = float(half[-1]) if hole.kind == "tip" else 0.0
        admittance = _admittance(hole, omega, resistances[i] + end)
        drive = -1.0 if hole.outside == "pocket" else 0.0
        diagonal[hole.cell - first] += admittance
        known[hole.cell - first] += admittance * drive
        admittances.append(admittance)
        drives.append(drive)
    pressure = _thomas(off, diagonal, known)
    cells = line.hole_cells
    flows = [y * (pressure[cell - first] - drive) for y, cell, drive in zip(admittances, cells, drives, strict=True)]
    return np.array(flows, dtype=np.complex128).reshape(-1, omega.size)


def _lumen(line: Line, characteristic: Characteristic, omega: Floats, half: Floats) -> tuple[Complexes, Complexes]:
    """Diagonal and right-hand side (n, n_omega) of the cells and the pump, before the holes; ``half`` as a cell's
    resistance to its middle."""
    conductance = 1.0 / (half[:-1] + half[1:])
    diagonal: Complexes = np.multiply(1j, omega * line.compliance[:, None], dtype=np.complex128)
    known: Complexes = np.negative(diagonal)
    diagonal[:-1] += conductance[:, None]
    diagonal[1:] += conductance[:, None]
    if isinf(characteristic.max_flow_rate):  # a gas drive yields; a roller does not
        pump = 1.0 / (characteristic.resistance + half[0])
        diagonal[0] += pump
        known[0] -= pump
    return diagonal, known


def _admittance(hole: Hole, omega: Floats, resistance: float) -> Complexes:
    """(n_omega,) m3/(s Pa) of a hole of ``resistance`` (Pa s/m3), a pocket's own yielding in series."""
    impedance = np.full(omega.size, resistance, dtype=np.complex128)
    if isinf(resistance):
        return np.zeros(omega.size, dtype=np.complex128)
    if hole.outside == "pocket" and not isinf(hole.pocket.compliance):
        impedance += 1.0 / (1j * omega * hole.pocket.compliance + hole.pocket.absorption)
    return 1.0 / impedance


def _thomas(off: Floats, diagonal: Complexes, known: Complexes) -> Complexes:
    """Symmetric tridiagonal systems, one a column of ``diagonal`` (n, m), ``off`` (n - 1,) common to all."""
    for i in range(1, diagonal.shape[0]):
        _eliminate(off, diagonal, known, i)
    known[-1] /= diagonal[-1]
    for i in range(diagonal.shape[0] - 2, -1, -1):
        known[i] = (known[i] - off[i] * known[i + 1]) / diagonal[i]
    return known


def _eliminate(off: Floats, diagonal: Complexes, known: Complexes, i: int) -> None:
    """Take row ``i - 1`` out of row ``i``, in place."""
    factor = off[i - 1] / diagonal[i - 1]
    diagonal[i] -= factor * off[i - 1]
    known[i] -= factor * known[i - 1]
