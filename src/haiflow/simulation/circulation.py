"""The therapy clock's circulation: arteries on cycle-mean flows, liver, beds and body as one implicit system.

The arteries stand in it twice: once for what comes from the tip ("first": the first pass) and once for what the body
sends back ("again"), so that the drug delivered by the infusion is told from the drug that recirculates.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace

import numpy as np

from haiflow.arteries.periodic import Cycle
from haiflow.arteries.transport import Injection, cycle_mean_transport
from haiflow.numerics.compensated import Holding, Totals
from haiflow.numerics.field import FieldSystem
from haiflow.numerics.joint import Connection, JointSystem, Step, unit_connections
from haiflow.ports import Floats
from haiflow.simulation.blood import BloodFlow
from haiflow.simulation.parts import Parts, Substance, without_line
from haiflow.simulation.perfused import joined, territory_means
from haiflow.simulation.routes import bed_volumes, downstream, inlets, joint_step, portal_flows, territory_flows
from haiflow.simulation.way import Way, way_between

TIP = "tip"
ROUND_OFF = 1e-14
STEADY = 0.01  # relative change of a source between two steps that counts as steady
KEPT_SYSTEMS = 2
SHARED_FACTORS = 32  # step lengths of a system that many runs go on with
SMALL_FLOW = 1e-9  # of the inlet's: a vessel with less is closed, and what the tip gives washes back to its ostium


@dataclass
class Circulation(Totals):
    """Concentrations of every substance from the arterial root to the body, and what passed where.

    Totals, all (n_substances, ...): ``delivered`` by terminal node and ``carried`` by vessel at first pass (kg),
    ``arrived`` by terminal with what recirculates (kg), ``eliminated`` and of it ``metabolised`` by the liver (kg),
    ``gone`` (kg) out of a model that lacks a part, ``exposure`` (kg s/m3) by compartment of the joint system.
    """

    parts: Parts
    blood: BloodFlow
    systems: list[JointSystem | FieldSystem] = field(default_factory=list)
    c: list[Floats] = field(default_factory=list)
    delivered: Floats = field(init=False)
    arrived: Floats = field(init=False)
    carried: Floats = field(init=False)
    eliminated: Floats = field(init=False)
    gone: Floats = field(init=False)
    metabolised: Floats = field(init=False)

    def __post_init__(self) -> None:
        tree = self.parts.tree
        if tree is None:
            raise ValueError("a circulation needs arteries")
        base = self.blood.cycle(self.blood.base)
        self.volumes = bed_volumes(self.parts, base.outlet_flow)
        self.kept: dict[tuple[object, ...], list[JointSystem | FieldSystem]] = {}
        self.terminals = tree.terminals
        n = len(self.parts.substances)
        at_ends = np.zeros((n, len(self.terminals)))
        self.open(delivered=at_ends, arrived=at_ends, carried=np.zeros((n, len(tree.vessels))))
        self.open(eliminated=np.zeros(n), gone=np.zeros(n), metabolised=np.zeros(n))
        self.rate = np.zeros(2 * n)
        self.loaded = np.sqrt(base.area.mean(axis=0) / np.pi)
        self.holding = Holding(np.zeros(n))
        self.refit(self.parts)
        self.c = [np.zeros(system.n) for system in self.systems]
        self.exposure = [np.zeros(system.n) for system in self.systems]

    def refit(self, parts: Parts) -> None:
        """Go on with altered parts: another tree, another place of the tip. Compartments stay the same."""
        self.parts = parts
        assert parts.tree is not None
        self.cycle = self.blood.cycle(parts.tree)
        injection = injection_of(parts, self.cycle)
        self.way = way_of(parts, injection)
        key = (parts.tree.digest(), injection, tuple(sorted(parts.split.items())), parts.streamed)
        if key not in self.kept:
            # A growing fault never comes back to an earlier tree: keep the last systems only, their factors are large.
            while len(self.kept) >= KEPT_SYSTEMS:
                del self.kept[next(iter(self.kept))]
            self.kept[key] = [self._system(substance, injection) for substance in parts.substances]
        self.systems = self.kept[key]
        self.injected, self.changed = injection is not None, True

    def advance(self, dt: float, into_artery: Floats, absorbed: Floats) -> None:
        """One implicit step of ``dt`` (s) with the amounts (n_substances,) that came out of the tip and the pockets.

        Backward Euler's, which never rings, after a change of the parts and while what comes in changes (a fill's
        front that arrives, a reservoir that ran empty); of second order while it is steady.
        """
        rate = np.concatenate([into_artery, absorbed]) / dt
        unsteady = np.abs(rate - self.rate) > STEADY * np.maximum(np.abs(rate), np.abs(self.rate))
        scheme = "backward_euler" if self.changed or unsteady.any() else "sdirk2"
        self.changed, self.rate = False, rate
        steps: list[Step] = []
        for index, (system, substance) in enumerate(zip(self.systems, self.parts.substances, strict=True)):
            sources: dict[str, float] = {}
            if self.injected:
                sources[f"first.{TIP}"] = into_artery[index] / dt
            if "body" in system.parts:
                sources["body.absorption"] = absorbed[index] / dt
            step = joint_step(system, substance, self.parts.liver, self.c[index], dt, sources, scheme)
            if _dips(step, self.c[index]):
                step = joint_step(system, substance, self.parts.liver, self.c[index], dt, sources, "backward_euler")
            self.exposure[index] += step.exposure
            steps.append(step)
        self._count(steps, into_artery, absorbed)

    def held(self) -> dict[str, Floats]:
        """Amounts (n_substances,) in arteries, liver, off-target beds and body."""
        places = {"arteries": ("first", "again"), "liver": ("liver",), "off_target": ("beds",), "body": ("body",)}
        return {
            account: np.array([self._amount(index, names) for index in range(len(self.systems))])
            for account, names in places.items()
        }

    def at(self, part: str, index: int) -> Floats:
        """Concentrations (kg/m3) of substance ``index`` in a part's compartments; empty where the part is missing."""
        return seen(self.parts, self.systems[index], part, self.c[index])

    def tip_concentration(self) -> Floats:
        """(n_substances,) what the blood that could enter the line carries: the body's own, as it comes round."""
        return np.array([self._central(index) for index in range(len(self.systems))])

    def exposure_of(self, part: str, index: int) -> Floats:
        """Integrals of concentration over time (kg s/m3) in a part's compartments; empty where the part is missing."""
        return seen(self.parts, self.systems[index], part, self.exposure[index])

    def tissue_field(self, index: int, exposure: bool = False) -> Floats | None:
        """(n_pieces,) concentration (kg/m3) of substance ``index`` in the liver's tissue, or its integral (kg s/m3);
        None where the liver is not in 3D."""
        return tissue_of(self.systems[index], (self.exposure if exposure else self.c)[index])

    def mean_artery_concentration(self, vessel: int, share: Floats, time: float) -> Floats:
        """Mean drug (kg/m3) over ``time`` (s) at shares of a vessel's length from its start; zero without a drug."""
        if len(self.systems) < 2 or time <= 0.0:
            return np.zeros(len(share))
        first, again = (self.exposure_of(passage, 1) for passage in ("first", "again"))
        cells = len(first) // len(self.parts.tree.vessels) if self.parts.tree is not None else 1
        cut = slice(vessel * cells, (vessel + 1) * cells)
        own = (first[cut] + again[cut]) / time
        found = np.interp(share, (np.arange(cells) + 0.5) / cells, own)
        if self.parts.tree is None:
            return found
        passed = abs(float(self.cycle.mean_flow_rate[vessel])) * time
        at = share * self.parts.tree.length[vessel]
        return np.asarray(found + self.way.concentration(self.carried[1], vessel, at, passed))

    def terminal_flow(self) -> Floats:
        """(n_terminals,) m3/s."""
        return np.array([self.cycle.outlet_flow[node] for node in self.terminals])

    def territory_flow(self) -> dict[str, float]:
        """Arterial flow (m3/s) by territory."""
        return territory_flows(self.parts, self.cycle.outlet_flow)

    def _central(self, index: int) -> float:
        central = self.at("body", index)
        return float(central[0]) if central.size else 0.0

    def _amount(self, index: int, names: tuple[str, ...]) -> float:
        system = self.systems[index]
        cuts = [system.part_slice(name) for name in names if name in system.parts]
        return float(sum(system.volume[cut] @ self.c[index][cut] for cut in cuts))

    def _system(self, substance: Substance, injection: Injection | None) -> JointSystem | FieldSystem:
        """The joint system of one substance: built, or that of another run which agrees in all but pump and line."""
        shared, parts = self.blood.shared, self.parts
        if shared is None or parts.perfused is not None:
            return self._joined(substance, injection)

        def build() -> JointSystem | FieldSystem:
            system = self._joined(substance, injection)
            if isinstance(system, JointSystem):
                system.keep_factors(SHARED_FACTORS)
            return system

        flows = (self.cycle.mean_flow_rate, self.cycle.outlet_flow, self.cycle.inlet_flow)
        decides = (without_line(parts), substance, injection, flows, self.volumes, self.loaded)
        return shared.system(pickle.dumps(decides), build)

    def _joined(self, substance: Substance, injection: Injection | None) -> JointSystem | FieldSystem:
        """The joint system of one substance."""
        parts, cycle = self.parts, self.cycle
        assert parts.tree is not None
        # Lumen volumes are those of the undisturbed, pressurised arteries: they must not change with a fault.
        arteries = cycle_mean_transport(
            replace(parts.tree, radius_start=self.loaded[:, 0], radius_end=self.loaded[:, 2]),
            cycle.mean_flow_rate,
            () if injection is None else (injection,),
            split=split_of(parts, injection),
        )
        behind = downstream(parts, substance, cycle.outlet_flow, self.volumes, cycle.inlet_flow)
        # A substance without any recirculation still needs the second set: its blood comes back all the same.
        balances = {"first": arteries, "again": arteries, **behind.balances}
        links = list(behind.connections)
        if "body" in balances:
            links.append(Connection("body", "artery", "again", "inlet"))
        for node, shares in inlets(parts).items():
            if parts.perfused is not None and node in parts.perfused.nodes:
                continue
            for passage in ("first", "again"):
                links += unit_connections(passage, node, shares)
        if parts.perfused is not None:
            portal = sum(portal_flows(parts, cycle.outlet_flow).values())
            return joined(parts, substance, balances, links, cycle.outlet_flow, portal)
        return JointSystem(balances, links)

    def _through_vessels(self, exposure: Floats) -> Floats:
        """(n_vessels,) kg at first pass out of the downstream end of each vessel, from its cells' exposure."""
        rate = self.cycle.mean_flow_rate
        cells = exposure.reshape(len(rate), -1)
        return np.abs(rate) * np.where(rate >= 0.0, cells[:, -1], cells[:, 0])

    def _count(self, steps: list[Step], into_artery: Floats, absorbed: Floats) -> None:
        """Book what a step of every substance moved, and hand back what it rounded off."""
        n, system = len(self.terminals), self.systems[0]  # its parts and outlets are those of every substance
        outflow, exposure = np.stack([step.outflow for step in steps]), [step.exposure for step in steps]
        first, again = (system.outlet_index(f"{passage}.{self.terminals[0]}") for passage in ("first", "again"))
        self.book("delivered", outflow[:, first : first + n])
        self.book("arrived", outflow[:, first : first + n] + outflow[:, again : again + n])
        passed = [self._carried(of, each) for of, each in zip(self.systems, exposure, strict=True)]
        self.book("carried", np.stack(passed))
        if "liver" in system.parts:
            self.book("metabolised", np.array([step.lost[system.part_slice("liver")].sum() for step in steps]))
        lost = np.array([step.lost.sum() for step in steps])
        out = np.array([step.outflow[of.is_sink].sum() for of, step in zip(self.systems, steps, strict=True)])
        self.book("eliminated", lost)
        taken_in = absorbed if "body" in system.parts else np.zeros_like(absorbed)
        self.book("gone", out + (absorbed - taken_in))
        entered = taken_in + (into_artery if self.injected else 0.0)
        self.c = self.holding.settled(self.systems, steps, entered - lost - out)

    def _carried(self, system: JointSystem | FieldSystem, exposure: Floats) -> Floats:
        """(n_vessels,) kg at first pass through each vessel, those before a split's node among them."""
        return self.way.fill(self._through_vessels(exposure[system.part_slice("first")]))


