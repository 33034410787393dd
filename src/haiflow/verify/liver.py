"""The table of the liver's cases."""

from __future__ import annotations

from haiflow.verify import darcy, uptake, uptake_published
from haiflow.verify.model import WEAK, Case

LIVER = (
    Case("darcy", "order of pressure and flux on tetrahedra", "manufactured solution", darcy.manufactured),
    Case("finite-elements", "pressure as good as that of linear elements", "linear finite elements",
         darcy.against_linear_elements),
    Case("linear-pressure", "a linear pressure is exact", "exact", darcy.linear),
    Case("starved-bar", "how far blood seeps into a starved region", "exact (one dimension)", darcy.starved_bar),
    Case("balance", "books of every control volume", "conservation", darcy.balances),
    Case("extraction", "extraction of every drug of the library, well mixed", "exact", uptake.compartments,
         limits="the ratios themselves are the library's, from published ranges"),
    Case("extraction-3d", "extraction of every drug of the library in 3D", "exact", uptake.in_3d),
    Case("saturation", "saturable uptake", "Michaelis-Menten by LSODA", uptake.saturation),
    Case("buffer-response", "arterial flow where the portal flow falls", "fit to a lumped model of the human liver",
         uptake.buffer, limits="the law is that fit: it is entered rightly; whether patients follow it is not shown"),
    Case("sigurdson", "floxuridine by artery and by portal vein", "Sigurdson et al. 1987, J Clin Oncol 5:1836",
         uptake_published.sigurdson, evidence=WEAK,
         limits="two ratios of means with deviations as large as the means: a wide target"),
)  # fmt: skip
