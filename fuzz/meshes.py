"""Mesh files and label volumes: sound seeds of every format, and what is done to them."""

from __future__ import annotations

import gzip
import itertools
import random
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import meshio
import numpy as np
from numpy.typing import NDArray

from fuzz.texts import damaged, inflated

VOLUMES = (".vtu", ".vtk", ".msh", ".xdmf", ".med", ".mesh", ".meshb")
SKINS = (".stl", ".ply", ".obj")
GRIDS = (".nrrd", ".nii", ".nii.gz")
SIDE = 0.1  # m: the block is of a liver's size
CORNERS = np.array(list(itertools.product((0, 1), repeat=3)))
PATHS = [(0, *np.cumsum(steps).tolist(), 7) for steps in itertools.permutations((1, 2, 4))]


def block(n: int = 3) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """A cube of 6 n^3 tetrahedra (Kuhn's cut), its points in m, and labels 1 to 8."""
    axis = np.arange(n + 1)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3) * SIDE / n
    places = np.stack(np.meshgrid(axis[:-1], axis[:-1], axis[:-1], indexing="ij"), -1).reshape(-1, 3)
    number = (places[:, None, :] + CORNERS) @ np.array([(n + 1) ** 2, n + 1, 1])
    paths = [[path[0], path[1], path[2], 7] for path in PATHS]
    tetra = np.concatenate([number[:, path] for path in paths])
    label = 1 + np.arange(len(tetra)) % 8
    return points, tetra, label


