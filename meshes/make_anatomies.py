"""Writes src/haiflow/library/anatomies/michels-1.yaml to michels-10.yaml.

The ten types share most of their arteries; here each artery is drawn once (way points in mm in the patient frame of the
standard liver: x to the patient's left, y to the back, z up, origin at the porta hepatis) and each type says which
arteries it has and where they arise. Run it from the root of the repository: ``python meshes/make_anatomies.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anatomy_values import (
    ACCESSORY,
    AORTA_FLOW,
    BED_FLOW,
    BEDS,
    COURSE,
    DIAMETER,
    END,
    FLOWS,
    GALL,
    HEADER,
    LIVER_FLOW,
    MARK,
    NUMERAL,
    OTHER_DIAMETER,
    PLACE,
    SEGMENT_SHARE,
    SOURCE,
    TRUNK_FLOWS,
    TRUNK_WALL,
)

FOLDER = Path(__file__).resolve().parents[1] / "src" / "haiflow" / "library" / "anatomies"


@dataclass(frozen=True)
class Artery:
    name: str
    start: str
    end: str  # a place, or the artery's own name for a terminal
    course: str = ""  # of COURSE, where it is not that of its name


@dataclass(frozen=True)
class Kind:
    """One of Michels' types: what is replaced or accessory, and where the common hepatic artery arises."""

    number: int
    title: str
    share: str  # of patients
    replaced: tuple[str, ...] = ()
    accessory: tuple[str, ...] = ()
    common_from: str = "coeliac"

    @property
    def from_left_gastric(self) -> bool:
        return "left" in self.replaced + self.accessory or self.common_from == "left_gastric"

    @property
    def from_superior_mesenteric(self) -> bool:
        return "right" in self.replaced + self.accessory or self.common_from == "superior_mesenteric"


KINDS = (
    Kind(1, "Michels I: normal anatomy, common hepatic artery from the coeliac trunk", "55 to 72 %"),
    Kind(2, "Michels II: replaced left hepatic artery from the left gastric", "4 to 10 %", ("left",)),
    Kind(3, "Michels III: replaced right hepatic artery from the superior mesenteric", "6 to 11 %", ("right",)),
    Kind(4, "Michels IV: both hepatic arteries replaced, middle hepatic from the common hepatic", "0.5 to 1 %",
         ("left", "right")),
    Kind(5, "Michels V: accessory left hepatic artery from the left gastric", "8 to 11 %", (), ("left",)),
    Kind(6, "Michels VI: accessory right hepatic artery from the superior mesenteric", "1.5 to 7 %", (), ("right",)),
    Kind(7, "Michels VII: accessory left and right hepatic arteries", "1 %", (), ("left", "right")),
    Kind(8, "Michels VIII: replaced right and accessory left hepatic artery", "2 to 4 %", ("right",), ("left",)),
    Kind(9, "Michels IX: common hepatic artery from the superior mesenteric", "2 to 4.5 %",
         common_from="superior_mesenteric"),
    Kind(10, "Michels X: common hepatic artery from the left gastric", "0 to 0.5 %", common_from="left_gastric"),
)  # fmt: skip


def trunk(kind: Kind) -> list[Artery]:
    """Aorta, coeliac trunk and superior mesenteric artery; type I begins at the common hepatic."""
    if kind.number == 1:
        return []
    arteries = [
        Artery("aorta", "aorta_inlet", "coeliac_origin"),
        Artery("aorta_visceral", "coeliac_origin", "superior_mesenteric_origin"),
        Artery("aorta_abdominal", "superior_mesenteric_origin", "aorta_abdominal"),
        Artery("coeliac", "coeliac_origin", "coeliac_end"),
        Artery("splenic", "coeliac_end", "splenic"),
    ]
    branched = {"left_gastric": kind.from_left_gastric, "superior_mesenteric": kind.from_superior_mesenteric}
    for name, start in (("left_gastric", "coeliac_end"), ("superior_mesenteric", "superior_mesenteric_origin")):
        arteries.append(Artery(name, start, f"{name}_node" if branched[name] else name))
        if branched[name]:
            arteries.append(Artery(UNDIVIDED[name], f"{name}_node", UNDIVIDED[name]))
    return arteries


