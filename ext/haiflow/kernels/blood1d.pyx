# Blood flow in elastic arteries, one-dimensional, in area A and flow rate Q:
#
#   A_t + Q_x = source,   Q_t + (alpha Q^2 / A)_x + (A / rho) p_x = -friction Q / A,   p = b (s - s0)
#
# with s = sqrt(A), s0 = sqrt(A0), b = beta / A0. Second order in space (pressure and velocity reconstructed linearly,
# monotonised-central limiter, local Lax-Friedrichs flux) and in time (Heun's two-stage strong-stability-preserving
# method). Pressure is reconstructed, and A0 and beta are single-valued at a face, so fluid at rest stays at rest
# however A0 and beta vary (Delestre & Lagree 2013, Int J Numer Methods Fluids 72:177; here in terms of pressure).
#
# This file is what Python sees; the scheme lies in the included files, one purpose each:
#
#   blood1d_tables     tables and states, and how cells, faces, vessel ends and nodes are laid out in memory
#   blood1d_team       threads that march together
#   blood1d_cells      reconstruction, fluxes and stages inside the vessels
#   blood1d_wall       the viscous part of the arterial wall
#   blood1d_wall_ends  its part in a step, over all vessels and nodes
#   blood1d_junctions  the states where open vessel ends meet
#   blood1d_outlets    inlets, Windkessels, reflections and closed ends
#   blood1d_nodes      all nodes of the network, their pressures and fluxes
#   blood1d_step       one whole step and its checks
#   blood1d_samples    what is kept of it

from libc.string cimport memset

include "blood1d_tables.pxi"
include "blood1d_team.pxi"
include "blood1d_cells.pxi"
include "blood1d_wall.pxi"
include "blood1d_junctions.pxi"
include "blood1d_outlets.pxi"
include "blood1d_nodes.pxi"
include "blood1d_step.pxi"
include "blood1d_samples.pxi"

SHARES_WORK = HAIFLOW_TEAM  # whether several threads may march together


# ---------------------------------------------------------------------------------------------------- time loop

cdef Net network(
    const double[:, ::1] end_table, const double[:, ::1] node_table, const double[::1] dtdx, const int[::1] node_start,
    const int[::1] node_end, const int[::1] kind, const int[::1] face, const int[::1] cell, const int[::1] level,
    const int[::1] node_level, int top,
):
    cdef Net net
    net.nodes, net.ends, net.top = <int> kind.shape[0], <int> face.shape[0], top
    net.vessels = net.ends // 2
    net.node_start, net.node_end, net.kind = &node_start[0], &node_end[0], &kind[0]
    net.face, net.cell, net.end, net.node = &face[0], &cell[0], &end_table[0, 0], &node_table[0, 0]
    net.level, net.node_level, net.dtdx = &level[0], &node_level[0], &dtdx[0]
    return net


cdef Step scratch(
    double[:, ::1] work, double[:, ::1] node_work, double[:, ::1] block_work, const double[:, ::1] cell_table,
    const double[:, ::1] face_table,
):
    cdef Step w
    memset(&w, 0, sizeof(Step))
    w.mass_1, w.area_1, w.flow_1 = &work[0, 0], &work[1, 0], &work[2, 0]
    w.change, w.answer, w.mass_0 = &work[3, 0], &work[4, 0], &work[5, 0]
    w.outflow, w.now = &node_work[0, 0], &node_work[1, 0]
    w.u, w.p, w.hu, w.hp = &block_work[0, 0], &block_work[1, 0], &block_work[2, 0], &block_work[3, 0]
    w.mass, w.to_left, w.to_right = &block_work[4, 0], &block_work[5, 0], &block_work[6, 0]
    w.both = &block_work[7, 0]
    w.s0, w.b = &cell_table[CELL_S0, 0], &cell_table[CELL_B, 0]
    w.dtdx, w.source = &cell_table[CELL_DTDX, 0], &cell_table[CELL_SOURCE, 0]
    w.cubic = &cell_table[CELL_CUBIC, 0]
    w.speed, w.wall_cell = &cell_table[CELL_SPEED, 0], &cell_table[CELL_WALL, 0]
    w.face_s0, w.slack = &face_table[FACE_S0, 0], &face_table[FACE_SLACK, 0]
    w.k = &face_table[FACE_K, 0]
    return w


