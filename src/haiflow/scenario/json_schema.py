"""The JSON schema of a scenario, for editors; descriptions come from the models' own docstrings."""

from __future__ import annotations

import ast
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from haiflow.scenario import schema
from haiflow.scenario.model import ScenarioModel
from haiflow.units import DIMENSIONS, format_quantity

WITH_UNIT = " with its unit"


def json_schema() -> dict[str, Any]:
    """Schema (draft 2020-12) with descriptions; keys that a library entry may supply are not required."""
    whole = ScenarioModel.model_json_schema(by_alias=True)
    whole["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    whole["title"] = "haiflow scenario"
    described = _descriptions()
    for name, definition in whole["$defs"].items():
        _relax(name, definition)
        for key, value in definition.get("properties", {}).items():
            _say_default(value)
            text = described.get(name, {}).get(key)
            if text:
                value["description"] = f"{value['description']}; {text}" if "description" in value else text
    whole["required"] = ["haiflow"]
    return whole


def dimension_of(value: dict[str, Any]) -> str:
    """The dimension of a quantity, as its description says; nothing for any other key."""
    name = str(value.get("description", "")).partition(WITH_UNIT)[0]
    return name if name in DIMENSIONS else ""


def _say_default(value: dict[str, Any]) -> None:
    """A default as the user would write it, with its unit; those of whole groups are left to their keys."""
    given = value.get("default")
    if isinstance(given, float) and dimension_of(value):
        value["default"] = format_quantity(given, dimension_of(value), digits=6)
    elif isinstance(given, dict):
        del value["default"]


def _relax(name: str, definition: dict[str, Any]) -> None:
    """What a scenario may leave out or write by name, because the library supplies it."""
    properties = definition.get("properties", {})
    if "model" in properties or name in ("Drug", "Infusate", "Propellant", "Arteries"):
        definition.pop("required", None)
    for key in ("waveform", "propellant"):
        if key in properties:
            properties[key].setdefault("anyOf", []).insert(0, {"type": "string"})


def _descriptions() -> dict[str, dict[str, str]]:
    """Class -> key -> the text below the key in the source."""
    found: dict[str, dict[str, str]] = {}
    for module in iter_modules(schema.__path__):
        source = Path(str(import_module(f"{schema.__name__}.{module.name}").__file__)).read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef):
                found[node.name] = _below_keys(node)
    return found


def _below_keys(node: ast.ClassDef) -> dict[str, str]:
    texts: dict[str, str] = {}
    for assigned, following in zip(node.body[:-1], node.body[1:], strict=True):
        if isinstance(assigned, ast.AnnAssign) and isinstance(assigned.target, ast.Name):
            text = getattr(getattr(following, "value", None), "value", None)
            if isinstance(following, ast.Expr) and isinstance(text, str):
                texts[assigned.target.id] = cleandoc(text)
    return texts
