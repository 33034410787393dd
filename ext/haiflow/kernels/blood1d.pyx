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
#   blood1d_cells      reconstruction, fluxes and stages inside the vessels
#   blood1d_wall       the viscous part of the arterial wall
#   blood1d_junctions  the states where open vessel ends meet
#   blood1d_outlets    inlets, Windkessels, reflections and closed ends
#   blood1d_nodes      all nodes of the network, their pressures and fluxes
#   blood1d_step       one time step, its samples and checks

include "blood1d_tables.pxi"
include "blood1d_cells.pxi"
include "blood1d_wall.pxi"
include "blood1d_junctions.pxi"
include "blood1d_outlets.pxi"
include "blood1d_nodes.pxi"
include "blood1d_step.pxi"


# ---------------------------------------------------------------------------------------------------- time loop

cdef Net network(
    const double[:, ::1] end_table, const double[:, ::1] node_table, const int[::1] node_start,
    const int[::1] node_end, const int[::1] kind, const int[::1] face, const int[::1] cell, int slots,
):
    cdef Net net
    net.slots, net.nodes, net.ends = slots, <int> kind.shape[0], <int> face.shape[0]
    net.vessels = net.ends // 2
    net.node_start, net.node_end, net.kind = &node_start[0], &node_end[0], &kind[0]
    net.face, net.cell, net.end, net.node = &face[0], &cell[0], &end_table[0, 0], &node_table[0, 0]
    return net


cdef Step scratch(double[:, ::1] work, const double[:, ::1] cell_table, const double[:, ::1] face_table):
    cdef Step w
    w.u, w.p, w.hu, w.hp = &work[0, 0], &work[1, 0], &work[2, 0], &work[3, 0]
    w.mass_1, w.mass_2, w.to_left, w.to_right = &work[4, 0], &work[5, 0], &work[6, 0], &work[7, 0]
    w.area_1, w.flow_1, w.outflow = &work[8, 0], &work[9, 0], &work[10, 0]
    w.s0, w.b = &cell_table[CELL_S0, 0], &cell_table[CELL_B, 0]
    w.dtdx, w.source = &cell_table[CELL_DTDX, 0], &cell_table[CELL_SOURCE, 0]
    w.speed, w.wall_cell = &cell_table[CELL_SPEED, 0], &cell_table[CELL_WALL, 0]
    w.cubic = &cell_table[CELL_CUBIC, 0]
    w.face_s0, w.slack = &face_table[FACE_S0, 0], &face_table[FACE_SLACK, 0]
    w.k, w.cc, w.wall_face = &face_table[FACE_K, 0], &face_table[FACE_C, 0], &face_table[FACE_WALL, 0]
    w.fallbacks = 0
    return w


cdef int march(
    Step *w, double[:, ::1] face_flux, double[:, ::1] node_pressure, double[::1] end_volume,
    double[:, :, :, ::1] samples, double[:, ::1] node_samples, double[:, ::1] head_samples, long[::1] report,
    const double[::1] inlet, int first_step, int n_steps, int sample_every,
) except -1 nogil:
    # Whole steps until one goes bad; returns the status.
    cdef int period = <int> inlet.shape[0]
    cdef int k, j, status = DONE, sample = 0
    for k in range(n_steps):
        w.mean = &face_flux[k if face_flux.shape[0] > 1 else 0, 0]
        w.pressure = &node_pressure[k if node_pressure.shape[0] > 1 else 0, 0]
        w.inlet_1 = inlet[(first_step + k) % period]
        w.inlet_2 = inlet[(first_step + k + 1) % period]
        begin_step(w)
        if sample_every > 0 and (first_step + k) % sample_every == 0 and sample < samples.shape[0]:
            take_sample(&samples[sample, 0, 0, 0], &node_samples[sample, 0], &head_samples[sample, 0], w)
            sample += 1
        status = finish_step(w)
        for j in range(w.net.ends):
            end_volume[j] += w.dt * w.mean[w.net.face[j]]
        report[0] = k + 1
        if status == DONE and k % SPEED_CHECK_EVERY == 0:
            status = check_speed(w)
        if status != DONE:
            break
    return status


