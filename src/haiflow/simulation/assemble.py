"""From the scenario to the parts: the one place that knows both the user's words and the parts' own terms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from haiflow.arteries.tree import Tree
from haiflow.body.model import Body, SystemicKinetics
from haiflow.catheter.line import Kink, Line, Pocket, Segment, SideHole, Tip, build_line, with_inlet_compliance
from haiflow.liver.build import TumourSpec, build_liver
from haiflow.liver.kinetics import DrugKinetics
from haiflow.liver.model import Liver
from haiflow.liver.regulation import buffer_response
from haiflow.mesh.model import TetraMesh, segment_locator
from haiflow.ports import Fluid, Surroundings
from haiflow.pump.drives import GasDrive, PeristalticDrive, Programme, restrictor_resistance
from haiflow.pump.infusate import viscosity_at
from haiflow.pump.model import Pump, SidePort
from haiflow.pump.propellant import Propellant
from haiflow.scenario import model as given
from haiflow.simulation.arterial_tree import build_tree, drains
from haiflow.simulation.liver_mesh import liver_mesh
from haiflow.simulation.parts import Parts, Substance
from haiflow.simulation.shared import Shared

CARRIER = "infusate"
WATER_SELF_DIFFUSION = 3.0e-9  # m2/s at 37 degC: the carrier against blood plasma
BLOOD_VOLUME_PER_MASS = 70e-6  # m3/kg
EXTRACELLULAR_PER_MASS = 130e-6  # m3/kg: interstitial water that saline exchanges with [textbook]
CAPILLARY_CLEARANCE = 1e-6  # m3/s: saline leaves the circulation with a half-time of about an hour [assumed]


def assemble(
    model: given.ScenarioModel, folder: Path | None = None, mesh: TetraMesh | None = None, shared: Shared | None = None
) -> Parts:
    """All parts of a scenario before anything happens to them; ``folder`` is where relative paths start, ``mesh`` the
    liver's, where it has been read already, ``shared`` what other runs may have computed."""
    substances = (carrier(model), *(substance(name, drug) for name, drug in _used(model).items()))
    surroundings = Surroundings(model.patient.temperature, model.patient.ambient_pressure)
    arteries = model.arteries
    tree = None if arteries is None else shared_tree(model, arteries, shared)
    mesh = liver_mesh(model.liver, folder) if model.liver is not None and mesh is None else mesh
    liver = build_given_liver(model.liver, mesh) if model.liver is not None else None
    pump = build_pump(model.pump) if model.pump is not None else None
    return Parts(
        substances=substances,
        surroundings=surroundings,
        infusate=infusate(model, None if model.pump is None else model.pump.fill.infusate, surroundings.temperature),
        artery_pressure=given_pressure(model),
        blood_viscosity=given.Blood().viscosity if arteries is None else arteries.blood.viscosity,
        planned_rate=planned_rate(model.pump),
        pump=pump,
        line=build_catheter(model.catheter, model.pump, arteries is not None) if model.catheter is not None else None,
        tree=tree,
        liver=liver,
        body=build_body(model, liver) if tree is not None else None,
        drains={} if arteries is None else drains(arteries),
        split={} if arteries is None else dict(arteries.split),
    )


def shared_tree(model: given.ScenarioModel, arteries: given.Arteries, shared: Shared | None) -> Tree:
    """The tree with its outlets calibrated: the same for all runs on the same arteries."""
    numerics, demand = model.run.numerics, liver_demand(model.liver)
    if shared is None:
        return build_tree(arteries, numerics, demand)
    key = f"{arteries!r} {numerics.velocity_profile!r} {demand!r}"
    return shared.once("tree", key, lambda: build_tree(arteries, numerics, demand))


def liver_demand(liver: given.Liver | None) -> float:
    """Factor on the liver's arterial flow: one without a liver, or without its buffer response."""
    return buffer_response(liver.portal_flow) if liver is not None and liver.buffer_response else 1.0


