"""Exposure and the advantage of giving a drug into the hepatic artery."""

from __future__ import annotations

import numpy as np

from haiflow.ports import Floats


def area_under_curve(time: Floats, concentration: Floats) -> Floats:
    """Exposure (kg s/m3) over ``time`` (nt,) in s by the trapezium rule; ``concentration`` (nt, ...) in kg/m3."""
    return np.asarray(np.trapezoid(concentration, time, axis=0), dtype=float)


def exposure_ratio(hepatic_exposure: float, systemic_exposure: float) -> float:
    """Exposure of the blood that the hepatic artery brings over that of the body: one route's hepatic advantage."""
    return hepatic_exposure / systemic_exposure if systemic_exposure > 0.0 else np.inf


def dedrick_advantage(total_clearance: float, arterial_flow: float, extraction_ratio: float) -> float:
    """Gain of hepatic arterial over intravenous infusion at steady state, ``R_d = 1 + CL_TB / (Q_HA (1 - E))``.

    Dedrick 1988 (J Natl Cancer Inst 80:84), Collins 1984 (J Clin Oncol 2:498). ``total_clearance`` (m3/s) is that of
    the whole body, liver included; ``arterial_flow`` (m3/s) the flow into which the drug is mixed.
    """
    return 1.0 + total_clearance / (arterial_flow * (1.0 - extraction_ratio))
