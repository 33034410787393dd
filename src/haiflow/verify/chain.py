"""Limits and closed forms through the whole chain: pump, line, arteries, liver, body and ledger together."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np

from haiflow.ports import Floats
from haiflow.results import Results
from haiflow.verify.hepatic_split import hepatic_split
from haiflow.verify.model import WEAK, Case, Curve, Figure, Found, Plot, at_most, within
from haiflow.verify.small_chain import NETWORK, chain, solved

DAY = 86400.0
RATE = 1.3e-6 / DAY  # m3/s
INFLOW = 400e-6 / 60.0
FILL = 0.12e-6 * 70.0 / 1.3e-6  # kg/m3: 0.12 mg/kg/day for 70 kg at 1.3 mL/day
DEAD_VOLUME = np.pi * 0.3e-3**2 * 0.5  # m3
FOUR_DAYS = {"run__duration": "4 d"}


def series(results: Results, name: str) -> Floats:
    return np.asarray(results.history_series[name].values)


def delivered(results: Results) -> dict[str, float]:
    """By terminal, kg at first pass."""
    rows = series(results, "terminal_drug_delivered")[-1, 0]
    return dict(zip(results.history_coords["terminal"], rows.tolist(), strict=True))


def mixing() -> Found:
    """The mass balance that a pharmacist does by hand: what the tip gives is carried by all the blood of the trunk."""
    results = solved(chain(**FOUR_DAYS))
    time, flow = np.asarray(results.history_coords["time"]), series(results, "terminal_flow_rate")[-1]
    given = np.diff(series(results, "terminal_drug_delivered")[:, 0], axis=0)[-1] / (time[-1] - time[-2])
    names, pump = results.history_coords["terminal"], results.summary["pump"]
    return [
        within("fill, mg", 1e6 * results.summary["ledger"]["drug"]["filled_kg"], 30.0 * FILL, 1e-9),
        within("infused in four days, mL", 1e6 * pump["infused_volume_m3"], 5.2, 1e-9),
        within("blood of all terminals, mL/min", 6e7 * flow.sum(), 400.0, 1e-9),
        within("drug into all terminals, mg/day", 1e6 * DAY * given.sum(), 8.4, 1e-9),
        *(within(f"first pass in the {name}, ng/mL", 1e6 * c, 1e6 * RATE * FILL / INFLOW, 1e-9)
          for name, c in zip(names, given / flow, strict=True)),
    ]  # fmt: skip


def lag() -> Found:
    """Volume of the lumen over flow rate is the mean arrival of the front, whatever its dispersion."""
    results = solved(chain(run__output_every="10 min"))
    time, rate = np.asarray(results.history_coords["time"]), series(results, "tip_drug_rate")[:, 0] / (RATE * FILL)
    found, books = time[-1] - float(rate[1:] @ np.diff(time)), results.summary["ledger"]
    shown = time <= 8 * 3600.0
    known = np.where(time >= DEAD_VOLUME / RATE, 1.0, 0.0)
    return [
        within("lag, h", found / 3600.0, DEAD_VOLUME / RATE / 3600.0, 0.02, "the artery's pressure swells the lumen"),
        within("lag from the drug that the lumen holds, of the lag",
               books["drug"]["catheter_kg"] / (RATE * FILL) / found, 1.0, 1e-6),
        within("lag from the liquid that the lumen holds, of the lag",
               books["carrier"]["catheter_m3"] / RATE / found, 1.0, 1e-6),
        at_most("drug at the tip after 2 h, of the plateau", rate[time <= 7200.0].max(), 1e-9),
        within("drug at the tip from 4 h on, of the plateau", rate[time >= 4 * 3600.0].min(), 1.0, 1e-9),
        Plot("Drug arrives at the tip", "time / h", "drug out of the tip, of the plateau",
             (Curve("haiflow", time[shown] / 3600.0, rate[shown]),
              Curve("without dispersion", time[shown] / 3600.0, known[shown], known=True))),
    ]  # fmt: skip


def dedrick() -> Found:
    """1 + clearance / (flow (1 - E)): arterial over systemic blood, all clearances in place, no artery of the gut."""
    scenario = chain(catheter__tip={"vessel": "trunk", "position": "ostium"}, run__duration="12 d",
                     run__output_every="6 h")  # fmt: skip
    network = deepcopy(NETWORK)
    del network["vessels"]["gut"], network["outlets"]["gut"]
    sides = {"right": {"V": 13, "VI": 9, "VII": 17.5, "VIII": 26}, "left": {"I": 3.5, "II": 7.5, "III": 9.5, "IV": 14}}
    network["outlets"] = {  # each segment has blood in proportion to its volume
        node: {"share": f"{sum(sizes.values())} %", "feeds": {s: v / sum(sizes.values()) for s, v in sizes.items()}}
        for node, sizes in sides.items()
    }
    scenario["arteries"]["network"] = network
    results = solved(scenario)
    time, body = np.asarray(results.history_coords["time"]), float(series(results, "body_concentration")[-1, 0])
    flow = float(series(results, "terminal_flow_rate")[-1].sum())
    given = np.diff(series(results, "terminal_drug_delivered")[:, 0].sum(axis=1))[-1] / (time[-1] - time[-2])
    known = 1.0 + 4e-3 / 60.0 / (flow * (1.0 - 0.95))
    return [
        within("advantage at the end", 1.0 + given / flow / body, known, 1.5e-5),
        within("advantage over the whole run", results.summary["body"]["hepatic_advantage"], known, 3e-3),
    ]


def first_pass() -> Found:
    """The liver takes E of the dose at first pass, and its share of all clearance of the rest as it comes round."""
    books = solved(chain(**FOUR_DAYS)).summary["ledger"]["drug"]
    taken = books["eliminated_in_liver_kg"] / (books["eliminated_kg"] + books["body_kg"] + books["liver_kg"])
    known = 0.95 + 0.05 * (0.95 * 1.5e-3 / 60.0) / (4e-3 / 60.0)
    return [Figure("eliminated in the liver, of all", taken, known - 5e-3, known + 5e-3, known)]


def splits() -> Found:
    """An occluded branch gets nothing and the others by their flow; a given split is obeyed."""
    figures: list[Figure] = []
    for vessel in ("right", "left", "gut"):
        results = solved(chain(faults=[{"kind": "occlusion", "where": {"vessel": vessel}}]))
        shares, flow = delivered(results), series(results, "terminal_flow_rate")[-1]
        names, total = results.history_coords["terminal"], sum(delivered(results).values())
        off = [abs(shares[node] / total - rate / flow.sum()) for node, rate in zip(names, flow, strict=True)]
        figures.append(at_most(f"{vessel} shut: drug into it, kg", shares[vessel], 0.0))
        figures.append(at_most(f"{vessel} shut: share of drug less share of blood, largest", max(off), 1e-6))
    given = {"gut": 0.05, "right": 0.25, "left": 0.70}
    shares = delivered(solved(chain(arteries__split=given, catheter__tip={"vessel": "gut", "position": "ostium"},
                                    arteries__ligated=[])))  # fmt: skip
    total = sum(shares.values())
    figures += [within(f"given split, {node}", shares[node] / total, share, 1e-6) for node, share in given.items()]
    return figures


def linearity() -> Found:
    """A double dose of a drug without saturation doubles everything."""
    drug = {"floxuridine": {"half_saturation": "1e9 mg/mL"}}
    one, two = (
        solved(chain(drugs=drug, pump__fill={"drug": "floxuridine", "concentration": f"{c} mg/mL", "volume": "30 mL"}))
        for c in (2.0, 4.0)
    )
    figures = []
    for name in ("tip_drug_rate", "terminal_drug_delivered", "segment_tissue_concentration", "body_concentration"):
        small, large = series(one, name), series(two, name)
        error = np.abs(large - 2.0 * small).max() / np.abs(large).max()
        figures.append(at_most(f"{name.replace('_', ' ')}, off twice, of the largest", error, 1e-9))
    return figures


def _drifting(macro_step: str) -> Floats:
    """Infused and leaked volume, dose and exposure of a segment, of a run in which all of them drift."""
    summary = solved(chain(
        pump__model="intera-3000",
        faults=[{"kind": "leak", "where": {"catheter": "12 cm"}, "orifice_diameter": "12 um", "onset": "2 d"}],
        schedule=[{"at": "9 d", "refill": {"drug": "floxuridine", "concentration": "3 mg/mL", "volume": "30 mL"}}],
        run__duration="16 d", run__output_every="16 d", run__numerics={"macro_step": macro_step},
    )).summary  # fmt: skip
    segment = summary["segments"]["V"]
    volumes = summary["pump"]["infused_volume_m3"], summary["catheter"]["leaked_volume_m3"]
    return np.array([*volumes, segment["drug_delivered_kg"], segment["exposure_kg_s_per_m3"]])


def time_steps() -> Found:
    """Macro steps of 6, 3 and 1.5 hours: the therapy clock is of first order."""
    names = ("infused volume", "leaked volume", "dose of segment V", "exposure of segment V")
    found = np.array([_drifting(step) for step in ("6 h", "3 h", "90 min")])
    change = np.abs(np.diff(found, axis=0)) / found[-1]
    figures: list[Figure | Plot] = []
    for k, name in enumerate(names):
        figures.append(Figure(f"order in time, {name}", float(np.log2(change[0, k] / change[1, k])), 0.9, np.inf, 1.0))
        figures.append(at_most(f"change of {name} from 3 h to 1.5 h", change[1, k], 4e-4))
    curves = tuple(Curve(name, np.array([3.0, 1.5]), change[:, k]) for k, name in enumerate(names))
    slope = Curve("slope 1", np.array([3.0, 1.5]), change[0].max() * np.array([1.0, 0.5]), known=True)
    return [*figures, Plot("Halving the macro step", "macro step / h", "relative change", (*curves, slope), log="xy")]


def clocks() -> Found:
    """A short bolus and its flush, beat by beat and on the cycle's mean flow."""
    boluses = [
        {"at": "0.5 s", "bolus": {"agent": "tc99m-maa", "amount": "0.5 mg", "volume": "0.1 mL", "rate": "0.1 mL/s"}},
        {"at": "1.5 s", "bolus": {"volume": "0.5 mL", "rate": "0.2 mL/s"}},
    ]
    network = deepcopy(NETWORK)
    del network["inlet"]["waveform"]
    scenario = chain(pump__fill={"drug": "none", "volume": "30 mL"}, schedule=boluses, arteries__network=network)
    pulse, mean = (
        delivered(solved(scenario | {"run": {"clock": clock, "duration": "7 s", "output_every": "0.5 s"}}))
        for clock in ("pulse", "therapy")
    )
    whole, total = sum(pulse.values()), sum(mean.values())
    return [
        within("delivered on the pulse clock, of the therapy clock's", whole / total, 1.0, 4e-4),
        Figure("delivered within 7 s, of the agent", total / 0.5e-6, 0.97, 1.0, 1.0),
        *(within(f"share of the {node} on the pulse clock", pulse[node] / whole, mean[node] / total, 0.01)
          for node in mean),
    ]  # fmt: skip


