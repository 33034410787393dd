"""A liver out of other people's files: formats, millimetres, maps of groups, and what is refused."""

import json
import subprocess
import sys
import warnings
from types import SimpleNamespace

import meshio
import numpy as np
import pytest
from click.testing import CliRunner

from haiflow.cli import commands
from haiflow.errors import InputError
from haiflow.mesh import files
from haiflow.mesh.order import neighbours, renumbered
from haiflow.mesh.read import read_liver
from haiflow.mesh.standard import standard_liver
from haiflow.mesh.write import write_liver

NAMES = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")


@pytest.fixture(scope="module")
def liver():
    return standard_liver()


def foreign(path, liver, scale=1e3):
    """A mesh in mm whose regions have names and numbers of its own."""
    tags = 10 + liver.couinaud_segment
    names = {f"Segment_{name}": np.array([10 + number, 3]) for number, name in enumerate(NAMES, 1)}
    mesh = meshio.Mesh(
        liver.points * scale, [("tetra", liver.tetra)],
        cell_data={"gmsh:physical": [tags], "gmsh:geometrical": [tags]}, field_data=names,
    )  # fmt: skip
    if path.suffix == ".msh":
        mesh.write(path, file_format="gmsh22", binary=False)
    else:
        key = "medit:ref" if path.suffix == ".mesh" else "label"
        meshio.Mesh(mesh.points, mesh.cells, cell_data={key: [tags]}).write(path)
    return path


@pytest.mark.parametrize("ending", ["msh", "vtk", "mesh", "vtu"])
def test_a_foreign_mesh_in_mm_is_the_same_liver(tmp_path, liver, ending):
    path = foreign(tmp_path / f"f.{ending}", liver)
    named = ending == "msh"
    labels = {f"Segment_{name}" if named else str(10 + k): name for k, name in enumerate(NAMES, 1)}
    found = read_liver(path, unit="mm", labels=labels)
    assert found.volume == pytest.approx(liver.volume, rel=1e-6)
    assert found.fractions == pytest.approx(liver.fractions, rel=1e-6)
    with pytest.raises(InputError, match="mesh_unit: mm"):
        read_liver(path, labels=labels)
    with pytest.raises(InputError, match=r"missing"):
        read_liver(path, unit="mm")
    wrong = dict(labels)
    wrong["Segment_VIIII" if named else "99"] = wrong.pop("Segment_VIII" if named else "18")
    with pytest.raises(InputError, match=r"no such group or number"):
        read_liver(path, unit="mm", labels=wrong)
    del labels[next(iter(labels))]
    with pytest.raises(InputError, match="none of the mapped groups"):
        read_liver(path, unit="mm", labels=labels)


def test_points_are_renumbered_so_that_neighbours_are_near(liver):
    shuffle = np.random.default_rng(0).permutation(len(liver.points))
    place = np.argsort(shuffle)
    mixed = place[liver.tetra].astype(np.int32)
    points, tetra, label = renumbered(liver.points[shuffle], mixed, liver.couinaud_segment)

    def width(cells):
        pattern = neighbours(cells, len(points)).tocoo()
        return np.abs(pattern.row - pattern.col).mean()

    assert width(tetra) < 0.15 * width(mixed)
    corners = points[tetra]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6.0
    shares = np.bincount(label, weights=volume, minlength=9)[1:] / volume.sum()
    np.testing.assert_allclose(shares, list(liver.fractions.values()), rtol=1e-12)


def test_detached_and_doubled_cells_are_refused(tmp_path, liver):
    far = liver.points[liver.tetra[:1]].reshape(-1, 3) + 0.5
    points = np.concatenate([liver.points, far])
    stray = np.concatenate([liver.tetra, [[len(liver.points) + k for k in range(4)]]])
    twice = np.concatenate([liver.tetra, liver.tetra[:1, [1, 0, 2, 3]]])
    for tetra, rule in ((stray, "of one piece"), (twice, "there twice")):
        label = np.append(liver.couinaud_segment, 1)
        path = tmp_path / "bad.vtu"
        meshio.Mesh(points, [("tetra", tetra)], cell_data={"couinaud_segment": [label]}).write(path)
        with pytest.raises(InputError, match=rule):
            read_liver(path)


