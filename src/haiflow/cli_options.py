"""Options that several commands have."""

from __future__ import annotations

import click

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")
SETTINGS = click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Override a key, e.g. catheter.length='40 cm'."
)
SCENARIOS = click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO.yaml ...")
