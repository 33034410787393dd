"""One input run in this process, and what is to be found fault with."""

from __future__ import annotations

import os
import re
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fuzz.inputs import Input, make

FOUR_PARTS = re.compile(r"\S.*?: .*: \S.+; \S.+", re.DOTALL)
USAGE = re.compile(r"Usage: haiflow.*\n(Error: \S|Commands:)|Error: \S.*\nTry 'haiflow", re.DOTALL)
NOT_READY = re.compile(r"NOT READY: .*: \S.+\n\s+\S|\"problem\": \"")
STOPPED = re.compile(r"stopped at t = \S+ s in .+: \S|stopped, ")
CHECK_SECONDS = 6.0  # of CPU: reading and checking
TIMES_ESTIMATE = 4.0  # of CPU: this machine may be slower than the one that the estimates are of
LONGEST_RUN = 6.0  # s, estimated: longer ones are checked only
MOST_MEMORY = 1_500  # MB more than before


@dataclass
class Outcome:
    """How an input ended: exit ``code``, seconds of CPU, of these the estimate of a run, MB more than before."""

    number: int
    kind: str
    command: list[str]
    code: int | None = None
    seconds: float = 0.0
    estimate: float | None = None
    memory_mb: float = 0.0
    said: str = ""
    faults: list[str] = field(default_factory=list)


def attempt(number: int, kind: str | None = None, keep: Path | None = None) -> Outcome:
    """Runs input ``number`` in an empty folder, which is kept where one is given."""
    with tempfile.TemporaryDirectory(prefix="haiflow-fuzz-", dir=os.environ.get("HAIFLOW_FUZZ_FOLDER")) as given:
        folder = Path(given) if keep is None else keep
        with _inside(folder):
            shown = make(number, folder, kind)
            outcome = Outcome(number, shown.kind, shown.command)
            _run(shown, outcome, folder)
    return outcome


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """The folder is the current one, and that of temporary files (a bug's traceback is one)."""
    before, tempfile.tempdir = Path.cwd(), str(folder)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        tempfile.tempdir = None


def _run(shown: Input, outcome: Outcome, folder: Path) -> None:
    if shown.kind == "run":
        outcome.estimate = _estimate(folder / "s.yaml")
        if outcome.estimate is None or outcome.estimate > LONGEST_RUN:
            outcome.command = ["check", "s.yaml"]
    before = sorted(folder.rglob("*"))
    memory, begun = _peak_mb(), time.process_time()
    outcome.code, out, err = _captured(outcome.command, folder)
    outcome.seconds, outcome.memory_mb = time.process_time() - begun, _peak_mb() - memory
    outcome.said = (err + out)[:4000]
    outcome.faults = [*_faults(outcome, out, err), *_leavings(outcome, folder, before)]
    traces = [path.read_text(encoding="utf-8")[-3000:] for path in folder.glob("haiflow-*.txt")]
    outcome.said += "".join(traces)


def _estimate(path: Path) -> float | None:
    from haiflow.errors import HaiflowError
    from haiflow.scenario.load import load
    from haiflow.scenario.plan import plan

    try:
        scenario = load(path)
        return None if scenario.model.sweep is not None else plan(scenario).estimated_s
    except HaiflowError:
        return None
    except Exception:  # the command itself will show it
        return None


def _captured(command: list[str], folder: Path) -> tuple[int | None, str, str]:
    """Exit code, standard output and standard error of the command, those of libraries in C included."""
    from haiflow import cli
    from haiflow.simulation import run as simulation

    simulation.run_scenario = partial(_whole(simulation.run_scenario), pictures=False)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    texts = [folder.parent / f"{folder.name}.{name}" for name in ("out", "err")]
    code: int | None = None
    try:
        for number, path in zip((1, 2), texts, strict=True):
            handle = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
            os.dup2(handle, number)
            os.close(handle)
        try:
            cli.main(command)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        (sys.stdout or sys.__stdout__).flush()
        sys.stderr.flush()
    finally:
        sys.stdout = sys.stdout or sys.__stdout__
        for number, handle in zip((1, 2), kept, strict=True):
            os.dup2(handle, number)
            os.close(handle)
    out, err = (path.read_bytes().decode("utf-8", "replace") for path in texts)
    for path in texts:
        path.unlink()
    return code, out, err


def _whole(call: object) -> object:
    """What a partial of a partial calls."""
    return getattr(call, "func", call)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def _faults(outcome: Outcome, out: str, err: str) -> Iterator[str]:
    allowed = {0, 2, 3, 4} if "sweep" in outcome.said or outcome.kind in ("scenario", "text", "setting") else {0, 2, 3}
    if outcome.code not in allowed:
        yield f"exit code {outcome.code}"
    if "Traceback" in err + out or "Error: [Errno" in err:
        yield "a traceback"
    most = CHECK_SECONDS + TIMES_ESTIMATE * (outcome.estimate or 0.0)
    if outcome.seconds > most:
        yield f"{outcome.seconds:.1f} s of CPU, at most {most:.1f}"
    if outcome.memory_mb > MOST_MEMORY or "not enough memory" in err:
        yield f"{outcome.memory_mb:.0f} MB"
    if outcome.code == 2 and not _says_four_parts(out, err):
        yield "a message without its four parts"
    if outcome.code == 3 and not STOPPED.search(err):
        yield "stopped without saying where"


def _says_four_parts(out: str, err: str) -> bool:
    if USAGE.search(err) or NOT_READY.search(out):
        return True
    lines = [line for line in err.strip().splitlines() if not line.startswith("  ")]
    return bool(lines) and FOUR_PARTS.search(err) is not None and all(": " in line for line in lines)


def _leavings(outcome: Outcome, folder: Path, before: list[Path]) -> Iterator[str]:
    """Bad input leaves the folder as it was; nothing leaves anything hidden."""
    after = sorted(folder.rglob("*"))
    hidden = [path.name for path in after if path.name.startswith(".") and path not in before]
    if hidden:
        yield f"left behind: {', '.join(hidden)}"
    elif outcome.code == 2 and after != before:
        yield f"bad input, yet written: {', '.join(path.name for path in set(after) - set(before))}"


def discard(folder: Path) -> None:
    """A folder of the fuzzer's own, gone."""
    shutil.rmtree(folder, ignore_errors=True)
