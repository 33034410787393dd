"""Networks of the benchmark of one-dimensional solvers: parameters and inflows, as published.

Boileau et al. 2015, Int J Numer Methods Biomed Eng 31:e02732: a single pulse in a long tube, the common carotid artery,
the upper thoracic aorta and the aortic bifurcation into the iliac arteries. The inflows of the three arteries are the
Fourier series of Xiao, Alastruey & Figueroa 2014, Int J Numer Methods Biomed Eng 30:204 (appendix): period (s), mean,
then amplitude and phase of each harmonic, ``Q = mean + sum a_k sin(2 pi k t / T + phi_k)``, here in mL/s. Walls have
``beta = 4/3 sqrt(pi) E h`` over the area at diastolic pressure, whose radius is given: 82 mmHg in the carotid, 71 in
the others. (Decks for other solvers have a thickness at pressure zero instead, and walls up to 13 % stiffer.) The
published curves are a supplement of the paper and are not part of this project.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from haiflow.arteries.simple import network
from haiflow.arteries.tree import Inlet, Outlet, Tree
from haiflow.arteries.tube_law import stiffness_from_wall
from haiflow.ports import Floats, Fluid

SAMPLES = 1024
MMHG = 133.322  # Pa
DIASTOLIC, DIASTOLIC_OF_AORTAS = 82.0 * MMHG, 71.0 * MMHG

CAROTID = (1.1, 6.5, (
    (3.294, -0.023974), (1.9262, -1.1801), (-1.4219, 0.92701), (-0.66627, -0.24118), (-0.33933, -0.27471),
    (-0.37914, -1.0557), (0.22396, 1.22), (0.1507, 1.0984), (0.18735, 0.067483), (0.038625, 0.22262),
    (0.012643, -0.10093), (-0.0042453, -1.1044), (-0.012781, -1.3739), (0.014805, 1.2797), (0.012249, 0.80827),
    (0.0076502, 0.40757), (0.0030692, 0.195), (-0.0012271, -1.1371), (-0.0042581, -0.92102), (-0.0069785, -1.2364),
    (0.0085652, 1.4539), (0.0081881, 0.89599), (0.0056549, 0.17623), (0.0026358, -1.3003), (-0.0050868, -0.011056),
    (-0.0085829, -0.86463),
))  # fmt: skip
AORTA = (0.955, 103.085, tuple((500.0 * a, phase) for a, phase in (
    (0.37759, 0.59605), (0.2804, -0.35859), (0.15337, -1.2509), (-0.049889, 1.3921), (0.038107, -1.1068),
    (-0.041699, 1.3985), (-0.020754, 0.72921), (0.013367, -1.5394), (-0.021983, 0.95617), (-0.013072, -0.022417),
    (0.0037028, -1.4146), (-0.013973, 0.77416), (-0.012423, -0.46511), (0.0040098, 0.95145), (-0.0059704, 0.86369),
    (-0.0073439, -0.64769), (0.0037006, 0.74663), (-0.0032069, 0.85926), (-0.0048171, -1.0306), (0.0040403, 0.28009),
    (-0.0032409, 1.202), (-0.0032517, -0.93316), (0.0029112, 0.21405), (-0.0022708, 1.1869), (-0.0021566, -1.1574),
    (0.0025511, -0.12915), (-0.0024448, 1.1185), (-0.0019032, -0.99244), (0.0019476, -0.059885), (-0.0019477, 1.1655),
    (-0.0014545, -0.85829), (0.0013979, 0.042912), (-0.0014305, 1.2439), (-0.0010775, -0.79464),
    (0.0010368, -0.0043058), (-0.0012162, 1.211), (-0.00095707, -0.66203),
    (0.00077733, 0.25642), (-0.00092407, 1.3954), (-0.00079585, -0.49973),
)))  # fmt: skip
BIFURCATION = (1.1, 7.9853, (
    (26.617, 0.29498), (23.616, -1.1403), (-19.016, 0.40435), (-8.5899, -1.1892), (-2.436, -1.4918),
    (1.4905, 1.0536), (1.3581, -0.47666), (-0.63031, 0.93768), (-0.45335, -0.79472), (-0.45184, -1.4095),
    (-0.56583, -1.3629), (0.49522, 0.52495), (0.13049, -0.97261), (-0.041072, -0.15685), (-0.24182, -1.4052),
    (-0.066217, -1.3785), (-0.15511, -1.2927), (0.22149, 0.68178), (0.067621, -0.98825), (0.10973, 1.4327),
    (-0.025559, -1.2372), (-0.035079, 0.2328),
))  # fmt: skip


def inflow(series: tuple[float, float, tuple[tuple[float, float], ...]]) -> Inlet:
    """The inlet (m3/s) of a Fourier series."""
    period, mean, harmonics = series
    turn = 2.0 * np.pi * np.arange(SAMPLES) / SAMPLES
    values = mean + sum(a * np.sin((k + 1) * turn + phase) for k, (a, phase) in enumerate(harmonics))
    return Inlet("n0", "flow_rate", period, 1e-6 * np.asarray(values))


def tree(
    links: list[tuple[int, int]],
    length: list[float],
    radius: list[float],
    modulus: list[float],
    thickness: list[float],
    diastolic: float,
    inlet: Inlet,
    outlets: dict[str, Outlet],
    blood: Fluid,
    profile: float,
) -> Tree:
    """Straight vessels with walls of a modulus (Pa) and thickness (m), a radius (m) at the pressure ``diastolic`` (Pa).

    ``p = diastolic + beta / A_d (sqrt(A) - sqrt(A_d))``, brought to the area A0 of pressure zero.
    """
    A_d = np.pi * np.array(radius) ** 2
    slope = stiffness_from_wall(np.array(modulus), np.array(thickness)) / A_d
    A0 = (np.sqrt(A_d) - diastolic / slope) ** 2
    beta: Floats = slope * A0
    speed = np.sqrt(beta * np.sqrt(A0) / (2.0 * blood.density * A0))
    made = network(links, np.array(length), np.sqrt(A0 / np.pi), speed, inlet, outlets, blood=blood,
                   velocity_profile=profile)  # fmt: skip
    return replace(made, beta_start=beta, beta_end=beta)


def single_pulse(viscosity: float, height: float = 1e-6, period: float = 2.0) -> Tree:
    """10 m of tube of radius 1 cm, E 400 kPa, h 1.5 mm; ``Q = height exp(-1e4 (t - 0.05)^2)`` (m3/s) comes in."""
    time = period * np.arange(8192) / 8192
    inlet = Inlet("n0", "flow_rate", period, height * np.exp(-1e4 * (time - 0.05) ** 2))
    return tree([(0, 1)], [10.0], [1e-2], [400e3], [1.5e-3], 0.0, inlet, {"n1": Outlet(reflection=0.0)},
                Fluid(1050.0, viscosity), 9.0)  # fmt: skip


def common_carotid() -> Tree:
    return tree([(0, 1)], [0.126], [3e-3], [700e3], [0.3e-3], DIASTOLIC, inflow(CAROTID),
                {"n1": Outlet(2.4875e8, 1.8697e9, 1.7529e-10)}, Fluid(1060.0, 4e-3), 2.0)  # fmt: skip


def thoracic_aorta() -> Tree:
    return tree([(0, 1)], [0.24137], [12e-3], [400e3], [1.2e-3], DIASTOLIC_OF_AORTAS, inflow(AORTA),
                {"n1": Outlet(1.1752e7, 1.1167e8, 1.0163e-8)}, Fluid(1060.0, 4e-3), 9.0)  # fmt: skip


def iliac_bifurcation() -> Tree:
    bed = Outlet(6.8123e7, 3.1013e9, 3.6664e-10)
    return tree([(0, 1), (1, 2), (1, 3)], [0.086, 0.085, 0.085], [8.6e-3, 6e-3, 6e-3],
                [500e3, 700e3, 700e3], [1.032e-3, 0.72e-3, 0.72e-3], DIASTOLIC_OF_AORTAS, inflow(BIFURCATION),
                {"n2": bed, "n3": bed}, Fluid(1060.0, 4e-3), 9.0)  # fmt: skip
