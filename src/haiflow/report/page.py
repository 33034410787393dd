"""report.html: one page that needs nothing else. Verdict first; tables are tables; scripts only add the turning scene.

The content-security policy lets nothing in from outside and runs only the scripts whose hashes it lists.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from haiflow.report import figures, numerics, pack, palette, scales, tables
from haiflow.results import Results
from haiflow.results.quantities import closure, say
from haiflow.results.verdict import delivered, leaked

SIGNS = {"alarm": "✖ Alarm", "warn": "▲ Warning", "ok": "✔ In order"}
CAPTIONS = figures.CAPTIONS | {
    "scene": "Pump line, catheter and arteries coloured by the drug in them; the liver by the exposure of its tissue.",
    "scene_tip": "The same round the catheter's tip; the arteries are translucent because the catheter lies inside.",
    "junction_thread": "The region round the tip: ways of tracers of drug, coloured by the branch they leave by.",
    "junction_shear": "Mean wall shear stress round the tip, in Pa; below 0.4 Pa, clots are prone to form.",
    "scene_cut": "Cut through the middle of the liver, or of its largest tumour: exposure of the tissue.",
    "scene_perfusion": "Arterial perfusion on the same cuts: a territory that is starved of blood is dark.",
}
SECTIONS = (
    ("verdict", "Verdict"), ("segments", "Dose by segment"), ("scan", "Scan"), ("scene", "3D scene"), ("tip", "Tip"),
    ("ledger", "Ledger"), ("line", "Pump and catheter"), ("detection", "Faults"), ("arteries", "Arteries"),
    ("body", "Body"), ("numerics", "Numerical error"), ("inputs", "Inputs"), ("provenance", "Provenance"),
)  # fmt: skip
INTENDED_USE = (
    "For research and engineering, not for clinical use: not a medical device, no medical advice, no basis for a dose."
)


def pack_scene(results: Results) -> str:
    """The interactive scene's data (may be made while the pictures are still being drawn)."""
    return pack.scene(results.network, results.liver, tables.regions(results))


def write(results: Results, folder: Path, scene: str | None = None, notes: list[str] | None = None) -> Path:
    """Writes ``folder/report.html`` with the pictures found in ``folder/figures``; returns its path."""
    path = folder / "report.html"
    path.write_text(render(results, folder / "figures", scene, notes), encoding="utf-8")
    return path


def render(results: Results, figure_folder: Path, scene: str | None = None, notes: list[str] | None = None) -> str:
    """The page as text; ``scene`` is what :func:`pack_scene` gave, where it has been made already."""
    packed = pack_scene(results) if scene is None else scene
    return str(template("report.html.j2").render(**_content(results, figure_folder, packed, notes or [])))


