"""The hepatic arterial buffer response: when the portal vein brings less, the artery widens, and the other way round.

    change of arterial flow / % = 0.0007102 x^2 + 0.5492 x,     x: fall of the portal flow / %

a fit to a lumped model of the human liver (Debbaut's resistances, as in the hepatic vascular models of Auckland).
"""

from __future__ import annotations

from haiflow.liver.build import DEFAULT_PORTAL_FLOW


def buffer_response(portal_flow: float, reference: float = DEFAULT_PORTAL_FLOW) -> float:
    """The factor on the liver's arterial flow at a ``portal_flow`` (m3/s); one at the ``reference`` (m3/s).

    Beyond twice the reference, where nothing is known, it stays as it is there.
    """
    fall = max(100.0 * (1.0 - portal_flow / reference), -100.0)
    return 1.0 + 0.01 * (0.0007102 * fall**2 + 0.5492 * fall)