@pytest.mark.parametrize("content", [b"", b"$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 10", b"\x00" * 300])
@pytest.mark.parametrize("ending", ["vtu", "msh", "vtk", "mesh"])
def test_broken_files_are_refused_in_words(tmp_path, ending, content):
    path = tmp_path / f"broken.{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"cannot be read|needs tetrahedra"):
        read_liver(path)
    result = CliRunner().invoke(commands, ["mesh", "info", str(path)])
    assert result.exception is None or isinstance(result.exception, InputError | SystemExit)


@pytest.mark.parametrize("cut", [48, 200])
@pytest.mark.parametrize("binary", [True, False])
def test_a_surface_whose_header_was_cut_off_is_refused_instead_of_searched_for_ever(tmp_path, binary, cut):
    path = tmp_path / "cut.ply"
    meshio.Mesh(np.eye(3), [("triangle", np.arange(3)[None])]).write(path, binary=binary)
    path.write_bytes(path.read_bytes()[:cut])
    command = [sys.executable, "-m", "haiflow", "mesh", "info", str(path)]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert "header has no end" in refused.stderr


def told(*arguments):
    return CliRunner().invoke(commands, ["mesh", *map(str, arguments)], standalone_mode=False)


def test_tetrahedra_without_points_are_refused(tmp_path, monkeypatch):
    """A damaged count of elements makes meshio read cells of no corners."""
    block = SimpleNamespace(type="tetra", data=np.zeros((3, 0), dtype=np.int64))
    mesh = SimpleNamespace(cells=[block], points=np.zeros((4, 3)), cell_data={}, cell_sets={}, field_data={})
    monkeypatch.setattr(files, "read", lambda *_: mesh)
    with pytest.raises(InputError, match=r"m\.msh: 3 of 0 points: tetrahedra have four points; "):
        files.load(tmp_path / "m.msh", "m.msh")


def test_info_says_what_a_run_needs(tmp_path, liver):
    path = tmp_path / "liver.vtu"
    write_liver(path, liver)
    result = told("info", path)
    assert result.return_value == 0
    assert "1500 mL" in result.output
    assert "VIII 390 mL (26 %)" in result.output
    assert "ready" in result.output
    found = json.loads(told("info", path, "--json").output)
    assert found["tetrahedra"] == len(liver.tetra)
    assert found["segments"]["VIII"] == pytest.approx(0.26 * 1.5e-3, rel=1e-3)
    other = foreign(tmp_path / "other.msh", liver)
    result = told("info", other)
    assert result.return_value == 2
    assert "NOT READY" in result.output
    assert "Segment_IV" in result.output
    named = [word for name in NAMES for word in ("--label", f"Segment_{name}={name}")]
    assert told("info", other, "--unit", "mm", *named).return_value == 0


@pytest.mark.parametrize("ending", ["msh", "vtk", "mesh"])
def test_convert_keeps_volume_and_segments(tmp_path, liver, ending):
    write_liver(tmp_path / "a.vtu", liver)
    target = tmp_path / f"b.{ending}"
    assert told("convert", tmp_path / "a.vtu", target).return_value == 0
    again = read_liver(target)
    assert again.volume == pytest.approx(liver.volume, rel=1e-6)
    assert again.fractions == pytest.approx(liver.fractions, rel=1e-6)
    assert isinstance(told("convert", tmp_path / "a.vtu", target).exception, InputError)
    assert told("convert", tmp_path / "a.vtu", target, "--force").return_value == 0
    assert isinstance(told("convert", tmp_path / "a.vtu", tmp_path / "c.inp").exception, InputError)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["a.vtu", f"b.{ending}"]