cdef Walls walls(
    const double[:, ::1] cells, const double[:, ::1] ends, const int[::1] node, const int[:, ::1] order,
    const int[::1] lower_start, const int[::1] lower_row, const double[::1] lower,
    const int[::1] upper_start, const int[::1] upper_row, const double[::1] upper, const double[:, ::1] taken,
    double[:, ::1] work,
):
    cdef Walls found
    cdef Py_ssize_t i
    found.reflect = False
    for i in range(taken.shape[1]):
        found.reflect = found.reflect or taken[1, i] > 0.0
    found.inertia, found.off, found.pivot = &cells[WALL_INERTIA, 0], &cells[WALL_OFF, 0], &cells[WALL_PIVOT, 0]
    found.start, found.finish = &cells[WALL_START, 0], &cells[WALL_FINISH, 0]
    found.soft, found.taken, found.sent_back = &cells[WALL_SOFT, 0], &taken[0, 0], &taken[1, 0]
    found.end, found.node, found.row, found.column = &ends[0, 0], &node[0], &order[0, 0], &order[1, 0]
    found.lower_start, found.lower_row, found.lower = &lower_start[0], &lower_row[0], &lower[0]
    found.upper_start, found.upper_row, found.upper = &upper_start[0], &upper_row[0], &upper[0]
    found.work, found.head, found.right, found.more = &work[0, 0], &work[1, 0], &work[2, 0], &work[3, 0]
    return found


cdef int whole_step(Step *w, double *sample, double *node_sample, double *head_sample) noexcept nogil:
    # Returns DONE or BAD_AREA; samples are NULL where none is taken.
    cdef int fine, top
    for fine in range(1 << w.net.top):
        top = first_half(w, fine)
        if fine == 0 and sample != NULL:
            meet(&w.team)
            if w.team.thread == 0:
                take_sample(sample, node_sample, head_sample, w)
            meet(&w.team)
        second_half(w, top)
        w.fine += 1
    meet(&w.team)
    return BAD_AREA if all_bad(&w.team, AREAS) > 0 else DONE


cdef int check_speed(Step *w) noexcept nogil:
    w.team.bad[8 * w.team.thread + WAVES] = count_fast(w)
    meet(&w.team)
    return TOO_FAST if all_bad(&w.team, WAVES) > 0 else DONE


cdef int march(
    Step *w, double[:, ::1] face_flux, double[:, ::1] node_pressure, double[:, :, :, ::1] samples,
    double[:, ::1] node_samples, double[:, ::1] head_samples, long long[::1] report, int first_step, int n_steps,
    int sample_every,
) except -1 nogil:
    # Whole steps until one goes bad; returns the status.
    cdef int k, status = DONE, sample = 0
    w.fine = first_step << w.net.top
    for k in range(n_steps):
        w.mean = &face_flux[k, 0] if face_flux.shape[0] > k else NULL
        w.pressure = &node_pressure[k if node_pressure.shape[0] > k else 0, 0]
        if sample_every > 0 and (first_step + k) % sample_every == 0 and sample < samples.shape[0]:
            status = whole_step(w, &samples[sample, 0, 0, 0], &node_samples[sample, 0], &head_samples[sample, 0])
            sample += 1
        else:
            status = whole_step(w, NULL, NULL, NULL)
        if w.team.thread == 0:
            report[0] = k + 1
        if status == DONE and k % SPEED_CHECK_EVERY == 0:
            status = check_speed(w)
        if status != DONE:
            break
    meet(&w.team)
    return status


