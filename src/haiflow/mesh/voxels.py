"""Label volumes (NRRD, NIfTI): Couinaud segments as voxels, brought into the liver's frame.

Frame: x to the patient's left, y to the back, z up (DICOM's LPS), mm. NIfTI counts to the right and to the front (RAS):
its first two axes are turned round; NRRD says which space it is in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import HaiflowError, InputError
from haiflow.mesh.extras import need
from haiflow.mesh.nrrd_data import voxels_of
from haiflow.ports import Floats

VOXEL_FORMATS = (".nrrd", ".nii", ".nii.gz")
MOST_VOXELS = 5e8
SPECK = 1e-3  # of all labelled voxels: what segmentation leaves behind
NIFTI_UNITS = {"mm": 1.0, "meter": 1e3, "micron": 1e-3}
NRRD_UNITS = {"": 1.0, "mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1e3, "meter": 1e3, "um": 1e-3, "micron": 1e-3}
TURN = {"left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1), "right-anterior-superior": (-1, -1, 1),
        "ras": (-1, -1, 1), "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1)}  # fmt: skip


@dataclass(frozen=True)
class LabelGrid:
    """``label`` (i, j, k) 0 to 8; ``affine`` (4, 4) from indices to mm in the liver's frame; ``remarks``: what the file
    left open and was assumed, and what was left out."""

    label: NDArray[np.int16]
    affine: Floats
    remarks: tuple[str, ...] = ()

    @property
    def volume(self) -> float:
        """mm3 of all labelled voxels."""
        return float(np.count_nonzero(self.label) * abs(np.linalg.det(self.affine[:3, :3])))

    def at(self, points: Floats) -> NDArray[np.int32]:
        """(m,) the label of the voxel at each of ``points`` (m, 3) mm; outside of the labels that of the nearest."""
        from scipy.spatial import cKDTree

        index = np.rint((points - self.affine[:3, 3]) @ np.linalg.inv(self.affine[:3, :3]).T).astype(int)
        inside = np.all((index >= 0) & (index < self.label.shape), axis=1)
        found = np.zeros(len(points), dtype=np.int32)
        found[inside] = self.label[tuple(index[inside].T)]
        missing = np.flatnonzero(found == 0)
        if missing.size:
            full = np.argwhere(self.label > 0)
            centres = full @ self.affine[:3, :3].T + self.affine[:3, 3]
            _, nearest = cKDTree(centres).query(points[missing])
            found[missing] = self.label[tuple(full[nearest].T)]
        return found


def ending(path: Path) -> str:
    """``.nii.gz`` is one ending."""
    return ".nii.gz" if path.name.lower().endswith(".nii.gz") else path.suffix.lower()


def load(path: Path) -> LabelGrid:
    """The label volume in ``path``; raises InputError where it is none, or has labels beyond 8."""
    if not path.is_file():
        raise InputError(str(path), "missing", "there is no such file", "check the path")
    try:
        library = need("nrrd" if ending(path) == ".nrrd" else "nibabel", "mesh")
        with np.errstate(all="ignore"):  # what a broken header's numbers make is judged below, not warned about
            grid = _nrrd(path, library) if ending(path) == ".nrrd" else _nifti(path, library)
    except HaiflowError:
        raise
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        rule = f"cannot be read as a label volume ({reason})"
        raise InputError(str(path), ending(path), rule, "export it again") from None
    label, affine, remarks = grid
    if label.ndim != 3 or not np.all(np.isfinite(label)) or label.min() < 0 or label.max() > 8 or np.any(label % 1):
        rule = "labels are whole numbers: 0 outside, 1 to 8 for the segments I to VIII"
        span = f", {label.min()} to {label.max()}" if label.size else ""
        raise InputError(str(path), f"{label.shape}{span}", rule, "relabel the volume")
    if not np.any(label):
        raise InputError(str(path), "all voxels are 0", "no voxel is labelled", "label the segments 1 to 8")
    with np.errstate(invalid="ignore"):  # of numbers near the largest there are
        size = abs(float(np.linalg.det(affine[:3, :3]))) if np.all(np.isfinite(affine)) else 0.0
    if not 0.0 < size < np.inf:
        rule = "the file's directions and spacings make no voxel of finite volume"
        raise InputError(str(path), f"{size:g} mm3", rule, "export it again with its geometry")
    return LabelGrid(label.astype(np.int16), affine, tuple(remarks))


Read = tuple[NDArray[Any], Floats, list[str]]


def _refuse_huge(path: Path, sizes: Any) -> None:
    """Before the voxels are read: what a header claims, memory is taken for."""
    if any(not size >= 0 for size in sizes):
        value = f"{' x '.join(map(str, sizes))} voxels"
        raise InputError(str(path), value, "sizes are 0 or more: the header is damaged", "export it again")
    count = float(np.prod(np.asarray(sizes, float)))
    if not 0 <= count <= MOST_VOXELS:
        remedy = "crop it to the liver, or take larger voxels"
        raise InputError(str(path), f"{count:.3g} voxels", f"at most {MOST_VOXELS:g} voxels are read", remedy)


def _nifti(path: Path, nibabel: Any) -> Read:
    image = nibabel.load(path)
    _refuse_huge(path, image.shape)
    unit = image.header.get_xyzt_units()[0]
    remarks = []
    if unit not in NIFTI_UNITS:
        remarks.append("the file does not state the unit of its lengths: taken as mm")
    if not int(image.header["sform_code"]) and not int(image.header["qform_code"]):
        remarks.append("the file does not state its orientation (sform and qform are 0): check left and right")
    scale = np.diag([*3 * [NIFTI_UNITS.get(unit, 1.0)], 1.0])
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ scale @ np.asarray(image.affine, float)
    return np.asarray(image.dataobj), affine, remarks


def _nrrd(path: Path, nrrd: Any) -> Read:
    label, header = voxels_of(path, nrrd, lambda sizes: _refuse_huge(path, sizes))
    remarks = []
    if "space" not in header:
        remarks.append("the file does not state its space: taken as left-posterior-superior; check left and right")
    space = str(header.get("space", "left-posterior-superior")).lower()
    if space not in TURN:
        raise InputError(str(path), space, "this space is not known", f"use one of {', '.join(TURN)}")
    directions = header.get("space directions")
    if directions is None and "spacings" not in header:
        remarks.append("the file does not state the size of its voxels: taken as 1 mm")
    affine = np.eye(4)
    steps = np.diag(header.get("spacings", [1.0] * 3)) if directions is None else np.asarray(directions, float).T
    affine[:3, :3] = steps
    affine[:3, 3] = np.asarray(header.get("space origin", [0.0] * 3), float)
    turn = np.diag([*map(float, TURN[space]), 1.0])
    return label, turn @ _in_mm(path, header) @ affine, remarks


def _in_mm(path: Path, header: Mapping[str, Any]) -> Floats:
    """(4, 4) from the unit that an NRRD states to mm; where it states none, mm is what everybody writes."""
    units = [str(unit).strip().strip('"').lower() for unit in header.get("space units", header.get("units", []))]
    wrong = next((unit for unit in units if unit not in NRRD_UNITS), None)
    if wrong is not None or len(set(units)) > 1:
        remedy = f"use one of {', '.join(filter(None, NRRD_UNITS))} for all axes"
        raise InputError(str(path), wrong or ", ".join(units), "lengths are in one unit", remedy)
    return np.diag([*3 * [NRRD_UNITS[units[0]] if units else 1.0], 1.0])


def of_one_piece(grid: LabelGrid, place: str) -> LabelGrid:
    """The grid without specks (less than a thousandth of all), which it remarks on; raises InputError for larger parts
    that do not hang together."""
    from scipy import ndimage

    part, count = ndimage.label(grid.label > 0)  # voxels that share a face
    if count == 1:
        return grid
    sizes = np.bincount(part.ravel())[1:]
    large = np.flatnonzero(sizes > SPECK * sizes.sum())
    if large.size > 1:
        stray = int(large[np.argmin(sizes[large])]) + 1
        x, y, z = np.argwhere(part == stray).mean(axis=0) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
        value = f"{large.size} detached parts; the smallest has {sizes[stray - 1]} voxels"
        value += f", near {x:.4g}, {y:.4g}, {z:.4g} mm"
        raise InputError(place, value, "a liver is of one piece", "remove the strays, or join the parts")
    kept = np.where(part == int(np.argmax(sizes)) + 1, grid.label, 0).astype(np.int16)
    lost = int(sizes.sum() - sizes.max())
    remark = f"{count - 1} specks of {lost} voxels in all lie apart from the liver and are left out"
    return LabelGrid(kept, grid.affine, (*grid.remarks, remark))


def surface(grid: LabelGrid, place: str) -> Any:
    """The outside of all labels as a closed, smoothed surface of triangles (pyvista, mm); raises InputError where the
    voxels are too few to have one."""
    pyvista = need("pyvista", "viz")
    full = np.pad((grid.label > 0).astype(np.float32), 2)
    image = pyvista.ImageData(dimensions=full.shape)
    image["inside"] = full.ravel(order="F")
    image = image.gaussian_smooth(std_dev=0.8, scalars="inside")
    level = image.contour([0.5], scalars="inside", method="flying_edges")
    if not level.n_cells:
        remedy = "take smaller voxels, or check the labels"
        raise InputError(place, f"{np.count_nonzero(grid.label)} voxels", "too few to have a smooth surface", remedy)
    level = level.connectivity("largest")
    skin = level.extract_surface(algorithm="dataset_surface").smooth_taubin(n_iter=30, pass_band=0.05)
    points = (np.asarray(skin.points, float) - 2.0) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    triangles = skin.regular_faces
    if np.linalg.det(grid.affine[:3, :3]) < 0.0:
        triangles = triangles[:, ::-1]
    return pyvista.PolyData.from_regular_faces(points, triangles)
