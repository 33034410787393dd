"""The 3D scene: pump, line and arteries as tubes coloured by drug concentration, the liver translucent around them.

Runs in a child process (:mod:`haiflow.report.child`) when it draws for a run: without a working EGL, VTK does not
raise, it ends the process. Axes are the body's: x to the left, y to the back, z up; the pictures look from the front.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from haiflow.ports import Floats
from haiflow.report import detail, overlay, palette, scales, surface
from haiflow.report.camera import SIZE, View, aim, pixel
from haiflow.report.camera import close_up as close_up
from haiflow.report.camera import overview as overview
from haiflow.results import LiverField, Network, PumpBody
from haiflow.results.record import ARTERY, CATHETER, FINE_ARTERY, PUMP_LINE

NUMERALS = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII")
OPACITY = {"overview": 1.0, "tip": 0.55}  # of the arteries: the catheter lies inside
LIVER_OPACITY, TUMOUR_OPACITY = 0.45, 0.9
WIDER = {"overview": 1.5, "tip": 1.0}  # tubes are drawn wider than life so that they can be seen
THINNEST = {"overview": 1.1e-3, "tip": 0.35e-3}  # m


def off_screen() -> None:
    """Makes VTK draw through EGL where no display and no other choice is given; call before pyvista is imported."""
    if not os.environ.get("DISPLAY"):
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")


def new_plotter(off: bool = True, size: tuple[int, int] = SIZE) -> Any:
    """A pyvista Plotter with haiflow's lights and paper."""
    import pyvista

    if off:  # with translucent shapes several samples a pixel change nothing to see and cost 45 MB
        pyvista.global_theme.multi_samples = 1
    plotter: Any = pyvista.Plotter(off_screen=off, window_size=list(size), lighting="light kit")
    plotter.set_background(palette.GROUND)
    return plotter


def colour_map(scale: scales.Scale) -> Any:
    """The lookup table of ``scale`` over 0 to 1."""
    import pyvista

    table = pyvista.LookupTable()
    table.values = np.array([(*colour, 255) for colour in palette.table(scale.colours)], np.uint8)
    table.scalar_range = (0.0, 1.0)
    table.nan_color = palette.NO_DRUG
    return table


def add(plotter: Any, shape: Any, **look: Any) -> None:
    """Adds a shape without drawing at once: pyvista would draw the whole scene again for each."""
    plotter.add_mesh(shape, show_scalar_bar=False, render=False, reset_camera=False, **look)


def curves(network: Network, parts: tuple[int, ...], kind: str, shared: scales.Scale | None = None) -> Any:
    """The lines of the given parts as smooth curves with ``radius`` (m, as drawn) and ``colour`` (0 to 1)."""
    import pyvista

    own, values = scales.of_network(network)
    scale = shared or own
    wide = np.where(network.part == ARTERY, WIDER[kind], 1.0) * network.radius
    wide, colour = np.maximum(wide, THINNEST[kind]), scale.place(values)
    points, cells, radii, colours, count = [], [], [], [], 0
    drawn = detail.as_tubes(network) & np.isin(detail.line_parts(network), parts)
    for ids in (network.line(int(index)) for index in np.flatnonzero(drawn)):
        curve, place = surface.refined(network.points[ids])
        old = np.arange(len(ids))
        points.append(curve)
        radii.append(np.interp(place, old, wide[ids]))
        colours.append(np.interp(place, old, colour[ids]))
        cells.append([len(curve), *range(count, count + len(curve))])
        count += len(curve)
    if not points:
        return None
    lines = pyvista.PolyData(np.concatenate(points), lines=np.concatenate(cells))
    lines["radius"], lines["colour"] = np.concatenate(radii), np.concatenate(colours)
    return lines


