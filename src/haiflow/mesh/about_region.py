"""What a mesh of the region round a tip holds, how good it is, how fine at its walls: ``haiflow mesh info``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from haiflow.errors import InputError
from haiflow.mesh.files import VOLUME_FORMATS, read
from haiflow.mesh.order import parts
from haiflow.mesh.patches import read_region, surface_names
from haiflow.mesh.region import Region
from haiflow.mesh.volumes import tetra_quality, tetra_volumes

INLET, WALLS = "inlet", ("vessel", "catheter")
LEAST = 0.05  # mean-ratio quality below which a word is due


def is_region(path: Path) -> bool:
    """Whether a file has an inlet among its named surfaces: a liver has none. False where it cannot be read."""
    try:
        return path.suffix.lower() in VOLUME_FORMATS and INLET in surface_names(read(path, str(path), VOLUME_FORMATS))
    except InputError:
        return False


def inspect(path: Path, unit: float = 1.0) -> dict[str, Any]:
    """All that can be said of the region; ``problem`` is None where a run can use it. Lengths in m, areas in m2."""
    found: dict[str, Any] = {"file": str(path), "kind": "junction", "problem": None, "remedy": None}
    try:
        region = read_region(path, str(path), unit)
    except InputError as error:
        return found | {"problem": f"{error.value}: {error.rule}", "remedy": error.remedy}
    quality = tetra_quality(region.points, region.tetra)
    least, first, median = np.quantile(quality, (0.0, 0.01, 0.5)).tolist()
    pieces = int(parts(region.tetra, len(region.points)).max()) + 1
    found |= {
        "points": len(region.points), "tetrahedra": len(region.tetra), "pieces": pieces,
        "extent_m": np.ptp(region.points, axis=0).tolist(),
        "volume_m3": float(tetra_volumes(region.points, region.tetra).sum()),
        "quality": {"least": least, "first_percent": first, "median": median, "poor": int((quality < LEAST).sum())},
        "patches": {name: patch(region, name) for name in region.names},
        "near_wall_m": {name: near_wall(region, name) for name in WALLS if name in region.names},
    }  # fmt: skip
    if pieces > 1:
        found |= {"problem": f"{pieces} pieces that share no point", "remedy": "merge double points"}
    holes = [name for name in region.names if name.startswith("hole:")]
    ways = [name for name in region.names if name not in (INLET, *WALLS) and name not in holes]
    if not holes or len(ways) < 2:
        rule = "no patch hole:tip (or hole:side_hole_1, ...)" if not holes else f"{len(ways)} branches, two at least"
        found |= {"problem": rule, "remedy": "name the surfaces by which infusate comes and blood leaves"}
    if unit != 1.0 and not found["problem"]:
        found |= {"problem": "its points are not in metres", "remedy": "a scenario reads this mesh in metres: scale it"}
    return found


def patch(region: Region, name: str) -> dict[str, float]:
    """Triangles of a patch, its area, and the diameter of a circle as large."""
    mine = region.patch == region.names.index(name)
    area = float(np.linalg.norm(region.wall_area[mine], axis=1).sum())
    return {"triangles": int(mine.sum()), "area_m2": area, "as_circle_m": float(np.sqrt(4.0 / np.pi * area))}


def near_wall(region: Region, name: str) -> dict[str, float]:
    """How far from a wall's triangles the cells behind them reach: least, median, largest (m)."""
    mine = region.patch == region.names.index(name)
    volume = tetra_volumes(region.points, region.tetra[region.behind[mine]])
    height = 3.0 * volume / np.linalg.norm(region.wall_area[mine], axis=1)
    return dict(zip(("least", "median", "largest"), np.quantile(height, (0.0, 0.5, 1.0)).tolist(), strict=True))


def as_text(found: Mapping[str, Any]) -> str:
    """A few lines for a terminal."""
    lines = [f"{found['file']}: the region round a tip"]
    if "tetrahedra" in found:
        quality = found["quality"]
        extent = " x ".join(f"{1e3 * size:.4g}" for size in found["extent_m"])
        poor = f"; {quality['poor']} below {LEAST:g}" if quality["poor"] else ""
        lines += [
            f"  cells:     {found['tetrahedra']} tetrahedra (others cut into them), {found['points']} points",
            f"  size:      {1e9 * found['volume_m3']:.4g} mm3, {extent} mm",
            f"  quality:   least {quality['least']:.3g}, 1 % below {quality['first_percent']:.3g}, "
            f"median {quality['median']:.3g} (1 is regular){poor}",
        ]
        for name, about in found["patches"].items():
            wide = "" if name in WALLS else f", as wide as a circle of {1e3 * about['as_circle_m']:.3g} mm"
            lines.append(f"  patch:     {name}: {about['triangles']} triangles, {1e6 * about['area_m2']:.4g} mm2{wide}")
        for name, about in found["near_wall_m"].items():
            sizes = f"{1e6 * about['median']:.3g} um (from {1e6 * about['least']:.3g} to {1e6 * about['largest']:.3g})"
            lines.append(f"  at wall:   cells reach {sizes} from the {name}")
    if found["problem"]:
        return "\n".join([*lines, f"  NOT READY: {found['problem']}", f"             {found['remedy']}"])
    use = f"tip: {{resolve: 3d, mesh: {Path(found['file']).name}}}"
    return "\n".join(
        [*lines, f"  ready:     catheter: {{{use}}}, in metres; haiflow check compares it with the scenario"]
    )
