"""Stills of a liver whose values vary inside the segments: exposure and arterial perfusion on cuts.

Above, the liver from the front with its upper front quarter taken away; below, both cuts whole, turned as a radiologist
has them: the patient's right on the left, the axial one seen from the feet.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from haiflow.ports import Floats
from haiflow.report import camera, cuts, overlay, palette, scales, territories
from haiflow.report.scales import Scale
from haiflow.results import LiverField, Network

WIDTH, ABOVE, BELOW, FOOT = 1200, 660, 400, 104  # pixels
DIRECTION = np.array([0.22, -1.0, 0.62])  # from the front and above: wall and floor are both seen
SIDES = {"coronal": (np.array([0.0, -1.0, 0.0]), (0.0, 0.0, 1.0)), "axial": (np.array([0.0, 0.0, -1.0]), (0, -1.0, 0))}
NOTES = {"coronal": "coronal cut, from the front", "axial": "axial cut, from the feet"}
WITHIN = "liver with its upper front quarter taken away; red: arteries"


def draw(network: Network | None, liver: LiverField | None, folder: Path, plotter: Any) -> list[str]:
    """Writes ``scene_cut.png`` and ``scene_perfusion.png`` where values vary in segments; returns what was written."""
    if liver is None:
        return []
    drawn = []
    for name, title, (scale, values) in (
        ("scene_cut", "Inside the liver", scales.of_liver(liver)),
        ("scene_perfusion", "Arterial perfusion of the liver", scales.of_perfusion(liver)),
    ):
        if territories.varies(liver, values):
            compose(plotter, network, liver, scale, values, title).save(folder / f"{name}.png", compress_level=6)
            drawn.append(f"{name}.png")
    return drawn


def compose(plotter: Any, network: Network | None, liver: LiverField, scale: Scale, values: Floats, title: str) -> Any:
    """The whole sheet as a Pillow image."""
    from PIL import Image

    sheet = Image.new("RGB", (WIDTH, ABOVE + BELOW + FOOT), palette.GROUND)
    above = corner_view(plotter, network, liver, scale, values, (WIDTH, ABOVE))
    overlay.put_title(above, title, WITHIN)
    sheet.paste(above, (0, 0))
    half = WIDTH // 2
    for left, name in ((0, "coronal"), (half, "axial")):
        sheet.paste(flat(plotter, liver, scale, values, name, (half, BELOW)), (left, ABOVE))
    overlay.put_bar(sheet, scale, WIDTH // 2 - 300, ABOVE + BELOW + FOOT - 16, 600)
    return sheet


def corner_view(
    plotter: Any,
    network: Network | None,
    liver: LiverField,
    scale: Scale,
    values: Floats,
    size: tuple[int, int],
    about: Floats | None = None,
) -> Any:
    """The liver as a veil round two half cuts, with arteries and numerals; ``about`` as in :func:`stage`."""
    pieces = cuts.corner(liver, {"values": values})
    stage(plotter, network, liver, size, about)
    for piece in pieces:
        cuts.add_cut(plotter, piece, scale, "values", DIRECTION)
    image = taken(plotter)
    seen: dict[str, Floats] = {}
    for piece in pieces:
        seen = {**piece.middles, **seen}
    overlay.put_labels(image, numerals(plotter, size, seen), boxes(plotter, size, pieces))
    return image


def stage(
    plotter: Any, network: Network | None, liver: LiverField, size: tuple[int, int], about: Floats | None = None
) -> None:
    """Veil and arteries before the camera, without any cut yet; ``about`` (n, 3) m is what must fit, else the liver."""
    plotter.clear_actors()
    plotter.window_size = list(size)
    cuts.add_shell(plotter, liver)
    if network is not None:
        cuts.add_arteries(plotter, network)
    view = camera.fitted(liver.points if about is None else about, DIRECTION, (0.0, 0.0, 1.0), size, 0.75)
    room = np.array([0.0, 0.0, 0.1 * view.half_height])  # above it, for the title
    camera.aim(plotter, replace(view, focus=view.focus + room))


def taken(plotter: Any) -> Any:
    """What the camera sees, as a Pillow image."""
    from PIL import Image

    plotter.render()
    return Image.fromarray(plotter.screenshot(return_img=True))


def numerals(plotter: Any, size: tuple[int, int], middles: dict[str, Floats]) -> list[overlay.Label]:
    """The segments' numerals on a picture of ``size``."""
    return [
        overlay.Label(name, camera.pixel(plotter, size, place), "#1b2a33", bold=True, fixed=True, size=22)
        for name, place in middles.items()
    ]


def boxes(plotter: Any, size: tuple[int, int], pieces: list[cuts.Cut]) -> list[overlay.Box]:
    """Where tumours lie on a picture of ``size``: no numeral is written there."""
    found = []
    for piece in pieces:
        for tumour in piece.tumours:
            x, y = np.array([camera.pixel(plotter, size, point) for point in tumour.points]).T
            found.append((float(x.min()), float(y.min()), float(x.max()), float(y.max())))
    return found


def flat(plotter: Any, liver: LiverField, scale: Scale, values: Floats, name: str, size: tuple[int, int]) -> Any:
    """One whole cut, straight before the camera, with the patient's sides."""
    direction, up = SIDES[name]
    plotter.clear_actors()
    plotter.window_size = list(size)
    piece = cuts.cut(liver, {"values": values}, cuts.centre(liver), cuts.AXES[name])
    if piece is not None:
        cuts.add_cut(plotter, piece, scale, "values", direction)
    camera.aim(plotter, camera.fitted(liver.points, direction, up, size, 0.76), up)
    image = taken(plotter)
    overlay.put_sides(image, NOTES[name])
    if piece is not None:
        overlay.put_labels(image, numerals(plotter, size, piece.middles), boxes(plotter, size, [piece]))
    return image
