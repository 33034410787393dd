"""Files that lie: headers that count more than there is, bombs, data from elsewhere; and disks and gmsh that fail."""

import bz2
import errno
import gzip
import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import meshio
import numpy as np
import pytest
from click.testing import CliRunner

from haiflow.cli import commands
from haiflow.errors import InputError
from haiflow.mesh.claims import _of_gmsh, refuse_claims
from haiflow.mesh.convert import save
from haiflow.mesh.standard import standard_liver
from haiflow.mesh.write import write_liver


@pytest.fixture(scope="module")
def liver():
    return standard_liver()


def told(*arguments):
    return CliRunner().invoke(commands, ["mesh", *map(str, arguments)], standalone_mode=False)


LIES = {
    "4.1": "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 1000000000 1 1000000000\n3 1 0 1000000000\n1\n2\n",
    "late": "$Comments\nx\n$EndComments\n$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 1000000000 1 1000000000\n",
    "2.2": "$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$Nodes\n1000000000\n1 0 0 0\n$EndNodes\n",
    "binary": b"$MeshFormat\n4.1 1 8\n\1\0\0\0\n$EndMeshFormat\n$Nodes\n" + np.full(4, 10**9, "<u8").tobytes(),
}


@pytest.mark.parametrize("kind", LIES)
@pytest.mark.parametrize("key", ["info", "check"])
def test_a_header_that_counts_more_than_the_file_has_bytes_never_reaches_gmsh(tmp_path, monkeypatch, kind, key):
    import haiflow.mesh.files as files
    from haiflow.scenario.load import loads
    from haiflow.scenario.plan import plan

    def asked(path):
        raise AssertionError("gmsh was asked")

    monkeypatch.setattr(files, "read_by_gmsh", asked)
    data = LIES[kind]
    path = tmp_path / "lie.msh"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    if key == "info":
        refused = told("info", path).exception
    else:
        with pytest.raises(InputError) as caught:
            plan(loads(f"haiflow: 1\narteries: {{anatomy: michels-1}}\nliver: {{mesh: {path}, resolve: 3d}}\n"))
        refused = caught.value
    assert isinstance(refused, InputError)
    assert f"1000000000 nodes: a header counts what is there, and the file has {len(data)} bytes" in str(refused)


def test_counts_of_sound_files_are_no_lies(tmp_path, liver):
    for version, binary in (("gmsh22", False), ("gmsh22", True), ("gmsh", False), ("gmsh", True)):
        one = np.full(len(liver.tetra), 1)
        data = {"gmsh:physical": [one], "gmsh:geometrical": [one]}
        path = tmp_path / f"{version}{binary}.msh"
        meshio.Mesh(liver.points, [("tetra", liver.tetra)], cell_data=data).write(
            path, file_format=version, binary=binary
        )
        refuse_claims(path, str(path))
        found = dict(_of_gmsh(path.read_bytes()))
        assert found["nodes"] == len(liver.points)
        assert found["elements"] == len(liver.tetra)


def test_the_process_of_gmsh_has_a_bound_of_memory():
    pytest.importorskip("resource")
    code = "import resource; from haiflow.mesh.apart import _bound; _bound(10**6)"
    code += "; print(resource.getrlimit(resource.RLIMIT_AS)[0])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(said) == 8 * 2**30 + 200 * 10**6


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_the_process_of_gmsh_ends_when_its_parent_is_killed(tmp_path):
    """A gmsh that reads for ever stands in; whoever asked is killed, which no handler of its own sees."""
    (tmp_path / "gmsh.py").write_text(
        "import os, pathlib, time\n"
        "option = type('O', (), {'setNumber': staticmethod(lambda *a: None)})\n"
        "def initialize(**how): pass\n"
        f"def open(path):\n    pathlib.Path({str(tmp_path / 'new')!r}).write_text(str(os.getpid()))\n"
        f"    os.replace({str(tmp_path / 'new')!r}, {str(tmp_path / 'pid')!r})\n    time.sleep(600)\n"
    )
    (tmp_path / "a.msh").write_text("x")
    code = "import sys, pathlib; from haiflow.mesh.by_gmsh import read_by_gmsh; read_by_gmsh(pathlib.Path(sys.argv[1]))"
    paths = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "a.msh")], env=os.environ | {"PYTHONPATH": paths}
    )
    try:
        child = int(_when((tmp_path / "pid").exists) and (tmp_path / "pid").read_text())
    finally:
        parent.kill()
        parent.wait()

    def gone():
        stat = Path(f"/proc/{child}/stat")
        try:
            os.kill(child, 0)
            return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"
        except (ProcessLookupError, FileNotFoundError):
            return True

    try:
        assert _when(gone)
    finally:
        if not gone():
            os.kill(child, 9)


def _when(found, patience=60.0):
    end = time.monotonic() + patience
    while not found() and time.monotonic() < end:
        time.sleep(0.02)
    return found()