@cache
def template(name: str) -> Any:
    """The template of a page, compiled once a process."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(asset(name), globals={"intended_use": INTENDED_USE})


@cache
def asset(name: str) -> str:
    return (files("haiflow.report") / "assets" / name).read_text(encoding="utf-8")


def _content(results: Results, figure_folder: Path, scene: str, notes: list[str]) -> dict[str, Any]:
    """All that the template asks for."""
    style = asset("style.css")
    scripts = [asset(name) for name in ("three.min.js", "liver.js", "controls.js", "scene.js")] if scene else []
    parts: dict[str, Any] = {
        "segments": tables.segments(results),
        "ledgers": [
            item for item in (tables.ledger(results, "drug", "kg"), tables.ledger(results, "carrier", "m3")) if item
        ],
        "line": tables.listed(results, "Pump and catheter over the run", tables.LINE_ROWS),
        "detection": tables.detection(results),
        "vessels": tables.vessels(results),
        "off_target": tables.off_target(results),
        "split": tables.split(results),
        "tip": tables.listed(results, "The region round the tip", tables.TIP_ROWS),
        "body": tables.listed(results, "The body over the run", tables.BODY_ROWS),
        "inputs": tables.inputs(results),
        "provenance": tables.provenance(results),
        "numerics": numerics.tables(results),
        "figures": pictures(results, figure_folder),
    }
    has = {"segments": parts["segments"], "ledger": parts["ledgers"], "scene": scene or "scene" in parts["figures"]}
    has["verdict"] = results.verdict or tiles(results.summary)
    has["scan"] = "scan" in parts["figures"]
    has["tip"] = parts["tip"] or "junction_thread" in parts["figures"]
    has |= {"line": parts["line"], "detection": parts["detection"], "arteries": parts["vessels"], "body": parts["body"]}
    has["numerics"] = parts["numerics"]
    return parts | {
        "title": results.summary.get("scenario", {}).get("name") or "haiflow run",
        "subtitle": _subtitle(results),
        "version": results.summary.get("haiflow", {}).get("version", ""),
        "policy": policy(style, scripts),
        "style": style,
        "scripts": scripts,
        "scene": scene,
        "scene_title": _scene_title(results),
        "scene_text": "The pump, the catheter, the hepatic arteries and the liver in 3D.",
        "bars": bars(results) if scene else [],
        "no_picture": next((note for note in notes if note.startswith("no 3D")), ""),
        "sections": [(anchor, name) for anchor, name in SECTIONS if has.get(anchor, True)],
        "verdict": results.verdict,
        "signs": SIGNS,
        "tiles": tiles(results.summary),
        "captions": CAPTIONS,
        "scenario": results.scenario_yaml,
        "warnings": [*results.provenance.get("warnings", []), *notes],
    }


def _scene_title(results: Results) -> str:
    if results.network is not None and results.network.diagram:
        return "The arteries, as a diagram (the network gives no places)"
    return "From the pump to the segments"


def policy(style: str, scripts: list[str]) -> str:
    """The content-security policy: nothing from anywhere, but these very texts."""

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    scripted = " ".join(map(digest, scripts)) or "'none'"
    allowed = f"img-src data:; style-src {digest(style)}; script-src {scripted}"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def pictures(results: Results, folder: Path) -> dict[str, dict[str, Any]]:
    """The PNG files in ``folder`` as data addresses, with their size on the page and a text in their stead."""
    found = {}
    for path in sorted(folder.glob("*.png")) if folder.is_dir() else ():
        raw = path.read_bytes()
        width, height = struct.unpack(">II", raw[16:24])
        shown = 640 if path.stem == "scene_tip" else 760
        found[path.stem] = {
            "source": f"data:image/png;base64,{base64.b64encode(raw).decode()}",
            "width": shown,
            "height": round(height * shown / width),
            "alt": _in_words(results, path.stem),
        }
    return found


def _in_words(results: Results, name: str) -> str:
    """What a picture says, for who cannot see it."""
    caption = CAPTIONS.get(name, name.replace("_", " "))
    if name == "dose_by_segment":
        doses = ", ".join(f"{segment} {say(kg, 'kg')}" for segment, kg in delivered(results.summary).items())
        return f"Bar chart. {caption} {doses}."
    if name == "scan":
        return f"Grey image. {caption}"
    kind = "3D picture" if name.startswith("scene") else "Chart"
    return f"{kind}. {caption} The figures are in the tables of this section."


def bars(results: Results) -> list[dict[str, Any]]:
    """The colour bars of the interactive scene: that of the lines, and one for each quantity of the liver."""
    found = [_bar(scales.of_network(results.network)[0])] if results.network is not None else []
    if results.liver is None:
        return found
    shown = scales.choices(results.liver)
    found += [_bar(item.scale) | {"key": item.key, "hidden": item is not shown[0]} for item in shown]
    return [*found, _legend()]


def _legend() -> dict[str, Any]:
    """The segments' colours, as a bar of eight."""
    names, places = palette.NUMERALS[1:], [65 + 50 * index for index in range(8)]
    swatches = list(zip(places, palette.SEGMENTS, strict=True))
    ticks = list(zip(places, names, strict=True))
    legend = {"title": "Couinaud segment", "stops": [], "marks": [], "swatches": swatches, "ticks": ticks}
    return legend | {"text": ", ".join(names), "key": "segment", "hidden": True}


def _bar(scale: scales.Scale) -> dict[str, Any]:
    ticks: list[tuple[float, str]] = []
    spans: list[tuple[float, float]] = []
    marks: list[float] = []
    for place, text in scale.ticks():
        x, half = round(40 + 400 * place, 1), 3.6 * len(text) + 4
        marks.append(x)
        if all(x + half < start or x - half > end for start, end in spans):
            ticks.append((x, text))
            spans.append((x - half, x + half))
    last = len(scale.colours) - 1
    return {
        "title": scale.title,
        "stops": [(round(index / last, 4), colour) for index, colour in enumerate(scale.colours)],
        "swatches": [],
        "ticks": ticks,
        "marks": marks,
        "text": ", ".join(text for _, text in sorted(ticks)),
        "key": "",
        "hidden": False,
    }


def _subtitle(results: Results) -> str:
    summary = results.summary
    parts = []
    if summary.get("duration_s"):
        parts.append(f"{say(summary['duration_s'], 's')} simulated on the {summary.get('clock', 'therapy')} clock")
    if summary.get("status") == "stopped":
        parts.append("stopped early")
    return ", ".join(parts)


def tiles(summary: dict[str, Any]) -> list[tuple[str, str, str]]:
    """The few figures that everybody asks for: name, value, note."""
    drug = summary.get("ledger", {}).get("drug", {})
    dose = delivered(summary)
    found = []
    if dose:
        found.append(
            ("Drug to the liver", say(sum(dose.values()), "kg"), f"of {say(drug.get('filled_kg'), 'kg')} filled")
        )
    if "pump" in summary:
        pump = summary["pump"]
        found.append(
            (
                "Mean pump flow",
                say(pump.get("mean_flow_rate_m3_per_s"), "mL/day"),
                f"{say(pump.get('infused_volume_m3'), 'm3')} infused",
            )
        )
    if leaked(summary):
        found.append(("Leaked", say(leaked(summary), "kg"), "out of the line"))
    if summary.get("off_target"):
        fraction = sum(row.get("dose_fraction") or 0.0 for row in summary["off_target"].values())
        found.append(("To other organs", say(fraction, "%"), "of what left the pump"))
    if summary.get("body", {}).get("peak_concentration_kg_per_m3") is not None:
        found.append(("Peak in plasma", say(summary["body"]["peak_concentration_kg_per_m3"], "kg/m3"), "systemic"))
    if drug.get("relative_imbalance") is not None:
        found.append(("Ledger imbalance", closure(drug["relative_imbalance"]), "relative, of the drug"))
    return found
