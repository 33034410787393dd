"""``require:`` what a result has to meet; the report says whether it does, a sweep's ranks its variants by it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from haiflow.criteria import parse_criterion


def _as_list(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


def _criterion(given: str) -> str:
    parse_criterion(given)
    return given


Requirement = Annotated[str, AfterValidator(_criterion)]
Requirements = Annotated[tuple[Requirement, ...], BeforeValidator(_as_list), Field(max_length=100)]
