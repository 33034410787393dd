"""``haiflow mesh``: info, convert, build. Loaded only when it is called."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from haiflow.cli_options import AS_JSON, WRITTEN
from haiflow.errors import InputError

UNIT = click.option(
    "--unit", type=click.Choice(["m", "mm"]), default="m", show_default=True, help="Of the file's points."
)
FORCE = click.option("--force", is_flag=True, help="Replace an existing file.")
LABELS = click.option(
    "--label", "labels", metavar="NAME=SEGMENT", multiple=True, help="Which segment a group or number of the file is."
)


@click.group()
def mesh() -> None:
    """Inspect, convert and generate meshes of the liver and of the region round a tip."""


@mesh.command()
@click.argument("file", metavar="FILE")
@UNIT
@LABELS
@AS_JSON
def info(file: str, unit: str, labels: tuple[str, ...], as_json: bool) -> int:
    """Say what a mesh holds, how good it is, and what a run would miss; exit code 2 where it is not ready.

    A file with a surface named inlet is taken for the region round a tip, any other for a liver.
    """
    from haiflow.mesh import about_region, inspect

    if not Path(file).exists():
        raise InputError(file, "nothing there", "the file does not exist", "check the path")
    if about_region.is_region(Path(file)):
        found = about_region.inspect(Path(file), inspect.UNITS[unit])
        text = about_region.as_text(found)
    else:
        found = inspect.inspect(Path(file), unit, mapped(labels))
        text = inspect.as_text(found)
    click.echo(json.dumps(found) if as_json else text)
    return 2 if found["problem"] else 0


@mesh.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT", type=WRITTEN)
@UNIT
@FORCE
def convert(source: str, target: str, unit: str, force: bool) -> int:
    """Write the tetrahedra of IN with their labels as OUT, in metres, and read them back."""
    from haiflow.mesh.convert import convert as converted

    cells, volume = converted(Path(source), Path(target), unit, force)
    click.echo(f"{target}: {cells} tetrahedra, {1e6 * volume:.5g} mL, in metres", err=True)
    return 0


@mesh.command()
@click.argument("source", metavar="standard|SURFACE|LABELS|junction")
@click.argument("scenario", metavar="[SCENARIO.yaml]", required=False)
@click.option("-o", "--output", metavar="F.vtu|F.msh", required=True, type=WRITTEN, help="File to write, in metres.")
@click.option("--cells", type=int, default=100_000, show_default=True, help="About how many tetrahedra.")
@click.option("--edge", metavar="LENGTH", help="Edge of a tetrahedron instead, e.g. '4 mm'.")
@click.option("--segments", type=click.Choice(["standard"]), help="A surface has none: stretch the standard liver's.")
@UNIT
@FORCE
def build(
    source: str, scenario: str | None, output: str, cells: int, edge: str | None, segments: str | None, unit: str,
    force: bool,
) -> int:  # fmt: skip
    """Mesh the standard liver, a closed surface (.stl .ply .obj), a label volume (.nrrd .nii .nii.gz), or the region
    round a scenario's tip: junction SCENARIO.yaml -o F.msh. That is as fine as its catheter.tip.cells says, or has
    about --cells tetrahedra."""
    from haiflow.mesh.convert import refuse_existing, save

    refuse_existing(Path(output), force)
    _refuse_unheard(source, scenario)
    if source == "junction":
        return _junction(scenario, Path(output), cells if _given("cells") else None)
    made = _made(Path(source), cells, edge, segments, unit)
    save(made, Path(output), force)
    click.echo(f"{output}: {len(made.tetra)} tetrahedra, {1e6 * made.volume:.5g} mL, in metres", err=True)
    if segments:
        click.echo("note: the segments are the standard liver's, stretched; they are not this liver's own", err=True)
    return 0


def _given(option: str) -> bool:
    """Whether an option stands on the command line: a default is no wish."""
    return click.get_current_context().get_parameter_source(option) is ParameterSource.COMMANDLINE


def _refuse_unheard(source: str, scenario: str | None) -> None:
    """Raises InputError for an option that would change nothing."""
    from haiflow.mesh.files import SURFACE_FORMATS

    if source == "junction":
        of_scenario = "a region round a tip is drawn by its scenario, in metres"
        refused = dict.fromkeys(("edge", "segments", "unit"), (of_scenario, "use --cells, or the keys of catheter.tip"))
    else:
        refused = {}
        if Path(source).suffix.lower() not in SURFACE_FORMATS:
            why = "only a surface (.stl .ply .obj) has a unit of its own and no segments"
            refused = dict.fromkeys(("segments", "unit"), (why, "leave it out"))
        if _given("edge"):
            refused["cells"] = ("--edge says how fine the mesh is", "give one of both")
        if scenario is not None:
            raise InputError(f"haiflow mesh build {source}", scenario, "only a junction has a scenario",
                             "write: haiflow mesh build junction SCENARIO.yaml, or leave it out")  # fmt: skip
    for option, (rule, remedy) in refused.items():
        if _given(option):
            raise InputError(f"--{option}", f"given for {source}", f"it changes nothing: {rule}", remedy)


def _junction(scenario: str | None, output: Path, cells: int | None) -> int:
    from haiflow.junction.cell_count import across_for
    from haiflow.junction.outline import build as meshed
    from haiflow.mesh.convert import written
    from haiflow.mesh.patches import write_region
    from haiflow.scenario.check_tip import unheard_in_mesh
    from haiflow.scenario.load import load
    from haiflow.scenario.tip_region import tip_region

    if scenario is None:
        raise InputError("haiflow mesh build junction", "no scenario", "a region needs the scenario of its tip",
                         "write: haiflow mesh build junction SCENARIO.yaml -o F.msh")  # fmt: skip
    model = load(scenario).model
    if model.arteries is None or model.catheter is None:
        raise InputError(scenario, "no arteries or no catheter", "a region lies round a tip in arteries", "add both")
    shape = tip_region(model.arteries, model.catheter).shape
    if cells is not None:
        shape = replace(shape, cells=across_for(shape, cells))
    made = meshed(shape)
    written(output, lambda path: write_region(path, made))
    patches = ", ".join(made.names)
    click.echo(f"{output}: {len(made.tetra)} tetrahedra, in metres, with the patches {patches}", err=True)
    for key in unheard_in_mesh(model.catheter, model.arteries, own_cells=cells is not None):
        _note(key)
    return 0


def _made(source: Path, cells: int, edge: str | None, segments: str | None, unit: str) -> Any:
    from haiflow.mesh import generate, voxels
    from haiflow.mesh.files import SURFACE_FORMATS
    from haiflow.units import UnitError, parse

    if not generate.FEWEST <= cells <= generate.MOST:
        raise InputError("--cells", cells, f"from {generate.FEWEST} to {generate.MOST}", "choose a number in between")
    try:
        size = None if edge is None else parse(edge, "length")
    except UnitError as error:
        raise InputError("--edge", edge, error.rule, error.remedy) from None
    if size is not None and not 5e-4 <= size <= 0.05:
        raise InputError("--edge", edge, "from 0.5 mm to 50 mm", "choose a length in between")
    if str(source) == "standard":
        return generate.standard(cells) if size is None else generate.standard_of_edge(size)
    if source.suffix.lower() in SURFACE_FORMATS:
        return generate.from_surface(source, unit=unit, edge=size, cells=cells, segments=segments)
    if voxels.ending(source) in voxels.VOXEL_FORMATS:
        return generate.from_voxels(source, edge=size, cells=cells, note=_note)
    kinds = ", ".join((*SURFACE_FORMATS, *voxels.VOXEL_FORMATS))
    remedy = f"give 'standard' or one of {kinds}"
    raise InputError(str(source), source.suffix or "no ending", "not something to mesh", remedy)


def _note(text: str) -> None:
    click.echo(f"note: {text}", err=True)


def mapped(labels: tuple[str, ...]) -> dict[str, str]:
    """``NAME=SEGMENT`` texts as a mapping."""
    found = {}
    for text in labels:
        name, sign, segment = text.partition("=")
        if not sign:
            raise InputError("--label", text, "it reads NAME=SEGMENT", "write e.g. --label right_upper=VIII")
        found[name] = segment
    return found
