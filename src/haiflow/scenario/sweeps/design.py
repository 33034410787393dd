"""The design of a sweep: its axes, their product, and what each variant of it is called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from haiflow.scenario.problems import Problems
from haiflow.scenario.schema.sweep import Campaign, Sweep
from haiflow.scenario.sweeps.axes import Axis, Cell, Column, Setting, column, named, product, zipped
from haiflow.scenario.sweeps.axes import Listed as Listed
from haiflow.scenario.sweeps.campaign import campaign
from haiflow.scenario.sweeps.population import population_axis
from haiflow.scenario.sweeps.samples import Sampled, sample_axis, sensitivity_axis

MOST_VARIANTS = 1_000_000


@dataclass(frozen=True)
class Design:
    """The product of ``axes``: the last one turns fastest."""

    axes: tuple[Axis, ...]

    @property
    def count(self) -> int:
        return prod(axis.count for axis in self.axes)

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(each for axis in self.axes for each in axis.columns)

    @property
    def sampled(self) -> tuple[Sampled, ...]:
        return tuple(axis for axis in self.axes if isinstance(axis, Sampled))

    @property
    def drawn(self) -> bool:
        """Whether a share of the variants is a probability."""
        return any(axis.drawn for axis in self.axes)

    def rows(self, index: int) -> list[tuple[Axis, int]]:
        """Each axis with its row in variant ``index`` (from 0)."""
        found: list[tuple[Axis, int]] = []
        for axis in reversed(self.axes):
            index, row = divmod(index, axis.count)
            found.append((axis, row))
        return found[::-1]

    def settings(self, index: int) -> list[Setting]:
        return [setting for axis, row in self.rows(index) for setting in axis.settings(row)]

    def cells(self, index: int) -> dict[str, Cell]:
        """The variant's own cells in the table of variants."""
        return {key: cell for axis, row in self.rows(index) for key, cell in axis.cells(row).items()}

    def name(self, index: int) -> str:
        """The variant's folder: its name where the names alone tell the variants apart, else its number from 1."""
        names = [name for axis, row in self.rows(index) if (name := axis.name(row)) is not None]
        number = f"{index + 1:0{max(4, len(str(self.count)))}d}"
        if not names:
            return number
        return names[0] if len(self.axes) == 1 else f"{number} {names[0]}"

    def one_by_one(self, start: int) -> Iterator[int]:
        """Variants that differ from ``start`` in one axis alone: each value of each axis once."""
        step = 1
        for axis in reversed(self.axes):
            here = start // step % axis.count
            for row in range(axis.count):
                if row != here:
                    yield start + (row - here) * step
            step *= axis.count


def design(problems: Problems, sweep: Sweep) -> Design | None:
    """The design; None where something is wrong with it, which ``problems`` are told."""
    axes: list[Axis | None] = []
    if sweep.variants is not None:
        axes.append(named(sweep.variants))
    if sweep.zip is not None:
        axes.append(_zipped(problems, sweep))
    if isinstance(sweep.faults, Campaign):
        axes.append(campaign(sweep.faults.each, sweep.faults.sound))
    lists = dict(sweep.products)
    if isinstance(sweep.faults, list):
        lists["faults"] = sweep.faults
    axes += [product(key, values) for key, values in lists.items()]
    if sweep.population is not None:
        axes.append(population_axis(problems, sweep.population, sweep.seed))
    if sweep.sample is not None:
        axes.append(sample_axis(problems, sweep.sample, sweep.seed))
    if sweep.sensitivity is not None:
        axes.append(sensitivity_axis(problems, sweep.sensitivity, sweep.seed))
    if not axes:
        remedy = "give a key with a list of values, e.g. 'catheter.length: [40 cm, 50 cm]'"
        problems.add(("sweep",), "nothing", "the sweep has no axis", remedy, key=True)
    sound = [axis for axis in axes if axis is not None]
    found = Design(tuple(sound))
    if found.count > MOST_VARIANTS:
        problems.add(("sweep",), found.count, f"at most {MOST_VARIANTS} variants", "sample instead", key=True)
    _once(problems, found)
    return found if axes and len(sound) == len(axes) and not problems else None


def _zipped(problems: Problems, sweep: Sweep) -> Listed | None:
    lists = sweep.zip or {}
    lengths = {key: len(values) for key, values in lists.items()}
    if len(set(lengths.values())) == 1:
        return zipped(lists)
    told = ", ".join(f"{key} {length}" for key, length in lengths.items())
    problems.add(("sweep", "zip"), told, "lists that go together have one length", "make them equally long", key=True)
    return None


def _once(problems: Problems, found: Design) -> None:
    """A key is swept once."""
    keys = [each.key for each in found.columns]
    for key in dict.fromkeys(keys):
        if keys.count(key) > 1:
            problems.add(("sweep", key), key, "the key is swept twice", "keep one of the two", key=True)


__all__ = ["Design", "column", "design"]