def add_network(plotter: Any, network: Network, kind: str, shared: scales.Scale | None = None) -> None:
    """Tubes with their own radii (never thinner than what can be seen), the pump, a ball per fault.

    In the close-up the arteries are translucent: the catheter lies inside.
    ``shared`` is the colour scale of several runs.
    """
    import pyvista

    colours = colour_map(shared or scales.of_network(network)[0])
    for name, parts, opacity in (("line", (PUMP_LINE, CATHETER), 1.0), ("arteries", (ARTERY,), OPACITY[kind])):
        lines = curves(network, parts, kind, shared)
        if lines is None:
            continue
        tubes = lines.tube(scalars="radius", absolute=True, n_sides=20, capping=True)
        look = {
            "specular": 0.3,
            "specular_power": 18,
            "ambient": 0.2,
            "smooth_shading": True,
            "split_sharp_edges": True,
        }
        add(plotter, tubes, scalars="colour", cmap=colours, clim=(0, 1), opacity=opacity, name=name, **look)
    add_hairs(plotter, network, colours, shared)
    if kind == "overview" and np.any(network.part == FINE_ARTERY):
        from haiflow.report.cuts import add_fine

        add_fine(plotter, network, 0.5)
    if network.pump is not None:
        add_pump(plotter, network.pump)
    ball = {"overview": 3.0e-3, "tip": 1.2e-3}[kind]
    for mark in network.markers:
        if mark.kind != "tip":
            add(
                plotter,
                pyvista.Sphere(radius=ball, center=mark.position),
                color=palette.SEVERITY["alarm"],
                specular=0.4,
            )


def add_hairs(plotter: Any, network: Network, colours: Any, shared: scales.Scale | None) -> None:
    """The arteries of a large network that are not drawn as tubes, as lines."""
    import pyvista

    hairs = np.flatnonzero(~detail.as_tubes(network) & (detail.line_parts(network) == ARTERY))
    if not len(hairs):
        return
    own, values = scales.of_network(network)
    points, places, pieces = detail.segments(network, hairs, (shared or own).place(values))
    shape = pyvista.PolyData(points, lines=np.insert(pieces, 0, 2, axis=1).ravel())
    shape["colour"] = places
    look = {"line_width": 1, "opacity": 0.6, "lighting": False, "name": "hairs"}
    add(plotter, shape, scalars="colour", cmap=colours, clim=(0, 1), **look)


def add_pump(plotter: Any, body: PumpBody) -> None:
    """The pump's housing: a flat titanium cylinder with round edges, and its septum."""
    import pyvista

    axis = front(body)
    metal = {"specular": 0.5, "specular_power": 20, "ambient": 0.25, "smooth_shading": True}
    for radius, height, shift, colour in ((1.0, 1.0, 0.0, "#c3ccd3"), (0.24, 0.30, 0.50, "#8b98a2")):
        shape = pyvista.ParametricSuperEllipsoid(
            xradius=radius * body.radius, yradius=radius * body.radius, zradius=0.5 * height * body.height,
            n1=0.35, n2=1.0, u_res=90, v_res=60,
        )  # fmt: skip
        turned = shape.rotate_vector(*_turn(axis)).translate(body.centre + shift * body.height * axis)
        add(plotter, turned, color=colour, **metal)


def front(body: PumpBody) -> Floats:
    """The unit vector (3,) out of the face that is turned to the skin, where the septum is."""
    axis = body.axis / np.linalg.norm(body.axis)
    return np.asarray(-axis if axis[1] > 0.0 else axis)


def _turn(axis: Floats) -> tuple[Floats, float]:
    """Axis and angle (degrees) that turn z into ``axis``."""
    about = np.cross([0.0, 0.0, 1.0], axis)
    size = np.linalg.norm(about)
    return (about / size if size > 1e-9 else np.array([1.0, 0.0, 0.0])), float(np.degrees(np.arctan2(size, axis[2])))


def add_liver(plotter: Any, liver: LiverField, shared: tuple[scales.Scale, Floats] | None = None) -> None:
    """The outer surface, translucent and coloured by exposure, the borders of the segments, tumours as solid bodies.

    ``shared``: the colour scale of several runs and this one's values (m,), else those of :func:`scales.of_liver`.
    """
    import pyvista

    scale, values = shared or scales.of_liver(liver)
    colours, opacity = colour_map(scale), LIVER_OPACITY
    skin = surface.outside(liver)
    shell = pyvista.PolyData.from_regular_faces(skin.points, skin.triangles.astype(int))
    shell["colour"] = surface.at_points(skin, scale.place(values[skin.cell]))
    look = {"cmap": colours, "clim": (0, 1), "smooth_shading": True, "ambient": 0.3, "specular": 0.1}
    add(plotter, shell, scalars="colour", opacity=opacity, culling="back", name="liver", **look)
    if len(skin.borders):
        lines = pyvista.PolyData(surface.smoothed_borders(skin), lines=np.insert(skin.borders, 0, 2, axis=1).ravel())
        add(plotter, lines, color="#3f5a66", line_width=1.8, opacity=min(1.0, 1.6 * opacity), name="borders")
    tumour = np.asarray(liver.cell_data.get("tumour", np.zeros(len(liver.tetra))))
    if np.any(tumour > 0):
        inner = surface.outside(replace(liver, tetra=liver.tetra[tumour > 0]))
        body = pyvista.PolyData.from_regular_faces(
            surface.rounded(inner.points, inner.triangles), inner.triangles.astype(int)
        )
        body["colour"] = surface.at_points(inner, scale.place(values[tumour > 0][inner.cell]))
        add(plotter, body, scalars="colour", opacity=TUMOUR_OPACITY, name="tumours", **look)


