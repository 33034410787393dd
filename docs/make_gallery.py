"""Writes docs/gallery.md and its pictures out of runs of the examples: ``python docs/make_gallery.py``, about a minute.

Names after the command draw those examples anew and leave the others' pictures as they are.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from itertools import takewhile
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PAGE = DOCS / "gallery.md"
INTRODUCTION = """# Gallery

*Written by `docs/make_gallery.py`: each picture is a file in `figures/` of the example's output folder, as drawn.*
"""
# example -> figures of its run, and the name of each in docs/images.
PICTURES = {
    "baseline": {"scene": "baseline-scene", "dose_by_segment": "baseline-dose", "pump_and_catheter": "baseline-line"},
    "liver-right-hepatic-occluded": {"scene_cut": "liver-occluded", "scene_perfusion": "liver-occluded-perfusion"},
    "liver-tumour-segment-six": {"scene_cut": "tumour-cut", "dose_volume": "tumour-dose-volume"},
    "scan-agent-bolus": {"scan": "scan-agent", "arterial_waveforms": "waveforms"},
    "tip-occlusion": {"pump_and_catheter": "tip-occlusion-line"},
}


def page() -> str:
    """The page: what the head of each example says, its pictures, and the command that makes them."""
    return "\n".join([INTRODUCTION, *(section(name) for name in PICTURES)])


def section(name: str) -> str:
    file = f"examples/{name}.yaml"
    pictures = [f"![{captions()[figure]}](images/{image}.png)" for figure, image in PICTURES[name].items()]
    texts = [f"{picture}\n\n*{picture[2 : picture.index(']')]}*\n" for picture in pictures]
    command = f"```sh\nhaiflow run {file} -o runs/{name}\n```\n"
    return "\n".join([f"## `{file}`\n", lesson(ROOT / file) + "\n", *texts, command])


def lesson(file: Path) -> str:
    """The comment at the head of an example."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return "\n".join(line.lstrip("# ") for line in takewhile(lambda line: line.startswith("#"), lines))


def captions() -> dict[str, str]:
    from haiflow.report.page import CAPTIONS

    return CAPTIONS


def draw(name: str) -> None:
    """Runs an example and takes its pictures over."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        scenario = ROOT / "examples" / f"{name}.yaml"
        subprocess.run([sys.executable, "-m", "haiflow", "run", scenario, "-o", out, "--quiet"], check=True)
        for figure, image in PICTURES[name].items():
            shutil.copyfile(out / "figures" / f"{figure}.png", DOCS / "images" / f"{image}.png")


if __name__ == "__main__":
    for wanted in sys.argv[1:] or PICTURES:
        draw(wanted)
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