def uniform_liver() -> Found:
    """A liver in 3D that is perfused alike everywhere is the well-mixed one."""
    from haiflow.mesh.standard import standard_liver

    shares = standard_liver().fractions
    network: dict[str, Any] = {
        "vessels": {"trunk": {**NETWORK["vessels"]["trunk"], "to": "hilum"}},
        "outlets": {"hilum": {"share": 1, "feeds": shares}}, "inlet": NETWORK["inlet"],
    }  # fmt: skip
    mixed, resolved = (
        solved(chain(arteries__network=network, liver={"model": "standard", "terminals": 1, **liver})).summary
        for liver in ({"fractions": shares, "resolve": "segments"}, {"resolve": "3d"})
    )
    figures = [within(f"body, {name.split('_')[0]}, of the well-mixed liver's",
                      resolved["body"][name] / mixed["body"][name], 1.0, 1e-9)
               for name in ("exposure_kg_s_per_m3", "peak_concentration_kg_per_m3")]  # fmt: skip
    for name in ("exposure_kg_s_per_m3", "peak_tissue_concentration_kg_per_m3", "drug_delivered_kg", "volume_m3"):
        off = [resolved["segments"][s][name] / row[name] - 1.0 for s, row in mixed["segments"].items()]
        figures.append(at_most(f"segments, {name.rsplit('_kg', 1)[0].replace('_', ' ')}: largest relative difference",
                               np.abs(off).max(), 1e-8))  # fmt: skip
    spread = max(row["exposure_coefficient_of_variation"] for row in resolved["segments"].values())
    return [*figures, at_most("variation of the exposure within segments", spread, 1e-9)]


