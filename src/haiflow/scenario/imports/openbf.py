"""openBF (Melis 2017; Julia): ``MODEL.yml`` with its inlet file, in SI. Keys of version 1 (``inlet``, ``outlet``, names
with spaces) and of version 2 (``inlet_file`` at the top, node 1 the inlet, outlets by their values) are both read.

Its tube law ``p = Pext + beta (sqrt(A / A0) - 1)``, ``beta = 4/3 E h / R``, is haiflow's with the radius given at the
pressure ``Pext``. A taper is a linear radius from ``Rp`` to ``Rd``. How each key is read: docs/imports.md.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from math import exp, pi, sqrt
from pathlib import Path

from haiflow.errors import InputError
from haiflow.scenario.imports.draft import (
    PARABOLA,
    Draft,
    DraftVessel,
    bounded_profile,
    common_cell_length,
    no_directed_cycle,
    positive_mean,
    safe_names,
)
from haiflow.scenario.imports.files import beside, deck_text
from haiflow.scenario.imports.findings import OWN_NUMERICS, OWN_START, Findings
from haiflow.scenario.imports.keys import Keys
from haiflow.scenario.imports.openbf_ends import outlet
from haiflow.scenario.imports.outlets import second_inlet
from haiflow.scenario.imports.tables import two_columns
from haiflow.scenario.imports.waveforms import Cycle, cycle
from haiflow.scenario.read import Document, read_text

ALIASES = {
    "project name": "project_name", "inlet file": "inlet_file", "inlet number": "inlet_number",
    "gamma profile": "gamma_profile", "convergence tolerance": "convergence_tolerance", "R0p": "Rp", "R0d": "Rd",
    "visco_elastic": "visco-elastic", "viscoelastic": "visco-elastic", "write results": "write_results",
}  # fmt: skip
KNOWN = (
    "project_name", "inlet_file", "blood", "solver", "network", "label", "sn", "tn", "L", "E", "R0", "Rp", "Rd", "h0",
    "M", "Pext", "Pout", "gamma_profile", "phi", "R1", "R2", "Cc", "Rt", "inlet_impedance_matching", "outlet", "inlet",
)  # fmt: skip
OWN_OUTPUT = "not taken over: haiflow writes all vessels and quantities"
OTHER_END = "not taken over: the vessel ends in another kind of outlet"
NO_END = "not taken over: the vessel ends where others begin"
AVOLIO = (0.2802, -5.053e2, 0.1324, -0.1114e2)  # h0(R), Avolio 1980, Med Biol Eng Comput 18:709
VISCOELASTIC = (0.6, 1.5e-3)  # Pa s m, Pa s m2: openBF's wall for 'visco-elastic: true', b0 + b1 / (2 R)
PLUG = 9.0  # default of version 1; that of version 2 is the parabola
SOLVER = ("Ccfl", "cycles", "jump", "convergence_tolerance")
ENDS = ("R1", "R2", "Cc", "Rt", "Pout", "outlet", "inlet_impedance_matching")


def read(deck: Path, findings: Findings) -> Draft:
    """The network of an openBF deck. Raises :class:`InputError`."""
    document = _document(deck)
    top = Keys(document.root, (), document.place, findings, aliases=ALIASES)
    blood = top.section("blood")
    density, viscosity = blood.number("rho", above=0.0), blood.number("mu", above=0.0)
    blood.unused("Cf", "not taken over: friction follows from mu and gamma_profile")
    blood.rest(("rho", "mu"))
    vessels = [_named(keys) for keys in top.sections("network", aliases=ALIASES)]
    if not vessels:
        raise InputError(document.place(("network",)), "nothing", "the network has no vessel", "list its vessels")
    name = top.text("project_name", deck.stem)
    old = any("inlet" in keys for keys in vessels)
    draft = Draft(name, f"openBF deck {deck.name}", "", Cycle((0.0,), (1.0,), 1.0, 1.0), density=density,
                  viscosity=viscosity)  # fmt: skip
    _vessels(draft, vessels, findings)
    _inlets(draft, deck, top, vessels, old, findings)
    _outlets(draft, vessels, findings)
    _profile(draft, vessels, PLUG if old else PARABOLA, findings)
    _cells(draft, vessels, findings)
    _solver(top)
    for keys in vessels:
        keys.unused("to_save", OWN_OUTPUT)
        for key in ("initial_pressure", "initial_flow"):
            keys.unused(key, OWN_START)
        keys.rest(KNOWN)
    top.unused("write_results", OWN_OUTPUT)
    top.unused("output_directory", OWN_OUTPUT)
    top.rest(KNOWN)
    return draft


def _document(deck: Path) -> Document:
    try:
        return read_text(deck_text(deck, str(deck)), str(deck))
    except InputError as error:  # the reader speaks of scenarios
        rule = error.rule.replace("a scenario", "an openBF deck")
        remedy = error.remedy.replace("start with 'haiflow: 1'", "start with 'project_name:'")
        raise InputError(error.place, error.value, rule, remedy) from None


def _named(keys: Keys) -> Keys:
    keys.where = keys.text("label")
    return keys


def _solver(top: Keys) -> None:
    if "solver" not in top:
        return
    solver = top.section("solver", aliases=ALIASES)
    for key in SOLVER:
        value = solver.number(key, None, above=0.0)
        if value is not None:
            solver.findings.add(f"solver.{key}", value, OWN_NUMERICS)
    solver.rest(SOLVER)


def _vessels(draft: Draft, vessels: list[Keys], findings: Findings) -> None:
    labels = [keys.where for keys in vessels]
    twice = next((label for label, count in Counter(labels).items() if count > 1), None)
    if twice is not None:
        second = [keys for keys in vessels if keys.where == twice][1]
        raise second.error("label", twice, "two vessels have this label", "name each vessel differently")
    names = safe_names(labels, findings, "label")
    edges = {}
    for keys in vessels:
        start, end = f"n{keys.whole('sn')}", f"n{keys.whole('tn')}"
        if start == end:
            raise keys.error("tn", end[1:], "the vessel ends where it starts", "give it two different nodes")
        edges[keys.where] = (start, end)
        vessel = DraftVessel(names[keys.where], start, end, keys.number("L", above=0.0), _radii(keys))
        _wall(vessel, keys)
        draft.vessels.append(vessel)
    no_directed_cycle(edges, vessels[0].place(("network",)))


def _radii(keys: Keys) -> tuple[float, float]:
    """Diameters (m) at start and end: of R0, or of Rp and Rd."""
    if "Rp" in keys:
        start = keys.number("Rp", above=0.0)
        end = keys.number("Rd", start, above=0.0)
        keys.unused("R0", "not taken over: Rp and Rd give the radius")
    elif "Rd" in keys and "R0" not in keys:
        raise keys.error("Rd", keys.take("Rd"), "Rp is missing", "give Rp and Rd, or R0")
    else:
        start = end = keys.number("R0", above=0.0)
        keys.unused("Rd", "not taken over: R0 gives the radius")
    keys.unused("Rc", "not taken over: flow round a catheter is not modelled, the lumen is open")
    return 2.0 * start, 2.0 * end


def _wall(vessel: DraftVessel, keys: Keys) -> None:
    radius = tuple(0.5 * d for d in vessel.diameter)
    vessel.modulus = keys.number("E", above=0.0)
    given = keys.number("h0", None, at_least=0.0)
    if given:
        vessel.thickness = (given, given)
    else:
        a, b, c, d = AVOLIO
        vessel.thickness = (radius[0] * (a * exp(b * radius[0]) + c * exp(d * radius[0])),
                            radius[1] * (a * exp(b * radius[1]) + c * exp(d * radius[1])))  # fmt: skip
        keys.findings.add("h0", given, "taken from the radius at either end, by openBF's formula (Avolio 1980)",
                          keys.where)  # fmt: skip
    outside = keys.number("Pext", 0.0)
    stiff = [4.0 / 3.0 * vessel.modulus * h / r for h, r in zip(vessel.thickness, radius, strict=True)]
    if outside:
        vessel.reference_pressure = outside
        if outside >= 0.95 * min(stiff):
            rule = f"a wall this soft cannot carry it: E h and the radius allow {0.95 * min(stiff):.4g} Pa"
            raise keys.error("Pext", outside, rule, "check E, h0, the radius and their units (SI)")
        if vessel.diameter[0] != vessel.diameter[1]:
            keys.findings.add("Pext", outside, "exact at both ends of a tapered vessel, the radius linear in between",
                              keys.where)  # fmt: skip
    _wall_viscosity(vessel, keys)


def _wall_viscosity(vessel: DraftVessel, keys: Keys) -> None:
    """``phi`` (Pa s) of a Kelvin-Voigt wall; with ``visco-elastic`` openBF's own coefficient, as such a viscosity."""
    assert vessel.thickness is not None
    own = keys.flag("visco-elastic", default=False)
    if own:
        keys.unused("phi", "not taken over: visco-elastic has openBF's own coefficient")
    phi = keys.number("phi", 0.0, at_least=0.0)
    if own:
        b0, b1 = VISCOELASTIC
        radius, thickness = 0.25 * sum(vessel.diameter), 0.5 * sum(vessel.thickness)
        phi = 1.5 * (b0 + 0.5 * b1 / radius) / (sqrt(pi) * thickness)
    vessel.wall_viscosity = phi or None


