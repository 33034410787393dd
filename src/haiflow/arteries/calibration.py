"""Outlets from what is known of a patient: how much each bed takes, and the mean arterial pressure.

A steady network with resistive outlets gives each terminal's pressure; its resistance must be
``R = (p_terminal - p_venous) / Q_target``. Terminal pressures depend on the resistances only through the small drops
along the arteries, so the iteration ``R <- (p_terminal - p_venous) / Q_target``, with all pressures shifted to bring
the inlet to the wanted mean, contracts fast. The total is then parted into a proximal resistance equal to the
characteristic impedance ``rho c / A`` of the terminal artery (no reflection of fast waves: Westerhof 1971, J Biomech
4:63) and a distal one, with a compliance that gives the stated time constant ``R_distal C``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from haiflow.arteries.steady import steady
from haiflow.arteries.tree import Outlet, Tree
from haiflow.errors import SolverStopped

TIME_CONSTANT = 0.227  # s, R2 C of the common hepatic bed in ADAN56 (Blanco 2015): 1.339e9 Pa s/m3 * 1.692e-10 m3/Pa
TOLERANCE = 1e-10
MAX_ITERATIONS = 60


def calibrated(
    tree: Tree,
    target_flow: Mapping[str, float],
    mean_pressure: float,
    *,
    compliance: Mapping[str, float] | None = None,
    resistive: Collection[str] = (),
) -> Tree:
    """The tree with outlets that draw ``target_flow`` (m3/s by terminal) at ``mean_pressure`` (gauge Pa).

    They become Windkessels of the given ``compliance`` (m3/Pa by terminal) or of the usual time constant; those in
    ``resistive`` pure resistances. Where every open outlet has a target, the targets are scaled to sum to the inlet's
    mean flow rate. Raises :class:`SolverStopped` where the arteries alone would need more pressure than there is.
    """
    # Beside outlets with resistances of their own the targets are taken as they are, and the pressure follows.
    alone = all(node in target_flow or outlet.reflection == 1.0 for node, outlet in tree.outlets.items())
    scale = tree.inlet.mean / sum(target_flow.values()) if alone else 1.0
    want = {node: flow * scale for node, flow in target_flow.items()}
    venous = {node: tree.outlets[node].venous_pressure for node in want}
    resistance = {node: (mean_pressure - venous[node]) / flow for node, flow in want.items()}
    for _ in range(MAX_ITERATIONS):
        tree = _with_resistances(tree, resistance)
        flow = steady(tree, elastic=True)
        shift = mean_pressure - flow.pressure[tree.node(tree.inlet.node)] if alone else 0.0
        pressure = {node: flow.pressure[tree.node(node)] + shift for node in want}
        new = {node: (pressure[node] - venous[node]) / want[node] for node in want}
        if min(new.values()) <= 0.0:
            worst = min(new, key=new.__getitem__)
            raise SolverStopped(
                0.0, f"outlet {worst}", "the arteries before it lose more than the mean arterial pressure"
            )
        change = max(abs(new[node] / resistance[node] - 1.0) for node in want)
        resistance = new
        if change < TOLERANCE:
            break
    windkessels = {node: total for node, total in resistance.items() if node not in resistive}
    outlets = {
        node: _windkessel(tree, node, total, (compliance or {}).get(node)) for node, total in windkessels.items()
    }
    return replace(tree, outlets={**tree.outlets, **outlets})


def matched(tree: Tree, node: str, distal: float, compliance: float | None) -> Outlet:
    """A Windkessel of the given ``distal`` resistance (Pa s/m3) whose proximal one is the artery's impedance."""
    capacity = TIME_CONSTANT / distal if compliance is None else compliance
    return Outlet(characteristic_impedance(tree, node), distal, capacity, tree.outlets[node].venous_pressure)


def characteristic_impedance(tree: Tree, node: str) -> float:
    """``rho c / A`` (Pa s/m3) of the artery that ends in the terminal ``node``, at pressure zero."""
    vessel = tree.vessel(tree.terminal_vessel(node))
    at_end = tree.end[vessel] == tree.node(node)
    radius = (tree.radius_end if at_end else tree.radius_start)[vessel]
    beta = (tree.beta_end if at_end else tree.beta_start)[vessel]
    area = np.pi * radius**2
    speed = np.sqrt(beta / (2.0 * tree.blood.density * np.sqrt(area)))
    return float(tree.blood.density * speed / area)


def _with_resistances(tree: Tree, resistance: Mapping[str, float]) -> Tree:
    outlets = {
        node: replace(outlet, proximal=0.0, distal=resistance[node], compliance=0.0, reflection=None)
        if node in resistance
        else outlet
        for node, outlet in tree.outlets.items()
    }
    return replace(tree, outlets=outlets)


def _windkessel(tree: Tree, node: str, total: float, compliance: float | None) -> Outlet:
    proximal = min(characteristic_impedance(tree, node), 0.5 * total)
    distal = total - proximal
    capacity = TIME_CONSTANT / distal if compliance is None else compliance
    return Outlet(proximal, distal, capacity, tree.outlets[node].venous_pressure)
