"""What a mesh file holds, how good it is, and what is missing before a run can use it: ``haiflow mesh info``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError
from haiflow.mesh.files import SURFACE_FORMATS, VOLUME_FORMATS, Raw, load
from haiflow.mesh.labels import couinaud
from haiflow.mesh.model import NUMERALS
from haiflow.mesh.order import parts
from haiflow.mesh.read import UNITS, check_shape, joined, right_way_round
from haiflow.mesh.volumes import tetra_quality, tetra_volumes
from haiflow.ports import Floats


def inspect(path: Path, unit: str = "m", labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    """All that can be said of the file; ``problem`` is None where a run can use it. Raises InputError where nothing
    can be read."""
    raw = load(path, str(path), VOLUME_FORMATS + SURFACE_FORMATS)
    found: dict[str, Any] = {
        "file": str(path), "points": len(raw.points), "tetrahedra": len(raw.tetra), "other_cells": raw.others,
        "numbers": sorted(raw.numbers), "groups": {name: len(cells) for name, cells in raw.groups.items()},
        "unit": unit, "labels": dict(labels or {}), "problem": None, "remedy": None,
    }  # fmt: skip
    try:
        if not len(raw.tetra):
            raise InputError(str(path), "no tetrahedra", "a liver needs tetrahedra", "haiflow mesh build makes them")
        points, tetra = joined(raw, str(path))
        points = points * UNITS[unit]
        if not np.all(np.isfinite(points)):
            raise InputError(str(path), "NaN", "some points are not finite numbers", "export the mesh again")
        found |= _shape(points, right_way_round(points, tetra), tetra)
        label = couinaud(raw, str(path), labels)
        found["segments"] = _segments(label, np.abs(tetra_volumes(points, tetra)))
        check_shape(points, right_way_round(points, tetra), str(path), unit)
    except InputError as error:
        found |= {"problem": f"{error.value}: {error.rule}", "remedy": error.remedy}
    found["unused_points"] = _unused(raw)
    return found


def _unused(raw: Raw) -> int:
    named = np.unique(raw.tetra)
    return len(raw.points) - int(np.count_nonzero((named >= 0) & (named < len(raw.points))))


def _shape(points: Floats, turned: NDArray[np.int32], tetra: NDArray[np.int32]) -> dict[str, Any]:
    levels = np.quantile(tetra_quality(points, turned), (0.0, 0.01, 0.5)).tolist()
    part = parts(turned, len(points))
    return {
        "extent_m": np.ptp(points, axis=0).tolist(),
        "volume_m3": float(np.abs(tetra_volumes(points, turned)).sum()),
        "turned": int((turned != tetra).any(axis=1).sum()),
        "quality": {"least": levels[0], "first_percent": levels[1], "median": levels[2]},
        "parts": int(part.max()) + 1,
    }  # fmt: skip


def _segments(label: NDArray[np.int32], volume: Floats) -> dict[str, float]:
    held = np.bincount(label, weights=volume, minlength=9)[1:]
    return {name: float(size) for name, size in zip(NUMERALS, held, strict=True)}


def as_text(found: Mapping[str, Any]) -> str:
    """A few lines for a terminal."""
    others = ", ".join(f"{count} {kind}" for kind, count in found["other_cells"].items())
    lines = [
        found["file"],
        f"  cells:     {found['tetrahedra']} tetrahedra{', ' + others if others else ''}",
        f"  points:    {found['points']}, {found['unused_points']} of them in no tetrahedron",
    ]
    if "volume_m3" in found:
        extent = " x ".join(f"{1e3 * size:.4g}" for size in found["extent_m"])
        quality = found["quality"]
        lines += [
            f"  size:      {1e6 * found['volume_m3']:.5g} mL, {extent} mm (read as {found['unit']})",
            f"  quality:   least {quality['least']:.3g}, 1 % below {quality['first_percent']:.3g}, "
            f"median {quality['median']:.3g} (1 is regular)",
            f"  parts:     {found['parts']}; {found['turned']} cells inside out are turned round",
        ]
    if "segments" in found:
        whole = sum(found["segments"].values()) or 1.0
        held = found["segments"].items()
        shares = [f"{name} {1e6 * size:.4g} mL ({100 * size / whole:.3g} %)" for name, size in held]
        lines += [f"  segments:  {', '.join(shares[:4])},", f"             {', '.join(shares[4:])}"]
    lines += [f"  numbers:   {', '.join(found['numbers'])}"] if found["numbers"] else []
    groups = ", ".join(f"{name} ({size})" for name, size in found["groups"].items())
    lines += [f"  groups:    {groups}"] if groups else []
    if found["problem"]:
        return "\n".join([*lines, f"  NOT READY: {found['problem']}", f"             {found['remedy']}"])
    missing = [name for name, size in found["segments"].items() if size == 0.0]
    lines += [f"  without:   segments {', '.join(missing)}: a run leaves them out"] if missing else []
    return "\n".join([*lines, f"  ready:     liver: {{mesh: {_as_written(found)}, resolve: 3d}}"])


def _as_written(found: Mapping[str, Any]) -> str:
    """The mesh as a scenario names it, with all that it was read by."""
    keys = [Path(found["file"]).name]
    keys += [] if found["unit"] == "m" else ["mesh_unit: mm"]
    quoted = {json.dumps(name, ensure_ascii=False): segment for name, segment in found["labels"].items()}
    labels = ", ".join(f"{name}: {segment}" for name, segment in quoted.items())
    return ", ".join([*keys, *([f"labels: {{{labels}}}"] if labels else [])])
