"""Modules that come with an extra: loaded when needed, with a message where they are missing."""

from __future__ import annotations

from typing import Any

from haiflow.errors import HaiflowError


def need(module: str, extra: str) -> Any:
    """The module, or a message that says what to install."""
    from importlib import import_module

    try:
        return import_module(module)
    except (ImportError, OSError) as error:
        raise HaiflowError(f"this needs {module} ({error}): pip install 'haiflow[{extra}]'") from None
