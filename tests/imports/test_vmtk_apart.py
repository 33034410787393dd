"""Files of lines on which VTK itself would end the process, or fill the memory: it reads in a process of its own."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from haiflow.errors import InputError
from haiflow.mesh import apart
from haiflow.mesh.by_vtk import read_lines
from haiflow.mesh.claims import refuse_claims
from haiflow.scenario.imports.vmtk import Assumed, reader

pv = pytest.importorskip("pyvista")
resource = pytest.importorskip("resource", reason="bounds memory as POSIX does")

RADIUS = "MaximumInscribedSphereRadius"


def written(path, **options):
    """One line of 61 points with a radius, an array of text at its cell and a field."""
    data = pv.PolyData()
    data.points = np.linspace((0.0, 0.0, 0.0), (10.0, 0.0, 60.0), 61)
    data.lines = np.concatenate([[61], np.arange(61)])
    data.point_data[RADIUS] = np.linspace(2.0, 1.5, 61)
    data.point_data["Curvature"] = np.full((61, 3), 0.5)
    data.cell_data["CenterlineIds"] = np.array([7])
    data.cell_data["name"] = ["hepatic"]
    data.field_data["origin"] = np.array([1.0, 2.0])
    data.save(path, **options)
    return path


def lying(path, offsets="2147483648"):
    """The same line, whose offsets say that it goes on for longer."""
    text = written(path, binary=False).read_text()
    lines = text.index("<Lines>")
    at = text.index("61", text.index(">", text.index('Name="offsets"', lines)))
    path.write_text(f"{text[:at]}{offsets}{text[at + 2 :]}")
    return path


@pytest.mark.parametrize("offsets", ["62", "2147483648", "99999999999999", "-9000000000000000000"])
def test_offsets_that_say_more_than_there_is_end_in_words_and_not_the_process(tmp_path, offsets):
    path = lying(tmp_path / "c.vtp", offsets)

    def bounded():
        resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))

    command = [sys.executable, "-m", "haiflow", "import", "vmtk", str(path), "-o", str(tmp_path / "s.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=bounded, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"{path}: ")
    assert "the file cannot be read; save it anew as .vtp" in done.stderr or "no lines in it: it is cut" in done.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["c.vtp"]  # no scenario, and no core


@pytest.mark.parametrize("ending", ["vtp", "vtk"])
@pytest.mark.parametrize("binary", [True, False])
def test_all_that_vtk_read_comes_back_from_its_process(tmp_path, ending, binary):
    found = read_lines(written(tmp_path / f"c.{ending}", binary=binary))
    assert (found.kind, found.cells, found.line_count) == ("PolyData", 1, 1)
    assert found.lines.tolist() == [61, *range(61)]
    np.testing.assert_allclose(found.points, np.linspace((0, 0, 0), (10, 0, 60), 61), atol=1e-5)
    np.testing.assert_allclose(found.point_data[RADIUS], np.linspace(2.0, 1.5, 61), rtol=1e-6)
    assert found.point_data["Curvature"].shape == (61, 3)
    assert found.cell_data["CenterlineIds"].tolist() == [7]
    assert "name" not in found.cell_data  # of text
    assert sorted(found.names["cell"]) == ["CenterlineIds", "name"]
    assert "origin" in found.names["field"]


def test_a_grid_is_named_as_what_it_is(tmp_path):
    pv.ImageData(dimensions=(3, 3, 3)).cast_to_unstructured_grid().save(tmp_path / "grid.vtk")
    with pytest.raises(InputError, match="UnstructuredGrid: no lines in it"):
        read_it(tmp_path / "grid.vtk")


def read_it(path):
    from haiflow.scenario.imports.findings import Findings

    return reader(Assumed())(path, Findings())


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "its reader crashes on it"),
        ("import os; os.abort()", "its reader crashes on it"),
        ("import time; time.sleep(60)", "its reader does not end within 1 s"),
        ("pass", "its reader crashes on it"),
    ],
)
def test_however_the_process_ends_the_file_is_named_with_the_reason(tmp_path, monkeypatch, code, said):
    path = written(tmp_path / "c.vtp")
    run = subprocess.run
    monkeypatch.setattr(apart, "PATIENCE", 1.0)
    monkeypatch.setattr(apart.subprocess, "run", lambda command, **how: run([command[0], "-c", code], **how))
    with pytest.raises(InputError) as refused:
        read_it(path)
    found = refused.value
    assert (found.place, str(found.value)) == (str(path), said)
    assert (found.rule, found.remedy) == ("the file cannot be read", "save it anew as .vtp")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("    raise ValueError('first\\nsecond')", "first"),
        ("    raise KeyError", "KeyError"),
        ("    import numpy\n    return {'a': numpy.ones(10**12)}", "asks for more memory"),
    ],
)
def test_a_reader_that_fails_says_why(tmp_path, monkeypatch, body, said):
    (tmp_path / "odd.py").write_text(f"def extract(path):\n{body}\n")
    (tmp_path / "a").write_text("x")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(apart.Unread, match=said):
        apart.read_apart("odd:extract", tmp_path / "a")


def test_it_leaves_no_core_and_has_a_bound(tmp_path, monkeypatch):
    body = "import resource as r\ndef extract(path):\n"
    body += "    return {'core': r.getrlimit(r.RLIMIT_CORE)[0], 'most': r.getrlimit(r.RLIMIT_AS)[0]}\n"
    (tmp_path / "told.py").write_text(body)
    (tmp_path / "a").write_bytes(bytes(1000))
    monkeypatch.syspath_prepend(tmp_path)
    found = apart.read_apart("told:extract", tmp_path / "a")
    assert (int(found["core"]), int(found["most"])) == (0, 8 * 2**30 + 200 * 1000)


def test_without_vtk_it_is_told_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("haiflow.mesh.by_vtk.find_spec", lambda name: None)
    with pytest.raises(InputError, match="this needs VTK") as refused:
        read_it(written(tmp_path / "c.vtp"))
    assert "haiflow[viz]" in refused.value.remedy


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_lie_in_another_encoding_is_seen_too(tmp_path, encoding):
    path = written(tmp_path / "c.vtp", binary=False)
    text = path.read_text()
    path.write_bytes(text.encode(encoding))
    refuse_claims(path, str(path))  # the sound one is none
    path.write_bytes(text.replace('NumberOfPoints="61"', 'NumberOfPoints="21000000000"').encode(encoding))
    with pytest.raises(InputError, match="21000000000 points: a header counts what is there"):
        refuse_claims(path, str(path))


def test_the_processes_of_the_tests_can_be_interrupted():
    """Started as a shell's background job they would inherit that SIGINT is ignored."""
    assert signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
