"""The table of arterial cases: blood in one dimension, and the drug that it carries."""

from __future__ import annotations

from haiflow.verify import (
    arteries_drug,
    arteries_exact,
    arteries_gravity,
    arteries_published,
    arteries_random,
    arteries_riemann,
    arteries_wall,
    arteries_waves,
)
from haiflow.verify.model import Case

BOILEAU = "Boileau et al. 2015, Int J Numer Methods Biomed Eng 31:e02732; inflows: Xiao et al. 2014, ibid. 30:204"
RIEMANN = "exact (Toro & Siviglia 2013, Commun Comput Phys 13:361)"
LINEAR = "exact (linear waves)"
ARTERIES = (
    Case(
        "single-pulse", "a pulse in a long tube, ideal blood", f"{LINEAR}; {BOILEAU}", arteries_published.inviscid_pulse
    ),
    Case("single-pulse-viscous", "the same with friction", f"{LINEAR}; {BOILEAU}", arteries_published.viscous_pulse),
    Case("carotid", "common carotid artery, mesh convergence", BOILEAU, arteries_published.carotid),
    Case("aorta", "upper thoracic aorta, mesh convergence", BOILEAU, arteries_published.aorta),
    Case("iliac", "aortic bifurcation, mesh convergence", BOILEAU, arteries_published.iliac),
    Case("riemann", "rarefaction and shock", RIEMANN, arteries_riemann.subcritical),
    Case("riemann-rarefactions", "two rarefactions", RIEMANN, arteries_riemann.rarefactions),
    Case("riemann-shocks", "two shocks", RIEMANN, arteries_riemann.shocks),
    Case("riemann-stiffness", "a wall four times as stiff", RIEMANN, arteries_riemann.stiffness),
    Case("riemann-narrowing", "a narrower, stiffer vessel", RIEMANN, arteries_riemann.narrowing),
    Case("transcritical", "flow that passes the speed of waves", RIEMANN, arteries_riemann.transcritical),
    Case("near-collapse", "blood that parts in a tube nearly empty", RIEMANN, arteries_riemann.near_collapse),
    Case("smooth-waves", "order where the solution is smooth", "exact (characteristics)", arteries_riemann.smooth),
    Case("still-blood", "no flow arises from none", "exact", arteries_exact.rest),
    Case("gravity-rest", "no flow arises from none where blood has weight", "exact", arteries_gravity.rest),
    Case("gravity-taper", "blood that runs downhill", "exact (quadrature); refinement", arteries_gravity.hanging_taper),
    Case("gravity-siphon", "blood that runs over a hump", "exact (quadrature)", arteries_gravity.siphon),
    Case("steady-taper", "steady flow in a tapered tube", "exact (Bernoulli; quadrature)", arteries_exact.steady_taper),
    Case("stenosis", "pressure that a narrowing costs", "Young & Tsai 1973, J Biomech 6:395", arteries_exact.stenosis),
    Case("second-order", "order of the whole scheme on a bifurcation", "refinement", arteries_exact.whole_scheme),
    Case("junction-waves", "pulses where two to four vessels meet", LINEAR, arteries_waves.junctions),
    Case("outlet-waves", "reflection coefficients of outlets", LINEAR, arteries_waves.coefficients),
    Case("windkessel-echo", "what a Windkessel sends back", LINEAR, arteries_waves.windkessel),
    Case("occlusion", "a vessel shut for good", LINEAR, arteries_waves.occlusion),
    Case(
        "attenuation",
        "waves damped by friction",
        "exact; Womersley 1955, J Physiol 127:553",
        arteries_waves.attenuation,
    ),
    Case("viscous-wall", "waves damped by the wall", LINEAR, arteries_waves.viscous_wall),
    Case("viscous-fork", "viscous walls where vessels meet", LINEAR, arteries_wall.viscous_fork),
    Case("viscous-reflection", "viscous walls at reflecting outlets", LINEAR, arteries_wall.viscous_reflection),
    Case("viscous-and-elastic", "viscous walls that meet elastic ones", LINEAR, arteries_wall.viscous_and_elastic),
    Case("viscous-stations", "what is sampled of viscous walls", LINEAR, arteries_wall.viscous_stations),
    Case(
        "viscous-wall-order", "order of the whole scheme with a viscous wall", "refinement", arteries_exact.viscous_wall
    ),
    Case("drug-front", "a bolus's front", "conservation", arteries_drug.front),
    Case("drug-order", "order where the drug is smooth", "exact; refinement", arteries_drug.smooth),
    Case("ledger", "books and bounds on random networks with faults", "conservation", arteries_random.ledger),
    Case("ledger-2000", "the same on 2000 networks", "conservation", arteries_random.ledger_many, slow=True),
    Case("positive-area", "areas under suction, surges, occlusions", "definition", arteries_random.positive),
    Case("positive-area-1000", "the same on 1000 networks", "definition", arteries_random.positive_many, slow=True),
)
