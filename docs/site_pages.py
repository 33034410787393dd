"""A hook of mkdocs: pages of the site that lie at the top of the repository, and the release that the pages describe.

README, CHANGELOG, CONTRIBUTING and SECURITY are written once, for the repository; the site shows the same files with
their links turned. The site is built by ``make docs``.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).resolve().parents[1]
AT_TOP = {
    "index.md": "README.md",
    "changes.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
}
PAGE_OF = {name: page for page, name in AT_TOP.items()}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The release number stands in the head and at the foot of every page."""
    release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    config.site_name = f"haiflow {release}"
    config.copyright = f"haiflow {release}. For research and engineering. Not for clinical use."
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Adds the pages that lie at the top of the repository."""
    from mkdocs.structure.files import File

    for page, name in AT_TOP.items():
        text = turned((ROOT / name).read_text(encoding="utf-8"))
        files.append(File.generated(config, page, content=text))
    return files


def turned(text: str) -> str:
    """Links as they are from inside ``docs``; a file that is no page of the site loses its link and keeps its words."""
    return re.sub(r"(!?)\[((?:[^\]\[]|\[[^\]]*\])*)\]\(([^)\s]+)\)", _turned, text)


def _turned(found: re.Match[str]) -> str:
    mark, words, target = found.groups()
    if "://" in target or target.startswith("#"):
        return found.group(0)
    if target in PAGE_OF or target.startswith("docs/"):
        return f"{mark}[{words}]({PAGE_OF.get(target, target.removeprefix('docs/'))})"
    return words


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Links of the other pages to files at the top (``../README.md``)."""
    for name, page in PAGE_OF.items():
        markdown = markdown.replace(f"](../{name})", f"]({page})")
    return markdown


def on_page_content(html: str, **_: Any) -> str:
    """Docstrings name their neighbours by roles, which the site has no need of."""
    return re.sub(r":(?:class|func|meth|mod):<code>~?", "<code>", html)
