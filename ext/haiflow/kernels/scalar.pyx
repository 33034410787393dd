# Advection and dispersion of dissolved species on channels: chains of cells with given volume fluxes.
#
# One step of length dt takes cell volumes V to V' = V - dt (F_right - F_left) - dt (holes) + dt (source) and
#
#     c' = c - dt / V' [ F_right (c_right - c) - F_left (c_left - c) ]
#
# which is the conservative balance V' c' = V c - dt (F_right c_right - F_left c_left) with V' put in: a constant stays
# constant whatever the fluxes do. Face values are upwind, second order (MUSCL-Hancock; van Leer 1984, SIAM J. Sci.
# Stat. Comput. 5:1; for a linear equation this is the flux-limited Lax-Wendroff scheme of Sweby 1984):
#
#     c_face = c_up +- (1 - |F| dt / V_up) s_up / 2
#
# With |s| at most twice the difference to either neighbour, and outflow of at most V in a step, c' is a weighted mean
# of c and its neighbours: no over- or undershoot (the weights are all positive because (1 - b)^2 >= 0 for a cell whose
# outflow is the fraction b of its volume; with holes that take the fraction h, b + h <= 3/4 is enough).
# Dispersion follows implicitly (backward Euler, one tridiagonal solve a channel), with no flux across channel ends.
#
# This file is what Python sees; the scheme lies in the included files, one purpose each:
#
#   scalar_limiters    slopes of the cells
#   scalar_channel     face values, weights and the explicit balance along one channel
#   scalar_dispersion  implicit dispersion along one channel
#   scalar_lumen       the catheter's lumen: side holes, open end
#   scalar_nodes       where the channels of a network meet
#   scalar_injections  where injected mass goes
#   scalar_network     one step of a network
#   scalar_sweep       implicit upwind exchange on any set of control volumes

from libc.math cimport ceil

include "scalar_limiters.pxi"
include "scalar_channel.pxi"
include "scalar_dispersion.pxi"
include "scalar_lumen.pxi"
include "scalar_nodes.pxi"
include "scalar_injections.pxi"
include "scalar_network.pxi"
include "scalar_edges.pxi"
include "scalar_sweep.pxi"


cdef Lumen lumen(double[:, ::1] work, const double[::1] flow, int n, int tip, int limiter):
    cdef Lumen w
    w.n, w.tip, w.limiter, w.flow = n, tip, limiter, &flow[0]
    w.volume, w.new, w.rate, w.weight = &work[0, 0], &work[1, 0], &work[2, 0], &work[3, 0]
    w.face, w.s, w.source, w.drained = &work[4, 0], &work[5, 0], &work[6, 0], &work[7, 0]
    return w


def advance_lumen(
    double[:, ::1] hole_mass, double[::1] inlet_mass, double[:, ::1] c, double[::1] beyond, double[:, ::1] work,
    const double[::1] flow, const double[::1] start, const double[::1] end, const double[::1] hole_flow,
    const double[::1] inflow, const double[:, ::1] outside, const int[::1] hole_cell, int tip,
    const double[::1] face_area, const double[::1] spacing, const double[::1] diffusivity, double length,
    double time, double consistent, int limiter,
):
    """Advance c (n_species, n) by ``time`` in sub-steps; returns their number, or a negative code (nothing done).

    Adds to ``hole_mass`` (n_species, n_holes) and ``inlet_mass`` (n_species,). ``beyond`` (n_species,) is the
    concentration of the liquid just out of the open end, for the last cell's slope. ``work`` (8 + 4 n_species, n + 1).
    """
    cdef int n = c.shape[1], steps, k, i, m
    cdef bint steady = True
    cdef Lumen w = lumen(work, flow, n, tip, limiter)
    with nogil:
        hole_source(w.source, w.drained, hole_flow, hole_cell, tip, n)
        steps = lumen_sub_steps(&w, start, end, time, hole_flow[tip] if tip >= 0 else 0.0, consistent)
        w.dt = time / most(steps, 1)
        for i in range(n):
            w.volume[i] = start[i]
            steady = steady and start[i] == end[i]
        lumen_conductances(work, &w, face_area, spacing, diffusivity, length)
        for m in range(steps):
            new_volumes(w.new, w.rate, w.volume, w.flow, w.source, w.dt, n)
            if m == 0 or not steady:
                upwind_weights(w.weight, w.flow, w.volume, w.dt, n)
                lumen_factors(work, &w, c.shape[0])
            for k in range(c.shape[0]):
                lumen_species(hole_mass, inlet_mass, c, beyond, work, &w, hole_flow, inflow, outside, hole_cell, k)
            w.volume, w.new = w.new, w.volume
    return steps


