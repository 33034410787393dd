"""The standard liver as a shape: an implicit function for its outside, planes of hepatic veins for its segments.

All in mm. Frame: x to the patient's left, y to the back, z up, origin at the porta hepatis. The shape is drawn after
surgical anatomy (a right lobe under the right dome of the diaphragm, a thin left lobe over the stomach, a caudate lobe
before the vena cava, a visceral face hollowed by kidney, gall bladder, porta and stomach); it is nobody's liver. Volume
1500 mL [wk], shares of the segments those of ``haiflow.liver`` [assumed].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haiflow.ports import Floats

Point = tuple[float, float, float]
Mask = NDArray[np.bool_]

VOLUME = 1.5e6  # mm3
FRACTIONS = (0.035, 0.075, 0.095, 0.140, 0.130, 0.090, 0.175, 0.260)
VENA_CAVA = np.array([4.0, 50.0])  # x, y of its axis
GALL_BLADDER = np.array([-36.0, -62.0])  # x, y of its fundus


def ellipsoid(p: Floats, centre: Point, axes: Point) -> Floats:
    """Signed distance, nearly: negative inside."""
    q = (p - np.array(centre)) / np.array(axes)
    r = np.sqrt((q**2).sum(-1))
    gradient = np.sqrt(((q / np.array(axes)) ** 2).sum(-1))
    return np.asarray(r * (r - 1.0) / np.maximum(gradient, 1e-9))


def capsule(p: Floats, a: Point, b: Point, radius: float) -> Floats:
    """Signed distance from the line a to b, less ``radius``."""
    start, along = np.array(a, float), np.array(b, float) - np.array(a, float)
    t = np.clip(((p - start) @ along) / (along @ along), 0.0, 1.0)
    return np.asarray(np.linalg.norm(p - start - t[..., None] * along, axis=-1) - radius)


def union(f: Floats, g: Floats, blend: float) -> Floats:
    """Smooth minimum (polynomial of Quilez), rounded over ``blend`` mm."""
    h = np.maximum(blend - np.abs(f - g), 0.0) / blend
    return np.asarray(np.minimum(f, g) - 0.25 * blend * h**2)


def without(f: Floats, g: Floats, blend: float) -> Floats:
    return -union(-f, g, blend)


def rise(x: Floats, start: float, end: float) -> Floats:
    t = np.clip((x - start) / (end - start), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


def visceral_height(x: Floats, y: Floats) -> Floats:
    """Height of the visceral face: low at the right, the porta in the middle, rising over the stomach to the left."""
    right = -84.0 + 74.0 * rise(x, -70.0, 8.0)
    back = (0.14 + 0.16 * rise(x, -20.0, 50.0)) * np.clip(y + 45.0, -40.0, 90.0)
    return np.asarray(right + back + 0.14 * np.maximum(x - 14.0, 0.0))


def shape(p: Floats) -> Floats:
    """The liver's implicit function, negative inside, for points (..., 3) in mm."""
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    f = ellipsoid(p, (-32, 4, -18), (67, 71, 90))
    f = union(f, ellipsoid(p, (34, -27, 0), (80, 45, 52)), 45.0)
    f = without(f, 0.85 * (z - visceral_height(x, y)), 12.0)
    f = without(f, ellipsoid(p, (98, 40, -10), (64, 60, 60)), 14.0)  # stomach
    f = without(f, ellipsoid(p, (-34, 68, -66), (38, 30, 52)), 16.0)  # right kidney
    f = without(f, ellipsoid(p, (42, 74, 0), (40, 38, 120)), 14.0)  # spine and crura
    f = union(f, ellipsoid(p, (9, 24, 10), (19, 18, 32)), 16.0)  # caudate lobe
    f = without(f, capsule(p, (*VENA_CAVA, -90), (*VENA_CAVA, 90), 12.0), 5.0)
    f = without(f, capsule(p, (-16, -8, -24), (-35, -64, -62), 13.0), 12.0)  # gall bladder
    f = without(f, capsule(p, (-22, 4, -13), (14, 2, -11), 8.0), 8.0)  # porta
    return without(f, capsule(p, (20, -20, -10), (26, -80, -16), 7.0), 8.0)  # umbilical fissure


def below(field: Floats, volume: Floats, among: Mask, wanted: float) -> Mask:
    """The cells of ``among`` with the lowest ``field`` whose volumes sum to ``wanted``: a plane put in its place."""
    order = np.flatnonzero(among)[np.argsort(field[among], kind="stable")]
    filled = np.cumsum(volume[order]) - 0.5 * volume[order]
    chosen = np.zeros(field.size, dtype=bool)
    chosen[order[filled <= wanted]] = True
    return chosen


def segments(centre: Floats, volume: Floats) -> NDArray[np.int32]:
    """Couinaud segments 1 to 8 of cells with centres (m, 3) in mm."""
    x, y, z = centre.T
    share = {k: f * volume.sum() for k, f in enumerate(FRACTIONS, start=1)}
    label = np.zeros(x.size, dtype=np.int32)
    rest = np.ones(x.size, dtype=bool)
    label[below(ellipsoid(centre, (9, 27, 9), (20, 20, 34)), volume, rest, share[1])] = 1
    rest = label == 0
    # Middle hepatic vein: the plane through vena cava and gall bladder (Cantlie).
    line = GALL_BLADDER - VENA_CAVA
    cantlie = (x - VENA_CAVA[0]) * -line[1] + (y - VENA_CAVA[1]) * line[0]
    right = below(cantlie, volume, rest, sum(share[k] for k in (5, 6, 7, 8)))
    left = rest & ~right
    # Umbilical fissure and falciform ligament: a plane from the left hepatic vein forward and a little to the left.
    label[below(x + 0.12 * y, volume, left, share[4])] = 4
    lateral = left & (label == 0)
    label[below(-z - 0.9 * y + 0.25 * x, volume, lateral, share[2])] = 2
    label[lateral & (label == 0)] = 3
    # Right hepatic vein: a plane that turns about the vena cava; the posterior section lies behind it.
    angle = np.arctan2(x - VENA_CAVA[0], -(y - VENA_CAVA[1]))
    posterior = below(angle, volume, right, share[6] + share[7])
    anterior = right & ~posterior
    # Level of the right portal branches, tilted down to the right.
    level = z + 0.15 * x
    for section, low, high in ((posterior, 6, 7), (anterior, 5, 8)):
        lower = below(level, volume, section, share[low])
        label[lower], label[section & ~lower] = low, high
    return label
