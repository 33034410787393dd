"""Words on a rendered picture: labels that keep clear of each other, colour bars, a caption.

Drawn with Pillow on the finished pixels, because VTK's own bars and labels overlap and cannot say 1e-9 as 1 pg/mL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from haiflow.report import palette
from haiflow.report.scales import Scale
from haiflow.results import Event


@dataclass(frozen=True)
class Label:
    """A word at a pixel (x, y from the top left): a fixed one stays there, others move to where there is room."""

    text: str
    place: tuple[float, float]
    colour: str = palette.INK
    bold: bool = False
    fixed: bool = False
    size: int = 19


def font(size: int, bold: bool = False) -> Any:
    """DejaVu Sans, as in the figures (matplotlib brings it)."""
    from matplotlib import get_data_path
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(f"{get_data_path()}/fonts/ttf/{name}", size)


PANEL = (246, 249, 250, 225)  # the scene's background, almost opaque
Box = tuple[float, float, float, float]
# Where a label may go relative to its point, nearest first (multiples of its width and height, then pixels).
OFFSETS = [
    (dx * reach, dy * reach)
    for reach in (26, 48, 76, 110, 150, 200)
    for dx, dy in (
        (1.0, -0.6),
        (-1.0, -0.6),
        (1.0, 0.6),
        (-1.0, 0.6),
        (0.2, -1.0),
        (0.2, 1.0),
        (1.25, 0.0),
        (-1.25, 0.0),
    )
]

NUDGES = [(0.0, 0.0)] + [(dx * step, dy * step) for step in (22, 44) for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1))]


def _meets(one: Box, other: Box, gap: float = 4.0) -> bool:
    return one[0] < other[2] + gap and other[0] < one[2] + gap and one[1] < other[3] + gap and other[1] < one[3] + gap


def _inside(box: Box, size: tuple[int, int]) -> bool:
    return box[0] >= 6 and box[1] >= 6 and box[2] <= size[0] - 6 and box[3] <= size[1] - 6


def _box_at(x: float, y: float, width: float, height: float, dx: float) -> Box:
    left = x if dx > 0.5 else x - width if dx < -0.5 else x - width / 2
    return left, y - height / 2, left + width, y + height / 2


def put_labels(image: Any, labels: Sequence[Label], taken: Sequence[Box] = ()) -> None:
    """Writes the labels with leader lines; one that finds no room is left out rather than written over another."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(image, "RGBA")
    boxes = list(taken)
    points = [
        (label.place[0] - 5, label.place[1] - 5, label.place[0] + 5, label.place[1] + 5)
        for label in labels
        if not label.fixed
    ]
    for label in (label for label in labels if _inside((*label.place, *label.place), image.size)):
        face = font(label.size, label.bold)
        width, height = draw.textlength(label.text, font=face) + 10, label.size + 8
        x, y = label.place
        tries = NUDGES if label.fixed else OFFSETS
        for dx, dy in tries:
            box = _box_at(x + dx, y + dy, width, height, 0.0 if label.fixed else dx / max(abs(dx), abs(dy), 1.0))
            others = points if not label.fixed else ()
            if _inside(box, image.size) and not any(_meets(box, other) for other in (*boxes, *others)):
                _write(draw, label, box, face)
                boxes.append(box)
                break


