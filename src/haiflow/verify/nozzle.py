"""FDA's nozzle at a throat Reynolds number of 500: the code against the equations, and both against measurements.

The laboratories' velocities do not enclose the equations' own solution everywhere, so whether the equations are solved
is judged by that solution, computed by another method (``benchmarks/nozzle_reference.py``: axisymmetric Taylor-Hood
elements, Newton's method; 41 and 92 thousand unknowns differ by 1.4e-4 at most, the finer's are given). Each
place's note says where the laboratories, the solution and haiflow stand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haiflow.junction.ends import Inflow, Outlet, Symmetry, Wall, lay
from haiflow.junction.march import Flow
from haiflow.junction.steady import steady
from haiflow.mesh.extrude import extruded, region
from haiflow.mesh.region import Region
from haiflow.ports import Floats
from haiflow.verify.model import Curve, Figure, Plot, Rival, within
from haiflow.verify.shapes import disc

INNER, OUTER = 2e-3, 6e-3  # m, radii of throat and tube
FLOW_RATE, VISCOSITY = 5.206e-6, 3.5e-3 / 1056.0  # m3/s; m2/s
TOLERANCE = 0.01
UNIFORM = Rival("the throat's mean velocity, unchanged along the axis", FLOW_RATE / (np.pi * INNER**2))
LABORATORIES = {  # z (m) -> least and largest of five laboratories' velocities on the axis (m/s): Hariharan et al.
    # 2011, J Biomech Eng 133:041002, data in the public domain; one laboratory's outlier at 60 mm is left out
    -0.02: (0.658225, 0.714856), -0.008: (0.701546, 0.767931), 0.0: (0.709283, 0.753402), 0.008: (0.693031, 0.739767),
    0.016: (0.670976, 0.721108), 0.024: (0.651448, 0.677253), 0.032: (0.627678, 0.654146), 0.04: (0.610183, 0.637283),
    0.048: (0.598659, 0.628814), 0.06: (0.524967, 0.586956), 0.08: (0.416827, 0.513385),
}  # fmt: skip
PLACES = np.array(list(LABORATORIES))
SOLUTION = (  # m/s, of the equations, at the same places
    0.675811, 0.727040, 0.748534, 0.733324, 0.713960, 0.691017, 0.665470, 0.638476, 0.610898,
    0.569933, 0.504869,
)  # fmt: skip


def nozzle_mesh(n: int) -> Region:
    """A quarter of FDA's nozzle: 12 mm, cone to 4 mm, 40 mm of throat, sudden expansion to 12 mm at z = 0."""
    plane, triangles = disc(n, 0.2)
    ring_count = n + 2
    inner, outer = INNER, OUTER
    rim = plane[np.hypot(*plane.T) > 1.0 - 1e-9]
    rim = rim[np.argsort(np.arctan2(rim[:, 1], rim[:, 0]))]
    reach = 1.0 + (outer / inner - 1.0) * np.linspace(0.0, 1.0, ring_count + 1) ** 1.25
    circles = reach[:, None, None] * rim
    number = np.arange(circles.shape[0] * len(rim)).reshape(circles.shape[0], len(rim))
    a, b = number[:-1], np.roll(number, -1, axis=1)[:-1]
    c, d = np.roll(number, -1, axis=1)[1:], number[1:]
    quads = np.stack([a, b, c, d], axis=-1).reshape(-1, 4)
    points = np.concatenate([plane, circles.reshape(-1, 2)])
    both = np.concatenate([triangles, quads[:, [0, 1, 2]] + len(plane), quads[:, [0, 2, 3]] + len(plane)])
    _, first, same = np.unique(np.round(points, 9), axis=0, return_index=True, return_inverse=True)
    points, both = points[first], same.ravel()[both]
    middle = points[both].mean(axis=1)
    quarter = both[np.all(middle > 0.0, axis=1)]
    used, quarter = np.unique(quarter, return_inverse=True)
    return _drawn(points[used], quarter.reshape(-1, 3), inner)


