"""Local time steps and threads: what they may change, and what they may not."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest

from haiflow.arteries.grid import make_grid
from haiflow.arteries.local_steps import Steps, choose_steps, node_levels, same_step, share_out
from haiflow.arteries.pulsatile import SPEED_LIMIT, PulsatileFlow
from haiflow.arteries.simple import binary_tree, fork, network, pulsating, single_vessel, still
from haiflow.arteries.state import at_rest, from_steady
from haiflow.arteries.tree import CLOSED, Inlet, Outlet
from haiflow.numerics.team import WISHES, Pace, allowed

INLET = Inlet("n0", "flow_rate", 0.8, 6e-6 * (1.0 + 0.5 * np.sin(2 * np.pi * np.arange(32) / 32)))
BED = Outlet(3e8, 2e9, 1e-10)


def uneven(**more):
    """A stiff short daughter between two soft long vessels, and a third one between."""
    return fork([0.24, 0.003, 0.3, 0.03], [3e-3, 1.5e-3, 2e-3, 1.8e-3], [4.0, 14.0, 5.0, 9.0], INLET, BED, **more)


def test_steps_are_as_long_as_each_vessel_allows():
    flow = PulsatileFlow(uneven())
    assert flow.steps.top >= 2
    own = flow.plan.dtdx * 14.0
    assert np.all(flow.plan.dtdx * np.array([4.0, 14.0, 5.0, 9.0]) < SPEED_LIMIT)
    assert flow.steps.level[1] == 0
    assert own[0] > 3.9 * own[1] * flow.grid.dx[1] / flow.grid.dx[0]


def test_a_uniform_network_keeps_one_step():
    assert PulsatileFlow(single_vessel(0.4, 3e-3, 6.0, INLET, BED)).steps.top == 0


def test_needs_are_met_by_any_choice():
    tree = uneven()
    grid = make_grid(tree)
    rng = np.random.default_rng(3)
    for _ in range(100):
        least = 10.0 ** rng.uniform(2.0, 5.0, len(grid.cells))
        steps = choose_steps(grid, least, 200)
        assert np.all(steps.fine / 2.0**steps.level >= least * (1.0 - 1e-12))
        assert steps.whole % 200 == 0


def test_volume_is_kept_where_long_and_short_steps_meet():
    tree = uneven()
    flow = PulsatileFlow(tree, threads=1)
    assert flow.steps.top >= 2
    grid, before = flow.grid, flow.volume
    block = flow.advance(flow.steps_in_cycle)
    # Each cell by its faces, each junction, and the network as a whole.
    gained = np.delete(np.diff(block.face_flux, axis=1), grid.last_face[:-1], axis=1)
    np.testing.assert_allclose(flow.area, block.area_start - block.dt / grid.cell_dx * gained.sum(axis=0), rtol=1e-12)
    arrives = block.face_flux[:, grid.last_face[0]]
    leaves = block.face_flux[:, grid.face_offset[1:]].sum(axis=1)
    assert np.abs(arrives - leaves).max() <= 1e-14 * np.abs(arrives).max()
    out = block.face_flux[:, grid.last_face[1:]].sum()
    assert abs(flow.volume - before - block.dt * (block.face_flux[:, 0].sum() - out)) <= 1e-13 * before
    passed = block.dt * block.face_flux[:, grid.last_face].sum(axis=0)
    np.testing.assert_allclose(flow.end_volume[1::2], passed, rtol=1e-12)


def test_a_volume_source_gives_its_volume_whatever_the_steps():
    tree = uneven()
    grid = make_grid(tree)
    source = np.linspace(1e-6, 3e-6, grid.n_cells)  # m2/s
    flow = PulsatileFlow(tree, grid, source=source, threads=1)
    assert len(set(flow.steps.level.tolist())) >= 3
    steps = flow.steps_in_cycle // 4
    block = flow.advance(steps)
    gained = np.delete(np.diff(block.face_flux, axis=1), grid.last_face[:-1], axis=1).sum(axis=0)
    given = block.dt * (steps * source - gained / grid.cell_dx)
    np.testing.assert_allclose(flow.area, block.area_start + given, rtol=1e-12)
    assert (block.dt * steps * source / block.area_start).min() > 1e-3


def test_a_source_that_swells_all_vessels_alike_moves_no_blood():
    """Walls of one wave speed and ``s = k A0``: ``sqrt(A / A0) = sqrt(1 + k t)`` and one pressure everywhere, so that
    the exact solution is at rest. What moves is the error in time, of second order, of nodes between unlike steps."""
    tree = fork([0.24, 0.003, 0.3, 0.03], [3e-3, 1.5e-3, 2e-3, 1.8e-3], [6.0] * 4, still(0.8), CLOSED)
    grid, moves = make_grid(tree), []
    for whole in (1600, 3200):
        steps = Steps(whole, np.array([3, 0, 3, 1], dtype=np.int32))
        flow = PulsatileFlow(tree, grid, at_rest(grid), source=2.0 * grid.A0, steps=steps, threads=1)
        flow.advance(whole // 4)
        assert flow.steps.whole == whole
        np.testing.assert_allclose(flow.area, grid.A0 * (1.0 + 2.0 * 0.2), rtol=1e-4)
        moves.append(np.abs(flow.flow_rate / flow.area).max())
    assert moves[0] < 1e-6
    assert moves[1] < moves[0] / 3.0


@pytest.mark.parametrize("wall", [None, 0.3])
def test_any_number_of_threads_gives_the_same_to_the_last_bit(wall):
    tree = binary_tree(31, np.linspace(0.3, 0.02, 31), INLET, BED, wave_speed=np.linspace(4.0, 12.0, 31).max())
    tree = tree if wall is None else uneven(wall_viscosity=np.full(4, wall))
    grid = make_grid(tree, 2e-3)
    found = []
    for threads in (1, 2, 3):
        flow = PulsatileFlow(tree, grid, threads=threads)
        flow._pace.choices = (threads,)
        block = flow.advance(5)
        samples = flow._run(20, record=False, n_samples=flow.steps_in_cycle // 5)[2]
        found.append((block.face_flux, block.node_pressure, flow.area, flow.flow_rate, flow.charge, samples.stations))
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))
    assert np.abs(found[0][-1]).max() > 0.0


def test_changing_the_number_of_threads_on_the_way_changes_nothing():
    tree = uneven()
    grid = make_grid(tree, 1e-3)
    one, several = PulsatileFlow(tree, grid, threads=1), PulsatileFlow(tree, grid, threads=2)
    assert several._pace.choices == (2, 1)
    a, b = one.sample_cycle(200), several.sample_cycle(200)
    assert set(several._pace.cost) == {1, 2}
    assert np.array_equal(a.stations, b.stations)
    assert np.array_equal(a.node_head, b.node_head)
    assert np.array_equal(one.end_volume, several.end_volume)


def test_threads_stop_together_where_the_state_goes_bad():
    tree = uneven()
    flow = PulsatileFlow(tree, make_grid(tree, 1e-3), threads=3)
    flow._pace.choices = (3,)
    flow._flow[flow.grid.slot[flow.grid.offset[2] + 70]] = np.nan
    assert flow._march(50, False, 0)[0] == 1


def test_every_cell_and_node_has_exactly_one_thread():
    tree = binary_tree(63, np.linspace(0.5, 0.004, 63), pulsating(6e-6), BED)
    grid = make_grid(tree, 2e-3)
    rng = np.random.default_rng(5)
    for threads in (1, 2, 7, 64):
        steps = Steps(200, rng.integers(0, 3, 63).astype(np.int32))
        shares = share_out(grid, steps, threads, whole_vessels=False)
        slots = np.concatenate([np.arange(a, b + 1) for a, b, _, _ in shares.block])
        assert len(np.unique(slots)) == len(slots)
        assert np.all(np.isin(grid.slot, slots))
        assert np.all(np.diff(shares.block_range, axis=1) >= 0)
        assert shares.block_range[:, -1].max() == len(shares.block)
        assert sorted(shares.node_order) == list(range(64))
        lowest = node_levels(grid, steps.level)
        for level in range(3):
            part = shares.node_order[shares.node_range[level, 0] : shares.node_range[level, -1]]
            assert np.all(lowest[part] == level)


def test_work_is_cut_evenly():
    grid = make_grid(single_vessel(1.0, 3e-3, 6.0), 1e-3)
    shares = share_out(grid, same_step(grid, 200), 2, whole_vessels=False)
    middle = shares.block_range[0, 2]
    first = (shares.block[:middle, 1] - shares.block[:middle, 0] + 1).sum()
    assert 0.49 < first / grid.n_cells < 0.51


def random_tree(rng, count):
    """Vessels from 2 to 400 mm; each begins at any node before it."""
    links = [(int(rng.integers(0, v + 1)) if v else 0, v + 1) for v in range(count)]
    leaves = {end for _, end in links} - {start for start, _ in links}
    lengths, ones = np.exp(rng.uniform(np.log(2e-3), np.log(0.4), count)), np.ones(count)
    return network(links, lengths, 2e-3 * ones, rng.uniform(4.0, 12.0, count), INLET, {f"n{n}": BED for n in leaves})


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_what_a_thread_has_alone_no_other_touches(threads):
    """Of cells of its own, two beyond each block and the nodes at its ends; of nodes, the cells at all their ends."""
    rng = np.random.default_rng(threads)
    for _ in range(5):
        tree = random_tree(rng, 40)
        grid = make_grid(tree, 2e-3)
        steps = Steps(200, rng.integers(0, 3, 40).astype(np.int32))
        shares = share_out(grid, steps, threads, whole_vessels=False)
        of_slot, of_node = np.full(grid.n_faces, -1), np.full(len(tree.nodes), -1)
        for level, thread in product(range(3), range(threads)):
            begin, _, end = shares.block_range[level, 2 * thread : 2 * thread + 3]
            for first, last, _, _ in shares.block[begin:end]:
                of_slot[first : last + 1] = thread
            begin, _, end = shares.node_range[level, 2 * thread : 2 * thread + 3]
            of_node[shares.node_order[begin:end]] = thread
        first, last = grid.face_offset, grid.face_offset + grid.cells - 1
        own = 0
        for level, thread in product(range(3), range(threads)):
            _, begin, end = shares.block_range[level, 2 * thread : 2 * thread + 3]
            for a, b, v, w in shares.block[begin:end]:
                assert np.all(of_slot[max(a - 2, first[v]) : min(b + 2, last[w]) + 1] == thread)
                for each in range(v, w + 1):
                    assert each > v or a > first[v] or of_node[tree.start[each]] == thread
                    assert each < w or b < last[w] or of_node[tree.end[each]] == thread
                own += b - a + 1
            _, begin, end = shares.node_range[level, 2 * thread : 2 * thread + 3]
            for node in shares.node_order[begin:end]:
                assert np.all(of_slot[first[tree.start == node]] == thread)
                assert np.all(of_slot[last[tree.end == node]] == thread)
        assert own > (0.25 * grid.n_cells if threads == 2 else 0)


def test_threads_share_few_nodes_of_a_tree():
    """Branches stay together: of 1,023 vessels, two threads share the nodes of a few ways from the root."""
    tree = binary_tree(1023, 0.02, pulsating(6e-6), BED)
    shares = share_out(make_grid(tree, 2e-3), same_step(make_grid(tree, 2e-3), 200), 2, whole_vessels=False)
    shared = shares.node_range[0, 1::2] - shares.node_range[0, :-1:2]
    assert 0 < shared.sum() < 20


@pytest.mark.parametrize("seed", range(3))
def test_threads_that_overtake_each_other_give_the_same_to_the_last_bit(seed):
    """More threads than processors, on steps of several lengths: whoever is slow is waited for where it matters."""
    rng = np.random.default_rng(seed)
    tree = random_tree(rng, 30)
    grid = make_grid(tree, 3e-3)
    steps = Steps(PulsatileFlow(tree, grid, threads=1).steps.fine, rng.integers(0, 3, 30).astype(np.int32))
    found = []
    for threads in (1, 2, 5, 8):
        flow = PulsatileFlow(tree, grid, threads=threads, steps=steps)
        flow._pace.choices = (threads,)
        assert flow._march(60, record=False, n_samples=0)[0] == 0
        found.append((flow.area, flow.flow_rate, flow.charge, flow.end_volume))
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_two_teams_at_once_do_not_wait_for_each_other_for_ever():
    tree = uneven()
    flows = [PulsatileFlow(tree, make_grid(tree), threads=3) for _ in range(4)]
    for flow in flows:
        flow._pace.choices = (3,)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda flow: len(flow.advance(10).face_flux), flows, timeout=60.0))
    assert done == [10] * 4
    assert all(np.array_equal(flow.area, flows[0].area) for flow in flows)


def test_the_user_says_how_many_threads(monkeypatch):
    for name in WISHES:
        monkeypatch.delenv(name, raising=False)
    assert allowed() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert allowed() == 3
    monkeypatch.setenv("HAIFLOW_THREADS", "1")
    assert allowed() == 1
    tree = uneven()
    assert PulsatileFlow(tree, make_grid(tree, 1e-4)).threads == 1
    monkeypatch.setenv("HAIFLOW_THREADS", "2")
    assert PulsatileFlow(tree, make_grid(tree, 1e-4)).threads == 2
    assert PulsatileFlow(tree, state=from_steady(make_grid(tree)), grid=make_grid(tree)).threads == 1


def test_the_faster_number_of_threads_is_kept_and_the_other_looked_at_again():
    pace = Pace(4)
    seen = []
    for _ in range(400):
        threads = pace.choose()
        pace.note(threads, 2.0 if threads == 4 else 1.0)
        seen.append(threads)
    assert seen[:3] == [4, 1, 1]
    # At the start, then after 40, 80, 160, 320 pieces.
    assert seen.count(4) == 5
    pace.note(4, 0.5)  # the other processor is free again
    assert pace.choose() == 4


def test_vessels_with_viscous_walls_take_common_steps():
    """A strong viscous wall loses its second order where steps differ."""
    parts = [0.2, 0.01, 0.2], [3e-3, 2e-3, 2e-3], [5.0, 20.0, 5.0]
    inlet, bed = pulsating(5e-6), Outlet(1e9)
    plain, viscous = (PulsatileFlow(fork(*parts, inlet, bed, **more)).steps
                      for more in ({}, {"wall_viscosity": np.full(3, 0.1)}))  # fmt: skip
    assert plain.top > 0
    assert viscous.top == 0
