"""Writes docs/reference/scenario.md from the schema: ``python docs/make_reference.py``; a test says when it is due."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from haiflow.scenario.json_schema import WITH_UNIT, dimension_of, json_schema

PAGE = Path(__file__).parent / "reference" / "scenario.md"
INTRODUCTION = """# Keys of a scenario

*Written by `docs/make_reference.py` from the schema; change the schema, not this page.*

A scenario is a YAML file. Every quantity carries its unit (`1.3 mL/day`, `0.6 mm`, `37 degC`); a bare number is
refused where a unit belongs, and so is a key that is not listed here. A part that is left out is not simulated
(`haiflow check` says so). Where a group has a `model`, its values come from the library (`haiflow library`) and any key
given beside it overrides one. "required" means: there is no default, and the library supplies it where there is a
`model` or a name. On the command line any key can be set by its path: `--set catheter.length='40 cm'`,
`--set faults.0.severity=0.5`. `haiflow schema` prints the same as a JSON schema, for editors.
"""


def page() -> str:
    """The whole page: the top of the file, then every group of keys, in the order in which the file refers to them."""
    schema = json_schema()
    groups = schema["$defs"]
    parts = [INTRODUCTION, section("The file", schema, "")]
    for name in reading_order(schema):
        parts.append(section(name, groups[name], groups[name].get("description", "")))
    return "\n".join(parts)


def reading_order(schema: dict[str, Any]) -> list[str]:
    """Names of the groups, depth first from the top of the file."""
    found: list[str] = []

    def visit(node: Any) -> None:
        for name in references(node):
            if name not in found:
                found.append(name)
                visit(schema["$defs"][name].get("properties", {}))

    visit(schema["properties"])
    return found


def references(node: Any) -> list[str]:
    """Groups that a piece of schema names, in order."""
    if isinstance(node, dict):
        own = [node["$ref"].rpartition("/")[2]] if "$ref" in node else []
        return own + [name for key, value in node.items() if key != "discriminator" for name in references(value)]
    return [name for each in node for name in references(each)] if isinstance(node, list) else []


def section(name: str, group: dict[str, Any], text: str) -> str:
    required = group.get("required", [])
    rows = [row(key, value, key in required) for key, value in group["properties"].items()]
    table = ["| key | takes | default | meaning |", "| --- | --- | --- | --- |", *rows]
    return "\n".join([f"## {name}", "", *([" ".join(text.split()).replace("``", "`"), ""] if text else []), *table, ""])


def row(key: str, value: dict[str, Any], required: bool) -> str:
    unit, _, note = value.get("description", "").partition("; ")
    meaning = note if unit.endswith(WITH_UNIT) else value.get("description", "")
    cells = (f"`{key}`", takes(value), default(value, required), meaning.replace("``", "`"))
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def takes(value: dict[str, Any]) -> str:
    """What may stand behind the key."""
    choices = [each for each in value.get("anyOf", value.get("oneOf", [])) if each.get("type") != "null"]
    if choices:
        return " or ".join(dict.fromkeys(takes(each) for each in choices))
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in value or "const" in value:
        return ", ".join(f"`{each}`" for each in value.get("enum", [value.get("const")]))
    return container(value) or plain(value)


def container(value: dict[str, Any]) -> str:
    if "patternProperties" in value or "additionalProperties" in value:
        inner = next(iter(value.get("patternProperties", {"": value.get("additionalProperties")}).values()))
        return f"name: {takes(inner)}" if inner and isinstance(inner, dict) else "keys and values"
    if value.get("type") == "array":
        return f"list of {takes(value['items'])}" if value.get("items") else "list of values"
    return ""


def plain(value: dict[str, Any]) -> str:
    dimension = dimension_of(value)
    example = value.get("examples", [""])[-1]
    shown = ", ".join(example) if isinstance(example, list) else example
    if dimension:
        return f"{dimension.replace('_', ' ')}, e.g. `{shown}`"
    if isinstance(example, list):
        return f"point, e.g. `[{shown}]`"
    if value.get("type") == ["number", "string"]:
        return "number or share"
    kinds = {"string": "text", "integer": "whole number", "boolean": "`true` or `false`", "number": "number"}
    return f"e.g. `{shown}`" if shown else kinds.get(str(value.get("type")), "")


def default(value: dict[str, Any], required: bool) -> str:
    given = value.get("default", ...)
    if given in (None, [], {}) or isinstance(given, dict):
        return ""
    if given is ...:
        return "required" if required or dimension_of(value) else ""
    if isinstance(given, bool):
        return f"`{str(given).lower()}`"
    return f"`{given:g}`" if isinstance(given, float) else f"`{given}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
