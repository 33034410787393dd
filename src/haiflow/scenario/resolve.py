"""Library values by name: what the scenario refers to is written into it before it is checked.

A key that the user wrote always wins; groups of keys (``reference``, ``side_port``) are merged key by key. What is not
of the right shape is left alone, the schema complains about it afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from haiflow.errors import InputError, nearest
from haiflow.scenario import library
from haiflow.scenario.problems import Problems
from haiflow.scenario.read import KeyPath, read_file

NO_DRUG = ("none", "saline")
DEFAULT_WAVEFORM = "hepatic-artery"


def resolve(problems: Problems, folder: Path) -> None:
    """Write library values, anatomies and files (relative to ``folder``) into the document of ``problems``."""
    root = problems.document.root
    _model(problems, "pump", "pumps")
    _model(problems, "catheter", "catheters")
    _propellant(problems)
    _network(problems, folder)
    _waveforms(problems)
    used = [*_fills(root)]
    for path, fill in used:
        _plain_fill(fill, _table(root, "drugs"), path, problems)
    _substances(problems, "drugs", [((*path, "drug"), fill.get("drug")) for path, fill in used])
    _substances(problems, "infusates", [((*path, "infusate"), fill.get("infusate", "saline")) for path, fill in used])


def merged(under: Any, over: Any) -> Any:
    """``over`` laid on ``under``: mappings key by key, anything else as a whole."""
    if not (isinstance(under, dict) and isinstance(over, dict)):
        return deepcopy(over)
    keys = [*under, *(key for key in over if key not in under)]
    return {
        key: merged(under[key], over[key]) if key in over and key in under else deepcopy(over.get(key, under.get(key)))
        for key in keys
    }


def _table(root: dict[str, Any], key: str) -> dict[str, Any]:
    table = root.get(key)
    return table if isinstance(table, dict) else {}


def _look_up(problems: Problems, path: KeyPath, kind: str, name: Any) -> dict[str, Any] | None:
    """The library's values for ``name``; an unknown one is a problem at ``path``."""
    if not isinstance(name, str):
        return None
    if name not in library.names(kind):
        rule = f"not one of the {kind} in the library"
        problems.add(path, name, rule, nearest(name, library.names(kind)))
        return None
    return library.entry(kind, name).values


def _model(problems: Problems, part: str, kind: str) -> None:
    """``pump: {model: ...}`` and ``catheter: {model: ...}``."""
    given = problems.document.root.get(part)
    if isinstance(given, dict) and "model" in given:
        values = _look_up(problems, (part, "model"), kind, given["model"])
        if values is not None:
            values = deepcopy(values)
            propellant = values.get("propellant")
            if isinstance(propellant, str) and isinstance(given.get("propellant"), dict):
                values["propellant"] = {"name": propellant, **library.entry("propellants", propellant).values}
            problems.document.root[part] = merged(values, given)


def _propellant(problems: Problems) -> None:
    pump = problems.document.root.get("pump")
    if isinstance(pump, dict) and isinstance(pump.get("propellant"), str):
        name = pump["propellant"]
        values = _look_up(problems, ("pump", "propellant"), "propellants", name)
        if values is not None:
            pump["propellant"] = {"name": name, **values}


def _network(problems: Problems, folder: Path) -> None:
    """One of ``anatomy``, ``file``, ``network`` becomes the network."""
    arteries = problems.document.root.get("arteries")
    if not isinstance(arteries, dict):
        return
    given = [key for key in ("anatomy", "file", "network") if arteries.get(key) is not None]
    if len(given) != 1:
        rule = "the arteries need one source of their network" if not given else "the network is given more than once"
        remedy = "give one of: anatomy (e.g. michels-1), network, file"
        problems.add(("arteries", *given[1:2]), ", ".join(given) or None, rule, remedy, key=True)
        return
    if given == ["anatomy"]:
        values = _look_up(problems, ("arteries", "anatomy"), "anatomies", arteries["anatomy"])
        arteries.update({} if values is None else {"network": deepcopy(values)})
    elif given == ["file"] and isinstance(arteries["file"], str):
        _network_file(problems, arteries, folder)