def build_body(model: given.ScenarioModel, liver: Liver | None) -> Body:
    """The patient's body; what the liver clears is reckoned at the flow at which extraction ratios are meant."""
    if liver is None:  # nothing else clears for it: all of a drug's clearance is the body's own
        return Body(mass=model.patient.mass, hepatic_flow=0.0)
    return Body(mass=model.patient.mass, hepatic_flow=liver.reference_perfusion * liver.volume)


def given_pressure(model: given.ScenarioModel) -> float:
    """Gauge Pa at the tip where no arteries are modelled."""
    if model.arteries is not None:
        return model.arteries.mean_pressure
    return model.patient.arterial_pressure


def _used(model: given.ScenarioModel) -> dict[str, given.Drug]:
    """The drugs that the run needs, in the order in which they come in; the first is the therapy's own."""
    fills = [] if model.pump is None else [model.pump.fill.drug]
    for event in sorted(model.schedule, key=lambda event: event.at):
        fills += [event.refill.drug] if event.refill is not None else []
        fills += [event.bolus.drug] if event.bolus is not None else []
    return {name: model.drugs[name] for name in dict.fromkeys(fills) if name is not None}


def carrier(model: given.ScenarioModel) -> Substance:
    """The liquid itself: neither extracted nor metabolised, it spreads into the body's extracellular water."""
    blood, water = BLOOD_VOLUME_PER_MASS * model.patient.mass, EXTRACELLULAR_PER_MASS * model.patient.mass
    return Substance(
        CARRIER,
        WATER_SELF_DIFFUSION,
        DrugKinetics(CARRIER),
        SystemicKinetics(CARRIER, blood, water, CAPILLARY_CLEARANCE),
    )


def substance(name: str, drug: given.Drug) -> Substance:
    """A drug of the scenario as liver and body take it."""
    liver = DrugKinetics(
        name,
        extraction_ratio=drug.hepatic_extraction,
        partition=drug.tissue_partition,
        permeability_surface=drug.exchange,
        half_saturation=np.inf if drug.half_saturation is None else drug.half_saturation,
        trapped_fraction=drug.trapped_fraction,
    )
    body = SystemicKinetics(
        name,
        drug.central_volume,
        drug.peripheral_volume,
        drug.distribution_clearance,
        drug.total_clearance,
        drug.hepatic_extraction,
        drug.trapped_fraction,
    )
    return Substance(name, drug.diffusivity, liver, body)


def infusate(model: given.ScenarioModel, name: str | None, temperature: float) -> Fluid:
    """The infusate called ``name`` at body temperature ``temperature`` (K)."""
    liquid = model.infusates[name] if name is not None else None
    if liquid is None:
        return Fluid(1004.0, viscosity_at(temperature))
    return Fluid(liquid.density, viscosity_at(temperature, liquid.viscosity))


def build_pump(pump: given.Pump) -> Pump:
    """The pump with its drive calibrated to give the nominal rate at the reference conditions."""
    drive = _gas_drive(pump) if pump.drive == "gas" else _peristaltic_drive(pump)
    port = SidePort() if pump.side_port is None else SidePort(pump.side_port.resistance, pump.side_port.pressure_limit)
    return Pump(drive, pump.reservoir_volume, pump.residual_volume, port)


def planned_rate(pump: given.Pump | None) -> float:
    """Flow rate (m3/s) that the pump's label or the mean of its programme promises; zero without a pump."""
    if pump is None:
        return 0.0
    if pump.drive == "gas":
        return pump.nominal_rate
    return programme(pump.programme, pump.nominal_rate if pump.basal_rate is None else pump.basal_rate).mean_rate


def _gas_drive(pump: given.Pump) -> GasDrive:
    assert pump.propellant is not None
    reference, propellant = pump.reference, pump.propellant
    gas = Propellant(propellant.name or "given", propellant.boiling_point, propellant.enthalpy)
    # The label's rate is the mean of an emptying: the bellows is half way.
    bare = GasDrive(gas, 1.0, pump.reservoir_volume, pump.bellows_fall, reference.viscosity)
    surroundings = Surroundings(reference.temperature, reference.ambient_pressure)
    drop = bare.driving_pressure(0.5 * pump.reservoir_volume, surroundings) - reference.arterial_pressure
    rate = pump.nominal_rate * (1.0 + pump.rate_error)
    return replace(bare, restrictor_resistance=restrictor_resistance(drop, rate))


