"""The defects that are sown to try the tests: each still has its place in the code."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not (ROOT / "mutants").is_dir(), reason="needs the source tree")
def test_each_defect_is_sown_in_one_place(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from mutants.defects import DEFECTS

    assert len(DEFECTS) == 50
    astray = [each.name for each in DEFECTS if (ROOT / each.file).read_text(encoding="utf-8").count(each.old) != 1]
    assert not astray
