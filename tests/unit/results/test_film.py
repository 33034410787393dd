"""Films over the run, runs side by side, and the window that haiflow view opens."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import haiflow
from haiflow.errors import InputError
from haiflow.report import film, scales
from haiflow.report.child import Child
from haiflow.report.view import view
from haiflow.results import Results, junction
from haiflow.results.record import JunctionField
from haiflow.verify.shapes import duct

pytest.importorskip("pyvista")
WINDOW = """
import sys
import pyvista
from haiflow import cli

shown = pyvista.Plotter.show


def closing(self, **how):
    self.add_timer_event(max_steps=1, duration=300, callback=lambda step: self.iren.terminate_app())
    assert not self.off_screen
    return shown(self, **how)


pyvista.Plotter.show = closing
sys.exit(cli.main(["view", sys.argv[1]]))
"""


def halved(results: Results) -> Results:
    """The same run with half of the drug in the liver, and no event."""
    liver = results.liver
    assert liver is not None
    assert liver.frames is not None
    data = liver.cell_data | {"exposure_kg_s_per_m3": 0.5 * liver.cell_data["exposure_kg_s_per_m3"]}
    return replace(results, liver=replace(liver, frames=0.5 * liver.frames, cell_data=data), events=[])


@pytest.fixture(scope="module")
def moving(sample: Any) -> Results:
    return sample.spatial()


@pytest.fixture(scope="module")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips where this machine cannot draw: VTK would end the process."""
    child = Child("scene")
    child.give(Results(summary={}), tmp_path_factory.mktemp("probe"))
    answer = child.answer()
    if "failure" in answer:
        pytest.skip(answer["failure"])
    from haiflow.report import scene

    scene.off_screen()


def colours(image: Any) -> np.ndarray:
    """How far each pixel is from grey, over the middle of a picture: the cuts are green."""
    pixels = np.asarray(image).astype(int)[150:560]
    return np.asarray(pixels[..., 1] - pixels[..., 0])


def test_between_two_frames_the_drug_is_between_theirs() -> None:
    frames = np.array([[0.0, 2.0, 6.0], [1.0, 1.0, 5.0]])
    times = np.array([0.0, 10.0, 30.0])
    np.testing.assert_allclose(film.at(frames, times, 5.0), [1.0, 1.0])
    np.testing.assert_allclose(film.at(frames, times, 25.0), [5.0, 4.0])
    np.testing.assert_allclose(film.at(frames, times, 99.0), [6.0, 5.0])


def test_the_scale_holds_all_times_of_all_runs(moving: Results) -> None:
    assert moving.liver is not None
    assert moving.liver.frames is not None
    scale = film.common_scale([halved(moving), moving])
    assert scale.knots[-1] == pytest.approx(float(moving.liver.frames.max()))
    assert scale.knots[0] == 0.0


def test_runs_of_different_times_are_refused(moving: Results) -> None:
    assert moving.liver is not None
    assert moving.liver.times is not None
    other = replace(moving, liver=replace(moving.liver, times=1.1 * moving.liver.times))
    with pytest.raises(InputError, match="same times"):
        next(film.pictures([moving, other], ["a", "b"]))


def test_quantities_that_differ_do_not_share_a_scale(results: Results) -> None:
    assert results.network is not None
    drug = scales.of_network(results.network)[0]
    flow = scales.of_network(replace(results.network, concentration=0.0 * results.network.concentration))[0]
    with pytest.raises(InputError, match="same quantity"):
        scales.common([drug, flow])


def test_a_run_without_drug_is_shown_on_the_scale_of_the_other(results: Results) -> None:
    liver = results.liver
    assert liver is not None
    names = ("exposure_kg_s_per_m3", "drug_concentration_kg_per_m3")
    none = replace(liver, cell_data=liver.cell_data | {name: np.zeros(len(liver.tetra)) for name in names})
    scale, (first, second) = scales.of_livers([none, liver])
    assert scale == scales.of_liver(liver)[0]
    assert not first.any()
    assert second.max() == scale.knots[-1]


