"""Pictures are drawn beside the run: where they cannot be, the run goes on and says why."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from haiflow.errors import HaiflowError, InputError
from haiflow.report import film
from haiflow.report.child import Child
from haiflow.report.presenter import Presenter
from haiflow.report.view import view
from haiflow.results import Results


@pytest.fixture(scope="session")
def saved(sample: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A run saved with its pictures, and the notes on those that could not be drawn."""
    results = sample.make()
    results.presenter = Presenter()
    folder = results.save(tmp_path_factory.mktemp("presented") / "run")
    return folder, results.provenance["warnings"]


@pytest.fixture
def drawn(saved: tuple[Path, list[str]]) -> Path:
    folder, notes = saved
    if notes:
        pytest.skip("; ".join(notes))
    return folder


def test_the_page_is_written_whatever_can_be_drawn(saved: tuple[Path, list[str]]) -> None:
    folder, notes = saved
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "18.1 mg of the drug leaks" in text
    record = json.loads((folder / "run.json").read_text())
    assert record["warnings"] == notes
    assert record["timing"]["page_s"] > 0.0


def test_the_3d_pictures_show_pump_line_arteries_and_liver(drawn: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    pixels = np.asarray(image.open(drawn / "figures" / "scene.png").convert("RGB")).astype(int)
    assert pixels.shape == (1080, 1200, 3)
    middle = pixels[100:960]
    red, green, blue = middle[..., 0], middle[..., 1], middle[..., 2]
    amber = (red > 200) & (green > 130) & (blue < 110)  # the line, full of drug
    teal = (green > red + 20) & (blue > red + 10)  # the liver
    assert amber.sum() > 300
    assert teal.sum() > 30_000
    assert (drawn / "figures" / "scene_tip.png").exists()


def test_a_drawing_process_that_dies_is_reported_with_its_remedy(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VTK_DEFAULT_OPENGL_WINDOW", "vtkOSOpenGLRenderWindow")  # needs OSMesa, or crashes
    child = Child("scene")
    child.give(results, tmp_path)
    answer = child.answer()
    if answer["files"]:
        pytest.skip("OSMesa is installed: nothing crashes")
    assert "libegl1" in answer["failure"]


def test_a_run_without_drawing_processes_is_complete(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    results.presenter = Presenter()
    folder = results.save(tmp_path / "run")
    notes = json.loads((folder / "run.json").read_text())["warnings"]
    assert [note.split(":")[0] for note in notes] == ["no 3D pictures", "no figures"]
    assert (folder / "report.html").exists()
    assert (folder / "history.nc").exists()


def test_abandoned_processes_end(results: Results) -> None:
    presenter = Presenter()
    processes = [child._process for child in presenter._children.values()]
    presenter.abandon()
    presenter.abandon()
    assert all(process.poll() is not None for process in processes)


def test_a_screenshot_of_a_saved_run(drawn: Path, tmp_path: Path) -> None:
    (path,) = view(drawn, screenshot=tmp_path / "shot.png")
    assert path.read_bytes() == (drawn / "figures" / "scene.png").read_bytes()


def test_a_page_of_a_saved_run(drawn: Path, tmp_path: Path) -> None:
    (path,) = view(drawn, html=tmp_path / "scene.html")
    assert 'id="scene-data"' in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("option", "ending"), [("html", "html"), ("screenshot", "png"), ("movie", "mp4")])
def test_where_there_is_no_room_the_old_file_stays(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, ending: str
) -> None:
    """The file may not grow beyond 2 kB, as on a full disk; drawing itself, in a process of its own, may."""
    from haiflow.report import view as module

    if option == "movie":
        pytest.importorskip("imageio_ffmpeg")
    name = {"html": "_html", "screenshot": "_screenshot", "movie": "_movie"}[option]

    def short(runs: Any, path: Path) -> None:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
        try:
            if option == "movie":
                film.save((Image.effect_noise((640, 480), 90).convert("RGB") for _ in range(12)), path)
            else:
                path.write_bytes(b"x" * 5000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    monkeypatch.setattr(module, name, short)
    there = tmp_path / f"there.{ending}"
    there.write_text("from before")
    with pytest.raises(InputError, match="cannot be written") as caught:
        view(drawn, **{option: there})  # type: ignore[arg-type]
    assert caught.value.place == str(there)
    assert there.read_text() == "from before"
    assert [path.name for path in tmp_path.iterdir()] == [there.name]


def test_viewing_refuses_what_cannot_be(drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"must end in \.png"):
        view(drawn, screenshot=tmp_path / "shot.jpg")
    with pytest.raises(InputError, match="folder must exist"):
        view(drawn, screenshot=tmp_path / "nowhere" / "shot.png")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(HaiflowError, match="--screenshot"):
        view(drawn)
