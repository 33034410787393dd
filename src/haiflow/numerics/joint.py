"""Joins the balances of several parts into one linear system and advances it in time.

Each part hands over a :class:`~haiflow.ports.LinearTransport`; a :class:`Connection` sends a fraction of what leaves
one part by a named outlet into a named inlet of another. An outlet without a connection is a sink, whose mass is
reported; an inlet is also a place for external mass, connected or not. The whole is

    d(volume c)/dt = rate c + gain m_in,      rate = block rates + sum over connections of fraction gain_to outlet_from

and conserves by construction: what an outlet row takes, a gain column (which sums to one) gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_diag, csc_array, csr_array, diags_array
from scipy.sparse.csgraph import breadth_first_order
from scipy.sparse.linalg import spsolve

from haiflow.numerics.implicit import DENSE, GAMMA, SCHEMES, FactorCache, Shifted, StageResult, embedded_error, held
from haiflow.ports import Floats, LinearTransport


@dataclass(frozen=True, slots=True)
class Connection:
    """``fraction`` of what leaves ``from_part`` by ``outlet`` enters ``to_part`` by ``inlet``."""

    from_part: str
    outlet: str
    to_part: str
    inlet: str
    fraction: float = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did. Masses in kg over the step, in the order of the system's names.

    ``sum(volume c_new) - sum(volume c) = sum(sources) dt - sum(outflow[system.is_sink]) - sum(lost)`` to round-off.
    """

    c_new: Floats  # (n,) kg/m3
    exposure: Floats  # (n,) integral of c dt, kg s/m3
    outflow: Floats  # (n_outlets,) kg through every outlet of every part, connected or not
    lost: Floats  # (n,) kg eliminated in each compartment
    stages: StageResult
    scheme: str


