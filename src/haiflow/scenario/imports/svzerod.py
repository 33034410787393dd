"""svZeroDSolver (SimVascular): ``MODEL.json``, a network of lumped elements in CGS units.

A vessel with its length and inertance has a geometry, area ``rho l / L`` and wave speed ``sqrt(A l / (rho C))``; it is
a 1D vessel, and what its resistance has above Poiseuille's a lumped loss. Any other is read as the element it is: a
short wide tube in which blood hardly moves, with R and the stenosis coefficient as a lumped loss, and L and C in its
length and wall. How each key is read: docs/imports.md.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haiflow.errors import InputError, nearest
from haiflow.scenario.imports.draft import Draft, no_directed_cycle, safe_names
from haiflow.scenario.imports.elements import Element, as_vessels
from haiflow.scenario.imports.files import deck_text
from haiflow.scenario.imports.findings import OWN_NUMERICS, OWN_START, Findings
from haiflow.scenario.imports.keys import Keys
from haiflow.scenario.imports.plausible import plausible, within
from haiflow.scenario.imports.svzerod_ends import driven_by, outlet_of
from haiflow.scenario.imports.units import CGS
from haiflow.scenario.imports.waveforms import Cycle
from haiflow.scenario.read import KeyPath

OWN_OUTPUT = "not taken over: haiflow writes the last, periodic cycle of all vessels"
NUMERICS = (
    "number_of_cardiac_cycles", "number_of_time_pts_per_cardiac_cycle", "absolute_tolerance", "rho_infty",
    "maximum_nonlinear_iterations", "steady_initial", "use_cycle_to_cycle_error", "sim_cycle_to_cycle_percent_error",
    "number_of_time_pts", "external_step_size",
)  # fmt: skip
OUTPUT = ("output_variable_based", "output_interval", "output_mean_only", "output_derivative", "output_all_cycles",
          "output_last_cycle_only")  # fmt: skip
NOT_A_NETWORK = ("closed_loop_blocks", "valves", "chambers", "external_solver_coupling_blocks")
JUNCTIONS = ("NORMAL_JUNCTION", "internal_junction", "BloodVesselJunction", "resistive_junction")
VESSELS = ("BloodVessel", "BloodVesselCRL")
RESISTANCE, INERTANCE = CGS.resistance, CGS.resistance
TOO_DEEP = "nested too deeply"


def read(deck: Path, findings: Findings) -> Draft:
    """The network of a svZeroDSolver deck. Raises :class:`InputError`."""
    root = _json(deck)

    def place(path: KeyPath) -> str:
        dotted = ".".join(str(part) for part in path)
        return f"{deck}: {dotted}" if dotted else str(deck)

    top = Keys(root, (), place, findings)
    for key in NOT_A_NETWORK:
        if top.take(key, None):
            rule = "a heart, valve or other solver in the circuit: haiflow has arteries that blood enters at one inlet"
            raise top.error(key, f"{len(top.take(key))} of them", rule, "give the arterial network with a FLOW inlet")
    draft = Draft(deck.stem, f"svZeroDSolver deck {deck.name}", "", Cycle((0.0,), (1.0,), 1.0, 1.0), viscosity=4e-3)
    period = _parameters(draft, top)
    elements = _elements(top, findings)
    _junctions(top, elements, findings)
    ends = _ends(top, elements, findings)
    no_directed_cycle({element.name: (element.start, element.end) for element in elements.values()}, str(deck))
    _boundaries(draft, top, ends, elements, period)
    plausible(draft, str(deck))
    for element in elements.values():
        within("resistance (Pa s/m3)", element.resistance, f"{deck}: {element.name}")
        within("compliance (m3/Pa)", element.compliance, f"{deck}: {element.name}")
        within("quadratic loss (Pa s2/m6)", element.quadratic, f"{deck}: {element.name}")
    draft.vessels = as_vessels(draft, list(elements.values()), findings)
    for key in ("initial_condition", "initial_condition_d", "y", "dy"):
        top.unused(key, OWN_START)
    top.unused("description", "not taken over: the scenario's comments are haiflow's")
    top.rest(("simulation_parameters", "vessels", "junctions", "boundary_conditions"))
    findings.add("units", "none in the file", "read as CGS: cm, dyn s/cm5, cm5/dyn")
    return draft


def _json(deck: Path) -> dict[str, Any]:
    text = deck_text(deck, str(deck))
    try:
        root = json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, str(deck)), parse_constant=_refused)
    except json.JSONDecodeError as error:
        place = f"{deck}:{error.lineno}:{error.colno}"
        raise InputError(place, "JSON", f"not valid JSON ({error.msg})", "complete or correct the file") from None
    except (RecursionError, ValueError) as error:
        rule = TOO_DEEP if isinstance(error, RecursionError) else str(error)
        raise InputError(str(deck), "JSON", f"not valid JSON ({rule})", "complete or correct the file") from None
    if not isinstance(root, dict):
        raise InputError(str(deck), "JSON", "a deck is an object of keys", "give the deck of svZeroDSolver")
    return root


def _once(pairs: list[tuple[str, Any]], deck: str) -> dict[str, Any]:
    twice = next((key for key, count in Counter(key for key, _ in pairs).items() if count > 1), None)
    if twice is not None:
        raise InputError(deck, f"'{twice[:40]}'", "the key stands twice in one object", "keep one of them")
    return dict(pairs)


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")


def _parameters(draft: Draft, top: Keys) -> float | None:
    """Blood, and the period of the heart where it is given."""
    keys = top.section("simulation_parameters")
    if keys.flag("coupled_simulation", default=False):
        raise keys.error("coupled_simulation", True, "the inlet is another solver's", "give a deck with a FLOW inlet")
    for key, attribute, scale in (("density", "density", CGS.density), ("viscosity", "viscosity", CGS.viscosity)):
        given = keys.number(key, None, above=0.0)
        if given is not None:
            setattr(draft, attribute, scale * given)
    for key in NUMERICS:
        keys.unused(key, OWN_NUMERICS)
    for key in OUTPUT:
        keys.unused(key, OWN_OUTPUT)
    draft.name = keys.text("model_name", draft.name)
    period = keys.number("cardiac_period", None, above=0.0)
    keys.rest((*NUMERICS, *OUTPUT, "cardiac_period", "density", "viscosity"))
    return None if period is None else float(period)


def _elements(top: Keys, findings: Findings) -> dict[int, Element]:
    """The vessels by ID."""
    vessels = top.sections("vessels")
    if not vessels:
        raise top.error("vessels", "nothing", "the network has no vessel", "list its vessels")
    labels = [keys.text("vessel_name") for keys in vessels]
    twice = next((label for label, count in Counter(labels).items() if count > 1), None)
    if twice is not None:
        raise top.error("vessels", twice, "two vessels have this vessel_name", "name each vessel differently")
    names = safe_names(labels, findings, "vessel_name")
    found: dict[int, Element] = {}
    for keys, label in zip(vessels, labels, strict=True):
        keys.where = label
        number = keys.whole("vessel_id")
        if number in found:
            raise keys.error("vessel_id", number, "two vessels have this ID", "number each vessel differently")
        kind = keys.text("zero_d_element_type")
        if kind not in VESSELS:
            raise keys.error("zero_d_element_type", kind, "not an element that haiflow has", nearest(kind, VESSELS))
        if kind != "BloodVessel":
            findings.add("zero_d_element_type", kind, "its capacitor stands before the resistance", label)
        found[number] = _element(keys, names[label])
        found[number].capacitor_first = kind == "BloodVesselCRL"
    return found


def _element(keys: Keys, name: str) -> Element:
    values = keys.section("zero_d_element_values", where=keys.where)
    length = keys.number("vessel_length", None, above=0.0)
    if "R_poiseuille" not in values:
        values.findings.add("R_poiseuille", "not given", "taken as 0: the vessel resists nothing", name)
    element = Element(
        name,
        resistance=RESISTANCE * values.number("R_poiseuille", 0.0, at_least=0.0),
        inertance=INERTANCE * values.number("L", 0.0, at_least=0.0),
        compliance=CGS.compliance * values.number("C", 0.0, at_least=0.0),
        quadratic=CGS.quadratic * values.number("stenosis_coefficient", 0.0, at_least=0.0),
        length=None if length is None else CGS.length * length,
    )
    values.rest(("R_poiseuille", "L", "C", "stenosis_coefficient"))
    return element


def _junctions(top: Keys, elements: dict[int, Element], findings: Findings) -> None:
    """Nodes where vessels meet; a junction's own resistances become elements of their own."""
    junctions = top.sections("junctions", [])
    labels = [keys.text("junction_name") for keys in junctions]
    twice = next((label for label, count in Counter(labels).items() if count > 1), None)
    if twice is not None:
        raise top.error("junctions", twice, "two junctions have this junction_name", "name each junction differently")
    names = safe_names(labels, findings, "junction_name")
    for keys in junctions:
        label = keys.where = keys.text("junction_name")
        kind = keys.text("junction_type", JUNCTIONS[0])
        if kind not in JUNCTIONS:
            raise keys.error("junction_type", kind, "not a junction that haiflow has", nearest(kind, JUNCTIONS))
        ends = [(number, "end") for number in _numbers(keys, "inlet_vessels", elements)]
        ends += [(number, "start") for number in _numbers(keys, "outlet_vessels", elements)]
        for number, end in ends:
            if getattr(elements[number], end):
                raise keys.error(f"{'inlet' if end == 'end' else 'outlet'}_vessels", number,
                                 f"the vessel's {end} lies in two junctions", "keep one of them")  # fmt: skip
            setattr(elements[number], end, names[label])
        if kind == "resistive_junction" and "R" not in keys.section("junction_values", {}, where=label):
            rule = "a resistive junction has a resistance for each of its vessels"
            raise keys.error("junction_values", "no R", rule, "give R, or make it a NORMAL_JUNCTION")
        if "junction_values" in keys:
            own = keys.section("junction_values", where=label)
            _own_resistances(own, kind, names[label], ends, elements)
        keys.unused("areas", "not taken over: total pressure is common at a junction")
        keys.rest(("junction_name", "junction_type", "inlet_vessels", "outlet_vessels", "junction_values"))