def common_hepatic(kind: Kind) -> list[Artery]:
    start = {"coeliac": "coeliac_end"}.get(kind.common_from, f"{kind.common_from}_node")
    course = "common_hepatic" if kind.common_from == "coeliac" else f"common_hepatic_from_{kind.common_from}"
    return [
        Artery("common_hepatic", start, "gastroduodenal_origin", course),
        Artery("gastroduodenal", "gastroduodenal_origin", "gastroduodenal"),
        Artery("proper_hepatic", "gastroduodenal_origin", "right_gastric_origin"),
        Artery("right_gastric", "right_gastric_origin", "right_gastric"),
        Artery("proper_hepatic_distal", "right_gastric_origin", "hepatic_bifurcation"),
    ]


def right_liver(kind: Kind) -> list[Artery]:
    replaced = "right" in kind.replaced
    trunk_of_right = (
        Artery("replaced_right_hepatic", "superior_mesenteric_node", "right_hepatic_bifurcation")
        if replaced
        else Artery("right_hepatic", "hepatic_bifurcation", "right_hepatic_bifurcation")
    )
    accessory = [Artery("accessory_right_hepatic", "superior_mesenteric_node", "accessory_right_hepatic")]
    return [
        trunk_of_right,
        Artery("right_anterior", "right_hepatic_bifurcation", "right_anterior_end"),
        Artery("right_posterior", "right_hepatic_bifurcation", "right_posterior_end"),
        *(Artery(f"segment_{k}", "right_anterior_end", f"segment_{k}") for k in (5, 8)),
        *(Artery(f"segment_{k}", "right_posterior_end", f"segment_{k}") for k in (6, 7)),
        *(accessory if "right" in kind.accessory else []),
    ]


def left_liver(kind: Kind) -> list[Artery]:
    """Left, middle and caudate arteries; a replaced left hepatic goes straight to the left lateral section."""
    replaced = "left" in kind.replaced
    hub = "hepatic_bifurcation" if replaced else "left_hepatic_branching"
    to_lateral = (
        [Artery("replaced_left_hepatic", "left_gastric_node", "left_lateral_end")]
        if replaced
        else [
            Artery("left_hepatic", "hepatic_bifurcation", "left_hepatic_branching"),
            Artery("left_lateral", "left_hepatic_branching", "left_lateral_end"),
        ]
    )
    accessory = [Artery("accessory_left_hepatic", "left_gastric_node", "accessory_left_hepatic")]
    from_hub = "_from_bifurcation" if replaced else ""
    return [
        *to_lateral,
        Artery("middle_hepatic", hub, "middle_hepatic_end", f"middle_hepatic{from_hub}"),
        Artery("segment_1", hub, "segment_1", f"segment_1{from_hub}"),
        *(Artery(f"segment_{k}", "left_lateral_end", f"segment_{k}") for k in (2, 3)),
        Artery("segment_4", "middle_hepatic_end", "segment_4"),
        *(accessory if "left" in kind.accessory else []),
    ]


# Arteries that are a trunk with branches in some types and end undivided in others, and what their end part is called.
UNDIVIDED = {"left_gastric": "left_gastric_stomach", "superior_mesenteric": "superior_mesenteric_distal"}


def course_of(artery: Artery) -> np.ndarray:
    """Way points in mm, start and end included."""
    place = {
        **PLACE,
        **END,
        **{name: END[part] for name, part in UNDIVIDED.items()},
        "aorta_abdominal": PLACE["aorta_end"],
    }
    between = COURSE.get(artery.course or artery.name, [])
    return np.array([place[artery.start], *between, place[artery.end]], dtype=float)


def smooth(points: np.ndarray, parts: int = 3) -> np.ndarray:
    """Catmull-Rom curve through the way points, ``parts`` pieces between two of them, rounded to 0.1 mm."""
    if len(points) < 3:
        return points
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0.0, 1.0, parts, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.round(np.vstack([*pieces, points[-1:]]), 1)


def length_of(path: np.ndarray) -> float:
    return round(float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum()), 1)


def wave_speed(diameters: tuple[float, float]) -> float:
    """Stiffer towards the periphery: 4.3 mm has 6.6 m/s, 1.5 mm has 9.1 m/s, the aorta 5 m/s."""
    return round(min(10.0, max(5.0, 6.6 * (4.3 / np.mean(diameters)) ** 0.32)), 1)


