"""svZeroDSolver: lumped networks with hand-computable answers, and geometry where a deck has one."""

import json
from math import pi

import numpy as np
import pytest

from haiflow.errors import InputError
from haiflow.scenario.imports.findings import Findings
from haiflow.scenario.imports.keys import Keys
from haiflow.scenario.imports.svzerod import read as svzerod
from haiflow.scenario.imports.svzerod_ends import outlet_of


def vessel(number, values, inlet=None, outlet=None, **more):
    ends = {key: name for key, name in (("inlet", inlet), ("outlet", outlet)) if name}
    return {
        "vessel_id": number,
        "vessel_name": f"v{number}",
        "zero_d_element_type": "BloodVessel",
        "zero_d_element_values": values,
        **({"boundary_conditions": ends} if ends else {}),
        **more,
    }


def bc(name, kind, **values):
    return {"bc_name": name, "bc_type": kind, "bc_values": values}


def junction(name, inlets, outlets, kind="NORMAL_JUNCTION", **more):
    return {"junction_name": name, "junction_type": kind, "inlet_vessels": inlets, "outlet_vessels": outlets, **more}


def steady(q):
    return {"t": [0.0, 1.0], "Q": [q, q]}


@pytest.fixture
def deck(tmp_path):
    def write(vessels, bcs, junctions=(), **more):
        numbers = {"number_of_cardiac_cycles": 3, "number_of_time_pts_per_cardiac_cycle": 51}
        root = {"simulation_parameters": numbers, "vessels": vessels, "boundary_conditions": bcs, **more}
        if junctions:
            root["junctions"] = list(junctions)
        (tmp_path / "net.json").write_text(json.dumps(root))
        return tmp_path / "net.json"

    return write


def means(solve, model):
    """Mean pressure (dyn/cm2) at inlet and outlet and flow rate (cm3/s) of each vessel by name."""
    tree, cycle = solve(model)
    pressure, flow = 10.0 * cycle.pressure.mean(axis=0), 1e6 * cycle.mean_flow_rate
    return {name: (pressure[i, 0], pressure[i, 2], flow[i]) for i, name in enumerate(tree.vessels)}


def test_a_fork_of_resistances(deck, read, solve):
    vessels = [
        vessel(0, {"R_poiseuille": 100.0}, inlet="IN"),
        vessel(1, {"R_poiseuille": 200.0}, outlet="A"),
        vessel(2, {"R_poiseuille": 300.0}, outlet="B"),
    ]
    bcs = [
        bc("IN", "FLOW", **steady(5.0)),
        bc("A", "RESISTANCE", R=100.0, Pd=100.0),
        bc("B", "RESISTANCE", R=400.0, Pd=50.0),
    ]
    found = means(solve, read(deck(vessels, bcs, [junction("J", [0], [1, 2])]), svzerod)[0])
    node = (5.0 + 100.0 / 300.0 + 50.0 / 700.0) / (1.0 / 300.0 + 1.0 / 700.0)
    assert found["v0"] == pytest.approx((node + 500.0, node, 5.0), rel=1e-3)
    first = (node - 100.0) / 300.0
    assert found["v1"] == pytest.approx((node, 100.0 + 100.0 * first, first), rel=1e-3)
    assert found["v2"][2] == pytest.approx(5.0 - first, rel=1e-3)


def test_a_stenosis_coefficient(deck, read, solve):
    values = {"R_poiseuille": 100.0, "stenosis_coefficient": 100.0}
    bcs = [bc("IN", "FLOW", **steady(5.0)), bc("OUT", "RESISTANCE", R=100.0, Pd=100.0)]
    found = means(solve, read(deck([vessel(0, values, "IN", "OUT")], bcs), svzerod)[0])
    assert found["v0"] == pytest.approx((600.0 + 5.0 * (100.0 + 100.0 * 5.0), 600.0, 5.0), rel=1e-4)


