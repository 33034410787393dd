"""The pages keep their word: scenarios in them are sound, the reference is the schema's, what they link to is there."""

import re
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import yaml

import haiflow
from haiflow.scenario.load import load, loads

ROOT = Path(__file__).resolve().parents[2]
AT_TOP = [ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING", "SECURITY")]
PAGES = [*AT_TOP, *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_scenario_in_the_documentation_is_sound(block):
    if block.startswith("haiflow:"):
        loads(block)
    else:  # a part of one: it takes the place of the same keys of the main example
        load(ROOT / "examples" / "baseline.yaml", yaml.safe_load(block))


@pytest.fixture
def script(monkeypatch):
    """A script of docs/, by its name."""
    monkeypatch.syspath_prepend(str(ROOT / "docs"))

    def imported(name):
        sys.modules.pop(name, None)
        return import_module(name)

    return imported


@pytest.mark.parametrize("name", ["make_reference", "make_gallery"])  # of the schema, of the examples
def test_a_page_that_is_made_is_what_it_is_made_of(script, name):
    made = script(name)
    assert made.PAGE.read_text(encoding="utf-8") == made.page(), f"run: python docs/{name}.py"


def test_the_page_of_claims_is_what_the_claims_say_and_lists_every_case(script):
    """Figures are those of a run; claims are not, and no case may be left out."""
    from haiflow.verify.cases import every

    made = script("make_validation")
    text = made.PAGE.read_text(encoding="utf-8")
    assert made.claims() in text, "run: python docs/make_validation.py DIR"
    assert [case.name for _, case in every() if f"| {case.name} |" not in text] == []


def test_links_of_pages_at_the_top_lead_into_the_site(script):
    turned = script("site_pages").turned
    assert turned("![a [nested] picture](docs/images/a.png)") == "![a [nested] picture](images/a.png)"
    assert turned("[theory](docs/theory.md), [changes](CHANGELOG.md)") == "[theory](theory.md), [changes](changes.md)"
    assert turned("[the licence](LICENSE)") == "the licence"  # no page of the site
    elsewhere = "[out](https://example.org/docs/x.md), [here](#part)"
    assert turned(elsewhere) == elsewhere


def test_the_release_is_one_number_everywhere():
    release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"]
    assert str(cited) == release
    assert re.search(r"^## (\d+\.\d+\.\d+)$", AT_TOP[1].read_text(encoding="utf-8"), re.MULTILINE)[1] == release


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_keys_that_the_output_page_names_are_written():
    """Names in the table of files are those of the code that writes them."""
    page = (ROOT / "docs" / "reference" / "output.md").read_text(encoding="utf-8")
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(Path(haiflow.__file__).parent.rglob("*.py")))
    files = re.findall(r"`([a-z_]+\.(?:html|json|csv|nc|vtp|vtu|yaml))`", page)
    arrays = re.findall(r"`([a-z_]+_(?:m|pa|kg_per_m3|m3_per_s|kg_s_per_m3))`", page)
    assert len(files) > 8
    assert len(arrays) > 4
    assert [name for name in {*files, *arrays} if f'"{name}"' not in source] == []


def test_files_that_pages_and_messages_name_are_there():
    """Examples, scripts and tests by their path in the tree, in every page and every line of the package."""
    sources = [*PAGES, *sorted((ROOT / "src").rglob("*.py")), *sorted((ROOT / "examples").rglob("*.yaml"))]
    folders, endings = "examples|docs|benchmarks|tests|ext|src|meshes", "yaml|py|pyx|pxi|md|csv"
    path = re.compile(rf"(?<![\w/.])(?:{folders})/[\w/.-]*\.(?:{endings})\b")
    named = {(source.name, found) for source in sources
             for found in path.findall(source.read_text(encoding="utf-8"))}  # fmt: skip
    assert len(named) > 30
    assert sorted(each for each in named if not (ROOT / each[1]).is_file()) == []