def _peristaltic_drive(pump: given.Pump) -> PeristalticDrive:
    basal = pump.nominal_rate if pump.basal_rate is None else pump.basal_rate
    return PeristalticDrive(
        programme(pump.programme, basal),
        pump.stall_pressure,
        rate_error=pump.rate_error,
        accuracy_band=pump.accuracy_band,
        tube_compliance=pump.tube_compliance,
    )


def programme(steps: tuple[given.ProgrammeStep, ...], basal: float) -> Programme:
    """The day's programme of rates (m3/s); before its first step the ``basal`` rate holds."""
    if not steps:
        return Programme((0.0,), (basal,))
    times, rates = [step.start for step in steps], [step.rate for step in steps]
    if times[0] > 0.0:
        times, rates = [0.0, *times], [basal, *rates]
    return Programme(tuple(times), tuple(rates))


def build_catheter(catheter: given.Catheter, pump: given.Pump | None, arteries: bool = True) -> Line:
    """The line with its holes, kinks and tip; a peristaltic pump's tubing yields at its inlet."""
    single = [hole for hole in catheter.side_holes for _ in range(hole.count)]
    side_holes = [
        SideHole(f"side_hole_{number}", hole.from_tip, hole.diameter) for number, hole in enumerate(single, start=1)
    ]
    line = build_line(
        catheter.length,
        catheter.inner_diameter,
        catheter.outer_diameter,
        segments=[
            Segment(
                s.length, s.inner_diameter, s.outer_diameter, s.end_inner_diameter, s.end_outer_diameter, s.wall_modulus
            )
            for s in catheter.segments
        ],
        kinks=[Kink(kink.at, kink.severity, kink.length) for kink in catheter.kinks],
        wall_modulus=catheter.wall_modulus,
        side_holes=side_holes,
        tip=Tip(catheter.tip.vessel, catheter.tip.position, catheter.tip.closed_end),
        n_cells=catheter.cells,
    )
    holes = tuple(replace(hole, pocket=pocket(catheter.pocket)) for hole in line.holes)
    if not arteries:  # then the line lets out against a constant pressure, not into tissue
        holes = tuple(replace(hole, outside="artery") for hole in holes)
    line = replace(line, holes=holes)
    if catheter.tip_inner_diameter is not None and line.tip_hole is not None:
        narrowed = replace(line.holes[line.tip_hole], diameter=catheter.tip_inner_diameter)
        line = replace(line, holes=tuple(narrowed if hole.kind == "tip" else hole for hole in line.holes))
    return line if pump is None or not pump.tube_compliance else with_inlet_compliance(line, pump.tube_compliance)


def pocket(values: given.Pocket) -> Pocket:
    """The tissue round a leak or a tip out of its artery."""
    return Pocket(values.compliance, values.rest_pressure, values.absorption)


def build_given_liver(liver: given.Liver, mesh: TetraMesh | None) -> Liver:
    """The liver's territories: segments by volume, tumours by place."""
    tumours = [
        TumourSpec(
            tumour.diameter,
            None if tumour.centre is None else tuple(tumour.centre),  # type: ignore[arg-type]
            tumour.segment, tumour.name, tumour.arterial_ratio, tumour.portal_ratio, tumour.metabolism_ratio,
            tumour.exchange_ratio, tumour.permeability_ratio, tumour.necrotic_fraction,
        )
        for tumour in liver.tumours
    ]  # fmt: skip
    volume = liver.volume if liver.volume is not None else (mesh.volume if mesh is not None else 1.5e-3)
    return build_liver(
        volume=volume,
        fractions={str(name): share for name, share in liver.fractions.items()},
        portal_flow=liver.portal_flow,
        tumours=tumours,
        segment_at=segment_locator(mesh) if mesh is not None else None,
    )