@pytest.mark.parametrize("kind", ["BloodVessel", "BloodVesselCRL"])
@pytest.mark.parametrize(("inertance", "compliance"), [(60.0, 0.0), (0.0, 2e-4), (3.0, 2e-4)])
def test_a_pulse_through_resistance_inertance_and_windkessel(deck, read, solve, inertance, compliance, kind):
    """One harmonic of R, C, L (or C, R, L) and an RCR, by hand: as two-ports from the inlet on."""
    time = np.linspace(0.0, 1.0, 201)
    flow = 2.2 + 2.5 * np.sin(2 * np.pi * time)
    values = {"R_poiseuille": 600.0, "L": inertance, "C": compliance}
    bcs = [
        bc("IN", "FLOW", t=time.tolist(), Q=flow.tolist()),
        bc("OUT", "RCR", Rp=300.0, Rd=1000.0, C=1e-4, Pd=0.0),
    ]
    element = vessel(0, values, "IN", "OUT") | {"zero_d_element_type": kind}
    _, cycle = solve(read(deck([element], bcs), svzerod)[0])
    omega = 2j * np.pi
    bed = 300.0 + 1000.0 / (1.0 + omega * 1000.0 * 1e-4)
    if kind == "BloodVessel":
        behind = 1.0 / (omega * compliance + 1.0 / (inertance * omega + bed))
        impedance = 600.0 + behind
        through = behind / (inertance * omega + bed)
    else:
        impedance = 1.0 / (omega * compliance + 1.0 / (600.0 + inertance * omega + bed))
        through = impedance / (600.0 + inertance * omega + bed)
    inlet, outflow = 10.0 * cycle.pressure[:, 0, 0], 1e6 * cycle.flow_rate[:, 0, 2]
    pulse, swing = (2.0 * np.abs(np.fft.rfft(each)[1]) / len(each) for each in (inlet, outflow))
    assert inlet.mean() == pytest.approx(2.2 * 1900.0, rel=2e-3)
    assert pulse == pytest.approx(2.5 * abs(impedance), rel=2e-2)
    assert swing == pytest.approx(2.5 * abs(through), rel=2e-2)


def test_inertance_and_compliance_that_are_both_large_are_told(deck, read):
    time = np.linspace(0.0, 1.0, 41)
    bcs = [bc("IN", "FLOW", t=time.tolist(), Q=(2.0 + np.sin(2 * np.pi * time)).tolist()), bc("OUT", "PRESSURE", P=1e4)]
    values = {"R_poiseuille": 600.0, "L": 60.0, "C": 2e-4}
    assert "spread along a tube" in read(deck([vessel(0, values, "IN", "OUT")], bcs), svzerod)[1]


def test_junction_resistances(deck, read, solve):
    vessels = [
        vessel(0, {"R_poiseuille": 10.0}, inlet="IN"),
        vessel(1, {"R_poiseuille": 20.0}, outlet="A"),
        vessel(2, {"R_poiseuille": 20.0}, outlet="B"),
    ]
    bcs = [
        bc("IN", "FLOW", **steady(6.0)),
        bc("A", "RESISTANCE", R=100.0, Pd=0.0),
        bc("B", "RESISTANCE", R=100.0, Pd=0.0),
    ]
    own = {"R_poiseuille": [80.0, 380.0], "L": [0.0, 0.0], "stenosis_coefficient": [0.0, 0.0], "C": [0, 0]}
    path = deck(vessels, bcs, [junction("J", [0], [1, 2], "BloodVesselJunction", junction_values=own)])
    found = means(solve, read(path, svzerod)[0])
    assert found["v1"][2] == pytest.approx(6.0 * 500.0 / 700.0, rel=1e-3)
    assert found["v1"][0] == pytest.approx(120.0 * found["v1"][2], rel=1e-3)
    each = [junction("J", [0], [1, 2], "resistive_junction", junction_values={"R": [50.0, 80.0, 380.0]})]
    found = means(solve, read(deck(vessels, bcs, each), svzerod)[0])
    assert found["v0"][0] == pytest.approx(6.0 * (60.0 + 200.0 * 500.0 / 700.0), rel=1e-3)
    assert all(flow > 0.0 for _, _, flow in found.values())  # each leads as the blood flows


