"""Centre lines of VMTK: sound ones of a tube, a fork as whole lines and as tracts, a ring; and what is done to them."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fuzz.texts import damaged, inflated

RADIUS = "MaximumInscribedSphereRadius"
Arrays = dict[str, NDArray[Any]]
COUNTS = (b"4294967297", b"21000000000", b"18446744073709551617", b"-5", b"-1")


def _way(*corners: tuple[float, float, float], count: int = 30) -> NDArray[Any]:
    """(n, 3) mm along straight lines from corner to corner."""
    parts = [np.linspace(a, b, count) for a, b in pairwise(corners)]
    return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])


TUBE = (_way((0, 0, 0), (10, 0, 60)),)
FORK = (_way((0, 0, 0), (0, 0, 30), (15, 0, 55)), _way((0, 0, 0), (0, 0, 30), (-12, 0, 50)))
RING = (_way((0, 0, 0), (30, 0, 0), (30, 30, 0), (0, 30, 0), (0, 0, 0)),)
TRACTS = (FORK[0][:25], FORK[0][24:36], FORK[0][35:], FORK[1][:25], FORK[1][24:36], FORK[1][35:])
TRACT_CELLS = {"CenterlineIds": [0, 0, 0, 1, 1, 1], "TractIds": [0, 1, 2, 0, 1, 2], "Blanking": [0, 1, 0, 0, 1, 0],
               "GroupIds": [0, 1, 2, 0, 1, 3]}  # fmt: skip


def _made(chance: random.Random) -> tuple[Arrays, Arrays, list[NDArray[Any]]]:
    """Arrays of the points, arrays of the cells, and the points of each line."""
    lines = chance.choice((TUBE, FORK, FORK, TRACTS, TRACTS, RING))
    points, ends = np.concatenate(lines), np.cumsum([len(line) for line in lines])
    cells = {name: np.array(values) for name, values in TRACT_CELLS.items()} if lines is TRACTS else {}
    members = [np.arange(end - len(line), end) for line, end in zip(lines, ends, strict=True)]
    return {"Points": points, RADIUS: np.full(len(points), 2.0)}, cells, members


def _changed(points: Arrays, cells: Arrays, lines: list[NDArray[Any]], chance: random.Random) -> None:
    """One change in place: values, what lines name, lines lost, turned round, twice or very many, arrays gone."""
    act = chance.choice(("value", "value", "name", "lose", "turn", "twice", "many", "gone", "tract", "shift", "short"))
    odd = (np.nan, np.inf, -1.0, 0.0, 1e-300, 1e300, 1e9, -1e9)
    if act == "value":
        array = points[chance.choice(sorted(points))]
        array[chance.randrange(len(array))] = chance.choice(odd)
    elif act == "name":
        line = chance.choice(lines)
        if line.size:
            line[chance.randrange(line.size)] = chance.choice((-1, 0, len(points["Points"]), 10**9, 2**62))
    elif act == "lose":
        lines.pop(chance.randrange(len(lines)))
    elif act in ("turn", "short"):
        at = chance.randrange(len(lines))
        lines[at] = lines[at][::-1].copy() if act == "turn" else lines[at][: chance.randrange(4)].copy()
    elif act in ("twice", "many"):
        lines += [chance.choice(lines)] * (1 if act == "twice" else chance.choice((30, 1000)))
    elif act == "gone":
        (points if chance.random() < 0.5 or not cells else cells).pop(chance.choice((RADIUS, *cells)), None)
    elif act == "tract" and cells:
        array = cells[chance.choice(sorted(cells))]
        array[chance.randrange(len(array))] = chance.choice((-1, 0, 1, 5, 2**31, 2**62))
    else:
        points["Points"] *= chance.choice((1e-3, 0.1, 10.0, 1e6, 0.0))


def _text(name: str, values: NDArray[Any]) -> str:
    real = values.dtype.kind == "f"
    wide = f' NumberOfComponents="{values.shape[1]}"' if values.ndim == 2 else ""
    words = " ".join(map(str, values.ravel().tolist()))
    return f'<DataArray type="{"Float64" if real else "Int64"}" Name="{name}" format="ascii"{wide}>{words}</DataArray>'


def _file(points: Arrays, cells: Arrays, lines: list[NDArray[Any]]) -> bytes:
    """A .vtp, its arrays as text."""
    offsets = np.cumsum([len(line) for line in lines], dtype=int)
    names = np.concatenate([*lines, np.empty(0, int)]).astype(int)
    point_data = "".join(_text(name, values) for name, values in points.items() if name != "Points")
    cell_data = "".join(_text(name, values) for name, values in cells.items())
    return (
        '<?xml version="1.0"?>\n<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian"> <PolyData>\n'
        f'<Piece NumberOfPoints="{len(points["Points"])}" NumberOfVerts="0" NumberOfLines="{len(lines)}" '
        f'NumberOfStrips="0" NumberOfPolys="0">\n'
        f"<PointData>{point_data}</PointData>\n<CellData>{cell_data}</CellData>\n"
        f"<Points>{_text('Points', points['Points'])}</Points>\n"
        f"<Lines>{_text('connectivity', names)}{_text('offsets', offsets)}</Lines>\n</Piece> </PolyData> </VTKFile>\n"
    ).encode()


def line_file(chance: random.Random) -> bytes:
    """A file of centre lines: sound, changed, damaged, or with a header that counts what is not there."""
    points, cells, lines = _made(chance)
    points = {name: values.copy() for name, values in points.items()}
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        if lines:
            _changed(points, cells, lines, chance)
    data = _file(points, cells, lines)
    act = chance.choice(("as it is",) * 4 + ("damage", "inflate", "lie", "junk"))
    if act == "lie":
        what = chance.choice(("Points", "Verts", "Lines", "Strips", "Polys")).encode()
        start = data.index(b"NumberOf" + what) + len(what) + 10
        return data[:start] + chance.choice(COUNTS) + data[data.index(b'"', start) :]
    if act == "junk":
        return bytes(chance.randrange(256) for _ in range(chance.choice((0, 1, 64, 5000))))
    return damaged(data, chance) if act == "damage" else inflated(data, chance) if act == "inflate" else data
