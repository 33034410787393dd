"""Writes the output folder: all of it, or nothing.

Everything goes into a hidden folder beside the wanted name, is flushed to the disk and renamed when complete, so a
reader never sees half a result and an interrupted run leaves the old folder as it was.
"""

from __future__ import annotations

import csv
import glob
import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from haiflow.errors import InputError
from haiflow.results import frames, junction, netcdf, rows, scan, vtk
from haiflow.results.record import Results
from haiflow.results.sums import sums

FRESH = 5.0  # s
MARK = "run.json"  # written last: a folder that has it is a result of ours


def _refuse_unwritable(folder: Path) -> None:
    """Raises InputError where a folder cannot be made: found out before hours of computing, not after."""
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    if not above.is_dir():
        raise InputError(str(folder), str(above), "is a file, so nothing can be put below it", "give another -o")
    if not os.access(above, os.W_OK | os.X_OK):
        raise InputError(str(folder), str(above), "this folder cannot be written to", "give another -o")


def refuse_existing(folder: Path, force: bool = False, mark: str = MARK) -> None:
    """Raises InputError where ``folder`` may not be written: it exists, or ``force`` would destroy something else than
    a folder with the file ``mark``."""
    if not folder.exists() and not folder.is_symlink():
        _refuse_unwritable(folder)
        return
    if not force:
        raise InputError(str(folder), "exists", "an existing output is not overwritten", "give another -o, or --force")
    if not folder.is_dir() or folder.is_symlink():
        raise InputError(str(folder), "not a folder", "--force replaces a result folder only", "give another -o")
    if any(folder.iterdir()) and not (folder / mark).exists():
        raise InputError(
            str(folder),
            f"has no {mark}",
            "--force replaces a folder of results only",
            "give another -o, or empty it yourself",
        )


@contextmanager
def replacing(folder: Path, force: bool = False, mark: str = MARK) -> Iterator[Path]:
    """A hidden folder beside ``folder`` to write into; renamed to it at the end, removed on any error or interrupt."""
    refuse_existing(folder, force, mark)
    folder = folder.absolute()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        clear_stale(folder)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent))
    except OSError as error:
        raise InputError(
            str(folder), error.strerror, "the output's folder must be writable", "give another -o"
        ) from error
    with held(partial):
        yield from _filling(partial, folder, force, mark)


def _filling(partial: Path, folder: Path, force: bool, mark: str) -> Iterator[Path]:
    try:
        partial.chmod(0o777 & ~_umask())
        yield partial
        flush(partial)
        refuse_existing(folder, force, mark)
        _swap(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


@contextmanager
def held(partial: Path) -> Iterator[None]:
    """Others see that ``partial`` is being written for as long as this process lives (where the system can tell)."""
    handle = _locked(partial)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)