def seen(parts: Parts, system: JointSystem | FieldSystem, part: str, values: Floats) -> Floats:
    """The ``values`` (n,) of a part's compartments; of a liver in 3D the means of its territories, and empty where the
    part is missing."""
    if part not in system.parts:
        return np.zeros(0)
    own = values[system.part_slice(part)]
    if part == "liver" and parts.perfused is not None and isinstance(system, FieldSystem):
        return territory_means(parts.perfused, system, own)
    return own


def tissue_of(system: JointSystem | FieldSystem, values: Floats) -> Floats | None:
    """(n_pieces,) the values of the liver's tissue; None where the liver is not in 3D."""
    return values[-system.field.n :] if isinstance(system, FieldSystem) else None


def _dips(step: Step, before: Floats) -> bool:
    """Whether a step goes below zero by more than round-off."""
    scale = max(float(step.c_new.max()), float(before.max()))
    return float(step.c_new.min()) < -ROUND_OFF * scale or float(step.exposure.min()) < 0.0


def injection_of(parts: Parts, cycle: Cycle) -> Injection | None:
    """Where the line's holes let out into the arteries; None without a line, or with its tip out of the arteries.

    A tip in a vessel without flow lets out at that vessel's ostium: what it pushes into the stump must come back. With
    a given split the drug is handed over at the junction that the split is for.
    """
    if parts.line is None or parts.tree is None or parts.line.tip.vessel is None:
        return None
    tree, tip, name = parts.tree, parts.line.tip, parts.line.tip.vessel
    if streaming_holds(parts):
        assert parts.streamed is not None
        return Injection(TIP, parts.streamed.vessel, "ostium")
    vessel = tree.vessel(name)
    still = abs(cycle.mean_flow_rate[vessel]) <= SMALL_FLOW * abs(cycle.inlet_flow)
    if tip.position == "ostium" or still:
        return Injection(TIP, name, "ostium")
    if parts.split:
        beyond = next(
            (name for name, start in zip(tree.vessels, tree.start, strict=True) if start == tree.end[vessel]), None
        )
        return Injection(TIP, name, tip.position) if beyond is None else Injection(TIP, beyond, "ostium")
    return Injection(TIP, name, tip.position)


def streaming_holds(parts: Parts) -> bool:
    """Whether the split of the tip in 3D holds: the tip is where it was when that was solved."""
    return parts.streamed is not None and parts.line is not None and parts.line.tip == parts.streamed.tip


def split_of(parts: Parts, injection: Injection | None) -> dict[str, dict[str, float]] | None:
    """The split at the injection's node, from the tip in 3D or as given; None where the drug mixes."""
    if streaming_holds(parts) and parts.tree is not None:
        assert parts.streamed is not None
        node = parts.tree.nodes[parts.tree.start[parts.tree.vessel(parts.streamed.vessel)]]
        return {node: dict(parts.streamed.shares)}
    if not parts.split or injection is None or parts.tree is None or injection.position != "ostium":
        return None
    return {parts.tree.nodes[parts.tree.start[parts.tree.vessel(injection.vessel)]]: parts.split}


def way_of(parts: Parts, injection: Injection | None) -> Way:
    """The vessels that the drug passes before the node where a split hands it to the tree; none where it mixes."""
    if injection is None or parts.tree is None or parts.line is None or split_of(parts, injection) is None:
        return Way({}, ())
    return way_between(parts.tree, parts.line.tip, injection.vessel)