def advance(
    int thread, long long[::1] barrier, long long[:, ::1] bad,
    double[::1] area, double[::1] flow, double[::1] end_q, double[::1] head, double[::1] charge,
    double[:, ::1] face_flux, double[:, ::1] node_pressure, double[::1] end_volume,
    double[:, :, :, ::1] samples, double[:, ::1] node_samples, double[:, ::1] head_samples, long long[::1] report,
    double[:, ::1] work, double[:, ::1] node_work, double[:, ::1] end_work, double[:, ::1] block_work,
    const double[:, ::1] cell_table, const double[:, ::1] face_table,
    const double[:, ::1] end_table, const double[:, ::1] node_table, const double[::1] dtdx,
    const int[::1] node_start, const int[::1] node_end, const int[::1] kind,
    const int[::1] face, const int[::1] cell, const int[::1] level, const int[::1] node_level,
    const int[:, ::1] block, const int[:, ::1] block_range, const int[::1] node_order, const int[:, ::1] node_range,
    const double[:, ::1] wall_cells, const double[:, ::1] wall_ends, const int[::1] wall_node,
    const int[:, ::1] wall_order, const int[::1] lower_start, const int[::1] lower_row, const double[::1] lower,
    const int[::1] upper_start, const int[::1] upper_row, const double[::1] upper, const double[:, ::1] taken,
    double[:, ::1] wall_work,
    const double[::1] inlet, int first_step, int n_steps, int sample_every, bint viscous, bint sourced,
    double dt, double alpha, double friction, double rho, double speed_limit,
):
    """The part of one ``thread`` in ``n_steps`` whole steps from step ``first_step`` of the cycle.

    All threads (as many as ``bad`` has rows) call this with the same arrays, but ``block_work``, and march together;
    they stop early where the state goes bad. ``dt``: the fine step, of which a whole step has ``2 ** top``.

    Changed in place: ``area``, ``flow`` (slots), ``end_q`` (ends) and ``head`` (nodes), where Newton starts,
    ``charge`` (nodes), the capacitors' pressure. Added to: ``face_flux`` (n_steps or 0, slots),
    the effective flux of each step; ``node_pressure`` (n_steps or 1, nodes); ``end_volume`` (ends). Written:
    ``samples`` (stations), ``node_samples`` and ``head_samples`` (static and total pressure of the nodes) every
    ``sample_every`` steps (0: none), counted from ``first_step`` = 0. ``report``: [steps done, status, fallbacks],
    status 0 done, 1 area not positive, 2 a wave faster than ``speed_limit`` cells a step. ``inlet``: the boundary value
    at each fine step of a cycle.
    """
    cdef int j
    cdef int status
    cdef Step w = scratch(work, node_work, block_work, cell_table, face_table)
    w.net = network(end_table, node_table, dtdx, node_start, node_end, kind, face, cell, level, node_level,
                    <int> block_range.shape[0] - 1)
    w.net.alpha, w.net.rho = alpha, rho
    w.walls = walls(wall_cells, wall_ends, wall_node, wall_order, lower_start, lower_row, lower, upper_start, upper_row,
                    upper, taken, wall_work)
    w.team.barrier, w.team.bad, w.team.thread, w.team.threads = &barrier[0], &bad[0, 0], thread, <int> bad.shape[0]
    w.team.block, w.team.block_range = &block[0, 0], &block_range[0, 0]
    w.team.node_order, w.team.node_range = &node_order[0], &node_range[0, 0]
    w.ends = <End *> &end_work[0, 0]
    w.area, w.flow, w.head, w.charge = &area[0], &flow[0], &head[0], &charge[0]
    w.end_volume, w.inlet, w.period = &end_volume[0], &inlet[0], <int> inlet.shape[0]
    w.dt, w.friction, w.speed_limit, w.viscous, w.sourced = dt, friction, speed_limit, viscous, sourced
    with nogil:
        if thread == 0:
            for j in range(w.net.ends):
                w.ends[j].q = end_q[j]
                w.ends[j].flow = 0.0
        meet(&w.team)
        status = march(&w, face_flux, node_pressure, samples, node_samples, head_samples, report, first_step, n_steps,
                       sample_every)
        if thread == 0:
            report[1] = status
            for j in range(w.net.ends):
                end_q[j] = w.ends[j].q
    return w.fallbacks


