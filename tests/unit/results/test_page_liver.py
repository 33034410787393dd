"""The liver's controls on the page, worked in a real browser: what they say, and that the picture follows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from haiflow.report import page, palette
from haiflow.results import Results

BROWSER = next((name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)), None)
BUDGET = 5_000_000  # bytes
START = """
const $ = (id) => document.getElementById(id), said = {};
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const set = (id, value, kind) => { $(id).value = value; $(id).dispatchEvent(new Event(kind)); };
const press = (name) => [...document.querySelectorAll("#scene-box button")].find((b) => b.textContent === name).click();
const canvas = () => document.querySelector("#stage canvas");
let last = "";
const changed = () => { const old = last; press("Liver"); last = canvas().toDataURL(); return last !== old; };
const key = (name) => canvas().dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
const click = (x, y) => {
  canvas().setPointerCapture = canvas().releasePointerCapture = () => {};
  const at = { clientX: x, clientY: y, isPrimary: true, button: 0, pointerId: 1, bubbles: true };
  for (const kind of ["pointerdown", "pointerup"]) canvas().dispatchEvent(new PointerEvent(kind, at));
};
const bars = () => [...document.querySelectorAll("[data-quantity]:not([hidden])")].map((bar) => bar.dataset.quantity);
"""


def followed(sample: Any, halvings: int = 0) -> Results:
    results: Results = sample.make()
    results.liver = sample.followed(halvings)
    results.network = sample.grown()
    return results


@pytest.fixture(scope="module")
def written(sample: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page.write(followed(sample), tmp_path_factory.mktemp("run"))


def worked(path: Path, folder: Path, script: str) -> dict[str, Any]:
    """What ``script`` leaves in ``said`` on a copy of the page whose policy lets it in."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", path.read_text(encoding="utf-8"))
    body = f"""(async () => {{ {START}
      while (!$("scene-note").textContent.startsWith("Drag")) await wait(20);
      {script}
      const out = document.createElement("pre");
      out.id = "said";
      out.textContent = JSON.stringify(said);
      document.body.append(out);
    }})();"""
    copy = folder / "worked.html"
    copy.write_text(text.replace("</body>", f"<script>{body}</script></body>"), encoding="utf-8")
    command = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
        "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--virtual-time-budget=20000",
        "--window-size=1280,1800", "--enable-logging=stderr", "--dump-dom", copy.as_uri(),
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    errors = [line for line in ran.stderr.splitlines() if ":CONSOLE" in line and "GL Driver Message" not in line]
    assert not errors, errors
    found = re.search(r'<pre id="said">(.*?)</pre>', ran.stdout, re.S)
    assert found is not None, ran.stdout[-2000:]
    answer: dict[str, Any] = json.loads(found[1])
    return answer


needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium here: the page is not tried in a browser")


@needs_browser
def test_a_picked_segment_tells_the_figures_of_its_row(written: Path, tmp_path: Path) -> None:
    said = worked(
        written,
        tmp_path,
        """
        press("Liver"); changed();
        said.hint = $("picked").textContent;
        press("VI"); said.six = $("picked").textContent; said.seen = changed();
        said.pressed = document.querySelectorAll("#regions [aria-pressed=true]").length;
        said.role = $("picked").getAttribute("role");
        press("tumour 1"); said.tumour = $("picked").textContent; said.other = changed();
        key("Escape"); said.after = $("picked").textContent; said.cleared = changed();
        const box = [...document.querySelectorAll(".word")].find((w) => w.textContent === "IV").getBoundingClientRect();
        click(box.x + box.width / 2, box.y + box.height / 2); said.clicked = $("picked").textContent;
        const stage = $("stage").getBoundingClientRect();
        click(stage.x + 4, stage.y + 4); said.beside = $("picked").textContent;
        """,
    )
    words = re.sub(r"<script.*?</script>", "", written.read_text(encoding="utf-8"), flags=re.S)
    row = re.search(r'<th scope="row">VI</th>(.*?)</tr>', words)
    assert row is not None
    assert said["six"].startswith("Segment VI")
    for cell in re.findall(r"<td>([^<]*)</td>", row[1]):
        assert cell in said["six"]
    for told in (
        "volume135 mL",
        "arterial flow32.4 mL/min",
        "mL/min/100 mL",
        "fraction of dose5.92 %",
        "ng/mL",
        "exposure",
    ):
        assert told in said["six"], told
    assert said["pressed"] == 1
    assert said["role"] == "status"
    assert said["tumour"].startswith("tumour 1volume")
    assert [said[name] for name in ("seen", "other", "cleared")] == [True] * 3
    assert said["hint"] == said["after"] == said["beside"]
    assert said["clicked"].startswith("Segment IV")


