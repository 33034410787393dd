"""Transport of species on a network of channels, on given volume fluxes: the checked way into the compiled kernel.

A channel is a chain of cells with one face more than cells; channel ends meet at nodes, which hold no volume: what
flows into a node mixes and leaves at the mixture's concentration. ``ext/haiflow/kernels/scalar.pyx`` tells the scheme.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from haiflow.kernels import kernel
from haiflow.numerics.schemes import LIMITERS, choose
from haiflow.ports import Floats

scalar = kernel("scalar")

Indices = NDArray[np.int32]
MEAN_OF_ENDS = np.nan  # external concentration: what comes in is like what is there


@dataclass(frozen=True)
class Channels:
    """Topology. Channel v has cells ``first_cell[v] .. first_cell[v + 1]`` and faces ``first_cell[v] + v`` onwards,
    positive from its start node to its end node.

    ``external`` (n_nodes,): -1 for an inner node, else the number of the outside that the node opens to (an inlet, a
    terminal). Raises ValueError for channels of fewer than two cells and nodes without a channel.
    """

    first_cell: Indices  # (n_channels + 1,)
    start_node: Indices  # (n_channels,)
    end_node: Indices  # (n_channels,)
    external: Indices  # (n_nodes,)

    def __post_init__(self) -> None:
        for name in ("first_cell", "start_node", "end_node", "external"):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=np.int32))
        if self.start_node.size + 1 != self.first_cell.size or self.end_node.size != self.start_node.size:
            raise ValueError("first_cell has one entry more than there are channels")
        if np.any(np.diff(self.first_cell) < 2) or self.first_cell[0] != 0:
            raise ValueError("every channel needs two cells or more")
        if np.any(np.bincount(self._end_nodes, minlength=self.n_nodes)[: self.n_nodes] == 0):
            raise ValueError("every node needs a channel")
        if self._end_nodes.min() < 0 or self._end_nodes.max() >= self.n_nodes:
            raise ValueError("a channel ends in a node that does not exist")

    @property
    def n_channels(self) -> int:
        return self.start_node.size

    @property
    def n_nodes(self) -> int:
        return self.external.size

    @property
    def n_cells(self) -> int:
        return int(self.first_cell[-1])

    @property
    def n_faces(self) -> int:
        return self.n_cells + self.n_channels

    @property
    def n_external(self) -> int:
        return int(self.external.max(initial=-1)) + 1

    @cached_property
    def _end_nodes(self) -> Indices:
        """(2 n_channels,) node of end 2 v (start of channel v) and 2 v + 1 (its end)."""
        return np.stack([self.start_node, self.end_node], axis=1).ravel()

    @cached_property
    def end_list(self) -> Indices:
        return np.argsort(self._end_nodes, kind="stable").astype(np.int32)

    @cached_property
    def node_start(self) -> Indices:
        counts = np.bincount(self._end_nodes, minlength=self.n_nodes)
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)

    @cached_property
    def end_faces(self) -> Indices:
        """(2 n_channels,) face of each channel end."""
        v = np.arange(self.n_channels)
        return np.stack([self.first_cell[:-1] + v, self.first_cell[1:] + v], axis=1).ravel().astype(np.int32)

    @cached_property
    def left_face(self) -> Indices:
        """(n_cells,) face at the start side of each cell."""
        channel = np.repeat(np.arange(self.n_channels), np.diff(self.first_cell))
        return (np.arange(self.n_cells) + channel).astype(np.int32)

    def node_inflow(self, face_flux: Floats) -> Floats:
        """Net flow (..., n_nodes) m3/s that channels bring to each node, from ``face_flux`` (..., n_faces)."""
        signed = face_flux[..., self.end_faces] * np.tile([-1.0, 1.0], self.n_channels)
        return np.add.reduceat(signed[..., self.end_list], self.node_start[:-1], axis=-1)


@dataclass(frozen=True)
class Injections:
    """Where mass is injected: at ``node`` (n,) (-1: in the cell), else in ``cell`` (n,), which also takes the mass of a
    node from which nothing flows away. ``split`` (n, 2 n_channels): fraction to each channel end of the node that flows
    away from it; the rest mixes."""

    node: Indices
    cell: Indices
    split: Floats


def no_injections(channels: Channels) -> Injections:
    return Injections(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros((0, 2 * channels.n_channels)))


class ChannelTransport:
    """Advances species on ``channels``; see :meth:`advance`. ``limiter``: one of ``schemes.LIMITERS``."""

    def __init__(self, channels: Channels, injections: Injections | None = None, *, limiter: str = "van_leer") -> None:
        self.channels = channels
        given = injections or no_injections(channels)
        self.limiter = choose(LIMITERS, limiter)
        self.node = np.ascontiguousarray(given.node, dtype=np.int32)
        self.cell = np.ascontiguousarray(given.cell, dtype=np.int32)
        self.split = _shaped(given.split, (self.node.size, 2 * channels.n_channels), "split")
        if self.cell.shape != self.node.shape:
            raise ValueError("an injection needs a node and a cell each")
        if self.node.size and (
            self.node.max() >= channels.n_nodes or self.cell.min() < 0 or self.cell.max() >= channels.n_cells
        ):
            raise ValueError("an injection lies outside the network")
        if np.any(self.split < 0.0) or np.any(self.split.sum(axis=1) > 1.0 + 1e-9):
            raise ValueError("the fractions of a split are not negative and sum to one at most")
        self._work = np.empty((8, channels.n_faces + 2 * channels.n_channels + 1))

    def advance(
        self,
        c: Floats,
        volume: Floats,
        face_flux: Floats,
        dt: float,
        *,
        external_concentration: Floats,
        injected: Floats | None = None,
        source: Floats | None = None,
        conductance: Floats | None = None,
    ) -> Floats:
        """Replay ``face_flux`` (n_steps, n_faces) m3/s, each step ``dt`` s, in one compiled call.

        Parameters
        ----------
        c : (n_species, n_cells) kg/m3 and volume : (n_cells,) m3, both changed in place.
        external_concentration : (n_species, n_external) of what comes in from each outside; NaN (``MEAN_OF_ENDS``): as
            in the cells there.
        injected : (n_species, n_injections) kg/s.
        source : (n_cells,) m3/s of liquid that enters with what is injected in a cell.
        conductance : (n_faces,) m3/s, ``dispersion * area / dx`` at inner faces; zero on channel ends.

        Returns (n_species, n_external) kg that left by each outside; negative: came in. Raises ValueError on wrong
        shapes, on fluxes that do not balance at an inner node, on volumes that do not stay positive.
        """
        g = self.channels
        n_species = c.shape[0]
        _in_place(c, (n_species, g.n_cells), "c")
        _in_place(volume, (g.n_cells,), "volume")
        flux = _shaped(face_flux, (face_flux.shape[0], g.n_faces), "face_flux")
        outside = _shaped(external_concentration, (n_species, g.n_external), "external_concentration")
        masses = _optional(injected, (n_species, self.node.size), "injected")
        self._check_balance(flux)
        outflow = np.zeros((n_species, max(g.n_external, 1)))  # the kernel takes no empty rows
        if g.n_external == 0:
            outside = np.zeros_like(outflow)
        done = scalar.advance_network(
            c, volume, outflow, self._work, flux, float(dt), g.first_cell, g.node_start, g.end_list, g.external,
            outside, self.node, self.cell, self.split, masses, _optional(source, (g.n_cells,), "source"),
            _optional(conductance, (g.n_faces,), "conductance"), self.limiter,
        )
        if done < 0:
            raise ValueError(f"step {-done - 1}: the fluxes empty a cell, or are not finite")
        return outflow[:, : g.n_external]

    def _check_balance(self, flux: Floats) -> None:
        left_over = np.abs(self.channels.node_inflow(flux)[:, self.channels.external < 0])
        if left_over.size and not left_over.max() <= 1e-9 * np.abs(flux).max():
            raise ValueError(f"fluxes at an inner node do not sum to zero: {left_over.max()} m3/s is left over")


def _in_place(array: Floats, shape: tuple[int, ...], name: str) -> None:
    if array.shape != shape or array.dtype != np.float64 or not array.flags.c_contiguous:
        raise ValueError(f"{name}: need a C-contiguous float64 array of shape {shape}, not {array.dtype} {array.shape}")


def _shaped(array: Floats, shape: tuple[int, ...], name: str) -> Floats:
    result = np.ascontiguousarray(array, dtype=np.float64)
    if result.shape != shape:
        raise ValueError(f"{name}: shape {result.shape}, expected {shape}")
    return result


def _optional(array: Floats | None, shape: tuple[int, ...], name: str) -> Floats:
    return np.zeros(shape) if array is None else _shaped(array, shape, name)
