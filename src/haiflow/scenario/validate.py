"""The schema's complaints turned into four-part messages, part by part, so that one bad part hides no other."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from haiflow.errors import nearest
from haiflow.scenario.model import Event, Fault, ScenarioModel
from haiflow.scenario.problems import MISSING, Problems
from haiflow.scenario.read import KeyPath
from haiflow.scenario.schema.walk import keys_at, keys_of
from haiflow.units import UnitError

ITEM_TYPES: dict[str, Any] = {"schedule": Event, "faults": Fault}
LIST_LIMIT = 10_000
KINDS_OF_FAULT = ("occlusion", "leak", "dislodgement", "stall")


def validate(problems: Problems) -> dict[str, Any]:
    """The parts that are sound, as models by key; of ``schedule`` and ``faults`` a mapping of index to sound item."""
    root = problems.document.root
    known = {field.alias or name: field for name, field in ScenarioModel.model_fields.items()}
    sound: dict[str, Any] = {}
    for key, value in root.items():
        if key not in known:
            problems.add((key,), value, "unknown key", nearest(key, known), key=True)
        elif key in ITEM_TYPES:
            sound[key] = _items(problems, key, value)
        elif value is None:
            problems.add((key,), None, "the key has no value", "fill it in or delete the line")
        else:
            result = part(problems, (key,), value)
            if result is not None:
                sound[key] = result
    if "haiflow" not in root:
        problems.add((), None, "the format number is missing", "start the file with 'haiflow: 1'")
    return sound


@cache
def _adapter(key: str) -> TypeAdapter[Any]:
    """The type of a top-level key, made ready on first use."""
    if key in ITEM_TYPES:
        return TypeAdapter(ITEM_TYPES[key])
    name = next(name for name, field in ScenarioModel.model_fields.items() if (field.alias or name) == key)
    field = ScenarioModel.model_fields[name]
    annotation: Any = field.annotation
    for constraint in field.metadata:
        annotation = Annotated[annotation, constraint]
    return TypeAdapter(annotation)


def _items(problems: Problems, key: str, value: Any) -> dict[int, Any]:
    if not isinstance(value, list) or len(value) > LIST_LIMIT:
        problems.add((key,), value, f"{key} is a list", f"write '{key}:' and then items that start with '- '")
        return {}
    found = ((index, part(problems, (key, index), item)) for index, item in enumerate(value))
    return {index: item for index, item in found if item is not None}


def part(problems: Problems, path: KeyPath, value: Any) -> Any:
    """The model of what stands at ``path``; None where the schema complains, which ``problems`` are told."""
    key = str(path[0])
    try:
        return _adapter(key).validate_python(value)
    except ValidationError as error:
        complaints = error.errors(include_url=False)
    near_misses = _near_misses(complaints, ITEM_TYPES.get(key) or keys_of(ScenarioModel)[key])
    for complaint in complaints:
        _complain(problems, path, complaint, near_misses)
    return None


def _near_misses(complaints: list[Any], annotation: Any) -> dict[KeyPath, str]:
    """Unknown keys and the remedy for each; a missing key that it is taken for is not mentioned again."""
    return {
        tuple(complaint["loc"]): nearest(str(complaint["loc"][-1]), keys_at(annotation, complaint["loc"][:-1]))
        for complaint in complaints
        if complaint["type"] == "extra_forbidden"
    }


def _complain(problems: Problems, path: KeyPath, complaint: Any, near_misses: dict[KeyPath, str]) -> None:
    kind, loc, context = complaint["type"], tuple(complaint["loc"]), complaint.get("ctx") or {}
    place = path + _real(problems, path, loc, keep_last=kind in ("missing", "extra_forbidden"))
    if kind == "extra_forbidden":
        problems.add(place, complaint["input"], "unknown key", near_misses[loc], key=True)
    elif kind == "missing":
        twin = f"did you mean '{loc[-1]}'?"
        if not any(near[:-1] == loc[:-1] and remedy == twin for near, remedy in near_misses.items()):
            problems.add(place, None, MISSING, f"add '{loc[-1]}:'")
    elif isinstance(context.get("error"), UnitError):
        problems.add(place, complaint["input"], context["error"].rule, context["error"].remedy)
    else:
        problems.add(place, complaint["input"], *_wording(kind, complaint["msg"], context))


def _real(problems: Problems, path: KeyPath, loc: KeyPath, *, keep_last: bool) -> KeyPath:
    """``loc`` without the steps that only the schema knows (names of alternatives)."""
    here: Any = problems.given(path)
    real: list[str | int] = []
    for number, step in enumerate(loc):
        inside = isinstance(here, dict) and step in here
        if inside or (isinstance(here, list) and isinstance(step, int) and step < len(here)):
            here = here[step]
        elif not (keep_last and number == len(loc) - 1):
            continue
        real.append(step)
    return tuple(real)


def _wording(kind: str, message: str, context: dict[str, Any]) -> tuple[str, str]:
    """Rule and remedy for a complaint of the schema."""
    if kind in WORDING:
        return WORDING[kind]
    if kind == "literal_error":
        return "not one of the choices", f"use one of: {context['expected']}".replace("'", "")
    if kind.startswith("union_tag"):
        kinds = str(context.get("expected_tags", "")).replace("'", "") or ", ".join(KINDS_OF_FAULT)
        return f"{'a fault has' if 'leak' in kinds else 'needs'} a known kind", f"use one of: {kinds}"
    for bound, word in BOUNDS.items():
        if bound in context:
            return f"must be {word} {context[bound]:g}", f"write a number {word} {context[bound]:g}"
    if kind in ("too_short", "too_long"):
        limit = context.get("min_length", context.get("max_length"))
        return f"needs at {'least' if kind == 'too_short' else 'most'} {limit} items", "add or remove some"
    return message[0].lower() + message[1:], "see haiflow schema"


BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
TEXT = ("must be text", "put it in quotes")
WORDING = {
    "model_type": ("must be a mapping of keys", "write 'key: value' lines below it, indented"),
    "model_attributes_type": ("must be a mapping of keys", "write 'key: value' lines below it, indented"),
    "dict_type": ("must be a mapping of names", "write 'name: {...}' lines below it, indented"),
    "tuple_type": ("must be a list", "write it in brackets or as lines that start with '- '"),
    "list_type": ("must be a list", "write it in brackets or as lines that start with '- '"),
    "string_type": TEXT,
    "bool_type": ("must be true or false", "write true or false"),
    "bool_parsing": ("must be true or false", "write true or false"),
    "int_type": ("must be a whole number", "write e.g. 2"),
    "int_parsing": ("must be a whole number", "write e.g. 2"),
    "int_from_float": ("must be a whole number", "write e.g. 2"),
    "float_type": ("must be a number", "write e.g. 0.5"),
    "float_parsing": ("must be a number", "write e.g. 0.5"),
    "finite_number": ("must be finite", "give a finite number"),
    "string_pattern_mismatch": ("a name has letters, digits, spaces and . _ + - only", "rename it"),
    "string_too_long": ("the text is too long", "shorten it"),
    "string_too_short": ("the text is empty", "write something"),
}
