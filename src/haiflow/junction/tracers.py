"""Massless tracers: followed from the holes of the catheter to where they leave.

They follow a velocity without divergence (:mod:`haiflow.junction.interpolation`) and are spread by the drug's own
molecular diffusion, a random walk: what the wake behind a tip holds gets out of it as slowly or as fast as the drug
does, and no numerical diffusion helps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from haiflow.junction.interpolation import Balance
from haiflow.kernels import kernel
from haiflow.mesh.region import Ints, Region
from haiflow.numerics.team import allowed, together
from haiflow.ports import Floats

tracers = kernel("tracers")

SHARE = 0.2  # of a cell's size, and of the time in which the velocity turns, in one step
STEPS = 200_000  # of one tracer in one call
APART = 2.0  # median cells between the marks of a trail
DIFFUSIVITY = 5e-10  # m2/s: of a small molecule in blood


@dataclass
class Tracers:
    """N tracers on their way: ``place`` (N, 3) m, ``hole`` (N,), ``trail`` (N, k, 3).

    ``left_by`` (N,): -1 while inside, then the patch. ``clock`` (N,) s: how far each is. ``straying``: standard
    deviation, in cells, of what they err to every side on a cell's length.
    """

    region: Region
    place: Floats
    cell: Ints
    hole: Ints
    left_by: Ints
    clock: Floats
    trail: Floats
    marks: Ints
    diffusivity: float = DIFFUSIVITY
    straying: float = 0.0
    balance: Balance | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        # Far apart in the sequence: each tracer's numbers are its own, the same on every machine.
        self.state = np.arange(1, len(self.place) + 1, dtype=np.uint64) * np.uint64(0xD1342543DE82EF95)

    @classmethod
    def joined(cls, parts: Sequence[Tracers]) -> Tracers:
        """All of them as one."""
        names = ("place", "cell", "hole", "left_by", "clock", "trail", "marks")
        arrays: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return replace(parts[0], **arrays)

    @property
    def inside(self) -> float:
        """Share of them that has not left."""
        return float(np.mean(self.left_by < 0))

    def carry(
        self,
        start: float,
        end: float,
        first: Floats,
        second: Floats,
        outlets: tuple[str, ...],
        between: tuple[Floats, Floats] | None = None,
    ) -> None:
        """Move all from their clocks to ``end``; velocities (n, 3) ``first`` at ``start`` and ``second`` at ``end``.

        ``between``: their corrections, where they are known (:class:`Balance`).
        """
        mesh, d = self.region, self.region.dual
        if between is None:
            if self.balance is None or self.balance.outlets != outlets:
                self.balance = Balance(mesh, outlets)
            more = self.balance.of(first)
            between = more, more if second is first else self.balance.of(second)
        lets_out = np.array([name in outlets for name in mesh.names], np.int32)
        size, apart = np.cbrt(6.0 * d.cell_volume), APART * float(np.cbrt(np.median(d.cell_volume)))
        threads = allowed()

        def share(member: int) -> None:
            tracers.carry(
                self.place, self.cell, self.left_by, self.clock, self.state, self.trail, self.marks, end, start, first,
                second, *between, mesh.points, mesh.tetra, d.shape, size, mesh.beyond, lets_out, self.diffusivity,
                self.straying, SHARE, apart, STEPS, member, threads,
            )  # fmt: skip

        together(share, threads)

    def shares(self, holes: int, outlets: tuple[str, ...]) -> Floats:
        """(holes, outlets + 1): share of each hole's tracers that left by each outlet; the last is still inside."""
        columns = [self.region.names.index(name) for name in outlets]
        return np.array([
            [np.mean(self.left_by[self.hole == hole] == patch) for patch in (*columns, -1)] for hole in range(holes)
        ]).reshape(holes, len(outlets) + 1)  # fmt: skip
