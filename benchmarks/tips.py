"""Where tracers from a tip's hole go, on meshes of several sizes: `python -m benchmarks.tips 6 9`, some minutes.

A parent of 4.2 mm with 4 mL/s parts into two of 3 mm at 0.6 rad to both sides; the tip of 1.2 mm ends 8 mm before. By
symmetry one on the axis sends half to each, and one off it to the left what its mirror image sends to the right.
"""

from __future__ import annotations

import sys
from math import pi

from haiflow.junction.ends import Inflow, Outlet, Wall, lay
from haiflow.junction.geometry import Branch, Hole, Shape, Tip
from haiflow.junction.march import Flow
from haiflow.junction.outline import build
from haiflow.junction.profiles import developed
from haiflow.junction.releases import release
from haiflow.junction.steady import steady
from haiflow.junction.streaming import STRAYING

MM = 1e-3
BRANCHES = (Branch("left", 3.0 * MM, 0.6), Branch("right", 3.0 * MM, -0.6))
BLOOD, INFUSED, VISCOSITY, TRACERS = 4e-6, 1.2e-11, 3.8e-3 / 1060.0, 2000  # m3/s, m3/s, m2/s
FRONT = (Hole("hole:tip", 0.5 * MM),)
ROUND = tuple(Hole(f"hole:{name}", 0.4 * MM, 1.0 * MM, k * pi / 2.0)
              for k, name in enumerate(("left", "front", "right", "back")))  # fmt: skip


def tip(offset: float = 0.0, holes: tuple[Hole, ...] = FRONT, shape: str = "square") -> Tip:
    return Tip(1.2 * MM, holes, (offset * MM, 0.0, -8.0 * MM), shape=shape)


TIPS = {
    **{f"square, {offset:+g} mm to the left": tip(offset) for offset in (0.6, 0.2, 0.1, 0.0, -0.1, -0.2, -0.6)},
    "bevelled": tip(shape="bevelled"), "closed, side holes": tip(holes=ROUND, shape="closed"),
}  # fmt: skip


def shares_left(end: Tip, cells: float) -> list[tuple[str, float, float]]:
    """By hole: its name, and the share that goes left by tracers that stray and by straight ones."""
    mesh = build(Shape(4.2 * MM, 16.0 * MM, 4.2 * MM, BRANCHES, end, cells=cells))
    holes, ways = tuple(hole.name for hole in end.holes), tuple(branch.name for branch in BRANCHES)
    given = {"vessel": Wall(), "catheter": Wall(), "inlet": Inflow(developed(mesh, "inlet", BLOOD))}
    given |= {name: Inflow(developed(mesh, name, INFUSED / len(holes))) for name in holes}
    given |= {name: Outlet(pressure=lambda _: 0.0) for name in ways}
    flow = Flow(mesh, lay(mesh, given), VISCOSITY, 1.0)
    velocity, found = steady(flow, flow.resting()).state.velocity, []
    for straying in (STRAYING, 0.0):
        sent = release(mesh, holes, velocity, TRACERS)
        sent.straying = straying
        sent.carry(0.0, 100.0, velocity, velocity, ways)
        found.append(sent.shares(len(holes), ways)[:, 0])
    return list(zip(holes, *map(list, found), strict=True))


def main(cells: list[float]) -> None:
    for name, end in TIPS.items():
        for across in cells:
            for hole, *left in shares_left(end, across):
                both = "straying {:.3f}, straight {:.3f}".format(*left)
                print(f"{name}; {across:g} across; {hole}: {both}", flush=True)


if __name__ == "__main__":
    main([float(word) for word in sys.argv[1:]] or [6.0, 9.0])
