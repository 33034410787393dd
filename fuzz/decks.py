"""Decks of other programs: small sound ones written here, and changes of them that know what a deck is.

Values, keys that are lost or stand twice, references between vessels (rings among them), counts in their thousands,
tables of another length, and then what happens to any text or any bytes.
"""

from __future__ import annotations

import copy
import json
import math
import random
from pathlib import Path as File
from typing import Any

import yaml

from fuzz.grammar import ODD, holder, repeated, scaled
from fuzz.texts import damaged, disturbed, inflated

DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
Root = dict[str, Any]


def _pulse(mean: float) -> tuple[list[float], list[float]]:
    """Times and values of a pulsating flow over a second."""
    times = [k / 20.0 for k in range(21)]
    return times, [round(mean * (1.0 + 0.6 * math.sin(2.0 * math.pi * t)), 12) for t in times]


def _table(mean: float) -> str:
    return "".join(f"{t:.6g} {q:.10g}\n" for t, q in zip(*_pulse(mean), strict=True))


_PARENT = {"label": "parent", "sn": 1, "tn": 2, "L": 8e-2, "E": 5e5, "h0": 6e-4}
_BED = {"R1": 3e8, "R2": 3e9, "Cc": 1e-10}
_LEFT = {"label": "left", "sn": 2, "tn": 3, "L": 6e-2, "E": 7e5, "R0": 2.8e-3, "h0": 4e-4} | _BED
_RIGHT = {"label": "right", "sn": 2, "tn": 4, "L": 5e-2, "E": 7e5, "R0": 2.5e-3, "h0": 4e-4}
OPENBF: tuple[Root, ...] = (
    {"project_name": "fork", "inlet_file": "inflow.dat", "write_results": ["P", "Q"],
     "blood": {"rho": 1060.0, "mu": 4e-3},
     "solver": {"Ccfl": 0.9, "cycles": 10, "jump": 100, "convergence_tolerance": 1.0},
     "network": [_PARENT | {"Rp": 4e-3, "Rd": 3.5e-3, "gamma_profile": 2, "M": 20, "to_save": True},
                 _LEFT | {"Pout": 1e3}, _RIGHT | {"Rt": 0.6, "phi": 300.0}]},
    {"project name": "old", "blood": {"rho": 1060.0, "mu": 4e-3, "Cf": 22.0},
     "solver": {"Ccfl": 0.9, "cycles": 10, "convergence tolerance": 5.0, "jump": 100},
     "network": [_PARENT | {"R0p": 4e-3, "R0d": 3.5e-3, "inlet": "Q", "inlet file": "inflow.dat", "inlet number": 1},
                 _LEFT | {"outlet": "wk3", "Pext": 9e3}, _RIGHT | {"outlet": "reflection", "Rt": 0.5}]},
    {"project_name": "ring", "inlet_file": "inflow.dat", "blood": {"rho": 1060.0, "mu": 4e-3},
     "network": [_PARENT | {"R0": 4e-3}, _LEFT | {"visco-elastic": True}, _RIGHT | {"tn": 5},
                 _RIGHT | {"label": "over", "sn": 5, "tn": 3, "h0": 0, "phi": 100.0},
                 _RIGHT | _BED | {"label": "end", "sn": 3, "tn": 6, "inlet_impedance_matching": True}]},
)  # fmt: skip


def _vessel(number: int, length: float, **more: Any) -> Root:
    values = {"R_poiseuille": 150.0, "C": 1e-5, "L": 1.0, "stenosis_coefficient": 0.0}
    named = {"vessel_id": number, "vessel_name": f"v{number}", "vessel_length": length}
    return named | {"zero_d_element_type": "BloodVessel", "zero_d_element_values": values} | more


def _bed(name: str, kind: str, **values: Any) -> Root:
    return {"bc_name": name, "bc_type": kind, "bc_values": values}


