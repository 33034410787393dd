"""Reading a liver's mesh: what is taken, what is turned round, and what is refused with a reason."""

from collections.abc import Callable
from pathlib import Path

import meshio
import numpy as np
import pytest
from click.testing import CliRunner

from haiflow.cli import commands
from haiflow.errors import InputError
from haiflow.mesh.model import TetraMesh, cell_at
from haiflow.mesh.read import read_liver
from haiflow.mesh.volumes import tetra_quality, tetra_volumes
from haiflow.mesh.write import write_liver

SIZE = 0.1  # m
POINTS = SIZE * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=float)
TETRA = np.array([[0, 1, 2, 3], [1, 2, 3, 4]])


def mesh(**changes: object) -> meshio.Mesh:
    label = changes.get("label", np.array([1, 8]))
    cells = changes.get("cells", [("tetra", TETRA)])
    name = changes.get("name", "couinaud_segment")
    return meshio.Mesh(changes.get("points", POINTS), cells, cell_data={name: [label]} if name else {})


def written(tmp_path: Path, **changes: object) -> Path:
    path = tmp_path / "liver.vtu"
    mesh(**changes).write(path)
    return path


def test_volumes_and_quality_in_closed_form() -> None:
    np.testing.assert_allclose(np.abs(tetra_volumes(POINTS, TETRA)), [SIZE**3 / 6, SIZE**3 / 3], rtol=1e-13)
    np.testing.assert_allclose(np.abs(tetra_quality(POINTS, TETRA))[1], 1.0, rtol=1e-13)  # the second one is regular
    # Corner of a cube: V = 1/6, squared edges 3 * 1 + 3 * 2 = 9.
    np.testing.assert_allclose(tetra_quality(POINTS, TETRA)[0], 12 * 0.5 ** (2 / 3) / 9, rtol=1e-13)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    found = read_liver(written(tmp_path))
    assert found.volume == pytest.approx(SIZE**3 / 2, rel=1e-12, abs=0.0)
    assert found.fractions == pytest.approx({"I": 1 / 3, "VIII": 2 / 3})


def test_cells_inside_out_are_turned(tmp_path: Path) -> None:
    found = read_liver(written(tmp_path, cells=[("tetra", TETRA[:, [1, 0, 2, 3]])]))
    assert np.all(found.volumes > 0.0)
    assert found.volume == pytest.approx(SIZE**3 / 2, rel=1e-12, abs=0.0)


def test_blocks_are_gathered_and_unused_points_dropped(tmp_path: Path) -> None:
    points = np.vstack([[[7.0, 7.0, 7.0]], POINTS])
    cells = [("triangle", [[1, 2, 3]]), ("tetra", TETRA[:1] + 1), ("tetra", TETRA[1:] + 1)]
    data = {"couinaud_segment": [np.array([0]), np.array([2]), np.array([3])]}
    path = tmp_path / "liver.vtk"
    meshio.Mesh(points, cells, cell_data=data).write(path)
    found = read_liver(path)
    assert sorted(found.couinaud_segment.tolist()) == [2, 3]
    assert len(found.points) == 5
    assert found.volume == pytest.approx(SIZE**3 / 2, rel=1e-12, abs=0.0)