cdef Network network(const int[::1] channel, const int[::1] node_start, const int[::1] end_list,
                     const int[::1] external):
    cdef Network g
    g.n_channels, g.n_nodes = channel.shape[0] - 1, external.shape[0]
    g.channel, g.node_start, g.end_list, g.external = &channel[0], &node_start[0], &end_list[0], &external[0]
    return g


cdef NetworkWork network_work(double[:, ::1] work):
    cdef NetworkWork w
    w.new, w.rate, w.w, w.face = &work[0, 0], &work[1, 0], &work[2, 0], &work[3, 0]
    w.s, w.gain, w.mass, w.leaving = &work[4, 0], &work[5, 0], &work[6, 0], &work[7, 0]
    return w


def advance_network(
    double[:, ::1] c, double[::1] volume, double[:, ::1] outflow, double[:, ::1] work,
    const double[:, ::1] face_flux, double time, const int[::1] channel, const int[::1] node_start,
    const int[::1] end_list, const int[::1] external, const double[:, ::1] external_c, const int[::1] injection_node,
    const int[::1] injection_cell, const double[:, ::1] split, const double[:, ::1] injected,
    const double[::1] source, const double[::1] conductance, int limiter,
):
    """Replay face_flux (n_steps, n_faces), each step ``time`` long, on c (n_species, n_cells) and volume (n_cells,).

    Adds the mass that leaves by each outside to ``outflow`` (n_species, n_external), negative if it enters. ``source``
    (n_cells,) m3/s is liquid that enters a cell with what is injected there; ``conductance`` (n_faces,) m3/s is
    K A / dx. A step in which a cell would give away more than its volume is cut. Returns the number of steps done, or
    minus the step (from 1) whose volumes are no longer positive. ``work`` is (8, n_faces + 2 n_channels + 1).
    """
    cdef Network g = network(channel, node_start, end_list, external)
    cdef NetworkWork w = network_work(work)
    cdef int step, _part, parts, k, done = 0
    cdef double dt, worst
    cdef const double* flow
    with nogil:
        for step in range(face_flux.shape[0]):
            flow = &face_flux[step, 0]
            worst = time * fullest_outflow(&g, flow, &volume[0], &source[0])
            if not worst < 1e6:
                done = -step - 1
                break
            # Volumes change within the step, so a cut leaves room for cells that shrink.
            parts = <int> ceil(worst / 0.75) if worst > 1.0 else 1
            dt = time / parts
            for _part in range(parts):
                new_network(&g, &w, &volume[0], flow, &source[0], dt)
                for k in range(c.shape[0]):
                    place_injections(&g, w.gain, w.mass, w.leaving, flow, injection_node, injection_cell, split,
                                     injected, w.face, c.shape[1], k)
                    advance_species(&g, &c[k, 0], &outflow[k, 0], &w, flow, &external_c[k, 0], &source[0], dt, limiter)
                    disperse_channels(&g, &c[k, 0], w.new, w.face, w.s, w.gain, &conductance[0], dt)
                done = done + 1 if renew(&volume[0], w.new, c.shape[1]) else -step - 1
                if done < 0:
                    break
            if done < 0:
                break
    return done


def sweep(
    double[::1] c, double[::1] used, const double[::1] right, const double[::1] inverse, const int[::1] start,
    const int[::1] upstream, const double[::1] flux, const int[::1] late, const int[::1] row, double h,
    double tolerance, int most_sweeps, bint reverse,
):
    """Solve for c (n,), which holds a first guess; returns the number of sweeps, or -1 where they did not converge.

    ``inverse`` (n,): one over the diagonal. Inflows of control volume k are ``start[k] .. start[k + 1]`` of
    ``upstream`` and ``flux`` (m3/s, positive). ``late``
    (n_late,): which inflows come from a control volume that is swept after their own, ``row``; ``used`` (n_late,) is
    room to work. ``tolerance``: what a further sweep may change, against the largest |c|. ``reverse`` sweeps from the
    last to the first.
    """
    cdef Py_ssize_t k, n = c.shape[0], n_late = late.shape[0]
    cdef int done = 0
    cdef double change = 1.0, size = 0.0
    if n == 0:
        return 0
    with nogil:
        while done < most_sweeps:
            for k in range(n_late):
                used[k] = c[upstream[late[k]]]
            sweep_once(
                &c[0], &right[0], &inverse[0], &start[0], &upstream[0] if upstream.shape[0] else NULL,
                &flux[0] if flux.shape[0] else NULL, h, n, reverse,
            )
            done += 1
            size = 0.0
            for k in range(n):
                size = most(size, most(c[k], -c[k]))
                if not c[k] == c[k]:
                    size = c[k]
                    break
            change = 0.0 if size == size else size
            if n_late and size == size:
                change = still_missing(
                    &c[0], &used[0], &inverse[0], &late[0], &row[0], &upstream[0], &flux[0], h, n_late
                )
            if change <= tolerance * size or not change == change:
                break
    return done if change <= tolerance * size else -1
