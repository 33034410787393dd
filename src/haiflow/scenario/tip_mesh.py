"""A mesh of one's own for the region round the tip: read and checked when the scenario is, before anything is run."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from haiflow.errors import InputError
from haiflow.junction.geometry import Shape
from haiflow.mesh.order import parts
from haiflow.mesh.patches import read_region
from haiflow.mesh.region import Region
from haiflow.scenario.tip_region import TipRegion
from haiflow.units import format_quantity

PLACE = "catheter.tip.mesh"
OTHER = 3.0  # by so much an opening may be wider or narrower than the network's vessel: beyond it the unit is wrong


def tip_mesh(file: Path, shown: str, region: TipRegion) -> Region:
    """The mesh in ``file``, which the scenario calls ``shown``; raises InputError where it cannot be the region."""
    found = read_own(file)
    _patches(found, shown, region)
    pieces = int(parts(found.tetra, len(found.points)).max()) + 1
    if pieces > 1:
        raise InputError(PLACE, shown, f"the mesh is in {pieces} pieces that share no point",
                         "merge double points, or leave the other pieces out")  # fmt: skip
    _openings(found, shown, region.shape)
    return found


def read_own(file: Path) -> Region:
    """The region in ``file`` whatever its patches; raises InputError. A file that has not changed is read once."""
    try:
        about = file.stat()
    except OSError:
        raise InputError(PLACE, str(file), "there is no such file", "check the path") from None
    return _read(file, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=2)
def _read(file: Path, _changed: int, _size: int) -> Region:
    return read_region(file, PLACE)


def _patches(found: Region, shown: str, region: TipRegion) -> None:
    assert region.shape.tip is not None
    wanted = {"inlet", "vessel", *region.branches, *(hole.name for hole in region.shape.tip.holes)}
    missing = sorted(wanted - set(found.names))
    strange = sorted(set(found.names) - wanted - {"catheter"})
    if missing:
        raise InputError(PLACE, shown, f"no patch named {', '.join(missing)}",
                         f"name the surfaces so; the file has {', '.join(found.names) or 'none'}")  # fmt: skip
    if strange:
        remedy = f"name walls 'vessel' or 'catheter', the rest as in the scenario: {', '.join(sorted(wanted))}"
        raise InputError(PLACE, shown, f"no meaning for the patches {', '.join(strange)}", remedy)


def _openings(found: Region, shown: str, shape: Shape) -> None:
    """Each opening is about as wide as its vessel."""
    widths = {"inlet": shape.parent_diameter, **{branch.name: branch.diameter for branch in shape.branches}}
    for name, width in widths.items():
        own = opening(found, name)
        if not width / OTHER < own < width * OTHER:
            sizes = [format_quantity(each, "length", "mm", digits=3) for each in (own, width)]
            rule = f"its patch {name} is as wide as a circle of {sizes[0]}, the vessel {sizes[1]}"
            raise InputError(PLACE, shown, rule, "give the points in metres, and the openings their own names")


def opening(region: Region, name: str) -> float:
    """Diameter (m) of a circle as large as a patch."""
    area = np.linalg.norm(region.wall_area[region.patch == region.names.index(name)], axis=1).sum()
    return float(np.sqrt(4.0 / np.pi * area))