# --------------------------------------------------------------------------------------------- passes, one by one

def reconstruct(double[::1] u, double[::1] p, double[::1] hu, double[::1] hp, const double[::1] area,
                const double[::1] flow, const double[::1] s0, const double[::1] b, int n):
    """Velocity, pressure and half their limited differences across each of ``n`` cells, one-sided in first and last.

    Arrays are longer than ``n`` by eight.
    """
    primitives(&u[0], &p[0], &area[0], &flow[0], &s0[0], &b[0], n)
    half_slopes(&hp[0], &p[0], n)
    half_slopes(&hu[0], &u[0], n)


def fluxes(double[::1] mass, double[::1] to_left, double[::1] to_right, const double[::1] p, const double[::1] u,
           const double[::1] hp, const double[::1] hu, const double[::1] s0, const double[::1] slack,
           const double[::1] k, double alpha, int n):
    """Mass flux and the two one-sided momentum fluxes of faces 1 .. n - 1; arrays are longer than ``n`` by eight."""
    face_fluxes(&mass[0], &to_left[0], &to_right[0], &p[0], &u[0], &hp[0], &hu[0], &s0[0], &slack[0], &k[0], alpha, n)


def update(double[::1] area1, double[::1] flow1, const double[::1] area, const double[::1] flow,
           const double[::1] mass, const double[::1] to_left, const double[::1] to_right, const double[::1] hp,
           const double[::1] u, const double[::1] dtdx, const double[::1] cubic,
           double dt, double friction, double rho):
    """The first stage: cells 0 .. n - 2 after one forward Euler step."""
    first_stage(&area1[0], &flow1[0], &area[0], &flow[0], &mass[0], &to_left[0], &to_right[0], &hp[0], &u[0],
                &dtdx[0], &cubic[0], dt * friction, 2.0 / rho, <int> area.shape[0] - 1)


def meet_at_nodes(double[:, ::1] state, double[::1] head, const double[:, ::1] arriving,
                  const double[:, ::1] end_table, const double[:, ::1] node_table, const int[::1] node_start,
                  const int[::1] node_end, const int[::1] kind, const double[::1] inlet, double alpha, double rho):
    """Solve every node once for what arrives there; returns how often Newton failed.

    ``arriving`` (ends, 2): pressure and velocity towards the node. Written: ``state`` (ends, 3), the root ``q`` of
    sqrt(A), velocity and flow rate towards the node; ``head`` (nodes), where Newton starts from zero flow. ``inlet``
    (nodes): the value given at an inlet.
    """
    cdef int e, node
    cdef long fallbacks = 0
    cdef End ends[64]
    cdef Net net
    memset(&net, 0, sizeof(Net))
    if end_table.shape[0] > 64 or arriving.shape[0] != end_table.shape[0] or state.shape[0] != end_table.shape[0]:
        raise ValueError("this looks at one small network: 64 ends at most, a row of state and arrival for each")
    net.nodes, net.ends = <int> kind.shape[0], <int> end_table.shape[0]
    net.node_start, net.node_end, net.kind = &node_start[0], &node_end[0], &kind[0]
    net.end, net.node, net.alpha, net.rho = &end_table[0, 0], &node_table[0, 0], alpha, rho
    for e in range(net.ends):
        arrive(&ends[e], net.end + e * END_COLUMNS, arriving[e, 0], arriving[e, 1], alpha)
        ends[e].q, ends[e].flow, ends[e].resist, ends[e].f_in = ends[e].q_in, 0.0, 0.0, 0.0
    for node in range(net.nodes):
        couple(ends, &head[node], &fallbacks, node, &net, inlet[node], net.node[node * NODE_COLUMNS + NODE_BASE],
               net.node[node * NODE_COLUMNS + NODE_R1])
    for e in range(net.ends):
        state[e, 0], state[e, 1], state[e, 2] = ends[e].q, ends[e].v, ends[e].flow
    return fallbacks