@pytest.mark.usefixtures("drawing")
def test_the_liver_fills_with_drug_and_events_are_named(moving: Results) -> None:
    shown = list(film.pictures([moving], ["run"], count=3))
    assert len(shown) == 3 + film.PER_SECOND * film.HOLD
    assert {image.size for image in shown} == {film.SIZE}
    first, middle, last = (int((colours(image) > 25).sum()) for image in shown[:3])
    assert first < 2_000 < 20_000 < middle
    assert last > 20_000
    corner = [np.asarray(image)[50:140, 20:300].min() for image in shown[:3]]
    assert corner[0] > 200  # nothing has happened yet
    assert corner[2] < 120


@pytest.mark.usefixtures("drawing")
def test_a_film_of_two_runs_shows_each_on_its_side(moving: Results) -> None:
    *_, image = film.pictures([moving, halved(moving)], ["all", "half"], count=2)
    green = colours(image)
    assert (green[:, :640] > 35).sum() > 1.5 * (green[:, 640:] > 35).sum()


@pytest.mark.usefixtures("drawing")
def test_a_film_is_written_for_a_run_with_frames(
    moving: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("imageio_ffmpeg")
    imageio = pytest.importorskip("imageio.v2")
    monkeypatch.setattr(film, "SECONDS", 0.5)
    (path,) = view(moving.save(tmp_path / "run"), movie=tmp_path / "film.mp4")
    reader: Any = imageio.get_reader(path)
    assert tuple(reader.get_meta_data()["size"]) == (1280, 720)
    assert reader.count_frames() == film.PER_SECOND * (0.5 + film.HOLD)
    reader.close()


@pytest.mark.usefixtures("drawing")
def test_two_runs_side_by_side(moving: Results, results: Results, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    runs = {"cuts": halved(moving), "all": moving, "even": results}
    folders = {name: run.save(tmp_path / name) for name, run in runs.items()}
    (path,) = view([folders["all"], folders["cuts"]], screenshot=tmp_path / "two.png")
    pixels = np.asarray(image.open(path).convert("RGB")).astype(int)
    green = pixels[120:560, :, 1] - pixels[120:560, :, 0]
    assert pixels.shape == (704, 1600, 3)
    assert (green[:, :800] > 35).sum() > 1.5 * (green[:, 800:] > 35).sum()
    (path,) = view([folders["even"], folders["even"]], screenshot=tmp_path / "scenes.png")
    pixels = np.asarray(image.open(path).convert("RGB")).astype(int)
    np.testing.assert_array_equal(pixels[60:740, :800], pixels[60:740, 800:])  # one camera
    assert pixels.shape == (864, 1600, 3)


def travelling(folder: Path) -> Results:
    """A region whose drug is a cloud that moves along x over a beat of 0.8 s, 0.2 s a frame."""
    mesh = duct(("a", "b"), fine=6)
    n, times = len(mesh.points), np.array([0.2, 0.4, 0.6, 0.8])
    x = mesh.points[:, 0] / np.ptp(mesh.points[:, 0])
    cloud = np.array([60.0 * np.exp(-(((x - place) / 0.1) ** 2)) for place in (-0.3, -0.1, 0.1, 0.3)])
    trails = np.full((1, 4, 3), np.nan, np.float32)
    field = JunctionField(
        mesh.points, mesh.tetra, mesh.wall, mesh.patch, mesh.names, ("a", "b"), {"wall_shear_pa": np.zeros(n)}, times,
        np.random.default_rng(0).normal(size=(4, n, 3)).astype(np.float32), cloud.astype(np.float32), trails,
        np.zeros(1, np.int32),
    )  # fmt: skip
    folder.mkdir()
    junction.write(folder, field)
    return Results(summary={}, junction=field, folder=folder)


def test_frames_of_the_drug_at_the_tip_come_back_in_their_order(tmp_path: Path) -> None:
    run = travelling(tmp_path / "run")
    assert run.junction is not None
    found = junction.read(tmp_path / "run")
    assert found is not None
    np.testing.assert_array_equal(found.times, run.junction.times)
    np.testing.assert_array_equal(found.drug, run.junction.drug)
    np.testing.assert_array_equal(found.velocity, run.junction.velocity)
    assert junction.read(tmp_path) is None


def test_a_run_that_is_opened_and_saved_again_keeps_the_frames_of_its_tip(results: Results, tmp_path: Path) -> None:
    run = travelling(tmp_path / "tip")
    first = replace(results, junction=run.junction).save(tmp_path / "first")
    again = haiflow.open(first).save(tmp_path / "again")
    found = junction.read(again)
    assert found is not None
    assert run.junction is not None
    np.testing.assert_array_equal(found.times, run.junction.times)
    np.testing.assert_array_equal(found.drug, run.junction.drug)
    np.testing.assert_array_equal(found.velocity, run.junction.velocity)
    (again / "junction" / "0002.vtu").unlink()
    with pytest.raises(InputError, match="names it"):
        junction.read(again)


@pytest.mark.usefixtures("drawing")
def test_the_drug_at_the_tip_is_shown_where_it_is_over_the_beat(tmp_path: Path) -> None:
    from haiflow.report import junction_film, junction_scene, scene

    run, plotter = travelling(tmp_path / "run"), scene.new_plotter()
    shown = [np.asarray(image).astype(int) for image in junction_film.pictures(run, plotter, count=4)]
    assert len(shown) == 4 * junction_film.BEATS
    np.testing.assert_array_equal(shown[0], shown[4])  # the beat repeats itself
    # Where red is weak lies the dark cloud, whole; the first branch, at -x, is above, the duct comes from the left to
    # the arms. The first picture is the end of the beat.
    dark = [np.nonzero((image[90:600, 650:690, 0] < 80).all(axis=1))[0] for image in shown[:4]]
    middle = [rows.mean() for rows in dark]
    assert middle[1] < middle[2] < middle[3] < middle[0]
    assert all(np.ptp(rows) < 1.1 * len(rows) for rows in dark)
    assert shown[0].shape[:2] == junction_scene.SIZE[::-1]


@pytest.mark.parametrize(("asked", "rule"), [
    ({}, "the tip is drawn into files"), ({"html": "page.html"}, "pictures and films"),
])  # fmt: skip
def test_what_the_tip_is_not_drawn_into(moving: Results, tmp_path: Path, asked: dict[str, str], rule: str) -> None:
    with_tip = replace(moving, junction=travelling(tmp_path / "tip").junction).save(tmp_path / "run")
    with pytest.raises(InputError, match=rule):
        view(with_tip, tip=True, **{name: tmp_path / file for name, file in asked.items()})
    with pytest.raises(InputError, match="not solved in 3D"):
        view(moving.save(tmp_path / "without"), tip=True, screenshot=tmp_path / "tip.png")
    with pytest.raises(InputError, match="shows one run"):
        view([with_tip, with_tip], tip=True, screenshot=tmp_path / "tip.png")


def test_several_runs_have_no_window(results: Results, tmp_path: Path) -> None:
    folder = results.save(tmp_path / "run")
    with pytest.raises(InputError, match="--screenshot"):
        view([folder, folder])
    with pytest.raises(InputError, match="--movie"):
        view([folder, folder], html=tmp_path / "page.html")


@pytest.fixture
def display() -> Iterator[str]:
    """A virtual display of our own."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("needs Xvfb (Debian, Ubuntu: apt install xvfb)")
    read, write = os.pipe()
    command = [program, "-displayfd", str(write), "-screen", "0", "1280x1100x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as answer:
        number = answer.readline().strip()
    if not number:
        server.wait(timeout=10)
        pytest.skip("Xvfb does not start here")
    yield f":{number}"
    server.terminate()
    server.wait(timeout=10)


def test_view_opens_a_window_that_can_be_closed(moving: Results, display: str, tmp_path: Path) -> None:
    folder = moving.save(tmp_path / "run")
    environment = {**os.environ, "DISPLAY": display}
    environment.pop("VTK_DEFAULT_OPENGL_WINDOW", None)
    begun = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", WINDOW, str(folder)], env=environment, capture_output=True, text=True, timeout=90
    )
    assert ended.returncode == 0, ended.stderr
    assert time.monotonic() - begun > 0.3