def outlet_flows(arteries: list[Artery]) -> dict[str, float]:
    """Flow rate in mL/min of every terminal; the abdominal aorta carries on with the rest."""
    terminals = [artery.name for artery in arteries if artery.name == artery.end]
    bed = BED_FLOW | {name: BED_FLOW[part] for name, part in UNDIVIDED.items()}
    flows = {name: bed[name] for name in terminals if name in bed}
    flows |= {f"segment_{k}": LIVER_FLOW * share for k, share in SEGMENT_SHARE.items()}
    for name in set(terminals) & set(ACCESSORY):
        segment, part = ACCESSORY[name]
        flows[name] = part * flows[f"segment_{segment}"]
        flows[f"segment_{segment}"] -= flows[name]
    if "aorta_abdominal" in terminals:
        flows["aorta_abdominal"] = AORTA_FLOW - sum(flows.values())
    return {name: flows[name] for name in terminals}


def arteries_of(kind: Kind) -> list[Artery]:
    return trunk(kind) + common_hepatic(kind) + right_liver(kind) + left_liver(kind)


def diameters_of(kind: Kind, artery: Artery) -> tuple[float, float]:
    """Start and end in mm; an undivided artery tapers all the way."""
    start, end = OTHER_DIAMETER.get((kind.number, artery.name), DIAMETER[artery.name])
    undivided = artery.name == artery.end and artery.name in UNDIVIDED
    return (start, DIAMETER[UNDIVIDED[artery.name]][1]) if undivided else (start, end)


def triple(point: np.ndarray) -> str:
    return " ".join(f"{value:g}" for value in point) + " mm"


def number(value: float) -> str:
    return f"{value:.10g}"


def written(kind: Kind) -> str:
    arteries = arteries_of(kind)
    flows = outlet_flows(arteries)
    own_root = kind.number == 1
    root, mean = ("common_hepatic", 400.0) if own_root else ("aorta", AORTA_FLOW)
    waveform = "hepatic-artery" if own_root else "aorta"
    lines = [HEADER.format(title=kind.title, share=kind.share, gall=GALL)]
    lines.append(f'name: michels-{kind.number}\ntitle: "{kind.title}"\nmark: {MARK}\n')
    lines.append(SOURCE.format(trunk_wall="" if own_root else TRUNK_WALL, flows=FLOWS if own_root else TRUNK_FLOWS))
    lines.append(f"inlet: {{vessel: {root}, mean: {number(mean)} mL/min, waveform: {waveform}}}\n")
    lines += ["nodes:\n", *node_lines(arteries), "vessels:\n", *vessel_lines(kind, arteries)]
    return "".join([*lines, "outlets:\n", *outlet_lines(flows, mean)])


def node_lines(arteries: list[Artery]) -> list[str]:
    position = {}
    for artery in arteries:
        points = course_of(artery)
        position.setdefault(artery.start, points[0])
        position.setdefault(artery.end, points[-1])
    return [f"  {name}: {{position: {triple(point)}}}\n" for name, point in position.items()]


def vessel_lines(kind: Kind, arteries: list[Artery]) -> list[str]:
    lines = []
    for artery in arteries:
        path = smooth(course_of(artery))
        start, end = diameters_of(kind, artery)
        lines.append(
            f"  {artery.name}:\n"
            f"    {{from: {artery.start}, to: {artery.end}, length: {length_of(path):g} mm, "
            f"diameter: [{start:g} mm, {end:g} mm], wave_speed: {wave_speed((start, end)):g} m/s}}\n"
        )
        if len(path) > 2:
            points = ", ".join(triple(point) for point in path)
            lines[-1] = lines[-1].replace("}\n", f",\n     path: [{points}]}}\n")
    return lines


def outlet_lines(flows: dict[str, float], mean: float) -> list[str]:
    lines = []
    for name, flow in flows.items():
        if name in ACCESSORY or name.startswith("segment_"):
            segment = ACCESSORY[name][0] if name in ACCESSORY else int(name[-1])
            target = f"feeds: {{{NUMERAL[segment]}: 1.0}}"
        else:
            bed, drains = BEDS[UNDIVIDED.get(name, name)]
            target = f"off_target: {bed}, drains: {drains}"
        lines.append(f"  {name}: {{kind: windkessel, share: {number(100.0 * flow / mean)} %, {target}}}\n")
    return lines


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        (FOLDER / f"michels-{kind.number}.yaml").write_text(written(kind))


if __name__ == "__main__":
    main()
