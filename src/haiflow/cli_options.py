"""Options that several commands have."""

from __future__ import annotations

from typing import Any

import click

from haiflow.errors import InputError


class Written(click.ParamType):
    """The name of a file or folder to write. An empty one, as of a shell's variable that is not set, would be the
    current folder."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value).strip():
            place = str(param.opts[0] if isinstance(param, click.Option) else param and param.metavar)
            raise InputError(place, f"'{value}'", "the name is empty", "give a name; an unset variable is empty, too")
        return value


WRITTEN = Written()
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
SETTINGS = click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Override a key, e.g. catheter.length='40 cm'."
)
SCENARIOS = click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO.yaml ...")
