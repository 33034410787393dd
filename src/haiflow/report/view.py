"""What ``haiflow view DIR`` does: a window, or a picture, a page or a film of the 3D scene without a display."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from haiflow.errors import HaiflowError, InputError
from haiflow.results import Results

FRAMES, FRAMES_PER_SECOND = 96, 24
FILM_SIZE = (1280, 720)


def view(
    folder: str | Path | Sequence[str | Path],
    screenshot: str | Path | None = None,
    movie: str | Path | None = None,
    html: str | Path | None = None,
    tip: bool = False,
) -> list[Path]:
    """Opens the scene of a run's folder, or writes it to the files asked for; returns what was written.

    Several folders are drawn side by side, into a picture or a film. ``tip``: the region round one run's tip. Raises
    InputError where a folder or a file's name will not do, HaiflowError where this machine cannot draw.
    """
    folders = [folder] if isinstance(folder, str | Path) else list(folder)
    runs = [_opened(one) for one in folders]
    if len(runs) > 1 and (html is not None or (screenshot is None and movie is None)):
        rule = "several runs are drawn side by side into a picture or a film"
        raise InputError("DIR", f"{len(runs)} folders", rule, "give --screenshot F.png or --movie F.mp4")
    if tip:
        _refuse_tip(runs, html)
    picture, moving = (_tip_picture, _tip_movie) if tip else (_screenshot, _movie)
    written = []
    for wanted, ending, write in ((screenshot, ".png", picture), (html, ".html", _html), (movie, ".mp4", moving)):
        if wanted is not None:
            path = _refuse_name(Path(wanted), ending)
            whole(path, partial(write, runs))
            written.append(path)
    if not written and tip:
        raise InputError("--tip", "no file", "the tip is drawn into files", "give --screenshot F.png or --movie F.mp4")
    if not written:
        show(runs[0])
    return written


def whole(path: Path, write: Callable[[Path], None]) -> None:
    """Calls ``write`` with a file beside ``path`` and renames it; what stood at ``path`` stays where that fails."""
    from haiflow.mesh.convert import written

    def checked(beside: Path) -> None:
        write(beside)
        if path.suffix.lower() == ".mp4" and not _has_end(beside):  # ffmpeg does not say that its disk is full
            raise OSError(None, "the film has no end")

    try:
        written(path, checked)
    except OSError as error:
        rule = "the file cannot be written; what was there is as it was"
        remedy = "make room, check the folder's permissions, or give another name"
        raise InputError(str(path), error.strerror or str(error), rule, remedy) from error


def _has_end(film: Path) -> bool:
    """Whether the boxes of an mp4 fill the file, its index among them."""
    size, at, kinds = film.stat().st_size, 0, set()
    with film.open("rb") as stream:
        while at + 8 <= size:
            stream.seek(at)
            head = stream.read(16)
            length = int.from_bytes(head[:4], "big")
            kinds.add(head[4:8])
            length = int.from_bytes(head[8:16], "big") if length == 1 else length or size - at
            at += max(length, 8)
    return at == size and {b"moov", b"mdat"} <= kinds


def _refuse_tip(runs: Sequence[Results], html: str | Path | None) -> None:
    if len(runs) > 1:
        raise InputError("DIR", f"{len(runs)} folders", "--tip shows one run", "give one folder")
    if runs[0].junction is None:
        rule = "the tip was not solved in 3D"
        raise InputError(str(runs[0].folder), "no junction.vtu", rule, "run with catheter.tip.resolve: 3d")
    if html is not None:
        raise InputError("--html", str(html), "the tip is drawn into pictures and films", "leave out --tip or --html")


def _opened(folder: str | Path) -> Results:
    results = Results.open(folder)
    if results.network is None and results.liver is None and results.junction is None:
        raise InputError(
            str(folder), "no network.vtp and no perfusion.vtu", "there is nothing to show in 3D", "give another folder"
        )
    return results


def _refuse_name(path: Path, ending: str) -> Path:
    """``path``, where it can be written; raises InputError for another ending or a folder that is not there."""
    if path.suffix.lower() != ending:
        raise InputError(str(path), path.suffix or "no ending", f"must end in {ending}", f"name it {path.stem}{ending}")
    if not path.absolute().parent.is_dir():
        raise InputError(str(path), "no such folder", "the file's folder must exist", "make it, or give another name")
    return path


def _names(runs: Sequence[Results]) -> list[str]:
    """What to call runs in a picture: their scenarios' names where these tell them apart, else their folders'."""
    titles = [str(run.summary.get("scenario", {}).get("name") or "") for run in runs]
    if all(titles) and len(set(titles)) == len(titles):
        return titles
    return [run.folder.name if run.folder is not None else f"run {index}" for index, run in enumerate(runs, 1)]


def plotter(results: Results, off: bool = False) -> Any:
    """The scene as a pyvista Plotter."""
    _need("pyvista", "viz")
    from haiflow.report import camera, scene

    if off or not os.environ.get("DISPLAY"):
        scene.off_screen()
    window = scene.new_plotter(off=off)
    if results.liver is not None:
        scene.add_liver(window, results.liver)
    if results.network is not None:
        scene.add_network(window, results.network, "overview")
    camera.aim(window, camera.overview(results.network, results.liver))
    return window


def _need(module: str, extra: str) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise HaiflowError(f"this needs {module}: pip install 'haiflow[{extra}]'")


def show(results: Results) -> None:
    """Opens a window; raises HaiflowError where there is no display."""
    if not (
        os.environ.get("DISPLAY")
        or os.environ.get("WAYLAND_DISPLAY")
        or os.name == "nt"
        or os.uname().sysname == "Darwin"
    ):
        raise HaiflowError("no display here: use --screenshot FILE.png or --html FILE.html")
    window = plotter(results)
    for number in (signal.SIGINT, signal.SIGTERM):  # VTK's loop lets no Python run: the system's own way is at once
        signal.signal(number, signal.SIG_DFL)
    window.show(title="haiflow")


def _screenshot(runs: Sequence[Results], path: Path) -> None:
    """The overview of one run, or several runs side by side, as a PNG."""
    if len(runs) == 1:
        _one_picture(runs[0], path)
        return
    from haiflow.report import compare

    window = _window()
    compare.picture(runs, _names(runs), window).save(path, compress_level=6)
    window.close()


def _one_picture(results: Results, path: Path) -> None:
    """The overview as a PNG, drawn in a child process: a missing EGL ends that one, not this."""
    import shutil
    import tempfile

    from haiflow.report.child import Child

    child = Child("scene")
    with tempfile.TemporaryDirectory() as folder:
        child.give(results, Path(folder))
        answer = child.answer()
        if "failure" in answer:
            raise HaiflowError(f"cannot draw: {answer['failure']}")
        shutil.copyfile(Path(folder) / "scene.png", path)


def _html(runs: Sequence[Results], path: Path) -> None:
    """The run's page, with the interactive scene and whatever pictures the run has."""
    from haiflow.report import page

    (results,) = runs
    folder = results.folder
    assert folder is not None
    path.write_text(page.render(results, folder / "figures"), encoding="utf-8")


