"""Which keys the schema knows at a place, found by following the models' annotations."""

from __future__ import annotations

from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel


def keys_of(model: type[BaseModel]) -> dict[str, Any]:
    """Key as written in a scenario -> annotation."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def keys_at(annotation: Any, loc: Iterable[str | int]) -> list[str]:
    """The keys of the mapping at ``loc`` (as the schema reports places) inside ``annotation``."""
    here = _alternatives(annotation)
    for step in loc:
        here = [inner for each in here for inner in _inside(each, step)]
    return sorted({key for each in here if _is_model(each) for key in keys_of(each)})


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _alternatives(annotation: Any) -> list[Any]:
    """The members of a union; the type itself where it is none."""
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [each for member in get_args(annotation) for each in _alternatives(member)]
    return [annotation]


def _inside(annotation: Any, step: str | int) -> list[Any]:
    if _is_model(annotation):
        if step in keys_of(annotation):
            return _alternatives(keys_of(annotation)[str(step)])
        # A step that is no key is the name of an alternative; those told apart by their kind are named by it.
        return [annotation] if step in (_kinds(annotation) or (step,)) else []
    arguments = get_args(annotation)
    return _alternatives(arguments[1 if get_origin(annotation) is dict else 0]) if arguments else []


def _kinds(model: type[BaseModel]) -> tuple[Any, ...]:
    kind = keys_of(model).get("kind")
    return get_args(kind) if get_origin(kind) is Literal else ()