@pytest.mark.parametrize("branches", [3, 5])
def test_a_joint_of_many_branches(deck, read, solve, branches):
    """Flows as the inverse of the resistances behind one joint."""
    each = [100.0 * (k + 1) for k in range(branches)]
    vessels = [vessel(0, {"R_poiseuille": 10.0}, inlet="IN")]
    vessels += [vessel(k + 1, {"R_poiseuille": 20.0}, outlet=f"B{k}") for k in range(branches)]
    beds = [bc(f"B{k}", "RESISTANCE", R=r - 20.0, Pd=0.0) for k, r in enumerate(each)]
    bcs = [bc("IN", "FLOW", **steady(6.0)), *beds]
    path = deck(vessels, bcs, [junction("J", [0], list(range(1, branches + 1)))])
    found = means(solve, read(path, svzerod)[0])
    total = sum(1.0 / r for r in each)
    for k, r in enumerate(each):
        assert found[f"v{k + 1}"][2] == pytest.approx(6.0 / r / total, rel=1e-3)


def test_a_junctions_stenosis_coefficient_is_of_the_flow_squared(deck, read, solve):
    vessels = [vessel(0, {"R_poiseuille": 10.0}, inlet="IN"), vessel(1, {"R_poiseuille": 20.0}, outlet="A")]
    bcs = [bc("IN", "FLOW", **steady(6.0)), bc("A", "RESISTANCE", R=100.0, Pd=0.0)]
    own = {"R_poiseuille": [30.0], "L": [0.0], "stenosis_coefficient": [15.0]}
    path = deck(vessels, bcs, [junction("J", [0], [1], "BloodVesselJunction", junction_values=own)])
    found = means(solve, read(path, svzerod)[0])
    assert found["v0"][0] == pytest.approx(6.0 * 160.0 + 15.0 * 6.0**2, rel=1e-3)


def test_geometry_where_length_inertance_and_compliance_fit(deck, read, solve):
    """10 cm of 3 mm radius at 6 m/s; a quarter more resistance than Poiseuille's is a lumped loss."""
    area, length, speed = pi * 0.3**2, 10.0, 600.0
    poiseuille, inertance = 8.0 * pi * 0.04 * length / area**2, 1.06 * length / area
    values = {"R_poiseuille": 1.25 * poiseuille, "L": inertance, "C": area * length / (1.06 * speed**2)}
    bcs = [bc("IN", "FLOW", **steady(5.0)), bc("OUT", "RESISTANCE", R=2e4, Pd=0.0)]
    model, warnings = read(deck([vessel(0, values, "IN", "OUT", vessel_length=length)], bcs), svzerod)
    made = model.arteries.network.vessels["v0"]
    assert made.length == pytest.approx(0.1, rel=1e-12)
    assert made.diameter == pytest.approx((6e-3, 6e-3), rel=1e-9)
    assert made.wave_speed == pytest.approx(6.0, rel=1e-9)
    assert made.loss.linear == pytest.approx(0.25 * poiseuille * 1e5, rel=1e-6)
    assert "1D vessel" in warnings
    (inlet, outlet, _) = means(solve, model)["v0"]
    assert inlet - outlet == pytest.approx(1.25 * poiseuille * 5.0, rel=1e-2)


def test_blood_of_the_deck_decides_the_geometry(deck, read):
    area, length = pi * 0.3**2, 10.0
    values = {"R_poiseuille": 8.0 * pi * 0.035 * length / area**2, "L": 1.05 * length / area, "C": 1e-6}
    bcs = [bc("IN", "FLOW", **steady(5.0)), bc("OUT", "RESISTANCE", R=2e4, Pd=0.0)]
    path = deck([vessel(0, values, "IN", "OUT", vessel_length=length)], bcs)
    root = json.loads(path.read_text())
    root["simulation_parameters"] |= {"density": 1.05, "viscosity": 0.035}
    path.write_text(json.dumps(root))
    model, _ = read(path, svzerod)
    assert (model.arteries.blood.density, model.arteries.blood.viscosity) == pytest.approx((1050.0, 0.0035), rel=1e-12)
    assert model.arteries.network.vessels["v0"].diameter[0] == pytest.approx(6e-3, rel=1e-9)
    assert model.arteries.network.vessels["v0"].loss is None