@needs_browser
def test_time_moves_label_picture_and_quantity(written: Path, tmp_path: Path) -> None:
    said = worked(
        written,
        tmp_path,
        """
        changed();
        said.first = [$("time-said").textContent, $("quantity").value, ...bars()];
        set("time", 15, "input");
        said.moved = [$("time-said").textContent, $("time").ariaValueText, $("quantity").value, ...bars()];
        said.seen = changed();
        set("time", 25, "input"); said.later = changed();
        $("play").click(); said.playing = $("play").textContent;
        await wait(320); $("play").click();
        said.paused = [$("play").textContent, Number($("time").value)];
        await wait(500); said.still = Number($("time").value);
        $("play").click(); await wait(3000); said.end = [$("play").textContent, $("time-said").textContent];
        """,
    )
    exposure, drug = "exposure_kg_s_per_m3", "drug_concentration_kg_per_m3"
    assert said["first"] == ["28.0 d", exposure, exposure]
    assert said["moved"] == ["14.5 d", "14.5 d", drug, drug]
    assert [said["seen"], said["later"]] == [True, True]
    assert said["playing"] == "Pause"
    assert said["paused"] == ["Play", 27]
    assert said["still"] == 27
    assert said["end"] == ["Play", "28.0 d"]


@needs_browser
def test_every_quantity_and_every_cut_has_its_own_picture_and_bar(written: Path, tmp_path: Path) -> None:
    said = worked(
        written,
        tmp_path,
        """
        changed();
        said.names = [...$("quantity").options].map((option) => option.value);
        said.bars = [], said.seen = [];
        for (const name of said.names.toReversed()) {
          set("quantity", name, "change"); said.bars.unshift(bars().join()); said.seen.push(changed());
        }
        said.disabled = $("cut-place").disabled;
        $("cut").click(); said.cuts = [changed()];
        for (const name of ["axial", "sagittal", "coronal"]) {
          set("cut-plane", name, "change"); said.cuts.push(changed());
        }
        set("cut-place", 30, "input"); said.cuts.push(changed());
        set("time", 12, "input"); said.cuts.push(changed());
        set("quantity", "segment", "change"); said.cuts.push(changed());
        const box = $("stage").getBoundingClientRect();
        click(box.x + box.width * 0.35, box.y + box.height * 0.55); said.inside = $("picked").textContent;
        said.labels = [...document.querySelectorAll("#scene-tools label")].map((label) => label.textContent.trim());
        said.layers = [];
        for (const input of document.querySelectorAll("#scene-tools input")) {
          input.click(); said.layers.push(changed());
        }
        const copy = document.createElement("canvas").getContext("2d");
        [copy.canvas.width, copy.canvas.height] = [canvas().width, canvas().height];
        const at = [Math.round(copy.canvas.width * 0.35), Math.round(copy.canvas.height * 0.55)];
        key("Escape"); press("Liver"); copy.drawImage(canvas(), 0, 0);
        said.colour = [...copy.getImageData(...at, 1, 1).data];
        for (const name of said.names) { set("quantity", name, "change"); said.cuts.push(changed()); }
        set("time", 25, "input"); said.cuts.push(changed());
        """,
    )
    assert len(said["names"]) == 7
    assert said["bars"] == said["names"]
    assert all(said["seen"])
    assert said["disabled"] is True
    assert said["cuts"] == [True] * (7 + 7 + 1), "the last eight with nothing but the cut to be seen"
    assert said["layers"] == [True] * 5 + [False], "all but the labels, which are no part of the canvas, change it"
    name = re.match(r"Segment ([IV]+)volume", said["inside"])
    assert name is not None, said["inside"]
    colour = palette.SEGMENTS[palette.NUMERALS.index(name[1]) - 1]
    assert said["colour"] == pytest.approx([*(int(colour[k : k + 2], 16) for k in (1, 3, 5)), 255], abs=2)
    assert said["labels"] == ["Pump and catheter", "Arteries", "Fine arteries", "Liver", "Tumours", "Labels"]


@needs_browser
def test_controls_have_names_and_are_large_enough(written: Path, tmp_path: Path) -> None:
    said = worked(
        written,
        tmp_path,
        """
        const all = [...$("scene-box").querySelectorAll("button, select, input")];
        said.nameless = all.filter((c) => !(c.ariaLabel || c.labels?.length || c.textContent.trim())).map((c) => c.id);
        const area = (c) => (c.type === "checkbox" ? c.labels[0] : c).getBoundingClientRect();
        said.small = all.filter((c) => Math.min(area(c).width, area(c).height) < 24).map((c) => c.id || c.textContent);
        said.count = all.length;
        """,
    )
    assert said["count"] > 20
    assert said["nameless"] == []
    assert said["small"] == []


def test_a_large_liver_over_time_keeps_within_the_budget(sample: Any, tmp_path: Path) -> None:
    results = followed(sample, 1)
    assert results.liver is not None
    assert len(results.liver.tetra) > 100_000
    begun = time.perf_counter()
    scene = page.pack_scene(results)
    assert time.perf_counter() - begun < 8.0, "far too slow even for a busy machine"
    assert len(scene) < 2_000_000
    assert page.write(results, tmp_path, scene).stat().st_size < BUDGET - 2_000_000, "the pictures need room too"
