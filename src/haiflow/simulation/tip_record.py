"""The tip in 3D as results have it: rows of the split, figures, fields and trails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from haiflow.junction.case import HOLE
from haiflow.results.record import JunctionField
from haiflow.simulation.tip import ResolvedTip

TRAILS = 250  # tracers whose ways are kept
DOUBTFUL = 0.05  # share of the drug that a reader must hear of


def tip_rows(resolved: ResolvedTip) -> list[dict[str, Any]]:
    """A row per hole, as in summary.json: the split that the tree takes, and the ways by which it was found."""
    answer = resolved.answer
    onwards = answer.flow_split[: len(resolved.branches)]
    onwards, rows = onwards / onwards.sum(), []
    for number, hole in enumerate(answer.holes):
        by = {"by_scalar": answer.split[number], "by_tracers": answer.by_tracers[number],
              "by_straight_tracers": answer.by_straight[number]}  # fmt: skip
        rows.append(
            {
                "hole": hole.removeprefix(HOLE),
                "source": "3d",
                "fractions": dict(zip(resolved.branches, resolved.split[number].tolist(), strict=True)),
                "method": resolved.by,
                **{name: dict(zip(answer.branches, shares.tolist(), strict=True)) for name, shares in by.items()},
                "blood": dict(zip(answer.branches, answer.flow_split.tolist(), strict=True)),
                "share_of_infusate": float(resolved.weight[number]),
                "distance_from_mixing": float(0.5 * np.abs(resolved.split[number] - onwards).sum()),
                "residence_near_tip_s": float(answer.residence[number]),
                "tracers_held": float(answer.held[number]),
            }
        )
    return rows


def tip_notes(resolved: ResolvedTip, faults: Sequence[str]) -> list[str]:
    """What a reader of the split must know; ``faults``: kinds of fault in the run."""
    notes = []
    if resolved.doubt > DOUBTFUL:
        doubt = f"{100 * resolved.doubt:.0f} %"
        where = "its thread parts within a cell of where the blood does"
        notes.append(f"the split is uncertain by {doubt} of the drug: {where}")
    if resolved.disagreement > DOUBTFUL:
        apart = f"{100 * resolved.disagreement:.0f} %"
        notes.append(f"the scalar's split, with a thread that is a cell thick at least, is {apart} of the drug apart")
    if resolved.answer.held.max() > DOUBTFUL:
        held = f"{100 * resolved.answer.held.max():.0f} %"
        notes.append(f"{held} of a hole's tracers stay near the tip beyond the time that is followed")
    if resolved.upstream > 0.0:
        back = f"{100 * resolved.upstream:.1f} %"
        notes.append(f"{back} of the drug goes back upstream in part of the beat and is taken to come again")
    figures = resolved.answer.figures
    if figures["change_of_split"] > DOUBTFUL / 5.0:
        notes.append(f"the split still changes by {100 * figures['change_of_split']:.1f} % from beat to beat")
    if figures["drug_balance"] > DOUBTFUL / 5.0:
        notes.append(f"{100 * figures['drug_balance']:.1f} % of the drug in 3D is neither in nor out: some flows back")
    notes.append(f"beyond the branches of {resolved.region.node} the drug is taken to mix with the blood")
    if "dislodgement" in faults:
        notes.append("once the tip is dislodged its drug mixes with the blood: the split in 3D is of its first place")
    if "occlusion" in faults:
        notes.append("the split in 3D is that of the undisturbed arteries; an occlusion changes it in a way not shown")
    return notes


def tip_solver(resolved: ResolvedTip, seconds: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """What ``summary.junction`` and ``summary.solver.junction`` say."""
    figures = dict(resolved.answer.figures)
    steps, unknowns = figures.pop("steps"), figures.pop("unknowns")
    figures.pop("mixed_share")
    known = {"split_doubt": resolved.doubt, "split_disagreement": resolved.disagreement}
    junction = {"node": resolved.region.node, **known, **figures}
    return junction, {"unknowns": unknowns, "steps": steps, "seconds": seconds}


def tip_field(resolved: ResolvedTip) -> JunctionField:
    """Fields for files and pictures; the drug over what perfect mixing would make of it."""
    answer, mesh = resolved.answer, resolved.answer.region
    frames = answer.frames
    drug = np.array([frame.drug.sum(axis=1) for frame in frames], np.float32) / answer.figures["mixed_share"]
    velocity = np.array([frame.velocity for frame in frames])
    last = frames[-1]
    data = {
        "velocity_m_per_s": velocity.mean(axis=0),
        "pressure_pa": np.mean([frame.pressure for frame in frames], axis=0),
        "drug_relative_to_mixed": drug.mean(axis=0),
        "wall_shear_pa": answer.shear.astype(np.float32),
        "oscillatory_shear_index": answer.oscillatory.astype(np.float32),
        **{f"share_{hole.removeprefix(HOLE)}": last.drug[:, k] for k, hole in enumerate(answer.holes)},
    }
    thinned = slice(None, None, max(len(answer.trails) // TRAILS, 1))
    return JunctionField(
        mesh.points, mesh.tetra, mesh.wall, mesh.patch, mesh.names, answer.branches, data,
        np.array([frame.time for frame in frames]), velocity, drug,
        answer.trails[thinned].astype(np.float32), answer.trail_branch[thinned],
        float(frames[-1].time) if len(frames) > 1 else 0.0,
    )  # fmt: skip
