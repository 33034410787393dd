"""report.html: whole in itself, readable without scripts, and the same numbers as the record."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from haiflow.report import figures, page
from haiflow.results import Finding, Results

BROWSER = next((name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)), None)
BUDGET = 5_000_000  # bytes


class Outline(HTMLParser):
    """Tags with attributes, and the text outside style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._hidden = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = self._hidden and tag not in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture(scope="module")
def written(sample: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("matplotlib")
    folder = tmp_path_factory.mktemp("run")
    results = sample.make()
    figures.draw(results, folder / "figures")
    return page.write(results, folder)


def test_the_page_is_one_file_within_its_budget(written: Path) -> None:
    assert written.stat().st_size <= BUDGET
    outline = Outline(written.read_text(encoding="utf-8"))
    sources = [attributes.get("src") or "" for tag, attributes in outline.tags if "src" in attributes]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not outline.all("link")
    assert all((attributes["href"] or "").startswith("#") for attributes in outline.all("a"))


def test_the_policy_lets_in_nothing_but_the_page_itself(written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    policy = next(
        item["content"] for item in Outline(text).all("meta") if item.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for body in re.findall(r"<script>(.*?)</script>", text, re.S) + re.findall(r"<style>(.*?)</style>", text, re.S):
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert not re.search(r"<[a-z][^<>]* (style|on[a-z]+)=", re.sub(r"<script.*?</script>", "", text, flags=re.S))


def test_the_verdict_comes_first_and_numbers_are_text(written: Path) -> None:
    words = " ".join(" ".join(Outline(written.read_text(encoding="utf-8")).words).split())
    assert words.index("Verdict ✖ Alarm") < words.index("Couinaud segments")
    for said in (
        "18.1 mg of the drug leaks",
        "194 mg filled",
        "right gastric",
        "relative imbalance",
        "catheter.length 50 cm",
    ):
        assert said in words


def test_headings_tables_and_pictures_are_accessible(written: Path) -> None:
    outline = Outline(written.read_text(encoding="utf-8"))
    assert outline.all("html")[0]["lang"] == "en"
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(item.get("alt") for item in outline.all("img"))
    assert all(item.get("scope") in ("row", "col") for item in outline.all("th"))
    assert len(outline.all("caption")) == len(outline.all("table")) > 5
    identifiers = [item["id"] for _, item in outline.tags if "id" in item]
    assert len(identifiers) == len(set(identifiers))
    targets = {(item["href"] or "")[1:] for item in outline.all("a")}
    assert targets <= set(identifiers)


def luminance(colour: str) -> float:
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_text_has_the_contrast_that_wcag_asks(written: Path) -> None:
    style = re.findall(r"--([a-z]+): (#[0-9a-f]{6})", written.read_text(encoding="utf-8"))
    colours = dict(style)
    for name in ("ink", "quiet", "alarm", "warn", "ok"):
        for ground in ("paper", "wash"):
            dark, light = sorted((luminance(colours[name]), luminance(colours[ground])))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)


def test_what_the_user_wrote_cannot_become_markup(results: Results, tmp_path: Path) -> None:
    results.summary["scenario"]["name"] = "<script>alert(1)</script>"
    results.scenario_yaml = "name: '</pre><img src=x onerror=alert(1)>'"
    results.verdict = [Finding("ok", "<b>bold</b>")]
    results.network = results.liver = None
    text = page.write(results, tmp_path).read_text(encoding="utf-8")
    assert not Outline(text).all("script")
    assert not Outline(text).all("img")
    assert not Outline(text).all("b")


def test_a_page_without_pictures_or_parts(sample: Any, tmp_path: Path) -> None:
    results = sample.bare()
    results.network = None
    text = page.write(results, tmp_path, notes=["no 3D pictures: pyvista is missing"]).read_text(encoding="utf-8")
    words = " ".join(Outline(text).words)
    assert "no 3D pictures: pyvista is missing" in words
    assert "common hepatic" in words
    assert 'id="ledger"' not in text
    assert 'id="segments"' not in text


def dumped(path: Path, profile: Path, *flags: str) -> str:
    command = [
        str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
        "--virtual-time-budget=10000", "--window-size=1280,2400", "--enable-logging=stderr", *flags,
        "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "Content Security Policy" not in ran.stderr, ran.stderr
    said = [line for line in ran.stderr.splitlines() if ":CONSOLE" in line and "GL" not in line]
    assert not said, said
    return ran.stdout


@pytest.mark.skipif(BROWSER is None, reason="no chromium here: the page is not tried in a browser")
def test_the_scene_starts_in_a_browser(written: Path, tmp_path: Path) -> None:
    dom = dumped(written, tmp_path / "profile", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
    note = re.search(r'id="scene-note"[^>]*>([^<]*)<', dom)
    assert note is not None
    assert note[1].startswith("Drag to turn"), note[1]
    assert re.search(r"<canvas[^>]*role=\"img\"", dom)
    assert dom.split("</section>")[2].count('type="checkbox"') == 6
    assert re.search(r'class="word fault"[^>]*>leak at 12 cm', dom)


@pytest.mark.skipif(BROWSER is None, reason="no chromium here: the page is not tried in a browser")
def test_without_webgl_the_page_says_so_and_stays_readable(written: Path, tmp_path: Path) -> None:
    dom = dumped(written, tmp_path / "profile", "--disable-3d-apis")
    assert "The interactive scene needs WebGL" in dom
    assert '<div id="stage"' in dom
    assert "<canvas" not in dom
    assert 'class="print-only"' not in dom
