"""A small sweep that runs in seconds, how to run it as a process, and how to tell that two folders are the same."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

SWEEP = """haiflow: 1
name: bores
pump: {model: intera-3000, fill: {drug: floxuridine, concentration: 5 mg/mL, volume: 30 mL}}
catheter: {model: intera-straight}
run: {duration: 2 d, output_every: 1 d}
require: pump.mean_flow_rate > 1.2 mL/day
sweep:
  seed: 7
  catheter.inner_diameter: [0.4 mm, 0.5 mm, 9 mm]
  sample: {n: 8, of: {pump.rate_error: {kind: normal, mean: 0, sd: 0.05}}}
"""
GOOD, BAD = 16, 8
VARYING = {"run.json", "sweep.yaml"}  # these say when, and by whom


class Command:
    """``haiflow run`` of the sweep in a folder of its own."""

    def __init__(self, folder, text=SWEEP):
        self.folder, self.file, self.out = folder, folder / "s.yaml", folder / "out"
        self.file.write_text(text, encoding="utf-8")

    def start(self, *options, env=None):
        command = [sys.executable, "-m", "haiflow", "run", str(self.file), "-o", str(self.out), *options]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, env={**os.environ, **(env or {})}, text=True, **streams)

    def run(self, *options, env=None):
        """Exit code and standard error."""
        process = self.start(*options, env=env)
        _, said = process.communicate(timeout=300)
        assert "Traceback" not in said, said
        return process.returncode, said

    def variants(self):
        """Name -> inode of the folders that are there: a variant that was run again would have another."""
        if not self.out.is_dir():
            return {}
        return {path.name: path.stat().st_ino for path in self.out.iterdir() if path.name.isdecimal()}


def contents(folder: Path) -> dict[str, str]:
    """Path -> hash of every file of a batch that must not depend on how it was run."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in VARYING and ".batch" not in path.parts
    }


@pytest.fixture
def sweep(tmp_path):
    return Command(tmp_path)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The contents of the batch as one undisturbed worker makes it."""
    command = Command(tmp_path_factory.mktemp("undisturbed"))
    code, said = command.run("--workers", "1")
    assert code == 4, said
    assert len(command.variants()) == GOOD
    return contents(command.out)


@pytest.fixture(scope="session")
def same():
    return contents


@pytest.fixture
def spoilt(tmp_path):
    """``spoilt(code)``: an environment whose every process runs ``code`` with ``Bench`` and ``os`` at hand."""

    def environment(code):
        folder = tmp_path / "spoil"
        folder.mkdir(exist_ok=True)
        lines = [
            "import sys",
            "if '-m' in sys.orig_argv:",  # neither pip nor a tool of the system
            "    import os",
            "    from haiflow.batch.variant import Bench",
            *(f"    {line}" for line in code.strip().splitlines()),
        ]
        (folder / "sitecustomize.py").write_text("\n".join(lines), encoding="utf-8")
        path = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {"PYTHONPATH": os.pathsep.join(path)}

    return environment