def advance(
    double[::1] area, double[::1] flow, double[::1] end_q, double[::1] head, double[::1] charge,
    double[:, ::1] face_flux, double[:, ::1] node_pressure, double[::1] end_volume,
    double[:, :, :, ::1] samples, double[:, ::1] node_samples, double[:, ::1] head_samples, long[::1] report,
    double[:, ::1] work, double[::1] end_work,
    const double[:, ::1] cell_table, const double[:, ::1] face_table,
    const double[:, ::1] end_table, const double[:, ::1] node_table,
    const int[::1] node_start, const int[::1] node_end, const int[::1] kind,
    const int[::1] face, const int[::1] cell, const double[::1] inlet,
    int first_step, int n_steps, int sample_every, bint viscous,
    double dt, double alpha, double friction, double rho, double speed_limit,
):
    """Take ``n_steps`` whole steps from step ``first_step`` of the cycle; stop early where the state goes bad.

    Changed in place: ``area``, ``flow`` (slots), ``end_q`` (ends) and ``head`` (nodes), where Newton starts, ``charge``
    (nodes), the capacitors' pressure. Written: ``face_flux`` (n_steps or 1, slots), the effective flux of each step;
    ``node_pressure`` (n_steps or 1, nodes); ``end_volume`` (ends) is added up; ``samples`` (stations), ``node_samples``
    and ``head_samples`` (static and total pressure of the nodes) every ``sample_every`` steps (0: none), counted from
    ``first_step`` = 0. ``report``: [steps done, status, fallbacks], status 0 done, 1 area not positive, 2 a wave faster
    than ``speed_limit`` cells a step. ``inlet``: the boundary value at each step of a cycle.
    """
    cdef int j
    cdef Step w = scratch(work, cell_table, face_table)
    w.net = network(end_table, node_table, node_start, node_end, kind, face, cell, <int> area.shape[0])
    w.net.alpha, w.net.rho, w.per_rho = alpha, rho, 1.0 / rho
    w.ends = <End *> &end_work[0]
    w.area, w.flow, w.head, w.charge = &area[0], &flow[0], &head[0], &charge[0]
    w.dt, w.friction, w.speed_limit, w.viscous = dt, friction, speed_limit, viscous
    with nogil:
        for j in range(w.net.ends):
            w.ends[j].q = end_q[j]
            w.ends[j].flow = 0.0
        report[1] = march(&w, face_flux, node_pressure, end_volume, samples, node_samples, head_samples, report,
                          inlet, first_step, n_steps, sample_every)
        for j in range(w.net.ends):
            end_q[j] = w.ends[j].q
    report[2] = w.fallbacks


# --------------------------------------------------------------------------------------------- passes, one by one

def reconstruct(double[::1] u, double[::1] p, double[::1] hu, double[::1] hp, const double[::1] area,
                const double[::1] flow, const double[::1] s0, const double[::1] b):
    """Velocity, pressure and half their limited differences across each cell; zero in the first and last slot."""
    cdef int n = <int> area.shape[0]
    primitives(&u[0], &p[0], &area[0], &flow[0], &s0[0], &b[0], n)
    half_slopes(&hp[0], &p[0], n)
    half_slopes(&hu[0], &u[0], n)


def fluxes(double[::1] mass, double[::1] to_left, double[::1] to_right, const double[::1] p, const double[::1] u,
           const double[::1] hp, const double[::1] hu, const double[::1] s0, const double[::1] slack,
           const double[::1] k, const double[::1] cc, double alpha):
    """Mass flux and the two one-sided momentum fluxes of faces 1 .. n - 1."""
    face_fluxes(&mass[0], &to_left[0], &to_right[0], &p[0], &u[0], &hp[0], &hu[0], &s0[0], &slack[0], &k[0], &cc[0],
                alpha, <int> p.shape[0])


def update(double[::1] area1, double[::1] flow1, const double[::1] area, const double[::1] flow,
           const double[::1] mass, const double[::1] to_left, const double[::1] to_right, const double[::1] hp,
           const double[::1] u, const double[::1] dtdx, const double[::1] source, const double[::1] cubic,
           double dt, double friction, double rho):
    """The first stage: cells 0 .. n - 2 after one forward Euler step."""
    first_stage(&area1[0], &flow1[0], &area[0], &flow[0], &mass[0], &to_left[0], &to_right[0], &hp[0], &u[0],
                &dtdx[0], &source[0], &cubic[0], dt, friction, 1.0 / rho, <int> area.shape[0] - 1)
