"""Makes the standard liver: an analytic shape, tetrahedra by gmsh, Couinaud segments by hepatic-vein planes.

Run from the root of the repository, ``python meshes/make_liver.py``; it writes ``meshes/liver-standard.vtu`` and the
copy that the package carries. Needs the extra ``mesh`` (gmsh) and ``viz`` (pyvista, for the surface). All in mm until
the file is written, which is in m. Frame: x to the patient's left, y to the back, z up, origin at the porta hepatis.

The shape is drawn after surgical anatomy (a right lobe under the right dome of the diaphragm, a thin left lobe over the
stomach, a caudate lobe before the vena cava, a visceral face hollowed by kidney, gall bladder, porta and stomach); it
is nobody's liver. Volume 1500 mL [wk], shares of the segments those of ``haiflow.liver`` [assumed].
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "meshes" / "liver-standard.vtu"
PACKAGED = ROOT / "src" / "haiflow" / "library" / "meshes" / "liver-standard.vtu"

VOLUME = 1.5e6  # mm3
FRACTIONS = (0.035, 0.075, 0.095, 0.140, 0.130, 0.090, 0.175, 0.260)
WORST = 0.15  # mean-ratio quality that no tetrahedron may fall below
EDGE = 7.0  # mm, length of a tetrahedron's edge
VENA_CAVA = np.array([4.0, 50.0])  # x, y of its axis
GALL_BLADDER = np.array([-36.0, -62.0])  # x, y of its fundus


def ellipsoid(p: np.ndarray, centre: tuple, axes: tuple) -> np.ndarray:
    """Signed distance, nearly: negative inside."""
    q = (p - np.array(centre)) / np.array(axes)
    r = np.sqrt((q**2).sum(-1))
    gradient = np.sqrt(((q / np.array(axes)) ** 2).sum(-1))
    return r * (r - 1.0) / np.maximum(gradient, 1e-9)


def capsule(p: np.ndarray, a: tuple, b: tuple, radius: float) -> np.ndarray:
    a, b = np.array(a, float), np.array(b, float)
    t = np.clip(((p - a) @ (b - a)) / ((b - a) @ (b - a)), 0.0, 1.0)
    return np.linalg.norm(p - a - t[..., None] * (b - a), axis=-1) - radius


def union(f: np.ndarray, g: np.ndarray, blend: float) -> np.ndarray:
    """Smooth minimum (polynomial of Quilez), rounded over ``blend`` mm."""
    h = np.maximum(blend - np.abs(f - g), 0.0) / blend
    return np.minimum(f, g) - 0.25 * blend * h**2


def without(f: np.ndarray, g: np.ndarray, blend: float) -> np.ndarray:
    return -union(-f, g, blend)


def rise(x: np.ndarray, start: float, end: float) -> np.ndarray:
    t = np.clip((x - start) / (end - start), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def visceral_height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Height of the visceral face: low at the right, the porta in the middle, rising over the stomach to the left."""
    right = -84.0 + 74.0 * rise(x, -70.0, 8.0)
    back = (0.14 + 0.16 * rise(x, -20.0, 50.0)) * np.clip(y + 45.0, -40.0, 90.0)
    return right + back + 0.14 * np.maximum(x - 14.0, 0.0)


def shape(p: np.ndarray) -> np.ndarray:
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


def surface(spacing: float = 2.5):
    """The zero level as a closed triangulated surface (pyvista), remeshed evenly by gmsh later."""
    import pyvista

    grid = pyvista.ImageData(dimensions=(100, 76, 84), spacing=(spacing,) * 3, origin=(-112, -95, -115))
    grid["shape"] = shape(grid.points)
    level = grid.contour([0.0], scalars="shape", method="flying_edges").connectivity("largest")
    # Marching leaves needles; without them gmsh makes no slivers.
    return level.extract_surface(algorithm="dataset_surface").smooth_taubin(n_iter=30, pass_band=0.05)


def tetrahedra(triangles) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 3) in mm and tetrahedra (m, 4) inside the surface."""
    import gmsh

    gmsh.initialize()
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "liver.stl"
            triangles.save(path)
            gmsh.merge(str(path))
        gmsh.model.mesh.classifySurfaces(np.pi, True, True, np.pi)
        gmsh.model.mesh.createGeometry()
        loop = gmsh.model.geo.addSurfaceLoop([tag for _, tag in gmsh.model.getEntities(2)])
        gmsh.model.geo.addVolume([loop])
        gmsh.model.geo.synchronize()
        for name, value in (("MeshSizeMin", EDGE), ("MeshSizeMax", EDGE), ("Optimize", 1), ("OptimizeNetgen", 1)):
            gmsh.option.setNumber(f"Mesh.{name}", value)
        gmsh.model.mesh.generate(3)
        return collected(gmsh)
    finally:
        gmsh.finalize()


def collected(gmsh) -> tuple[np.ndarray, np.ndarray]:
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    _, _, connectivity = gmsh.model.mesh.getElements(3)
    number = np.zeros(int(tags.max()) + 1, dtype=int)
    number[tags.astype(int)] = np.arange(tags.size)
    cells = number[connectivity[0].astype(int)].reshape(-1, 4)
    used, cells = np.unique(cells, return_inverse=True)
    return coordinates.reshape(-1, 3)[used], cells.reshape(-1, 4)


def volumes(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    a, b, c, d = points[cells].transpose(1, 0, 2)
    return np.einsum("ij,ij->i", b - a, np.cross(c - a, d - a)) / 6.0


def quality(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Mean ratio: 1 regular, 0 flat (Liu & Joe 1994)."""
    corners = points[cells]
    first, second = np.triu_indices(4, 1)
    edges = ((corners[:, first] - corners[:, second]) ** 2).sum(axis=(1, 2))
    return 12.0 * (3.0 * np.abs(volumes(points, cells))) ** (2.0 / 3.0) / edges


def below(field: np.ndarray, volume: np.ndarray, among: np.ndarray, wanted: float) -> np.ndarray:
    """The cells of ``among`` with the lowest ``field`` whose volumes sum to ``wanted``: a plane put in its place."""
    order = np.flatnonzero(among)[np.argsort(field[among], kind="stable")]
    filled = np.cumsum(volume[order]) - 0.5 * volume[order]
    chosen = np.zeros(field.size, dtype=bool)
    chosen[order[filled <= wanted]] = True
    return chosen


def segments(centre: np.ndarray, volume: np.ndarray) -> np.ndarray:
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


def main() -> None:
    import meshio

    points, cells = tetrahedra(surface())
    volume = volumes(points, cells)
    cells[volume < 0] = cells[volume < 0][:, [0, 2, 1, 3]]
    volume = np.abs(volume)
    print(f"{len(cells)} tetrahedra, {volume.sum() / 1e3:.0f} mL as drawn, extent {np.ptp(points, axis=0).round(0)} mm")
    worst = quality(points, cells).min()
    if worst < WORST:
        raise SystemExit(f"a tetrahedron of quality {worst:.3g}: smooth the surface or change the edge length")
    label = segments(points[cells].mean(axis=1), volume)
    scale = (VOLUME / volume.sum()) ** (1.0 / 3.0)
    print("scaled by", round(scale, 4), "shares", (np.bincount(label, volume)[1:] / volume.sum()).round(4))
    blocks = [("tetra", cells.astype(np.int32))]
    mesh = meshio.Mesh(points * scale * 1e-3, blocks, cell_data={"couinaud_segment": [label]})
    meshio.write(OUTPUT, mesh, binary=True, compression="zlib")
    PACKAGED.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(OUTPUT, PACKAGED)
    print(f"{OUTPUT.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
