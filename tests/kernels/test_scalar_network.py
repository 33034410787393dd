"""The compiled network transport against a plain numpy twin that keeps masses instead of concentrations."""

import numpy as np
import pytest

from haiflow.numerics.channels import Channels, ChannelTransport, Injections

LIMITED = {
    "minmod": lambda a, b: np.where(a * b > 0, np.sign(a) * np.minimum(abs(a), abs(b)), 0.0),
    "van_leer": lambda a, b: np.where(a * b > 0, 2 * a * b / np.where(a * b > 0, a + b, 1.0), 0.0),
    "mc": lambda a, b: np.where(
        a * b > 0, np.sign(a) * np.minimum(np.minimum(2 * abs(a), 2 * abs(b)), abs(a + b) / 2), 0.0
    ),
}


class Twin:
    """One explicit step, channel by channel, node by node."""

    def __init__(self, channels, injections, limiter):
        self.g, self.j, self.limited = channels, injections, LIMITED[limiter]

    def ends(self, node):
        """(end, cell, face, outward sign) of the channel ends that meet at a node."""
        g = self.g
        for v in range(g.n_channels):
            a, b = g.first_cell[v], g.first_cell[v + 1]
            if g.start_node[v] == node:
                yield 2 * v, a, a + v, 1.0
            if g.end_node[v] == node:
                yield 2 * v + 1, b - 1, b + v, -1.0

    def step(self, c, volume, flux, dt, outside, injected, source):
        g = self.g
        left = g.left_face
        new = volume - dt * (flux[left + 1] - flux[left]) + dt * source
        outflow = np.zeros((c.shape[0], g.n_external))
        result = np.array([self.species(c[k], volume, new, flux, dt, outside[k], injected[k], outflow[k])
                           for k in range(c.shape[0])])
        return result, new, outflow

    def shares(self, j, flux, out):
        """Fractions of injection j: end -> share, the outside's, the cell's."""
        node = self.j.node[j]
        if node < 0:
            return {}, 0.0, 1.0
        away = {end: sign * flux[face] for end, _, face, sign in self.ends(node)}
        leaving = {end: q for end, q in away.items() if q > 0}
        total = sum(leaving.values()) + out
        if total == 0.0:
            return {}, 0.0, 1.0
        split = self.j.split[j]
        named = sum(split[end] for end in away)
        usable = sum(split[end] for end in leaving)
        named = named if usable > 0 else 0.0
        shares = {end: (1 - named) * q / total + (named * split[end] / usable if usable > 0 else 0.0)
                  for end, q in leaving.items()}
        return shares, (1 - named) * out / total, 0.0

    def species(self, c, volume, new, flux, dt, outside, injected, outflow):
        g = self.g
        mass = volume * c
        at_end = np.zeros(2 * g.n_channels)
        beyond = np.zeros(g.n_nodes)
        for j in range(self.j.node.size):
            node = self.j.node[j]
            out = 0.0 if node < 0 or g.external[node] < 0 else max(
                -sum(sign * flux[face] for _, _, face, sign in self.ends(node)), 0.0)
            shares, gone, stays = self.shares(j, flux, out)
            for end, share in shares.items():
                at_end[end] += share * injected[j]
            if gone:
                beyond[node] += gone * injected[j]
            mass[self.j.cell[j]] += dt * stays * injected[j]
        ghost = np.zeros(2 * g.n_channels)
        for node in range(g.n_nodes):
            ends = list(self.ends(node))
            up = [(-s * flux[f], c[i]) for _, i, f, s in ends if s * flux[f] < 0]
            down = [(s * flux[f], c[i]) for _, i, f, s in ends if s * flux[f] > 0]
            inward = sum(s * flux[f] for _, _, f, s in ends) if g.external[node] >= 0 else 0.0
            if inward > 0:
                value = outside[g.external[node]]
                up.append((inward, np.mean([c[i] for _, i, _, _ in ends]) if np.isnan(value) else value))
            for end, i, f, s in ends:
                if s * flux[f] > 0 and up:
                    ghost[end] = sum(q * x for q, x in up) / sum(q for q, _ in up) + at_end[end] / (s * flux[f])
                elif s * flux[f] < 0 and down:
                    ghost[end] = sum(q * x for q, x in down) / sum(q for q, _ in down)
                else:
                    ghost[end] = c[i]
        slope = np.zeros_like(c)
        for v in range(g.n_channels):
            a, b = g.first_cell[v], g.first_cell[v + 1]
            padded = np.concatenate([[ghost[2 * v]], c[a:b], [ghost[2 * v + 1]]])
            slope[a:b] = self.limited(np.diff(padded)[:-1], np.diff(padded)[1:])
        face_mass = np.zeros(g.n_faces)

        def moving(i, q):
            return c[i] + np.sign(q) * 0.5 * (1 - abs(q) * dt / volume[i]) * slope[i]

        for node in range(g.n_nodes):
            ends = list(self.ends(node))
            net = sum(s * flux[f] for _, _, f, s in ends) if g.external[node] >= 0 else 0.0
            flows = [(-s * flux[f], moving(i, flux[f])) for _, i, f, s in ends if s * flux[f] < 0]
            e = g.external[node]
            if net > 0:
                value = np.mean([c[i] for _, i, _, _ in ends]) if np.isnan(outside[e]) else outside[e]
                flows.append((net, value))
                outflow[e] -= dt * net * value
            for _, i, f, s in ends:
                if s * flux[f] < 0:
                    face_mass[f] = flux[f] * moving(i, flux[f])
            mixture = sum(q * x for q, x in flows) / sum(q for q, _ in flows) if flows else 0.0
            if e >= 0:
                outflow[e] += dt * (max(-net, 0.0) * mixture + beyond[node])
            for end, i, f, s in ends:
                if s * flux[f] > 0:
                    face_mass[f] = flux[f] * mixture + s * at_end[end]
                    difference = s * (c[i] - mixture - at_end[end] / (s * flux[f]))
                    slope[i] = LIMITED["minmod"](slope[i], 2 * difference)
        for v in range(g.n_channels):
            for i in range(g.first_cell[v], g.first_cell[v + 1] - 1):
                f = i + v + 1
                up = i if flux[f] > 0 else i + 1
                face_mass[f] = flux[f] * moving(up, flux[f])
        left = g.left_face
        return (mass - dt * (face_mass[left + 1] - face_mass[left])) / new