_TIMES, _FLOWS = _pulse(5.0)
SVZEROD: tuple[Root, ...] = (
    {"simulation_parameters": {"number_of_cardiac_cycles": 3, "number_of_time_pts_per_cardiac_cycle": 51,
                               "density": 1.06, "viscosity": 0.04, "cardiac_period": 1.0},
     "vessels": [_vessel(0, 5.0, boundary_conditions={"inlet": "IN"}),
                 _vessel(1, 6.0, boundary_conditions={"outlet": "A"}),
                 _vessel(2, 4.0, boundary_conditions={"outlet": "B"})],
     "junctions": [{"junction_name": "J0", "junction_type": "NORMAL_JUNCTION", "inlet_vessels": [0],
                    "outlet_vessels": [1, 2]}],
     "boundary_conditions": [_bed("IN", "FLOW", t=_TIMES, Q=_FLOWS),
                             _bed("A", "RCR", Rp=100.0, C=1e-4, Rd=1000.0, Pd=0.0),
                             _bed("B", "RESISTANCE", R=900.0, Pd=50.0)]},
    {"simulation_parameters": {},
     "vessels": [_vessel(0, 5.0, boundary_conditions={"inlet": "IN"}, zero_d_element_type="BloodVesselCRL"),
                 _vessel(1, 6.0, boundary_conditions={"outlet": "A"}),
                 _vessel(2, 6.0, boundary_conditions={"outlet": "B"})],
     "junctions": [{"junction_name": "J0", "junction_type": "BloodVesselJunction", "inlet_vessels": [0],
                    "outlet_vessels": [1, 2], "junction_values": {"R_poiseuille": [5.0, 6.0], "L": [0.0, 0.0],
                                                                  "stenosis_coefficient": [1e-3, 0.0]}}],
     "boundary_conditions": [_bed("IN", "PRESSURE", P=1.2e5), _bed("A", "PRESSURE", P=1e4),
                             _bed("B", "CORONARY", Ra1=100.0, Ra2=200.0, Rv1=300.0, Ca=1e-5, Cc=1e-5, t=[0.0, 1.0],
                                  Pim=[1e3, 1e3], P_v=0.0)]},
)  # fmt: skip

SVONED = (
    """# a tube that forks
MODEL fork_
NODE 0 0.0 0.0 0.0
NODE 1 0.0 0.0 -8.0
NODE 2 0.0 -3.0 -14.0
NODE 3 0.0 3.0 -14.0
JOINT J1 1 INS OUTS
JOINTINLET INS 1 0
JOINTOUTLET OUTS 2 1 2
SEGMENT trunk 0 8.0 20 0 1 2.0 1.8 0.0 MAT NONE 0.0 0 0 NOBOUND NONE
SEGMENT left 1 6.0 20 1 2 1.0 1.0 0.0 MAT STENOSIS 0.0 0 0 RCR RCRDATA
SEGMENT right 2 6.0 20 1 3 0.9 0.8 0.0 SOFT NONE 0.0 0 0 RESISTANCE RDATA
DATATABLE RCRDATA LIST
0.0 500.0
0.0 2.0e-5
0.0 20000.0
0.0 1000.0
ENDDATATABLE
DATATABLE RDATA LIST
0.0 15000.0
ENDDATATABLE
INCLUDE inflow.in TRUE
SOLVEROPTIONS 0.001 10 1000 2 FLOWDATA FLOW 1.0e-8 1 1
MATERIAL MAT LINEAR 1.06 0.04 5000.0 2.0 2.0e6
MATERIAL SOFT OLUFSEN 1.06 0.04 5000.0 2.0 2.0e7 -22.5267 8.65e5
OUTPUT TEXT
""",
)


def _places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a deck below its root."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in ((*path, key), *_places(inner, (*path, key)))]


def _changed(root: Root, chance: random.Random) -> None:
    """One change of a deck of keys, in place."""
    places = _places(root)
    if not places:
        return
    path, other = chance.choice(places), chance.choice(places)
    inside, key = holder(root, path), path[-1]
    act = chance.choice(
        ("odd", "scale", "scale", "copy", "copy", "drop", "drop", "rename", "add", "many", "twice", "refer")
    )
    if act == "odd":
        inside[key] = copy.deepcopy(chance.choice(ODD))
    elif act == "scale":
        inside[key] = scaled(inside[key], chance)
    elif act == "copy":
        inside[key] = copy.deepcopy(holder(root, other)[other[-1]])
    elif act == "drop":
        del inside[key]
    elif act == "rename" and isinstance(inside, dict):
        inside[chance.choice((f"{key}s", str(key).upper(), str(other[-1])))] = inside.pop(key)
    elif act == "many" and isinstance(inside[key], list):
        inside[key] = repeated(inside[key], chance)
    elif act == "twice" and isinstance(inside, list):
        inside.insert(key, copy.deepcopy(inside[key]))
    elif act == "refer":
        _referred(root, places, chance)
    else:
        inside[key] = chance.choice((str(inside[key])[:50], [inside[key]], {"x": inside[key]}, None))


def _referred(root: Root, places: list[tuple[str | int, ...]], chance: random.Random) -> None:
    """A name, a node or a number of one vessel where another's stands: rings, twins, and references to nothing."""
    names = ("sn", "tn", "label", "vessel_id", "vessel_name", "inlet", "outlet", "bc_name", "inlet_vessels",
             "outlet_vessels", "inlet_file", "inlet file")  # fmt: skip
    found = [path for path in places if path[-1] in names or (len(path) > 1 and path[-2] in names)]
    if not found:
        return
    path, other = chance.choice(found), chance.choice(found)
    value = holder(root, other)[other[-1]]
    holder(root, path)[path[-1]] = chance.choice(
        (copy.deepcopy(value), value, -1, 0, 10**6, 10**18, "gone", "../x.dat")
    )


