"""Where drug from a tip goes, on meshes of several sizes: `python -m benchmarks.tips 6 8`, some minutes.

The tips of ``haiflow verify tip-in-a-y`` and more of them: by symmetry one on the axis sends half to each branch, and
one off it to the left what its mirror image sends to the right.
"""

from __future__ import annotations

import sys

from haiflow.verify.tip_in_y import CELLS, ROUND, answer, tip

TIPS = {
    **{f"square, {offset:+g} mm to the left": tip(offset) for offset in (0.6, 0.2, 0.1, 0.0, -0.1, -0.2, -0.6)},
    "bevelled": tip(shape="bevelled"), "closed, side holes": tip(holes=ROUND, shape="closed"),
}  # fmt: skip


def main(cells: list[float]) -> None:
    for name, end in TIPS.items():
        for across in cells:
            found = answer(end, across)
            for hole, *left in zip(found.holes, found.by_tracers, found.by_straight, found.split, strict=True):
                shares = "straying {:.3f}, straight {:.3f}, scalar {:.3f}".format(*(share[0] for share in left))
                print(f"{name}; {across:g} across, {len(found.region.tetra)} cells; {hole}: {shares}", flush=True)


if __name__ == "__main__":
    main([float(word) for word in sys.argv[1:]] or [6.0, CELLS])
