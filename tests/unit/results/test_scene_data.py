"""What the 3D pictures are made of: the liver's outside, colour scales, the packed scene of the page."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from haiflow.report import pack, palette, scales, surface
from haiflow.results import LiverField, Network, Results

CUBE = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
# A unit cube in six tetrahedra round its diagonal, every second one turned inside out.
SIX = np.array([[0, 1, 3, 7], [0, 3, 2, 7], [0, 2, 6, 7], [0, 6, 4, 7], [0, 4, 5, 7], [0, 5, 1, 7]], np.int32)


def cube() -> LiverField:
    tetra = SIX.copy()
    tetra[::2] = tetra[::2, [1, 0, 2, 3]]
    return LiverField(CUBE, tetra, {"couinaud_segment": np.array([1, 1, 1, 2, 2, 2])})


def enclosed(points: np.ndarray, triangles: np.ndarray) -> float:
    """Volume within a closed surface turned outwards, by the divergence theorem."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def test_the_outside_of_a_cube_is_closed_and_turned_outwards() -> None:
    skin = surface.outside(cube())
    assert len(skin.triangles) == 12
    assert enclosed(skin.points, skin.triangles) == pytest.approx(1.0)
    assert np.all(np.einsum("ij,ij->i", surface.normals(skin), skin.points - 0.5) > 0.5)


def test_borders_run_between_segments_only() -> None:
    skin = surface.outside(cube())
    shared = {tuple(sorted(edge)) for edge in skin.borders.tolist()}
    assert len(shared) == len(skin.borders) == 4
    one = replace(cube(), cell_data={"couinaud_segment": np.ones(6, int)})
    assert len(surface.outside(one).borders) == 0


def test_the_outside_of_the_liver_encloses_its_tetrahedra(results: Results) -> None:
    liver = results.liver
    assert liver is not None
    corners = liver.points[liver.tetra]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])).sum() / 6.0
    skin = surface.outside(liver)
    assert enclosed(skin.points, skin.triangles) == pytest.approx(volume, rel=1e-9, abs=0.0)


def test_a_refined_line_goes_through_its_points() -> None:
    rough = np.array([[0, 0, 0], [1, 0.2, 0], [2, 1, 0.3], [2.5, 2, 1.0]])
    curve, place = surface.refined(rough, 4)
    np.testing.assert_allclose(curve[::4], rough, atol=1e-14)
    np.testing.assert_allclose(place[::4], np.arange(4.0))
    straight, _ = surface.refined(np.linspace([0, 0, 0], [3, 3, 3], 4), 4)
    np.testing.assert_allclose(straight, np.linspace([0, 0, 0], [3, 3, 3], 13), atol=1e-14)


def test_a_logarithmic_scale_keeps_order_and_shows_none_as_none(results: Results) -> None:
    scale, drug = scales.of_network(results.network)  # type: ignore[arg-type]
    assert scale.log
    values = np.geomspace(scale.knots[0], scale.knots[-1], 50)
    assert np.all(np.diff(scale.place(values)) > 0.0)
    np.testing.assert_allclose(scale.place(np.array(scale.knots)), scale.places)
    assert np.isnan(scale.place(np.zeros(1)))[0]
    assert scale.place(np.array([np.nanmax(drug)]))[0] == 1.0


def test_without_drug_the_network_shows_flow(results: Results) -> None:
    network = results.network
    assert network is not None
    scale, values = scales.of_network(replace(network, concentration=np.zeros(len(network.points))))
    assert "Flow rate" in scale.title
    np.testing.assert_array_equal(values, np.abs(network.flow_rate))


def test_a_tumour_does_not_wash_out_the_tissue(results: Results) -> None:
    liver = results.liver
    assert liver is not None
    exposure = np.where(liver.cell_data["tumour"] > 0, 100.0, np.linspace(1.0, 2.0, len(liver.tetra)))
    scale, _ = scales.of_liver(replace(liver, cell_data=liver.cell_data | {"exposure_kg_s_per_m3": exposure}))
    tissue = np.quantile(exposure[liver.cell_data["tumour"] == 0], 0.995)
    assert scale.place(np.array([tissue]))[0] == pytest.approx(0.7)
    assert scale.place(np.array([100.0]))[0] == 1.0


def test_the_colour_tables_go_from_anchor_to_anchor() -> None:
    table = palette.table(("#000000", "#ff8000"), 3)
    assert table == [(0, 0, 0), (128, 64, 0), (255, 128, 0)]


