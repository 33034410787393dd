"""The resolved scenario as YAML: every value written out, with units, without losing a digit."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from haiflow.scenario.model import ScenarioModel
from haiflow.scenario.read import plain_value

DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
EMPTY: tuple[Any, ...] = (None, {}, [])


class _Dumper(DUMPER):
    """Quotes what our own reader would not read as text, and puts points on one line."""


def _represent_text(dumper: Any, text: str) -> Any:
    quoted = not isinstance(plain_value(text), str)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if quoted else None)


def _represent_number(dumper: Any, value: float) -> Any:
    """With a point before the exponent: YAML 1.1 takes 1e-05 for text and would add a tag."""
    text = repr(value)
    if "e" in text and "." not in text:
        text = text.replace("e", ".0e")
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


def _represent_list(dumper: Any, items: list[Any]) -> Any:
    flow = all(not isinstance(item, dict | list) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flow)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(float, _represent_number)
_Dumper.add_representer(list, _represent_list)


def as_document(model: ScenarioModel, mesh: Path | None, tip_mesh: Path | None = None) -> dict[str, Any]:
    """The model as keys, texts and numbers; what is empty is left out; paths of meshes (liver, tip) are absolute."""
    document = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    if mesh is not None:
        document["liver"]["mesh"] = str(mesh.resolve())
    if tip_mesh is not None:
        document["catheter"]["tip"]["mesh"] = str(tip_mesh.resolve())
    kept = _without_empty(document)
    if "arteries" in document:
        network = document["arteries"]["network"]
        kept["arteries"]["ligated"] = document["arteries"]["ligated"]  # even none: no default takes its place
        kept["arteries"]["network"]["nodes"] = network["nodes"]  # even without positions: they are listed
    return kept


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _without_empty(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in EMPTY}
    return [_without_empty(each) for each in value] if isinstance(value, list) else value


def as_yaml(document: dict[str, Any], path: Path | None) -> str:
    """YAML text with a comment that says where it comes from."""
    origin = f" from {file_name(path)}" if path is not None else ""
    header = f"# Resolved by haiflow{origin}: every library value and default is written out.\n"
    return header + as_sections(document)


def file_name(path: Path) -> str:
    """The file's name as text that a file can hold: in an old locale Python keeps its bytes as halves of letters."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def as_sections(document: dict[str, Any]) -> str:
    """YAML text of keys and texts, one part after the other."""
    return "".join(_section(key, json.dumps(value)) for key, value in document.items())


@lru_cache(maxsize=64)
def _section(key: str, value: str) -> str:
    """One part of the file; variants of a sweep have most of theirs in common."""
    return str(
        yaml.dump({key: json.loads(value)}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    )