def _write(draw: Any, label: Label, box: Box, face: Any) -> None:
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    if not label.fixed:
        x, y = label.place
        end = (min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3]))
        draw.line([(x, y), end], fill=label.colour, width=2)
        draw.ellipse([x - 4, y - 4, x + 4, y + 4], fill=label.colour, outline="white")
        draw.rounded_rectangle(box, 5, fill=(255, 255, 255, 225), outline=(*_rgb(label.colour), 90))
    draw.text(
        middle,
        label.text,
        font=face,
        fill=label.colour,
        anchor="mm",
        stroke_width=3 if label.fixed else 0,
        stroke_fill=(255, 255, 255, 190),
    )


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def put_bar(image: Any, scale: Scale, left: int, bottom: int, length: int) -> Box:
    """A horizontal colour bar with its title above and ticks below; returns the room it takes."""
    from PIL import Image, ImageDraw

    draw = ImageDraw.Draw(image, "RGBA")
    height = 18
    draw.rounded_rectangle([left - 34, bottom - 84, left + length + 44, bottom + 10], 8, fill=PANEL)
    strip = Image.new("RGB", (256, 1))
    strip.putdata(palette.table(scale.colours))
    top = bottom - 30 - height
    image.paste(strip.resize((length, height), Image.Resampling.BILINEAR), (left, top))
    draw.rectangle([left, top, left + length, top + height], outline=palette.QUIET)
    draw.text((left, top - 9), scale.title, font=font(19, True), fill=palette.INK, anchor="ls")
    spans: list[tuple[float, float]] = []
    for place, text in scale.ticks():
        x = left + place * length
        draw.line([(x, top + height), (x, top + height + 6)], fill=palette.QUIET, width=2)
        half = draw.textlength(text, font=font(16)) / 2 + 5
        if all(x + half < start or x - half > end for start, end in spans):
            draw.text((x, top + height + 9), text, font=font(16), fill=palette.INK, anchor="mt")
            spans.append((x - half, x + half))
    return left - 20, top - 36, left + length + 30, bottom + 4


def put_sides(image: Any, note: str) -> None:
    """R and L at the patient's right and left, as on every scan, and what the picture is."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(image, "RGBA")
    for x, side in ((26, "R"), (image.width - 26, "L")):
        draw.text((x, image.height / 2), side, font=font(26, True), fill=palette.INK, anchor="mm")
    draw.text((image.width / 2, 14), note, font=font(18), fill=palette.QUIET, anchor="mt")


def put_events(image: Any, name: str, events: Sequence[Event], left: int, since: float) -> None:
    """A run's name at the top, and below it what has happened so far; bold what happened after ``since`` (s)."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(image, "RGBA")
    draw.text((left, 20), name, font=font(24, True), fill=palette.INK, anchor="lt")
    for line, event in enumerate(events[-5:]):
        colour, top = palette.event_colour(event.kind, event.name), 58 + 28 * line
        draw.ellipse([left, top + 3, left + 10, top + 13], fill=colour)
        new = event.time_s >= since
        draw.text((left + 18, top), palette.in_words(event.name), font=font(18, new), fill=colour, anchor="lt")


def put_clock(image: Any, text: str, share: float, marks: Sequence[tuple[float, str]]) -> None:
    """A time line at the lower left, filled to ``share`` (0 to 1), with a coloured tick at each of ``marks``."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(image, "RGBA")
    left, length, middle = 32, int(0.5 * image.width), image.height - 42
    draw.text((left, middle - 24), text, font=font(24, True), fill=palette.INK, anchor="ls")
    draw.rounded_rectangle([left, middle - 4, left + length, middle + 4], 4, fill="#d3dbe1")
    draw.rounded_rectangle([left, middle - 4, left + max(8, share * length), middle + 4], 4, fill=palette.DRUG)
    for place, colour in marks:
        x = left + place * length
        draw.line([(x, middle - 11), (x, middle + 11)], fill=colour, width=3)


def put_title(image: Any, title: str, note: str) -> Box:
    """A title at the top left, with a quiet line below it."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(image, "RGBA")
    width = max(draw.textlength(title, font=font(28, True)), draw.textlength(note, font=font(18)))
    draw.rounded_rectangle([12, 14, 44 + width, 92], 8, fill=PANEL)
    draw.text((28, 26), title, font=font(28, True), fill=palette.INK, anchor="lt")
    draw.text((28, 64), note, font=font(18), fill=palette.QUIET, anchor="lt")
    return 0, 0, 44 + width, 92
