"""Tetrahedra made by gmsh: the standard liver in any size, a closed surface, a label volume.

gmsh and pyvista (for surfaces out of voxels) are extras; without them a message says what to install.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import HaiflowError, InputError
from haiflow.mesh import shape, voxels
from haiflow.mesh.extras import begun_gmsh, need
from haiflow.mesh.files import SURFACE_FORMATS, read
from haiflow.mesh.model import TetraMesh
from haiflow.mesh.order import renumbered
from haiflow.mesh.read import FARTHEST, UNITS, check_shape, check_volume, right_way_round
from haiflow.mesh.volumes import tetra_centres, tetra_quality, tetra_volumes
from haiflow.ports import Floats

FEWEST, MOST = 1_000, 3_000_000
NOTICED = 0.02  # of the volume
WORST = 0.1  # mean-ratio quality that no tetrahedron may fall below
DELAUNAY, HXT = 1, 10  # gmsh's algorithms: HXT is ten times faster on a million cells
MANY = 60_000
PER_EDGE_CUBED = {DELAUNAY: 5.4, HXT: 4.06}  # tetrahedra in a cube of the edge's length, as gmsh makes them here


def standard(cells: int) -> TetraMesh:
    """The standard liver in about ``cells`` tetrahedra; raises HaiflowError where an extra is missing."""
    if not FEWEST <= cells <= MOST:
        raise InputError("cells", cells, f"from {FEWEST} to {MOST}", "choose another size")
    edge = edge_for(shape.VOLUME, cells)
    points, tetra = tetrahedra(_level_set(), edge, cells, "standard liver")
    volume = np.abs(tetra_volumes(points, tetra))
    label = shape.segments(tetra_centres(points, tetra), volume)
    scale = 1e-3 * (shape.VOLUME / volume.sum()) ** (1.0 / 3.0)
    return _checked(points * scale, tetra, label, "standard liver")


def standard_of_edge(edge: float) -> TetraMesh:
    """The standard liver in tetrahedra of about ``edge`` (m)."""
    return standard(cells_for(shape.VOLUME, 1e3 * edge))


def from_surface(path: Path, *, unit: str, edge: float | None, cells: int, segments: str | None) -> TetraMesh:
    """A liver from a closed surface. A surface has no segments: ``segments="standard"`` takes those of the standard
    liver, stretched to the same extent, which is an assumption and not this patient's anatomy."""
    if segments != "standard":
        remedy = "accept those of the standard liver with --segments standard, or give a label volume (.nrrd, .nii)"
        raise InputError(str(path), path.suffix, "a surface does not say where the segments are", remedy)
    skin = closed_surface(path, unit)
    size, cells = sized(abs(float(skin.volume)), edge, cells)
    found, tetra = tetrahedra(skin, size, cells, str(path))
    return _checked(found * 1e-3, tetra, _standard_segments(found, tetra), str(path))


def from_voxels(path: Path, *, edge: float | None, cells: int, note: Callable[[str], None] = print) -> TetraMesh:
    """A liver from a label volume of 1 to 8; each tetrahedron has the label of the voxel at its centre. ``note`` hears
    what was assumed and what was left out."""
    grid = voxels.load(path)
    check_volume(1e-9 * grid.volume, str(path), "mm")
    grid = voxels.of_one_piece(grid, str(path))
    for remark in grid.remarks:
        note(remark)
    size, cells = sized(grid.volume, edge, cells)
    points, tetra = tetrahedra(voxels.surface(grid, str(path)), size, cells, str(path))
    made = _checked(points * 1e-3, tetra, grid.at(tetra_centres(points, tetra)), str(path))
    change = 1e9 * made.volume / grid.volume - 1.0
    if abs(change) > NOTICED:
        note(f"the mesh has {100 * change:+.1f} % of the voxels' volume: its skin is smooth, and cavities are filled")
    return made


def edge_for(volume: float, cells: int) -> float:
    """Edge (mm) of the tetrahedra of which ``cells`` fill ``volume`` (mm3)."""
    return float((PER_EDGE_CUBED[algorithm(cells)] * volume / cells) ** (1.0 / 3.0))


def cells_for(volume: float, edge: float) -> int:
    """How many tetrahedra of ``edge`` (mm) fill ``volume`` (mm3); raises InputError where these are too many."""
    cells = int(PER_EDGE_CUBED[HXT] * volume / edge**3)
    if cells > MOST:
        longest = (PER_EDGE_CUBED[HXT] * volume / MOST) ** (1.0 / 3.0)
        rule = f"the edge makes {cells:.3g} tetrahedra, at most {MOST}"
        raise InputError("--edge", f"{edge:g} mm", rule, f"take {longest:.2g} mm or more")
    return cells


def sized(volume: float, edge: float | None, cells: int) -> tuple[float, int]:
    """Edge (mm) and number of the tetrahedra that fill ``volume`` (mm3), by whichever of ``edge`` (m) is given."""
    return (edge_for(volume, cells), cells) if edge is None else (1e3 * edge, cells_for(volume, 1e3 * edge))


