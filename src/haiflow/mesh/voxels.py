"""Label volumes (NRRD, NIfTI): Couinaud segments as voxels, brought into the liver's frame.

Frame: x to the patient's left, y to the back, z up (DICOM's LPS), mm. NIfTI counts to the right and to the front (RAS):
its first two axes are turned round; NRRD says which space it is in.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import HaiflowError, InputError
from haiflow.mesh.extras import need
from haiflow.ports import Floats

VOXEL_FORMATS = (".nrrd", ".nii", ".nii.gz")
TURN = {"left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1), "right-anterior-superior": (-1, -1, 1),
        "ras": (-1, -1, 1), "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1)}  # fmt: skip


@dataclass(frozen=True)
class LabelGrid:
    """``label`` (i, j, k) 0 to 8; ``affine`` (4, 4) from indices to mm in the liver's frame."""

    label: NDArray[np.int16]
    affine: Floats

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
        grid = _nrrd(path, need("nrrd", "mesh")) if ending(path) == ".nrrd" else _nifti(path, need("nibabel", "mesh"))
    except HaiflowError:
        raise
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        rule = f"cannot be read as a label volume ({reason})"
        raise InputError(str(path), ending(path), rule, "export it again") from None
    label, affine = grid
    if label.ndim != 3 or not np.all(np.isfinite(label)) or label.min() < 0 or label.max() > 8 or np.any(label % 1):
        rule = "labels are whole numbers: 0 outside, 1 to 8 for the segments I to VIII"
        raise InputError(str(path), f"{label.shape}, {label.min()} to {label.max()}", rule, "relabel the volume")
    if not np.any(label):
        raise InputError(str(path), "all voxels are 0", "no voxel is labelled", "label the segments 1 to 8")
    return LabelGrid(label.astype(np.int16), affine)


def _nifti(path: Path, nibabel: Any) -> tuple[NDArray[Any], Floats]:
    image = nibabel.load(path)
    return np.asarray(image.dataobj), np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.asarray(image.affine, float)


def _nrrd(path: Path, nrrd: Any) -> tuple[NDArray[Any], Floats]:
    label, header = nrrd.read(str(path))
    space = str(header.get("space", "left-posterior-superior")).lower()
    if space not in TURN:
        raise InputError(str(path), space, "this space is not known", f"use one of {', '.join(TURN)}")
    affine = np.eye(4)
    directions = header.get("space directions")
    steps = np.diag(header.get("spacings", [1.0] * 3)) if directions is None else np.asarray(directions, float).T
    affine[:3, :3] = steps
    affine[:3, 3] = np.asarray(header.get("space origin", [0.0] * 3), float)
    return label, np.diag([*map(float, TURN[space]), 1.0]) @ affine


def surface(grid: LabelGrid) -> Any:
    """The outside of all labels as a closed, smoothed surface of triangles (pyvista, mm)."""
    pyvista = need("pyvista", "viz")
    full = np.pad((grid.label > 0).astype(np.float32), 2)
    image = pyvista.ImageData(dimensions=full.shape)
    image["inside"] = full.ravel(order="F")
    image = image.gaussian_smooth(std_dev=0.8, scalars="inside")
    level = image.contour([0.5], scalars="inside", method="flying_edges").connectivity("largest")
    skin = level.extract_surface(algorithm="dataset_surface").smooth_taubin(n_iter=30, pass_band=0.05)
    points = (np.asarray(skin.points, float) - 2.0) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    triangles = skin.regular_faces
    if np.linalg.det(grid.affine[:3, :3]) < 0.0:
        triangles = triangles[:, ::-1]
    return pyvista.PolyData.from_regular_faces(points, triangles)