def test_two_inlets_and_a_held_pressure(deck, read, solve):
    vessels = [
        vessel(0, {"R_poiseuille": 100.0}, inlet="IN0"),
        vessel(1, {"R_poiseuille": 200.0}, inlet="IN1"),
        vessel(2, {"R_poiseuille": 300.0}, outlet="OUT"),
    ]
    bcs = [
        bc("IN0", "FLOW", **steady(5.0)),
        bc("IN1", "FLOW", **steady(10.0)),
        bc("OUT", "PRESSURE", P=1000.0, t=[0.0]),
    ]
    found = means(solve, read(deck(vessels, bcs, [junction("J", [0, 1], [2])]), svzerod)[0])
    assert found["v2"] == pytest.approx((1000.0 + 15.0 * 300.0, 1000.0, 15.0), rel=1e-3)
    assert found["v1"] == pytest.approx((5500.0 + 2000.0, 5500.0, 10.0), rel=1e-3)


def test_a_coronary_outlet_and_a_pressure_inlet(deck, read, solve):
    bcs = [
        bc("IN", "PRESSURE", t=[0.0, 1.0], P=[9e4, 9e4]),
        bc(
            "OUT",
            "CORONARY",
            Ra1=100.0,
            Ra2=200.0,
            Rv1=300.0,
            Ca=1e-4,
            Cc=1e-4,
            Pim=[1e4, 1e4],
            P_v=[5e3, 5e3],
            t=[0, 1],
        ),
    ]
    model, warnings = read(deck([vessel(0, {"R_poiseuille": 400.0}, "IN", "OUT")], bcs), svzerod)
    assert means(solve, model)["v0"][2] == pytest.approx((9e4 - 5e3) / 1000.0, rel=1e-3)
    assert "Pim" in warnings
    assert "Cc" in warnings


def test_every_key_that_is_not_taken_over_is_named(deck, read):
    bcs = [
        bc("IN", "FLOW", **steady(5.0)),
        bc("OUT", "RCR", Rp=1.0, Rd=9.0, C=0.1, Pd=0.0, Pz=3),
        bc("LOST", "FLOW", Q=1.0),
    ]
    more = {"colour": "red", "_comment": 1, "zero_d_element_values": {"R_poiseuille": 1.0, "stretch": 2.0}}
    path = deck([vessel(0, {}, "IN", "OUT") | more], bcs, initial_condition={"p": 1}, extra=[1])
    root = json.loads(path.read_text())
    root["simulation_parameters"] |= {"steady_initial": False, "output_interval": 2, "unheard_of": 1}
    path.write_text(json.dumps(root))
    _, warnings = read(path, svzerod)
    for key in (
        "number_of_cardiac_cycles",
        "number_of_time_pts",
        "steady_initial",
        "output_interval",
        "unheard_of",
        "colour",
        "stretch",
        "Pz",
        "LOST",
        "initial_condition",
        "extra",
    ):
        assert key in warnings, key
    assert "_comment" not in warnings


GOOD = (
    [vessel(0, {"R_poiseuille": 100.0}, inlet="IN"), vessel(1, {"R_poiseuille": 1.0}, outlet="OUT")],
    [bc("IN", "FLOW", **steady(5.0)), bc("OUT", "RESISTANCE", R=100.0, Pd=0.0)],
    [junction("J", [0], [1])],
)


