"""Stall: the pump gives nothing at any pressure (rotor seized, battery flat, restrictor blocked, propellant lost).

The catheter stays at arterial pressure and the pulse goes on carrying blood in and out of the tip.

YAML: ``faults: [{kind: stall, onset: 9 d}]``
"""

from __future__ import annotations

from dataclasses import replace

from haiflow.pump.model import Pump


def stall(pump: Pump) -> Pump:
    """The pump, stopped."""
    return replace(pump, stalled=True)