def closed_surface(path: Path, unit: str) -> Any:
    """The surface in ``path`` (pyvista, mm), lengths in ``unit``; raises InputError where it bounds no liver."""
    pyvista = need("pyvista", "viz")
    mesh = read(path, str(path), SURFACE_FORMATS)
    triangles = [np.asarray(block.data) for block in mesh.cells if block.type == "triangle" and len(block.data)]
    if not triangles:
        raise InputError(str(path), "no triangles", "a surface is made of triangles", "triangulate and export it again")
    points, corners = np.asarray(mesh.points, float), np.concatenate(triangles)
    if points.ndim != 2 or points.shape[1] != 3 or corners.min() < 0 or corners.max() >= len(points):
        raise InputError(str(path), f"{len(points)} points", "a triangle names a point that is none", "export it again")
    points = points * UNITS[unit] * 1e3
    if not np.all(np.abs(points[corners]) < FARTHEST):
        raise InputError(str(path), "a point", f"points are finite numbers, within {FARTHEST:g}", "export it again")
    skin = pyvista.PolyData.from_regular_faces(points, corners).clean(tolerance=1e-7)
    if not skin.n_cells or not skin.is_all_triangles or not skin.is_manifold:
        value = f"{skin.n_open_edges} open edges" if skin.n_cells else "triangles without area"
        raise InputError(str(path), value, "the surface must be closed", "close its holes")
    a, b, c = points[corners].transpose(1, 0, 2)
    check_volume(1e-9 * abs(float(np.einsum("ij,ij->", a, np.cross(b, c)))) / 6.0, str(path), unit)
    return skin


def algorithm(cells: int) -> int:
    """Delaunay's better cells where they are few, HXT's speed where they are many."""
    return DELAUNAY if cells < MANY else HXT


def _level_set(spacing: float = 2.5) -> Any:
    """The standard liver's zero level as a closed triangulated surface (pyvista, mm)."""
    pyvista = need("pyvista", "viz")
    grid = pyvista.ImageData(dimensions=(100, 76, 84), spacing=(spacing,) * 3, origin=(-112, -95, -115))
    grid["shape"] = shape.shape(grid.points)
    level = grid.contour([0.0], scalars="shape", method="flying_edges").connectivity("largest")
    # Marching leaves needles; without them gmsh makes no slivers.
    return level.extract_surface(algorithm="dataset_surface").smooth_taubin(n_iter=30, pass_band=0.05)


def tetrahedra(skin: Any, edge: float, cells: int, place: str) -> tuple[Floats, NDArray[np.int32]]:
    """Points (n, 3) in mm and tetrahedra (m, 4) inside a closed triangulated surface (pyvista, mm)."""
    gmsh = begun_gmsh()
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "liver.stl"
            skin.save(path)
            gmsh.merge(str(path))
        gmsh.model.mesh.classifySurfaces(np.pi, True, True, np.pi)
        gmsh.model.mesh.createGeometry()
        loop = gmsh.model.geo.addSurfaceLoop([tag for _, tag in gmsh.model.getEntities(2)])
        gmsh.model.geo.addVolume([loop])
        gmsh.model.geo.synchronize()
        chosen = algorithm(cells)
        options = {"MeshSizeMin": edge, "MeshSizeMax": edge, "Optimize": 1, "Algorithm3D": chosen}
        for name, value in (options | {"OptimizeNetgen": int(chosen == DELAUNAY)}).items():
            gmsh.option.setNumber(f"Mesh.{name}", value)
        gmsh.model.mesh.generate(3)
        return _collected(gmsh, place)
    except HaiflowError:
        raise
    except Exception as error:  # gmsh raises bare exceptions
        rule = f"gmsh cannot mesh this surface ({str(error).strip() or 'it gives no reason'})"
        raise InputError(place, f"edge {edge:.3g} mm", rule, "smooth it, or change --edge or --cells") from None
    finally:
        gmsh.finalize()


def _collected(gmsh: Any, place: str) -> tuple[Floats, NDArray[np.int32]]:
    tags, coordinates, _ = gmsh.model.mesh.getNodes()
    kinds, _, connectivity = gmsh.model.mesh.getElements(3)
    if not len(kinds):
        rule = "the surface is not closed, or the edge is too long for it"
        raise InputError(place, "no tetrahedra", rule, "mend the surface, or shorten the edge")
    number = np.zeros(int(tags.max()) + 1, dtype=np.int64)
    number[tags.astype(np.int64)] = np.arange(tags.size)
    cells = number[connectivity[0].astype(np.int64)].reshape(-1, 4)
    used, cells = np.unique(cells, return_inverse=True)
    points = coordinates.reshape(-1, 3)[used]
    return points, right_way_round(points, cells.reshape(-1, 4).astype(np.int32))


def _standard_segments(points: Floats, tetra: NDArray[np.int32]) -> NDArray[np.int32]:
    """Labels of the standard liver where the same share of the extent lies, along each axis."""
    from scipy.spatial import cKDTree

    from haiflow.mesh.standard import standard_liver

    known = standard_liver()
    low, size = known.points.min(axis=0), np.ptp(known.points, axis=0)
    share = (tetra_centres(points, tetra) - points.min(axis=0)) / np.ptp(points, axis=0)
    _, nearest = cKDTree(known.centres).query(low + share * size)
    return known.couinaud_segment[nearest]


def _checked(points: Floats, tetra: NDArray[np.int32], label: NDArray[np.int32], place: str) -> TetraMesh:
    check_shape(points, tetra, place)
    worst = float(tetra_quality(points, tetra).min())
    if worst < WORST:
        remedy = "choose another --cells or --edge, or smooth the surface"
        raise InputError(place, f"quality {worst:.3g}", f"no tetrahedron may be worse than {WORST}", remedy)
    return TetraMesh(*renumbered(points, tetra, label))