CORONARY = (
    '"CORONARY", "bc_values": {"Ra1": 1, "Ra2": 1, "Rv1": 1, "Ca": 1e-4, "Cc": -1, "Pim": [1, 2], "P_v": 0, "t": [0, 1]'
)
UNEVEN = CORONARY.replace("-1", "1").replace("[1, 2]", "[1, 2, 3]")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('"R_poiseuille": 100.0', '"R_poiseuille": -1', "at least 0"),
        ('"R_poiseuille": 100.0', '"R_poiseuille": NaN', "no number"),
        ('"R_poiseuille": 100.0', '"R_poiseuille": "thick"', "finite number"),
        ('"R_poiseuille": 100.0', '"R_poiseuille": 1, "R_poiseuille": 2', "stands twice"),
        ('"vessel_id": 1', '"vessel_id": 0', "this ID"),
        ('"vessel_name": "v1"', '"vessel_name": "v0"', "this vessel_name"),
        ('"junctions": [', '"junctions": [{"junction_name": "J"}, ', "this junction_name"),
        ('"outlet_vessels": [1]', '"outlet_vessels": [7]', "no vessel has this ID"),
        ('"outlet_vessels": [1]', '"outlet_vessels": []', "neither a junction nor"),
        ('"outlet_vessels": [1]', '"outlet_vessels": 1', "list of vessel IDs"),
        ('"inlet_vessels": [0]', '"inlet_vessels": [0, 1]', "lies in a junction already"),
        ('"outlet": "OUT"', '"outlet": "OTHER"', "no such boundary condition"),
        ('"bc_type": "RESISTANCE"', '"bc_type": "ClosedLoopRCR"', "part of a closed circuit"),
        ('"bc_type": "FLOW"', '"bc_type": "RCR"', "'Rp' is missing"),
        ('"Q": [5.0, 5.0]', '"Q": [5.0]', "PASS"),
        ('"Q": [5.0, 5.0]', '"Q": [-5.0, -5.0]', "must be positive"),
        ('"Q": [5.0, 5.0]', '"Q": [5.0, 5.0, 6.0]', "2 times and 3 values"),
        ('"Q": [5.0, 5.0]', '"fn": "2*t"', "formula"),
        ('"junction_type": "NORMAL_JUNCTION"', '"junction_type": "TJunction"', "not a junction"),
        ('"NORMAL_JUNCTION"', '"resistive_junction"', "no R': a resistive junction has a resistance for each"),
        ('"NORMAL_JUNCTION"', '"resistive_junction", "junction_values": {"L": [1, 1]}', "has a resistance for each"),
        ('"RESISTANCE", "bc_values": {"R": 100.0', UNEVEN, "there are 2 times"),
        ('"RESISTANCE", "bc_values": {"R": 100.0', CORONARY, "at least 0"),
        ('"zero_d_element_type": "BloodVessel"', '"zero_d_element_type": "Chamber"', "not an element"),
        ('"vessels"', '"valves": [1], "vessels"', "a heart, valve"),
        ('"vessels": [', '"vessels": [[', "not valid JSON"),
        ('"vessels": [', '"vessels": 3, "vessel": [', "must be a list"),
        ('"t": [0.0, 1.0], "Q": [5.0, 5.0]', '"Q": [5.0, 6.0]', "values over time need their times"),
        ('"t": [0.0, 1.0], "Q"', '"t": 1.0, "Q"', "must be a list of times"),
        ('"RESISTANCE", "bc_values": {"R": 100.0', '"FLOW", "bc_values": {"Q": -1.0', "out of the network must be pos"),
        ('"RESISTANCE", "bc_values": {"R": 100.0', '"RESISTANCE", "bc_values": {"R": [-3, 1], "t": [0, 1]', "least 0"),
        ('"bc_type": "RESISTANCE"', '"bc_type": "RESISTNCE"', "did you mean 'RESISTANCE'"),
        ('"bc_values": {"R": 100.0, "Pd": 0.0}', '"bc_values": 7', "must be a mapping of keys"),
        ('"bc_name": "OUT"', '"bc_name": "IN"', "two boundary conditions have this name"),
        ('"simulation_parameters": {', '"simulation_parameters": {"coupled_simulation": true, ', "is another solver's"),
        ('"simulation_parameters": {', '"simulation_parameters": {"coupled_simulation": 3, ', "must be true or false"),
        ('"vessels": [{', '"vessels": [], "v": [{', "the network has no vessel"),
        ('"vessels": [{', '"vessels": [4, {', "must be a mapping of keys"),
        ('"inlet_vessels": [0]', '"inlet_vessels": [0, 0]', "lies in two junctions"),
        ('"NORMAL_JUNCTION"', '"resistive_junction", "junction_values": {"R": [1, 2, 3]}', "needs 2 values"),
    ],
)
def test_a_bad_deck_is_refused(deck, read, old, new, rule):
    path = deck(*GOOD)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    if rule == "PASS":  # one value is a steady flow
        read(path, svzerod)
        return
    with pytest.raises(InputError) as refused:
        read(path, svzerod)
    assert refused.value.remedy
    assert any(part in str(refused.value) for part in rule.split("|")), str(refused.value)
    assert "net.json" in refused.value.place