def test_a_scenario_names_unit_and_map(tmp_path, liver):
    from haiflow.scenario.load import load
    from haiflow.simulation.liver_mesh import liver_mesh

    foreign(tmp_path / "f.msh", liver)
    labels = ", ".join(f"Segment_{name}: {name}" for name in NAMES)
    (tmp_path / "s.yaml").write_text(
        "haiflow: 1\nname: foreign\narteries: {anatomy: michels-1}\nrun: {duration: 1 h}\n"
        f"liver: {{mesh: f.msh, mesh_unit: mm, labels: {{{labels}}}, resolve: 3d}}\n"
    )
    scenario = load(tmp_path / "s.yaml")
    assert liver_mesh(scenario.model.liver, scenario.folder).volume == pytest.approx(liver.volume, rel=1e-6)


def gmsh_there():
    try:
        import gmsh  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


needs_gmsh = pytest.mark.skipif(not gmsh_there(), reason="needs gmsh: pip install 'haiflow[mesh]'")


@needs_gmsh
def test_the_standard_liver_is_built_in_the_size_asked(tmp_path):
    assert told("build", "standard", "--cells", "6000", "-o", tmp_path / "s.vtu").return_value == 0
    found = read_liver(tmp_path / "s.vtu")
    assert 0.6 * 6000 <= len(found.tetra) <= 1.6 * 6000
    assert found.volume == pytest.approx(1.5e-3, rel=1e-6)
    assert found.fractions == pytest.approx(standard_liver().fractions, abs=2e-3)


@needs_gmsh
def test_a_surface_needs_a_word_on_its_segments(tmp_path):
    pyvista = pytest.importorskip("pyvista")
    skin = pyvista.ParametricEllipsoid(95, 70, 65, u_res=60, v_res=60).triangulate().clean(tolerance=1e-5)
    skin.save(tmp_path / "s.stl")
    refused = told("build", tmp_path / "s.stl", "-o", tmp_path / "s.vtu", "--unit", "mm", "--cells", "4000")
    assert isinstance(refused.exception, InputError)
    assert "where the segments are" in str(refused.exception)
    options = ("--unit", "mm", "--cells", "4000", "--segments", "standard")
    done = told("build", tmp_path / "s.stl", "-o", tmp_path / "s.vtu", *options)
    assert done.return_value == 0
    volume = 4.0 / 3.0 * np.pi * 0.095 * 0.070 * 0.065
    assert read_liver(tmp_path / "s.vtu").volume == pytest.approx(volume, rel=0.03)


def octants(turn):
    """An ellipsoid in eight labelled parts on a rotated grid of 2 x 2.5 x 3 mm, and its affine in mm (LPS)."""
    shape, step = (90, 80, 60), np.array([2.0, 2.5, 3.0])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(step)
    affine[:3, 3] = (-40.0, 15.0, 30.0)
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1) - np.array(shape) / 2.0
    local = index * step
    inside = ((local / np.array([75.0, 65.0, 60.0])) ** 2).sum(axis=-1) < 1.0
    part = 1 + (local[..., 0] > 0) + 2 * (local[..., 1] > 0) + 4 * (local[..., 2] > 0)
    return np.where(inside, part, 0).astype(np.int16), affine


@needs_gmsh
@pytest.mark.parametrize("kind", ["nii.gz", "nrrd"])
def test_a_label_volume_becomes_the_liver_where_it_lies(tmp_path, kind):
    pytest.importorskip("pyvista")
    angle = 0.4
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]])
    label, affine = octants(turn)
    path = tmp_path / f"labels.{kind}"
    if kind == "nrrd":
        nrrd = pytest.importorskip("nrrd")
        header = {"space": "left-posterior-superior", "space directions": affine[:3, :3].T}
        nrrd.write(str(path), label, header | {"space origin": affine[:3, 3]})
    else:
        nibabel = pytest.importorskip("nibabel")
        nibabel.save(nibabel.Nifti1Image(label, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine), path)
    assert told("build", path, "-o", tmp_path / "l.vtu", "--cells", "8000").return_value == 0
    found = read_liver(tmp_path / "l.vtu")
    assert found.volume == pytest.approx(4.0 / 3.0 * np.pi * 0.075 * 0.065 * 0.060, rel=0.03)
    assert list(found.fractions.values()) == pytest.approx([0.125] * 8, abs=0.02)
    for number in (1, 8):
        cells = found.couinaud_segment == number
        middle = np.average(found.centres[cells], axis=0, weights=found.volumes[cells])
        wanted = (np.argwhere(label == number) @ affine[:3, :3].T + affine[:3, 3]).mean(axis=0)
        np.testing.assert_allclose(1e3 * middle, wanted, atol=3.0)


