"""What a sweep will do, said before it is done: how many variants, how long, how much disk; which would fail."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from haiflow.errors import InputErrors
from haiflow.scenario.load import Scenario
from haiflow.scenario.plan import START_AND_PICTURES, Plan, counted, estimate, plan
from haiflow.scenario.sweeps.swept import Swept, misspelt
from haiflow.scenario.tip_cost import tip_cells, tip_seconds

# Measured on one core of a 2.5 GHz class machine; good to a factor of two.
VARIANT = 0.04  # s: reading, summing up and writing one variant without pictures
START = 2.0  # s: worker processes
BYTES, BYTES_AN_OUTPUT, FULL_BYTES = 115e3, 0.9e3, 4e6
SHOWN = 6  # bad variants, and axes, that are told one by one


@dataclass(frozen=True)
class Outlook:
    """``variants`` along ``axes``; ``bad``: those known to fail, with what is wrong; the plan of the ``first`` one."""

    name: str
    variants: int
    axes: list[str]
    seed: int
    bad: dict[str, str]
    outputs: str
    estimated_s: float
    workers: int
    disk_bytes: float
    first: Plan

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def text(self) -> str:
        """A few lines for a terminal."""
        lines = [self.first.text(), f"  {'sweep:':<10} {counted(self.variants, 'variant')}, seed {self.seed}"]
        lines += [f"  {'':<10} {axis}" for axis in self.axes]
        lines += [f"  {'fails:':<10} {name}: {text}" for name, text in list(self.bad.items())[:SHOWN]]
        lines += [f"  {'':<10} and {len(self.bad) - SHOWN} more"] if len(self.bad) > SHOWN else []
        length = f"{self.estimated_s:.0f} s" if self.estimated_s < 120 else f"{self.estimated_s / 60:.0f} min"
        disk = f"{self.disk_bytes / 1e6:.0f} MB" if self.disk_bytes < 1e9 else f"{self.disk_bytes / 1e9:.1f} GB"
        lines += [f"  {'estimated:':<10} about {length} on {counted(self.workers, 'worker')}, {disk} of disk"]
        return "\n".join(lines)


def outlook(swept: Swept) -> Outlook:
    """The outlook on a sweep. Raises InputError where it names unknown keys, or none of its variants is sound."""
    start = swept.first_sound()
    bad = swept.bad(start)
    wrong = [error for error in bad.values() if misspelt(error)]
    if wrong:
        raise InputErrors(wrong) if len(wrong) > 1 else wrong[0]
    first = swept.scenario(start)
    workers = os.cpu_count() or 1
    outputs = ceil(first.model.run.duration / (first.model.run.output_every or 1.0))
    full = swept.sweep.outputs == "full"
    return Outlook(
        name=swept.name,
        variants=swept.count,
        axes=[*_axes(swept)],
        seed=swept.sweep.seed,
        bad={swept.design.name(index): str(error).splitlines()[0] for index, error in bad.items()},
        outputs=swept.sweep.outputs,
        estimated_s=START + _seconds(swept, first) / workers,
        workers=workers,
        disk_bytes=swept.count * (FULL_BYTES if full else BYTES + BYTES_AN_OUTPUT * outputs),
        first=plan(first),
    )


def _axes(swept: Swept) -> list[str]:
    told = []
    for axis in swept.design.axes:
        keys = [column.key for column in axis.columns]
        shown = ", ".join(keys[:SHOWN]) + (f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else "")
        told.append(f"{axis.count} x {shown}")
    return told


def _seconds(swept: Swept, first: Scenario) -> float:
    """Of one core, all variants; the blood flow is solved once where no axis alters the arteries, and so is the flow
    round a tip in 3D where none alters the catheter either."""
    each, altered = estimate(first.model), {column.key.split(".")[0] for column in swept.design.columns}
    tip = tip_seconds(first.model, tip_cells(first))
    tip *= swept.count if altered & {"arteries", "catheter"} else 1
    if swept.sweep.outputs == "full":
        return swept.count * each + tip
    alone = VARIANT + each - START_AND_PICTURES
    flow = 0.0
    if not altered & {"arteries", "fault", "faults"}:
        short = first.model.model_copy(update={"run": first.model.run.model_copy(update={"duration": 1e-9})})
        flow = estimate(short) - START_AND_PICTURES
    return swept.count * (alone - flow) + flow + tip