def _inlets(draft: Draft, deck: Path, top: Keys, vessels: list[Keys], old: bool, findings: Findings) -> None:
    ends = {vessel.end for vessel in draft.vessels}
    sources = list(dict.fromkeys(vessel.start for vessel in draft.vessels if vessel.start not in ends))
    if old:
        inlets = [(keys, vessel) for keys, vessel in zip(vessels, draft.vessels, strict=True) if "inlet" in keys]
        inlets.sort(key=lambda pair: pair[0].number("inlet_number", 1.0))
        for number, (keys, vessel) in enumerate(inlets):
            _inlet(draft, deck, keys, vessel.start, first=number == 0, findings=findings)
    else:
        draft.inlet = "n1" if "n1" in sources else sources[0]
        if draft.inlet != "n1":
            findings.add(
                "inlet node", draft.inlet[1:], "openBF's inlet is node 1; here blood enters where no vessel ends"
            )
        name = top.text("inlet_file", f"{top.text('project_name', deck.stem)}_inlet.dat")
        draft.cycle = _table(deck, name, top.place(("inlet_file",)), "flow", findings)
    top.unused("inlet_file", "not taken over: the inlet vessel names its own")
    lost = [node for node in sources if node != draft.inlet and node not in draft.outlets]
    if lost:
        rule = "blood enters at one node, and no inlet is given for this one"
        remedy = "turn the vessel round, or give it 'inlet: Q' and 'inlet file:'"
        raise InputError(top.place(("network",)), ", ".join(node[1:] for node in lost[:6]), rule, remedy)


