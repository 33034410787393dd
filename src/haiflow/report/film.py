"""A film of the drug in the liver over the run: cuts and veil under one colour scale, the time, faults as they come.

One run fills the picture; several stand side by side, on the same camera, scale and clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError
from haiflow.ports import Floats
from haiflow.report import cut_pictures, cuts, overlay, palette, scales, scene, territories
from haiflow.report.scales import Scale
from haiflow.results import Event, LiverField, Results
from haiflow.results.quantities import SHOWN, number

SIZE = (1280, 720)
PER_SECOND, SECONDS, HOLD = 24, 8.0, 1.0  # frames a second; length of the run and of its last picture in s
FOOT = 118  # pixels, for time line and colour bar
NEWS = 0.06  # of the film: how long the name of an event is bold


@dataclass(frozen=True)
class Shot:
    """One run before the camera: ``pieces`` carry ``frames`` (n, k) at their points."""

    results: Results
    liver: LiverField
    times: Floats
    pieces: list[cuts.Cut]
    place: tuple[int, int]  # left and width in pixels
    about: Floats  # (n, 3) m, what all runs fill: one camera


def has_frames(results: Results) -> bool:
    """Whether the run followed the drug over time in every cell."""
    liver = results.liver
    return liver is not None and liver.times is not None and liver.frames is not None and len(liver.times) > 1


def common_scale(runs: Sequence[Results]) -> Scale:
    """One scale for all times of all runs."""
    found: list[Scale] = []
    for run in runs:
        assert run.liver is not None
        frames = np.asarray(run.liver.frames, float)
        tumour = territories.tumours(run.liver) > 0
        if found and frames.max() <= scales.LEAST:
            continue  # no drug: this run has no end of a scale to give
        found.append(scales.linear(frames, tumour, "Drug in the tissue", "kg/m3", palette.LEAF))
    return scales.common(found)


def write(runs: Sequence[Results], names: Sequence[str], path: Path, plotter: Any = None) -> None:
    """Writes the film of ``runs`` to ``path`` (mp4); raises InputError where their times differ."""
    save(pictures(runs, names, plotter), path)


def save(images: Iterator[Any], path: Path) -> None:
    """Writes ``images`` (Pillow) to ``path`` (mp4)."""
    import imageio.v2 as imageio

    writer: Any = imageio.get_writer(path, fps=PER_SECOND, quality=8, macro_block_size=16)
    with writer:
        for image in images:
            writer.append_data(np.asarray(image))


def pictures(
    runs: Sequence[Results], names: Sequence[str], plotter: Any = None, count: int | None = None
) -> Iterator[Any]:
    """The film's pictures (Pillow) in turn: ``count`` over the run's time, then its end held."""
    _refuse_other_times(runs, names)
    scale = common_scale(runs)
    about = np.concatenate([run.liver.points for run in runs if run.liver is not None])
    shots = [_shot(run, index, len(runs), about) for index, run in enumerate(runs)]
    plotter = plotter or scene.new_plotter()
    count = count or round(PER_SECOND * SECONDS)
    first, last = float(shots[0].times[0]), float(shots[0].times[-1])
    alone = len(shots) == 1
    if alone:
        _back(plotter, shots[0], scale)
    image = None
    for step in range(count):
        time = first + (last - first) * step / max(count - 1, 1)
        views = [_view(plotter, shot, scale, time, staged=alone) for shot in shots]
        image = _sheet(shots, names, views, scale, time)
        yield image
    for _ in range(round(PER_SECOND * HOLD)):
        yield image


def _refuse_other_times(runs: Sequence[Results], names: Sequence[str]) -> None:
    times = [run.liver.times if run.liver is not None else None for run in runs]
    for name, other in zip(names, times, strict=True):
        first = times[0]
        if other is None or first is None or len(other) < 2 or other.shape != first.shape or np.any(other != first):
            rule = "a film of several runs needs the drug in the liver at the same times in each"
            raise InputError(name, "other times, or none", rule, "run both with the same duration and frames")


def _shot(results: Results, index: int, count: int, about: Floats) -> Shot:
    liver = results.liver
    assert liver is not None
    assert liver.times is not None
    frames = np.asarray(liver.frames, float).T
    width = SIZE[0] // count
    pieces = cuts.corner(liver, {"frames": frames})
    return Shot(results, liver, np.asarray(liver.times), pieces, (index * width, width), about)


def _size(shot: Shot) -> tuple[int, int]:
    return shot.place[1], SIZE[1] - FOOT


def _back(plotter: Any, shot: Shot, scale: Scale) -> None:
    """Veil, arteries and faces before the camera; later pictures change the colours of the faces only."""
    cut_pictures.stage(plotter, shot.results.network, shot.liver, _size(shot), shot.about)
    for piece in shot.pieces:
        piece.face["values"] = np.asarray(piece.face["frames"])[:, 0]
        cuts.add_cut(plotter, piece, scale, "values", cut_pictures.DIRECTION)


def _view(plotter: Any, shot: Shot, scale: Scale, time: float, staged: bool) -> Any:
    """The run at ``time`` (s), with the numerals of the segments."""
    if not staged:
        _back(plotter, shot, scale)
    for piece in shot.pieces:
        piece.face["colour"] = scale.place(at(np.asarray(piece.face["frames"]), shot.times, time))
    image = cut_pictures.taken(plotter)
    middles: dict[str, Floats] = {}
    for piece in shot.pieces:
        middles = {**piece.middles, **middles}
    size = _size(shot)
    taken = cut_pictures.boxes(plotter, size, shot.pieces)
    overlay.put_labels(image, cut_pictures.numerals(plotter, size, middles), taken)
    return image


def at(frames: NDArray[Any], times: Floats, time: float) -> Floats:
    """Values (n,) at ``time`` (s), linear between the columns of ``frames`` (n, k) at ``times`` (k,)."""
    after = int(np.clip(np.searchsorted(times, time), 1, len(times) - 1))
    share = np.clip((time - times[after - 1]) / (times[after] - times[after - 1]), 0.0, 1.0)
    return np.asarray((1.0 - share) * frames[:, after - 1] + share * frames[:, after])


def _sheet(shots: Sequence[Shot], names: Sequence[str], views: Sequence[Any], scale: Scale, time: float) -> Any:
    """Views side by side with names, events, time line and colour bar."""
    from PIL import Image

    sheet = Image.new("RGB", SIZE, palette.GROUND)
    first, last = float(shots[0].times[0]), float(shots[0].times[-1])
    for shot, name, view in zip(shots, names, views, strict=True):
        sheet.paste(view, (shot.place[0], 0))
        happened = [event for event in shot.results.events if event.time_s <= time]
        overlay.put_events(sheet, name, happened, shot.place[0] + 24, time - NEWS * (last - first))
    events = [event for shot in shots for event in shot.results.events if first <= event.time_s <= last]
    overlay.put_bar(sheet, scale, SIZE[0] - 480, SIZE[1] - 14, 410)
    _time_line(sheet, events, (first, last), time)
    return sheet


def _time_line(sheet: Any, events: Sequence[Event], span: tuple[float, float], time: float) -> None:
    """The clock, and a line with a tick for every event on the way to the end."""
    unit = "d" if span[1] >= 2 * 86400.0 else "h" if span[1] >= 7200.0 else "min" if span[1] >= 120.0 else "s"
    share = (time - span[0]) / (span[1] - span[0])
    marks = [((event.time_s - span[0]) / (span[1] - span[0]), event.kind, event.name) for event in events]
    words = {"d": "day", "h": "hour", "min": "minute", "s": "second"}[unit]
    end = number(span[1] * SHOWN[unit][1])
    text = f"{words} {time * SHOWN[unit][1]:.1f} of {end}"
    overlay.put_clock(sheet, text, share, [(place, palette.event_colour(kind, name)) for place, kind, name in marks])