def _movie(runs: Sequence[Results], path: Path) -> None:
    """The drug over the run, where it was followed in space; else one turn round the scene."""
    _need("imageio_ffmpeg", "movie")
    from haiflow.report import film

    if len(runs) == 1 and not film.has_frames(runs[0]):
        _turn(runs[0], path)
        return
    window = _window()
    film.write(runs, _names(runs), path, window)
    window.close()


def _tip_picture(runs: Sequence[Results], path: Path) -> None:
    from haiflow.report import junction_scene

    window, region = _window(), runs[0].junction
    assert region is not None
    junction_scene.thread(window, region).save(path, compress_level=6)
    window.close()


def _tip_movie(runs: Sequence[Results], path: Path) -> None:
    """The drug over the beat; round the thread where the flow is steady."""
    _need("imageio_ffmpeg", "movie")
    from haiflow.report import junction_film

    window = _window()
    junction_film.write(runs[0], path, window)
    window.close()


def _window() -> Any:
    """An empty plotter off screen, where this machine has been seen to draw."""
    _need("pyvista", "viz")
    _probe()
    from haiflow.report import scene

    scene.off_screen()
    return scene.new_plotter()


def _turn(results: Results, path: Path) -> None:
    """One turn round the scene."""
    _probe()
    window = plotter(results, off=True)
    window.window_size = list(FILM_SIZE)
    window.open_movie(str(path), framerate=FRAMES_PER_SECOND, quality=7)
    start = np.array(window.camera.position) - np.array(window.camera.focal_point)
    for step in range(FRAMES):
        angle = 2.0 * np.pi * step / FRAMES
        turn = np.array([[np.cos(angle), -np.sin(angle), 0.0], [np.sin(angle), np.cos(angle), 0.0], [0.0, 0.0, 1.0]])
        window.camera.position = tuple(np.array(window.camera.focal_point) + turn @ start)
        window.reset_camera_clipping_range()
        window.write_frame()
    window.close()


def _probe() -> None:
    """Makes sure that drawing off screen works before it is tried in this process."""
    from haiflow.report.child import Child

    child = Child("scene")
    child.give(Results(summary={}), Path())
    answer = child.answer()
    if "failure" in answer:
        raise HaiflowError(f"cannot draw: {answer['failure']}")