def _drawn(plane: Floats, triangles: NDArray[np.int_], inner: float) -> Region:
    """The plane drawn out along the nozzle; upstream of the expansion the inner disc alone, as wide as the nozzle."""
    levels = np.concatenate([
        np.linspace(-0.075, -0.062685, 6)[:-1], np.linspace(-0.062685, -0.04, 20)[:-1],
        np.linspace(-0.04, -0.004, 24)[:-1], np.linspace(-0.004, 0.004, 13)[:-1],
        0.004 + 0.096 * np.linspace(0.0, 1.0, 70) ** 1.15,
    ])  # fmt: skip
    points, tetra = extruded(plane * inner, triangles, levels)
    middle = points[tetra].mean(axis=1)
    tetra = tetra[(middle[:, 2] > 0.0) | (np.hypot(middle[:, 0], middle[:, 1]) < inner)]
    widening = np.interp(points[:, 2], [-0.062685, -0.04], [3.0, 1.0])
    points[:, :2] *= np.where(points[:, 2] < 0.0, widening, 1.0)[:, None]
    used, corners = np.unique(tetra, return_inverse=True)
    return region(points[used], corners.reshape(-1, 4).astype(np.int32), [
        ("inlet", lambda c: c[:, 2] < levels[0] + 1e-9), ("outlet", lambda c: c[:, 2] > levels[-1] - 1e-9),
        ("x", lambda c: np.abs(c[:, 0]) < 1e-9), ("y", lambda c: np.abs(c[:, 1]) < 1e-9),
        ("wall", lambda c: np.ones(len(c), bool)),
    ])  # fmt: skip


def nozzle(n: int = 18) -> list[Figure | Plot]:
    """Velocity on the axis within ``TOLERANCE`` of the equations' solution; and, stated, within the laboratories'."""
    z, u = on_axis(n)
    found = np.interp(PLACES, z, u)
    figures = [within(f"velocity on the axis at z = {1e3 * place:g} mm (m/s)", value, exact, TOLERANCE,
                      standing(float(value), exact, LABORATORIES[place]))
               for place, value, exact in zip(LABORATORIES, found, SOLUTION, strict=True)]  # fmt: skip
    figures += [against_laboratories(place, float(value)) for place, value in zip(LABORATORIES, found, strict=True)]
    low, high = np.array(list(LABORATORIES.values())).T
    shown = (z > PLACES[0] - 1e-3) & (z < PLACES[-1] + 1e-3)
    curves = (Curve("five laboratories", 1e3 * PLACES, 0.5 * (low + high), True, low, high),
              Curve("solution of the equations", 1e3 * PLACES, np.array(SOLUTION), True),
              Curve("haiflow", 1e3 * z[shown], u[shown]))  # fmt: skip
    return [*figures, Plot("FDA's nozzle, velocity on the axis", "z (mm)", "m/s", curves)]


def against_laboratories(place: float, value: float) -> Figure:
    """A velocity against the spread of five laboratories: stated, since the equations' own solution is not inside."""
    low, high = LABORATORIES[place]
    return Figure(f"against five laboratories at z = {1e3 * place:g} mm (m/s)", value, low, high, None,
                  rivals=(UNIFORM,), stated=True)  # fmt: skip


def standing(value: float, exact: float, spread: tuple[float, float]) -> str:
    """Where a velocity and the equations' own solution stand to the laboratories' spread."""
    low, high = spread
    own, solution = (_beyond(each, low, high) for each in (value, exact))
    return f"laboratories {low:.3f} to {high:.3f}: haiflow {own}, the solution {solution}"


def _beyond(value: float, low: float, high: float) -> str:
    if low <= value <= high:
        return "inside"
    return f"{100 * (value / high - 1):.1f} % above" if value > high else f"{100 * (1 - value / low):.1f} % below"


def on_axis(n: int) -> tuple[Floats, Floats]:
    """Places on the axis and the velocity there, ``n`` cells from the axis to the throat's wall in a quarter."""
    mesh = nozzle_mesh(n)
    points = mesh.on("inlet")
    r = np.hypot(*mesh.points[points, :2].T)
    profile = np.zeros((len(points), 3))
    profile[:, 2] = 2.0 * FLOW_RATE / (np.pi * OUTER**2) * (1.0 - (r / OUTER) ** 2)
    ends = lay(mesh, {"inlet": Inflow(lambda _: profile), "outlet": Outlet(pressure=lambda _: 0.0), "wall": Wall(),
                      "x": Symmetry(0), "y": Symmetry(1)})  # fmt: skip
    flow = Flow(mesh, ends, VISCOSITY, 1e-3)
    state = steady(flow, flow.resting(), tolerance=1e-5, most=4000).state
    axis = np.flatnonzero(np.hypot(mesh.points[:, 0], mesh.points[:, 1]) < 1e-9)
    axis = axis[np.argsort(mesh.points[axis, 2])]
    return mesh.points[axis, 2], state.velocity[axis, 2]