@needs_gmsh
def test_cells_outside_of_every_group_are_not_lost(tmp_path):
    """Two blocks of which one has a group, all elements saved: meshio fails on it, and half must not go missing."""
    import gmsh

    path = tmp_path / "half.msh"
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        boxes = [(3, gmsh.model.occ.addBox(0.06 * k, 0, 0, 0.06, 0.1, 0.1)) for k in range(2)]
        gmsh.model.occ.fragment(boxes[:1], boxes[1:])
        gmsh.model.occ.synchronize()
        gmsh.model.addPhysicalGroup(3, [boxes[0][1]], name="right")
        gmsh.option.setNumber("Mesh.MeshSizeMax", 0.02)
        gmsh.option.setNumber("Mesh.SaveAll", 1)
        gmsh.model.mesh.generate(3)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()
    assert json.loads(told("info", path, "--json").output)["volume_m3"] == pytest.approx(1.2e-3, rel=1e-9)
    with pytest.raises(InputError, match="none of the mapped groups"):
        read_liver(path, labels={"right": "V"})


def labelled(path, label, *, header=None, unit="mm", step=10.0):
    """A label volume on a grid of ``step`` mm."""
    if path.suffix == ".nrrd":
        nrrd = pytest.importorskip("nrrd")
        nrrd.write(str(path), label, {} if header is None else header)
    else:
        nibabel = pytest.importorskip("nibabel")
        image = nibabel.Nifti1Image(label, np.diag([step, step, step, 1.0]))
        image.header.set_xyzt_units(unit)
        nibabel.save(image, path)
    return path


def block(size=12):
    label = np.zeros((size + 6,) * 3, np.int16)
    label[1 : size + 1, 1 : size + 1, 1 : size + 1] = 1 + np.arange(size**3).reshape((size,) * 3) % 8
    return label


def test_a_label_volume_in_metres_is_as_large_as_in_millimetres(tmp_path):
    from haiflow.mesh import voxels

    wanted = 12**3 * 1e3
    for unit, step in (("mm", 10.0), ("meter", 0.01), ("micron", 1e4)):
        grid = voxels.load(labelled(tmp_path / f"{unit}.nii", block(), unit=unit, step=step))
        assert grid.volume == pytest.approx(wanted, rel=1e-6)
        assert not [remark for remark in grid.remarks if "unit" in remark]
    assert "unit" in voxels.load(labelled(tmp_path / "u.nii", block(), unit="unknown")).remarks[0]
    header = {"space directions": 0.01 * np.eye(3), "space units": ["m", "m", "m"]}
    grid = voxels.load(labelled(tmp_path / "a.nrrd", block(), header={"space": "LPS", **header}))
    assert grid.volume == pytest.approx(wanted, rel=1e-6)


def test_what_a_label_volume_does_not_say_is_remarked_on(tmp_path):
    from haiflow.mesh import voxels

    remarks = voxels.load(labelled(tmp_path / "a.nrrd", block())).remarks
    assert any("space" in remark and "left-posterior-superior" in remark for remark in remarks)
    assert any("size of its voxels" in remark for remark in remarks)