def books() -> Found:
    """Every sort of fault, a refill and a bolus in one run: nothing is lost."""
    summary = solved(chain(
        pump__model="intera-3000",
        faults=[
            {"kind": "leak", "where": {"catheter": "12 cm"}, "orifice_diameter": "20 um", "onset": "5 h"},
            {"kind": "occlusion", "where": {"vessel": "right"}, "severity": 0.9, "onset": "10 h", "over": "4 h"},
            {"kind": "dislodgement", "to": "tissue", "onset": "20 h"}, {"kind": "stall", "onset": "40 h"},
        ],
        schedule=[{"at": "30 h", "refill": {"drug": "floxuridine", "dose": "0.06 mg/kg/day"}},
                  {"at": "8 h", "bolus": {"agent": "tc99m-maa", "amount": "0.5 mg", "volume": "1 mL", "over": "10 s"}}],
        run__duration="48 h",
    )).summary["ledger"]  # fmt: skip
    found = {book: summary[book]["relative_imbalance"] for book in ("drug", "carrier")}
    return [at_most(f"{book}: relative imbalance", imbalance, 1e-10) for book, imbalance in found.items()]


COUPLING = (
    Case("mixing", "dose, mixing in the trunk, first pass in every branch", "by hand", mixing),
    Case("lag", "drug comes late by the dead volume", "exact", lag),
    Case("first-pass", "what the liver takes", "by hand", first_pass),
    Case("dedrick", "advantage of the arterial route in a whole run", "Collins 1984, J Clin Oncol 2:498", dedrick),
    Case("splits", "occluded branches, given splits", "exact", splits,
         limits="where the drug is taken as mixed, streaming is not in it: see junction"),
    Case("linearity", "a double dose doubles everything", "exact", linearity),
    Case("time-steps", "order of the therapy clock", "self-convergence", time_steps),
    Case("clocks", "both clocks split a bolus alike", "each other", clocks),
    Case("uniform-liver", "a uniform liver in 3D is the well-mixed one", "exact", uniform_liver),
    Case("books", "ledger with every sort of fault", "conservation", books),
    Case("hepatic-split", "blood of the right hepatic artery, of right and left",
         "500 CT angiograms: Bilir et al. 2021, Int J Morphol", hepatic_split, evidence=WEAK,
         limits="published are diameters, not flows: the split follows by a power law whose exponent is a range"),
)  # fmt: skip
