"""Physical impossibilities: what the schema cannot see, because two values or two parts contradict each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from haiflow.scenario import check_events, check_line, check_network, check_tip
from haiflow.scenario.network import completed_network
from haiflow.scenario.problems import Problems
from haiflow.scenario.schema.network import Network
from haiflow.scenario.schema.patient import FRACTIONS, Liver
from haiflow.scenario.schema.run import Run

SUM_TOLERANCE = 1e-6
MOST_OUTPUTS = 1_000_000
LONGEST_PULSE_RUN = 3600.0


def check(problems: Problems, sound: dict[str, Any], folder: Path) -> None:
    """All contradictions among the sound parts."""
    _parts(problems)
    arteries: Any = sound.get("arteries")
    catheter = sound.get("catheter")
    network = None if arteries is None else completed_network(arteries)
    if "pump" in sound:
        check_line.pump(problems, sound["pump"])
    if catheter is not None:
        check_line.catheter(problems, catheter)
    if network is not None:
        check_network.arteries(problems, arteries, network)
    if network is not None and catheter is not None:
        check_line.tip(problems, catheter, network)
        if catheter.tip.resolve == "3d":
            check_tip.region(problems, arteries, catheter, folder)
        else:
            check_network.split(problems, arteries, network, catheter)
    elif catheter is not None and catheter.tip.resolve == "3d":
        check_tip.without_arteries(problems)
    if "liver" in sound:
        liver(problems, sound["liver"], folder)
    if "liver" in sound and network is not None:
        check_network.feeds(problems, network, sound["liver"])
        buffered(problems, sound["liver"], network)
    run(problems, sound.get("run", Run()))
    if "patient" in sound:
        check_events.altitude_or_pressure(problems, ("patient",), sound["patient"])
    check_events.schedule(problems, sound)
    check_events.faults(problems, sound, network)


def _parts(problems: Problems) -> None:
    """Parts that need another one."""
    root = problems.document.root
    if not any(part in root for part in ("pump", "catheter", "arteries")):
        problems.add((), None, "there is nothing to simulate", "add 'arteries:', or 'pump:' and 'catheter:'")
    needs = (("pump", "catheter"), ("catheter", "pump"), ("liver", "arteries"))
    for part, other in needs:
        if part in root and other not in root:
            problems.add(
                (part,), part, f"the {part} needs the {other}", f"add '{other}:' or delete '{part}:'", key=True
            )


def liver(problems: Problems, given: Liver, folder: Path) -> None:
    """One geometry; segments that fill the liver; tumours that fit."""
    if given.resolve == "3d" and given.fractions != FRACTIONS:
        problems.add(
            ("liver", "fractions"), "given", "with resolve: 3d the segments' volumes are those of the mesh",
            "leave them out, or label the mesh accordingly",
        )  # fmt: skip
    for index, tumour in enumerate(given.tumours):
        if tumour.necrotic_fraction > 0.0 and given.resolve != "3d":
            problems.add(
                ("liver", "tumours", index, "necrotic_fraction"), tumour.necrotic_fraction,
                "a well-mixed tumour has no core", "add 'resolve: 3d' to the liver, or leave it out",
            )  # fmt: skip
    if given.model is not None and given.mesh is not None:
        problems.add(
            ("liver", "mesh"), given.mesh, "the liver has one geometry", "give model or mesh, not both", key=True
        )
    if given.mesh is None:
        for key, value in (("mesh_unit", given.mesh_unit), ("labels", given.labels)):
            if value not in ("m", {}):
                rule = "the standard liver is in metres and has its segments: this is of a mesh of one's own"
                path = ("liver", key)
                problems.add(path, problems.given(path), rule, "give 'mesh:', or delete it", key=True)
    if given.mesh is not None:
        _mesh_file(problems, given.mesh, folder)
    total = sum(given.fractions.values())
    if abs(total - 1.0) > SUM_TOLERANCE:
        remedy = "give all eight segments their share of the volume"
        problems.add(("liver", "fractions"), f"{total:.6g}", "the fractions must sum to 1", remedy)
    _tumours(problems, given)


def _mesh_file(problems: Problems, mesh: str, folder: Path) -> None:
    """That the file is there, and one that may be a mesh; what it holds is seen when it is read."""
    from haiflow.mesh.files import VOLUME_FORMATS

    if not (folder / mesh).is_file():
        remedy = "check the path (relative to the scenario)"
        problems.add(("liver", "mesh"), mesh, "the mesh file does not exist", remedy)
    elif (folder / mesh).suffix.lower() not in VOLUME_FORMATS:
        rule = "cannot be read as a mesh: not a format in use"
        problems.add(("liver", "mesh"), mesh, rule, f"give one of {', '.join(VOLUME_FORMATS)} (haiflow mesh convert)")


def buffered(problems: Problems, given: Liver, network: Network) -> None:
    """The buffer response scales flows that are stated: an outlet with resistances of its own has none."""
    if given.buffer_response and any(out.feeds and out.distal is not None for out in network.outlets.values()):
        problems.add(
            ("liver", "buffer_response"), True, "an outlet that feeds the liver has resistances of its own",
            "give its share or flow instead, or leave the response off",
        )  # fmt: skip


def _tumours(problems: Problems, given: Liver) -> None:
    names: set[str] = set(FRACTIONS)
    room = given.volume or 1.5e-3
    for index, tumour in enumerate(given.tumours):
        path = ("liver", "tumours", index)
        name = tumour.name or f"tumour_{index + 1}"
        if name in names:
            problems.add(
                (*path, "name"), name, "the name is taken", "name each tumour differently, and unlike a segment"
            )
        names.add(name)
        if tumour.centre is None and tumour.segment is None:
            problems.add(path, name, "the tumour lies nowhere", "give its centre or its segment")
        share = given.fractions.get(tumour.segment, 0.0) if tumour.segment else 1.0
        if 0.5236 * tumour.diameter**3 >= share * room:
            where = f"segment {tumour.segment}" if tumour.segment else "the liver"
            rule = f"the tumour is larger than {where} ({1e6 * share * room:.0f} mL)"
            problems.add((*path, "diameter"), problems.given((*path, "diameter")), rule, "make it smaller")


def run(problems: Problems, given: Run) -> None:
    """Times that fit each other."""
    every, step = given.output_every, given.numerics.macro_step
    if every is not None and every > given.duration:
        rule = "the output interval is longer than the run"
        problems.add(("run", "output_every"), problems.given(("run", "output_every")), rule, "shorten it")
    if every is not None and given.duration / every > MOST_OUTPUTS:
        rule = f"the run would write over {MOST_OUTPUTS} times"
        problems.add(("run", "output_every"), problems.given(("run", "output_every")), rule, "write less often")
    if step is not None and step > given.duration:
        path = ("run", "numerics", "macro_step")
        problems.add(path, problems.given(path), "the step is longer than the run", "shorten it")
    if given.clock == "pulse" and given.duration > LONGEST_PULSE_RUN:
        rule = "the pulse clock resolves every beat, up to an hour"
        problems.add(("run", "duration"), problems.given(("run", "duration")), rule, "use 'clock: therapy' for days")