def nrrd_of(path, sizes, encoding, data, more=""):
    header = f"NRRD0004\ntype: uint8\ndimension: 3\nsizes: {sizes}\nspace directions: (9,0,0) (0,9,0) (0,0,9)\n"
    path.write_bytes(f"{header}encoding: {encoding}\n{more}\n".encode() + data)
    return path


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("bzip2", bz2.compress)])
def test_packed_voxels_are_unpacked_as_far_as_their_sizes_say_and_no_further(tmp_path, encoding, pack):
    pytest.importorskip("nrrd")
    from haiflow.mesh import voxels

    label = bytes(1 + k % 8 for k in range(1000))
    sound = voxels.load(nrrd_of(tmp_path / "a.nrrd", "10 10 10", encoding, pack(label)))
    assert sound.label.ravel(order="F").tolist() == list(label)
    more = "line skip: 1\nbyte skip: 3\n"
    skipping = nrrd_of(tmp_path / "s.nrrd", "10 10 10", encoding, b"x\n" + pack(b"abc" + label), more)
    assert voxels.load(skipping).label.ravel(order="F").tolist() == list(label)
    bomb = nrrd_of(tmp_path / "b.nrrd", "10 10 10", encoding, pack(label + bytes(2 * 10**8)))
    tracemalloc.start()
    with pytest.raises(InputError, match="as many as its sizes say: 1000 bytes, and there are more") as refused:
        voxels.load(bomb)
    assert tracemalloc.get_traced_memory()[1] < 2e7
    tracemalloc.stop()
    assert refused.value.place == str(bomb)
    with pytest.raises(InputError, match="cannot be read as a label volume"):
        voxels.load(nrrd_of(tmp_path / "c.nrrd", "10 10 10", encoding, pack(label)[:-30]))


def test_detached_voxels_lie_in_the_folder_of_their_header(tmp_path):
    pytest.importorskip("nrrd")
    from haiflow.mesh import voxels

    folder = tmp_path / "in"
    folder.mkdir()
    label = bytes(1 + k % 8 for k in range(1000))
    (folder / "a.raw").write_bytes(label)
    (tmp_path / "out.raw").write_bytes(label)
    (folder / "link.raw").symlink_to(tmp_path / "out.raw")
    (folder / "fine.raw").symlink_to("a.raw")
    for name in ("a.raw", "fine.raw", folder / "a.raw"):
        grid = voxels.load(nrrd_of(folder / "a.nrrd", "10 10 10", "raw", b"", f"data file: {name}\n"))
        assert grid.label.ravel(order="F").tolist() == list(label)
    for name in ("../out.raw", "link.raw", tmp_path / "out.raw", "/etc/passwd"):
        with pytest.raises(InputError, match="in a file of the same folder; put them beside it") as refused:
            voxels.load(nrrd_of(folder / "b.nrrd", "10 10 10", "raw", b"", f"data file: {name}\n"))
        assert refused.value.value == f"data file: {name}"
    with pytest.raises(InputError, match=r"gone.raw: there is no such file"):
        voxels.load(nrrd_of(folder / "b.nrrd", "10 10 10", "raw", b"", "datafile: gone.raw\n"))


@pytest.mark.parametrize("sizes", ["-1 10 10", "-1 -10 10"])
def test_negative_sizes_are_told_as_such(tmp_path, sizes):
    pytest.importorskip("nrrd")
    from haiflow.mesh import voxels

    with pytest.raises(InputError, match=r"-1 x -?10 x 10 voxels: sizes are 0 or more"):
        voxels.load(nrrd_of(tmp_path / "a.nrrd", sizes, "raw", bytes(1000)))


@pytest.mark.parametrize("command", ["build", "convert"])
@pytest.mark.parametrize("number", [errno.ENOSPC, None])
def test_a_full_disk_is_told_of_the_file_that_was_asked_for(tmp_path, liver, monkeypatch, command, number):
    """Without a number, as HDF5 tells it."""
    import haiflow.mesh.generate as generate

    write_liver(tmp_path / "a.vtu", liver)
    target = tmp_path / "b.vtu"

    def full(self, path, *how, **more):
        Path(path).write_bytes(b"begun")
        raise OSError(number, "No space left on device") if number else RuntimeError("HDF error")

    monkeypatch.setattr(meshio.Mesh, "write", full)
    monkeypatch.setattr(generate, "standard", lambda cells: liver)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1000))
    what = ("build", "standard", "-o", target) if command == "build" else ("convert", tmp_path / "a.vtu", target)
    refused = told(*what).exception
    assert isinstance(refused, OSError)
    assert (refused.errno, refused.filename) == (errno.ENOSPC, str(target))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.vtu"]


@pytest.mark.parametrize("ending", ["med", "xdmf"])
def test_hdf5_is_not_begun_without_room_for_it(tmp_path, liver, monkeypatch, ending):
    """What it cannot write it tells nobody."""
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=2 * liver.tetra.nbytes))
    monkeypatch.setattr(meshio.Mesh, "write", lambda *how, **more: pytest.fail("begun"))
    with pytest.raises(OSError, match="No space left on device") as refused:
        save(liver, tmp_path / f"b.{ending}")
    assert refused.value.filename == str(tmp_path / f"b.{ending}")


def test_an_ending_that_cannot_be_written_names_the_file_that_was_asked_for(tmp_path, liver, monkeypatch):
    def refuses(self, path, *how, **more):
        raise ValueError("no")

    monkeypatch.setattr(meshio.Mesh, "write", refuses)
    with pytest.raises(InputError, match="cannot be written in this format") as refused:
        save(liver, tmp_path / "b.vtu")
    assert refused.value.value == str(tmp_path / "b.vtu")


def test_gmsh_without_a_reason_is_told_without_empty_brackets(monkeypatch):
    import haiflow.mesh.generate as generate

    def fails(path):
        raise Exception("")  # as gmsh does

    silent = SimpleNamespace(option=SimpleNamespace(setNumber=lambda *how: None), merge=fails, finalize=lambda: None)
    monkeypatch.setattr(generate, "begun_gmsh", lambda: silent)
    skin = SimpleNamespace(save=lambda path: Path(path).write_text("solid x\nendsolid x\n"))
    with pytest.raises(InputError, match=r"cannot mesh this surface \(it gives no reason\)"):
        generate.tetrahedra(skin, 10.0, 1000, "x.stl")