def spoilt(points: NDArray[Any], tetra: NDArray[Any], label: NDArray[Any], chance: random.Random) -> tuple[Any, ...]:
    """The block with something wrong that a format cannot see."""
    points, tetra, label = points.copy(), tetra.copy(), label.astype(chance.choice(("i4", "f8", "i8"))).copy()
    at, cell = chance.randrange(len(points)), chance.randrange(len(tetra))
    act = chance.choice(("nan", "inf", "far", "scale", "invert", "invert all", "flat", "double", "detach", "index",
                         "negative", "label", "empty", "one", "same point", "subset", "none", "none"))  # fmt: skip
    if act in ("nan", "inf", "far"):
        points[at, chance.randrange(3)] = {"nan": np.nan, "inf": np.inf, "far": 1e300}[act]
    elif act == "scale":
        points *= chance.choice((0.0, 1e-300, 1e-9, 1e-3, -1.0, 1e3, 1e6, 1e150))
    elif act.startswith("invert"):
        tetra[slice(None) if act.endswith("all") else cell] = tetra[:, [0, 2, 1, 3]][
            slice(None) if act.endswith("all") else cell
        ]
    elif act == "flat":
        points[:, 2] = 0.0
    elif act == "double":
        tetra, label = np.vstack([tetra, tetra[cell]]), np.append(label, label[cell])
    elif act == "detach":
        points, label = np.vstack([points, points + 1.0]), np.concatenate([label, label])
        tetra = np.vstack([tetra, tetra + len(points) // 2])
    elif act in ("index", "negative"):
        tetra[cell, chance.randrange(4)] = chance.choice((len(points), 2**31 - 1)) if act == "index" else -1
    elif act == "label":
        label[cell] = chance.choice((0, 9, -1, 2**31 - 1))
    elif act in ("empty", "one"):
        tetra, label = tetra[: int(act == "one")], label[: int(act == "one")]
    elif act == "same point":
        tetra[cell] = at
    elif act == "subset":
        kept = np.array([chance.random() < 0.6 for _ in tetra])
        tetra, label = tetra[kept], label[kept]
    return points, tetra, label


@cache
def skin() -> Any:
    """The block's outside."""
    points, tetra, _ = block()
    faces = np.sort(tetra[:, [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]]].reshape(-1, 3), axis=1)
    outer, count = np.unique(faces, axis=0, return_counts=True)
    return meshio.Mesh(points, [("triangle", outer[count == 1])])


def volume_file(ending: str, chance: random.Random) -> bytes:
    """The bytes of a volume mesh, sound or spoilt."""
    points, tetra, label = spoilt(*block(chance.choice((1, 2, 3))), chance)
    name = chance.choice(("couinaud_segment", "couinaud_segment", "label", "x"))
    options: dict[str, Any] = {}
    if ending == ".msh":
        name, options = (
            "gmsh:physical",
            {"file_format": chance.choice(("gmsh", "gmsh22")), "binary": chance.random() < 0.5},
        )
    elif ending in (".mesh", ".meshb"):
        name, label = "medit:ref", np.asarray(label, int)
    elif ending == ".vtu":
        options = {"binary": chance.random() < 0.7}
    elif ending == ".vtk":
        options = {"binary": chance.random() < 0.5}
    data = {name: [label]} | ({"gmsh:geometrical": [label]} if ending == ".msh" else {})
    if ending == ".msh":
        data = {key: [np.asarray(values[0], int)] for key, values in data.items()}
    return _bytes(meshio.Mesh(points, [("tetra", tetra)], cell_data=data), ending, options)


def _bytes(mesh: Any, ending: str, options: dict[str, Any]) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"m{ending}"
        try:
            with redirect_stderr(StringIO()), redirect_stdout(StringIO()):  # meshio has remarks
                mesh.write(path, **options)
        except (Exception, SystemExit):  # what meshio will not write nobody can read
            return b""
        return path.read_bytes()


def grid_file(ending: str, chance: random.Random) -> bytes:
    """The bytes of a label volume, sound or spoilt."""
    size = chance.choice((1, 2, 6, 6, 10))
    label = np.zeros((size + 2,) * 3, np.int16)
    label[1:-1, 1:-1, 1:-1] = 1 + np.arange(size**3).reshape((size,) * 3) % 8
    step = 100.0 / size
    act = chance.choice(
        ("none", "none", "blob", "one", "nine", "negative", "float", "nan", "flat", "singular", "affine", "unit")
    )
    affine = np.diag([step, step, step, 1.0])
    values: NDArray[Any] = label
    if act == "blob":
        values[:] = 0
        values[1, 1, 1] = values[-2, -2, -2] = 1
    elif act == "one":
        values = np.ones((1, 1, 1), np.int16)
    elif act in ("nine", "negative"):
        values[1, 1, 1] = 9 if act == "nine" else -1
    elif act in ("float", "nan"):
        values = values.astype(float)
        values[1, 1, 1] = 1.5 if act == "float" else np.nan
    elif act == "flat":
        values = values[:, :, 0]
    elif act in ("singular", "affine"):
        affine[:3, :3] = (
            np.zeros((3, 3)) if act == "singular" else chance.choice((1e300, np.nan, 1e-9, -1.0)) * affine[:3, :3]
        )
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"m{ending}"
        try:
            _write_grid(path, ending, values, affine, chance)
        except Exception:  # what its own library will not write nobody can read
            return b""
        return path.read_bytes()


def _write_grid(path: Path, ending: str, values: NDArray[Any], affine: NDArray[Any], chance: random.Random) -> None:
    if ending == ".nrrd":
        import nrrd

        header: dict[str, Any] = {
            "space directions": affine[: values.ndim, : values.ndim],
            "space origin": affine[: values.ndim, 3],
        }
        if values.ndim == 3:
            header["space"] = chance.choice(("left-posterior-superior", "right-anterior-superior", "scanner-xyz"))
        else:
            header = {}
        nrrd.write(str(path), values, header)
        return
    import nibabel

    image = nibabel.Nifti1Image(values, affine)
    image.header.set_xyzt_units(chance.choice(("mm", "meter", "micron", "unknown")))
    nibabel.save(image, path)


def skin_file(ending: str, chance: random.Random) -> bytes:
    """The bytes of a surface, closed or not."""
    whole = skin()
    points, triangles = whole.points.copy() * chance.choice((1.0, 1.0, 1e3, 0.0, np.nan)), whole.cells[0].data
    kept = triangles if chance.random() < 0.5 else triangles[: chance.randrange(len(triangles))]
    options = {"binary": chance.random() < 0.5} if ending in (".stl", ".ply") else {}
    return _bytes(meshio.Mesh(points, [("triangle", kept)]), ending, options)


LIE = (
    "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 {0} 1 {0}\n3 1 0 {0}\n1\n2\n",
    "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 2 1 2\n3 1 0 2\n1\n2\n0 0 0\n1 1 1\n$EndNodes\n"
    "$Elements\n1 {0} 1 {0}\n3 1 4 {0}\n1 1 2 1 2\n",
    "$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$Nodes\n{0}\n1 0 0 0\n$EndNodes\n$Elements\n{0}\n",
)  # on all of which gmsh itself is asked


def mesh_file(ending: str, chance: random.Random) -> bytes:
    """A file of the kind: sound, spoilt in what it says, damaged in its bytes, or with numbers that cannot be."""
    if ending == ".msh" and chance.random() < 0.1:
        return chance.choice(LIE).format(chance.choice((200_000_000, 10**9, 2**64))).encode()
    made = volume_file if ending in VOLUMES else grid_file if ending in GRIDS else skin_file
    data = made(ending, chance)
    packed = ending == ".nii.gz"
    act = chance.choice(("as it is", "damage", "damage", "inflate"))
    if act == "as it is":
        return data
    change = damaged if act == "damage" else inflated
    if packed and chance.random() < 0.5:
        return gzip.compress(change(gzip.decompress(data), chance))
    return change(data, chance)