def _locked(folder: Path) -> int | None:
    """A handle that holds the folder; None where another process does, or the system has no such locks."""
    try:
        import fcntl
    except ImportError:
        return None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def clear_stale(folder: Path) -> None:
    """Removes what runs into ``folder`` that were killed have left beside it; those still at work are let be."""
    for partial in folder.parent.glob(f".{glob.escape(folder.name)}.*.partial"):
        try:
            new = abs(time.time() - partial.stat().st_mtime) < FRESH  # made, and not yet held
            handle = None if new or partial.is_symlink() else _locked(partial)
        except OSError:  # gone meanwhile
            continue
        if handle is not None:
            shutil.rmtree(partial, ignore_errors=True)
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def flush(folder: Path) -> None:
    """All that is in ``folder`` is on the disk, and the folder with it."""
    windows = sys.platform == "win32"  # where folders cannot be flushed, and files only when open for writing
    for path in [*folder.rglob("*"), folder]:
        if windows and path.is_dir():
            continue
        handle = os.open(path, os.O_RDWR if windows else os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _swap(partial: Path, folder: Path) -> None:
    """Renames ``partial`` to ``folder``; what was there is put aside first and put back if that fails."""
    if not folder.exists():
        try:
            partial.rename(folder)
        except OSError:
            refuse_existing(folder)  # another run was quicker
            raise
        return
    old = partial.with_suffix(".old")
    folder.rename(old)
    try:
        partial.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def plain(value: Any) -> Any:
    """``value`` as JSON has it: numpy's types made Python's, and no NaN or infinity (null stands for them)."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def write_csv(path: Path, table: rows.Rows) -> None:
    """A row per item; the column names carry the units, a missing or non-finite value is an empty field."""
    names = rows.columns(table)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: "" if item is None else item for key, item in plain(row).items()} for row in table)


def save(results: Results, folder: Path, force: bool = False) -> Path:
    """Writes ``results`` to ``folder`` (see the contract of the output folder) and returns its path.

    Raises InputError where the folder exists and ``force`` is not given, or cannot be written.
    """
    with replacing(Path(folder), force) as partial:
        write_into(results, partial)
    results.folder = Path(folder).absolute()
    return results.folder


def write_into(results: Results, folder: Path, timed: bool = True) -> None:
    """All files of ``results`` into a folder that is there. Where not ``timed``, how long it took stands in run.json
    alone, and every other file of two runs of one scenario is the same to the last bit."""
    begun = time.perf_counter()
    presenter = results.presenter
    aside = {} if timed else _without_times(results)
    try:
        if presenter is not None:
            presenter.begin(results, folder)
        stages = _write_data(results, folder)
        notes = presenter.finish(results, folder) if presenter is not None else []
        results.provenance.update(aside)
        _write_account(results, folder, notes, stages, begun, timed)
    except BaseException:
        if presenter is not None:
            presenter.abandon()
        raise


def _without_times(results: Results) -> dict[str, Any]:
    """Take out of the record how long it took, and when; returns what run.json says of it all the same."""
    results.summary.pop("timing", None)
    for part in results.summary.get("solver", {}).values():
        if isinstance(part, dict):
            for name in ("kernel_s", "network_s", "seconds"):
                part.pop(name, None)
    return {key: results.provenance.pop(key) for key in ("timing", "started") if key in results.provenance}


def _write_data(results: Results, folder: Path) -> dict[str, float]:
    """All files but the pictures, the page and the two that are written last; returns seconds by stage."""
    begun = time.perf_counter()
    (folder / "scenario.yaml").write_text(results.scenario_yaml, encoding="utf-8")
    for name, table in (("segments.csv", results.segment_rows), ("vessels.csv", results.vessel_rows)):
        if table:
            write_csv(folder / name, table)
    tables_done = time.perf_counter()
    attributes = {"title": str(results.summary.get("scenario", {}).get("name", "")), "source": "haiflow"}
    if results.history_series:
        netcdf.write(folder / "history.nc", results.history_series, results.history_coords, attributes)
    if results.cycle_series:
        netcdf.write(folder / "cycle.nc", results.cycle_series, results.cycle_coords, attributes)
    if results.scan is not None:
        scan.write(folder / "scan.nc", results.scan, attributes["title"])
    series_done = time.perf_counter()
    if results.network is not None:
        vtk.write_network(folder / "network.vtp", results.network)
    if results.liver is not None:
        vtk.write_liver(folder / "perfusion.vtu", results.liver)
        frames.write(folder, results.liver)
    if results.junction is not None:
        junction.write(folder, results.junction)
    return {
        "tables_s": tables_done - begun,
        "netcdf_s": series_done - tables_done,
        "vtk_s": time.perf_counter() - series_done,
    }


def _write_account(
    results: Results, folder: Path, notes: list[str], stages: dict[str, float], begun: float, timed: bool
) -> None:
    """summary.json and run.json, with the time that writing took added to the timing."""
    results.provenance.setdefault("warnings", []).extend(notes)
    timing = dict(results.summary.get("timing") or results.provenance.get("timing", {}))
    elapsed = time.perf_counter() - begun
    timing.update(stages, save_s=elapsed, total_s=float(timing.get("total_s", 0.0)) + elapsed)
    timing.update(results.provenance.get("drawing", {}))
    if timed:
        results.summary["timing"] = timing
    write_json(folder / "summary.json", results.summary)
    record = {
        **results.provenance,
        "timing": timing,
        "events": [vars(event) for event in results.events],
        "verdict": [vars(finding) for finding in results.verdict],
        "inputs": results.inputs,
        "files": sums(folder),
    }
    write_json(folder / MARK, record)
