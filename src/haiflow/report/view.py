"""What ``haiflow view DIR`` does: a window, or a picture, a page or a film of the 3D scene without a display."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from haiflow.errors import HaiflowError, InputError
from haiflow.results import Results

FRAMES, FRAMES_PER_SECOND = 96, 24
FILM_SIZE = (1280, 720)


def view(
    folder: str | Path,
    screenshot: str | Path | None = None,
    movie: str | Path | None = None,
    html: str | Path | None = None,
) -> list[Path]:
    """Opens the scene of a run's folder, or writes it to the files asked for; returns what was written.

    Raises InputError where the folder or a file's name will not do, HaiflowError where this machine cannot draw.
    """
    results = Results.open(folder)
    if results.network is None and results.liver is None:
        raise InputError(
            str(folder), "no network.vtp and no perfusion.vtu", "there is nothing to show in 3D", "give another folder"
        )
    written = []
    for wanted, ending, write in ((screenshot, ".png", _screenshot), (html, ".html", _html), (movie, ".mp4", _movie)):
        if wanted is not None:
            path = Path(wanted)
            if path.suffix.lower() != ending:
                raise InputError(
                    str(path), path.suffix or "no ending", f"must end in {ending}", f"name it {path.stem}{ending}"
                )
            if not path.absolute().parent.is_dir():
                raise InputError(
                    str(path), "no such folder", "the file's folder must exist", "make it, or give another name"
                )
            write(results, path)
            written.append(path)
    if not written:
        show(results)
    return written


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
    plotter(results).show(title="haiflow")


def _screenshot(results: Results, path: Path) -> None:
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


def _html(results: Results, path: Path) -> None:
    """The run's page, with the interactive scene and whatever pictures the run has."""
    from haiflow.report import page

    folder = results.folder
    assert folder is not None
    path.write_text(page.render(results, folder / "figures"), encoding="utf-8")


def _movie(results: Results, path: Path) -> None:
    """One turn round the scene."""
    _need("imageio_ffmpeg", "movie")
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