def unpacked(text: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    raw = zlib.decompress(base64.b64decode(text))
    size = int.from_bytes(raw[:4], "little")
    head = json.loads(raw[4 : 4 + size])
    arrays = {}
    for name, (kind, offset, length) in head["arrays"].items():
        assert offset % 4 == 0, "typed arrays of the browser must be aligned"
        arrays[name] = np.frombuffer(raw, f"<{kind}", length, offset)
    return head, arrays


def test_the_packed_scene_holds_the_shapes(results: Results) -> None:
    network, liver = results.network, results.liver
    assert isinstance(network, Network)
    assert liver is not None
    head, arrays = unpacked(pack.scene(network, liver))
    grid = head["grid"]
    skin = surface.outside(liver)
    points = np.array(grid["origin"]) + arrays["liver_points"].reshape(-1, 3) * grid["step"]
    np.testing.assert_allclose(points, skin.points, atol=0.51 * grid["step"])
    segment = liver.cell_data["couinaud_segment"][skin.cell]
    triangles = arrays["liver_triangles"].reshape(-1, 3)
    assert sum(count for _, _, count in head["liver"]["spans"]["liver"]) == len(triangles)
    for number, first, count in head["liver"]["spans"]["liver"]:
        np.testing.assert_array_equal(triangles[first : first + count], skin.triangles[segment == number])
    assert len(head["network"]["curves"]) == network.n_lines
    assert head["network"]["curves"][-1][2] == len(arrays["curve_radius"])
    labels = [label[0] for label in head["labels"]]
    assert "leak at 12 cm" in labels
    assert "VIII" in labels


def test_frames_and_the_grid_come_back_as_the_cells_hold_them(sample: Any) -> None:
    liver = sample.followed()
    assert liver.frames is not None
    head, arrays = unpacked(pack.scene(None, liver))
    high = float(liver.frames.max())
    scale = next(item.scale for item in scales.choices(liver) if item.key == scales.FOLLOWED)
    frames = np.cumsum(arrays["grid_frames"].reshape(30, -1), axis=0, dtype=np.uint8)
    volume, kept = head["liver"]["volume"], arrays["grid_kept"].astype(bool)
    nx, ny, nz = volume["shape"]
    assert len(kept) == nx * ny * nz
    z, y, x = np.unravel_index(np.flatnonzero(kept), (nz, ny, nx))
    places = np.array(volume["origin"]) + volume["step"] * np.stack([x, y, z], axis=1)
    middle = liver.points[liver.tetra].mean(axis=1)
    for point in np.random.default_rng(0).integers(len(places), size=50):
        cell = np.argmin(np.linalg.norm(middle - places[point], axis=1))
        expected = scale.place(np.asarray(liver.frames[:, cell], float)) * 254
        np.testing.assert_allclose(frames[:, point], expected, atol=0.51)
        assert arrays["grid_segment"][point] == liver.cell_data["couinaud_segment"][cell]
    np.testing.assert_array_equal(frames[-1], arrays["grid_" + scales.FOLLOWED])
    skin = np.cumsum(arrays["liver_frames"].reshape(30, -1), axis=0, dtype=np.uint8)
    np.testing.assert_array_equal(skin[-1], arrays["liver_" + scales.FOLLOWED])
    assert high > liver.cell_data[scales.FOLLOWED].max(), "the scale must hold the highest frame, not the last"
    assert head["liver"]["frames"]["times"][-1] == "28.0 d"


def test_every_cell_within_the_liver_is_near_a_kept_point_of_the_grid(sample: Any) -> None:
    liver = sample.followed()
    head, arrays = unpacked(pack.scene(None, liver))
    volume = head["liver"]["volume"]
    middle = liver.points[liver.tetra].mean(axis=1)
    low = np.floor((middle - np.array(volume["origin"])) / volume["step"]).astype(int)
    nx, ny, _ = volume["shape"]
    kept = arrays["grid_kept"].astype(bool)
    for corner in np.ndindex(2, 2, 2):
        x, y, z = (low + np.array(corner)).T
        assert kept[x + nx * (y + ny * z)].all()


def test_only_quantities_that_are_there_can_be_chosen(sample: Any) -> None:
    names = [item.key for item in scales.choices(sample.followed())]
    assert names == [key for key, _, _ in scales.LIVER_VALUES]
    whole = sample.liver()
    some = replace(whole, cell_data=whole.cell_data | {"exposure_kg_s_per_m3": np.zeros(len(whole.tetra))})
    head, arrays = unpacked(pack.scene(None, some))
    keys = [item["key"] for item in head["liver"]["quantities"]]
    assert keys == [
        "drug_concentration_kg_per_m3",
        "arterial_perfusion_ml_per_min_per_100ml",
        "perfusion_ml_per_min_per_100ml",
        "segment",
    ]
    assert "frames" not in head["liver"]
    assert "liver_exposure_kg_s_per_m3" not in arrays


def test_fine_arteries_are_lines_that_keep_to_themselves(sample: Any) -> None:
    network = sample.grown(300)
    head, arrays = unpacked(pack.scene(network, None))
    assert len(head["network"]["curves"]) == network.n_lines - 300
    assert len(arrays["fine_points"]) == 3 * 5 * 300
    pieces = arrays["fine_lines"].reshape(-1, 2)
    assert len(pieces) == 4 * 300
    points = np.array(head["grid"]["origin"]) + arrays["fine_points"].reshape(-1, 3) * head["grid"]["step"]
    drawn = np.linalg.norm(np.diff(points[pieces], axis=1), axis=-1)
    assert drawn.max() < 0.01
    np.testing.assert_allclose(points, network.points[-1500:], atol=0.51 * head["grid"]["step"])


def test_a_scene_without_liver_or_without_network(results: Results) -> None:
    head, arrays = unpacked(pack.scene(results.network, None))
    assert "liver" not in head
    assert "liver_points" not in arrays
    head, _ = unpacked(pack.scene(None, results.liver))
    assert "network" not in head
    assert pack.scene(None, None) == ""
