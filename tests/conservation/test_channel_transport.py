"""Species on random networks: constants stay, mass closes, extrema do not grow, in flow that reverses at will."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from haiflow.numerics.channels import Channels, ChannelTransport, Injections


def random_network(rng, n_nodes, extra):
    """A random tree with ``extra`` more channels (loops); the root and the leaves are open."""
    parent = [int(rng.integers(0, i)) for i in range(1, n_nodes)]
    pairs = [(p, i + 1) for i, p in enumerate(parent)]
    pairs += [tuple(rng.choice(n_nodes, 2, replace=False)) for _ in range(extra)]
    pairs = [pair if rng.random() < 0.5 else pair[::-1] for pair in pairs]
    degree = np.bincount(np.ravel(pairs), minlength=n_nodes)
    external = np.full(n_nodes, -1)
    openings = [0, *np.flatnonzero(degree == 1)[np.flatnonzero(degree == 1) != 0]]
    external[openings] = np.arange(len(openings))
    first = np.concatenate([[0], np.cumsum(rng.integers(2, 9, len(pairs)))])
    start, end = np.array(pairs).T
    return Channels(first, start, end, external)


def random_flux(rng, g, n_steps):
    """Face fluxes that reverse and differ from face to face; every inner node balances."""
    flux = rng.uniform(-1.0, 1.0, (n_steps, g.n_faces)) * (rng.random((n_steps, 1)) < 0.9)
    for node in np.flatnonzero(g.external < 0):
        end = g.end_list[g.node_start[node + 1] - 1]
        flux[:, g.end_faces[end]] += g.node_inflow(flux)[:, node] * (1.0 if end % 2 == 0 else -1.0)
    return flux


@st.composite
def cases(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    g = random_network(rng, draw(st.integers(2, 12)), draw(st.integers(0, 3)))
    limiter = draw(st.sampled_from(["minmod", "van_leer", "mc"]))
    return rng, g, random_flux(rng, g, 40), rng.uniform(1.0, 2.0, g.n_cells), limiter


STEP = 1e-3  # with up to a dozen channels at a node no cell is emptied in 40 steps


@settings(max_examples=60, deadline=None)
@given(cases(), st.floats(1e-9, 1e6), st.booleans())
def test_a_constant_stays_constant(case, value, dispersed):
    _, g, flux, volume, limiter = case
    c = np.full((1, g.n_cells), value)
    outside = np.full((1, g.n_external), np.nan)
    outside[0, 0] = value
    start = value * volume.sum()
    conductance = np.full(g.n_faces, 30.0 if dispersed else 0.0)
    left = ChannelTransport(g, limiter=limiter).advance(
        c, volume, flux, STEP, external_concentration=outside, conductance=conductance
    )
    assert np.abs(c / value - 1.0).max() <= 1e-12
    assert abs(start - left.sum() - value * volume.sum()) <= 1e-12 * start


@settings(max_examples=60, deadline=None)
@given(cases(), st.booleans())
def test_mass_closes_and_extrema_do_not_grow(case, dispersed):
    rng, g, flux, volume, limiter = case
    c = rng.choice([0.0, 1.0], (2, g.n_cells))  # fronts everywhere
    outside = np.where(rng.random((2, g.n_external)) < 0.5, np.nan, rng.uniform(0, 1, (2, g.n_external)))
    start = c @ volume
    conductance = np.full(g.n_faces, 30.0 if dispersed else 0.0)
    left = ChannelTransport(g, limiter=limiter).advance(
        c, volume, 5.0 * flux, STEP / 5.0, external_concentration=outside, conductance=conductance
    )
    assert np.abs(start - left.sum(axis=1) - c @ volume).max() <= 1e-12 * max(start.max(), (c @ volume).max())
    assert c.min() >= -1e-14
    assert c.max() <= 1.0 + 1e-13


@settings(max_examples=60, deadline=None)
@given(cases())
def test_injected_mass_is_all_there(case):
    rng, g, flux, volume, limiter = case
    n = 4
    node = rng.integers(-1, g.n_nodes, n).astype(np.int32)
    split = np.zeros((n, 2 * g.n_channels))
    for j in np.flatnonzero(node >= 0):
        ends = g.end_list[g.node_start[node[j]] : g.node_start[node[j] + 1]]
        split[j, ends] = rng.dirichlet(np.ones(ends.size)) * rng.choice([0.0, 0.6, 1.0])
    injected = rng.uniform(0.0, 1.0, (1, n))
    flux[::7] = 0.0  # nothing flows away: the cells must take it
    c = np.zeros((1, g.n_cells))
    cells = rng.integers(0, g.n_cells, n).astype(np.int32)
    left = ChannelTransport(g, Injections(node, cells, split), limiter=limiter).advance(
        c, volume, flux, STEP, external_concentration=np.zeros((1, g.n_external)), injected=injected
    )
    given_mass = injected.sum() * STEP * flux.shape[0]
    assert abs(c[0] @ volume + left.sum() - given_mass) <= 1e-12 * given_mass
    assert c.min() >= -1e-14 * c.max()


def test_a_step_beyond_the_courant_limit_is_cut():
    n = 40
    g = Channels([0, n], [0], [1], [0, 1])
    c, volume = np.zeros((1, n)), np.full(n, 1.0)
    left = ChannelTransport(g).advance(
        c, volume, np.full((3, n + 1), 1.0), 7.5, external_concentration=np.array([[1.0, 0.0]])
    )
    assert 0.0 <= c.min() <= c.max() <= 1.0 + 1e-14
    assert abs(c.sum() + left[0, 1] - 22.5) < 1e-12
    assert abs(c[0, :18].mean() - 1.0) < 1e-3
