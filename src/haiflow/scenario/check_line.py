"""Contradictions in pump and catheter, and between the tip and its vessel."""

from __future__ import annotations

from haiflow.errors import nearest
from haiflow.scenario.model import Bolus, Catheter, Fill, Network, Pump
from haiflow.scenario.problems import Problems
from haiflow.scenario.read import KeyPath
from haiflow.units import format_quantity

HEAVIEST_SOLUTION = 1500.0  # kg/m3 of solute: no solution holds more
LENGTH_TOLERANCE = 1e-6
DAY = 86_400.0


def pump(problems: Problems, given: Pump) -> None:
    """Reservoir, drive and programme."""
    if given.residual_volume >= given.reservoir_volume:
        _add(problems, ("pump", "residual_volume"), "the residual volume leaves nothing to deliver", "make it smaller")
    fill(problems, ("pump", "fill"), given.fill, given)
    if given.drive == "gas":
        _gas(problems, given)
    else:
        programme(problems, ("pump", "programme"), tuple(step.start for step in given.programme))
        if abs(given.rate_error) > given.accuracy_band:
            rule = f"the rate error is beyond the accuracy band of {100 * given.accuracy_band:g} %"
            _add(problems, ("pump", "rate_error"), rule, "make it smaller, or widen 'accuracy_band'")


def _gas(problems: Problems, given: Pump) -> None:
    if given.programme or given.basal_rate is not None:
        key = "programme" if given.programme else "basal_rate"
        _add(
            problems,
            ("pump", key),
            "a gas-driven pump cannot be programmed",
            "delete it, or use 'drive: peristaltic'",
            key=True,
        )
    if given.propellant is None:
        problems.add(("pump",), None, "a gas-driven pump needs a propellant", "add 'propellant: R-11'", key=True)
        return
    from haiflow.pump.propellant import Propellant

    propellant = Propellant("given", given.propellant.boiling_point, given.propellant.enthalpy)
    vapour = propellant.vapour_pressure(given.reference.temperature)
    against = given.reference.ambient_pressure + given.reference.arterial_pressure
    if vapour <= against:
        kilopascals = [format_quantity(pressure, "pressure", "kPa", digits=3) for pressure in (vapour, against)]
        rule = "its vapour ({}) does not exceed ambient plus arterial pressure ({})".format(*kilopascals)
        _add(problems, ("pump", "propellant"), rule, "use a propellant that boils lower, e.g. R-11")


def programme(problems: Problems, path: KeyPath, starts: tuple[float, ...]) -> None:
    """Steps in order within a day."""
    for index, start in enumerate(starts):
        if start >= DAY:
            _add(problems, (*path, index, "from"), "the programme repeats each day", "use times below 24 h")
        if index and start <= starts[index - 1]:
            _add(problems, (*path, index, "from"), "the steps must follow each other in time", "sort them")


def fill(problems: Problems, path: KeyPath, given: Fill, into: Pump | None) -> None:
    """What goes into the reservoir, and whether it fits."""
    _drug_amount(problems, path, given)
    if given.dose is not None and "concentration" in given.model_fields_set:
        _add(problems, (*path, "dose"), "dose and concentration say the same twice", "keep one of them", key=True)
    if into is not None and given.volume is not None and given.volume > into.reservoir_volume * (1 + 1e-12):
        capacity = format_quantity(into.reservoir_volume, "volume", digits=4)
        _add(problems, (*path, "volume"), f"the reservoir holds {capacity}", f"fill at most {capacity}")
    if into is not None and given.volume is not None and given.volume <= into.residual_volume:
        residual = format_quantity(into.residual_volume, "volume", digits=4)
        _add(problems, (*path, "volume"), f"no more than the residual volume of {residual}", "fill more")


def _drug_amount(problems: Problems, path: KeyPath, given: Fill | Bolus) -> None:
    for key in ("concentration", "dose", "amount"):
        if getattr(given, key, None) and given.drug is None:
            _add(problems, (*path, key), "no drug is named that it could be of", "add 'drug:', e.g. floxuridine")
    if given.concentration > HEAVIEST_SOLUTION:
        _add(problems, (*path, "concentration"), "no solution holds so much", "check the unit, e.g. mg/mL")


def bolus(problems: Problems, path: KeyPath, given: Bolus, duration: float) -> None:
    """An injection that is stated once and ends within the run."""
    _drug_amount(problems, path, given)
    if given.amount is not None and "concentration" in given.model_fields_set:
        _add(problems, (*path, "amount"), "amount and concentration say the same twice", "keep one of them", key=True)
    if given.amount is not None and given.amount / given.volume > HEAVIEST_SOLUTION:
        _add(problems, (*path, "amount"), "the volume cannot hold so much", "give more volume")
    if given.over is not None and "rate" in given.model_fields_set:
        _add(problems, (*path, "over"), "rate and over say the same twice", "keep one of them", key=True)
    at = problems.document.root["schedule"][path[1]].get("at")
    lasts = given.over if given.over is not None else given.volume / given.rate
    from haiflow.units import parse

    if parse(at, "time") + lasts > duration:
        rule = f"the injection lasts {format_quantity(lasts, 'time', digits=3)} and ends after the run"
        _add(problems, (*path, "volume"), rule, "start earlier, inject faster, or run longer")


