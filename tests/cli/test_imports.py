"""What a command may import, and which part may import which."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = (
    "numpy", "scipy", "pydantic", "yaml", "pyvista", "vtk", "vtkmodules", "pint", "xarray", "pandas", "matplotlib",
    "h5py", "netCDF4", "jinja2", "gmsh", "meshio", "dask",
)  # fmt: skip


def _modules_after(code):
    code += "\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_help_imports_nothing_heavy():
    code = "from haiflow.cli import main\ntry: main(['--help'])\nexcept SystemExit as ended: assert ended.code == 0"
    loaded = _modules_after(code)
    assert "click" in loaded
    assert [name for name in HEAVY if name in loaded] == []
    own = {name for name in loaded if name.startswith("haiflow.")}
    commands = {f"haiflow.cli_{group}" for group in ("compare", "exit", "import", "mesh", "options", "run", "verify")}
    assert own <= {"haiflow.errors", "haiflow.cli", *commands}


def test_importing_haiflow_imports_nothing_heavy():
    loaded = _modules_after("import haiflow; dir(haiflow)")
    assert [name for name in (*HEAVY, "click") if name in loaded] == []


def test_check_needs_no_arrays_and_no_pictures():
    scenario = ROOT / "tests" / "cli" / "scenarios" / "contract.yaml"
    code = f"from haiflow.cli import main\ntry: main(['check', {str(scenario)!r}])\n"
    loaded = _modules_after(code + "except SystemExit as ended: assert ended.code == 0")
    assert {name for name in HEAVY if name in loaded} == {"pydantic", "yaml"}


def test_the_floors():
    """The contracts of .importlinter hold."""
    pytest.importorskip("importlinter")
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_kernels_know_nothing_of_haiflows_python():
    """Compiled loops may share declarations (cimport) and nothing else."""
    for source in (ROOT / "ext" / "haiflow" / "kernels").glob("*.p[yx][xd]"):
        for line in source.read_text(encoding="utf-8").splitlines():
            assert not re.match(r"\s*(from|import)\s+haiflow(?!.*\bcimport\b)", line), f"{source.name}: {line}"
            assert not re.match(r"\s*(c?import|from)\s+numpy", line), f"{source.name}: {line}"
