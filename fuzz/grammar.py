"""Scenarios out of the schema: values that fit it, values that nearly do, and changes of sound scenarios.

``Grammar`` follows the JSON schema that ``haiflow schema`` prints, so a new key is tried from the day it is there.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from haiflow.scenario.json_schema import dimension_of, json_schema
from haiflow.units import DIMENSIONS

Path = tuple[str | int, ...]
NUMBERS = ("0", "-0", "1", "-1", "0.5", "1e-30", "1e-9", "1e6", "1e15", "1e30", "1e300", "1e308", "-1e308", "1e-320",
           "9007199254740993", "3.7", "12", "37", "0.05", "80", "1.5e2", "99999999999999999999999999")  # fmt: skip
TYPICAL = {
    "length": ("mm", "um", "cm", "m"), "volume": ("mL", "L", "uL"), "time": ("s", "h", "d", "min"),
    "temperature": ("degC", "K"), "pressure": ("kPa", "mmHg", "Pa"), "flow_rate": ("mL/min", "mL/day"),
    "mass": ("mg", "kg"), "fraction": ("", "%"),
}  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63, -(2**63), 10**17, 1e300, -1e300, 1e-320, float("nan"), float("inf"),
    "", " ", "x", "no", "nan mm", "inf s", "1e999 mm", "5 mm", "-5 mm", "0 mm", "5", "5 furlong", "5 mm mm", "1,5 mm",
    "tip", "ostium", "tissue", "saline", "../../../etc/passwd", "/etc/passwd", "/dev/zero", "/dev/stdin", "~", ".",
    "a" * 5000, "ü", "ﷺ", "🩺 mm", "‮mm 5", "５ mm", "5 µm", "A\u0301", "nul", "CON", "%s%n", "${HOME}", "{{7*7}}",
    "<script>", "';--", [], {}, [1], [[]], [None], [{}], {"": 1}, {"x": {}}, ["5 mm", "6 mm"], ["5 mm"] * 3,
    [1] * 300, {str(k): k for k in range(50)}, "0 0 0 mm", "1e300 0 0 mm", "120 %", "-5 %",
)  # fmt: skip
NAMES = (
    "a",
    "common_hepatic",
    "gastroduodenal",
    "right_hepatic",
    "saline",
    "floxuridine",
    "V",
    "VIII",
    "0",
    "a.b",
    "a b",
)


class Grammar:
    """The schema, and all that can be drawn from it with a source of chance."""

    def __init__(self) -> None:
        self.whole = json_schema()
        self.definitions = self.whole["$defs"]

    def value(self, node: dict[str, Any], chance: random.Random, depth: int = 0) -> Any:
        """Something that fits ``node`` of the schema, as far as the schema can tell."""
        node = self.plain(node, chance)
        if "const" in node or "enum" in node:
            return chance.choice(node.get("enum") or [node["const"]])
        kind = node.get("type", "string")
        kind = chance.choice(kind) if isinstance(kind, list) else kind
        if kind == "object":
            return self._object(node, chance, depth)
        if kind == "array":
            return self._array(node, chance, depth)
        if kind in ("integer", "number"):
            return self._number(node, chance)
        return (
            chance.choice((True, False)) if kind == "boolean" else None if kind == "null" else self._text(node, chance)
        )

    def plain(self, node: dict[str, Any], chance: random.Random) -> dict[str, Any]:
        """``node`` without references and alternatives."""
        while True:
            if "$ref" in node:
                node = self.definitions[node["$ref"].rsplit("/", 1)[-1]]
            elif "anyOf" in node or "oneOf" in node:
                node = chance.choice(node.get("anyOf") or node["oneOf"])
            else:
                return node

    def _object(self, node: dict[str, Any], chance: random.Random, depth: int) -> dict[str, Any]:
        properties, required = node.get("properties", {}), node.get("required", [])
        share = chance.choice((0.1, 0.3, 0.7)) / (1 + depth)
        found = {
            key: self.value(inner, chance, depth + 1)
            for key, inner in properties.items()
            if key in required or chance.random() < share
        }
        more = node.get("additionalProperties")
        if isinstance(more, dict):
            names = chance.sample(NAMES, chance.randint(0, 3))
            found |= {name: self.value(more, chance, depth + 1) for name in names}
        return found

    def _array(self, node: dict[str, Any], chance: random.Random, depth: int) -> list[Any]:
        if "prefixItems" in node:
            return [self.value(inner, chance, depth + 1) for inner in node["prefixItems"]]
        return [self.value(node.get("items", {}), chance, depth + 1) for _ in range(chance.choice((0, 1, 1, 2, 3)))]

    def _number(self, node: dict[str, Any], chance: random.Random) -> Any:
        low = node.get("minimum", node.get("exclusiveMinimum", 0))
        high = node.get("maximum", node.get("exclusiveMaximum", low + 10))
        return chance.choice((low, high, low - 1, high + 1, (low + high) / 2, chance.randint(int(low), int(high) + 1)))

    def _text(self, node: dict[str, Any], chance: random.Random) -> Any:
        dimension = dimension_of(node)
        if dimension:
            return self.quantity(dimension, chance)
        if node.get("examples") and chance.random() < 0.7:
            return copy.deepcopy(chance.choice(node["examples"]))
        return chance.choice(NAMES)

    def quantity(self, dimension: str, chance: random.Random) -> str:
        """A number with a unit of the dimension, and now and then of another."""
        if chance.random() < 0.1:
            dimension = chance.choice(sorted(DIMENSIONS))
        units = TYPICAL.get(dimension) or DIMENSIONS[dimension].printed
        return f"{chance.choice(NUMBERS)} {chance.choice(units)}".strip()

    def places(self, value: Any, node: dict[str, Any] | None, chance: random.Random, path: Path = ()) -> Iterator[Any]:
        """Every place in ``value`` with its node of the schema, None where that knows nothing of it."""
        yield path, node
        plain = self._fitting(node, value, chance) if node else {}
        if isinstance(value, dict):
            for key, inner in value.items():
                below = plain.get("properties", {}).get(key) or plain.get("additionalProperties")
                yield from self.places(inner, below if isinstance(below, dict) else None, chance, (*path, key))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                yield from self.places(inner, plain.get("items"), chance, (*path, index))

    def _fitting(self, node: dict[str, Any], value: Any, chance: random.Random) -> dict[str, Any]:
        """Of alternatives the one whose type is that of ``value``."""
        kind = {dict: "object", list: "array"}.get(type(value))
        for _ in range(4):
            plain = self.plain(node, chance)
            if kind is None or plain.get("type") == kind:
                return plain
        return {}


def holder(root: Any, path: Path) -> Any:
    """What holds the last step of ``path``."""
    for step in path[:-1]:
        root = root[step]
    return root


ACTS = ("anew", "anew", "anew", "add", "add", "odd", "odd", "scale", "scale", "copy", "drop", "rename")
GENTLE = ("scale", "scale", "scale", "add", "drop", "anew")


def change(root: dict[str, Any], grammar: Grammar, chance: random.Random, gentle: bool = False) -> None:
    """One change of ``root``, in place; a gentle one often leaves it sound."""
    places = [(path, node) for path, node in grammar.places(root, grammar.whole, chance) if path]
    if not places:
        root.update(grammar.value(grammar.whole, chance))
        return
    path, node = chance.choice(places)
    inside, key = holder(root, path), path[-1]
    other, _ = chance.choice(places)
    act = chance.choice(GENTLE if gentle else ACTS)
    if act == "anew" and node is not None:
        inside[key] = grammar.value(node, chance)
    elif act == "add":
        _add(inside[key], node, grammar, chance)
    elif act == "scale":
        inside[key] = scaled(inside[key], chance, SMALL if gentle else FACTORS)
    elif act == "copy":
        inside[key] = copy.deepcopy(holder(root, other)[other[-1]])
    elif act == "drop":
        del inside[key]
    elif act == "rename" and isinstance(inside, dict):
        inside[chance.choice((f"{key}s", str(key).upper(), key[1:], chance.choice(NAMES)))] = inside.pop(key)
    else:
        inside[key] = copy.deepcopy(chance.choice(ODD))


def _add(value: Any, node: dict[str, Any] | None, grammar: Grammar, chance: random.Random) -> None:
    """A key or an item that is not there yet."""
    plain = grammar.plain(node, chance) if node else {}
    if isinstance(value, dict):
        absent = [key for key in plain.get("properties", {}) if key not in value]
        if absent:
            key = chance.choice(absent)
            value[key] = grammar.value(plain["properties"][key], chance)
        else:
            value[chance.choice(NAMES)] = copy.deepcopy(chance.choice(ODD))
    elif isinstance(value, list):
        fresh = grammar.value(plain["items"], chance) if "items" in plain else copy.deepcopy(chance.choice(ODD))
        value.extend(repeated([fresh], chance) if chance.random() < 0.04 else [fresh] * chance.choice((1, 1, 2, 30)))


MOST_PARTS = 300_000  # values and keys of a long list: some 30 MB, whatever its items are


def repeated(items: list[Any], chance: random.Random) -> list[Any]:
    """The items over and over, 1e3 to 1e5 of them; fewer where they are large. Each is one of its own."""
    count = min(chance.choice((1_000, 10_000, 100_000)), MOST_PARTS // max(_parts(items), 1) * max(len(items), 1))
    return [copy.deepcopy(items[k % len(items)]) for k in range(count)] if items else []


def _parts(value: Any) -> int:
    """Values and keys in ``value``, itself among them."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + len(inner) * isinstance(value, dict) + sum(_parts(each) for each in inner)


FACTORS = (0.0, -1.0, 1e-12, 1e-6, 1e-3, 0.1, 0.5, 0.999999, 1.000001, 2.0, 10.0, 1e3, 1e6, 1e12)
SMALL = (0.0, 0.01, 0.1, 0.5, 0.9, 1.1, 2.0, 5.0, 30.0)


def scaled(value: Any, chance: random.Random, factors: tuple[float, ...] = FACTORS) -> Any:
    """The number in ``value`` in another size, with its unit."""
    factor = chance.choice(factors)
    if isinstance(value, bool) or value is None or isinstance(value, dict):
        return value
    if isinstance(value, list):
        return [scaled(item, chance, factors) for item in value]
    if isinstance(value, int | float):
        return chance.choice((value * factor, int(min(max(value * factor, -1e18), 1e18)) if value == value else 0))
    number, _, unit = str(value).partition(" ")
    try:
        return f"{float(number) * factor:.12g} {unit}".strip()
    except ValueError:
        return chance.choice((value[::-1], value + value, value[: len(value) // 2], value.upper()))
