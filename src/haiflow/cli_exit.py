"""How a command ends: exit codes, and a plain message for every error, never a traceback."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from haiflow.errors import BatchStopped, HaiflowError, InputError, InputErrors, SolverStopped

DONE, BUG, BAD_INPUT, STOPPED, SOME_FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 130
CODES = {"complete": DONE, "incomplete": DONE, "stopped": STOPPED, "some failed": SOME_FAILED}
"""Exit code by status of a run or sweep."""


def say(text: str) -> None:
    """A message for the user, on standard error."""
    click.echo(text, err=True)


def guarded(command: Callable[[], Any], as_json: bool) -> int:
    """The exit code of ``command``; what it raises is told on standard error, with ``as_json`` as an object, too."""
    try:
        return int(command() or DONE)
    except SystemExit:
        if "PacifyFlush" in type(sys.stdout).__name__:  # click ends so where whoever read the output has gone
            return DONE
        raise
    except click.ClickException as error:
        return _bad_command(error)
    except InputError as error:
        return _bad_input(error, as_json)
    except HaiflowError as error:
        say(str(error))
        if as_json:
            click.echo(json.dumps({"status": "stopped", "reason": str(error)}))
        return STOPPED if isinstance(error, SolverStopped | BatchStopped) else BAD_INPUT
    except (KeyboardInterrupt, click.Abort):
        say("interrupted: nothing half-written is left")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stdout = None  # whoever read it has gone; do not flush at exit
        return DONE
    except (OSError, MemoryError) as error:
        return _refused_by_system(error)
    except Exception as error:
        return _bug(error)


def _refused_by_system(error: OSError | MemoryError) -> int:
    """A full disk, a folder without permission, no memory: the machine's, neither a bug nor the scenario's."""
    if isinstance(error, MemoryError):
        what = str(error) or "allocation failed"
        say(f"haiflow: {what}: not enough memory; ask for less (cells, outputs), or take a machine with more")
        return BAD_INPUT
    where = error.filename or "output"
    try:
        sys.stdout.flush()
    except OSError:
        sys.stdout = None  # it is the output that fails: what is left of it must not fail again at exit, with code 120
    say(f"{where}: {error.strerror or error}: the system refused; make room or check permissions, then run again")
    return BAD_INPUT


def _bad_command(error: click.ClickException) -> int:
    error.show(file=sys.stderr)
    if getattr(error, "ctx", None) is None:
        say("Try 'haiflow --help' for help.")
    return BAD_INPUT


def _bad_input(error: InputError, as_json: bool) -> int:
    errors = error.errors if isinstance(error, InputErrors) else (error,)
    say("\n".join(str(each) for each in errors))
    if as_json:
        keys = ("place", "value", "rule", "remedy")
        click.echo(
            json.dumps(
                {"status": "bad input", "errors": [{key: str(getattr(each, key)) for key in keys} for each in errors]}
            )
        )
    return BAD_INPUT


def _bug(error: Exception) -> int:
    """Something that should never happen: short on the screen, whole in a file for whoever mends it."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="haiflow-", suffix=".txt", delete=False, encoding="utf-8") as stream:
        traceback.print_exception(error, file=stream)
    last = traceback.extract_tb(error.__traceback__)[-1]
    say(f"haiflow: a bug: {type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})")
    say(f"please report it with the scenario and the details in {stream.name}")
    return BUG