def test_detached_voxels_are_refused_and_specks_are_told_of(tmp_path):
    from haiflow.mesh import voxels

    label = block()
    label[-1, -1, -1] = 1
    grid = voxels.of_one_piece(voxels.load(labelled(tmp_path / "a.nii", label)), "a.nii")
    assert np.count_nonzero(grid.label) == 12**3
    assert "1 specks of 1 voxels" in grid.remarks[-1]
    label[-3:, -3:, -3:] = 1
    with pytest.raises(InputError, match=r"2 detached parts; the smallest has 27 voxels"):
        voxels.of_one_piece(voxels.load(labelled(tmp_path / "b.nii", label)), "b.nii")


@pytest.mark.parametrize(("label", "step", "rule"), [
    (np.ones((1, 1, 1), np.int16), 100.0, "too few to have a smooth surface"),
    (block(), 1.0, "no liver has this volume"),
    (np.ones((1, 1, 1), np.int16), 0.0, "no voxel of finite volume"),
])  # fmt: skip
def test_label_volumes_that_are_no_liver(tmp_path, label, step, rule):
    pytest.importorskip("pyvista")
    path = labelled(tmp_path / "a.nii", label, step=step or 100.0)
    if step == 0.0:
        data = bytearray(path.read_bytes())
        data[280:328] = bytes(48)  # the rows of the affine
        path.write_bytes(data)
    refused = told("build", path, "-o", tmp_path / "l.vtu", "--cells", "1000")
    assert isinstance(refused.exception, InputError)
    assert rule in str(refused.exception)


def test_numbers_of_a_broken_header_are_refused_without_a_warning_from_below(tmp_path):
    from haiflow.mesh import voxels

    path = labelled(tmp_path / "a.nii", block())
    data = bytearray(path.read_bytes())
    data[80:92] = np.full(3, np.inf, "<f4").tobytes()  # the voxel's sides
    data[252:256] = np.array([1, 0], "<i2").tobytes()  # the qform holds, the sform does not
    data[256:268] = np.full(3, 0.3, "<f4").tobytes()  # the quaternion
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match="no voxel of finite volume"):
            voxels.load(path)


def test_an_edge_that_makes_too_many_cells_is_refused_before_any_is_made(tmp_path):
    refused = told("build", "standard", "-o", tmp_path / "l.vtu", "--edge", "0.5 mm")
    assert isinstance(refused.exception, InputError)
    assert refused.exception.place == "--edge"
    assert "at most 3000000" in str(refused.exception)


def test_info_names_the_labels_that_a_run_needs(tmp_path, liver):
    other = foreign(tmp_path / "other.msh", liver)
    named = [word for name in NAMES for word in ("--label", f"Segment_{name}={name}")]
    said = told("info", other, "--unit", "mm", *named).output
    line = next(line for line in said.splitlines() if "ready:" in line)
    import yaml

    written = yaml.safe_load(line.partition("ready:")[2])["liver"]
    assert written["mesh_unit"] == "mm"
    assert written["labels"] == {f"Segment_{name}": name for name in NAMES}


def test_a_file_on_which_gmsh_crashes_is_refused_in_words(tmp_path, monkeypatch):
    import haiflow.mesh.apart as apart
    import haiflow.mesh.by_gmsh as by_gmsh

    path = tmp_path / "a.msh"
    path.write_bytes(b"$MeshFormat\n2.2 1 8\n" + bytes(40))
    crash = ["-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"]
    whole = apart.subprocess.run
    monkeypatch.setattr(apart.subprocess, "run", lambda command, **how: whole([command[0], *crash], **how))
    monkeypatch.setattr(by_gmsh, "find_spec", lambda name: name)
    with pytest.raises(InputError, match="cannot be read as a mesh"):
        read_liver(path)


@needs_gmsh
def test_after_gmsh_a_reader_that_has_gone_is_still_an_error_and_no_death():
    import subprocess
    import sys

    code = "import os; from haiflow.mesh.extras import begun_gmsh; begun_gmsh().finalize(); r, w = os.pipe()"
    code += "; os.close(r)"
    code += "\ntry:\n    os.write(w, b'x')\nexcept BrokenPipeError:\n    print('told')"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "told"