@pytest.mark.parametrize(
    ("kind", "values", "outlet"),
    [
        ("FLOW", {"Q": 5.0}, ("resistance", {"flow": 5e-6})),
        ("FLOW", {"t": [0, 0.5, 1], "Q": [4, 6, 4]}, ("resistance", {"flow": 5e-6})),
        ("PRESSURE", {"P": 2e4}, ("pressure", {"venous_pressure": 2e3})),
        ("RESISTANCE", {"R": 0.0, "Pd": 1e4}, ("pressure", {"venous_pressure": 1e3})),
        ("RESISTANCE", {"R": [90, 110, 90], "t": [0, 0.5, 1]}, ("resistance", {"distal": 1e7})),
        ("RCR", {"Rp": 0, "Rd": 0, "C": 1e-4, "Pd": 1e4}, ("pressure", {"venous_pressure": 1e3})),
        ("RCR", {"Rp": 40, "Rd": 60, "C": 0}, ("resistance", {"distal": 1e7})),
        ("RCR", {"Rp": 40, "Rd": 60, "C": 1e-4}, ("windkessel", {"proximal": 4e6, "distal": 6e6, "compliance": 1e-9})),
    ],
)
def test_what_each_boundary_condition_becomes(kind, values, outlet):
    """In SI (1 dyn s/cm5 is 1e5 Pa s/m3); what stands for it where a part is zero, and means where it changes."""
    findings = Findings()
    keys = Keys({"bc_type": kind, "bc_values": values}, (), lambda path: "net.json", findings, where="OUT")
    found = outlet_of(keys)
    assert found.kind == outlet[0]
    for key, value in outlet[1].items():
        assert getattr(found, key) == pytest.approx(value, rel=1e-12), key
    changes = any(isinstance(each, list) and len(set(each)) > 1 for key, each in values.items() if key != "t")
    assert ("its changes are left out" in "\n".join(findings.warnings)) == changes


def test_a_deck_that_leads_back_to_itself_or_is_nested_without_end(deck, read):
    vessels = [
        vessel(0, {"R_poiseuille": 1.0}, inlet="IN"),
        vessel(1, {"R_poiseuille": 1.0}),
        vessel(2, {"R_poiseuille": 1.0}),
        vessel(3, {"R_poiseuille": 1.0}, outlet="OUT"),
    ]
    bcs = [bc("IN", "FLOW", **steady(5.0)), bc("OUT", "RESISTANCE", R=100.0, Pd=0.0)]
    with pytest.raises(InputError, match="in a circle"):
        read(deck(vessels, bcs, [junction("J", [0, 2], [1]), junction("K", [1], [2, 3])]), svzerod)
    path = deck(vessels, bcs)
    path.write_text('{"a": ' + "[" * 100_000)
    with pytest.raises(InputError, match="not valid JSON"):
        read(path, svzerod)


def test_the_tube_that_stands_for_an_element_is_quiet(deck, read, solve):
    """Its own friction and velocity head are below a thousandth of the pressures at hand."""
    bcs = [bc("IN", "FLOW", **steady(5.0)), bc("OUT", "RESISTANCE", R=100.0, Pd=0.0)]
    tree, cycle = solve(read(deck([vessel(0, {"R_poiseuille": 100.0}, "IN", "OUT")], bcs), svzerod)[0])
    speed = np.abs(cycle.velocity).max()
    assert 0.5 * tree.blood.density * speed**2 <= 1e-3 * cycle.pressure.max()
    assert tree.radius_start[0] > 5e-3


def test_a_vessel_without_a_resistance_is_told(deck, read):
    bcs = [bc("IN", "FLOW", **steady(5.0)), bc("OUT", "RESISTANCE", R=100.0, Pd=0.0)]
    for values, told in (({"R_poiseuille": 100.0}, False), ({"L": 1.0}, True)):
        _, warnings = read(deck([vessel(0, values, "IN", "OUT")], bcs), svzerod)
        assert ("taken as 0" in warnings) == told