def _card_changed(lines: list[str], chance: random.Random) -> None:
    """One change of a svOneDSolver deck, in place: a word of a card, a card, or very many of them."""
    at = chance.randrange(len(lines))
    words, other = lines[at].split(), chance.choice(lines).split()
    act = chance.choice(("word", "word", "word", "borrow", "drop", "lose", "add", "twice", "many", "rename"))
    spot = chance.randrange(len(words)) if words else 0
    if act in ("word", "borrow", "drop") and words:
        odd = ("nan", "inf", "-1", "0", "1e308", "1e400", "9" * 30, "x" * 3000, "-3.5", "1e-320", "ü", "MAT", "../x")
        words[spot : spot + 1] = [] if act == "drop" else [chance.choice(other or ["x"] if act == "borrow" else odd)]
        lines[at] = " ".join(words)
    elif act == "add":
        lines[at] += f" {chance.choice(other or ['0'])}"
    elif act == "lose" and len(lines) > 1:
        del lines[at]
    elif act == "rename" and words:
        lines[at] = " ".join([chance.choice(("SEGMENTS", "NODE", "JOINT", "ENDDATATABLE", "DATATABLE")), *words[1:]])
    elif act == "many":
        count = chance.choice((30, 300, 3000, 30_000))
        numbered = len(words) > 2 and words[0] in ("NODE", "SEGMENT", "JOINT")
        made = (" ".join([words[0], f"x{k}", *([str(k + 9), *words[3:]] if words[0] == "SEGMENT" else words[2:])])
                for k in range(count)) if numbered else [lines[at]] * count  # fmt: skip
        lines[at:at] = made
    else:
        lines.insert(at, lines[at])


def _spoilt(data: bytes, chance: random.Random) -> bytes:
    """Now and then, what happens to a text, to its numbers or to its bytes."""
    act = chance.choice(("none", "none", "none", "none", "text", "numbers", "bytes", "junk"))
    if act == "text":
        return disturbed(data.decode("utf-8", "replace"), chance)
    if act == "numbers":
        return inflated(data, chance)
    if act == "bytes":
        return damaged(data, chance)
    return bytes(chance.randrange(256) for _ in range(chance.choice((0, 1, 64, 5000)))) if act == "junk" else data


def _inflow(folder: File, name: str, text: str, chance: random.Random) -> None:
    """The file that a deck names: mostly sound, else spoilt, very long, a link, or not there."""
    act, path = chance.choice(("sound",) * 6 + ("spoilt", "long", "gone", "link")), folder / name
    if act == "gone":
        return
    if act == "link":
        path.symlink_to(chance.choice(("/dev/zero", "/etc/passwd", name, ".")))
        return
    text = text.rstrip("\n") + "\n" + "1.5 2.5\n" * chance.choice((0, 1, 5000, 50_000)) if act == "long" else text
    path.write_bytes(_spoilt(text.encode(), chance) if act == "spoilt" else text.encode())


def _keyed(deck: Root, chance: random.Random) -> Root:
    root = copy.deepcopy(deck)
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        _changed(root, chance)
    return root


def openbf(folder: File, chance: random.Random) -> list[str]:
    """An openBF deck with its inflow, imported."""
    _inflow(folder, "inflow.dat", _table(1.2e-5), chance)
    text = yaml.dump(_keyed(chance.choice(OPENBF), chance), Dumper=DUMPER, allow_unicode=True, sort_keys=False)
    (folder / "d.yml").write_bytes(_spoilt(text.encode("utf-8", "surrogatepass"), chance))
    return ["import", "openbf", "d.yml", "-o", "i.yaml", *_asked(chance)]


def svzerod(folder: File, chance: random.Random) -> list[str]:
    """A svZeroDSolver deck, imported."""
    text = json.dumps(_keyed(chance.choice(SVZEROD), chance), ensure_ascii=chance.random() < 0.5)
    (folder / "d.json").write_bytes(_spoilt(text.encode("utf-8", "surrogatepass"), chance))
    return ["import", "svzerod", "d.json", "-o", "i.yaml", *_asked(chance)]


def svoned(folder: File, chance: random.Random) -> list[str]:
    """A svOneDSolver deck with the file that it includes, imported."""
    _inflow(folder, "inflow.in", f"DATATABLE FLOWDATA LIST\n{_table(12.0)}ENDDATATABLE\n", chance)
    lines = chance.choice(SVONED).splitlines()
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        _card_changed(lines, chance)
    (folder / "d.in").write_bytes(_spoilt(("\n".join(lines) + "\n").encode(), chance))
    return ["import", "svoned", "d.in", "-o", "i.yaml", *_asked(chance)]


def _asked(chance: random.Random) -> list[str]:
    return chance.choice(([], [], ["--json"], ["--force"]))