def _numbers(keys: Keys, name: str, elements: Mapping[int, Element]) -> list[int]:
    given = keys.take(name)
    if not isinstance(given, list):
        raise keys.error(name, given, "must be a list of vessel IDs", "write e.g. [0, 1]")
    for number in given:
        if isinstance(number, bool) or not isinstance(number, int) or number not in elements:
            raise keys.error(name, number, "no vessel has this ID", nearest(str(number), map(str, elements)))
    return given


def _own_resistances(
    values: Keys, kind: str, node: str, ends: list[tuple[int, str]], elements: dict[int, Element]
) -> None:
    """A resistive junction has one resistance an end, a BloodVesselJunction R, L and a coefficient an outlet."""
    name = "R" if kind == "resistive_junction" else "R_poiseuille"
    members = ends if kind == "resistive_junction" else [pair for pair in ends if pair[1] == "start"]
    lists = {key: _list(values, key, len(members)) for key in (name, "L", "stenosis_coefficient")}
    values.unused("C", "not taken over: a junction has no compliance")
    values.rest((name, "L", "stenosis_coefficient", "C"))
    for place, (number, end) in enumerate(members):
        linear, inertance, quadratic = (lists[key][place] for key in (name, "L", "stenosis_coefficient"))
        if linear or inertance or quadratic:
            inner = f"{node} {elements[number].name}"[:70]
            setattr(elements[number], end, inner)
            start, stop = (inner, node) if end == "end" else (node, inner)
            extra = Element(f"{inner} loss", RESISTANCE * linear, INERTANCE * inertance, 0.0, CGS.quadratic * quadratic)
            extra.start, extra.end = start, stop
            elements[-len(elements) - 1] = extra


