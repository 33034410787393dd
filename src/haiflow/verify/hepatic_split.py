"""How the hepatic artery's blood parts to right and left, against what measured diameters imply.

Arteries grow so that the flow goes with the diameter to the power of 2.7 to 3 (Murray 1926 and later fits). With the
mean diameters of 500 angiograms, 2.92 mm right and 2.51 mm left, that is a share of the right of 0.60 to 0.61; the
scatter of diameters between patients is not at hand and is taken as 15 %.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm, uniform

from haiflow.scenario.load import loads
from haiflow.simulation.assemble import assemble
from haiflow.simulation.blood import BloodFlow
from haiflow.verify.model import Curve, Found, Plot, Rival
from haiflow.verify.spread import compared, sampled

SCENARIO = "{haiflow: 1, arteries: {anatomy: michels-1}, liver: {model: standard}, run: {duration: 1 h}}"
RIGHT, LEFT = 2.92, 2.51  # mm
SCATTER = 0.15
INPUTS = {"right": norm(RIGHT, SCATTER * RIGHT), "left": norm(LEFT, SCATTER * LEFT), "exponent": uniform(2.7, 0.3)}
VOLUMES = norm(0.655, 0.06)  # right liver (V to VIII) of the whole: default fractions, spread of CT volumetry


def computed() -> float:
    """Share of the right hepatic artery in the default anatomy."""
    tree = assemble(loads(SCENARIO).model).tree
    assert tree is not None
    cycle = BloodFlow(tree).cycle(tree)
    right, left = (float(cycle.flow_rate[:, tree.vessel(f"{side}_hepatic"), 0].mean()) for side in ("right", "left"))
    return right / (right + left)


def hepatic_split(count: int = 2000) -> Found:
    """The computed share varies with the liver's own volumes, since its outlets are set by what they feed."""
    drawn = sampled(INPUTS, count)
    implied = 1.0 / (1.0 + (drawn["left"] / drawn["right"]) ** drawn["exponent"])
    ours = computed() + np.asarray(VOLUMES.ppf((np.arange(count) + 0.5) / count)) - VOLUMES.mean()
    place = (np.arange(count) + 0.5) / count
    return [
        compared("share of the right hepatic artery", ours, float(np.median(implied)), float(implied.std()),
                 Rival("blood that parts into equal halves, whatever the outlets", 0.5)),
        Plot("Blood of the right hepatic artery", "share of patients", "share of right and left together",
             (Curve("haiflow, spread of the liver's volumes", place, np.sort(ours)),
              Curve("implied by measured diameters", place, np.sort(implied), known=True))),
    ]  # fmt: skip
