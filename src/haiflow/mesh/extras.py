"""Modules that come with an extra: loaded when needed, with a message where they are missing."""

from __future__ import annotations

import signal
import threading
from typing import Any

from haiflow.errors import InputError


def need(module: str, extra: str) -> Any:
    """The module, or an InputError that says what to install."""
    from importlib import import_module

    try:
        return import_module(module)
    except (ImportError, OSError) as error:
        raise InputError(module, error, f"this needs {module}", f"pip install 'haiflow[{extra}]'") from None


def begun_gmsh() -> Any:
    """gmsh, initialised. It has SIGPIPE end the process, which would make a drawing child that dies end the run."""
    gmsh = need("gmsh", "mesh")
    gmsh.initialize(interruptible=False)
    if hasattr(signal, "SIGPIPE") and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return gmsh