def catheter(problems: Problems, given: Catheter) -> None:
    """Walls with a thickness, places that lie on the catheter, and a way out."""
    _walls(problems, ("catheter",), given.inner_diameter, given.outer_diameter, "outer_diameter")
    for index, part in enumerate(given.segments):
        path = ("catheter", "segments", index)
        _walls(problems, path, part.inner_diameter, part.outer_diameter, "outer_diameter")
        inner, outer = part.end_inner_diameter or part.inner_diameter, part.end_outer_diameter or part.outer_diameter
        _walls(problems, path, inner, outer, "end_outer_diameter" if part.end_outer_diameter else "end_inner_diameter")
    _segments_fill_length(problems, given)
    if given.tip_inner_diameter is not None and given.tip_inner_diameter > given.inner_diameter:
        _add(problems, ("catheter", "tip_inner_diameter"), "wider than the lumen", "make it narrower, or leave it out")
    for index, kink in enumerate(given.kinks):
        on_catheter(problems, ("catheter", "kinks", index, "at"), kink.at, given)
    for index, hole in enumerate(given.side_holes):
        path = ("catheter", "side_holes", index)
        on_catheter(problems, (*path, "from_tip"), hole.from_tip, given)
        if hole.diameter > given.inner_diameter:
            _add(problems, (*path, "diameter"), "the hole is wider than the lumen", "make it smaller")
    if given.tip.closed_end and not given.side_holes:
        rule = "a closed end without side holes lets nothing out"
        _add(problems, ("catheter", "tip", "closed_end"), rule, "add 'side_holes:' or open the end")


def _walls(problems: Problems, path: KeyPath, inner: float, outer: float, key: str) -> None:
    if outer <= inner:
        limit = format_quantity(inner, "length", digits=4)
        rule = f"the wall has no thickness: inner {limit}, outer {format_quantity(outer, 'length', digits=4)}"
        _add(problems, (*path, key), rule, "make the outer diameter larger than the inner one")


def _segments_fill_length(problems: Problems, given: Catheter) -> None:
    total = sum(part.length for part in given.segments)
    if given.segments and abs(total - given.length) > LENGTH_TOLERANCE * given.length:
        length = format_quantity(given.length, "length", digits=6)
        rule = f"the segments sum to {format_quantity(total, 'length', digits=6)}, the catheter is {length} long"
        _add(problems, ("catheter", "segments"), rule, "make the lengths agree")


def on_catheter(problems: Problems, path: KeyPath, at: float, given: Catheter) -> None:
    """A place from pump to tip."""
    if at > given.length:
        length = format_quantity(given.length, "length", digits=4)
        _add(problems, path, f"beyond the catheter's end at {length}", f"give a place between 0 and {length}")


def tip(problems: Problems, given: Catheter, network: Network) -> None:
    """The tip lies in a vessel of the network that it fits into."""
    if given.tip.vessel is None:
        rule = "the tip lies in no vessel of the arteries"
        problems.add(("catheter", "tip"), None, rule, "add 'tip: {vessel: gastroduodenal, position: ostium}'")
        return
    lies_in(problems, ("catheter", "tip"), given.tip.vessel, given.tip.position, given, network)


def lies_in(
    problems: Problems, path: KeyPath, vessel: str, position: float | str, given: Catheter, network: Network
) -> None:
    """``vessel`` exists, is long enough for ``position`` and wide enough for the catheter."""
    if vessel not in network.vessels:
        _add(problems, (*path, "vessel"), "no such vessel in the arteries", nearest(vessel, network.vessels))
        return
    length, narrowest = network.vessels[vessel].length, min(network.vessels[vessel].diameter)
    if isinstance(position, float) and length is not None and position > length:
        limit = format_quantity(length, "length", digits=4)
        _add(problems, (*path, "position"), f"beyond the end of {vessel} at {limit}", f"give at most {limit}")
    outer = tip_outer_diameter(given)
    if outer >= narrowest:
        sizes = (format_quantity(size, "length", digits=3) for size in (outer, narrowest))
        catheter_size, vessel_size = sizes
        rule = f"the catheter ({catheter_size}) is wider than its vessel ({vessel_size})"
        _add(problems, (*path, "vessel"), rule, "choose a larger vessel or a thinner catheter")


def tip_outer_diameter(given: Catheter) -> float:
    """m, of the catheter's last piece."""
    if not given.segments:
        return given.outer_diameter
    last = given.segments[-1]
    return last.end_outer_diameter or last.outer_diameter


def _add(problems: Problems, path: KeyPath, rule: str, remedy: str, *, key: bool = False) -> None:
    given = problems.given(path)
    shown = path[-1] if isinstance(given, dict | list) else given
    problems.add(path, shown, rule, remedy, key=key)