@pytest.mark.parametrize(
    ("changes", "rule", "remedy"),
    [
        ({"name": "couinaud_segments"}, "missing", "did you mean 'couinaud_segments'"),
        ({"name": None}, "missing", "add it"),
        ({"label": np.array([1, 9])}, "no segment from 1 to 8", "label every"),
        ({"label": np.array([0, 3])}, "no segment from 1 to 8", "label every"),
        ({"label": np.array([1.5, 2.0])}, "no segment from 1 to 8", "label every"),
        ({"label": np.array([np.nan, 2.0])}, "no segment from 1 to 8", "label every"),
        ({"points": 1e3 * POINTS}, "no liver has this volume", "mm"),
        ({"points": 1e-2 * POINTS}, "no liver has this volume", "metres"),
        ({"cells": [("triangle", [[0, 1, 2], [1, 2, 3]])]}, "needs tetrahedra", "mesh the volume"),
        ({"points": np.where(POINTS > 0.0, np.nan, POINTS)}, "not finite", "export"),
        ({"cells": [("tetra", [[0, 1, 2, 1], [1, 2, 3, 4]])]}, "without volume", "remesh"),
        ({"cells": [("tetra", [[0, 1, 2, 3], [1, 2, 3, -1]])]}, "tetrahedron 1 names a point", "export"),
        ({"cells": [("tetra", [[0, 1, 2, 9], [1, 2, 3, 4]])]}, "tetrahedron 0 names a point", "export"),
    ],
)  # fmt: skip
def test_bad_meshes_are_refused(tmp_path: Path, changes: dict[str, object], rule: str, remedy: str) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(InputError) as caught:
        read_liver(path, "scenario.yaml:7:9: liver.mesh")
    assert caught.value.place == "scenario.yaml:7:9: liver.mesh"
    assert rule in caught.value.rule
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("name", ["liver.xyz123", "liver.vtu", "liver.msh", "liver.stl"])
def test_files_that_are_no_mesh_are_refused_without_ending_the_process(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("not a mesh at all")
    with pytest.raises(InputError, match=r"cannot be read as a mesh|needs tetrahedra"):
        read_liver(path)


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(InputError, match=r"did you mean 'liver\.vtu'"):
        read_liver(tmp_path / "livr.vtu")


def test_a_written_liver_is_read_back(tmp_path: Path) -> None:
    before = TetraMesh(POINTS, TETRA[:, [0, 1, 2, 3]].astype(np.int32), np.array([4, 5], dtype=np.int32))
    write_liver(tmp_path / "out.vtu", before)
    after = read_liver(tmp_path / "out.vtu")
    np.testing.assert_array_equal(np.sort(after.points, axis=0), np.sort(before.points, axis=0))
    np.testing.assert_allclose(after.volume, before.volume, rtol=1e-14)
    assert after.fractions == pytest.approx(before.fractions)
    with pytest.raises(InputError, match="cannot be written"):
        write_liver(tmp_path / "out.nothing", before)


def test_a_point_is_found_in_its_cell() -> None:
    box = TetraMesh(POINTS, TETRA.astype(np.int32), np.array([1, 2], dtype=np.int32))
    inside: Callable[[float], tuple[float, float, float]] = lambda t: (t, t, t)  # noqa: E731
    assert cell_at(box, inside(0.1 * SIZE)) == 0
    assert cell_at(box, inside(0.5 * SIZE)) == 1
    assert cell_at(box, (0.0, 0.0, 0.0)) == 0
    assert cell_at(box, (0.9 * SIZE, 0.9 * SIZE, 0.0)) is None
    assert cell_at(box, (-1.0, 0.0, 0.0)) is None


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_mesh_that_cannot_be_read_is_told_with_the_line_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """As every other mistake of a scenario: file, line, column, key."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "liver.vtu").write_text("not one\n")
    text = "haiflow: 1\narteries: {anatomy: michels-1}\nliver:\n  mesh: liver.vtu\n  resolve: 3d\n"
    (tmp_path / "s.yaml").write_text(text)
    given = ["s.yaml", "-o", "out"] if command == "run" else ["s.yaml"]
    for more, place in (([], "s.yaml:4:9: liver.mesh: "), (["--set", "liver.mesh=liver.vtu"], "--set liver.mesh: ")):
        refused = CliRunner().invoke(commands, [command, *given, *more], standalone_mode=False).exception
        assert isinstance(refused, InputError)
        assert str(refused).startswith(f"{place}{tmp_path / 'liver.vtu'}: cannot be read as a mesh (")
    assert not (tmp_path / "out").exists()
