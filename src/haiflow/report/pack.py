"""The 3D scene as one small text for the page: quantised points, colours as bytes, deflated, base64.

Layout before deflation: length of the header (uint32, little endian), the header (JSON), then the arrays, each at a
multiple of four bytes; ``header["arrays"]`` maps a name to [type, byte offset, length]. ``assets/scene.js`` reads it.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.ports import Floats
from haiflow.report import detail, liver_pack, palette, scales, surface
from haiflow.report import scene as still
from haiflow.report.scene import front
from haiflow.results import LiverField, Network
from haiflow.results.record import ARTERY

NO_DRUG = 255  # the last colour of each table


@dataclass
class Pack:
    """Arrays and header under way."""

    origin: Floats
    step: float
    header: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def points(self, name: str, values: Floats) -> None:
        self.arrays[name] = np.round((values - self.origin) / self.step).astype("<u2").ravel()

    def colours(self, name: str, places: Floats) -> None:
        steps = np.where(np.isnan(places), NO_DRUG, np.round(places * (NO_DRUG - 1)))
        self.arrays[name] = steps.astype("u1")

    def text(self) -> str:
        """The whole pack in base64."""
        chunks, table, offset = [], {}, 0
        for name, values in self.arrays.items():
            raw = np.ascontiguousarray(values).tobytes()
            table[name] = [values.dtype.str.lstrip("<|"), offset, len(values)]
            chunks.append(raw + b"\0" * (-len(raw) % 4))
            offset += len(chunks[-1])
        size = len(self._head(table, 0))
        for _ in range(3):  # offsets count from the start of the file, and their digits change the header's length
            head = self._head(table, 4 + size)
            size = len(head)
        return base64.b64encode(zlib.compress(len(head).to_bytes(4, "little") + head + b"".join(chunks), 6)).decode()

    def _head(self, table: dict[str, list[Any]], start: int) -> bytes:
        arrays = {name: [kind, start + offset, length] for name, (kind, offset, length) in table.items()}
        head = json.dumps({**self.header, "arrays": arrays}, separators=(",", ":"), ensure_ascii=True).encode()
        return head + b" " * (-(len(head) + 4) % 4)


def scene(network: Network | None, liver: LiverField | None, regions: list[dict[str, Any]] | None = None) -> str:
    """The packed scene; empty where there is nothing to show. ``regions``: what is told of each segment and tumour."""
    clouds = [item.points for item in (network, liver) if item is not None]
    if not clouds:
        return ""
    points = np.concatenate(clouds)
    low, high = points.min(axis=0) - 0.01, points.max(axis=0) + 0.01
    pack = Pack(low, float((high - low).max()) / 65535.0)
    pack.header = {"grid": {"origin": low.tolist(), "step": pack.step}, "labels": [], "views": _views(network, liver)}
    if network is not None:
        _add_network(pack, network)
    if liver is not None:
        pack.header["regions"] = regions or []
        liver_pack.add(pack, liver)
    return pack.text()


def table(anchors: tuple[str, ...]) -> list[list[int]]:
    """The colours (256, 3) of a scale, the last for what holds no drug."""
    missing = [int(palette.NO_DRUG[i : i + 2], 16) for i in (1, 3, 5)]
    return [list(colour) for colour in palette.table(anchors, NO_DRUG)] + [missing]


def _views(network: Network | None, liver: LiverField | None) -> list[dict[str, Any]]:
    views = [("From the front", still.overview(network, liver))]
    near = still.close_up(network) if network is not None else None
    if near is not None:
        views.append(("Catheter tip", near))
    front = views[0][1]
    if liver is not None:
        low, high = liver.points.min(axis=0), liver.points.max(axis=0)
        views.append(("Liver", replace(front, focus=(low + high) / 2.0, half_height=0.75 * float((high - low).max()))))
    views.append(("From below", replace(front, direction=np.array([0.05, -0.55, -0.85]))))
    return [
        {
            "name": name,
            "focus": view.focus.tolist(),
            "direction": view.direction.tolist(),
            "half": view.half_height * 0.84,
        }
        for name, view in views
    ]


def _add_fine(pack: Pack, network: Network, colour: Floats, lines: NDArray[np.intp]) -> None:
    """The polylines ``lines`` as one set of line pieces."""
    if not len(lines):
        return
    points, places, pieces = detail.segments(network, lines, colour)
    pack.points("fine_points", points)
    pack.colours("fine_colour", places)
    pack.arrays["fine_lines"] = pieces.ravel().astype("<u4")


def _add_network(pack: Pack, network: Network) -> None:
    scale, values = scales.of_network(network)
    wide = np.maximum(
        np.where(network.part == ARTERY, still.WIDER["overview"], 1.0) * network.radius, still.THINNEST["overview"]
    )
    colour = scale.place(values)
    curves, count, points, radii, places = [], 0, [], [], []
    tubes = detail.as_tubes(network)
    _add_fine(pack, network, colour, np.flatnonzero(~tubes))
    for ids in (network.line(int(index)) for index in np.flatnonzero(tubes)):
        curve, place = surface.refined(network.points[ids], 3)
        old = np.arange(len(ids))
        points.append(curve)
        radii.append(np.interp(place, old, wide[ids]))
        places.append(np.interp(place, old, colour[ids]))
        layer = "Arteries" if network.part[ids[-1]] == ARTERY else "Pump and catheter"
        curves.append([layer, count, count + len(curve)])
        count += len(curve)
    pack.points("curve_points", np.concatenate(points))
    pack.arrays["curve_radius"] = np.concatenate(radii).astype("<f4")
    pack.colours("curve_colour", np.concatenate(places))
    pump = network.pump
    pack.header["network"] = {
        "table": table(scale.colours),
        "curves": curves,
        "faults": [[np.asarray(mark.position).tolist(), 3e-3] for mark in network.markers if mark.kind != "tip"],
        "pump": pump
        and {
            "centre": pump.centre.tolist(),
            "axis": front(pump).tolist(),
            "radius": pump.radius,
            "height": pump.height,
        },
    }
    pack.header["labels"] += [
        [palette.in_words(mark.name), np.asarray(mark.position).tolist(), "tip" if mark.kind == "tip" else "fault"]
        for mark in network.markers
    ]
    if pump is not None:
        pack.header["labels"].append(["pump", pump.centre.tolist(), "segment"])