class JointSystem:
    """Several parts as one linear system of n compartments.

    Parameters
    ----------
    parts : name -> balance. Compartments, inlets and outlets get the names ``part.name``.
    connections : who feeds whom. The fractions of each connected outlet must sum to one (to 1e-9; they are then
        scaled to sum to one exactly).
    scheme : ``"sdirk2"`` (second order; may dip below zero in a step that is long against a jump) or
        ``"backward_euler"`` (first order, never negative: for the first step after an event).

    Raises ValueError for names that do not exist and for fractions that are negative or do not sum to one.

    Attributes
    ----------
    names, inlets, outlets : tuples of ``part.name``; volume (n,) m3; rate (n, n) m3/s; gain (n, n_inlets);
    outlet (n_outlets, n) m3/s; loss (n,) m3/s; is_sink (n_outlets,) true for outlets without connection.
    """

    def __init__(
        self, parts: Mapping[str, LinearTransport], connections: Iterable[Connection] = (), *, scheme: str = "sdirk2"
    ) -> None:
        self.scheme = _known_scheme(scheme)
        self.parts = dict(parts)
        self.names = _full_names((p, t.names) for p, t in self.parts.items())
        self.inlets = _full_names((p, t.inlets) for p, t in self.parts.items())
        self.outlets = _full_names((p, t.outlets) for p, t in self.parts.items())
        balances = list(self.parts.values())
        self.volume = np.concatenate([t.volume for t in balances])
        self.loss = np.concatenate([t.loss for t in balances])
        self.gain = _blocks([t.gain for t in balances])
        self.outlet = _blocks([t.outlet for t in balances])
        routing = _routing(tuple(connections), self.outlets, self.inlets)
        self.is_sink = np.diff(routing.tocsc().indptr) == 0
        self.rate = csr_array(_blocks([t.rate for t in balances]) + self.gain @ routing @ self.outlet)
        self._cache = FactorCache(self.volume, self.rate)
        self._extra_where = np.zeros(0, dtype=np.intp)
        self._extra = np.zeros(0)
        self._gain, self._outlet = held(self.gain, self.n), held(self.outlet, self.n)

    @property
    def n(self) -> int:
        return self.volume.size

    def index(self, name: str) -> int:
        """Place of compartment ``part.name`` in c."""
        return _place(name, self._places[0], "compartment")

    def outlet_index(self, name: str) -> int:
        """Place of outlet ``part.name`` in :attr:`Step.outflow`."""
        return _place(name, self._places[2], "outlet")

    def part_slice(self, part: str) -> slice:
        """Where the compartments of ``part`` lie in c."""
        return self._slices[part]

    @cached_property
    def _slices(self) -> dict[str, slice]:
        found, at = {}, 0
        for name, balance in self.parts.items():
            found[name] = slice(at, at + balance.volume.size)
            at += balance.volume.size
        return found

    def moved(self, exposure: Floats) -> float:
        """All that left a compartment (kg) while it was exposed to ``exposure`` (n,) kg s/m3: what a step can round."""
        return float(self._turnover @ np.abs(exposure))

    @cached_property
    def _turnover(self) -> Floats:
        return np.abs(self.rate.diagonal())

    def keep_factors(self, room: int) -> None:
        """Keep the factors of so many step lengths, where many runs go on with this system."""
        self._cache.room = room

    @cached_property
    def _places(self) -> tuple[dict[str, int], ...]:
        return tuple({name: i for i, name in enumerate(names)} for names in (self.names, self.inlets, self.outlets))

    def source_vector(self, sources: Mapping[str, float] | Floats | None) -> Floats:
        """External mass flow (n,) kg/s into each compartment.

        ``sources``: inlet name -> kg/s, or an array (n_inlets,) in the order of :attr:`inlets`, or None for nothing.
        """
        if sources is None:
            return np.zeros(self.n)
        if isinstance(sources, Mapping):
            flows = np.zeros(len(self.inlets))
            for name, flow in sources.items():
                flows[_place(name, self._places[1], "inlet")] += flow
        else:
            flows = np.asarray(sources, dtype=float)
            if flows.shape != (len(self.inlets),):
                raise ValueError(f"sources have shape {flows.shape}, expected ({len(self.inlets)},)")
        return np.asarray(self._gain @ flows)

    def with_loss(self, extra: Mapping[str, float] | Floats) -> JointSystem:
        """The same system with ``extra`` loss (m3/s) on some compartments, for losses that follow the concentration.

        ``extra`` (by compartment name, or an array (n,)) is measured from the system as it was built: it replaces an
        earlier ``with_loss`` and may be negative. The factors are shared and the extra loss enters by the Woodbury
        identity, which is cheap while the set of compartments stays the same and is small against n.
        """
        dense = np.zeros(self.n)
        if isinstance(extra, Mapping):
            for name, value in extra.items():
                dense[self.index(name)] += value
            where = np.array(sorted(self.index(name) for name in extra), dtype=np.intp)
        else:
            dense = dense + np.asarray(extra, dtype=float)
            where = np.flatnonzero(dense)
        other = object.__new__(JointSystem)
        other.__dict__.update(self.__dict__)
        other._extra_where, other._extra = where, dense[where]
        other.loss = np.concatenate([t.loss for t in self.parts.values()]) + dense
        return other

    def _solver(self, dt: float, scheme: str) -> Shifted:
        if not dt > 0.0:
            raise ValueError(f"step length {dt} s: must be positive")
        return Shifted(self._cache, GAMMA[scheme] * dt, self._extra_where, self._extra)

    def advance(
        self, c: Floats, dt: float, sources: Mapping[str, float] | Floats | None = None, *, scheme: str | None = None
    ) -> Step:
        """One step of length ``dt`` (s) from ``c`` (n,) kg/m3 with constant ``sources`` (see :meth:`source_vector`).

        ``scheme`` replaces the system's for this step. The factors of each ``dt`` are kept, so that step lengths that
        come back (a ladder of powers of two) cost two triangular solves. Raises ValueError on a non-positive ``dt`` or
        a wrong shape.
        """
        if c.shape != (self.n,):
            raise ValueError(f"c has shape {c.shape}, expected ({self.n},)")
        chosen = self.scheme if scheme is None else _known_scheme(scheme)
        result = SCHEMES[chosen](self._solver(dt, chosen), c, dt, self.source_vector(sources))
        exposure = result.exposure
        return Step(result.c_new, exposure, self._outlet @ exposure, self.loss * exposure, result, chosen)

    def estimate_error(
        self, c: Floats, dt: float, step: Step, sources: Mapping[str, float] | Floats | None = None
    ) -> float:
        """Relative local error of ``step`` in amount: ``sum(V |error|) / max(sum(V |c|), sum(V |c_new|))``.

        ``c``, ``dt`` and ``sources`` as given to :meth:`advance`. It scales as dt^2 for either scheme.
        """
        error = embedded_error(self._solver(dt, step.scheme), step.stages, c, dt, self.source_vector(sources))
        amount = max(self.volume @ np.abs(c), self.volume @ np.abs(step.c_new))
        return float(self.volume @ np.abs(error) / amount) if amount > 0.0 else 0.0

    def steady(self, sources: Mapping[str, float] | Floats | None = None) -> Floats:
        """Concentration (n,) kg/m3 that constant ``sources`` lead to: ``rate c + gain m = 0``.

        A compartment that no path joins to a sink or a loss has no steady state: zero where nothing reaches it,
        infinite where a source does.
        """
        source = self.source_vector(sources)
        drained = self._drained
        reached = _downstream(self.rate, np.flatnonzero(source))
        c = np.where(reached & ~drained, np.inf, 0.0)
        if drained.any():
            extra = np.zeros(self.n)
            extra[self._extra_where] = self._extra
            matrix = csc_array(diags_array(extra) - self.rate)[drained][:, drained]
            c[drained] = spsolve(matrix, source[drained]) if self.n > DENSE else np.linalg.solve(
                matrix.toarray(), source[drained])
        return c

    @property
    def _drained(self) -> NDArray[np.bool_]:
        """Compartments from which mass can reach a sink or a loss."""
        sink_rate = self.outlet[np.flatnonzero(self.is_sink)].sum(axis=0) + self.loss
        return _downstream(csr_array(self.rate.T), np.flatnonzero(sink_rate > 0.0))


