"""Drug in the arteries on the pulse clock: replayed on the volume fluxes of each step of the blood's solver."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haiflow.arteries.grid import Grid
from haiflow.arteries.injection import Injection, Split, check_split, distance_along, vessel_of
from haiflow.arteries.pulsatile import FluxBlock
from haiflow.numerics.channels import MEAN_OF_ENDS, Channels, ChannelTransport, Injections
from haiflow.ports import Floats

COURANT = 0.5  # share of its volume that a cell gives away in one transport step of several blood steps


@dataclass(frozen=True, slots=True)
class BlockExchange:
    """Mass (kg) that crossed the ends of the network in one block."""

    outflow: Floats  # (n_species, n_terminals) through tree.terminals, outward; negative: came back
    inlet: Floats  # (n_species,) in through the root; negative: out


class PulseTransport:
    """Species in the arteries on the pulse clock, replayed on the blood solver's own volume fluxes.

    Parameters
    ----------
    grid : the solver's cells. n_species : number of species.
    injections : holes of catheters, in the order of ``injected`` below; ``split`` as in :func:`cycle_mean_transport`.
    limiter : one of ``numerics.schemes.LIMITERS``. dispersion : m2/s along the vessels, implicit; usually zero, for
        cross-mixing takes longer than the way through an artery.

    ``c`` (n_species, n_cells) kg/m3 may be set from outside; ``volume`` (n_cells,) m3 is that of the last block's end,
    None before the first. Blood that comes back through a terminal has the concentration of its last cell.
    """

    def __init__(
        self,
        grid: Grid,
        n_species: int,
        injections: Sequence[Injection] = (),
        *,
        split: Split | None = None,
        limiter: str = "van_leer",
        dispersion: float = 0.0,
    ) -> None:
        tree = grid.tree
        self.grid, self.injections, self.dispersion = grid, tuple(injections), dispersion
        external = np.full(len(tree.nodes), -1, dtype=np.int32)
        external[[tree.node(name) for name in tree.terminals]] = 1 + np.arange(len(tree.terminals))
        external[tree.node(tree.inlet.node)] = 0
        self.channels = Channels(grid.offset, tree.start, tree.end, external)
        self._kernel = ChannelTransport(self.channels, _placed(grid, self.injections, split or {}), limiter=limiter)
        self.c = np.zeros((n_species, grid.n_cells))
        self.volume: Floats | None = None

    @property
    def mass(self) -> Floats:
        """(n_species,) kg in the arteries."""
        return np.zeros(self.c.shape[0]) if self.volume is None else self.c @ self.volume

    def advance(
        self, block: FluxBlock, inlet_concentration: Floats, injected: Floats | None = None,
        source: Floats | None = None,
    ) -> BlockExchange:
        """Replay one block of blood steps.

        ``inlet_concentration`` (n_species,) kg/m3 of blood that enters at the root, ``injected``
        (n_species, n_injections) kg/s, ``source`` (n_cells,) m2/s the liquid that the blood's solver was given
        with what is injected in a cell. Several blood steps make one transport step (their mean flux is exact for
        the volumes) as long as no cell gives away more than half its volume. Raises ValueError for a block that
        does not follow on the last one (set ``volume = None`` to begin anew) and on wrong shapes.
        """
        volume = self._adopt(block.area_start * self.grid.cell_dx)
        n_steps = block.face_flux.shape[0]
        together, pieces = self._steps_together(block, volume)
        whole = n_steps - n_steps % together
        given = (volume, inlet_concentration, injected, None if source is None else source * self.grid.cell_dx)
        outflow = np.zeros((self.c.shape[0], self.channels.n_external))
        if whole:
            flux = block.face_flux[:whole].reshape(-1, together, self.grid.n_faces).mean(axis=1)
            outflow += self._replay(np.repeat(flux, pieces, axis=0), together * block.dt / pieces, *given)
        if whole < n_steps:
            flux = block.face_flux[whole:].mean(axis=0, keepdims=True)
            outflow += self._replay(flux, (n_steps - whole) * block.dt, *given)
        return BlockExchange(outflow[:, 1:], -outflow[:, 0])

    def _replay(
        self,
        flux: Floats,
        dt: float,
        volume: Floats,
        inlet: Floats,
        injected: Floats | None,
        source: Floats | None,
    ) -> Floats:
        outside = np.full((self.c.shape[0], self.channels.n_external), MEAN_OF_ENDS)
        outside[:, 0] = inlet
        return self._kernel.advance(
            self.c, volume, flux, dt,
            external_concentration=outside,
            injected=injected,
            source=source,
            conductance=self._conductance(volume),
        )

    def _adopt(self, volume: Floats) -> Floats:
        if self.volume is not None and np.abs(volume - self.volume).max() > 1e-9 * volume.max():
            raise ValueError("the block does not begin with the volumes that the last one ended with")
        self.volume = np.ascontiguousarray(volume)  # the kernel changes it in place
        return self.volume

    def _steps_together(self, block: FluxBlock, volume: Floats) -> tuple[int, int]:
        """Blood steps in one of the drug's, or else steps of the drug in one of the blood's, which may be long."""
        flux, left = np.abs(block.face_flux).max(axis=0), self.channels.left_face
        courant = block.dt * np.max((flux[left] + flux[left + 1]) * 0.5 / volume)
        together = int(np.clip(COURANT / max(courant, 1e-300), 1, max(block.face_flux.shape[0], 1)))
        return together, max(1, int(np.ceil(courant)))

    def _conductance(self, volume: Floats) -> Floats | None:
        if self.dispersion == 0.0:
            return None
        area, left = volume / self.grid.cell_dx, self.channels.left_face
        result = np.zeros(self.grid.n_faces)
        inner = np.flatnonzero(np.diff(left) == 1)
        result[left[inner + 1]] = 0.5 * self.dispersion * (area[inner] + area[inner + 1]) / self.grid.cell_dx[inner]
        return result


def _placed(grid: Grid, injections: Sequence[Injection], split: Split) -> Injections:
    tree, n = grid.tree, len(injections)
    node, cell = np.full(n, -1, dtype=np.int32), np.zeros(n, dtype=np.int32)
    fractions = np.zeros((n, 2 * len(tree.vessels)))
    for j, injection in enumerate(injections):
        v = vessel_of(tree, injection)
        first, last = grid.offset[v], grid.offset[v + 1] - 1
        if injection.position != "ostium":
            cell[j] = min(first + int(distance_along(tree, injection, v) / grid.dx[v]), last)
            continue
        node[j], cell[j] = tree.start[v], first
        named = split.get(tree.nodes[node[j]], {})
        check_split(named)
        for name, fraction in named.items():
            w = tree.vessel(name)
            if node[j] not in (tree.start[w], tree.end[w]):
                raise ValueError(f"split at '{tree.nodes[node[j]]}': vessel '{name}' does not meet there")
            fractions[j, 2 * w + (0 if tree.start[w] == node[j] else 1)] = fraction
    return Injections(node, cell, fractions)