def _list(values: Keys, key: str, count: int) -> list[float]:
    given = values.take(key, [0.0] * count)
    given = given if isinstance(given, list) else [given] * count
    if len(given) != count:
        raise values.error(key, len(given), f"the junction needs {count} values", "give one a vessel")
    return [values.checked(key, value, at_least=0.0) for value in given]


def _ends(top: Keys, elements: dict[int, Element], findings: Findings) -> list[tuple[Element, str, str, Keys]]:
    """(element, "inlet" or "outlet", boundary condition, keys) of each free end; every end must be joined or free."""
    found: list[tuple[Element, str, str, Keys]] = []
    joints = {node for element in elements.values() for node in (element.start, element.end)}
    names = safe_names([keys.text("bc_name") for keys in top.sections("boundary_conditions")], findings, "bc_name")
    for keys in top.sections("vessels"):
        element = elements[keys.whole("vessel_id")]
        where = keys.where = keys.text("vessel_name")
        given = keys.section("boundary_conditions", {}, where=where)
        for side, end in (("inlet", "start"), ("outlet", "end")):
            name = given.text(side, None)
            if name is not None and getattr(element, end):
                raise given.error(side, name, "this end lies in a junction already", "keep one of the two")
            if name is None and not getattr(element, end):
                rule = f"the vessel's {side} has neither a junction nor a boundary condition"
                raise keys.error("boundary_conditions", element.name, rule, f"give its '{side}'")
            if name is not None:
                free = names.get(name, "") not in {"", *joints} and all(name != other for _, _, other, _ in found)
                setattr(element, end, names[name] if free else f"{element.name} {side}"[-80:])
                found.append((element, side, name, given))
        given.rest(("inlet", "outlet"))
        for key in ("vessel_length", "zero_d_element_type", "zero_d_element_values"):
            keys.take(key, None)
        keys.rest(("vessel_id", "vessel_name", "vessel_length", "zero_d_element_type", "zero_d_element_values"))
    return found


def _boundaries(
    draft: Draft, top: Keys, ends: list[tuple[Element, str, str, Keys]], elements: dict[int, Element],
    period: float | None,
) -> None:  # fmt: skip
    """The inlet and the outlets, by the boundary conditions at the free ends."""
    known: dict[str, Keys] = {}
    for keys in top.sections("boundary_conditions"):
        keys.where = keys.text("bc_name")
        if keys.where in known:
            raise keys.error("bc_name", keys.where, "two boundary conditions have this name", "name each differently")
        known[keys.where] = keys
    inlets = []
    for element, side, name, given in ends:
        if name not in known:
            raise given.error(side, name, "no such boundary condition", nearest(name, known))
        node = element.start if side == "inlet" else element.end
        if side == "inlet" and known[name].text("bc_type") in ("FLOW", "PRESSURE"):
            inlets.append((node, known[name]))
        else:
            draft.outlets[node] = outlet_of(known[name])
    if not inlets:
        rule = "no vessel has a FLOW or PRESSURE at its inlet"
        raise top.error("boundary_conditions", "nothing", rule, "give the boundary condition where blood enters")
    driven_by(draft, inlets, period)
    for name, keys in known.items():
        if all(name != used for _, _, used, _ in ends):
            top.findings.add("boundary_conditions", name, "not taken over: no vessel names it")
        else:
            keys.rest(("bc_name", "bc_type", "bc_values"))