def network(rng):
    """A loop with two side branches, an inlet, two terminals; cells of unequal number."""
    first = np.concatenate([[0], np.cumsum(rng.integers(2, 7, 6))])
    return Channels(first, [0, 1, 1, 2, 3, 3], [1, 2, 3, 3, 4, 5], [0, -1, -1, -1, 1, 2])


def balanced(rng, g, n_steps):
    """Random face fluxes that reverse at will, with the last end of each inner node closing its balance."""
    flux = rng.uniform(-1.0, 1.0, (n_steps, g.n_faces))
    for node in np.flatnonzero(g.external < 0):
        end = g.end_list[g.node_start[node + 1] - 1]
        face = g.end_faces[end]
        flux[:, face] += g.node_inflow(flux)[:, node] * (1.0 if end % 2 == 0 else -1.0)
    return flux


@pytest.mark.parametrize("limiter", sorted(LIMITED))
@pytest.mark.parametrize("seed", range(4))
def test_kernel_is_its_twin(limiter, seed):
    rng = np.random.default_rng(seed)
    g = network(rng)
    split = np.zeros((3, 12))
    split[0, [1, 2, 4]] = 0.2, 0.5, 0.1  # node 1: ends of channels 0, 1 and 2
    injections = Injections(np.array([1, -1, 5], np.int32), np.array([0, 3, g.n_cells - 1], np.int32), split)
    c, volume = rng.uniform(0, 1, (2, g.n_cells)), rng.uniform(1, 2, g.n_cells)
    flux, dt = balanced(rng, g, 15), 0.02
    outside = np.array([[0.7, np.nan, np.nan], [0.2, 0.1, np.nan]])
    injected, source = rng.uniform(0, 1, (2, 3)), rng.uniform(0, 0.1, g.n_cells)
    twin = Twin(g, injections, limiter)
    want, want_volume, want_out = c.copy(), volume.copy(), np.zeros((2, 3))
    for step in flux:
        want, want_volume, out = twin.step(want, want_volume, step, dt, outside, injected, source)
        want_out += out
    got = ChannelTransport(g, injections, limiter=limiter).advance(
        c, volume, flux, dt, external_concentration=outside, injected=injected, source=source
    )
    np.testing.assert_allclose(volume, want_volume, rtol=1e-13)
    np.testing.assert_allclose(c, want, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(got, want_out, rtol=1e-11, atol=1e-13)