def unit_connections(from_part: str, outlet: str, targets: Mapping[str, float]) -> list[Connection]:
    """Connections of one outlet to several ``"part.inlet"`` with the given fractions."""
    places = [(to.partition("."), fraction) for to, fraction in targets.items()]
    return [Connection(from_part, outlet, part, inlet, fraction) for (part, _, inlet), fraction in places]


def _known_scheme(name: str) -> str:
    if name not in SCHEMES:
        raise ValueError(f"unknown scheme '{name}': use one of {', '.join(SCHEMES)}")
    return name


def _full_names(named: Iterable[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    names = tuple(f"{part}.{name}" for part, own in named for name in own)
    if len(set(names)) != len(names):
        raise ValueError(f"names are not unique: {sorted({n for n in names if names.count(n) > 1})}")
    return names


def _blocks(blocks: list[csr_array]) -> csr_array:
    return csr_array(block_diag(blocks, format="csr"))


def _place(name: str, places: Mapping[str, int], kind: str) -> int:
    if name not in places:
        raise ValueError(f"no {kind} '{name}': there are {', '.join(places)}")
    return places[name]


def _routing(connections: Sequence[Connection], outlets: Sequence[str], inlets: Sequence[str]) -> csr_array:
    """(n_inlets, n_outlets) fraction of each outlet's mass flow that enters each inlet."""
    from_place = {name: i for i, name in enumerate(outlets)}
    to_place = {name: i for i, name in enumerate(inlets)}
    columns = np.array([_place(f"{x.from_part}.{x.outlet}", from_place, "outlet") for x in connections], dtype=int)
    rows = np.array([_place(f"{x.to_part}.{x.inlet}", to_place, "inlet") for x in connections], dtype=int)
    fractions = np.array([x.fraction for x in connections], dtype=float)
    total = np.zeros(len(outlets))
    np.add.at(total, columns, fractions)
    for column in np.unique(columns):
        if not abs(total[column] - 1.0) <= 1e-9 or (fractions[columns == column] < 0.0).any():
            raise ValueError(f"fractions of outlet '{outlets[column]}' must be >= 0 and sum to 1, not {total[column]}")
    return csr_array((fractions / total[columns], (rows, columns)), shape=(len(inlets), len(outlets)))


def _downstream(rate: csr_array, starts: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Compartments that mass from ``starts`` can reach along the non-zero entries of ``rate`` (to, from)."""
    reached = np.zeros(rate.shape[0], dtype=bool)
    graph = csr_array(abs(rate).T)
    graph.eliminate_zeros()
    for start in starts:
        if not reached[start]:
            reached[breadth_first_order(graph, start, return_predecessors=False)] = True
    return reached