def _network_file(problems: Problems, arteries: dict[str, Any], folder: Path) -> None:
    """A network in a file of its own: its keys at the top, or under ``network:``."""
    try:
        document = read_file(folder / arteries["file"], arteries["file"], "a network")
    except InputError as error:
        inside = "" if error.place == arteries["file"] else f"{error.place}: "
        problems.add(("arteries", "file"), arteries["file"], f"{inside}{error.value}: {error.rule}", error.remedy)
        return
    inner = document.root.get("network")
    under: KeyPath = ("network",) if isinstance(inner, dict) else ()
    arteries["network"] = deepcopy(inner if under else document.root)
    problems.document.graft(("arteries", "network"), document, under)


def _one_inlet(problems: Problems, arteries: dict[str, Any]) -> None:
    """A list of inlets is refused here, where more can be said than that it is no mapping."""
    for holder, path in (
        (arteries, ("arteries", "inflow")),
        (arteries.get("network"), ("arteries", "network", "inlet")),
    ):
        if isinstance(holder, dict) and isinstance(holder.get(path[-1]), list):
            given = holder[path[-1]]
            if len(given) != 1:
                problems.add(path, f"{len(given)} inlets", "a network has one inlet", "keep the one where blood enters")
            holder[path[-1]] = given[0] if given else {}


def _waveforms(problems: Problems) -> None:
    """Names of waveforms become times and values."""
    arteries = problems.document.root.get("arteries")
    if not isinstance(arteries, dict):
        return
    _one_inlet(problems, arteries)
    for path in (("inflow",), ("network", "inlet")):
        holder: Any = arteries
        for step in path:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and isinstance(holder.get("waveform"), str):
            name = holder["waveform"]
            values = _look_up(problems, ("arteries", *path, "waveform"), "waveforms", name)
            if values is not None:
                holder["waveform"] = {"name": name, **deepcopy(values)}


def _fills(root: dict[str, Any]) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """All that goes into the reservoir or the side port."""
    pump, schedule = root.get("pump"), root.get("schedule")
    if isinstance(pump, dict) and isinstance(pump.get("fill"), dict):
        yield ("pump", "fill"), pump["fill"]
    elif isinstance(pump, dict) and "fill" not in pump:
        pump["fill"] = {}
        yield ("pump", "fill"), pump["fill"]
    for index, event in enumerate(schedule if isinstance(schedule, list) else []):
        for key in ("refill", "bolus"):
            if isinstance(event, dict) and isinstance(event.get(key), dict):
                yield ("schedule", index, key), event[key]


def _plain_fill(fill: dict[str, Any], own_drugs: dict[str, Any], path: KeyPath, problems: Problems) -> None:
    """``agent`` becomes ``drug``; saline (or another infusate) given as the drug becomes no drug in that infusate."""
    if "agent" in fill and "drug" in fill:
        problems.add((*path, "agent"), fill["agent"], "drug and agent are the same key", "keep one of them", key=True)
    if isinstance(fill.get("agent"), str):
        fill["drug"] = fill.pop("agent")
        document = problems.document
        document.keys[(*path, "drug")] = document.mark((*path, "agent"), key=True)
        document.values[(*path, "drug")] = document.mark((*path, "agent"))
    drug = fill.get("drug")
    if isinstance(drug, str) and drug not in own_drugs and (drug in NO_DRUG or drug in library.names("infusates")):
        del fill["drug"]
        if drug in library.names("infusates"):
            fill.setdefault("infusate", drug)
        for amount in ("concentration", "dose", "amount"):
            if amount in fill and not str(fill[amount]).startswith("0 "):
                problems.add((*path, amount), fill[amount], f"{drug} holds no drug to give {amount} of", "leave it out")


def _substances(problems: Problems, kind: str, used: list[tuple[KeyPath, Any]]) -> None:
    """Every drug or infusate in use stands under ``drugs:`` or ``infusates:`` with all its values."""
    root = problems.document.root
    own = _table(root, kind)
    table = {}
    for path, name in used:
        if not isinstance(name, str) or name in table:
            continue
        if name in library.names(kind):
            table[name] = merged(library.entry(kind, name).values, own.get(name, {}))
        elif name in own:
            table[name] = own[name]
        else:
            known = {*library.names(kind), *own}
            remedy = f"{nearest(name, known)}, or describe it under '{kind}:'"
            problems.add(path, name, f"not one of the {kind} in the library or of this scenario", remedy)
    for name, values in own.items():
        table.setdefault(
            name, merged(library.entry(kind, name).values, values) if name in library.names(kind) else values
        )
    if table and (isinstance(root.get(kind), dict) or kind not in root):
        root[kind] = table