def names_of_arteries(network: Network) -> list[tuple[str, Floats]]:
    """Each artery's name and the middle of its first line, the widest first."""
    middles: dict[int, tuple[float, Floats]] = {}
    for index in range(network.n_lines):
        ids = network.line(index)
        if network.part[ids[0]] == ARTERY:
            low, high = ids[(len(ids) - 1) // 2], ids[len(ids) // 2]
            place = 0.5 * (network.points[low] + network.points[high])
            middles.setdefault(int(network.vessel[low]), (float(network.radius[low]), place))
    ranked = sorted(middles.items(), key=lambda item: -item[1][0])
    return [(palette.in_words(network.vessel_names[vessel]), place) for vessel, (_, place) in ranked]


def labels(plotter: Any, network: Network | None, liver: LiverField | None, kind: str) -> list[overlay.Label]:
    """Words for a picture, the most important first (later ones give way)."""
    words = []
    if network is not None:
        for mark in network.markers:
            colour = palette.INK if mark.kind == "tip" else palette.SEVERITY["alarm"]
            words.append(
                overlay.Label(palette.in_words(mark.name), pixel(plotter, SIZE, mark.position), colour, bold=True)
            )
        if network.pump is not None and kind == "overview":
            words.append(overlay.Label("pump", pixel(plotter, SIZE, network.pump.centre), palette.INK, fixed=True))
        if kind == "tip":
            words += [
                overlay.Label(name, pixel(plotter, SIZE, place), "#34495a", size=17)
                for name, place in names_of_arteries(network)
            ]
    if liver is not None and kind == "overview":
        for number, centre in surface.segment_centres(liver).items():
            place = pixel(plotter, SIZE, centre)
            words.append(overlay.Label(NUMERALS[number], place, "#24424d", bold=True, fixed=True, size=24))
    return words


TITLES = {
    "overview": ("From the pump to the segments", "front view; tubes drawn wider than life"),
    "diagram": ("The arteries, as a diagram", "the network gives no places; tubes drawn wider than life"),
    "tip": ("Round the catheter's tip", "front view; catheter and arteries to scale"),
}


def render(plotter: Any, network: Network | None, liver: LiverField | None, kind: str, view: View, path: Path) -> None:
    """One still picture with labels and colour bars, written to ``path`` (PNG)."""
    from PIL import Image

    plotter.clear_actors()
    if liver is not None:
        add_liver(plotter, liver)
    if network is not None:
        add_network(plotter, network, kind)
    aim(plotter, view)
    plotter.render()
    image = Image.fromarray(plotter.screenshot(return_img=True))
    taken = [overlay.put_title(image, *TITLES["diagram" if network is not None and network.diagram else kind])]
    bars = [scales.of_network(network)[0]] if network is not None else []
    bars += [scales.of_liver(liver)[0]] if liver is not None else []
    for scale, left in zip(bars, (56, 660), strict=False):
        taken.append(overlay.put_bar(image, scale, left, SIZE[1] - 22, 480))
    overlay.put_labels(image, labels(plotter, network, liver, kind), taken)
    image.save(path, compress_level=6)


def draw(network: Network | None, liver: LiverField | None, folder: Path, plotter: Any = None) -> list[str]:
    """Writes ``scene.png`` and, where there is a catheter, ``scene_tip.png``; returns their names."""
    if network is None and liver is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    plotter = plotter or new_plotter()
    render(plotter, network, liver, "overview", overview(network, liver), folder / "scene.png")
    near = close_up(network) if network is not None else None
    if near is None:
        return ["scene.png"]
    render(plotter, network, None, "tip", near, folder / "scene_tip.png")
    return ["scene.png", "scene_tip.png"]