def _inlet(draft: Draft, deck: Path, keys: Keys, node: str, *, first: bool, findings: Findings) -> None:
    """One inlet of version 1: the first drives the network, a second one lets its mean flow (or pressure) in."""
    kind = keys.text("inlet").upper()
    if kind not in ("Q", "P"):
        raise keys.error(
            "inlet", kind, "an inlet is Q or P", "write 'inlet: Q' for a flow rate, 'inlet: P' for a pressure"
        )
    driven = "flow" if kind == "Q" else "pressure"
    table = _table(deck, keys.text("inlet_file"), keys.place((*keys.path, "inlet_file")), driven, findings)
    if first:
        draft.inlet, draft.driven, draft.cycle = node, driven, table
        if driven == "pressure":
            findings.add(
                "inlet", kind, "haiflow holds the total pressure at an inlet, openBF the static one", keys.where
            )
    else:
        draft.outlets[node] = second_inlet(driven, table.mean)
        findings.add(
            "inlet", kind, f"a second inlet: its mean of {table.mean:.6g} enters, its pulse is left out", keys.where
        )


def _table(deck: Path, name: str, place: str, driven: str, findings: Findings) -> Cycle:
    file = beside(deck, name, place)
    shown = str(deck.parent / name)
    times, values = two_columns(deck_text(file, shown), shown, findings)
    if times and times[0] != 0.0:
        findings.add("inlet file", times[0], "the first time is not 0: the cycle starts there")
    found = cycle(times, values, shown, findings, "inlet file")
    return positive_mean(found, shown, "inlet's flow rate" if driven == "flow" else "inlet's pressure")


def _outlets(draft: Draft, vessels: list[Keys], findings: Findings) -> None:
    meeting = Counter(node for vessel in draft.vessels for node in (vessel.start, vessel.end))
    for keys, vessel in zip(vessels, draft.vessels, strict=True):
        if meeting[vessel.end] == 1:
            draft.outlets[vessel.end] = outlet(keys, vessel, draft.density)
        for key in ENDS:
            keys.unused(key, OTHER_END if meeting[vessel.end] == 1 else NO_END)


def _profile(draft: Draft, vessels: list[Keys], default: float, findings: Findings) -> None:
    """One exponent for all vessels: the one along most of the network's length."""
    given = [keys.number("gamma_profile", default, above=0.0) for keys in vessels]
    along: defaultdict[float, float] = defaultdict(float)  # m
    for exponent, vessel in zip(given, draft.vessels, strict=True):
        along[exponent] += vessel.length
    draft.velocity_profile = bounded_profile(max(along, key=along.__getitem__), "gamma_profile", findings)
    for keys, exponent in zip(vessels, given, strict=True):
        if "gamma_profile" not in keys:
            consequence = f"taken as {default:g}, the default of this version of openBF"
            findings.add("gamma_profile", None, consequence, keys.where)
        if exponent != draft.velocity_profile:
            consequence = (
                f"not taken over: haiflow has one velocity profile, here {draft.velocity_profile:g}, and its friction"
            )
            findings.add("gamma_profile", exponent, consequence, keys.where)
    zeta = draft.velocity_profile
    consequence = f"friction as in openBF; momentum is weighted by {(zeta + 2) / (zeta + 1):.4g} where openBF takes 1"
    findings.add("gamma_profile", zeta, consequence)


def _cells(draft: Draft, vessels: list[Keys], findings: Findings) -> None:
    """``M`` cells a vessel: the finest of them sets the length of all cells, within bounds."""
    given = [
        (keys, vessel, count)
        for keys, vessel in zip(vessels, draft.vessels, strict=True)
        if (count := keys.whole("M", None)) is not None
    ]
    for keys, _, count in given:
        if count < 1:
            raise keys.error("M", count, "must be above 0", "give the number of cells")
    if not given:
        return
    draft.cell_length = common_cell_length(vessel.length / count for _, vessel, count in given)
    for keys, _, count in given:
        consequence = f"the cells of all vessels are about {1e3 * draft.cell_length:.3g} mm long instead"
        findings.add("M", count, consequence, keys.where)
