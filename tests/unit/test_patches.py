"""Regions from files: other cells than tetrahedra are cut so that neighbours agree, and patches keep their names."""

import meshio
import numpy as np
import pytest

from haiflow.errors import InputError
from haiflow.mesh.patches import cut, read_region, write_region
from haiflow.mesh.volumes import tetra_volumes


def box(n=3, seed=3):
    """(n + 1)^3 points with random numbers, and hexahedra."""
    side = np.linspace(0.0, 0.01, n + 1)
    points = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1).reshape(-1, 3)
    at = np.arange((n + 1) ** 3).reshape((n + 1,) * 3)
    corners = [at[i : n + i, j : n + j, k : n + k].ravel() for i, j, k in
               ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1))]  # fmt: skip
    order = np.random.default_rng(seed).permutation(len(points))
    place = np.argsort(order)
    return points[order], place[np.column_stack(corners)]


def test_hexahedra_are_filled_without_gaps():
    points, cells = box()
    tetra = cut(cells, "hexahedron")
    volume = np.abs(tetra_volumes(points, tetra))
    assert volume.sum() == pytest.approx(1e-6)
    assert volume.min() > 0.0
    faces = np.sort(tetra[:, [(1, 2, 3), (0, 3, 2), (0, 1, 3), (0, 2, 1)]].reshape(-1, 3), axis=1)
    _, count = np.unique(faces, axis=0, return_counts=True)
    assert count.max() == 2
    assert (count == 1).sum() == 2 * 6 * 9  # two triangles for each outer square: neighbours agree everywhere else


@pytest.mark.parametrize(("kind", "corners", "volume"), [
    ("wedge", [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1)], 0.5),
    ("pyramid", [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0.5, 0.5, 1)], 1 / 3),
])  # fmt: skip
def test_other_cells_keep_their_volume(kind, corners, volume):
    points = np.array(corners, float)
    for seed in range(10):
        order = np.random.default_rng(seed).permutation(len(points))
        tetra = cut(np.argsort(order)[None], kind)
        assert np.abs(tetra_volumes(points[order], tetra)).sum() == pytest.approx(volume)


def test_a_mixed_file_with_named_surfaces(tmp_path):
    points, cells = box()
    quads = np.array([c[[0, 3, 7, 4]] for c in cells if np.allclose(points[c[[0, 3, 7, 4]], 0], 0.0)])
    mesh = meshio.Mesh(points, [("hexahedron", cells), ("quad", quads)],
                       cell_data={"gmsh:physical": [np.full(len(cells), 2), np.full(len(quads), 1)],
                                  "gmsh:geometrical": [np.full(len(cells), 2), np.full(len(quads), 1)]},
                       field_data={"inlet": np.array([1, 2]), "blood": np.array([2, 3])})  # fmt: skip
    meshio.write(tmp_path / "box.msh", mesh, file_format="gmsh22", binary=False)
    found = read_region(tmp_path / "box.msh", "mesh")
    assert set(found.names) == {"inlet", "vessel"}
    area = found.wall_area[found.patch == found.names.index("inlet")]
    assert np.linalg.norm(area, axis=1).sum() == pytest.approx(1e-4)
    assert np.all(area[:, 0] < 0.0)
    assert found.dual.volume.sum() == pytest.approx(1e-6)
    write_region(tmp_path / "again.msh", found)
    again = read_region(tmp_path / "again.msh", "mesh")
    assert again.dual.volume.sum() == pytest.approx(1e-6)
    assert sorted(np.bincount(again.patch)) == sorted(np.bincount(found.patch))


def test_what_no_region_can_be(tmp_path):
    points, cells = box()
    meshio.Mesh(1e3 * points, [("hexahedron", cells)]).write(tmp_path / "far.vtu")
    with pytest.raises(InputError, match="give the points in metres"):
        read_region(tmp_path / "far.vtu", "mesh")
    meshio.Mesh(points, [("quad", cells[:, :4])]).write(tmp_path / "skin.vtu")
    with pytest.raises(InputError, match="needs a volume mesh"):
        read_region(tmp_path / "skin.vtu", "mesh")
    flat = points.copy()
    flat[:, 2] = 0.0
    meshio.Mesh(flat, [("hexahedron", cells)]).write(tmp_path / "flat.vtu")
    with pytest.raises(InputError, match="flat cells"):
        read_region(tmp_path / "flat.vtu", "mesh")


def test_a_tetrahedron_that_cuts_a_hexahedron_s_face_the_other_way_is_refused(tmp_path):
    points, cells = box(2, seed=1)
    last = cells[-1]
    whole = cut(cells[-1:], "hexahedron")
    turned = np.array([0, 1, 2, 3, 4, 5, 6, 7])
    other = np.empty_like(turned)  # the same cell by other numbers, so that all its diagonals turn
    other[turned] = [1, 0, 3, 2, 5, 4, 7, 6]
    against = last[other][cut(np.arange(8)[None][:, other], "hexahedron")]
    assert np.abs(tetra_volumes(points, against)).sum() == pytest.approx(np.abs(tetra_volumes(points, whole)).sum())
    files = {"alike.vtu": whole, "against.vtu": against}
    for name, tetra in files.items():
        meshio.Mesh(points, [("hexahedron", cells[:-1]), ("tetra", tetra)]).write(tmp_path / name)
    assert read_region(tmp_path / "alike.vtu", "mesh").dual.volume.sum() == pytest.approx(1e-6)
    with pytest.raises(InputError, match="face to face") as caught:
        read_region(tmp_path / "against.vtu", "mesh")
    assert "pyramids" in caught.value.remedy
