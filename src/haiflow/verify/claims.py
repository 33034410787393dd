"""What haiflow claims, the evidence for each, and what is not shown; after ASME V&V 40 and FDA's guidance of 2023.

Evidence is named by case ("group/case"), or by group for all of its cases; what is no case is told in words.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """A claim with its evidence by kind; ``words`` on calculation and uncertainty stand beside the cases."""

    says: str
    code: tuple[str, ...]
    calculation: tuple[str, ...]
    validation: tuple[str, ...]
    uncertainty: str
    not_shown: str
    calculation_words: str = ""

    @property
    def cases(self) -> tuple[str, ...]:
        return self.code + self.calculation + self.validation


OWN_RUN = "of a user's own run: haiflow run --verify-numerics"
SWEEP = "of a user's own inputs: a sweep with distributions (haiflow run of a sample)"
CLAIMS = (
    Claim(
        "A pump's flow answers to temperature, ambient and arterial pressure, viscosity and fill by its law.",
        ("pump/propellants", "pump/restrictor", "pump/gas-drive", "pump/atmosphere", "pump/roller"), (),
        ("pump/surroundings", "pump/population"),
        "propellant, arterial pressure and fill sampled in pump/surroundings, patients and labels in pump/population",
        "No measured curve of flow against temperature or pressure of an implanted pump was found. The propellant"
        " of a given implant is not public; the default was chosen by the clinical rule for fever, so agreement "
        "with that rule is calibration. Wear, clogging and particles are not modelled.",
        "closed forms: nothing is discretised",
    ),
    Claim(
        "A dose asked for becomes the fill, the rate at the tip and the concentration in the arteries.",
        ("pump/dose", "coupling/mixing", "coupling/linearity"), (), (), SWEEP,
        "Stability and adsorption of the drug in the reservoir and the line are not modelled.", OWN_RUN,
    ),
    Claim(
        "Pressures and flows in the line, its leaks and its occlusions are those of the hydraulic laws.",
        ("catheter/basal", "catheter/bolus", "catheter/side-holes", "catheter/pulse", "catheter/yielding-pump",
         "catheter/charging-by-steps", "catheter/roller-blocked", "catheter/leak", "catheter/leak-all",
         "catheter/tip-closed"),
        ("catheter/any-cells", "catheter/charging", "catheter/leak-pocket", "catheter/pulse-marched"), (), SWEEP,
        "No bench measurement of a leaking or clotting catheter is compared. Tears, the permeability of clots and"
        " the tissue round a leak are assumed laws. Bursting is a limit that the user gives.",
    ),
    Claim(
        "Drug moves through the lumen, its dead volume and dispersion included.",
        ("catheter/residence", "catheter/convection", "coupling/lag"), ("catheter/front",), (), SWEEP,
        "Curved lines, density differences and adsorption to the wall are not modelled; no measured breakthrough.",
    ),
    Claim(
        "Blood flow and pulse in the arteries are those of the one-dimensional equations.",
        ("arteries",), (), ("coupling/hepatic-split",),
        "diameters and the exponent of branching sampled in coupling/hepatic-split",
        "No flow measured in a patient's hepatic arteries is compared. Collaterals that open after an occlusion, "
        "moving and curved vessels and turbulence are not modelled. Default anatomies are typical, not a "
        "patient's.",
        OWN_RUN,
    ),
    Claim(
        "Round the tip, flow and the streaming of drug to the branches are those of the incompressible equations.",
        ("junction/rest", "junction/poiseuille", "junction/womersley", "junction/cavity", "junction/cavity-128",
         "junction/step", "junction/cylinder-2d-1", "junction/cylinder-2d-2", "junction/cylinder-3d-1z",
         "junction/nozzle", "junction/turning", "junction/symmetric-split", "junction/dividing-streamline",
         "junction/tip-in-a-y", "junction/sixteen-branches", "junction/reflux"),
        ("junction/taylor-green", "junction/taylor-green-box", "junction/time"),
        ("junction/bend", "junction/off-centre-catheter"),
        "place of the catheter and width of its stream sampled in junction/off-centre-catheter",
        "In FDA's nozzle at Re 500 the equations' own converged solution lies above what five laboratories measured at "
        "three of eleven places on the axis, by up to 2.0 %: not validated there. "
        "Nobody has published the streaming of an infusion of about 1 mL/day; the bench study that is compared "
        "injects at a microcatheter's rate, and its scatter is so wide that it alone would not even refute "
        "perfect mixing. Moving walls, a catheter that moves with the pulse, and particles with a size are not "
        "modelled.",
    ),
    Claim(
        "Blood reaches the tissue by Darcy's law, and drug is taken up by exchange and saturable metabolism.",
        ("liver/linear-pressure", "liver/starved-bar", "liver/balance", "liver/finite-elements", "liver/extraction",
         "liver/extraction-3d", "liver/saturation", "liver/buffer-response", "coupling/uniform-liver",
         "coupling/first-pass"),
        ("liver/darcy",), ("liver/sigurdson",),
        "tumour's blood and metabolism, mixing volume and time of biopsy sampled in liver/sigurdson",
        "The one comparison with patients is two ratios whose deviations are as large as their means. Perfusion "
        "by segment is not compared with images. Permeability and exchange are literature values. Injury of bile "
        "ducts is not modelled.",
        OWN_RUN + "; it does not refine the liver's own mesh",
    ),
    Claim(
        "The body clears the drug and sends it back; the arterial route has the advantage that pharmacokinetics says.",
        ("body/advantage", "coupling/dedrick"), ("body/bolus",), (), SWEEP,
        "No measured plasma curve is compared. Clearances vary tenfold between reports; the library's are one choice.",
    ),
    Claim(
        "A fault changes where the drug goes as the balance of flows demands.",
        ("coupling/splits",), ("coupling/clocks",), (), SWEEP,
        "Times of detection rest on thresholds that the user sets. Rates of failure are inputs, not predictions.",
        OWN_RUN,
    ),
    Claim(
        "Nothing is lost: the ledger of drug and liquid closes.",
        ("coupling/books",), ("coupling/time-steps",), (), "round-off alone",
        "A ledger that closes does not show that the drug is in the right place.",
    ),
)  # fmt: skip
