"""Batches: variants a minute, what a second worker brings, what the layer itself costs, memory, the page opened."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.cases import ROOT
from benchmarks.table import Row, at_least, at_most

THERAPY = """haiflow: 1
name: catheters
pump: {model: intera-3000, fill: {drug: floxuridine, dose: 0.12 mg/kg/day, volume: 30 mL}}
catheter: {model: intera-straight, tip: {vessel: gastroduodenal, position: ostium}}
arteries: {anatomy: michels-1}
liver: {model: standard, tumours: [{name: metastasis, segment: VIII, diameter: 30 mm, arterial_ratio: 3}]}
run: {duration: 28 d, output_every: 1 d}
require: segments.min_dose_fraction > 0.01
sweep:
  sample:
    n: 240
    of:
      catheter.inner_diameter: {kind: normal, mean: 0.6 mm, sd: 0.02 mm}
      catheter.length: {kind: uniform, from: 40 cm, to: 60 cm}
"""
SMALL = """haiflow: 1
name: pumps
pump: {model: intera-3000, fill: {drug: floxuridine, concentration: 5 mg/mL, volume: 30 mL}}
catheter: {model: intera-straight}
run: {duration: 2 d, output_every: 1 d}
require: pump.mean_flow_rate > 1.25 mL/day
sweep:
  sample:
    n: 100
    method: lhs
    of:
      pump.rate_error: {kind: normal, mean: 0, sd: 0.05}
      catheter.length: {kind: uniform, from: 40 cm, to: 60 cm}
"""
IN_PROCESS = 120  # variants that the layer's own cost is taken from
MANY = 10_000


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield from throughput(folder)
        yield overhead(folder)
        yield from memory(folder)


def throughput(folder: Path) -> Iterator[Row]:
    """From the first committed variant to the last, so that the start of Python is not counted."""
    one, two = (rate(folder, workers) for workers in (1, 2))
    note = f" (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)"
    yield at_least("therapy variants a minute, 28 days, michels-1, two workers", 60.0 * two, 1000.0, note)
    yield at_least("the same: two workers against one", two / one, 1.8, note)


def rate(folder: Path, workers: int) -> float:
    """Variants a second, by the times at which their folders came."""
    out = run(folder, THERAPY, 240, "--workers", str(workers))
    came = sorted(path.stat().st_ctime for path in out.iterdir() if path.name.isdecimal())
    cut = len(came) // 6  # both workers are at work, with what is shared at hand
    return (len(came) - 1 - 2 * cut) / (came[-1 - cut] - came[cut])


def run(folder: Path, text: str, n: int, *options: str) -> Path:
    file, out = folder / "sweep.yaml", folder / "out"
    file.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "haiflow", "run", str(file), "-o", str(out), "--force", "--quiet", *options]
    subprocess.run([*command, "--set", f"sweep.sample.n={n}"], check=True)
    return out


def overhead(folder: Path) -> Row:
    """Of a variant's wall time in a worker, what is neither running nor writing it; and its share of the gathering."""
    from haiflow.batch.gather import gather
    from haiflow.batch.plan import Recipe, prepare
    from haiflow.batch.variant import Bench, Outcome
    from haiflow.batch.view import View
    from haiflow.scenario.sweeps.swept import read_swept

    file, out = folder / "layer.yaml", folder / "layer"
    file.write_text(THERAPY.replace("n: 240", f"n: {IN_PROCESS}"), encoding="utf-8")
    swept = read_swept(file)
    assert swept is not None
    recipe = Recipe(file.read_text(encoding="utf-8"), file.name, str(file), (), str(out))
    batch = prepare(recipe, swept)
    told: list[Outcome] = []
    begins: list[float] = []
    Bench(recipe).run(range(IN_PROCESS), told.append, lambda index: begins.append(time.perf_counter()))
    spent = sum(outcome.seconds for outcome in told if 0 < outcome.index < IN_PROCESS - 1)
    between = (begins[-1] - begins[1] - spent) / (IN_PROCESS - 2)
    begun = time.process_time()
    gather(batch, View("", 0, 0, quiet=True))
    gathering = (time.process_time() - begun) / IN_PROCESS
    note = f" ({1e3 * between:.1f} between variants, {1e3 * gathering:.1f} gathering)"
    return at_most("batch layer, a variant", 1e3 * (between + gathering), 5.0, " ms", note)


def memory(folder: Path) -> Iterator[Row]:
    few, many = (peaks(folder, n) for n in (100, MANY))
    for who in ("client", "largest worker"):
        ratio = many[who] / few[who]
        note = f" ({few[who]:.0f} to {many[who]:.0f} MB)"
        yield at_most(f"memory, {who}: {MANY} variants against 100", ratio, 1.2, "", note)
    yield browser(folder / "out" / "report.html", folder)


def peaks(folder: Path, n: int) -> dict[str, float]:
    """Peak resident memory (MB) of the command and of its largest worker."""
    file, out = folder / "sweep.yaml", folder / "out"
    file.write_text(SMALL, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "haiflow",
        "run",
        str(file),
        "-o",
        str(out),
        "--force",
        "--quiet",
        "--workers",
        "2",
    ]
    process = subprocess.Popen([*command, "--set", f"sweep.sample.n={n}"])
    found = {"client": 0.0, "largest worker": 0.0}
    while process.poll() is None:
        found["client"] = max(found["client"], high_water(process.pid))
        with suppress(OSError):
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            found["largest worker"] = max(found["largest worker"], *(high_water(int(child)) for child in children), 0.0)
        time.sleep(0.1)
    assert process.returncode == 0
    return found


def high_water(process: int) -> float:
    with suppress(OSError, StopIteration, IndexError):
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return float(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024.0
    return 0.0


def browser(page: Path, folder: Path) -> Row:
    """Until the page of so many variants has drawn itself, its process's start taken off."""
    what, chromium = f"report of {MANY} variants opens in Chromium", shutil.which("chromium")
    if chromium is None:
        return Row(what, "< 3 s", "no Chromium here", None)
    empty = folder / "empty.html"
    empty.write_text("<!doctype html><title>empty</title>", encoding="utf-8")
    best = min(opened(chromium, page, folder) - opened(chromium, empty, folder) for _ in range(3))
    return at_most(what, best, 3.0, " s", f" ({page.stat().st_size / 1e6:.1f} MB)")


def opened(chromium: str, page: Path, folder: Path) -> float:
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    begun = time.perf_counter()
    subprocess.run([chromium, *flags, page.as_uri()], capture_output=True, check=False, cwd=ROOT)
    return time.perf_counter() - begun
